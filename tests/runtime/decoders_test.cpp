// Decoders of text by the public interface: hidden states and logits of whole sequences on every device that is here.
#include <gtest/gtest.h>

#include <algorithm>

#include "accelerate/accelerate.hpp"
#include "backends/backend.hpp"
#include "models/architecture.hpp"
#include "models/golden.hpp"

namespace accelerate {
namespace {

struct Where {
  std::string model, device;
};
void PrintTo(const Where& where, std::ostream* out) { *out << where.model << " on " << where.device; }

std::vector<Where> everywhere() {
  std::vector<Where> all;
  for (const auto& backend : backends()) {
    if (backend->devices().empty()) continue;
    for (const std::string& model : golden_names(decoders_folder()))
      all.push_back({model, std::string(backend->name())});
  }
  return all;
}

class Decoders : public testing::TestWithParam<Where> {
 protected:
  const std::filesystem::path folder_ = decoders_folder() / GetParam().model;
};

void expect_near(const Tensor& found, const Tensor& expected, const Tensor& mask, const std::string& name) {
  ASSERT_EQ(found.dims(), expected.dims()) << name;
  const auto width = static_cast<std::size_t>(found.elements() / mask.elements());
  for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i) {
    if (mask.as<std::int64_t>()[i / width] == 0) continue;  // outputs at padding mean nothing
    const float want = expected.as<float>()[i];
    ASSERT_NEAR(found.as<float>()[i], want, 3e-4F + 3e-4F * std::abs(want)) << name << ", number " << i;
  }
}

// All cases of the folder.
void expect_goldens(const Model& model, const std::filesystem::path& folder) {
  std::size_t compared = 0;
  for (const GoldenCase& one : golden_cases(folder)) {
    SCOPED_TRACE(one.name);
    RunOptions options;
    for (const auto& [name, expected] : one.outputs) {
      if (name == "logits" || name.starts_with("hidden_states.")) options.outputs.push_back(name);
    }
    if (options.outputs.empty()) continue;
    const NamedTensors inputs(one.inputs.begin(), one.inputs.end());
    const NamedTensors outputs = model.run(inputs, options);
    for (const std::string& name : options.outputs) {
      expect_near(outputs.at(name), one.outputs.at(name), one.inputs.at("attention_mask"), name);
      ++compared;
    }
  }
  EXPECT_GT(compared, 3U);
}

TEST_P(Decoders, GiveTheHiddenStatesAndLogitsOfTransformers) {
  expect_goldens(Model::open(folder_, {.device = GetParam().device}), folder_);
}

INSTANTIATE_TEST_SUITE_P(Models, Decoders, testing::ValuesIn(everywhere()),
                         [](const auto& where) { return where.param.model + "_" + where.param.device; });

// The folders are of bf16 and f16 numbers, so that files of those have the same ones: llama's rows of heads in another
// order, phi3's parts of matrices and two lists of factors of its angles, mixtral's experts one behind the other.
TEST(DecoderModels, AGgufFileOfTheSameNumbersGivesTheSame) {
  const auto files = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "gguf";
  for (const auto& [file, folder] :
       {std::pair{"llama_bf16.gguf", "llama"}, std::pair{"phi3.gguf", "phi3"}, std::pair{"mixtral.gguf", "mixtral"}}) {
    for (const auto& backend : backends()) {
      if (backend->devices().empty()) continue;
      SCOPED_TRACE(std::string(file) + " on " + std::string(backend->name()));
      expect_goldens(Model::open(files / file, {.device = std::string(backend->name())}), decoders_folder() / folder);
    }
  }
}

// A little more or less in a router's scores is another expert.
TEST(DecoderModels, WhatChoosesExpertsKeepsItsPrecision) {
  const ModelDefinition model = open_model(decoders_folder() / "mixtral");
  const Graph& graph = model.program.graph("encode");
  std::size_t asked = 0;
  for (const auto& backend : backends()) {
    const std::vector<std::string> lowered = backend->lowered(graph, {});
    if (lowered.empty()) continue;
    const auto has = [&](const char* path) { return std::ranges::find(lowered, path) != lowered.end(); };
    EXPECT_TRUE(has("layers.1.self_attn.o_proj")) << backend->name();
    EXPECT_FALSE(has("layers.1.block_sparse_moe.gate")) << backend->name();
    const bool experts = has("layers.1.block_sparse_moe.experts");
    EXPECT_EQ(experts, backend->name() == "cpu") << backend->name();
    ++asked;
  }
  EXPECT_GE(asked, 1U);
}

// Their vectors are the mean over the tokens, as of any encoder.
TEST(DecoderModels, Embed) {
  const Model model = Model::open(decoders_folder() / "qwen2");
  EXPECT_EQ(model.info().family, "text-generation");
  const std::vector<std::string> texts{"God is light.", "And God said, Let there be light."};
  const Embeddings found = model.embed(texts);
  EXPECT_EQ(found.vectors.dims(), (Dims{2, model.info().hidden_size}));
}

}  // namespace
}  // namespace accelerate
