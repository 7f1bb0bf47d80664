#include "checkpoint/checkpoint.hpp"

#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

using Tensors = std::vector<std::pair<std::string, Tensor>>;

Tensor ones(Dims dims) {
  Tensor tensor(DType::f32, std::move(dims));
  std::ranges::fill(tensor.as<float>(), 1.0F);
  return tensor;
}

// A folder with a config; each test adds weights.
class Checkpoints : public ::testing::Test {
 protected:
  Checkpoints() { folder_.write("config.json", R"({"model_type": "bert", "hidden_size": 2})"); }

  void weights(std::string_view name, const Tensors& tensors) { write_safetensors(folder_.path() / name, tensors); }
  void index(std::string_view weight_map) {
    folder_.write("model.safetensors.index.json",
                  R"({"metadata": {"total_size": 1}, "weight_map": )" + std::string(weight_map) + "}");
  }
  Checkpoint open() const { return Checkpoint::open(folder_.path()); }
  Error error() const {
    return error_of([&] { open(); });
  }
  std::vector<std::string> file_names() const {
    const Checkpoint checkpoint = open();
    std::vector<std::string> names;
    for (const auto& file : checkpoint.files()) names.push_back(file.string());
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(Checkpoints, ASingleFileIsOpened) {
  weights("model.safetensors", {{"b", ones({2, 3})}, {"a", ones({4})}});
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.config().model_type(), "bert");
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(checkpoint.parameter_count(), 10);
  EXPECT_EQ(checkpoint.weight_bytes(), 40);
  EXPECT_EQ(checkpoint.find("b")->dims, (Dims{2, 3}));
  EXPECT_EQ(checkpoint.find("c"), nullptr);
  EXPECT_EQ(file_names(), (std::vector<std::string>{"config.json", "model.safetensors"}));
}

TEST_F(Checkpoints, ShardsAreOneCheckpoint) {
  weights("model-00001-of-00002.safetensors", {{"a", ones({4})}});
  weights("model-00002-of-00002.safetensors", {{"b", ones({2, 3})}});
  index(R"({"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"})");
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.parameter_count(), 10);
  EXPECT_EQ(checkpoint.find("b")->where(), "model-00002-of-00002.safetensors: tensor \"b\"");
  EXPECT_EQ(file_names(),
            (std::vector<std::string>{"config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
                                      "model-00002-of-00002.safetensors"}));
}

TEST_F(Checkpoints, CopiesKeepTheWeightsMapped) {
  weights("model.safetensors", {{"a", ones({4})}});
  std::optional<Checkpoint> first = open();
  const Checkpoint second = *first;
  first.reset();
  EXPECT_EQ(second.find("a")->tensor().as<float>()[3], 1.0F);
}

TEST_F(Checkpoints, AMissingShardIsNamed) {
  weights("one.safetensors", {{"a", ones({4})}});
  index(R"({"a": "one.safetensors", "b": "two.safetensors"})");
  EXPECT_EQ(error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(error().where(), "two.safetensors")) << error().what();
}

TEST_F(Checkpoints, ATensorThatIsNotInItsShardIsNamed) {
  weights("one.safetensors", {{"a", ones({4})}});
  index(R"({"a": "one.safetensors", "b": "one.safetensors"})");
  EXPECT_EQ(error().kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error().what(), "has no tensor \"b\"")) << error().what();
}

TEST_F(Checkpoints, OneNameInTwoShardsIsAnError) {
  weights("one.safetensors", {{"a", ones({4})}, {"x", ones({1})}});
  weights("two.safetensors", {{"b", ones({4})}, {"x", ones({1})}});
  index(R"({"a": "one.safetensors", "b": "two.safetensors", "x": "one.safetensors"})");
  EXPECT_EQ(error().kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error().what(), "\"x\": lies in one.safetensors and in two.safetensors")) << error().what();
}

TEST_F(Checkpoints, ShardsOutsideTheFolderAreRefused) {
  for (const char* shard : {"../one.safetensors", "/etc/passwd", "a/../../x", "", ".", "a/", ".."}) {
    index(std::string(R"({"a": ")") + shard + R"("})");
    EXPECT_EQ(error().kind(), ErrorKind::corrupted) << shard;
    EXPECT_TRUE(contains(error().what(), "expected a file in the folder")) << error().what();
  }
}

TEST_F(Checkpoints, ALinkedShardIsTaken) {
  const TemporaryFolder blobs;  // as in the hub's cache
  write_safetensors(blobs.path() / "blob", {{"a", ones({4})}});
  std::filesystem::create_symlink(blobs.path() / "blob", folder_.path() / "one.safetensors");
  index(R"({"a": "one.safetensors"})");
  EXPECT_EQ(open().parameter_count(), 4);
}

TEST_F(Checkpoints, BrokenIndexesAreErrors) {
  for (const char* map : {"[]", "{}", R"({"a": 1})", "null", R"({"a": "x", "a": "y"})"}) {
    index(map);
    EXPECT_EQ(error().kind(), ErrorKind::corrupted) << map << ": " << error().what();
    EXPECT_TRUE(contains(error().where(), "model.safetensors.index.json")) << error().what();
  }
  folder_.write("model.safetensors.index.json", "{");
  EXPECT_TRUE(contains(error().what(), "line 1")) << error().what();
}

TEST_F(Checkpoints, WeightsOfOtherFormatsAreRefusedWithTheWayToConvert) {
  for (const char* name : {"pytorch_model.bin", "tf_model.h5", "model.onnx", "flax_model.msgpack",
                           "pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin"}) {
    const auto path = folder_.write(name, "x");
    EXPECT_EQ(error().kind(), ErrorKind::unsupported) << name;
    EXPECT_TRUE(contains(error().where(), name)) << error().what();
    EXPECT_TRUE(contains(error().hint(), "save_pretrained")) << error().what();
    std::filesystem::remove(path);
  }
  folder_.write("adapter_model.safetensors", "x");
  EXPECT_EQ(error().kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error().what(), "adapter")) << error().what();
}

TEST_F(Checkpoints, SafetensorsWinOverOtherFormats) {
  folder_.write("pytorch_model.bin", "x");
  weights("model.safetensors", {{"a", ones({4})}});
  EXPECT_EQ(open().parameter_count(), 4);
}

TEST_F(Checkpoints, AFolderWithoutWeightsOrConfigSaysWhatIsMissing) {
  EXPECT_EQ(error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(error().what(), "has no weights, expected model.safetensors")) << error().what();
  std::filesystem::remove(folder_.path() / "config.json");
  EXPECT_EQ(error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(error().where(), "config.json")) << error().what();
  folder_.write("model-q4.gguf", "x");
  EXPECT_EQ(error().kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error().hint(), "give the file itself")) << error().what();
}

TEST_F(Checkpoints, WhatIsNoFolderIsRefusedWithAHint) {
  const Error hub = error_of([] { Checkpoint::open("sentence-transformers/all-MiniLM-L6-v2"); });
  EXPECT_EQ(hub.kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(hub.hint(), "hub")) << hub.what();
  const Error path = error_of([] { Checkpoint::open("/no/such/folder"); });
  EXPECT_EQ(path.kind(), ErrorKind::not_found);
  EXPECT_FALSE(contains(path.hint(), "hub")) << path.what();
  const auto gguf = folder_.write("x.gguf", "GGUF");
  EXPECT_EQ(error_of([&] { Checkpoint::open(gguf); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { Checkpoint::open(folder_.path() / "config.json"); }).kind(), ErrorKind::invalid_input);
}

TEST_F(Checkpoints, ABrokenFileIsNamedWithItsPath) {
  folder_.write("model.safetensors", "not a safetensors file");
  EXPECT_EQ(error().kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error().where(), "model.safetensors")) << error().what();
}

TEST_F(Checkpoints, SmallFilesAreReadWhenThere) {
  weights("model.safetensors", {{"a", ones({4})}});
  folder_.write("1_Pooling/config.json", R"({"word_embedding_dimension": 384})");
  const Checkpoint checkpoint = open();
  EXPECT_TRUE(checkpoint.has_file("1_Pooling/config.json"));
  EXPECT_FALSE(checkpoint.has_file("1_Pooling"));
  EXPECT_EQ(checkpoint.config("1_Pooling/config.json")->size("word_embedding_dimension"), 384);
  EXPECT_EQ(checkpoint.json("1_Pooling/config.json")->at("word_embedding_dimension").as_int(), 384);
  EXPECT_EQ(checkpoint.json("none.json"), std::nullopt);
  EXPECT_FALSE(checkpoint.config("none.json").has_value());
}

// Every checkpoint folder that the repository carries opens, and its tensors are as many as Transformers wrote.
TEST(CheckpointGoldens, AllFoldersOpen) {
  int opened = 0;
  const std::filesystem::path goldens = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "models";
  for (const auto& entry : std::filesystem::directory_iterator(goldens)) {
    if (!std::filesystem::exists(entry.path() / "config.json")) continue;
    const Checkpoint checkpoint = Checkpoint::open(entry.path());
    EXPECT_FALSE(checkpoint.config().model_type().empty()) << entry.path();
    EXPECT_GT(checkpoint.parameter_count(), 1000) << entry.path();
    ++opened;
  }
  EXPECT_GE(opened, 8);
}

}  // namespace
}  // namespace accelerate
