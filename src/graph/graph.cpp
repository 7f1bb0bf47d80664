#include "graph/graph.hpp"

#include <algorithm>

namespace accelerate {
namespace {

std::string reference(const Graph& graph, Value value) {
  if (!value) return "-";
  const Node& node = graph.node(value);
  return node.source == Node::Source::operation ? "%" + std::to_string(value.id) : node.name;
}

std::string attributes_text(const Operation& operation) {
  std::string text;
  for (const auto& [name, value] : operation.attributes()) text += " " + name + "=" + value;
  return text;
}

std::string_view source_name(Node::Source source) {
  switch (source) {
    case Node::Source::input: return "input";
    case Node::Source::weight: return "weight";
    case Node::Source::table: return "table";
    case Node::Source::state: return "state";
    case Node::Source::operation: return "operation";
  }
  return "";
}

std::string node_line(const Graph& graph, std::size_t index) {
  const Node& node = graph.nodes()[index];
  if (node.source != Node::Source::operation) {
    return std::string(source_name(node.source)) + " " + node.name + " : " + node.type.to_string();
  }
  std::string line = "%" + std::to_string(index) + " = " + std::string(node.operation->name()) + "(";
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    line += (i > 0 ? ", " : "") + reference(graph, node.operands[i]);
  }
  line += ")" + attributes_text(*node.operation) + " : " + node.type.to_string();
  if (!node.name.empty()) line += "  # " + node.name;
  return line;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// Of an index that is an input, by every table that it is looked up in.
std::int64_t largest_index_of(const std::vector<Node>& nodes, Value input) {
  std::int64_t largest = -1;
  for (const Node& node : nodes) {
    if (node.source != Node::Source::operation || node.operation->name() != "embedding") continue;
    for (std::size_t i = 0; i + 1 < node.operands.size(); i += 2) {
      if (node.operands[i + 1] != input) continue;
      const Node& table = nodes[static_cast<std::size_t>(node.operands[i].id)];
      const std::int64_t offset = nodes[static_cast<std::size_t>(input.id)].rule.offset;
      const std::int64_t last = std::max<std::int64_t>(table.type.shape.dims.front().number() - 1 - offset, 0);
      largest = largest < 0 ? last : std::min(largest, last);
    }
  }
  return largest;
}

}  // namespace

std::string Type::to_string() const { return (element == Element::real ? "real " : "index ") + shape.to_string(); }

Graph::Graph(std::string name, std::vector<Node> nodes, std::vector<Output> outputs)
    : name_(std::move(name)), nodes_(std::move(nodes)), outputs_(std::move(outputs)) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Value value{static_cast<std::int32_t>(i)};
    if (nodes_[i].source == Node::Source::input) inputs_.push_back({value, largest_index_of(nodes_, value)});
  }
}

const Graph::Output* Graph::find_output(std::string_view name) const {
  const auto found = std::find_if(outputs_.begin(), outputs_.end(), [&](const Output& o) { return o.name == name; });
  return found == outputs_.end() ? nullptr : &*found;
}

bool Graph::has_operation(std::string_view name) const {
  return std::ranges::any_of(nodes_, [name](const Node& node) {
    return node.source == Node::Source::operation && node.operation->name() == name;
  });
}

bool Graph::keeps_state() const {
  return std::ranges::any_of(nodes_, [](const Node& node) { return node.source == Node::Source::state; });
}

const Node* Graph::find_input(std::string_view name) const {
  const auto found = std::ranges::find_if(inputs_, [&](const Input& input) { return node(input.value).name == name; });
  return found == inputs_.end() ? nullptr : &node(found->value);
}

std::vector<const Type*> Graph::operand_types(const Node& node) const {
  std::vector<const Type*> types;
  for (const Value operand : node.operands) types.push_back(operand ? &this->node(operand).type : nullptr);
  return types;
}

Graph Graph::restricted_to(std::span<const std::string> outputs) const {
  std::vector<Output> kept;
  std::vector<bool> needed(nodes_.size(), false);
  for (const std::string& name : outputs) {
    const Output* output = find_output(name);
    if (output == nullptr) {
      std::string known;
      for (const Output& each : outputs_) known += (known.empty() ? "" : ", ") + each.name;
      throw Error(ErrorKind::not_found, "no output \"" + name + "\"; there are " + known, "graph " + name_);
    }
    kept.push_back(*output);
    needed[static_cast<std::size_t>(output->value.id)] = true;
  }
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const Value operand : nodes_[i].operands) {
      if (operand) needed[static_cast<std::size_t>(operand.id)] = true;
    }
  }
  std::vector<Node> nodes;
  std::vector<Value> moved(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!needed[i]) continue;
    Node node = nodes_[i];
    for (Value& operand : node.operands) {
      if (operand) operand = moved[static_cast<std::size_t>(operand.id)];
    }
    moved[i] = {static_cast<std::int32_t>(nodes.size())};
    nodes.push_back(std::move(node));
  }
  for (Output& output : kept) output.value = moved[static_cast<std::size_t>(output.value.id)];
  return {name_, std::move(nodes), std::move(kept)};
}

Cost Graph::cost() const {
  Cost sum;
  for (const Node& node : nodes_) {
    if (node.source != Node::Source::operation) continue;
    const Cost one = node.operation->cost(operand_types(node), node.type);
    sum.flops += one.flops;
    sum.bytes += one.bytes;
  }
  return sum;
}

std::vector<std::size_t> Graph::last_uses() const {
  std::vector<std::size_t> last(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    last[i] = i;
    for (const Value operand : nodes_[i].operands) {
      if (operand) last[static_cast<std::size_t>(operand.id)] = i;
    }
  }
  for (const Output& output : outputs_) last[static_cast<std::size_t>(output.value.id)] = nodes_.size();
  return last;
}

std::string to_text(const Graph& graph) {
  std::string text = "graph " + graph.name() + "\n";
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) text += "  " + node_line(graph, i) + "\n";
  for (const Graph::Output& output : graph.outputs()) {
    text += "  output " + output.name + " = " + reference(graph, output.value) + "\n";
  }
  return text;
}

std::string to_graphviz(const Graph& graph) {
  std::string text = "digraph " + quoted(graph.name()) + " {\n  rankdir=TB;\n  node [shape=box, fontname=monospace];\n";
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    // Weights would hide the structure behind hundreds of boxes: they stand in the box of the operation they serve.
    if (node.source == Node::Source::weight) continue;
    std::string label = node.name;
    if (node.source == Node::Source::operation) {
      label = std::string(node.operation->name()) + attributes_text(*node.operation) + "\n" + node.name;
    }
    text += "  n" + std::to_string(i) + " [label=" + quoted(label + "\n" + node.type.to_string()) + "];\n";
    for (const Value operand : node.operands) {
      if (!operand || graph.node(operand).source == Node::Source::weight) continue;
      text += "  n" + std::to_string(operand.id) + " -> n" + std::to_string(i) + ";\n";
    }
  }
  for (const Graph::Output& output : graph.outputs()) {
    const std::string name = quoted("output " + output.name);
    text += "  " + name + " [shape=ellipse];\n  n" + std::to_string(output.value.id) + " -> " + name + ";\n";
  }
  return text + "}\n";
}

}  // namespace accelerate
