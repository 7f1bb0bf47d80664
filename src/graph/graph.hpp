// A model as transformer-sized operations on named, symbolically shaped values.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/tensor.hpp"
#include "graph/dim.hpp"

namespace accelerate {

// What a value holds: numbers in the precision that a plan chooses, or indices (ids, positions).
enum class Element { real, index };

struct Type {
  Element element = Element::real;
  Shape shape;
  std::string to_string() const;  // "real [batch, tokens~, 384]"
  friend bool operator==(const Type&, const Type&) = default;
};

// A value of a graph, by number. An absent value stands for an operand left out (no bias).
struct Value {
  std::int32_t id = -1;
  explicit operator bool() const { return id >= 0; }
  friend bool operator==(Value, Value) = default;
};

// Work of an operation, without what a cache saves: 2 operations a multiply-add; bytes read and written at 4 a number.
struct Cost {
  Dim flops, bytes;
};

// An operation's settings for the dump and for other formats: names and values as text.
using Attributes = std::vector<std::pair<std::string, std::string>>;

class Primitives;

// Types of the operands of a node; null where one is left out.
using Operands = std::span<const Type* const>;

// One kind of computation: its attributes, shape rule, decomposition and cost. Kernels live in the backends.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual std::string_view name() const = 0;
  virtual Attributes attributes() const { return {}; }
  // Type of the result; Error{invalid_input} naming the operand that does not fit.
  virtual Type infer(Operands operands) const = 0;
  // The same computation in primitives, on padded dense values (graph/primitives.hpp).
  virtual Value decompose(Primitives& p, std::span<const Value> operands) const = 0;
  virtual Cost cost(Operands operands, const Type& result) const = 0;
};

// How a missing input is filled in, from the ids and the mask that the caller gave as [batch, tokens].
struct InputRule {
  enum class Fill {
    required,               // the caller must give it
    zeros,                  // token_type_ids of a single text
    columns,                // 0, 1, 2, ... counting padded columns too, as BERT counts
    columns_after_padding,  // RoBERTa: first + 1, + 2, ... over tokens other than `padding_id`; `padding_id` there
    rows,                   // 0, 1, 2, ... over the tokens that are not masked, as decoders count, after the past
  };
  Fill fill = Fill::required;
  std::int64_t padding_id = 0;
  std::int64_t offset =
      0;  // added to what is given or filled in: tables of OPT and BART begin with rows of no position
};

// What of a state value stays from run to run.
struct StateRule {
  std::int64_t window = -1;  // the last positions that will be looked at again; negative: all of them
};

struct Node {
  // A state holds rows of earlier runs of the same sequences: [batch, past~, n]. Operations that read it also append
  // this run's rows to it. Sessions keep it (graph/state.hpp).
  enum class Source { input, weight, table, state, operation };
  Source source = Source::operation;
  std::string name;  // of an input, weight, table or state; for an operation, the path of the module it belongs to
  Type type;
  InputRule rule;                               // inputs
  StateRule state;                              // states
  std::function<Tensor(const Extents&)> table;  // tables: f32 or i64, computed when the sizes are known
  std::vector<Dim> table_of;                    // tables: sizes that the numbers depend on beside those of the shape
  std::int64_t table_limit = 0;                 // of more tokens than these a table begins in another way; 0: never
  std::shared_ptr<const Operation> operation;   // operations
  std::vector<Value> operands;
};

// Immutable once built. Nodes come in an order in which operands precede their users.
class Graph {
 public:
  struct Output {
    std::string name;
    Value value;
  };
  struct Input {
    Value value;
    std::int64_t largest_index = -1;  // that may be given for it, by the tables it is looked up in; -1: it is in none
  };

  Graph() = default;
  Graph(std::string name, std::vector<Node> nodes, std::vector<Output> outputs);

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(Value value) const { return nodes_.at(static_cast<std::size_t>(value.id)); }
  const std::vector<Input>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const Output* find_output(std::string_view name) const;
  bool has_operation(std::string_view name) const;
  // Whether runs leave something behind for the next.
  bool keeps_state() const;
  // The input of that name, or null.
  const Node* find_input(std::string_view name) const;

  // Types of a node's operands, null where one is left out.
  std::vector<const Type*> operand_types(const Node& node) const;
  // What is needed for these outputs and no more; Error{not_found} lists the outputs there are.
  Graph restricted_to(std::span<const std::string> outputs) const;
  // Sum over all operations.
  Cost cost() const;
  // Last node that uses each value (its own index where none does; one past the end for outputs): [nodes].
  std::vector<std::size_t> last_uses() const;

 private:
  std::string name_;
  std::vector<Node> nodes_;
  std::vector<Input> inputs_;  // found once: every run asks for them
  std::vector<Output> outputs_;
};

// One line a node: "%12 = linear(%11, query.weight, query.bias) activation=gelu : real [batch, tokens~, 384]".
std::string to_text(const Graph& graph);
// The same as a Graphviz digraph.
std::string to_graphviz(const Graph& graph);

}  // namespace accelerate
