// GGUF fixtures, made by llama.cpp's package from the decoders' folders, opened as those folders.
#include "models/gguf_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <set>

#include "checkpoint/gguf_bytes.hpp"
#include "checkpoint/name_map.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "graph/weights.hpp"

namespace accelerate {
namespace {

std::filesystem::path folder_of(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "decoders" / name;
}
std::filesystem::path file_of(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "gguf" / (name + ".gguf");
}

// How far `type` may take a value from where it was, given the smallest and largest of its block of 32.
float rounding(const std::string& type, float value, float smallest, float largest) {
  const float magnitude = std::max(std::abs(smallest), std::abs(largest));
  constexpr float kScale = 0x1p-11F;  // scales and minima are f16
  if (type == "F32") return 0;
  if (type == "F16") return std::abs(value) * kScale + 0x1p-25F;
  if (type == "BF16") return std::abs(value) * 0x1p-8F;  // the package cuts numbers off
  if (type == "Q8_0") return magnitude * (0.5F / 127 + kScale);
  if (type == "Q4_0") return magnitude * (1.0F / 8 + kScale);  // the end opposite to the largest is cut by a step
  return (largest - smallest) * (0.5F / 15 + kScale) + magnitude * kScale;
}

void expect_near(const StoredTensor& found, const Tensor& expected) {
  ASSERT_EQ(found.dims, expected.dims()) << found.where();
  const Tensor values = found.tensor().to(DType::f32);
  const auto a = std::as_const(values).as<float>(), b = expected.as<float>();
  // A block is part of a row as it is stored: of a transposed tensor all of it is looked at.
  const auto whole = std::ranges::minmax(b);
  const bool rows = found.encoding.blocks != nullptr && !found.transposed;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto [smallest, largest] = rows ? std::ranges::minmax(b.subspan(i / 32 * 32, 32)) : whole;
    ASSERT_LE(std::abs(a[i] - b[i]), rounding(found.type, b[i], smallest, largest) + found.encoding.added * 0x1p-23F)
        << found.where() << " place " << i;
  }
}

// A llama of one tensor, to which a test adds what is wrong.
GgufBytes one_tensor() {
  return {.fields = {GgufBytes::text("general.architecture", "llama"), GgufBytes::number("llama.embedding_length", 32),
                     GgufBytes::number("llama.attention.head_count", 4), GgufBytes::number("llama.block_count", 1)},
          .tensors = {{"token_embd.weight", {32, 2}, 0, 0}},
          .data = 1024};
}

class GgufFolder : public testing::TestWithParam<const char*> {
 protected:
  const Checkpoint folder = Checkpoint::open(folder_of(GetParam()));
  const Checkpoint file = open_gguf(file_of(GetParam()));
};

TEST_P(GgufFolder, HasTheTensorsOfTheFolderWithinTheirTypesRounding) {
  const NameMap names{names::prefix("transformer."), names::tied("lm_head.weight", "model.embed_tokens.weight")};
  std::size_t compared = 0;
  for (const StoredTensor* tensor : folder.tensors()) {
    if (tensor->name.ends_with(".attn.bias") || tensor->name.ends_with(".masked_bias")) continue;  // GPT-2's masks
    const StoredTensor* found = nullptr;
    for (const std::string& name : names.stored_names(tensor->name)) {
      if (found == nullptr) found = file.find(name);
    }
    ASSERT_NE(found, nullptr) << tensor->name;
    expect_near(*found, tensor->tensor().to(DType::f32));
    ++compared;
  }
  EXPECT_GE(compared, 15U);
}

TEST_P(GgufFolder, HasTheNumbersOfTheFoldersConfig) {
  const Config& expected = folder.config();
  const Config& found = file.config();
  EXPECT_EQ(found.model_type(), expected.model_type());
  EXPECT_EQ(found.architectures(), expected.architectures());
  for (const char* key :
       {"hidden_size", "n_embd", "intermediate_size", "num_hidden_layers", "n_layer", "num_local_experts",
        "num_experts_per_tok", "num_attention_heads", "n_head", "num_key_value_heads", "max_position_embeddings",
        "n_positions", "vocab_size", "rms_norm_eps", "rope_theta", "layer_norm_epsilon"}) {
    if (!expected.has(key)) continue;
    EXPECT_FLOAT_EQ(found.require<double>(key), expected.require<double>(key)) << key;
  }
  for (const char* key : {"hidden_act", "hidden_activation", "activation_function"}) {
    if (!expected.has(key)) continue;
    EXPECT_EQ(found.require<std::string>(key), expected.require<std::string>(key)) << key;
  }
  const bool tied = expected.get("tie_word_embeddings", true);
  EXPECT_EQ(found.require<bool>("tie_word_embeddings"), tied);
}

// What backends ask for: values in the order of the dimensions, and whether they may read the bytes instead.
TEST_P(GgufFolder, GivesWeightsTheSameValues) {
  Weights weights;
  weights.mount("", file, {});
  for (const StoredTensor* tensor : file.tensors()) {
    const Weight& weight = weights.at(tensor->name);
    const Tensor expected = tensor->tensor().to(DType::f32), found = weight.to_f32();
    // A transposed weight says so, and its dimensions are the model's.
    ASSERT_EQ(found.dims(), tensor->dims) << tensor->name;
    EXPECT_EQ(weight.transposed, tensor->transposed) << tensor->name;
    EXPECT_TRUE(std::ranges::equal(std::as_const(found).as<float>(), expected.as<float>())) << tensor->name;
    EXPECT_EQ(weight.is_plain(DType::f32), tensor->type == "F32" && tensor->encoding.is_plain()) << tensor->name;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GgufFolder,
                         testing::Values("llama", "llama3_rope", "gpt2", "qwen2", "qwen3", "gemma", "gemma2",
                                         "gemma3_text", "phi3", "mixtral"),
                         [](const auto& name) { return std::string(name.param); });

TEST(GgufFolders, TheFixturesHaveEveryTypeThatIsRead) {
  const GgufFile file = GgufFile::open(file_of("llama"));
  std::set<std::string> types;
  for (const StoredTensor& tensor : file.tensors()) types.insert(tensor.type);
  EXPECT_EQ(types, (std::set<std::string>{"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"}));
}

TEST(GgufFolders, Llama3ScalingIsFoundInItsDivisors) {
  const Config expected = Checkpoint::open(folder_of("llama3_rope")).config().child("rope_scaling");
  const Config found = open_gguf(file_of("llama3_rope")).config().child("rope_scaling");
  EXPECT_EQ(found.require<std::string>("rope_type"), "llama3");
  for (const char* key : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    EXPECT_EQ(found.require<double>(key), expected.require<double>(key)) << key;
  }
}

// The divisors of Llama 3.1 and 3.2, computed as Transformers does it, in f32.
TEST(GgufFolders, PublishedLlama3ScalingsAreFound) {
  for (const double factor : {8.0, 32.0}) {
    GgufBytes bytes = one_tensor();
    bytes.fields.push_back(
        GgufBytes::field("llama.rope.freq_base", 12, little_endian(std::bit_cast<std::uint64_t>(5e5))));
    bytes.tensors.push_back({"rope_freqs.weight", {64}, 0, 256});
    std::string file = bytes.bytes();
    for (int i = 0; i < 64; ++i) {
      const double turn = 2 * std::numbers::pi * std::pow(5e5, i / 64.0), share = (8192 / turn - 1) / 3;
      const double divisor = turn < 2048 ? 1 : turn > 8192 ? factor : 1 / ((1 - share) / factor + share);
      const auto place = file.size() - 1024 + 256 + 4 * static_cast<std::size_t>(i);
      file.replace(place, 4, little_endian(std::bit_cast<std::uint32_t>(static_cast<float>(divisor))));
    }
    const TemporaryFolder folder;
    const Config scaling = open_gguf(folder.write("model.gguf", file)).config().child("rope_scaling");
    EXPECT_EQ(scaling.require<double>("factor"), factor);
    EXPECT_EQ(scaling.require<double>("low_freq_factor"), 1);
    EXPECT_EQ(scaling.require<double>("high_freq_factor"), 4);
    EXPECT_EQ(scaling.size("original_max_position_embeddings"), 8192);
  }
}

TEST(GgufFolders, SmallFilesSayWhatTheMetadataSays) {
  const Checkpoint file = open_gguf(file_of("llama"));
  const Config settings = file.config("tokenizer_config.json").value();
  EXPECT_EQ(settings.require<std::string>("bos_token"), "<s>");
  EXPECT_EQ(settings.require<std::string>("eos_token"), "</s>");
  EXPECT_EQ(settings.size("model_max_length"), 2048);
  EXPECT_TRUE(contains(settings.require<std::string>("chat_template"), "add_generation_prompt"));
  EXPECT_EQ(file.json("generation_config.json")->at("eos_token_id").as_int(), 2);
  EXPECT_FALSE(file.has_file("modules.json"));
  EXPECT_EQ(file.files(), (std::vector<std::filesystem::path>{"llama.gguf"}));
}

// GPT-2's folder has its matrices as [in, out], which its architecture turns; the file has them turned already.
TEST(GgufFolders, WhatAFolderHasTransposedIsReadAsItLies) {
  const Checkpoint folder = Checkpoint::open(folder_of("gpt2")), file = open_gguf(file_of("gpt2"));
  const NameMap names{names::prefix("transformer."), names::transposed("*.c_attn.weight")};
  const Parameter stored = names.at(folder, "h.0.attn.c_attn.weight", {96, 32});
  const Parameter turned = names.at(file, "h.0.attn.c_attn.weight", {96, 32});
  EXPECT_TRUE(stored.transposed);
  EXPECT_FALSE(turned.transposed);
}

TEST(GgufFolders, ATensorIsNamedAsTheFileNamesIt) {
  const Checkpoint file = open_gguf(file_of("llama"));
  EXPECT_EQ(file.find("model.layers.1.self_attn.q_proj.weight")->where(), "llama.gguf: tensor \"blk.1.attn_q.weight\"");
}

Error error_of_opening(const GgufBytes& bytes) {
  const TemporaryFolder folder;
  const auto path = folder.write("model.gguf", bytes.bytes());
  return error_of([&] { open_gguf(path); });
}

void expect_error(const GgufBytes& bytes, ErrorKind kind, std::string_view part) {
  const Error error = error_of_opening(bytes);
  EXPECT_EQ(error.kind(), kind) << error.what();
  EXPECT_TRUE(contains(error.what(), part)) << error.what();
  EXPECT_TRUE(contains(error.what(), "model.gguf")) << error.what();
}

TEST(GgufFolders, WhatTheMetadataLacksIsNamed) {
  GgufBytes bytes = one_tensor();
  bytes.fields[0] = GgufBytes::text("general.architecture", "mamba");
  expect_error(bytes, ErrorKind::unsupported, "general.architecture: is \"mamba\"");
  const std::string message = error_of_opening(bytes).what();
  EXPECT_EQ(message.find("llama"), message.rfind("llama")) << message;
  bytes.fields.erase(bytes.fields.begin());
  expect_error(bytes, ErrorKind::corrupted, "field \"architecture\" is missing");
  bytes = one_tensor();
  bytes.fields.pop_back();
  bytes.fields.pop_back();
  expect_error(bytes, ErrorKind::corrupted, "\"attention.head_count\" is missing");
  bytes = one_tensor();
  bytes.tensors[0].name = "w";
  expect_error(bytes, ErrorKind::corrupted, "has no matrix \"token_embd.weight\"");
}

TEST(GgufFolders, WhatIsNotReadYetIsNamed) {
  GgufBytes bytes = one_tensor();
  bytes.fields[0] = GgufBytes::text("general.architecture", "qwen2");
  bytes.fields.push_back(GgufBytes::number("qwen2.expert_count", 8));
  expect_error(bytes, ErrorKind::unsupported, "qwen2.expert_count");
  bytes = one_tensor();
  bytes.fields.push_back(GgufBytes::text("llama.rope.scaling.type", "other"));
  expect_error(bytes, ErrorKind::unsupported, "llama.rope.scaling.type: is \"other\"");
  bytes = one_tensor();
  const std::string list = little_endian(4U) + little_endian(std::uint64_t{1}) + little_endian(64U);
  bytes.fields.push_back(GgufBytes::field("llama.feed_forward_length", 9, list));
  expect_error(bytes, ErrorKind::unsupported, "llama.feed_forward_length: is a list");
}

TEST(GgufFolders, TensorsThatContradictTheMetadataAreNamed) {
  GgufBytes bytes = one_tensor();
  bytes.fields.push_back(GgufBytes::number("llama.expert_count", 2));
  bytes.tensors.push_back({"blk.0.ffn_up_exps.weight", {4, 6}, 0, 256});
  expect_error(bytes, ErrorKind::corrupted, "tensor \"blk.0.ffn_up_exps.weight\"");
  for (const std::uint64_t experts : {0, 3}) {
    bytes.tensors.back().dims = {4, 6, experts};
    expect_error(bytes, ErrorKind::corrupted, "expected [2, rows, columns]");
  }
  bytes.tensors.back().dims = {4, 0, 2};
  expect_error(bytes, ErrorKind::corrupted, "expected [2, rows, columns]");
  bytes = one_tensor();
  bytes.tensors.push_back({"blk.0.attn_q.weight", {4, 6}, 0, 256});
  expect_error(bytes, ErrorKind::corrupted, "tensor \"blk.0.attn_q.weight\"");
  bytes = one_tensor();
  bytes.tensors.push_back({"model.embed_tokens.weight", {32, 2}, 0, 256});
  expect_error(bytes, ErrorKind::corrupted, "are one and the same");
  bytes = one_tensor();
  bytes.tensors.push_back({"rope_freqs.weight", {4}, 0, 256});
  expect_error(bytes, ErrorKind::corrupted, "rope_freqs.weight");
}

TEST(GgufFolders, LinearAndYarnScalingsAreFields) {
  const TemporaryFolder folder;
  GgufBytes bytes = one_tensor();
  bytes.fields.push_back(GgufBytes::text("llama.rope.scaling.type", "yarn"));
  bytes.fields.push_back(GgufBytes::field("llama.rope.scaling.factor", 6, std::string("\0\0\x80\x40", 4)));
  bytes.fields.push_back(GgufBytes::number("llama.rope.scaling.original_context_length", 4096));
  const Config scaling = open_gguf(folder.write("model.gguf", bytes.bytes())).config().child("rope_scaling");
  EXPECT_EQ(scaling.require<std::string>("rope_type"), "yarn");
  EXPECT_EQ(scaling.require<double>("factor"), 4);
  EXPECT_EQ(scaling.size("original_max_position_embeddings"), 4096);
}

}  // namespace
}  // namespace accelerate
