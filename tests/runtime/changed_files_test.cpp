// A model's files that are removed, replaced or written to while it is open.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "models/golden.hpp"
#include "runtime/generating.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTexts{"God is light."};

class ChangedFiles : public testing::Test {
 protected:
  ChangedFiles() { fs::copy(model_folder("sentence_transformer"), folder(), fs::copy_options::recursive); }

  fs::path folder() const { return temporary_.path() / "model"; }
  fs::path weights() const { return folder() / "model.safetensors"; }
  static std::vector<float> vector_of(const Model& model) {
    const Tensor vectors = model.embed(kTexts).vectors;
    const auto values = vectors.as<float>();
    return {values.begin(), values.end()};
  }
  // As a program that copies another model over it would, a second later.
  void write_into() const {
    std::fstream file(weights(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-4, std::ios::end);
    file << "new!";
    file.close();
    fs::last_write_time(weights(), fs::last_write_time(weights()) + std::chrono::seconds(1));
  }
  // What every answer depends on.
  void write_into_the_middle() const {
    std::fstream file(weights(), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(fs::file_size(weights()));
    file.seekp(size / 2);
    file << std::string(static_cast<std::size_t>(size / 4), '<');  // floats of 0.0115
    file.close();
    fs::last_write_time(weights(), fs::last_write_time(weights()) + std::chrono::seconds(1));
  }
  Error error_of(const Model& model) const {
    try {
      vector_of(model);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorKind::internal, "no error");
  }

  const TemporaryFolder temporary_;
};

TEST_F(ChangedFiles, RemovedOnesStayForWhoHasThemOpen) {
  const Model used = Model::open(folder()), unused = Model::open(folder());
  const std::vector<float> before = vector_of(used);
  unused.mask_token();  // opens the tokenizer, which is read when it is first needed
  fs::remove_all(folder());
  EXPECT_EQ(vector_of(used), before);
  EXPECT_EQ(vector_of(unused), before);
}

TEST_F(ChangedFiles, ReplacedByRenamingTheOldOneStays) {
  const Model model = Model::open(folder());
  const std::vector<float> before = vector_of(model);
  fs::copy(weights(), folder() / "new");
  fs::rename(folder() / "new", weights());
  write_into();
  EXPECT_EQ(vector_of(model), before);
}

TEST_F(ChangedFiles, WrittenToBetweenRunsIsRefused) {
  const Model model = Model::open(folder());
  vector_of(model);
  write_into();
  const Error error = error_of(model);
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_EQ(error.where(), weights().string());
  EXPECT_EQ(error.message(), "was written to since it was opened");
}

// Tokens that follow one another closely do not look each time.
TEST(ChangedFilesOfADecoder, WrittenToWhileATextGrowsIsRefusedSoon) {
  const TemporaryFolder copy;
  fs::copy(decoders_folder() / "llama", copy.path() / "llama");
  const fs::path weights = copy.path() / "llama" / "model.safetensors";
  const Model model = Model::open(copy.path() / "llama", {.device = "cpu"});
  GenerateOptions options = greedy(100);
  int pieces = 0;
  options.on_text = [&](const TextPiece&) {
    if (++pieces == 2) fs::last_write_time(weights, fs::last_write_time(weights) + std::chrono::seconds(1));
    if (pieces >= 2) std::this_thread::sleep_for(std::chrono::milliseconds(11));
  };
  const Error error = accelerate::error_of([&] { model.generate(std::vector<Prompt>{{.text = "Hello!"}}, options); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_EQ(error.where(), weights.string());
  EXPECT_EQ(pieces, 2);
}

TEST_F(ChangedFiles, CutShortBeforeTheFirstRunIsRefused) {
  const Model model = Model::open(folder());
  const std::uintmax_t size = fs::file_size(weights());
  fs::resize_file(weights(), size / 2);
  const Error error = error_of(model);
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_EQ(error.message(),
            "is " + std::to_string(size / 2) + " bytes long, was " + std::to_string(size) + " when it was opened");
}

// Runtimes map files by their paths, as late as the first run.
class ChangedFilesOnRuntimes : public ChangedFiles, public testing::WithParamInterface<std::string> {};

TEST_P(ChangedFilesOnRuntimes, RemovedOrReplacedBeforeTheFirstRunTheOldOnesStay) {
  if (const std::string why = test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
  const auto open = [&] { return Model::open(folder(), {.device = GetParam()}); };
  const Model used = open(), replaced = open(), removed = open();
  const std::vector<float> before = vector_of(used);
  replaced.mask_token();  // opens the tokenizer, which is read when it is first needed
  removed.mask_token();
  fs::copy(weights(), folder() / "new");
  fs::rename(folder() / "new", weights());
  write_into_the_middle();
  EXPECT_NE(vector_of(open()), before);
  EXPECT_EQ(vector_of(replaced), before);
  fs::remove_all(folder());
  EXPECT_EQ(vector_of(removed), before);
}

INSTANTIATE_TEST_SUITE_P(Backends, ChangedFilesOnRuntimes, testing::Values("onnx", "openvino"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace accelerate
