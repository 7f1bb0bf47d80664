#include "backends/operation_cases.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <sstream>
#include <stdexcept>

#include "graph/builder.hpp"
#include "graph/ops/attention.hpp"
#include "graph/ops/elementwise.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/ops/experts.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/norm.hpp"
#include "graph/ops/rotary.hpp"
#include "graph/primitives.hpp"
#include "lowering/host_slots.hpp"
#include "lowering/padding.hpp"

namespace accelerate::test {
namespace {

using Settings = std::map<std::string, std::string>;

std::string setting(const Settings& settings, const std::string& name, const std::string& fallback) {
  const auto found = settings.find(name);
  return found == settings.end() ? fallback : found->second;
}

ops::PoolMode pool_mode(const std::string& name) {
  for (int i = 0; i < 7; ++i) {
    if (name_of(static_cast<ops::PoolMode>(i)) == name) return static_cast<ops::PoolMode>(i);
  }
  throw std::runtime_error("no pool mode " + name);
}

std::shared_ptr<const Operation> make_attention(const Settings& s) {
  auto op = std::make_shared<ops::Attention>();
  op->heads = std::stoll(setting(s, "heads", "1"));
  op->kv_heads = std::stoll(setting(s, "kv_heads", setting(s, "heads", "1")));
  op->scale = std::stod(setting(s, "scale", "1"));
  op->softcap = std::stod(setting(s, "softcap", "0"));
  op->causal = setting(s, "causal", "false") == "true";
  op->window = std::stoll(setting(s, "window", "-1"));
  op->interleaved_rotary = setting(s, "interleaved_rotary", "false") == "true";
  return op;
}

std::shared_ptr<const Operation> make_operation(const std::string& name, const Settings& s) {
  const Activation activation = activation_named(setting(s, "activation", "none"));
  const double epsilon = std::stod(setting(s, "epsilon", "1e-5"));
  if (name == "embedding") return std::make_shared<ops::Embedding>(std::stod(setting(s, "scale", "1")));
  if (name == "linear") return std::make_shared<ops::Linear>(activation);
  if (name == "gated_linear") return std::make_shared<ops::GatedLinear>(activation);
  if (name == "layer_norm") return std::make_shared<ops::LayerNorm>(epsilon);
  if (name == "rms_norm") {
    return std::make_shared<ops::RmsNorm>(epsilon, std::stod(setting(s, "offset", "0")),
                                          std::stoll(setting(s, "groups", "1")));
  }
  if (name == "experts") return std::make_shared<ops::Experts>(std::stoll(setting(s, "chosen", "1")), activation);
  if (name == "scale") return std::make_shared<ops::Scale>(std::stod(setting(s, "factor", "1")));
  if (name == "softcap") return std::make_shared<ops::Softcap>(std::stod(setting(s, "cap", "1")));
  if (name == "normalize") return std::make_shared<ops::Normalize>();
  if (name == "attention") return make_attention(s);
  if (name == "rotary_factor") {
    const bool cosine = setting(s, "wave", "cos") == "cos";
    return std::make_shared<ops::RotaryFactor>(cosine ? ops::RotaryFactor::Wave::cos : ops::RotaryFactor::Wave::sin);
  }
  if (name == "pool") return std::make_shared<ops::Pool>(pool_mode(setting(s, "mode", "mean")));
  if (name == "select_rows") return std::make_shared<ops::SelectRows>();
  if (name == "activate") return std::make_shared<ops::Activate>(activation);
  if (name == "add") return std::make_shared<ops::Combine>(ops::Combine::Kind::add);
  if (name == "multiply") return std::make_shared<ops::Combine>(ops::Combine::Kind::multiply);
  if (name == "concat") return std::make_shared<ops::Concat>();
  if (name == "slice") {
    return std::make_shared<ops::Slice>(std::stoll(setting(s, "begin", "0")), std::stoll(setting(s, "end", "1")),
                                        setting(s, "drop_axis", "false") == "true");
  }
  throw std::runtime_error("no operation " + name);
}

// "tokens", "2*tokens-1", "48"
Dim parse_dim(const std::string& text) {
  if (const auto minus = text.find('-'); minus != std::string::npos) {
    return parse_dim(text.substr(0, minus)) - parse_dim(text.substr(minus + 1));
  }
  if (const auto star = text.find('*'); star != std::string::npos) {
    return parse_dim(text.substr(0, star)) * parse_dim(text.substr(star + 1));
  }
  return std::isdigit(static_cast<unsigned char>(text[0])) ? Dim(std::stoll(text)) : Dim::symbol(text);
}

Shape parse_shape(std::string text) {
  Shape shape;
  text = text.substr(1, text.size() - 2);
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::erase(part, ' ');
    if (part.ends_with('~')) {
      shape.ragged = true;
      part.pop_back();
    }
    shape.dims.push_back(parse_dim(part));
  }
  return shape;
}

// Seeded numbers that are the same on every machine (the standard distributions are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  double uniform() {  // [0, 1)
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<double>(state_ >> 11) * 0x1p-53;
  }
  double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

 private:
  std::uint64_t state_;
};

struct OperandLine {
  std::string role, source, shape;
  std::vector<std::string> fill;
};

Tensor fill_tensor(const OperandLine& line, Dims dims, Random& random) {
  const auto number = [&](std::size_t i, double fallback) {
    return i < line.fill.size() ? std::stod(line.fill[i]) : fallback;
  };
  const std::string kind = line.fill.empty() ? "normal" : line.fill[0];
  if (line.source == "index") {
    Tensor tensor(DType::i64, std::move(dims));
    std::size_t i = 0;
    for (std::int64_t& value : tensor.as<std::int64_t>()) {
      value =
          kind == "values" ? std::stoll(line.fill.at(++i)) : static_cast<std::int64_t>(random.uniform() * number(1, 1));
    }
    return tensor;
  }
  Tensor tensor(DType::f32, std::move(dims));
  for (float& value : tensor.as<float>()) {
    if (kind == "uniform") {
      value = static_cast<float>(number(1, 0) + random.uniform() * (number(2, 1) - number(1, 0)));
    } else if (kind == "normal") {
      value = static_cast<float>(number(1, 0) + random.normal() * number(2, 1));
    } else {
      throw std::runtime_error("no distribution " + kind);
    }
  }
  return tensor;
}

struct CaseText {
  std::string title, operation;
  Settings settings;
  std::vector<OperandLine> operands;
  Extents extents;
  std::vector<Extents> earlier;
};

// Inputs of one run, filled anew.
Feeds feeds_of(const CaseText& text, const Extents& extents, Random& random) {
  Feeds feeds;
  feeds.extents = extents;
  for (const OperandLine& line : text.operands) {
    if (line.source != "input" && line.source != "index") continue;
    feeds.tensors[line.role] = fill_tensor(line, parse_shape(line.shape).stored(extents), random);
  }
  return feeds;
}

std::int64_t window_of(const CaseText& text) { return std::stoll(setting(text.settings, "window", "-1")); }

OperationCase build(const CaseText& text, std::uint64_t seed) {
  OperationCase result{
      .title = text.title, .graph = {}, .weights = std::make_shared<Weights>(), .feeds = {}, .earlier = {}};
  Random random(seed);
  for (const OperandLine& line : text.operands) {
    if (line.source != "weight") continue;
    result.weights->add(line.role, fill_tensor(line, parse_shape(line.shape).stored(text.extents), random));
  }
  Builder b("case", *result.weights);
  std::vector<Value> operands;
  for (const OperandLine& line : text.operands) {
    if (line.source == "absent") {
      operands.push_back({});
    } else if (line.source == "weight") {
      operands.push_back(b.weight(line.role));
    } else {
      const Shape shape = parse_shape(line.shape);
      const Element element = line.source == "index" ? Element::index : Element::real;
      operands.push_back(line.source == "state" ? b.state(line.role, shape.last().number(), window_of(text))
                                                : b.input(line.role, {element, shape}));
    }
  }
  result.feeds = feeds_of(text, text.extents, random);
  for (Extents earlier : text.earlier) {
    if (text.extents.has("positions")) earlier.set("positions", text.extents.at("positions"));
    result.earlier.push_back(feeds_of(text, earlier, random));
  }
  b.output("y", b.apply(make_operation(text.operation, text.settings), std::move(operands)));
  result.graph = b.finish();
  return result;
}

void parse_line(const std::string& line, CaseText& text) {
  std::istringstream words(line);
  std::string first;
  words >> first;
  if (first == "lengths" || first == "earlier") {
    std::vector<std::int64_t> lengths;
    for (std::int64_t length = 0; words >> length;) lengths.push_back(length);
    Extents& extents = first == "lengths" ? text.extents : text.earlier.emplace_back();
    extents.set_ragged("tokens", std::move(lengths));
  } else if (first == "sources") {
    std::vector<std::int64_t> lengths;
    for (std::int64_t length = 0; words >> length;) lengths.push_back(length);
    text.extents.set_ragged("source", std::move(lengths));
  } else if (first == "unseen") {
    std::vector<std::uint8_t> seen(static_cast<std::size_t>(text.extents.offsets("tokens").back()), 1);
    for (std::size_t row = 0; words >> row;) seen.at(row) = 0;
    text.extents.set_seen("tokens", std::move(seen));
  } else if (first == "size") {
    std::string symbol;
    std::int64_t size = 0;
    words >> symbol >> size;
    text.extents.set(symbol, size);
  } else {
    OperandLine operand{.role = first, .source = {}, .shape = {}, .fill = {}};
    words >> operand.source;
    if (operand.source != "absent") {
      std::getline(words, operand.shape, ']');
      operand.shape = operand.shape.substr(operand.shape.find('[')) + "]";
      for (std::string word; words >> word;) operand.fill.push_back(word);
    }
    text.operands.push_back(std::move(operand));
  }
}

// One run, whose rows go behind those that the slots hold.
Outputs interpret_run(const Graph& graph, const Weights& weights, Feeds feeds, lowering::HostSlots& slots,
                      Rounding rounding) {
  const std::vector<std::int64_t> counts = feeds.extents.lengths("tokens");
  while (feeds.slots.size() < counts.size()) feeds.slots.push_back(static_cast<Slot>(feeds.slots.size()));
  feeds.extents = with_past(feeds, slots);
  const auto is_state = [](const Node& node) { return node.source == Node::Source::state; };
  for (const Node& node : graph.nodes()) {
    if (!is_state(node)) continue;
    const Tensor past = slots.by_heads(feeds.slots, node.name, 1);
    const Tensor padded = past.reshaped({past.dim(0), past.dim(2), past.dim(3)});
    feeds.tensors[node.name] = lowering::unpad(padded, node.type.shape, feeds.extents);
  }
  Outputs outputs = interpret(graph, weights, feeds, rounding);
  for (const Node& node : graph.nodes()) {
    if (is_state(node))
      slots.append(feeds.slots, counts, node.name, outputs.at(rows_added_to(node.name)).to(DType::f32));
  }
  slots.grow(feeds.slots, counts);
  return outputs;
}

}  // namespace

Outputs interpret_case(const OperationCase& test, const Weights& weights, Rounding rounding) {
  if (!test.graph.keeps_state()) return interpret(test.graph, weights, test.feeds, rounding);
  lowering::HostSlots slots(test.graph);
  for (std::size_t i = 0; i < test.feeds.extents.lengths("tokens").size(); ++i) slots.open();
  for (const Feeds& earlier : test.earlier) interpret_run(test.graph, weights, earlier, slots, rounding);
  return interpret_run(test.graph, weights, test.feeds, slots, rounding);
}

std::vector<OperationCase> read_operation_cases(const std::filesystem::path& file) {
  std::ifstream lines(file);
  if (!lines) throw std::runtime_error("cannot read " + file.string());
  std::vector<OperationCase> cases;
  CaseText text;
  std::uint64_t number = 0, began = 0;
  const auto finish = [&] {
    if (!text.operation.empty()) cases.push_back(build(text, began));
    text = {};
  };
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    try {
      if (!line.starts_with("operation ")) {
        parse_line(line, text);
        continue;
      }
      finish();
      began = number;
      text.title = line.substr(10) + " (" + file.filename().string() + ":" + std::to_string(number) + ")";
      std::istringstream words(line.substr(10));
      words >> text.operation;
      for (std::string word; words >> word;) {
        text.settings[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
      }
    } catch (const std::exception& error) {
      throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  finish();
  return cases;
}

}  // namespace accelerate::test
