#include "lowering/onnx_builder.hpp"

#include <algorithm>

#include "graph/ops/expect.hpp"

namespace accelerate::lowering {
namespace {

// As TensorProto::DataType numbers them.
std::int64_t cast_target(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::boolean: return 9;
    case DType::f16: return 10;
    default: throw Error(ErrorKind::internal, "no cast to " + std::string(name_of(dtype)));
  }
}

}  // namespace

std::string OnnxBuilder::unique(const std::string& wanted) {
  const int before = names_[wanted]++;
  return before == 0 ? wanted : unique(wanted + "_" + std::to_string(before));
}

std::string OnnxBuilder::append(std::string_view type, std::string_view domain, std::vector<std::string> inputs,
                                std::vector<OnnxAttribute> attributes) {
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  std::string name = unique(path_.empty() ? std::string(type) : path_ + "/" + std::string(type));
  model_.contrib |= !domain.empty();
  model_.nodes.push_back(
      {std::string(type), std::string(domain), std::move(inputs), {name}, std::move(attributes), name});
  return name;
}

std::string OnnxBuilder::node(std::string_view type, std::vector<std::string> inputs,
                              std::vector<OnnxAttribute> attributes) {
  return append(type, "", std::move(inputs), std::move(attributes));
}

std::string OnnxBuilder::contrib(std::string_view type, std::vector<std::string> inputs,
                                 std::vector<OnnxAttribute> attributes) {
  return append(type, kContribDomain, std::move(inputs), std::move(attributes));
}

std::vector<std::string> OnnxBuilder::contrib(std::string_view type, std::vector<std::string> inputs,
                                              std::vector<OnnxAttribute> attributes,
                                              const std::vector<std::string>& more) {
  const std::string name = contrib(type, std::move(inputs), std::move(attributes));
  std::vector<std::string>& outputs = model_.nodes.back().outputs;
  for (const std::string& each : more) outputs.push_back(each.empty() ? "" : unique(name + "." + each));
  return outputs;
}

Operand OnnxBuilder::input(OnnxInput input) {
  input.name = unique(input.name);
  Operand value{.name = input.name, .dtype = input.dtype, .shape = input.shape};
  model_.inputs.push_back(std::move(input));
  return value;
}

Operand OnnxBuilder::initializer(OnnxInitializer initializer) {
  const std::string key = initializer.name;
  Operand value{.dtype = initializer.dtype,
                .shape = Shape(std::vector<Dim>(initializer.dims.begin(), initializer.dims.end()))};
  std::string& name = initializers_[key];
  if (name.empty()) {
    name = initializer.name = unique(key);
    model_.initializers.push_back(std::move(initializer));
  }
  value.name = name;
  return value;
}

Operand OnnxBuilder::weight(const Weight& weight, bool transposed) {
  OnnxInitializer described{.name = weight.name + (transposed ? ".transposed" : ""),
                            .dtype = real_,
                            .dims = weight.dims,
                            .weight = &weight,
                            .transposed = transposed};
  if (transposed) std::reverse(described.dims.begin(), described.dims.end());
  return initializer(std::move(described));
}

Operand OnnxBuilder::constant(std::string name, Tensor values) {
  const DType dtype = values.dtype() == DType::f32 ? real_ : values.dtype();
  return initializer({.name = std::move(name), .dtype = dtype, .dims = values.dims(), .values = values.to(dtype)});
}

void OnnxBuilder::output(std::string name, const Operand& value) {
  // Its own node, because one value may be two outputs, or an input and an output.
  set_path("");
  const std::string source = as(value, DType::f32);
  model_.nodes.push_back({"Identity", "", {source}, {name}, {}, unique("output/" + name)});
  model_.outputs.push_back({std::move(name), DType::f32, value.shape});
}

void OnnxBuilder::output_as_it_is(const Operand& value, const std::string& name) {
  const std::string& shown = name.empty() ? value.name : name;
  model_.outputs.push_back({shown, value.dtype, value.shape});
  if (shown == value.name) return;
  for (OnnxNode& node : model_.nodes) {
    std::ranges::replace(node.inputs, value.name, shown);
    std::ranges::replace(node.outputs, value.name, shown);
  }
}

std::string OnnxBuilder::as(const Operand& value, DType dtype) {
  if (value.number) return scalar(*value.number, dtype);
  const bool is_size = value.size.has_value();
  if (is_size && value.size->is_number()) return scalar(static_cast<double>(value.size->number()), dtype);
  // A single number broadcasts against whatever it meets, also as [1].
  const std::string name = is_size ? size(*value.size) : value.name;
  if ((is_size ? DType::i64 : value.dtype) == dtype) return name;
  std::string& cast = casts_[name + " " + std::string(name_of(dtype))];
  if (cast.empty()) cast = node("Cast", {name}, {{"to", cast_target(dtype)}});
  return cast;
}

std::string OnnxBuilder::scalar(double value, DType dtype) {
  const std::string name = std::string(name_of(dtype)) + ":" + ops::text(value);
  // What keeps a divisor from zero must not become zero itself.
  constexpr double kLeastHalf = 0x1p-24;
  if (dtype == DType::f16 && value > 0 && value < kLeastHalf) value = kLeastHalf;
  return initializer({.name = name, .dtype = dtype, .dims = {}, .values = Tensor::of<double>({}, {value}).to(dtype)})
      .name;
}

std::string OnnxBuilder::indices(const std::vector<std::int64_t>& values) {
  return constant_indices(values, {static_cast<std::int64_t>(values.size())}).name;
}

Operand OnnxBuilder::constant_indices(const std::vector<std::int64_t>& values, const Dims& dims) {
  const std::string name = "i64:" + to_string(values) + (dims.size() == 1 ? "" : " as " + to_string(dims));
  return constant(name, Tensor::of(dims, values));
}

std::string OnnxBuilder::symbol_size(const std::string& symbol) {
  for (const OnnxInput& input : model_.inputs) {
    for (std::size_t axis = 0; axis < input.shape.rank(); ++axis) {
      if (input.shape.dims[axis].symbol_name() != symbol) continue;
      const auto begin = static_cast<std::int64_t>(axis);
      return node("Shape", {input.name}, {{"start", begin}, {"end", begin + 1}});
    }
  }
  // Distances between positions: 2 * positions - 1 of them.
  const Dim distances = Dim(2) * Dim::symbol(symbol) - Dim(1);
  for (const OnnxInput& input : model_.inputs) {
    for (std::size_t axis = 0; axis < input.shape.rank(); ++axis) {
      if (!(input.shape.dims[axis] == distances)) continue;
      const auto begin = static_cast<std::int64_t>(axis);
      const std::string count = node("Shape", {input.name}, {{"start", begin}, {"end", begin + 1}});
      return node("Div", {node("Add", {count, indices({1})}), indices({2})});
    }
  }
  throw Error(ErrorKind::unsupported, "no input has the size \"" + symbol + "\" by itself", "lowering to ONNX");
}

std::string OnnxBuilder::size(const Dim& dim) {
  if (dim.is_number()) return indices({dim.number()});
  return once("size " + dim.to_string(),
              [&]() -> Operand {
                if (!dim.symbol_name().empty()) return {.name = symbol_size(std::string(dim.symbol_name()))};
                std::string sum;
                for (const auto& [product, factor] : dim.terms()) {
                  std::string term = product.empty() || factor != 1 ? indices({factor}) : "";
                  for (const std::string& symbol : product) {
                    const std::string each = size(Dim::symbol(symbol));
                    term = term.empty() ? each : node("Mul", {term, each});
                  }
                  sum = sum.empty() ? term : node("Add", {sum, term});
                }
                return {.name = sum};
              })
      .name;
}

std::string OnnxBuilder::sizes(const std::vector<Dim>& dims) {
  std::vector<std::int64_t> numbers;
  for (const Dim& dim : dims) {
    if (dim.is_number()) numbers.push_back(dim.number());
  }
  if (numbers.size() == dims.size()) return indices(numbers);
  return once("sizes " + Shape(dims).to_string(),
              [&]() -> Operand {
                std::vector<std::string> parts;
                for (const Dim& dim : dims) parts.push_back(size(dim));
                if (parts.size() == 1) return {.name = parts[0]};
                return {.name = node("Concat", parts, {{"axis", std::int64_t{0}}})};
              })
      .name;
}

Operand OnnxBuilder::gather(const Operand& table, const Operand& rows) {
  std::vector<Dim> dims = rows.shape.dims;
  dims.insert(dims.end(), table.shape.dims.begin() + 1, table.shape.dims.end());
  return {.name = node("Gather", {table.name, index(rows)}, {{"axis", std::int64_t{0}}}),
          .dtype = table.dtype,
          .shape = Shape(std::move(dims))};
}

Operand OnnxBuilder::reshape(const Operand& value, std::vector<Dim> dims) {
  // In ONNX's words 0 is the size that the axis has already and one -1 is what remains: most shapes are constants then.
  std::vector<std::int64_t> numbers;
  std::size_t open = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool kept = i < value.shape.rank() && dims[i] == value.shape.dims[i];
    const bool number = dims[i].is_number() && dims[i].number() != 0;
    open += number || kept ? 0 : 1;
    numbers.push_back(number ? dims[i].number() : kept ? 0 : -1);
  }
  // A size that is only known when it runs may be 0, of a past at first, and then means that.
  const std::string name = open <= 1 ? node("Reshape", {value.name, indices(numbers)})
                                     : node("Reshape", {value.name, sizes(dims)}, {{"allowzero", std::int64_t{1}}});
  return {.name = name, .dtype = value.dtype, .shape = Shape(std::move(dims))};
}

Operand OnnxBuilder::transpose(const Operand& value, std::vector<std::int64_t> permutation) {
  Shape shape = value.shape;
  for (std::size_t i = 0; i < permutation.size(); ++i) {
    shape.dims[i] = value.shape.dims[static_cast<std::size_t>(permutation[i])];
  }
  return {.name = node("Transpose", {value.name}, {{"perm", std::move(permutation)}}),
          .dtype = value.dtype,
          .shape = std::move(shape)};
}

Operand OnnxBuilder::slice(const Operand& value, std::int64_t axis, const Dim& begin, const Dim& end) {
  Shape shape = value.shape;
  shape.dims[static_cast<std::size_t>(axis)] = end - begin;
  return {.name = node("Slice", {value.name, size(begin), size(end), indices({axis})}),
          .dtype = value.dtype,
          .shape = std::move(shape)};
}

OnnxModel OnnxBuilder::finish(std::string name) {
  model_.name = std::move(name);
  return std::move(model_);
}

}  // namespace accelerate::lowering
