#include "graph/partition.hpp"

#include <algorithm>
#include <limits>

namespace accelerate {
namespace {

bool is_operation(const Node& node) { return node.source == Node::Source::operation; }

// Parts are numbered in the order they run in, the even ones of operations that are not apart. An operation is in the
// first part of its kind after those of its operands. Other nodes belong to no part: -1; but for an output that no
// operation computes, which comes out of the first.
std::vector<int> part_numbers(const Graph& graph, const std::function<bool(const Node&)>& apart) {
  std::vector<int> numbers(graph.nodes().size(), -1);
  int first = std::numeric_limits<int>::max();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!is_operation(node)) continue;
    const int kind = apart(node) ? 1 : 0;
    int number = kind;
    for (const Value operand : node.operands) {
      if (operand) number = std::max(number, numbers[static_cast<std::size_t>(operand.id)]);
    }
    numbers[i] = number % 2 == kind ? number : number + 1;
    first = std::min(first, numbers[i]);
  }
  for (const Graph::Output& output : graph.outputs()) {
    if (!is_operation(graph.node(output.value))) numbers[static_cast<std::size_t>(output.value.id)] = first;
  }
  return numbers;
}

// Picks the nodes of one part out of the whole graph.
class Cut {
 public:
  Cut(const Graph& graph, const std::vector<int>& numbers, int number)
      : graph_(graph), numbers_(numbers), number_(number), needed_(numbers.size()), leaves_(numbers.size()) {
    for (std::size_t i = 0; i < numbers.size(); ++i) look_at(i);
    for (const Graph::Output& output : graph.outputs()) {
      const auto i = static_cast<std::size_t>(output.value.id);
      leaves_[i] = leaves_[i] || numbers[i] == number;
    }
  }

  GraphPart part() const {
    GraphPart part;
    std::vector<Node> nodes;
    std::vector<Graph::Output> outputs;
    std::vector<Value> moved(needed_.size());
    for (std::size_t i = 0; i < needed_.size(); ++i) {
      if (!needed_[i]) continue;
      moved[i] = {static_cast<std::int32_t>(nodes.size())};
      nodes.push_back(numbers_[i] == number_ ? with_operands(graph_.nodes()[i], moved) : from_elsewhere(i));
      part.nodes.push_back(i);
      if (leaves_[i]) outputs.push_back({crossing_name(value_of(i)), moved[i]});
    }
    part.graph = Graph(graph_.name(), std::move(nodes), std::move(outputs));
    return part;
  }

 private:
  static Value value_of(std::size_t index) { return {static_cast<std::int32_t>(index)}; }

  // What the part's operations read is needed; what others read of the part leaves it.
  void look_at(std::size_t index) {
    const bool own = numbers_[index] == number_;
    if (own) needed_[index] = true;
    for (const Value operand : graph_.nodes()[index].operands) {
      if (!operand) continue;
      const auto read = static_cast<std::size_t>(operand.id);
      if (own) needed_[read] = true;
      if (!own && numbers_[read] == number_) leaves_[read] = true;
    }
  }

  static Node with_operands(Node node, const std::vector<Value>& moved) {
    for (Value& operand : node.operands) {
      if (operand) operand = moved[static_cast<std::size_t>(operand.id)];
    }
    return node;
  }

  Node from_elsewhere(std::size_t index) const {
    const Node& node = graph_.nodes()[index];
    if (!is_operation(node)) return node;
    Node input;
    input.source = Node::Source::input;
    input.name = crossing_name(value_of(index));
    input.type = node.type;
    return input;
  }

  const Graph& graph_;
  const std::vector<int>& numbers_;
  const int number_;
  std::vector<bool> needed_, leaves_;
};

}  // namespace

std::string crossing_name(Value value) { return "%" + std::to_string(value.id); }

std::vector<GraphPart> partition(const Graph& graph, const std::function<bool(const Node&)>& apart) {
  const std::vector<int> numbers = part_numbers(graph, apart);
  std::vector<GraphPart> parts;
  for (int number = 0; number <= *std::ranges::max_element(numbers); ++number) {
    if (std::ranges::find(numbers, number) == numbers.end()) continue;
    parts.push_back(Cut(graph, numbers, number).part());
    parts.back().apart = number % 2 != 0;
  }
  return parts;
}

GraphPart side_of(const Graph& graph, const std::function<bool(const Node&)>& apart, bool which) {
  std::vector<int> numbers(graph.nodes().size(), -1);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (is_operation(graph.nodes()[i])) numbers[i] = apart(graph.nodes()[i]) == which ? 0 : 1;
  }
  GraphPart side = Cut(graph, numbers, 0).part();
  side.apart = which;
  return side;
}

}  // namespace accelerate
