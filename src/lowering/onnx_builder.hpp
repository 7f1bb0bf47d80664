// Writes the nodes of an ONNX model one by one: names, constants, types and shapes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lowering/onnx_model.hpp"

namespace accelerate::lowering {

// A value while a graph is lowered. Numbers and sizes are written when a type is asked for.
struct Operand {
  std::string name;  // empty: a number, a size, or left out
  DType dtype = DType::f32;
  Shape shape;  // dense
  std::optional<double> number;
  std::optional<Dim> size;

  explicit operator bool() const { return !name.empty() || number || size; }
};

class OnnxBuilder {
 public:
  // `real`: the type of reals between operations.
  OnnxBuilder(int opset, DType real) : real_(real) { model_.opset = opset; }

  int opset() const { return model_.opset; }
  DType real() const { return real_; }
  // Nodes are named after the module they belong to.
  void set_path(std::string path) { path_ = std::move(path); }

  // Appends a node of one output, which has the node's name, and gives that. Operands left out are empty.
  std::string node(std::string_view type, std::vector<std::string> inputs, std::vector<OnnxAttribute> attributes = {});
  std::string contrib(std::string_view type, std::vector<std::string> inputs,
                      std::vector<OnnxAttribute> attributes = {});
  // A node with `more` outputs behind its first: the names of all. Those left out are empty.
  std::vector<std::string> contrib(std::string_view type, std::vector<std::string> inputs,
                                   std::vector<OnnxAttribute> attributes, const std::vector<std::string>& more);

  Operand input(OnnxInput input);
  // A weight as it is named, or with its two dimensions exchanged.
  Operand weight(const Weight& weight, bool transposed = false);
  Operand constant(std::string name, Tensor values);
  // What is described; the same name asked for twice is one.
  Operand initializer(OnnxInitializer initializer);
  void output(std::string name, const Operand& value);
  // In its own type, a node's result itself under its own or another name: no copy is made, but it can be given only
  // once.
  void output_as_it_is(const Operand& value, const std::string& name = {});

  // The name of a value as this type: numbers and sizes are written, others cast.
  std::string as(const Operand& value, DType dtype);
  std::string real(const Operand& value) { return as(value, real_); }
  std::string index(const Operand& value) { return as(value, DType::i64); }
  std::string condition(const Operand& value) { return as(value, DType::boolean); }

  // Constants; the same one asked for twice is written once.
  std::string scalar(double value, DType dtype);
  std::string indices(const std::vector<std::int64_t>& values);
  Operand constant_indices(const std::vector<std::int64_t>& values, const Dims& dims);
  // A size as an i64 [1], or all of them as an i64 [n].
  std::string size(const Dim& dim);
  std::string sizes(const std::vector<Dim>& dims);

  Operand gather(const Operand& table, const Operand& index);
  Operand reshape(const Operand& value, std::vector<Dim> dims);
  Operand transpose(const Operand& value, std::vector<std::int64_t> permutation);
  Operand slice(const Operand& value, std::int64_t axis, const Dim& begin, const Dim& end);

  // What `make` gives, made once for a key: masks that every layer reads.
  template <typename Make>
  Operand once(const std::string& key, Make&& make) {
    const auto known = shared_.find(key);
    if (known != shared_.end()) return known->second;
    Operand made = make();
    return shared_[key] = std::move(made);
  }

  OnnxModel finish(std::string name);

 private:
  std::string append(std::string_view type, std::string_view domain, std::vector<std::string> inputs,
                     std::vector<OnnxAttribute> attributes);
  std::string unique(const std::string& wanted);
  std::string symbol_size(const std::string& symbol);

  OnnxModel model_;
  DType real_;
  std::string path_;
  std::map<std::string, int> names_;                         // how often each was asked for
  std::map<std::string, std::string> initializers_, casts_;  // what is written, by what it holds
  std::map<std::string, Operand> shared_;
};

}  // namespace accelerate::lowering
