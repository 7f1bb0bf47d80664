// What a model may take and keep: OpenOptions::memory_limit and ::cache_folder.
#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

std::filesystem::path folder() { return model_folder("sentence_transformer"); }

// What inspect() says of one run.
std::int64_t predicted(std::int64_t batch, std::int64_t tokens) {
  InspectOptions options;
  options.batches = {batch};
  options.tokens = {tokens};
  options.threads = 1;
  return inspect(folder(), options).memory.at(0).total;
}

Model opened(std::int64_t limit) {
  return Model::open(folder(), {.device = "cpu", .threads = 1, .memory_limit = limit});
}

// `batch` texts of 16 tokens.
NamedTensors run(const Model& model, std::int64_t batch) {
  NamedTensors inputs;
  Tensor ids(DType::i64, {batch, 16});
  for (std::int64_t& id : ids.as<std::int64_t>()) id = 5;
  inputs["input_ids"] = ids;
  const std::vector<std::string> outputs{"sentence_embedding"};
  return model.run(inputs, {.outputs = outputs});
}

TEST(MemoryLimit, IsWhatInspectPredicts) {
  const std::int64_t enough = predicted(4, 16);
  EXPECT_EQ(run(opened(enough), 4).size(), 1U);
  const Model model = opened(enough - 1);
  const Error error = error_of([&] { run(model, 4); });
  EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
  EXPECT_EQ(error.where(), "device cpu");
  EXPECT_TRUE(contains(error.message(), "would take ") && contains(error.message(), "the limit is ")) << error.what();
  EXPECT_FALSE(error.hint().empty());
  EXPECT_EQ(run(model, 1).size(), 1U) << "a smaller run fits";
}

TEST(MemoryLimit, ThatNoRunKeepsToIsSaidBeforeAnythingIsPacked) {
  const Model model = opened(1000);
  const std::int64_t before = memory_use().allocated;
  const Error error = error_of([&] { model.prepare(); });
  EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
  EXPECT_TRUE(contains(error.message(), "the limit is 1000 B")) << error.what();
  EXPECT_EQ(memory_use().allocated, before);
}

TEST(MemoryLimit, HoldsInAnotherPrecisionToo) {
  const Model model = opened(1000).with_precision("bf16");
  EXPECT_EQ(error_of([&] { model.prepare(); }).kind(), ErrorKind::out_of_memory);
}

TEST(MemoryLimit, BelowZeroIsRefused) {
  const Error error = error_of([] { opened(-1); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), "memory_limit");
}

TEST(CacheFolder, IsMade) {
  const TemporaryFolder parent;
  Model::open(folder(), {.cache_folder = parent.path() / "new" / "cache"});
  EXPECT_TRUE(std::filesystem::is_directory(parent.path() / "new" / "cache"));
}

TEST(CacheFolder, ThatCannotBeIsNamed) {
  const TemporaryFolder parent;
  const std::filesystem::path file = parent.write("file", "");
  for (const std::filesystem::path& wrong : {file, file / "cache"}) {
    const Error error = error_of([&] { Model::open(folder(), {.cache_folder = wrong}); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    EXPECT_EQ(error.where(), "cache_folder: " + wrong.string());
  }
}

}  // namespace
}  // namespace accelerate
