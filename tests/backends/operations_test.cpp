// Every operation case on every backend and every vector level of this machine, against the f64 interpreter; and the
// table of that in docs/parity.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "backends/backend.hpp"
#include "backends/cpu/kernels.hpp"
#include "backends/cpu/step.hpp"
#include "backends/expected_results.hpp"
#include "backends/onnx_on_processor.hpp"
#include "backends/runtime_libraries.hpp"

namespace accelerate {
namespace {

using test::expected_results;
using test::ExpectedResult;

void expect_agreement(const std::string& backend) {
  ASSERT_GT(expected_results().size(), 30U);
  for (const Precision precision : backend_named(backend).precisions({})) {
    for (const ExpectedResult& expected : expected_results()) {
      EXPECT_EQ(test::disagreement_of_backend(expected, backend, precision), "")
          << expected.test.title << " in " << name_of(precision);
    }
  }
}

class EveryLevel : public testing::TestWithParam<cpu::Level> {
 protected:
  void SetUp() override { setenv("ACCELERATE_CPU_LEVEL", std::string(cpu::name_of(GetParam())).c_str(), 1); }
  void TearDown() override { unsetenv("ACCELERATE_CPU_LEVEL"); }
};

TEST_P(EveryLevel, AgreesWithTheInterpreter) {
  ASSERT_EQ(cpu::current_level(), GetParam());
  expect_agreement("cpu");
}

INSTANTIATE_TEST_SUITE_P(Cpu, EveryLevel, testing::ValuesIn(cpu::supported_levels()),
                         [](const auto& level) { return std::string(cpu::name_of(level.param)); });

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const auto& backend : backends()) names.emplace_back(backend->name());
  return names;
}

// Every backend of this build: one joins by being listed.
class EveryBackend : public testing::TestWithParam<std::string> {};

TEST_P(EveryBackend, AgreesWithTheInterpreter) {
  if (const std::string why = test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
  expect_agreement(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Backends, EveryBackend, testing::ValuesIn(backend_names()),
                         [](const auto& backend) { return backend.param; });

void expect_agreement_of(const test::OnnxOnProcessor& lowered, Precision precision) {
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const RegisteredBackend registered(std::make_unique<test::OnnxOnProcessor>(lowered));
  for (const ExpectedResult& expected : expected_results()) {
    EXPECT_EQ(test::disagreement_of_backend(expected, std::string(lowered.name()), precision), "")
        << expected.test.title;
  }
}

TEST(OnnxRuntimeInHalves, AgreesWithTheInterpreter) {
  expect_agreement_of(test::OnnxOnProcessor::in_halves(), Precision::f16);
}

TEST(OnnxRuntimesOwnOperators, AgreeWithTheInterpreter) {
  expect_agreement_of(test::OnnxOnProcessor::with_own_operators(), Precision::f32);
}

TEST(OnnxRuntimesOwnOperators, AgreeWithTheInterpreterInHalves) {
  expect_agreement_of(test::OnnxOnProcessor::with_own_operators(), Precision::f16);
}

TEST(OperationCases, CoverEveryKernel) {
  std::set<std::string> covered;
  for (const ExpectedResult& expected : expected_results()) covered.insert(expected.operation());
  for (const char* operation :
       {"embedding", "linear", "gated_linear", "layer_norm", "rms_norm", "attention", "pool", "select_rows",
        "normalize", "rotary_factor", "scale", "activate", "add", "multiply", "concat", "slice"}) {
    EXPECT_TRUE(cpu::has_kernel(operation)) << operation;
    EXPECT_TRUE(covered.contains(operation)) << operation << " has no case";
  }
}

// Lower precisions that a backend has on every machine: what OpenVINO has depends on the processor.
struct Column {
  std::string backend;
  Precision precision = Precision::f32;
  std::string name() const {
    return backend + (precision == Precision::f32 ? "" : " " + std::string(name_of(precision)));
  }
};

std::vector<Column> parity_columns() {
  std::vector<Column> columns;
  for (const std::string& backend : backend_names()) {
    columns.push_back({backend});
    if (backend == "cpu") columns.push_back({backend, Precision::bf16});
    if (backend == "cpu" || backend == "onnx") columns.push_back({backend, Precision::int8});
  }
  return columns;
}

// What docs/parity.md must hold on this build.
std::string parity_table() {
  std::map<std::string, std::vector<const ExpectedResult*>> cases;
  for (const ExpectedResult& expected : expected_results()) cases[expected.operation()].push_back(&expected);
  std::string text =
      "# Operations and backends\n\n"
      "Each operation's cases in f32 and in lower precisions on each backend's first device, against the interpreter "
      "in f64 ([testing](testing.md) says how the bound follows from the case). OpenVINO's lower precisions depend on "
      "the processor: tests run those that it lists. Written by `tools/parity.sh`; a test fails when it is not what "
      "the tests find.\n\n| operation | cases |";
  std::string rule = "| --- | ---: |";
  for (const Column& column : parity_columns()) {
    text += " " + column.name() + " |";
    rule += " --- |";
  }
  text += "\n" + rule + "\n";
  for (const auto& [operation, expected] : cases) {
    text += "| `" + operation + "` | " + std::to_string(expected.size()) + " |";
    for (const Column& column : parity_columns()) {
      std::size_t passed = 0;
      for (const ExpectedResult* each : expected) {
        passed += test::disagreement_of_backend(*each, column.backend, column.precision).empty() ? 1 : 0;
      }
      text += passed == expected.size() ? " passed |" : " " + std::to_string(passed) + " passed |";
    }
    text += "\n";
  }
  return text;
}

TEST(Parity, IsWhatTheDocumentationSays) {
  for (const std::string& backend : backend_names()) {
    if (const std::string why = test::missing_library(backend); !why.empty()) GTEST_SKIP() << why;
  }
  const std::string path = ACCELERATE_TESTS_DIR "/../docs/parity.md", found = parity_table();
  if (std::getenv("ACCELERATE_WRITE_PARITY") != nullptr) std::ofstream(path) << found;
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), found) << "made anew by: tools/parity.sh";
}

}  // namespace
}  // namespace accelerate
