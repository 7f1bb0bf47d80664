// Batches cut into parts: which are, how, and with what sizes.
#include "backends/cpu/parts.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "graph/builder.hpp"

namespace accelerate::cpu {
namespace {

std::vector<Part> cut_lengths(std::vector<std::int64_t> lengths, int threads) {
  Extents extents;
  extents.set_ragged("tokens", std::move(lengths));
  return cut(extents, "tokens", threads);
}

std::vector<std::int64_t> rows_of(const std::vector<Part>& parts) {
  std::vector<std::int64_t> rows;
  for (const Part& part : parts) rows.push_back(part.rows);
  return rows;
}

using Rows = std::vector<std::int64_t>;

TEST(Parts, EqualSequencesAreSharedOutEvenly) {
  EXPECT_EQ(rows_of(cut_lengths(Rows(8, 128), 2)), Rows(8, 128));
  EXPECT_EQ(rows_of(cut_lengths(Rows(8, 128), 1)), Rows(8, 128));
  EXPECT_EQ(rows_of(cut_lengths(Rows(8, 16), 2)), (Rows{64, 64}));
  EXPECT_EQ(rows_of(cut_lengths(Rows(4, 512), 2)), Rows(4, 512));
}

TEST(Parts, WhatWouldNotPayRunsWhole) {
  EXPECT_EQ(cut_lengths({512}, 2).size(), 1U) << "one sequence";
  EXPECT_EQ(cut_lengths({16, 16}, 2).size(), 1U) << "too few rows for two threads to read the weights twice";
  EXPECT_EQ(cut_lengths({512, 512, 512}, 2).size(), 1U) << "one thread would be idle for half of the time";
  EXPECT_EQ(cut_lengths({}, 2).size(), 1U);
}

TEST(Parts, EveryItemIsInOnePart) {
  Rows lengths;
  for (std::int64_t i = 0; i < 61; ++i) lengths.push_back(120 - i * 37 % 117);
  for (const int threads : {1, 2, 3, 5}) {
    const std::vector<Part> parts = cut_lengths(lengths, threads);
    ASSERT_GT(parts.size(), static_cast<std::size_t>(threads));
    std::int64_t item = 0, row = 0;
    for (const Part& part : parts) {
      EXPECT_EQ(part.first_item, item);
      EXPECT_EQ(part.first_row, row);
      std::int64_t rows = 0;
      for (std::int64_t i = 0; i < part.items; ++i) rows += lengths[static_cast<std::size_t>(item + i)];
      EXPECT_EQ(part.rows, rows);
      item += part.items;
      row += part.rows;
    }
    EXPECT_EQ(item, 61);
    EXPECT_EQ(row, std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}));
  }
}

TEST(Parts, AFewRowsAreNeverByThemselves) {
  EXPECT_EQ(rows_of(cut_lengths({90, 90, 90, 90, 90, 110, 3}, 2)), (Rows{90, 90, 90, 90, 90, 113}));
  EXPECT_EQ(rows_of(cut_lengths({3, 250, 250, 250, 250}, 2)), (Rows{253, 250, 250, 250}));
}

TEST(Parts, SizesOfOnePart) {
  Extents extents;
  extents.set_ragged("tokens", {3, 1, 2});
  extents.set_seen("tokens", {1, 0, 1, 1, 0, 1});
  const Extents own = extents_of(extents, "tokens", {.first_item = 1, .items = 2, .first_row = 3, .rows = 3});
  EXPECT_EQ(own.at("batch"), 2);
  EXPECT_EQ(own.at("tokens"), 2);
  EXPECT_EQ(own.lengths("tokens"), (Rows{1, 2}));
  const auto seen = own.seen("tokens");
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), (std::vector<int>{1, 0, 1}));
}

}  // namespace
}  // namespace accelerate::cpu
