// Models whose device lacks an operation: refused by its name, or right all the same where they are split.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "backends/fake_backend.hpp"
#include "backends/interpreter_backend.hpp"
#include "backends/split_backend.hpp"
#include "models/architecture.hpp"
#include "verify/verify.hpp"

namespace accelerate::verify {
namespace {

const std::filesystem::path kGoldens = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "models";

std::vector<std::string> goldens() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldens)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// Every operation that one of the model's graphs has.
std::set<std::string> operations_of(const std::filesystem::path& folder, const char* graph = "encode") {
  std::set<std::string> names;
  const ModelDefinition model = open_model(folder);
  for (const Node& node : model.program.graph(graph).nodes()) {
    if (node.source == Node::Source::operation) names.emplace(node.operation->name());
  }
  return names;
}

std::string failures(const Report& report) {
  std::string text;
  for (const CaseReport& one : report.cases) {
    for (const Check& check : one.checks) {
      if (check.state != State::passed) text += one.name + ", " + check.what + ": " + check.reason + "\n";
    }
  }
  return text;
}

// Of a golden on a backend, with each of the model's operations disabled in turn.
void expect_passed_without_each(const std::string& backend, const std::filesystem::path& folder) {
  const std::set<std::string> operations = operations_of(folder);
  ASSERT_GE(operations.size(), 4U);
  for (const std::string& operation : operations) {
    const RegisteredBackend limited(std::make_unique<LimitedBackend>(borrowed(backend_named(backend)),
                                                                     std::set<std::string, std::less<>>{operation}));
    const Report report = verify(Model::open(folder, {.device = backend, .split = true}), folder / "golden");
    EXPECT_EQ(report.state(), State::passed) << backend << " without " << operation << "\n" << failures(report);
  }
}

// The fake, and what else is on this machine besides the cpu.
std::vector<std::string> other_backends() {
  std::vector<std::string> names;
  for (const auto& backend : backends()) {
    if (backend->name() != "cpu" && !backend->devices().empty()) names.emplace_back(backend->name());
  }
  return names;
}

class EveryGoldenSplit : public testing::TestWithParam<std::string> {};

TEST_P(EveryGoldenSplit, PassesWithEachOfItsOperationsDisabledInTurn) {
  const RegisteredFake fake;
  expect_passed_without_each("fake", kGoldens / GetParam());
  EXPECT_FALSE(fake->compiled.empty()) << "the device had something to do";
}

INSTANTIATE_TEST_SUITE_P(Models, EveryGoldenSplit, testing::ValuesIn(goldens()),
                         [](const auto& one) { return one.param; });

TEST(Split, OnEveryBackendThatIsHere) {
  const RegisteredFake fake;
  for (const std::string& backend : other_backends()) {
    expect_passed_without_each(backend, kGoldens / "bert");
  }
}

// Prompts of several lengths by beams, with what is kept in as many parts as there are.
std::vector<std::vector<std::int32_t>> generated(const Model& model) {
  const std::vector<Prompt> prompts{{.text = "In the beginning God created the heaven and the earth."},
                                    {.text = "Hello!"}};
  std::vector<std::vector<std::int32_t>> ids;
  for (const std::size_t beams : {1U, 2U}) {
    const Generations found =
        model.generate(prompts, {.max_new_tokens = 9, .do_sample = false, .num_beams = beams, .ignore_eos = true});
    for (const auto& texts : found.texts) ids.push_back(texts.at(0).ids);
  }
  return ids;
}

TEST(Split, GeneratesTheSameWithEachOperationDisabledInTurn) {
  const RegisteredFake fake;
  for (const char* name : {"decoders/gpt2", "decoders/gemma2", "decoders/mixtral", "text_to_text/t5"}) {
    const std::filesystem::path folder = kGoldens.parent_path() / name;
    const auto expected = generated(Model::open(folder));
    const std::set<std::string> operations = operations_of(folder, "decode");
    ASSERT_GE(operations.size(), 4U);
    for (const std::string& backend : other_backends()) {
      if (backend != "fake" && folder.filename() != "gpt2") continue;
      for (const std::string& operation : operations) {
        const RegisteredBackend limited(std::make_unique<LimitedBackend>(
            borrowed(backend_named(backend)), std::set<std::string, std::less<>>{operation}));
        const Model model = Model::open(folder, {.device = backend, .split = true});
        EXPECT_EQ(generated(model), expected) << name << " on " << backend << " without " << operation;
      }
    }
  }
}

// The example of docs/adding-a-backend.md, alone and in turn with the cpu.
TEST(AnotherBackend, ComputesWhatTransformersComputes) {
  for (const char* without : {"", "attention", "linear"}) {
    auto limited = std::make_unique<LimitedBackend>(std::make_shared<InterpreterBackend>(),
                                                    std::set<std::string, std::less<>>{without});
    const RegisteredBackend registered(std::move(limited));
    for (const char* golden : {"bert", "albert", "modernbert"}) {
      const Model model = Model::open(kGoldens / golden, {.device = "interpreter", .split = true});
      const Report report = verify(model, kGoldens / golden / "golden");
      EXPECT_EQ(report.state(), State::passed) << golden << " without " << without << "\n" << failures(report);
      EXPECT_EQ(report.cases.at(0).device, *without == '\0' ? "interpreter" : "interpreter+cpu");
    }
  }
}

TEST(Split, UnlessAskedForTheOperationIsNamed) {
  const RegisteredFake fake({}, {"attention"});
  const Report report = verify(Model::open(kGoldens / "bert", {.device = "fake"}), kGoldens / "bert" / "golden");
  EXPECT_EQ(report.state(), State::unsupported);
  for (const CaseReport& one : report.cases) EXPECT_EQ(one.device, "fake:0");
  EXPECT_TRUE(failures(report).find("device fake:0: lacks the operation attention (disabled)") != std::string::npos)
      << failures(report);
  EXPECT_TRUE(fake->compiled.empty());
}

TEST(Split, WhatIsLeftToTheCpuIsSaid) {
  const RegisteredFake fake({}, {"attention", "layer_norm"});
  const ModelInfo info = Model::open(kGoldens / "bert", {.device = "fake", .split = true}).info();
  EXPECT_EQ(info.split_operations, (std::vector<std::string>{"attention", "layer_norm"}));
  EXPECT_TRUE(Model::open(kGoldens / "bert", {.device = "cpu", .split = true}).info().split_operations.empty());
}

TEST(Split, EveryPrecisionRunsInParts) {
  const RegisteredFake fake({}, {"attention"});
  const Model split = Model::open(kGoldens / "bert", {.device = "fake", .split = true});
  const Model whole = Model::open(kGoldens / "bert", {.device = "cpu"});
  const std::vector<std::string> texts{"God is light.", "And the evening and the morning were the first day."};
  for (const char* precision : {"f32", "bf16", "int8"}) {
    const Tensor expected = whole.with_precision(precision).embed(texts).vectors;
    const Tensor found = split.with_precision(precision).embed(texts).vectors;
    for (std::size_t i = 0; i < static_cast<std::size_t>(expected.elements()); ++i) {
      EXPECT_NEAR(found.as<float>()[i], expected.as<float>()[i], 1e-5) << precision << " " << i;
    }
  }
}

// Each part tells its steps apart, and together they are every operation of the graph once.
TEST(Split, StepsAreThoseOfTheWholeGraph) {
  const ModelDefinition model = open_model(kGoldens / "bert");
  const std::vector<std::string> outputs{"last_hidden_state"};
  const Graph graph = model.program.graph("encode").restricted_to(outputs);
  const LimitedBackend limited(cpu::make_backend(), {"attention"});
  const SplitBackend split(borrowed(limited), cpu::make_backend());
  const std::unique_ptr<Plan> plan = split.compile(graph, model.weights, {});
  std::vector<std::size_t> nodes, expected;
  for (const PlanStep& step : plan->steps()) nodes.insert(nodes.end(), step.nodes.begin(), step.nodes.end());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph.nodes()[i].source == Node::Source::operation) expected.push_back(i);
  }
  std::ranges::sort(nodes);
  EXPECT_EQ(nodes, expected);

  Feeds feeds;
  StepTimes times;
  feeds.extents.set_ragged("tokens", {3});
  feeds.step_times = &times;
  for (const Node& node : graph.nodes()) {
    if (node.source == Node::Source::input) feeds.tensors[node.name] = Tensor(DType::i64, {3});
  }
  plan->start()->run(feeds);
  EXPECT_EQ(times.size(), plan->steps().size() + 1);
  EXPECT_TRUE(std::ranges::is_sorted(times));
}

// Layers that share their weights are packed once, however many parts they lie in.
TEST(Split, SharedWeightsCountOnce) {
  const ModelDefinition model = open_model(kGoldens / "albert");
  const std::vector<std::string> outputs{"last_hidden_state"};
  const Graph graph = model.program.graph("encode").restricted_to(outputs);
  Extents extents;
  extents.set_uniform("tokens", 2, 16);
  const auto whole = cpu::make_backend();
  const LimitedBackend limited(cpu::make_backend(), {"attention"});
  const SplitBackend split(borrowed(limited), cpu::make_backend());
  const MemoryEstimate in_parts = split.memory(graph, *model.weights, extents, {});
  EXPECT_EQ(in_parts.weights, whole->memory(graph, *model.weights, extents, {}).weights);
  EXPECT_GT(in_parts.activations, 0);
}

}  // namespace
}  // namespace accelerate::verify
