#include "accelerate/tensor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint/temporary_folder.hpp"
#include "core/memory.hpp"

namespace accelerate {
namespace {

constexpr DType kTypes[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32,    DType::i16,
                            DType::i8,  DType::u64, DType::u32, DType::u16,  DType::u8,  DType::boolean};

TEST(Tensor, NewTensorsAreZeroAndAligned) {
  for (const Dims& dims : {Dims{3, 5}, Dims{}, Dims{1000, 1000}}) {
    const Tensor tensor(DType::f32, dims);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % 64, 0U);
    for (const float value : tensor.as<float>()) ASSERT_EQ(value, 0.0F);
  }
}

TEST(Tensor, ATensorWithoutElementsIsNotEmpty) {
  const Tensor tensor(DType::f32, {0, 3});
  EXPECT_FALSE(tensor.empty());
  EXPECT_EQ(tensor.elements(), 0);
  EXPECT_TRUE(tensor.bytes().empty());
  EXPECT_TRUE(Tensor().empty());
  EXPECT_FALSE(Tensor::view(DType::f32, {0}, {}, nullptr).empty());
  EXPECT_TRUE(Tensor(DType::f32, {2, 0}).to(DType::f64).as<double>().empty());
}

TEST(Tensor, ADefaultTensorHasNoBytes) { EXPECT_TRUE(Tensor().bytes().empty()); }

TEST(Tensor, CopiesShareTheBuffer) {
  Tensor first(DType::f32, {2});
  const Tensor second = first;
  first.as<float>()[1] = 5;
  EXPECT_EQ(second.as<float>()[1], 5);
}

TEST(Tensor, MemoryIsCountedAndGivenBack) {
  const std::int64_t before = host_memory_use().current;
  {
    const Tensor tensor(DType::f64, {100});
    EXPECT_EQ(host_memory_use().current - before, 800);
  }
  EXPECT_EQ(host_memory_use().current, before);
}

TEST(Tensor, ShapesThatCannotBeAreRefused) {
  EXPECT_EQ(error_of([] { Tensor(DType::f32, {2, -1}); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([] { Tensor(DType::f32, {INT64_MAX, 4}); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([] { Tensor(DType::f32, {INT64_MAX}); }).kind(), ErrorKind::out_of_memory);
  EXPECT_EQ(error_of([] { Tensor(DType::u8, {std::int64_t{1} << 62}); }).kind(), ErrorKind::out_of_memory);
  EXPECT_EQ(element_count(Dims{0, INT64_MAX, INT64_MAX}), 0);
  EXPECT_EQ(element_count(Dims{INT64_MAX, INT64_MAX, 0}), 0) << "no elements, in whatever order they are counted";
}

TEST(Tensor, ValuesMustFillTheShape) {
  const Error error = error_of([] { Tensor::of<float>({2, 2}, {1, 2, 3}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(error.what(), "[2, 2]")) << error.what();
  const std::byte bytes[5] = {};
  EXPECT_EQ(error_of([&] { Tensor::view(DType::f32, {1}, bytes, nullptr); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { Tensor::view(DType::f32, {std::int64_t{1} << 62}, {}, nullptr); }).kind(),
            ErrorKind::invalid_input)
      << "4 * 2^62 bytes must not wrap around to 0";
}

TEST(Tensor, ReshapingKeepsTheElements) {
  const Tensor tensor = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(tensor.reshaped({3, 2}).as<float>()[5], 6);
  EXPECT_EQ(error_of([&] { tensor.reshaped({4}); }).kind(), ErrorKind::invalid_input);
}

TEST(Tensor, ReadingAsAnotherTypeIsOurFault) {
  EXPECT_EQ(error_of([] { Tensor(DType::f32, {1}).as<double>(); }).kind(), ErrorKind::internal);
}

TEST(Tensor, SmallIntegersSurviveEveryPairOfTypes) {
  const Tensor source = Tensor::of<std::int64_t>({3}, {0, 1, 100});
  for (const DType from : kTypes) {
    for (const DType to : kTypes) {
      if (from == DType::boolean || to == DType::boolean) continue;
      const Tensor back = source.to(from).to(to).to(DType::i64);
      EXPECT_EQ(back.as<std::int64_t>()[2], 100) << name_of(from) << " to " << name_of(to);
    }
  }
}

TEST(Tensor, EveryIntegerTypeKeepsAllItsBits) {
  const Tensor large = Tensor::of<std::int64_t>({2}, {INT64_MAX, INT64_MIN + 1});
  EXPECT_EQ(large.to(DType::u64).to(DType::i64).as<std::int64_t>()[0], INT64_MAX);
  EXPECT_EQ(large.to(DType::u64).to(DType::i64).as<std::int64_t>()[1], INT64_MIN + 1);
}

TEST(Tensor, TruthIsWhatIsNotZero) {
  const Tensor truth = Tensor::of<float>({4}, {0.0F, 0.5F, -2.0F, 256.0F}).to(DType::boolean);
  EXPECT_EQ(std::vector<bool>(truth.as<bool>().begin(), truth.as<bool>().end()),
            (std::vector<bool>{false, true, true, true}));
  EXPECT_TRUE(Tensor::of<std::int64_t>({1}, {256}).to(DType::boolean).as<bool>()[0]);
  EXPECT_EQ(truth.to(DType::f32).as<float>()[3], 1.0F);
}

TEST(Tensor, FloatsBeyondAnIntegersRangeBecomeItsNearest) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor floats = Tensor::of<float>({5}, {1e30F, -1e30F, infinity, std::nanf(""), -1.5F});
  const Tensor integers = floats.to(DType::i32);
  EXPECT_EQ(integers.as<std::int32_t>()[0], INT32_MAX);
  EXPECT_EQ(integers.as<std::int32_t>()[1], INT32_MIN);
  EXPECT_EQ(integers.as<std::int32_t>()[2], INT32_MAX);
  EXPECT_EQ(integers.as<std::int32_t>()[3], 0);
  EXPECT_EQ(integers.as<std::int32_t>()[4], -1);
  EXPECT_EQ(floats.to(DType::i64).as<std::int64_t>()[0], INT64_MAX);
  EXPECT_EQ(floats.to(DType::u8).as<std::uint8_t>()[1], 0);
}

// Rounding a double to f32 first and to half then may round twice: 1 + 2^-11 + 2^-40 lies above the midpoint between
// 1 and its neighbour in half, but is exactly that midpoint in f32.
TEST(Tensor, DoublesRoundOnceToHalf) {
  const Tensor above = Tensor::of<double>({3}, {1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-11, 1 + 0x1p-11 - 0x1p-40});
  const Tensor half = above.to(DType::f16).to(DType::f64);
  EXPECT_EQ(half.as<double>()[0], 1 + 0x1p-10);
  EXPECT_EQ(half.as<double>()[1], 1.0);
  EXPECT_EQ(half.as<double>()[2], 1.0);
  const Tensor brain = Tensor::of<double>({1}, {1 + 0x1p-8 + 0x1p-40}).to(DType::bf16).to(DType::f64);
  EXPECT_EQ(brain.as<double>()[0], 1 + 0x1p-7);
}

TEST(Tensor, ViewsNeedNotBeAligned) {
  std::vector<std::byte> bytes(9);
  const float value = 2.5F;
  std::memcpy(bytes.data() + 1, &value, 4);
  std::memcpy(bytes.data() + 5, &value, 4);
  const Tensor view = Tensor::view(DType::f32, {2}, std::span(bytes).subspan(1), nullptr);
  EXPECT_EQ(view.to(DType::f64).as<double>()[1], 2.5);
}

}  // namespace
}  // namespace accelerate
