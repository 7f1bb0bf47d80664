#include "models/sentence_transformer.hpp"

#include <gtest/gtest.h>

#include "models/damaged.hpp"

namespace accelerate {
namespace {

void expect_error(const GoldenCopy& copy, ErrorKind kind, const std::vector<std::string>& parts) {
  const Error error = error_of([&] { open_model(copy.path()); });
  EXPECT_EQ(error.kind(), kind) << error.what();
  for (const std::string& part : parts) EXPECT_TRUE(contains(error.what(), part)) << part << "\n in " << error.what();
}

// Replaces the module at `index` of modules.json.
GoldenCopy& set_type(GoldenCopy& copy, std::size_t index, const std::string& type) {
  return copy.edit("modules.json", [&](Json& json) {
    Json::Array list = json.items();
    list.at(index).set("type", type);
    json = list;
  });
}

std::vector<SentenceModule::Kind> kinds(const std::filesystem::path& folder) {
  std::vector<SentenceModule::Kind> result;
  for (const SentenceModule& module : sentence_modules(Checkpoint::open(folder))) result.push_back(module.kind);
  return result;
}

std::string embedding_shape(const GoldenCopy& copy) {
  const ModelDefinition model = open_model(copy.path());
  const Graph& graph = model.program.graph("encode");
  return graph.node(graph.find_output("sentence_embedding")->value).type.shape.to_string();
}

TEST(SentenceModules, AreReadFromOldAndNewClassPaths) {
  using Kind = SentenceModule::Kind;
  const std::vector<Kind> expected{Kind::pooling, Kind::dense, Kind::normalize};
  EXPECT_EQ(kinds(goldens_folder() / "st_dense_tanh"), expected);
  EXPECT_EQ(kinds(goldens_folder() / "st_current"), expected);
  EXPECT_TRUE(kinds(goldens_folder() / "bert").empty());
}

TEST(SentenceModules, UnknownOnesAreNamed) {
  GoldenCopy copy("st_dense_tanh");
  expect_error(set_type(copy, 1, "sentence_transformers.models.WeightedLayerPooling"), ErrorKind::unsupported,
               {"modules.json: [1]", "WeightedLayerPooling", "1_Pooling"});
  expect_error(set_type(copy, 1, "my_code.Pooling"), ErrorKind::unsupported, {"my_code.Pooling"});
  expect_error(set_type(copy, 0, "sentence_transformers.models.StaticEmbedding"), ErrorKind::unsupported,
               {"StaticEmbedding", "expected a Transformer"});
}

TEST(SentenceModules, DropoutDoesNothing) {
  GoldenCopy copy("st_cls");
  set_type(copy, 2, "sentence_transformers.models.Dropout");
  EXPECT_EQ(kinds(copy.path()), std::vector<SentenceModule::Kind>{SentenceModule::Kind::pooling});
}

TEST(SentenceModules, TheTransformerMayLieInASubFolder) {
  const ModelDefinition model = open_model(goldens_folder() / "st_sub_folder");
  EXPECT_EQ(model.checkpoint.folder(), goldens_folder() / "st_sub_folder");
  EXPECT_EQ(model.checkpoint.inner(), "0_Transformer");
  EXPECT_EQ(model.program.tasks, std::vector<Task>{Task::embed});
  for (const std::filesystem::path& file : model.checkpoint.files()) {
    EXPECT_TRUE(std::filesystem::exists(model.checkpoint.folder() / file)) << file;
  }
  GoldenCopy copy("st_sub_folder");
  const auto with_path = [&](const std::string& path) {
    copy.edit("modules.json", [&](Json& json) {
      Json::Array list = json.items();
      list.at(0).set("path", path);
      json = list;
    });
    return copy.path();
  };
  EXPECT_EQ(open_model(with_path("./0_Transformer/")).checkpoint.inner(), "0_Transformer");
  EXPECT_EQ(error_of([&] { open_model(with_path("0_Elsewhere")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { open_model(with_path("../model/0_Transformer")); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { open_model(with_path("")); }).kind(), ErrorKind::not_found);
}

TEST(SentenceModules, BrokenFilesAreNamed) {
  GoldenCopy list("st_cls");
  expect_error(list.edit("modules.json", [](Json& json) { json = Json::object(); }), ErrorKind::corrupted,
               {"modules.json", "expected a list"});
  GoldenCopy gone("st_cls");
  std::filesystem::remove(gone.path() / "1_Pooling" / "config.json");
  expect_error(gone, ErrorKind::corrupted, {"modules.json", "1_Pooling", "no config.json"});
  GoldenCopy outside("st_dense_tanh");
  outside.edit("modules.json", [](Json& json) {
    Json::Array entries = json.items();
    entries.at(2).set("path", "../elsewhere");
    json = entries;
  });
  expect_error(outside, ErrorKind::corrupted, {"../elsewhere", "expected a sub-folder"});
  GoldenCopy weights("st_dense_tanh");
  std::filesystem::remove(weights.path() / "2_Dense" / "model.safetensors");
  expect_error(weights, ErrorKind::not_found, {"2_Dense"});
}

TEST(SentenceModules, DenseOfAnotherWidthNamesItsTensor) {
  GoldenCopy copy("st_dense_tanh");
  copy.edit("1_Pooling/config.json", [](Json& json) { json.set("pooling_mode_max_tokens", true); });
  expect_error(copy, ErrorKind::corrupted, {"linear.weight", "[12, 16]", "expected [12, 32]"});
}

TEST(SentenceModules, ActivationsAndPoolingModesAreUnsupportedByName) {
  GoldenCopy dense("st_dense_tanh");
  dense.edit("2_Dense/config.json",
             [](Json& json) { json.set("activation_function", "torch.nn.modules.activation.Softsign"); });
  expect_error(dense, ErrorKind::unsupported, {"2_Dense/config.json", "Softsign"});
  GoldenCopy pooling("st_current");
  pooling.edit("1_Pooling/config.json", [](Json& json) { json.set("pooling_mode", "attention"); });
  expect_error(pooling, ErrorKind::unsupported, {"1_Pooling/config.json", "attention"});
}

TEST(SentenceModules, SeveralPoolingModesAreJoined) {
  GoldenCopy copy("st_cls");
  EXPECT_EQ(embedding_shape(copy), "[batch, 16]");
  copy.edit("1_Pooling/config.json", [](Json& json) { json.set("pooling_mode_lasttoken", true); });
  EXPECT_EQ(embedding_shape(copy), "[batch, 32]");
  copy.edit("1_Pooling/config.json", [](Json& json) { json.set("pooling_mode", Json::Array{"max", "mean", "cls"}); });
  EXPECT_EQ(embedding_shape(copy), "[batch, 48]");
}

TEST(SentenceModules, APromptThatIsLeftOutIsAnInputOfItsOwn) {
  const auto input = [](const std::string& golden) {
    const ModelDefinition model = open_model(goldens_folder() / golden);
    const std::string wanted[] = {"sentence_embedding"};
    const Graph graph = model.program.graph("encode").restricted_to(wanted);
    const Node* node = graph.find_input("prompt_length");
    return node == nullptr ? "absent" : node->type.to_string();
  };
  EXPECT_EQ(input("st_prompts_left_out"), "index [batch]");
  EXPECT_EQ(input("st_prompts"), "absent");
}

// A cross-encoder of release 6 lists its Transformer alone: it classifies, and embeds by the mean.
TEST(SentenceModules, TransformerAloneKeepsTheClassesTask) {
  GoldenCopy copy("cross_encoder");
  std::ofstream(copy.path() / "modules.json")
      << R"([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}])";
  const ModelDefinition model = open_model(copy.path());
  EXPECT_EQ(model.program.tasks, (std::vector<Task>{Task::text_classification, Task::embed}));
}

}  // namespace
}  // namespace accelerate
