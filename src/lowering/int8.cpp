#include "lowering/int8.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace accelerate::lowering {
namespace {

constexpr float kLargestStep = 127;

std::int64_t groups_of(std::int64_t width) { return (width + kInt8Group - 1) / kInt8Group; }

// Where the elements of a matrix lie that may be stored with its dimensions exchanged.
struct Layout {
  std::int64_t row, column;
  Layout(std::int64_t rows, std::int64_t width, bool transposed)
      : row(transposed ? 1 : width), column(transposed ? rows : 1) {}
  std::size_t at(std::int64_t r, std::int64_t c) const { return static_cast<std::size_t>(r * row + c * column); }
};

Dims dims_of(std::int64_t rows, std::int64_t width, bool transposed) {
  return transposed ? Dims{width, rows} : Dims{rows, width};
}

std::vector<float> largest_of_columns(const Tensor& matrix) {
  const auto width = static_cast<std::size_t>(matrix.dim(1));
  const std::span<const float> values = matrix.as<float>();
  std::vector<float> largest(width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest[i % width] = std::max(largest[i % width], std::abs(values[i]));
  }
  return largest;
}

std::vector<float> factors_of(const Tensor& matrix, const Weights& weights, const InputNorm& norm) {
  if (norm.weight.empty()) return {};
  return balance(magnitudes(weights, norm), largest_of_columns(matrix));
}

// One weight balanced behind several norms is several matrices.
std::string name_of(const Weight& weight, const InputNorm& norm, const char* what) {
  return weight.name + (norm.weight.empty() ? "" : " after " + norm.weight) + what;
}

OnnxInitializer computed(std::string name, DType dtype, Dims dims, std::function<Tensor()> make) {
  return {.name = std::move(name), .dtype = dtype, .dims = std::move(dims), .make = std::move(make)};
}

// What is kept of a product's weight, which is not read again.
Int8Matrix balanced(const Weight& weight, const Weights& weights, const InputNorm& norm, bool transposed) {
  const Tensor matrix = weight.to_f32();
  Int8Matrix made = quantize(matrix, factors_of(matrix, weights, norm), transposed);
  weight.release();
  return made;
}

Tensor in_blocks(const Tensor& steps) {
  const std::int64_t rows = steps.dim(0), width = steps.dim(1), groups = groups_of(width);
  Tensor blocks(DType::u8, {rows, groups, kInt8Group});
  const std::span<const std::int8_t> from = steps.as<std::int8_t>();
  const std::span<std::uint8_t> to = blocks.as<std::uint8_t>();
  std::ranges::fill(to, std::uint8_t{kInt8Zero});
  const Layout from_at(rows, width, false), to_at(rows, groups * kInt8Group, false);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t k = 0; k < width; ++k) {
      to[to_at.at(r, k)] = static_cast<std::uint8_t>(from[from_at.at(r, k)] + kInt8Zero);
    }
  }
  return blocks;
}

using Make = std::function<Int8Matrix()>;

Int8Weight described(const std::string& name, const Weight& weight, bool transposed, const Make& make) {
  const std::int64_t rows = weight.dims[0], width = weight.dims[1];
  return {computed(name + ".steps", DType::i8, dims_of(rows, width, transposed), [make] { return make().steps; }),
          computed(name + ".scales", DType::f32, dims_of(rows, groups_of(width), transposed),
                   [make] { return make().scales; })};
}

}  // namespace

std::vector<std::string> int8_products(const Graph& graph) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.source != Node::Source::operation || !node.operation->name().ends_with("linear")) continue;
    const bool stored = graph.node(node.operands[1]).source == Node::Source::weight;
    if (!stored || is_one_row_an_item(graph.node(node.operands[0]))) continue;
    if (chooses_experts(graph, {static_cast<std::int32_t>(i)})) continue;
    // Layers that share their weights share their path.
    if (std::ranges::find(paths, node.name) == paths.end()) paths.push_back(node.name);
  }
  return paths;
}

Int8Matrix quantize(const Tensor& matrix, std::span<const float> factors, bool transposed) {
  const std::int64_t rows = matrix.dim(0), width = matrix.dim(1), groups = groups_of(width);
  Int8Matrix made{Tensor(DType::i8, dims_of(rows, width, transposed)),
                  Tensor(DType::f32, dims_of(rows, groups, transposed))};
  const Layout to(rows, width, transposed), scale_at(rows, groups, transposed);
  const std::span<const float> values = matrix.as<float>();
  const std::span<std::int8_t> steps = made.steps.as<std::int8_t>();
  const std::span<float> scales = made.scales.as<float>();
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t begin = group * kInt8Group, end = std::min(begin + kInt8Group, width);
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto balanced = [&](std::int64_t k) {
        const float value = values[static_cast<std::size_t>(r * width + k)];
        return factors.empty() ? value : value * factors[static_cast<std::size_t>(k)];
      };
      float largest = 0;
      for (std::int64_t k = begin; k < end; ++k) largest = std::max(largest, std::abs(balanced(k)));
      const float inverse = largest > 0 ? kLargestStep / largest : 0;
      for (std::int64_t k = begin; k < end; ++k) {
        steps[to.at(r, k)] = static_cast<std::int8_t>(std::lrint(balanced(k) * inverse));
      }
      scales[scale_at.at(r, group)] = largest / kLargestStep;
    }
  }
  return made;
}

Int8Weight int8_table(const Weight& weight) {
  return described(weight.name, weight, false, [&weight] {
    const Int8Matrix made = quantize(weight.to_f32(), {}, false);
    weight.release();
    return made;
  });
}

Int8Weight int8_columns(const Weight& weight, const Weights& weights, const InputNorm& norm) {
  return described(name_of(weight, norm, ".columns"), weight, true,
                   [&weight, &weights, norm] { return balanced(weight, weights, norm, true); });
}

Int8Weight int8_blocks(const Weight& weight, const Weights& weights, const InputNorm& norm) {
  const std::int64_t rows = weight.dims[0], groups = groups_of(weight.dims[1]);
  const auto make = [&weight, &weights, norm] {
    Int8Matrix made = balanced(weight, weights, norm, false);
    made.steps = in_blocks(made.steps);
    return made;
  };
  const std::string name = name_of(weight, norm, ".blocks");
  return {computed(name + ".steps", DType::u8, {rows, groups, kInt8Group}, [make] { return make().steps; }),
          computed(name + ".scales", DType::f32, {rows, groups}, [make] { return make().scales; })};
}

OnnxInitializer input_factors(const Weight& weight, const Weights& weights, const InputNorm& norm) {
  return computed(name_of(weight, norm, ".factors"), DType::f32, {weight.dims[1]}, [&weight, &weights, norm] {
    std::vector<float> factors = factors_of(weight.to_f32(), weights, norm);
    for (float& factor : factors) factor = 1 / factor;
    return Tensor::of({weight.dims[1]}, factors);
  });
}

}  // namespace accelerate::lowering
