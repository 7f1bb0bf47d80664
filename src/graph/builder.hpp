// How an architecture writes its graph: one call an operation, parameters by the names in the checkpoint.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/activation.hpp"
#include "graph/graph.hpp"
#include "graph/ops/pool.hpp"
#include "graph/rotary.hpp"
#include "graph/weights.hpp"

namespace accelerate {

enum class Bias { required, none, if_present };

struct LinearOptions {
  Activation activation = Activation::none;
  Value residual = {};  // added last; its width is then what the weight must give
  Bias bias = Bias::required;
  std::int64_t out_features = 0;  // checked where the config fixes it; 0: whatever the weight has
};

struct AttentionOptions {
  Value query, key, value;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 0;  // 0: as many as heads
  double scale = 0;           // 0: 1 / sqrt(head_dim)
  double softcap = 0;         // of the scores; 0: none
  bool causal = false;
  std::int64_t window = -1;                // negative: all keys
  Value relative_bias = {};                // [2 * tokens - 1, heads]
  Value rotary_cos = {}, rotary_sin = {};  // [batch, tokens~, rotary_dim / 2]
  bool interleaved_rotary = false;
};

// Parameters "<name>.0.<gate>.weight", "<name>.0.<up>.weight", "<name>.0.<down>.weight", "<name>.1...."
struct ExpertsOptions {
  std::int64_t chosen = 1;  // of each row
  Activation activation = Activation::none;
  std::string_view gate, up, down;
};

struct Rotary {
  Value cos, sin;
};

// Parameter names are relative to the scopes that are open: in scope "encoder.layer.0",
// linear("attention.self.query", x) uses encoder.layer.0.attention.self.query.weight and .bias.
class Builder {
 public:
  // `state`: whether causal attention keeps its keys and values from run to run.
  enum class State { none, kept };
  Builder(std::string graph_name, const Weights& weights, State state = State::none);

  // Names below are inside `name` until the scope ends.
  class [[nodiscard]] Scope {
   public:
    Scope(Builder& builder, std::string_view name);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    Builder& builder_;
    std::size_t length_;
  };
  Scope scope(std::string_view name) { return Scope(*this, name); }
  // "encoder.layer.3"
  Scope scope(std::string_view name, std::int64_t index) {
    return Scope(*this, std::string(name) + "." + std::to_string(index));
  }

  Value input(std::string name, Type type, InputRule rule = {});
  // Indices [batch, tokens~]: ids of tokens, types, positions. Asked for twice, it is the same input.
  Value token_input(std::string name, InputRule rule = {});
  // Whether the checkpoint has this parameter.
  bool has(std::string_view name) const;
  // A parameter; Error{not_found} when absent, Error{corrupted} unless it has the `expected` dims (none: any).
  Value weight(std::string_view name, const Dims& expected = {});
  // A constant that depends on sizes, those of its shape and further ones; asked for twice by the same name, it is the
  // same table.
  struct TableSizes {
    std::vector<Dim> of = {};  // Node::table_of
    std::int64_t limit = 0;    // Node::table_limit
  };
  Value table(std::string name, Type type, std::function<Tensor(const Extents&)> make, TableSizes sizes);
  Value table(std::string name, Type type, std::function<Tensor(const Extents&)> make) {
    return table(std::move(name), std::move(type), std::move(make), TableSizes{});
  }

  // What stays of earlier runs: [batch, past~, width], all of it or the last `window` positions.
  Value state(std::string_view name, std::int64_t width, std::int64_t window = -1);

  struct Lookup {
    std::string_view table;  // parameter "<table>.weight"
    Value index;
  };
  // Sum of lookups, in this order, times `scale`: [batch, tokens~, hidden].
  Value embedding(const std::vector<Lookup>& lookups, double scale = 1);
  // Parameters "<name>.weight" and "<name>.bias".
  Value linear(std::string_view name, Value x, const LinearOptions& options = {});
  // The same with parameters of any name; no bias when absent.
  Value linear(Value x, Value weight, Value bias, const LinearOptions& options = {});
  // activation(gate) * up, parameters as linear's.
  Value gated_linear(std::string_view gate, std::string_view up, Value x, Activation activation,
                     Bias bias = Bias::if_present);
  // As many experts as a row of `scores` has numbers.
  Value experts(std::string_view name, Value x, Value scores, const ExpertsOptions& options);
  // Parameters "<name>.weight" and, unless told otherwise, "<name>.bias".
  Value layer_norm(std::string_view name, Value x, double epsilon, Bias bias = Bias::required);
  // The weight is what is stored plus `offset`. Of several groups of columns each is normed by itself, by one weight.
  Value rms_norm(std::string_view name, Value x, double epsilon, double offset = 0, std::int64_t groups = 1);
  Value attention(const AttentionOptions& options);
  // One vector an item; `skip` [batch] says how many of its first rows to leave out.
  Value pool(Value x, ops::PoolMode mode, Value skip = {});
  Value normalize(Value x);
  Value select_rows(Value x, Value item, Value position);
  Value activate(Value x, Activation activation);
  // cap * tanh(x / cap); x where cap is 0.
  Value softcap(Value x, double cap);
  Value scale(Value x, double factor);
  Value add(Value a, Value b);
  Value multiply(Value a, Value b);
  Value concat(const std::vector<Value>& parts);
  Value slice(Value x, std::int64_t begin, std::int64_t end);
  // One column without its axis: [batch, tokens~, n] to [batch, tokens~].
  Value column(Value x, std::int64_t index);

  // cos and sin of position * frequency in f32, each [batch, tokens~, frequencies]; asked for twice, they are the same.
  Rotary rotary(const RotaryRule& rule, Value positions);
  // By the frequencies of the first paper, positions counted by columns.
  Rotary rotary(std::int64_t rotary_dim, double theta) {
    return rotary(rotary_rule(rotary_dim, theta), token_input("position_ids", {InputRule::Fill::columns}));
  }
  // T5's relative buckets (Raffel et al. 2020), over the parameter "<name>.weight" [buckets, heads]: what attention
  // takes as relative_bias. Both directions, or only backwards.
  enum class Directions { both, back };
  Value relative_bias(std::string_view name, std::int64_t buckets, std::int64_t max_distance,
                      Directions directions = Directions::both);

  // Any operation: what the calls above come down to. Absent operands are Value{}.
  Value apply(std::shared_ptr<const Operation> operation, std::vector<Value> operands);

  // The scopes that are open: "encoder.layer.3", for errors.
  const std::string& path() const { return path_; }
  const Type& type(Value value) const { return nodes_.at(static_cast<std::size_t>(value.id)).type; }
  std::int64_t width(Value value) const { return type(value).shape.last().number(); }
  const Weights& weights() const { return weights_; }

  void output(std::string name, Value value);
  // The output of that name, if there is one already.
  Value find_output(std::string_view name) const;
  Graph finish();

 private:
  std::string full_name(std::string_view name) const;
  Value bias_of(std::string_view name, Bias bias, std::int64_t size);
  Value append(Node node);

  std::string graph_name_;
  const Weights& weights_;
  State state_;
  std::map<std::string, Rotary> rotaries_;  // by rule and positions
  std::string path_;
  std::vector<Node> nodes_;
  std::vector<Graph::Output> outputs_;
};

}  // namespace accelerate
