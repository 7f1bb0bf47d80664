// A model that a device does not take is recorded, and the caller's error is the device's own.
#include <gtest/gtest.h>

#include "accelerate/accelerate.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"
#include "records/records.hpp"

namespace accelerate {
namespace {

const std::filesystem::path kModel = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/models/bert";

class LoadFailure : public testing::Test {
 protected:
  Error fail() const {
    // A layer in a precision that there are no kernels for.
    return error_of([] { Model::open(kModel, {.layer_precisions = {{"encoder.layer.0", "int4"}}}).prepare(); });
  }
  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "r.sqlite";
  test::Environment environment_;
};

TEST_F(LoadFailure, IsRecordedWithDeviceAndModel) {
  environment_.set("ACCELERATE_RECORDS", file_.string());
  const Error error = fail();
  fail();
  EXPECT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
  const auto errors = records::Records(file_, records::Access::read).compatibility_errors();
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].hardware, "cpu");
  EXPECT_EQ(errors[0].kind, "unsupported");
  EXPECT_EQ(errors[0].component, "load");
  EXPECT_EQ(errors[0].model, kModel.lexically_normal().string());
  EXPECT_TRUE(contains(errors[0].message, error.message())) << errors[0].message;
  EXPECT_EQ(errors[0].times, 2);
}

TEST_F(LoadFailure, OfAPrecisionThatIsNotOfferedIsNone) {
  environment_.set("ACCELERATE_RECORDS", file_.string());
  const Error error = error_of([] { Model::open(kModel, {.precision = "int4"}).prepare(); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(LoadFailure, IsTheSameErrorWhereNothingCanBeRecorded) {
  environment_.set("ACCELERATE_RECORDS", (folder_.write("file", "") / "r.sqlite").string());
  EXPECT_EQ(fail().kind(), ErrorKind::unsupported);
}

}  // namespace
}  // namespace accelerate
