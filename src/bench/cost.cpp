#include "bench/cost.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <string_view>

#include "graph/ops/experts.hpp"

namespace accelerate::bench {
namespace {

// Whether f32 keeps it in the 16 bits of the file.
bool stays_narrow(const Weight& weight) { return weight.has_rows_of(DType::bf16) || weight.has_rows_of(DType::f16); }

// How many bytes a number of a product's weight takes.
double bytes_a_number(const Node& node, const std::string& weight, const CompileOptions& options, const Weights* kept) {
  const std::string_view name = node.operation->name();
  const bool product = name == "linear" || name == "gated_linear" || name == "experts";
  if (!product) return 4;
  const auto found = options.overrides.find(node.name);
  switch (found == options.overrides.end() ? options.precision : found->second) {
    case Precision::f32: return kept != nullptr && stays_narrow(kept->at(weight)) ? 2 : 4;
    case Precision::bf16:
    case Precision::f16: return 2;
    case Precision::int8: return 1;
    case Precision::int4: return 0.5;
  }
  return 4;
}

// What an encoder gave of a source: kept, and read by every step, like the past.
bool is_source(const Node& node) {
  const Shape& shape = node.type.shape;
  return node.source == Node::Source::input && shape.ragged && shape.ragged_symbol() == "source";
}

bool is_real(const Node& node) { return node.type.element == Element::real; }

std::int64_t elements(const Node& node, const Extents& extents) { return node.type.shape.elements().evaluate(extents); }

// Keys or values of the past that a run looks at, numbers. A window keeps the rest out of sight.
std::int64_t past_numbers(const Node& state, const Extents& extents) {
  std::int64_t rows = 0;
  for (const std::int64_t past : extents.lengths("past")) {
    rows += state.state.window < 0 ? past : std::min(past, state.state.window);
  }
  return rows * state.type.shape.last().number();
}

// The part of a product's weights that so many rows read: of experts those that they can choose at most.
double part_read(const Node& node, const Extents& extents) {
  if (node.operation->name() != "experts") return 1;
  const auto& op = static_cast<const ops::Experts&>(*node.operation);
  const double experts =
      static_cast<double>(node.operands.size() - ops::Experts::kFirst) / double{ops::Experts::kMatrices};
  const auto chosen = static_cast<double>(op.chosen * extents.at("tokens.rows"));
  return std::min(1.0, chosen / experts);
}

void add_node(const Graph& graph, const Node& node, const Extents& extents, const CompileOptions& options,
              const Weights* kept, std::set<std::int32_t>& counted, Work& work) {
  work.flops += node.operation->cost(graph.operand_types(node), node.type).flops.evaluate(extents);
  const std::int64_t result = elements(node, extents);
  work.activation_bytes += 4 * result;
  const bool lookup = node.operation->name() == "embedding";
  for (const Value operand : node.operands) {
    if (!operand) continue;
    const Node& read = graph.node(operand);
    if (read.source == Node::Source::state) {
      work.cache_bytes += static_cast<std::int64_t>(size_of(options.state)) * past_numbers(read, extents);
    } else if (is_source(read)) {
      work.cache_bytes += 4 * elements(read, extents);
    } else if (read.source != Node::Source::weight) {
      work.activation_bytes += (is_real(read) ? 4 : 8) * elements(read, extents);
    } else if (lookup) {
      work.weight_bytes += 4 * std::min(result, elements(read, extents));
    } else if (counted.insert(operand.id).second) {
      const double numbers = part_read(node, extents) * static_cast<double>(elements(read, extents));
      work.weight_bytes += static_cast<std::int64_t>(numbers * bytes_a_number(node, read.name, options, kept));
    }
  }
}

// In steps of an eighth: by more, what the last cache does not hold could be held against the speed of what it does.
std::int64_t rounded(std::int64_t working_set) {
  const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(1, working_set));
  const std::uint64_t step = std::max<std::uint64_t>(1, std::bit_floor(bytes) / 8);
  return static_cast<std::int64_t>(bytes / step * step);
}

}  // namespace

Work& Work::operator+=(const Work& other) {
  flops += other.flops;
  weight_bytes += other.weight_bytes;
  cache_bytes += other.cache_bytes;
  activation_bytes += other.activation_bytes;
  return *this;
}

Work work_of(const Graph& graph, std::span<const std::size_t> nodes, const Extents& extents,
             const CompileOptions& options, const Weights* kept) {
  Work work;
  std::set<std::int32_t> counted;
  for (const std::size_t index : nodes) {
    const Node& node = graph.nodes().at(index);
    if (node.source == Node::Source::operation) add_node(graph, node, extents, options, kept, counted, work);
  }
  return work;
}

Work work_of(const Graph& graph, const Extents& extents, const CompileOptions& options, const Weights* kept) {
  std::vector<std::size_t> nodes(graph.nodes().size());
  std::iota(nodes.begin(), nodes.end(), std::size_t{0});
  Work work = work_of(graph, nodes, extents, options, kept);
  work.activation_bytes = 0;
  return work;
}

double Limits::read_speed(std::int64_t working_set) const {
  if (read_bytes_per_second.empty()) return 0;
  const auto above = read_bytes_per_second.upper_bound(rounded(working_set));
  return above == read_bytes_per_second.begin() ? above->second : std::prev(above)->second;
}

Limits Limits::best_of(const Limits& a, const Limits& b) {
  Limits best = a;
  best.operations_per_second = std::max(a.operations_per_second, b.operations_per_second);
  for (const auto& [working_set, speed] : b.read_bytes_per_second) {
    double& known = best.read_bytes_per_second[working_set];
    known = std::max(known, speed);
  }
  return best;
}

Limits measure_limits(hardware::LimitMeter& meter, Precision precision, std::span<const std::int64_t> working_sets) {
  Limits limits;
  limits.operations_per_second = meter.operations_per_second(precision);
  for (const std::int64_t working_set : working_sets) {
    double& speed = limits.read_bytes_per_second[rounded(working_set)];
    if (speed == 0) speed = meter.read_bytes_per_second(rounded(working_set));
  }
  return limits;
}

Bound bound_of(const Work& work, const Limits& limits, std::int64_t weight_set) {
  const auto seconds = [](std::int64_t amount, double speed) {
    return speed > 0 ? static_cast<double>(amount) / speed : 0.0;
  };
  const double computing = seconds(work.flops, limits.operations_per_second);
  const double reading = seconds(work.weight_bytes + work.cache_bytes, limits.read_speed(weight_set)) +
                         seconds(work.activation_bytes, limits.read_speed(work.activation_bytes));
  return {std::max(computing, reading), computing >= reading};
}

}  // namespace accelerate::bench
