// What is said about folders whose config and weights do not fit: the tensor or field, what was found and expected.
#include "models/damaged.hpp"

#include <gtest/gtest.h>

#include "models/architecture.hpp"

namespace accelerate {
namespace {

Error error_opening(const GoldenCopy& copy) {
  return error_of([&] { open_model(copy.path()); });
}

// The error's kind, and that its text has every one of `parts`.
void expect_error(const GoldenCopy& copy, ErrorKind kind, const std::vector<std::string>& parts) {
  const Error error = error_opening(copy);
  EXPECT_EQ(error.kind(), kind) << error.what();
  for (const std::string& part : parts) EXPECT_TRUE(contains(error.what(), part)) << part << "\n in " << error.what();
}

TEST(Damaged, UnknownModelTypeNamesTheFileAndTheNearest) {
  GoldenCopy copy("bert");
  expect_error(copy.set("model_type", "bertt"), ErrorKind::unsupported, {"config.json", "\"bertt\"", "there are bert"});
  expect_error(copy.set("model_type", "mamba"), ErrorKind::unsupported, {"\"mamba\" is not supported"});
  expect_error(copy.set("model_type", Json()), ErrorKind::corrupted, {"model_type"});
  expect_error(copy.set("model_type", 3), ErrorKind::corrupted, {"model_type", "3"});
}

TEST(Damaged, MissingTensorIsNamed) {
  GoldenCopy copy("bert");
  expect_error(copy.remove("layer.1.output.dense.weight"), ErrorKind::not_found,
               {"encoder.layer.1.output.dense.weight", "nearest"});
}

TEST(Damaged, MissingBiasIsNamed) {
  GoldenCopy copy("distilbert");
  expect_error(copy.remove("layer.0.attention.q_lin.bias"), ErrorKind::not_found,
               {"transformer.layer.0.attention.q_lin.bias"});
}

TEST(Damaged, MissingHeadThatTheConfigNamesIsAnError) {
  GoldenCopy bert("bert");
  expect_error(bert.set("architectures", Json::Array{"BertForSequenceClassification"}), ErrorKind::not_found,
               {"classifier.weight"});
  GoldenCopy modernbert("modernbert");
  expect_error(modernbert.set("architectures", Json::Array{"ModernBertForMaskedLM"}), ErrorKind::not_found,
               {"head.dense.weight"});
}

TEST(Damaged, HeadLeftOutOfASentenceTransformerIsNoError) {
  GoldenCopy copy("st_mpnet");
  copy.set("architectures", Json::Array{"MPNetForMaskedLM"});
  const ModelDefinition model = open_model(copy.path());
  EXPECT_EQ(model.program.tasks, std::vector<Task>{Task::embed});
  EXPECT_EQ(model.program.graph("encode").find_output("logits"), nullptr);
}

TEST(Damaged, UnknownClassStillEmbeds) {
  for (const char* name : {"BertForMultipleChoice", "SomethingElse"}) {
    GoldenCopy copy("bert");
    copy.set("architectures", Json::Array{name});
    const ModelDefinition model = open_model(copy.path());
    EXPECT_EQ(model.program.tasks, std::vector<Task>{Task::embed});
    const Error error = error_of([&] { model.program.require(Task::fill_mask); });
    EXPECT_TRUE(contains(error.message(), name)) << error.what();
  }
}

TEST(Damaged, FirstKnownClassCounts) {
  GoldenCopy copy("bert_masked_lm");
  copy.set("architectures", Json::Array{"BertForMultipleChoice", "BertForMaskedLM", "BertModel"});
  EXPECT_EQ(open_model(copy.path()).program.class_name, "BertForMaskedLM");
}

TEST(Damaged, ConfigOfAnotherModelIsNoticedAtTheWordTable) {
  GoldenCopy copy("bert");
  expect_error(
      copy.set("hidden_size", 64), ErrorKind::corrupted,
      {"model.safetensors: tensor \"embeddings.word_embeddings.weight\": has shape [700, 32], expected [700, 64]",
       "config.json says hidden_size 64; the weights look like hidden_size 32", "hint: "});
}

TEST(Damaged, WrongShapesNameTheTensorAndBothShapes) {
  GoldenCopy dense("bert");
  expect_error(dense.reshape("encoder.layer.0.output.dense.weight", {33, 64}), ErrorKind::corrupted,
               {"encoder.layer.0.output.dense.weight", "[33, 64]", "expected [32, 64]"});
  GoldenCopy norm("bert");
  expect_error(norm.reshape("encoder.layer.1.output.LayerNorm.weight", {31}), ErrorKind::corrupted,
               {"encoder.layer.1.output.LayerNorm.weight", "[31]", "expected [32]"});
  GoldenCopy vector("bert");
  expect_error(vector.reshape("encoder.layer.0.intermediate.dense.weight", {64}), ErrorKind::corrupted,
               {"encoder.layer.0.intermediate.dense.weight", "[64]"});
  GoldenCopy positions("bert");
  expect_error(positions.reshape("embeddings.position_embeddings.weight", {100, 32}), ErrorKind::corrupted,
               {"embeddings.position_embeddings.weight", "100 rows", "max_position_embeddings 128"});
  GoldenCopy fused("modernbert");
  expect_error(fused.reshape("layers.0.attn.Wqkv.weight", {47, 16}), ErrorKind::corrupted,
               {"layers.0.attn.Wqkv.weight", "[47, 16]", "3 parts"});
  GoldenCopy buckets("mpnet");
  expect_error(buckets.reshape("encoder.relative_attention_bias.weight", {16, 2}), ErrorKind::corrupted,
               {"encoder.relative_attention_bias.weight", "[16, 2]", "expected [32, 2]"});
}

TEST(Damaged, TensorsThatAreNoMatricesAreNamed) {
  const std::vector<std::pair<std::string, std::string>> matrices{
      {"bert", "embeddings.token_type_embeddings.weight"},
      {"albert_masked_lm", "albert.embeddings.word_embeddings.weight"},
      {"nomic_bert", "encoder.layers.0.mlp.fc11.weight"},
      {"nomic_bert", "encoder.layers.0.mlp.fc12.weight"}};
  for (const auto& [golden, tensor] : matrices) {
    for (const Dims& dims : {Dims{}, Dims{5}, Dims{2, 2, 2}}) {
      GoldenCopy copy(golden);
      expect_error(copy.reshape(tensor, dims), ErrorKind::corrupted, {tensor, to_string(dims), "expected ["});
    }
  }
}

TEST(Damaged, PrunedWidthsAreTakenFromTheWeights) {
  GoldenCopy copy("bert");
  copy.reshape("encoder.layer.0.intermediate.dense.weight", {20, 32});
  copy.reshape("encoder.layer.0.intermediate.dense.bias", {20});
  copy.reshape("encoder.layer.0.output.dense.weight", {32, 20});
  for (const char* name : {"query", "key", "value"}) {  // one of four heads is gone
    copy.reshape(std::string("encoder.layer.1.attention.self.") + name + ".weight", {24, 32});
    copy.reshape(std::string("encoder.layer.1.attention.self.") + name + ".bias", {24});
  }
  copy.reshape("encoder.layer.1.attention.output.dense.weight", {32, 24});
  EXPECT_NO_THROW(open_model(copy.path()));
  for (const char* name : {"query", "key", "value"}) {  // and now half of another
    copy.reshape(std::string("encoder.layer.1.attention.self.") + name + ".weight", {20, 32});
    copy.reshape(std::string("encoder.layer.1.attention.self.") + name + ".bias", {20});
  }
  expect_error(copy, ErrorKind::corrupted, {"encoder.layer.1", "20 wide", "multiple of the head size 8"});
}

TEST(Damaged, SizesThatMakeNoSenseNameTheField) {
  const std::vector<std::tuple<std::string, Json, std::string>> cases{
      {"num_attention_heads", 5, "does not divide the hidden size 32"},
      {"num_attention_heads", 0, "expected 1 to"},
      {"hidden_size", -32, "expected 1 to"},
      {"hidden_size", "32", "expected an integer"},
      {"num_hidden_layers", 1000000, "expected 1 to 10000"},
      {"num_hidden_layers", Json(), "num_hidden_layers"},
      {"max_position_embeddings", std::int64_t{1} << 40, "expected 1 to"},
      {"layer_norm_eps", -1.0, "layer_norm_eps"},
  };
  for (const auto& [key, value, part] : cases) {
    GoldenCopy copy("bert");
    expect_error(copy.set(key, value), ErrorKind::corrupted, {"config.json", key, part});
  }
  GoldenCopy roberta("roberta");
  expect_error(roberta.set("pad_token_id", 4000), ErrorKind::corrupted, {"max_position_embeddings", "4001"});
}

TEST(Damaged, MoreLayersThanThereAreWeightsNamesTheFirstMissing) {
  GoldenCopy copy("bert");
  expect_error(copy.set("num_hidden_layers", 3), ErrorKind::not_found, {"encoder.layer.2.attention.self.query.weight"});
}

TEST(Damaged, SettingsThatChangeTheComputationAreUnsupportedByName) {
  const std::vector<std::tuple<std::string, std::string, Json>> cases{
      {"bert", "hidden_act", "mish_of_mine"},
      {"bert", "position_embedding_type", "relative_key"},
      {"bert", "is_decoder", true},
      {"bert", "quantization_config", Json::object()},
      {"nomic_bert", "prenorm", true},
      {"nomic_bert", "activation_function", "gelu"},
      {"nomic_bert", "moe_every_n_layers", 2},
      {"modernbert", "layer_types",
       Json::Array{"full_attention", "linear_attention", "full_attention", "full_attention"}},
      {"modernbert_sequence_classification", "classifier_pooling", "max"},
  };
  for (const auto& [golden, key, value] : cases) {
    GoldenCopy copy(golden);
    expect_error(copy.set(key, value), ErrorKind::unsupported, {"config.json", key});
  }
}

TEST(Damaged, RotaryKindsAreUnsupportedByName) {
  GoldenCopy copy("modernbert");
  copy.edit("config.json", [](Json& json) {
    json.set("rope_parameters", Json::parse(R"({"full_attention": {"rope_type": "yarn", "rope_theta": 1e4}})", "test"));
  });
  expect_error(copy, ErrorKind::unsupported, {"rope_parameters.full_attention.rope_type", "yarn"});
}

}  // namespace
}  // namespace accelerate
