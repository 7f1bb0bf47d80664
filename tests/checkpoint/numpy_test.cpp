#include "checkpoint/numpy.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

TEST(Numpy, RowsAppendedAreReadBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "vectors.npy";
  NpyWriter writer(path, DType::f32, {3});
  writer.append(Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  writer.append(Tensor::of<float>({3}, {7, 8, 9}));
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.commit();
  const Tensor read = read_npy(path);
  EXPECT_EQ(read.dims(), (Dims{3, 3}));
  EXPECT_EQ(read.dtype(), DType::f32);
  EXPECT_EQ(read.as<float>()[8], 9);
}

// The first bytes as numpy.save writes them: version 1.0, data at a multiple of 64, a dictionary that Python can read.
TEST(Numpy, HeaderIsWhatTheFormatAsksFor) {
  const TemporaryFolder folder;
  NpyWriter writer(folder.path() / "x.npy", DType::i64, {2, 5});
  writer.append(Tensor(DType::i64, {4, 2, 5}));
  writer.commit();
  const std::string file = read_file(folder.path() / "x.npy");
  EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ((file.size() - 4 * 2 * 5 * 8) % 64, 0U);
  EXPECT_TRUE(contains(file, "{'descr': '<i8', 'fortran_order': False, 'shape': (4, 2, 5), }"));
  EXPECT_EQ(file[file.size() - 4 * 2 * 5 * 8 - 1], '\n');
}

TEST(Numpy, NoRowsAndRowsWithoutDimensions) {
  const TemporaryFolder folder;
  NpyWriter none(folder.path() / "none.npy", DType::f32, {4});
  none.commit();
  EXPECT_EQ(read_npy(folder.path() / "none.npy").dims(), (Dims{0, 4}));
  NpyWriter flat(folder.path() / "flat.npy", DType::i64, {});
  flat.append(Tensor::of<std::int64_t>({2}, {5, 6}));
  flat.append(Tensor::of<std::int64_t>({}, {7}));
  flat.commit();
  EXPECT_EQ(read_npy(folder.path() / "flat.npy").dims(), (Dims{3}));
  EXPECT_EQ(read_npy(folder.path() / "flat.npy").as<std::int64_t>()[2], 7);
}

TEST(Numpy, OtherTypesAreConverted) {
  const TemporaryFolder folder;
  NpyWriter writer(folder.path() / "x.npy", DType::f32, {1});
  writer.append(Tensor::of<float>({1, 1}, {0.5F}).to(DType::bf16));
  writer.commit();
  EXPECT_EQ(read_npy(folder.path() / "x.npy").as<float>()[0], 0.5F);
}

TEST(Numpy, RowsOfAnotherShapeAreRefusedAndNothingIsLeft) {
  const TemporaryFolder folder;
  {
    NpyWriter writer(folder.path() / "x.npy", DType::f32, {3});
    const Error error = error_of([&] { writer.append(Tensor(DType::f32, {2, 4})); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    EXPECT_TRUE(contains(error.what(), "[2, 4]")) << error.what();
  }
  EXPECT_EQ(error_of([&] { NpyWriter(folder.path() / "y.npy", DType::f16, {3}); }).kind(), ErrorKind::unsupported);
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(Numpy, APipeGetsTheSameBytesAsAFile) {
  const TemporaryFolder folder;
  const auto write_to = [](const std::filesystem::path& path) {
    NpyWriter writer(path, DType::f32, {2});
    for (int i = 0; i < 3; ++i) writer.append(Tensor::of<float>({2}, {1, 2}));
    writer.commit();
  };
  write_to(folder.path() / "file.npy");
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_to(pipe); });
  std::ifstream reader(pipe, std::ios::binary);
  const std::string got((std::istreambuf_iterator<char>(reader)), std::istreambuf_iterator<char>());
  writer.join();
  EXPECT_EQ(got, read_file(folder.path() / "file.npy"));
}

TEST(Numpy, BrokenFilesAreErrors) {
  const TemporaryFolder folder;
  NpyWriter writer(folder.path() / "x.npy", DType::f32, {2});
  writer.append(Tensor::of<float>({2}, {1, 2}));
  writer.commit();
  const std::string whole = read_file(folder.path() / "x.npy");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    folder.write("cut.npy", whole.substr(0, size));
    EXPECT_EQ(error_of([&] { read_npy(folder.path() / "cut.npy"); }).kind(), ErrorKind::corrupted) << size;
  }
  std::string columns = whole;
  columns.replace(columns.find("False"), 5, "True ");
  folder.write("columns.npy", columns);
  EXPECT_EQ(error_of([&] { read_npy(folder.path() / "columns.npy"); }).kind(), ErrorKind::unsupported);
}

}  // namespace
}  // namespace accelerate
