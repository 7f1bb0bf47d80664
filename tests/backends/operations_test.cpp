// Every operation case on every backend and every vector level of this machine, against the f64 interpreter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "backends/backend.hpp"
#include "backends/cpu/kernels.hpp"
#include "backends/cpu/step.hpp"
#include "backends/operation_cases.hpp"
#include "graph/interpreter.hpp"

namespace accelerate {
namespace {

using test::OperationCase;

std::vector<OperationCase> all_cases() {
  std::vector<OperationCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator(ACCELERATE_TESTS_DIR "/operations")) {
    auto more = test::read_operation_cases(entry.path());
    std::move(more.begin(), more.end(), std::back_inserter(cases));
  }
  return cases;
}

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

void expect_close(const OperationCase& test, const Tensor& got, const Tensor& exact, double bound) {
  ASSERT_EQ(got.dims(), exact.dims());
  const auto values = got.as<float>();
  const auto expected = exact.as<double>();
  double worst = -1;
  std::size_t place = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = std::abs(static_cast<double>(values[i]) - expected[i]);
    if (!(error <= worst)) {
      worst = error;
      place = i;
    }
  }
  EXPECT_LE(worst, bound) << test.title << ": element " << place << " is " << values[place] << ", expected "
                          << expected[place];
}

class EveryLevel : public testing::TestWithParam<cpu::Level> {
 protected:
  void SetUp() override { setenv("ACCELERATE_CPU_LEVEL", std::string(cpu::name_of(GetParam())).c_str(), 1); }
  void TearDown() override { unsetenv("ACCELERATE_CPU_LEVEL"); }
};

TEST_P(EveryLevel, AgreesWithTheInterpreter) {
  ASSERT_EQ(cpu::current_level(), GetParam());
  const std::vector<OperationCase> cases = all_cases();
  ASSERT_GT(cases.size(), 30U);
  for (const OperationCase& test : cases) {
    const Outputs exact = interpret(test.graph, *test.weights, test.feeds);
    const Outputs plain = interpret(test.graph, *test.weights, test.feeds, Rounding::f32);
    const auto plan = backend_named("cpu").compile(test.graph, test.weights, {});
    const Outputs got = plan->start()->run(test.feeds);
    const Tensor& reference = exact.at("y");
    expect_close(test, got.at("y"), reference, tolerance(reference.as<double>(), plain.at("y").as<double>()));
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, EveryLevel, testing::ValuesIn(cpu::supported_levels()),
                         [](const auto& level) { return std::string(cpu::name_of(level.param)); });

TEST(OperationCases, CoverEveryKernel) {
  std::set<std::string> covered;
  for (const OperationCase& test : all_cases()) {
    for (const Node& node : test.graph.nodes()) {
      if (node.operation != nullptr) covered.insert(std::string(node.operation->name()));
    }
  }
  for (const char* operation : {"embedding", "linear", "gated_linear", "layer_norm", "rms_norm", "attention", "pool",
                                "select_rows", "normalize", "activate", "add", "multiply", "concat", "slice"}) {
    EXPECT_TRUE(cpu::has_kernel(operation)) << operation;
    EXPECT_TRUE(covered.contains(operation)) << operation << " has no case";
  }
}

}  // namespace
}  // namespace accelerate
