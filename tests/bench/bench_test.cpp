// Rows of tiny models: every figure is there, and they agree with one another.
#include "bench/bench.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "accelerate/version.hpp"
#include "bench/measure.hpp"
#include "bench/row_json.hpp"
#include "core/file.hpp"
#include "core/thread_pool.hpp"

namespace accelerate::bench {
namespace {

namespace fs = std::filesystem;

fs::path fixture(const std::string& name) { return fs::path(ACCELERATE_TESTS_DIR) / "goldens/models" / name; }

Options quick(const std::string& model) {
  ::setenv("ACCELERATE_RECORDS", "off", 1);  // what was found on this machine decides nothing here
  Options options;
  options.model = fixture(model);
  options.tokens = {16};
  options.seconds = 0.05;
  return options;
}

void expect_consistent(const Row& row) {
  ASSERT_EQ(row.state, State::measured) << row.reason;
  const Summary& t = row.times;
  EXPECT_GE(t.samples, 3U);
  EXPECT_GT(t.min, 0);
  EXPECT_LE(t.min, t.p50);
  EXPECT_LE(t.p50, t.p90);
  EXPECT_LE(t.p90, t.p99);
  EXPECT_GT(row.load_ms, 0);
  EXPECT_GT(row.first_ms, 0);
  EXPECT_NEAR(row.throughput_per_s, 1e3 * static_cast<double>(row.batch) / t.p50, 1e-6 * row.throughput_per_s);
  EXPECT_NEAR(row.tokens_per_s, 1e3 * static_cast<double>(row.rows) / t.p50, 1e-6 * row.tokens_per_s);
  EXPECT_GT(row.flops, 0);
  EXPECT_GT(row.limit_gflops, 0);
  EXPECT_GT(row.limit_gbytes, 0);
  EXPECT_GT(row.limit_ms, 0);
  EXPECT_NEAR(row.share_of_limit, row.limit_ms / t.p50, 1e-9);
  EXPECT_GT(row.conditions.wall_seconds, 0);
  EXPECT_GE(row.threads, 1);
}

TEST(Bench, EveryRowThatWasAskedFor) {
  Options options = quick("bert");
  options.batches = {1, 3};
  options.tokens = {8, 16};
  std::vector<std::string> seen;
  options.finished = [&](const Row& row) {
    seen.push_back(std::to_string(row.batch) + "x" + std::to_string(row.tokens));
  };
  const Report report = bench(options);
  EXPECT_EQ(seen, (std::vector<std::string>{"1x8", "3x8", "1x16", "3x16"}));
  ASSERT_EQ(report.rows.size(), 4U);
  for (const Row& row : report.rows) expect_consistent(row);
  EXPECT_EQ(report.rows[3].rows, 48);
  EXPECT_FALSE(report.interrupted);
  EXPECT_EQ(report.model.content_hash.size(), 64U);
}

// What `inspect` says of the same sizes, and what is allocated, within the promise of 5 % or 8 MB.
TEST(Bench, MemoryIsWhatInspectPredicts) {
  for (const char* model : {"bert", "modernbert", "bert_masked_lm", "roberta_token_classification", "st_two_dense"}) {
    Options options = quick(model);
    options.batches = {5};
    const Row row = bench(options).rows.at(0);
    expect_consistent(row);
    const Inspection seen = inspect(options.model, {.batches = {5}, .tokens = {16}, .threads = row.threads});
    EXPECT_EQ(row.predicted_bytes, seen.memory.at(0).total) << model;
    EXPECT_EQ(row.flops, seen.memory.at(0).flops) << model;
    EXPECT_LT(std::abs(row.peak_bytes - row.predicted_bytes), 8 << 20) << model;
    EXPECT_GT(row.peak_bytes, row.predicted_bytes / 2) << model;
  }
}

TEST(Bench, EveryTaskOfTexts) {
  for (const char* model :
       {"sentence_transformer", "bert_masked_lm", "cross_encoder", "bert_entities", "bert_question_answering"}) {
    Options options = quick(model);
    options.texts = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"let there be light", "and", "and the earth was without form, and void"});
    const Row row = bench(options).rows.at(0);
    expect_consistent(row);
    EXPECT_EQ(row.workload, "texts");
    EXPECT_EQ(row.batch, 3);
    EXPECT_LT(row.rows, 3 * row.tokens) << "no padding is counted";
    EXPECT_GT(row.rows, row.tokens);
  }
}

TEST(Bench, WhatThePrecisionLacksIsARow) {
  Options options = quick("bert");
  options.precisions = {"int4", "f32"};
  const Report report = bench(options);
  ASSERT_EQ(report.rows.size(), 2U);
  EXPECT_EQ(report.rows[0].state, State::unsupported);
  EXPECT_NE(report.rows[0].reason.find("int4"), std::string::npos) << report.rows[0].reason;
  expect_consistent(report.rows[1]);
}

template <typename Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::internal, "none");
}

TEST(Bench, SizesOutOfRangeAreNamed) {
  Options options = quick("bert");
  options.tokens = {16, 129};
  const Error longer = error_of([&] { bench(options); });
  EXPECT_EQ(longer.kind(), ErrorKind::invalid_input);
  EXPECT_STREQ(longer.what(), "tokens: is 129, expected 1 to 128");
  options.tokens = {0};
  EXPECT_STREQ(error_of([&] { bench(options); }).what(), "tokens: is 0, expected 1 to 128");
  options.tokens = {16};
  options.batches = {-1};
  EXPECT_STREQ(error_of([&] { bench(options); }).what(), "batch: is -1, expected 1 to 1048576");
  options.batches = {1};
  options.seconds = 0;
  EXPECT_EQ(error_of([&] { bench(options); }).where(), "seconds");
  options.model = "no such folder";
  EXPECT_EQ(error_of([&] { bench(options); }).kind(), ErrorKind::not_found);
}

TEST(Bench, AutoBecomesAPrecisionAndUnknownOnesAreRefused) {
  Options options = quick("bert");
  options.precisions = {"auto"};
  const Row row = bench(options).rows.at(0);
  expect_consistent(row);
  EXPECT_NE(row.precision, "auto");
  EXPECT_NO_THROW(precision_named(row.precision));
  options.precisions = {"f31"};
  EXPECT_EQ(error_of([&] { bench(options); }).kind(), ErrorKind::invalid_input);
}

TEST(Bench, MoreThreadsThanAllowedAreSaidAndLimited) {
  Options options = quick("bert");
  options.threads = 1000;
  std::vector<std::string> notes;
  options.note = [&](const std::string& text) { notes.push_back(text); };
  const Row row = bench(options).rows.at(0);
  EXPECT_EQ(row.threads, cpu_allowance().usable);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("1000 threads were asked for"), std::string::npos) << notes[0];
}

TEST(Bench, StoppedInTheMiddleItKeepsWhatItHas) {
  Options options = quick("bert");
  options.batches = {1, 2, 3};
  options.finished = [&](const Row& row) {
    if (row.batch == 2) options.cancellation.cancel();
  };
  const Report report = bench(options);
  EXPECT_TRUE(report.interrupted);
  ASSERT_EQ(report.rows.size(), 3U);
  expect_consistent(report.rows[0]);
  expect_consistent(report.rows[1]);
  EXPECT_EQ(report.rows[2].state, State::untested);
  EXPECT_EQ(report.rows[2].batch, 3);
}

class Recorded : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("bench_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path database() const { return folder_ / "records.sqlite"; }
  fs::path folder_;
};

// A model that takes 100000 tokens: a million such texts are more than any machine has.
TEST_F(Recorded, MoreThanThereIsIsRefusedBeforeItIsTaken) {
  fs::copy(fixture("modernbert"), folder_ / "model");
  std::string config = read_file(folder_ / "model/config.json");
  const std::string length = "\"max_position_embeddings\": ";
  const std::size_t at = config.find(length) + length.size();
  config.replace(at, config.find_first_not_of("0123456789", at) - at, "100000");
  std::ofstream(folder_ / "model/config.json") << config;

  Options options = quick("modernbert");
  options.model = folder_ / "model";
  options.batches = {1 << 20};
  options.tokens = {100000};
  reset_peak_memory();
  const Row row = bench(options).rows.at(0);
  EXPECT_EQ(row.state, State::refused);
  EXPECT_EQ(row.error, ErrorKind::out_of_memory);
  EXPECT_GT(row.predicted_bytes, available_memory());
  EXPECT_NE(row.reason.find("are available"), std::string::npos) << row.reason;
  EXPECT_LT(memory_use().allocated_peak, 64 << 20);
}

TEST_F(Recorded, EachRowWithItsFigures) {
  records::Recorder recorder(database(), [](const std::string& text) { ADD_FAILURE() << text; });
  Options options = quick("bert");
  options.batches = {2, 4};
  options.recorder = &recorder;
  std::size_t finished = 0;
  options.finished = [&](const Row& row) {
    EXPECT_FALSE(row.record.empty());
    // It is on disk by now, for everybody.
    EXPECT_EQ(records::Records(database(), records::Access::read).list({}).size(), ++finished);
  };
  const Report report = bench(options);
  const records::Records kept(database(), records::Access::read);
  for (const Row& row : report.rows) {
    const records::Record record = kept.find(row.record);
    EXPECT_EQ(record.model.content_hash, report.model.content_hash);
    EXPECT_EQ(record.precision, "f32");
    EXPECT_EQ(record.device.name, "cpu");
    EXPECT_EQ(record.device.level, row.level);
    const auto& m = std::get<records::Measurement>(record.content);
    EXPECT_EQ(m.batch, row.batch);
    EXPECT_EQ(m.tokens, 16);
    EXPECT_EQ(m.threads, row.threads);
    EXPECT_EQ(m.p50_ms, row.times.p50);
    EXPECT_EQ(m.peak_bytes, row.peak_bytes);
    EXPECT_EQ(m.predicted_bytes, row.predicted_bytes);
    EXPECT_EQ(m.share_of_limit, row.share_of_limit);
  }
}

TEST_F(Recorded, ALostRecordIsSaidAndTheRowIsThere) {
  fs::create_directory(database());  // no file can be made there
  std::vector<std::string> notes;
  records::Recorder recorder(database(), [&](const std::string& text) { notes.push_back(text); });
  Options options = quick("bert");
  options.recorder = &recorder;
  const Row row = bench(options).rows.at(0);
  expect_consistent(row);
  EXPECT_TRUE(row.record.empty());
  EXPECT_EQ(recorder.lost(), 1U);
  ASSERT_FALSE(notes.empty());
  EXPECT_NE(notes.back().find("not recorded"), std::string::npos) << notes.back();
}

TEST_F(Recorded, TheBestBatchWithinABound) {
  records::Recorder recorder(database(), [](const std::string& text) { ADD_FAILURE() << text; });
  Options options = quick("bert");
  options.recorder = &recorder;
  options.search = SearchBound{.memory_bytes = 250000};
  const Report report = bench(options);
  const auto chosen = std::ranges::find(report.rows, true, &Row::chosen);
  ASSERT_NE(chosen, report.rows.end());
  EXPECT_EQ(std::ranges::count(report.rows, true, &Row::chosen), 1);
  EXPECT_LE(chosen->peak_bytes, 250000);
  for (const Row& row : report.rows) {
    EXPECT_TRUE(row.state == State::measured || (row.state == State::refused && row.predicted_bytes > 250000));
    if (row.state == State::measured && row.peak_bytes <= 250000) {
      EXPECT_LE(0.98 * row.throughput_per_s, chosen->throughput_per_s);
    }
  }
  const auto found = recorder.latest<records::BatchChoice>({.model = report.model.content_hash});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->content().batch, chosen->batch);
  EXPECT_EQ(found->content().tokens, 16);
  EXPECT_EQ(found->content().bound, "memory_bytes");
  EXPECT_EQ(found->content().bound_value, 250000);
}

TEST_F(Recorded, NothingIsChosenWhereNothingKeepsToTheBound) {
  records::Recorder recorder(database(), [](const std::string& text) { ADD_FAILURE() << text; });
  Options options = quick("bert");
  options.recorder = &recorder;
  options.search = SearchBound{.latency_ms = 1e-6};
  const Report report = bench(options);
  ASSERT_EQ(report.rows.size(), 1U);
  EXPECT_FALSE(report.rows[0].chosen);
  EXPECT_FALSE(recorder.latest<records::BatchChoice>({}));
}

TEST(BenchJson, HasTheFieldsThatProgramsReadWhateverTheState) {
  Options options = quick("bert");
  options.precisions = {"f32", "int4"};
  const Json json = to_json(bench(options), "a model");
  EXPECT_EQ(json.at("code").as_string(), version());
  for (const Json& row : json.at("rows").items()) {
    const bool measured = row.at("state").as_string() == "measured";
    EXPECT_EQ(row.at("model").as_string(), "a model");
    for (const char* text : {"device", "precision", "task", "workload", "content_hash"}) {
      EXPECT_FALSE(row.at(text).as_string().empty()) << text;
    }
    for (const char* number : {"batch", "tokens", "threads"}) EXPECT_GT(row.at(number).as_int(), 0) << number;
    for (const char* figure : {"p50_ms", "p90_ms", "throughput_per_s", "load_ms", "peak_bytes", "predicted_bytes",
                               "share_of_limit", "p99_ms", "min_ms", "spread", "samples", "first_ms", "flops"}) {
      EXPECT_EQ(row.at(figure).is_number(), measured) << figure;
    }
    EXPECT_EQ(row.at("reason").is_null(), measured);
  }
}

}  // namespace
}  // namespace accelerate::bench
