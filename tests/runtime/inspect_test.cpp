// Before loading: what is predicted is what the library's allocators then count.
#include <gtest/gtest.h>

#include "backends/fake_backend.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

// One folder of each architecture and task.
class Memory : public testing::TestWithParam<const char*> {};

// What runs of `tokens` tokens of word 5 allocate at most, the plan included, without the caller's own tensors.
std::int64_t measured(const Model& model, const std::string& output, std::int64_t batch, std::int64_t tokens,
                      int runs = 1) {
  const std::vector<std::int64_t> ids(static_cast<std::size_t>(batch * tokens), 5);
  const NamedTensors inputs{{"input_ids", Tensor::of({batch, tokens}, ids)}};
  const std::int64_t before = memory_use().allocated;
  reset_peak_memory();
  NamedTensors outputs;
  for (int run = 0; run < runs; ++run) {
    outputs.clear();
    outputs = model.run(inputs, {.outputs = {output}});
  }
  const auto own = static_cast<std::int64_t>(outputs.at(output).bytes().size());
  return memory_use().allocated_peak - before - own;
}

// The issue asks for 5 % or 8 MB. These models are far smaller than 8 MB: what is known of shapes alone must be exact
// but for the tables that a run makes (rotary angles, position buckets).
void expect_predicted(const std::filesystem::path& folder, const std::string& task, const std::string& output,
                      const std::string& precision = "f32") {
  for (const auto& [batch, tokens] : {std::pair<std::int64_t, std::int64_t>{1, 16}, {8, 24}}) {
    const Inspection inspection =
        inspect(folder, {.batches = {batch}, .tokens = {tokens}, .precisions = {precision}, .task = task});
    ASSERT_EQ(inspection.memory.size(), 1U);
    const MemoryPrediction& predicted = inspection.memory.front();
    EXPECT_EQ(predicted.precision, precision);
    const std::int64_t found = measured(Model::open(folder, {.precision = precision}), output, batch, tokens);
    EXPECT_LE(std::abs(found - predicted.total), 4096 + predicted.total / 100)
        << precision << ": predicted " << predicted.total << ", counted " << found;
    EXPECT_GT(predicted.flops, 0);
    EXPECT_EQ(predicted.total, predicted.weights + predicted.activations + predicted.workspace);
  }
}

TEST_P(Memory, OfEmbedding) { expect_predicted(model_folder(GetParam()), "embed", "sentence_embedding"); }

TEST_P(Memory, InBf16) { expect_predicted(model_folder(GetParam()), "embed", "sentence_embedding", "bf16"); }
TEST_P(Memory, InInt8) { expect_predicted(model_folder(GetParam()), "embed", "sentence_embedding", "int8"); }

// Parts hold their activations side by side, from the second run on at all times, and hand values over.
TEST(MemoryOfASplitGraph, IsPredicted) {
  const RegisteredFake fake({}, {"attention"});
  const std::filesystem::path folder = model_folder("bert");
  const Inspection seen =
      inspect(folder, {.batches = {8}, .tokens = {24}, .device = "fake", .split = true, .task = "embed"});
  ASSERT_EQ(seen.memory.size(), 1U);
  EXPECT_EQ(seen.memory[0].device, "fake:0");
  const Model model = Model::open(folder, {.device = "fake", .split = true});
  const std::int64_t found = measured(model, "sentence_embedding", 8, 24, 2);
  EXPECT_LE(std::abs(found - seen.memory[0].total), 4096 + seen.memory[0].total / 100)
      << "predicted " << seen.memory[0].total << ", counted " << found;
}

TEST(MemoryOfHeads, IsPredicted) {
  expect_predicted(model_folder("bert_sequence_classification"), "text-classification", "logits");
  expect_predicted(model_folder("bert_token_classification"), "token-classification", "logits");
}

INSTANTIATE_TEST_SUITE_P(Folders, Memory,
                         testing::Values("bert", "bert_masked_lm", "bert_bfloat16", "roberta", "distilbert",
                                         "xlm_roberta", "mpnet", "electra", "albert", "albert_groups", "modernbert",
                                         "nomic_bert", "sentence_transformer", "st_two_dense"),
                         [](const auto& folder) { return std::string(folder.param); });

TEST(Inspect, RowsByPrecisionBatchAndLength) {
  const Inspection seen = inspect(model_folder("bert"), {.batches = {1, 4}, .tokens = {8, 32}});
  ASSERT_EQ(seen.memory.size(), 4U);
  EXPECT_EQ(seen.memory[1].batch, 1);
  EXPECT_EQ(seen.memory[1].tokens, 32);
  EXPECT_EQ(seen.memory[2].batch, 4);
  EXPECT_EQ(seen.memory[0].weights, seen.memory[3].weights);
  EXPECT_LT(seen.memory[0].activations, seen.memory[3].activations);
  EXPECT_LT(seen.memory[0].flops, seen.memory[1].flops);
  EXPECT_TRUE(seen.missing.empty());
}

TEST(Inspect, AllocatesNoWeights) {
  reset_peak_memory();
  const std::int64_t before = memory_use().allocated;
  inspect(model_folder("bert"));
  EXPECT_LT(memory_use().allocated_peak - before, 1 << 20);
}

TEST(Inspect, DefaultLengthsEndAtTheLongest) {
  const Inspection seen = inspect(model_folder("st_prompts"));
  ASSERT_EQ(seen.memory.size(), 1U);
  EXPECT_EQ(seen.memory[0].tokens, 40);
}

TEST(Inspect, SizesThatCannotBe) {
  EXPECT_THROW(inspect(model_folder("bert"), {.batches = {0}}), Error);
  EXPECT_THROW(inspect(model_folder("bert"), {.batches = {1 << 30}}), Error);
  EXPECT_THROW(inspect(model_folder("bert"), {.tokens = {100000}}), Error);
  EXPECT_THROW(inspect(model_folder("bert"), {.precisions = {"f12"}}), Error);
  EXPECT_THROW(inspect(model_folder("bert"), {.task = "fill-mask"}), Error);
}

TEST(Inspect, GraphAsTextAndAsGraphviz) {
  const std::string text = describe_graph(model_folder("bert"));
  EXPECT_NE(text.find("attention"), std::string::npos);
  EXPECT_TRUE(describe_graph(model_folder("bert"), GraphFormat::graphviz).starts_with("digraph"));
  EXPECT_LT(describe_graph(model_folder("bert"), GraphFormat::text, {"hidden_states.0"}).size(), text.size());
}

}  // namespace
}  // namespace accelerate
