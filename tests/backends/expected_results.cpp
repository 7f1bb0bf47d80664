#include "backends/expected_results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "backends/backend.hpp"
#include "graph/interpreter.hpp"

namespace accelerate::test {
namespace {

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// Four times what plain evaluation loses (a kernel may sum in another order), and a few roundings of the largest value
// for the cases where plain evaluation happens to be exact.
double tolerance(std::span<const double> exact, std::span<const double> plain, double epsilon) {
  double loss = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) loss = std::max(loss, std::abs(exact[i] - plain[i]));
  return 4 * loss + 4 * epsilon * largest(exact);
}

Tensor rounded(const Tensor& values, DType dtype) { return values.to(dtype).to(DType::f32); }

// Rows with as many steps on either side of zero as their largest number has.
Tensor in_steps(const Tensor& values, float most) {
  Tensor stepped = Tensor::of(values.dims(), values.as<float>());
  const auto width = static_cast<std::size_t>(values.dims().back());
  const std::span<float> all = stepped.as<float>();
  for (std::size_t begin = 0; begin < all.size(); begin += width) {
    const std::span<float> row = all.subspan(begin, width);
    float step = 0;
    for (const float value : row) step = std::max(step, std::abs(value) / most);
    for (float& value : row) value = step > 0 ? std::round(value / step) * step : 0;
  }
  return stepped;
}

// The coarsest that docs/precision.md allows of an operand of a product: inputs in 7 bits, one scale for all of a row.
Tensor in_8_bits(const Tensor& values, bool is_input) { return in_steps(values, is_input ? 63 : 127); }

// What the operands lose in a lower precision. What int8 does not quantize may be bf16.
Tensor rounded_operand(const ExpectedResult& expected, std::size_t index, const Tensor& values, Precision precision) {
  const bool product = expected.operation().ends_with("linear");
  const bool is_factor = product && (index < 2 || (index == 2 && expected.operation() == "gated_linear"));
  if (precision == Precision::int8 && is_factor) return in_8_bits(values, index == 0);
  return rounded(values, precision == Precision::f16 ? DType::f16 : DType::bf16);
}

Tensor with_rounded_operands(const ExpectedResult& expected, Precision precision) {
  OperationCase test = expected.test;
  Weights weights;
  const std::vector<Value>& operands = test.graph.node(test.graph.outputs()[0].value).operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i]) continue;
    const Node& node = test.graph.node(operands[i]);
    const auto lowered = [&](const Tensor& values) {
      return node.type.element == Element::real ? rounded_operand(expected, i, values, precision) : values;
    };
    if (node.source == Node::Source::weight) weights.add(node.name, lowered(test.weights->at(node.name).to_f32()));
    if (node.source != Node::Source::input) continue;
    const auto lower = [&](Feeds& feeds) { feeds.tensors[node.name] = lowered(feeds.tensors.at(node.name)); };
    lower(test.feeds);
    std::ranges::for_each(test.earlier, lower);
  }
  return interpret_case(test, weights).at("y");
}

// The unit in the last place of 1.
double epsilon_of(Precision precision) { return std::ldexp(1.0, precision == Precision::f16 ? -10 : -7); }

ExpectedResult evaluated(OperationCase test) {
  const Tensor exact = interpret_case(test, *test.weights).at("y");
  const Tensor plain = interpret_case(test, *test.weights, Rounding::f32).at("y");
  ExpectedResult result{std::move(test), exact, {}};
  constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
  result.bounds[Precision::f32] = tolerance(exact.as<double>(), plain.as<double>(), kEpsilon);
  for (const Precision precision : {Precision::bf16, Precision::f16, Precision::int8}) {
    const Tensor lower = with_rounded_operands(result, precision);
    result.bounds[precision] = tolerance(exact.as<double>(), lower.as<double>(), epsilon_of(precision));
  }
  return result;
}

// What a run must leave as it was: feeds share their memory with whoever made them.
std::map<std::string, std::vector<std::byte>> bytes_of(const Feeds& feeds) {
  std::map<std::string, std::vector<std::byte>> bytes;
  for (const auto& [name, tensor] : feeds.tensors) bytes[name] = {tensor.bytes().begin(), tensor.bytes().end()};
  return bytes;
}

}  // namespace

std::string ExpectedResult::operation() const {
  return std::string(test.graph.node(test.graph.outputs()[0].value).operation->name());
}

const std::vector<ExpectedResult>& expected_results() {
  static const std::vector<ExpectedResult> all = [] {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(ACCELERATE_TESTS_DIR "/operations")) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<ExpectedResult> results;
    for (const auto& file : files) {
      for (OperationCase& test : read_operation_cases(file)) results.push_back(evaluated(std::move(test)));
    }
    return results;
  }();
  return all;
}

std::string disagreement(const ExpectedResult& expected, const Tensor& got, Precision precision) {
  if (got.dims() != expected.exact.dims()) {
    return "has shape " + to_string(got.dims()) + ", expected " + to_string(expected.exact.dims());
  }
  const auto values = got.as<float>();
  const auto exact = expected.exact.as<double>();
  double worst = -1;
  std::size_t place = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = std::abs(static_cast<double>(values[i]) - exact[i]);
    if (!(error <= worst)) {
      worst = error;
      place = i;
    }
  }
  const double bound = expected.bounds.at(precision);
  if (worst <= bound) return "";
  return "element " + std::to_string(place) + " is " + std::to_string(values[place]) + ", expected " +
         std::to_string(exact[place]) + " to " + std::to_string(bound);
}

std::string disagreement_of_backend(const ExpectedResult& expected, const std::string& backend, Precision precision) {
  try {
    const auto plan = backend_named(backend).compile(expected.test.graph, expected.test.weights,
                                                     {.precision = precision, .threads = 2});
    const auto session = plan->start();
    Feeds feeds = expected.test.feeds;
    if (StateSlots* slots = session->slots()) {
      for (std::size_t i = 0; i < feeds.extents.lengths("tokens").size(); ++i) feeds.slots.push_back(slots->open());
    }
    for (Feeds earlier : expected.test.earlier) {
      earlier.slots = feeds.slots;
      session->run(earlier);
    }
    const auto fed = bytes_of(feeds);
    const Tensor y = session->run(feeds).at("y");
    if (bytes_of(feeds) != fed) return "the run wrote to its inputs";
    return disagreement(expected, y, precision);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace accelerate::test
