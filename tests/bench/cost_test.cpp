// Operations, bytes and what they take at least.
#include "bench/cost.hpp"

#include <gtest/gtest.h>

#include "bench/workload.hpp"

namespace accelerate::bench {
namespace {

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/models" / name;
}

// BERT of 2 layers, 32 wide, 64 inside: what a person would add up.
TEST(Cost, ATinyBertByHand) {
  const Subject subject(fixture("bert"), {.threads = 1}, "");
  Workload workload{.batch = 3, .tokens = 10};
  const std::vector<SizedRun> runs = subject.runs_of(workload);
  const Work work = subject.work(runs);
  const std::int64_t rows = 30, products = 2 * (4 * 32 * 32 + 2 * 32 * 64) * rows * 2;
  EXPECT_GT(work.flops, products);
  EXPECT_LT(work.flops, products * 13 / 10);
  const std::int64_t weights = 2 * (4 * (32 * 32 + 32) + (32 * 64 + 64) + (64 * 32 + 32) + 4 * 32) + 2 * 32;
  const std::int64_t looked_up = 4 * (30 + 2 + 30) * 32;
  EXPECT_EQ(work.weight_bytes, 4 * weights + looked_up);
  EXPECT_EQ(work.activation_bytes, 0);
}

TEST(Cost, WeightsOfProductsCountInTheirPrecision) {
  const Subject subject(fixture("bert"), {.threads = 1}, "");
  Workload workload{.batch = 1, .tokens = 4};
  const Extents extents = subject.runs_of(workload).front().extents;
  CompileOptions f32, int8, mixed;
  int8.precision = Precision::int8;
  mixed.precision = Precision::int8;
  mixed.overrides["encoder.layer.1.output.dense"] = Precision::f32;
  const auto bytes = [&](const CompileOptions& options) {
    return work_of(subject.graph(), extents, options).weight_bytes;
  };
  const std::int64_t matrices = 2 * (4 * 32 * 32 + 2 * 32 * 64);
  EXPECT_EQ(bytes(f32) - bytes(int8), 3 * matrices + 3 * 2 * (4 * 32 + 64 + 32));
  EXPECT_EQ(bytes(mixed) - bytes(int8), 3 * (32 * 64 + 32));
}

// llama is of bf16, and in a GGUF file its rows of queries and keys take turns; mistral is of f16.
TEST(Cost, WhatHas16BitsInTheFileIsReadAsThat) {
  constexpr std::int64_t kLlama = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 88;
  constexpr std::int64_t kMistral = 2 * 48 * 48 + 2 * 24 * 48 + 3 * 48 * 80;
  for (const auto& [name, layer] : {std::pair{"decoders/llama", kLlama}, std::pair{"gguf/llama_bf16.gguf", kLlama},
                                    std::pair{"decoders/mistral", kMistral}}) {
    const Subject subject(fixture(std::string("../") + name), {.device = "cpu", .threads = 1}, "embed");
    Workload workload{.batch = 1, .tokens = 4};
    const Extents extents = subject.runs_of(workload).front().extents;
    const auto bytes = [&](const Weights* kept) {
      return work_of(subject.graph(), extents, subject.options(), kept).weight_bytes;
    };
    EXPECT_EQ(bytes(nullptr) - bytes(subject.kept_weights()), 2 * 2 * layer) << name;
    EXPECT_EQ(bytes(nullptr), work_of(subject.graph(), extents, subject.options()).weight_bytes);
  }
}

TEST(Cost, TheSlowerOfBothLimits) {
  Limits limits;
  limits.operations_per_second = 100;
  limits.read_bytes_per_second = {{1 << 10, 1000.0}, {1 << 20, 10.0}};
  const Bound computing = bound_of({.flops = 1000, .weight_bytes = 50}, limits, 1 << 20);
  EXPECT_TRUE(computing.by_operations);
  EXPECT_DOUBLE_EQ(computing.seconds, 10);
  const Bound reading = bound_of({.flops = 100, .weight_bytes = 50, .activation_bytes = 2000}, limits, 1 << 21);
  EXPECT_FALSE(reading.by_operations);
  EXPECT_DOUBLE_EQ(reading.seconds, 5 + 2);
}

TEST(Cost, SpeedsOfWorkingSetsBetweenTheMeasured) {
  Limits limits;
  EXPECT_EQ(limits.read_speed(5), 0);
  limits.read_bytes_per_second = {{1024, 3.0}, {4096, 2.0}};
  EXPECT_EQ(limits.read_speed(1), 3);
  EXPECT_EQ(limits.read_speed(1024), 3);
  EXPECT_EQ(limits.read_speed(4095), 3);
  EXPECT_EQ(limits.read_speed(4096), 2);
  EXPECT_EQ(limits.read_speed(1 << 30), 2);
}

TEST(Cost, TheBetterOfTwoMeasurements) {
  const Limits a{10, {{1024, 5.0}, {2048, 1.0}}}, b{9, {{1024, 6.0}, {4096, 2.0}}};
  const Limits best = Limits::best_of(a, b);
  EXPECT_EQ(best.operations_per_second, 10);
  EXPECT_EQ(best.read_bytes_per_second, (std::map<std::int64_t, double>{{1024, 6.0}, {2048, 1.0}, {4096, 2.0}}));
}

TEST(Cost, TheMachineIsMeasured) {
  hardware::LimitMeter meter(1);
  const std::vector<std::int64_t> sets{100 << 10, 100 << 10, 45 << 20};
  const Limits limits = measure_limits(meter, Precision::f32, sets);
  EXPECT_GT(limits.operations_per_second, 1e8);
  ASSERT_EQ(limits.read_bytes_per_second.size(), 2U);
  EXPECT_EQ(limits.read_bytes_per_second.begin()->first, 96 << 10);
  EXPECT_EQ(limits.read_bytes_per_second.rbegin()->first, 44 << 20);
  EXPECT_GT(limits.read_speed(100 << 10), 1e7);
  EXPECT_GT(limits.read_speed(45 << 20), 1e7);
}

}  // namespace
}  // namespace accelerate::bench
