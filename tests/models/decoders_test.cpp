// What configs of decoders may say in more than one way, and what they may leave out.
#include <gtest/gtest.h>

#include "models/architecture.hpp"
#include "models/damaged.hpp"
#include "models/golden.hpp"

namespace accelerate {
namespace {

GoldenCopy copy_of(const std::string& decoder) { return GoldenCopy(decoder, decoders_folder()); }

std::string text_of(const GoldenCopy& copy) { return to_text(open_model(copy.path()).program.graph("encode")); }

Error error_of_opening(const GoldenCopy& copy) {
  return error_of([&] { open_model(copy.path()); });
}

Json json(const std::string& text) { return Json::parse(text, "test"); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Older files say how many layers see everything, newer ones name each layer's kind.
TEST(DecoderConfigs, KindsOfLayersMayBeListed) {
  for (const char* decoder : {"qwen3", "gemma2", "gemma3_text"}) {
    SCOPED_TRACE(decoder);
    const std::string usual = text_of(copy_of(decoder));
    GoldenCopy listed = copy_of(decoder);
    const bool later = std::string(decoder) == "qwen3";
    listed.set("layer_types", later ? json(R"(["full_attention", "full_attention", "sliding_attention"])")
                              : std::string(decoder) == "gemma2"
                                  ? json(R"(["sliding_attention", "full_attention", "sliding_attention"])")
                                  : json(R"(["sliding_attention", "sliding_attention", "full_attention"])"));
    EXPECT_EQ(text_of(listed), usual);
    listed.set("layer_types", json(R"(["full_attention", "full_attention", "full_attention"])"));
    EXPECT_GE(count(usual, "window=7"), 1U);
    EXPECT_EQ(count(text_of(listed), "window="), 0U);
  }
}

TEST(DecoderConfigs, KindsOfLayersMustBeKnownAndEnough) {
  GoldenCopy copy = copy_of("qwen3");
  copy.set("layer_types", json(R"(["full_attention", "linear_attention", "full_attention"])"));
  const Error unknown = error_of_opening(copy);
  EXPECT_EQ(unknown.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(unknown.what(), "layer_types: has \"linear_attention\"")) << unknown.what();
  copy.set("layer_types", json(R"(["full_attention"])"));
  const Error few = error_of_opening(copy);
  EXPECT_EQ(few.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(few.what(), "has 1 entries, expected one for each of 3 layers")) << few.what();
}

TEST(DecoderConfigs, Gemma3sAnglesMayBeNamedByTheKindOfTheirLayers) {
  const std::string older = text_of(copy_of("gemma3_text"));
  GoldenCopy newer = copy_of("gemma3_text");
  newer.set("rope_theta", Json()).set("rope_local_base_freq", Json()).set("rope_scaling", Json());
  EXPECT_GE(count(older, "rotary linear"), 1U);
  EXPECT_EQ(count(text_of(newer), "rotary linear"), 0U);
  newer.set("rope_parameters", json(R"({"full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8},
                                        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}})"));
  EXPECT_EQ(text_of(newer), older);
  newer.set("rope_parameters", json(R"({"full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8},
                                        "sliding_attention": {"rope_type": "default", "rope_theta": 2e4}})"));
  EXPECT_NE(text_of(newer), older);
}

// Caps that are absent are the published ones, null ones are none.
TEST(DecoderConfigs, CapsMayBeLeftOutOrAbsent) {
  GoldenCopy copy = copy_of("gemma2");
  EXPECT_EQ(count(text_of(copy), "softcap=5 "), 3U);
  copy.set("attn_logit_softcapping", Json()).set("final_logit_softcapping", Json());
  EXPECT_EQ(count(text_of(copy), "softcap"), 0U);
  Json config = read_json(copy.path() / "config.json");
  Json without = Json::object();
  for (const auto& [key, value] : config.members()) {
    if (!key.ends_with("softcapping")) without.set(key, value);
  }
  copy.edit("config.json", [&](Json& json) { json = without; });
  EXPECT_EQ(count(text_of(copy), "softcap=5e+01 "), 3U);
  EXPECT_EQ(count(text_of(copy), "cap=3e+01 "), 1U);
}

TEST(DecoderConfigs, WhatIsNotBuiltIsRefused) {
  GoldenCopy copy = copy_of("gemma3_text");
  copy.set("use_bidirectional_attention", true);
  const Error error = error_of_opening(copy);
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.what(), "use_bidirectional_attention")) << error.what();
}

TEST(DecoderConfigs, GptNeoxsAnglesHaveNamesOfTheirOwn) {
  const std::string older = text_of(copy_of("gpt_neox"));
  GoldenCopy newer = copy_of("gpt_neox");
  newer.set("rotary_pct", Json()).set("rotary_emb_base", Json());
  EXPECT_NE(text_of(newer), older) << "a quarter of each head, by the base 10000";
  newer.set("rope_parameters", json(R"({"rope_type": "default", "rope_theta": 5000, "partial_rotary_factor": 0.5})"));
  EXPECT_EQ(text_of(newer), older);
}

TEST(DecoderConfigs, Phi3MaySeeEverythingAndCallItsScalingByOlderNames) {
  GoldenCopy copy = copy_of("phi3");
  const std::string usual = text_of(copy);
  for (const char* name : {"su", "yarn"}) {
    copy.edit("config.json", [&](Json& json) {
      Json scaling = *json.find("rope_scaling");
      json.set("rope_scaling", scaling.set("type", name));
    });
    EXPECT_EQ(text_of(copy), usual) << name;
  }
  EXPECT_EQ(count(usual, "window=7"), 2U);
  copy.set("sliding_window", Json());
  EXPECT_EQ(count(text_of(copy), "window="), 0U);
}

TEST(DecoderConfigs, HeadsThatDoNotDivideAreAnError) {
  GoldenCopy copy = copy_of("qwen3");
  copy.set("head_dim", 24);
  const Error error = error_of_opening(copy);
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error.what(), "64 wide, expected a multiple of the head size 24")) << error.what();
}

TEST(DecoderConfigs, EveryExpertMustBeThereAndOfOneShape) {
  GoldenCopy copy = copy_of("mixtral");
  copy.set("num_local_experts", 5);
  const Error scores = error_of_opening(copy);
  EXPECT_TRUE(contains(scores.what(), "block_sparse_moe.gate.weight")) << scores.what();
  copy.set("num_local_experts", 4).remove("layers.1.block_sparse_moe.experts.2.w3");
  const Error missing = error_of_opening(copy);
  EXPECT_EQ(missing.kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(missing.what(), "layers.1.block_sparse_moe.experts.2.w3.weight")) << missing.what();
  GoldenCopy narrow = copy_of("mixtral");
  narrow.tensors([](GoldenCopy::Tensors& tensors) {
    for (auto& [name, tensor] : tensors) {
      if (name.ends_with("layers.0.block_sparse_moe.experts.1.w2.weight")) tensor = Tensor(DType::f16, {32, 12});
    }
  });
  const Error shape = error_of_opening(narrow);
  EXPECT_EQ(shape.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(shape.what(), "[32, 12], expected [32, 24]")) << shape.what();
}

}  // namespace
}  // namespace accelerate
