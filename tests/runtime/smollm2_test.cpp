// The real SmolLM2-135M-Instruct as a GGUF file of Q4_1 blocks: its facts, its tokens,
// every number of its weights, and how it goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "accelerate/accelerate.hpp"
#include "models/architecture.hpp"
#include "records/content_hash.hpp"

namespace accelerate {
namespace {

class SmolLm2 : public testing::Test {
 protected:
  void SetUp() override {
    const char* file = std::getenv("ACCELERATE_SMOLLM2");
    if (file == nullptr) GTEST_SKIP() << "ACCELERATE_SMOLLM2 does not name the GGUF file; CI sets it";
    file_ = file;
  }

  static std::filesystem::path goldens() {
    return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/real/smollm2-135m-q4_1";
  }
  static Json golden(const char* name) { return read_json(goldens() / name); }

  static std::vector<std::int64_t> ids_of(const Json& list) {
    std::vector<std::int64_t> ids;
    for (const Json& id : list.items()) ids.push_back(id.as_int());
    return ids;
  }
  // Of a prompt and what Transformers generated behind it: logits from the prompt's last token on, a row a token.
  Tensor logits_of(const Model& model, const Json& one) const {
    std::vector<std::int64_t> ids = ids_of(one.at("prompt_ids"));
    const auto first = static_cast<std::int64_t>(ids.size()) - 1;
    const std::vector<std::int64_t> generated = ids_of(one.at("transformers_float32").at("generated_ids"));
    ids.insert(ids.end(), generated.begin(), generated.end());
    const auto count = static_cast<std::int64_t>(ids.size());
    const NamedTensors outputs = model.run({{"input_ids", Tensor::of({1, count}, ids)}}, {.outputs = {"logits"}});
    const Tensor& logits = outputs.at("logits");
    const auto width = static_cast<std::size_t>(logits.dim(2));
    const auto rows = logits.as<float>().subspan(static_cast<std::size_t>(first) * width, generated.size() * width);
    return Tensor::of({static_cast<std::int64_t>(generated.size()), logits.dim(2)}, rows);
  }

  std::filesystem::path file_;
};

TEST_F(SmolLm2, FactsAreThoseOfThePublishedModel) {
  const ModelInfo info = inspect(file_).info;
  EXPECT_EQ(info.folder, file_);
  EXPECT_EQ(info.model_type, "llama");
  EXPECT_EQ(info.architecture, "LlamaForCausalLM");
  EXPECT_EQ(info.parameters, 134'515'008);
  EXPECT_EQ(info.dtypes, (std::vector<std::string>{"Q4_1", "Q8_0", "f32"}));
  EXPECT_EQ(info.layers, 30);
  EXPECT_EQ(info.hidden_size, 576);
  EXPECT_EQ(info.heads, 9);
  EXPECT_EQ(info.vocabulary, 49152);
  EXPECT_EQ(info.max_tokens, 8192);
}

TEST_F(SmolLm2, ConfigIsThatOfThePublishedFolder) {
  const Config config = open_checkpoint(file_).config();
  EXPECT_EQ(config.size("intermediate_size"), 1536);
  EXPECT_EQ(config.size("num_key_value_heads"), 3);
  EXPECT_EQ(config.size("head_dim"), 64);
  EXPECT_FLOAT_EQ(config.require<double>("rms_norm_eps"), 1e-5F);
  EXPECT_EQ(config.require<double>("rope_theta"), 100000);
  EXPECT_TRUE(config.require<bool>("tie_word_embeddings"));
  EXPECT_FALSE(config.require<bool>("attention_bias"));
  EXPECT_FALSE(config.has("rope_scaling"));
  EXPECT_EQ(config.size("bos_token_id"), 1);
  EXPECT_EQ(config.size("eos_token_id"), 2);
}

TEST_F(SmolLm2, PromptsHaveTheIdsOfTransformers) {
  const Json cases = golden("cases.json");
  std::vector<std::string> prompts;
  for (const Json& row : cases.at("cases").items()) prompts.push_back(row.at("rendered_prompt").as_string());
  const std::vector<TokenizedText> found = tokenize(file_, prompts);
  ASSERT_EQ(found.size(), 10U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<std::int32_t> expected;
    for (const Json& id : cases.at("cases").items()[i].at("prompt_ids").items()) {
      expected.push_back(static_cast<std::int32_t>(id.as_int()));
    }
    EXPECT_EQ(found[i].ids, expected) << prompts[i];
  }
}

TEST_F(SmolLm2, ThePromptsGoOnAsTransformersContinuesThem) {
  const Model model = Model::open(file_);
  const Json cases = golden("cases.json");
  for (const Json& one : cases.at("cases").items()) {
    const Tensor logits = logits_of(model, one);
    const auto width = static_cast<std::size_t>(logits.dim(1));
    std::vector<std::int64_t> best;
    for (std::size_t row = 0; row < static_cast<std::size_t>(logits.dim(0)); ++row) {
      const auto scores = std::as_const(logits).as<float>().subspan(row * width, width);
      best.push_back(std::ranges::max_element(scores) - scores.begin());
    }
    EXPECT_EQ(best, ids_of(one.at("transformers_float32").at("generated_ids"))) << one.at("input").as_string();
  }
}

TEST_F(SmolLm2, LogitsAgreeToOnePartInAHundredThousand) {
  const Model model = Model::open(file_);
  const Json cases = golden("cases.json");
  const SafetensorsFile expected = SafetensorsFile::open(goldens() / "logits.safetensors");
  for (const std::size_t number : {0U, 5U}) {
    const Tensor found = logits_of(model, cases.at("cases").items()[number]);
    const Tensor wanted = expected.find("case" + std::to_string(number) + ".step_logits")->tensor();
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(wanted.elements()); ++i) {
      difference += std::pow(double{found.as<float>()[i]} - wanted.as<float>()[i], 2);
      norm += std::pow(double{wanted.as<float>()[i]}, 2);
    }
    EXPECT_LT(std::sqrt(difference / norm), 1e-5) << number;
  }
}

// tensors.json has the SHA-256 of each, widened by llama.cpp's package.
TEST_F(SmolLm2, EveryTensorWidensToTheNumbersOfTheReference) {
  const Checkpoint checkpoint = open_checkpoint(file_);
  const Json expected = golden("tensors.json");
  ASSERT_EQ(checkpoint.tensors().size(), 272U);
  for (const StoredTensor* tensor : checkpoint.tensors()) {
    const Tensor values = tensor->tensor();
    const auto bytes = std::as_const(values).bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_EQ(records::sha256_of(text), expected.at(tensor->name_in_file).as_string()) << tensor->name;
  }
}

}  // namespace
}  // namespace accelerate
