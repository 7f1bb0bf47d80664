#include "core/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "checkpoint/temporary_folder.hpp"
#include "core/lent_memory.hpp"
#include "core/resident.hpp"

namespace accelerate {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(HostBuffer, IsZeroAndAlignedAtEverySize) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{65}, std::size_t{5000}, kMiB / 4 - 1,
                                 kMiB / 4, kMiB, 2 * kMiB, 5 * kMiB + 1}) {
    HostBuffer buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U);
    EXPECT_TRUE(std::ranges::all_of(buffer.bytes(), [](std::byte b) { return b == std::byte{}; })) << size;
    std::ranges::fill(buffer.bytes(), std::byte{1});
  }
}

TEST(HostBuffer, IsCountedWhileItLives) {
  const std::int64_t before = host_memory_use().current;
  {
    HostBuffer first(1000);
    HostBuffer second(3 * kMiB);
    EXPECT_EQ(host_memory_use().current - before, 1000 + 3 * static_cast<std::int64_t>(kMiB));
    HostBuffer third = std::move(first);
    first = std::move(third);
    second = HostBuffer();
  }
  EXPECT_EQ(host_memory_use().current, before);
}

TEST(HostBuffer, AssigningGivesTheOldMemoryBackAtOnce) {
  HostBuffer buffer(4 * kMiB);
  const std::int64_t before = host_memory_use().current;
  HostBuffer small(64);
  buffer = std::move(small);
  EXPECT_EQ(host_memory_use().current, before + 64 - 4 * static_cast<std::int64_t>(kMiB));
  EXPECT_EQ(buffer.size(), 64U);
}

TEST(HostBuffer, ThePeakIsRemembered) {
  reset_peak_host_memory();
  const std::int64_t before = host_memory_use().current;
  { const HostBuffer buffer(kMiB); }
  EXPECT_EQ(host_memory_use().peak, before + static_cast<std::int64_t>(kMiB));
  reset_peak_host_memory();
  EXPECT_EQ(host_memory_use().peak, before);
}

TEST(HostBuffer, TooMuchIsAnError) {
  EXPECT_EQ(error_of([] { HostBuffer(std::size_t{1} << 60); }).kind(), ErrorKind::out_of_memory);
  EXPECT_EQ(error_of([] { HostBuffer(~std::size_t{0}); }).kind(), ErrorKind::out_of_memory);
}

// Huge pages must not make memory resident that was never asked for: what lies behind the buffer's end, or in an arena
// of which a part is used.
TEST(HostBuffer, ResidentSizeIsWhatIsTouched) {
  if (!kResidentSizeCounts) GTEST_SKIP() << kResidentSizeOff;
  constexpr auto kSlack = static_cast<std::int64_t>(3 * kMiB);
  const std::int64_t before = resident_memory().current;
  ASSERT_GT(before, 0);
  HostBuffer buffer(64 * kMiB);
  EXPECT_LT(resident_memory().current - before, kSlack);
  std::fill_n(buffer.data(), 16 * kMiB, std::byte{1});
  EXPECT_LT(resident_memory().current - before, static_cast<std::int64_t>(16 * kMiB) + kSlack);
  buffer = HostBuffer();
  EXPECT_LT(resident_memory().current - before, kSlack);
}

TEST(LentMemory, IsUsedAgainOnceNobodyHasIt) {
  LentMemory memory;
  std::shared_ptr<HostBuffer> first = memory.lend(1000);
  EXPECT_EQ(first->size(), 1000U);
  const std::byte* place = first->data();
  std::shared_ptr<HostBuffer> copy = first, second = memory.lend(1000);
  EXPECT_NE(second->data(), place);
  first.reset();
  EXPECT_NE(memory.lend(1000)->data(), place) << "somebody has it still";
  copy.reset();
  EXPECT_EQ(memory.lend(1000)->data(), place);
}

TEST(LentMemory, HoldsOneBufferAtMostAndNoneOfAnotherSize) {
  const std::int64_t before = host_memory_use().current;
  const auto held = [&] { return host_memory_use().current - before; };
  std::shared_ptr<HostBuffer> last;
  {
    LentMemory memory;
    { const auto one = memory.lend(1000), two = memory.lend(1000); }
    EXPECT_EQ(held(), 1000);
    reset_peak_host_memory();
    last = memory.lend(static_cast<std::size_t>(kMiB));
    EXPECT_EQ(held(), static_cast<std::int64_t>(kMiB));
    EXPECT_EQ(host_memory_use().peak - before, static_cast<std::int64_t>(kMiB)) << "the old is freed first";
  }
  EXPECT_EQ(held(), static_cast<std::int64_t>(kMiB)) << "it outlives who lent it";
  last.reset();
  EXPECT_EQ(held(), 0);
}

}  // namespace
}  // namespace accelerate
