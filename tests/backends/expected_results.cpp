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

// Four times what plain f32 evaluation loses (a kernel may sum in another order), and a few roundings of the largest
// value for the cases where plain evaluation happens to be exact.
double tolerance(std::span<const double> exact, std::span<const double> plain) {
  double loss = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) loss = std::max(loss, std::abs(exact[i] - plain[i]));
  return 4 * loss + 4 * std::numeric_limits<float>::epsilon() * largest(exact);
}

ExpectedResult evaluated(OperationCase test) {
  const Tensor exact = interpret(test.graph, *test.weights, test.feeds).at("y");
  const Tensor plain = interpret(test.graph, *test.weights, test.feeds, Rounding::f32).at("y");
  const double bound = tolerance(exact.as<double>(), plain.as<double>());
  return {std::move(test), exact, bound};
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

std::string disagreement(const ExpectedResult& expected, const Tensor& got) {
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
  if (worst <= expected.bound) return "";
  return "element " + std::to_string(place) + " is " + std::to_string(values[place]) + ", expected " +
         std::to_string(exact[place]) + " to " + std::to_string(expected.bound);
}

std::string disagreement_of_backend(const ExpectedResult& expected, const std::string& backend) {
  try {
    const auto plan = backend_named(backend).compile(expected.test.graph, expected.test.weights, {.threads = 2});
    const auto fed = bytes_of(expected.test.feeds);
    const Tensor y = plan->start()->run(expected.test.feeds).at("y");
    if (bytes_of(expected.test.feeds) != fed) return "the run wrote to its inputs";
    return disagreement(expected, y);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace accelerate::test
