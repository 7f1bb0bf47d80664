// Blocks in regions of pages: never over each other, zeroed when they come again, and given back to the system.
#include "core/page_regions.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "core/memory.hpp"
#include "core/resident.hpp"

namespace accelerate {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// By whole functions, which sanitizers look at once and not at every byte.
bool all_are(const std::byte* data, std::size_t size, std::byte value) {
  return data[0] == value && std::memcmp(data, data + 1, size - 1) == 0;
}
void fill(std::byte* data, std::size_t size, std::byte value) { std::memset(data, std::to_integer<int>(value), size); }

// Takes and gives back at random; each block is filled with a number of its own and checked when it goes.
void churn(PageRegions& regions, unsigned seed) {
  std::mt19937 generator(seed);
  struct Block {
    std::byte* data;
    std::size_t size;
    std::byte mark;
  };
  std::vector<Block> held;
  for (int step = 0; step < 300; ++step) {
    if (held.size() > 12 || (!held.empty() && generator() % 3 == 0)) {
      std::swap(held[generator() % held.size()], held.back());
      const Block block = held.back();
      held.pop_back();
      ASSERT_TRUE(all_are(block.data, block.size, block.mark)) << "somebody else wrote into it";
      regions.give_back(block.data, block.size);
      continue;
    }
    const std::size_t size = 1 + generator() % (step % 10 == 0 ? 9 * kMiB : kMiB / 2);
    const Block block{regions.take(size), size, static_cast<std::byte>(1 + generator() % 255)};
    ASSERT_NE(block.data, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block.data) % 4096, 0U);
    ASSERT_TRUE(all_are(block.data, size, std::byte{})) << "not zeroed";
    fill(block.data, size, block.mark);
    held.push_back(block);
  }
  for (const Block& block : held) regions.give_back(block.data, block.size);
}

TEST(PageRegions, BlocksAreZeroedAndApart) {
  PageRegions regions;
  for (unsigned seed = 0; seed < 4; ++seed) churn(regions, seed);
}

TEST(PageRegions, ServeSeveralThreads) {
  PageRegions regions;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back([&regions, seed] { churn(regions, seed); });
  for (std::thread& thread : threads) thread.join();
}

TEST(PageRegions, WhatWasGivenBackIsTakenFirst) {
  PageRegions regions;
  std::byte* first = regions.take(kMiB);
  std::byte* second = regions.take(kMiB);
  std::byte* third = regions.take(kMiB);
  regions.give_back(first, kMiB);
  regions.give_back(second, kMiB);
  EXPECT_EQ(regions.take(2 * kMiB), first) << "the two are one again";
  std::byte* large = regions.take(100 * kMiB);
  ASSERT_NE(large, nullptr) << "larger than a region: it has one of its own";
  large[100 * kMiB - 1] = std::byte{1};
  regions.give_back(large, 100 * kMiB);
  regions.give_back(third, kMiB);
  regions.give_back(first, 2 * kMiB);
}

TEST(PageRegions, PagesGoBackToTheSystem) {
  if (!kResidentSizeCounts) GTEST_SKIP() << kResidentSizeOff;
  constexpr auto kSlack = static_cast<std::int64_t>(3 * kMiB);
  PageRegions regions;
  const std::int64_t before = resident_memory().current;
  std::byte* stays = regions.take(kMiB);
  std::byte* goes = regions.take(32 * kMiB);
  fill(goes, 32 * kMiB, std::byte{1});
  EXPECT_GT(resident_memory().current - before, static_cast<std::int64_t>(31 * kMiB));
  regions.give_back(goes, 32 * kMiB);
  EXPECT_LT(resident_memory().current - before, kSlack) << "although a block of the region is still there";
  regions.give_back(stays, kMiB);
}

TEST(PageRegions, MoreThanThereIsGivesNothing) {
  PageRegions regions;
  EXPECT_EQ(regions.take(std::size_t{1} << 60), nullptr);
  EXPECT_EQ(regions.take(~std::size_t{0}), nullptr);
  std::byte* data = regions.take(1);
  ASSERT_NE(data, nullptr);
  regions.give_back(data, 1);
}

}  // namespace
}  // namespace accelerate
