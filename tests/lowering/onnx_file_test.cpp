// Files of a model: whole or not there.
#include "lowering/onnx_file.hpp"

#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"
#include "core/file.hpp"

namespace accelerate::lowering {
namespace {

class OnnxFile : public testing::Test {
 protected:
  OnnxFile() {
    weights_.add("a", Tensor(DType::f32, {300}));
    weights_.add("b", Tensor(DType::f32, {500}));
    weights_.add("small", Tensor(DType::f32, {2}));
    for (const char* name : {"a", "b", "small"}) {
      const Weight& weight = weights_.at(name);
      model_.initializers.push_back({.name = name, .dtype = DType::f32, .dims = weight.dims, .weight = &weight});
    }
    model_.name = "test";
    model_.opset = 17;
  }

  TemporaryFolder temporary_;
  Weights weights_;
  OnnxModel model_;
};

TEST_F(OnnxFile, BeginsWeightsAtPages) {
  const OnnxFiles files = write_onnx(model_, temporary_.path() / "new", false, {});
  EXPECT_EQ(std::filesystem::file_size(files.weights), 4096U + 500 * 4);  // the small one stays in the model
  EXPECT_EQ(files.bytes, static_cast<std::int64_t>(std::filesystem::file_size(files.weights) +
                                                   std::filesystem::file_size(files.model)));
}

TEST_F(OnnxFile, ReplacesOnlyByForce) {
  const OnnxFiles files = write_onnx(model_, temporary_.path(), false, {});
  const std::string before = read_file(files.model);
  model_.name = "another";
  const Error error = error_of([&] { write_onnx(model_, temporary_.path(), false, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), files.model.string());
  EXPECT_TRUE(contains(error.hint(), "--force")) << error.hint();
  EXPECT_EQ(read_file(files.model), before);
  write_onnx(model_, temporary_.path(), true, {});
  EXPECT_NE(read_file(files.model), before);
}

TEST_F(OnnxFile, LeavesNothingBehindWhenStopped) {
  const Cancellation cancellation;
  cancellation.cancel();
  const Error error = error_of([&] { write_onnx(model_, temporary_.path() / "new", false, cancellation); });
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  EXPECT_EQ(temporary_.entries(), 0U);
}

TEST_F(OnnxFile, SaysThatAFolderCannotBeWritten) {
  const std::filesystem::path file = temporary_.write("file", "");
  for (const std::filesystem::path& folder : {file, temporary_.path() / "missing" / "new"}) {
    const Error error = error_of([&] { write_onnx(model_, folder, false, {}); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    EXPECT_TRUE(contains(error.what(), folder.string())) << error.what();
  }
  EXPECT_EQ(temporary_.entries(), 1U);
}

}  // namespace
}  // namespace accelerate::lowering
