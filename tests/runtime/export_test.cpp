// export_onnx as a program meets it. That others read the files is for tests/tools/export_test.py.
#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

class ExportOnnx : public testing::Test {
 protected:
  ExportOnnx() { records_.set("ACCELERATE_RECORDS", "off"); }
  ExportedModel exported(const ExportOptions& options) const {
    return export_onnx(model_folder("bert"), folder_.path() / "out", options);
  }

  TemporaryFolder folder_;
  test::Environment records_;
};

TEST_F(ExportOnnx, ListsThePrecisionsThatThereAreAndThoseThatItWrites) {
  const Error unknown = error_of([&] { exported({.precision = "int9"}); });
  EXPECT_EQ(unknown.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(unknown.message(), "int8")) << unknown.what();
  for (const char* precision : {"bf16", "int4"}) {
    const Error error = error_of([&] { exported({.precision = precision}); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_TRUE(contains(error.message(), "only f32, f16 and int8")) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out"));
}

TEST_F(ExportOnnx, SaysWhatATaskLacks) {
  const Error error = error_of([&] { exported({.task = "text-generation"}); });
  EXPECT_TRUE(contains(error.message(), "does not do text-generation")) << error.what();
}

TEST_F(ExportOnnx, TakesTheOldestOpsetThatAPrecisionHas) {
  EXPECT_EQ(error_of([&] { exported({.opset = 20, .precision = "int8"}); }).kind(), ErrorKind::unsupported);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out"));
  const ExportedModel int8 = exported({.precision = "int8"});
  EXPECT_GT(int8.layers, 0);
  EXPECT_TRUE(int8.kept_in_f32.empty());
  EXPECT_EQ(exported({.force = true}).layers, 0) << "f32 changes none";
  EXPECT_GT(exported({.opset = 23, .precision = "int8", .force = true}).bytes, 0);
}

}  // namespace
}  // namespace accelerate
