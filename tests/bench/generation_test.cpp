// Rows of text generation: what a prompt takes, and what one more token takes after a past.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>

#include "accelerate/accelerate.hpp"
#include "bench/bench.hpp"
#include "bench/measure.hpp"
#include "bench/row_json.hpp"
#include "decoding/settings.hpp"
#include "runtime/sources.hpp"

namespace accelerate::bench {
namespace {

namespace fs = std::filesystem;

fs::path decoder(const std::string& name) { return fs::path(ACCELERATE_TESTS_DIR) / "goldens/decoders" / name; }
fs::path text_to_text(const std::string& name) {
  return fs::path(ACCELERATE_TESTS_DIR) / "goldens/text_to_text" / name;
}

Options quick(const fs::path& folder) {
  ::setenv("ACCELERATE_RECORDS", "off", 1);
  Options options;
  options.model = folder;
  options.tokens = {8};
  options.threads = 1;
  options.seconds = 0.05;
  return options;
}

// The tokens that a GenerationRun is given here: any that every vocabulary of the goldens has.
std::vector<std::int32_t> prompt_of(std::size_t tokens, std::int32_t first) {
  std::vector<std::int32_t> prompt(tokens);
  std::iota(prompt.begin(), prompt.end(), first);
  return prompt;
}

TEST(GenerationBench, EveryPhaseIsARow) {
  Options options = quick(decoder("qwen2"));
  options.tokens = {8, 16};
  options.batches = {1, 3};
  const Report report = bench(options);
  std::vector<std::string> seen;
  for (const Row& row : report.rows) {
    seen.push_back(row.workload + " " + std::to_string(row.batch) + "x" + std::to_string(row.tokens));
    ASSERT_EQ(row.state, State::measured) << row.reason;
    EXPECT_EQ(row.task, "text-generation");
    EXPECT_EQ(name_of(row.phase), row.workload);
    EXPECT_EQ(row.rows, row.phase == Phase::prefill ? row.batch * row.tokens : row.batch);
    EXPECT_NEAR(row.throughput_per_s, 1e3 * static_cast<double>(row.rows) / row.times.p50, 1e-6 * row.throughput_per_s);
    EXPECT_EQ(row.limited_by_operations, row.phase == Phase::prefill) << "each phase has its own limit";
    EXPECT_NEAR(row.share_of_limit, row.limit_ms / row.times.p50, 1e-9);
    EXPECT_GT(row.first_ms, 0);
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"prefill 1x8", "prefill 3x8", "prefill 1x16", "prefill 3x16", "decode 1x8",
                                            "decode 3x8", "decode 1x16", "decode 3x16"}));
}

TEST(GenerationBench, OnePhaseAlone) {
  Options options = quick(decoder("gpt2"));
  options.phases = {Phase::decode};
  const Report report = bench(options);
  ASSERT_EQ(report.rows.size(), 1U);
  EXPECT_EQ(report.rows[0].phase, Phase::decode);
  const Json json = to_json(report, "gpt2").at("rows").items().at(0);
  EXPECT_EQ(json.at("phase").as_string(), "decode");
  EXPECT_EQ(json.at("cache_bytes").as_int(), report.rows[0].cache_bytes);
  EXPECT_GT(json.at("share_of_limit").as_double(), 0);
}

// A past is filled in the parts in which generating runs prompts, and each part knows what is there before it.
TEST(GenerationBench, APastIsFilledInParts) {
  std::vector<std::int64_t> held(3, 0);
  for (const FillingRun& run : filling_runs(3, 1000)) {
    EXPECT_LE(std::accumulate(run.counts.begin(), run.counts.end(), std::int64_t{0}), 1024);
    for (std::size_t i = 0; i < run.texts.size(); ++i) {
      EXPECT_EQ(run.past[i], held[run.texts[i]]);
      held[run.texts[i]] += run.counts[i];
    }
  }
  EXPECT_EQ(held, (std::vector<std::int64_t>{1000, 1000, 1000}));
  EXPECT_TRUE(filling_runs(3, 0).empty());
}

// What is timed is what generating does: the same tokens come, run after run, also behind a window that has let go of
// the beginning (mistral, 8 positions) and in a mixture of experts.
TEST(GenerationBench, RunsGiveTheTokensThatGeneratingGives) {
  for (const char* name : {"qwen2", "gpt2", "opt", "mistral", "mixtral", "gemma3_text"}) {
    const Model model = Model::open(decoder(name), {.threads = 1});
    const runtime::LoadedModel loaded(decoder(name), {.threads = 1});
    const std::vector<std::vector<std::int32_t>> prompts = {prompt_of(70, 20), prompt_of(70, 31)};
    const std::vector<Prompt> asked = {{.ids = prompts[0]}, {.ids = prompts[1]}};
    const Generations found = model.generate(asked, {.max_new_tokens = 2, .do_sample = false, .ignore_eos = true});

    GenerationRun prefill(loaded.compiled(Task::text_generation), prompts, false);
    GenerationRun decode(loaded.compiled(Task::text_generation), prompts, true);
    for (int run = 0; run < 2; ++run) {
      prefill.rewind({});
      EXPECT_EQ(prefill.past(0), 0);
      prefill.run({}, nullptr);
      EXPECT_EQ(prefill.past(1), 70);
      decode.rewind({});
      EXPECT_EQ(decode.past(1), 69);
      if (run == 0) decode.run({}, nullptr);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(prefill.chosen()[i], found.texts[i][0].ids[0]) << name << " prefill, run " << run;
        EXPECT_EQ(decode.chosen()[i], found.texts[i][0].ids[0]) << name << " decode";
      }
    }
  }
}

// Of an encoder-decoder the texts come from sources, and a step after a past is the one that follows it.
TEST(GenerationBench, RunsOfEncoderDecodersGiveTheTokensThatGeneratingGives) {
  for (const char* name : {"t5", "bart", "marian"}) {
    const Model model = Model::open(text_to_text(name), {.threads = 1});
    const runtime::LoadedModel loaded(text_to_text(name), {.threads = 1});
    const std::vector<std::vector<std::int32_t>> sources = {prompt_of(9, 20), prompt_of(14, 31)};
    const std::vector<Prompt> asked = {{.ids = sources[0]}, {.ids = sources[1]}};
    // The last of them marian is told to make the end of the text.
    const Generations found =
        model.generate(asked, {.max_new_tokens = 4, .do_sample = false, .num_beams = 1, .ignore_eos = true});
    const std::int32_t start = *decoding::settings_of(text_to_text(name)).decoder_start_token_id;
    std::vector<std::vector<std::int32_t>> before(2, {start}), past(2, {start});
    for (std::size_t i = 0; i < 2; ++i) {
      const std::vector<std::int32_t>& ids = found.texts[i][0].ids;
      past[i].insert(past[i].end(), ids.begin(), ids.begin() + 2);
    }
    const SourceTexts read{runtime::source_encoder(loaded), sources};
    GenerationRun prefill(loaded.compiled(Task::text_generation), before, false, read);
    GenerationRun decode(loaded.compiled(Task::text_generation), past, true, read);
    for (int run = 0; run < 2; ++run) {
      for (GenerationRun* each : {&prefill, &decode}) each->rewind({});
      prefill.run({}, nullptr);
      EXPECT_EQ(decode.past(0), 2);
      if (run == 0) decode.run({}, nullptr);
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(prefill.chosen()[i], found.texts[i][0].ids[0]) << name << " prefill, run " << run;
      }
      for (std::size_t i = 0; run == 0 && i < 2; ++i) {
        EXPECT_EQ(decode.chosen()[i], found.texts[i][0].ids[2]) << name << " decode";
      }
    }
  }
}

TEST(GenerationBench, EncoderDecodersAreMeasuredByTheirSource) {
  Options options = quick(text_to_text("t5"));
  options.tokens = {400};
  options.batches = {3};
  options.profile = true;
  const Report report = bench(options);
  ASSERT_EQ(report.rows.size(), 2U);
  for (const Row& row : report.rows) {
    ASSERT_EQ(row.state, State::measured) << row.reason;
    EXPECT_EQ(row.rows, row.phase == Phase::prefill ? 3 * 400 : 3);
    EXPECT_LT(std::abs(row.peak_bytes - row.predicted_bytes), row.predicted_bytes / 20)
        << row.workload << ": " << row.peak_bytes << " of " << row.predicted_bytes;
    ASSERT_NE(row.profile, nullptr);
    double all = 0;
    std::int64_t flops = 0;
    std::map<std::string, std::int64_t> by_layer;
    for (const ProfilePart& part : row.profile->parts) {
      all += part.milliseconds;
      flops += part.work.flops;
      if (part.operation == "attention") by_layer[part.layer] += part.calls;
    }
    EXPECT_NEAR(all, row.profile->milliseconds, 0.001 * row.profile->milliseconds);
    EXPECT_EQ(flops, row.flops);
    const bool encodes = row.phase == Phase::prefill;
    EXPECT_EQ(by_layer.contains("encoder.block.1"), encodes);
    EXPECT_EQ(by_layer.at("decoder.block.1"), 2) << "over the text, and over the source";
  }
}

// T5 of 2 layers, keys and values of 4 heads of 8: those of the source, and of kTargetPast tokens of the text.
TEST(GenerationBench, WhatAnEncoderGaveIsReadByEveryStep) {
  const Subject subject(text_to_text("t5"), {.threads = 1}, "");
  Workload decode{.batch = 3, .tokens = 100, .phase = Phase::decode};
  EXPECT_EQ(subject.work(subject.runs_of(decode)).cache_bytes, 2 * 2 * (4 * 8) * 4 * 3 * (100 + kTargetPast));
}

// Qwen2 of 2 layers with one key head of 8: keys and values of 5 positions of 3 texts.
TEST(GenerationBench, KeysAndValuesOfThePastAreBytesToRead) {
  const Subject subject(decoder("qwen2"), {.threads = 1}, "");
  Workload decode{.batch = 3, .tokens = 5, .phase = Phase::decode};
  Workload later{.batch = 3, .tokens = 6, .phase = Phase::decode};
  Workload prefill{.batch = 3, .tokens = 5, .phase = Phase::prefill};
  const Work work = subject.work(subject.runs_of(decode));
  EXPECT_EQ(work.cache_bytes, std::int64_t{2} * 2 * 8 * 4 * 3 * 5);
  EXPECT_EQ(subject.work(subject.runs_of(later)).weight_bytes, work.weight_bytes);
  EXPECT_EQ(subject.work(subject.runs_of(prefill)).cache_bytes, 0);
  EXPECT_GT(subject.work(subject.runs_of(prefill)).flops, 3 * work.flops);
}

TEST(GenerationBench, AWindowIsReadNoFurtherThanItReaches) {
  const Subject subject(decoder("mistral"), {.threads = 1}, "");
  Workload short_past{.tokens = 8, .phase = Phase::decode}, long_past{.tokens = 64, .phase = Phase::decode};
  EXPECT_EQ(subject.work(subject.runs_of(short_past)).cache_bytes,
            subject.work(subject.runs_of(long_past)).cache_bytes);
}

// One row reads the experts that it chooses, many rows read all.
TEST(GenerationBench, OfExpertsThoseThatAreChosen) {
  const Subject subject(decoder("mixtral"), {.threads = 1}, "");
  Workload one{.batch = 1, .tokens = 4, .phase = Phase::decode}, many{.batch = 64, .tokens = 4, .phase = Phase::decode};
  EXPECT_LT(subject.work(subject.runs_of(one)).weight_bytes, subject.work(subject.runs_of(many)).weight_bytes * 9 / 10);
}

TEST(GenerationBench, MemoryIsWhatWasPredicted) {
  for (const char* name : {"qwen2", "llama"}) {
    Options options = quick(decoder(name));
    options.tokens = {200};
    options.batches = {4};
    for (const Row& row : bench(options).rows) {
      ASSERT_EQ(row.state, State::measured) << row.reason;
      EXPECT_LT(std::abs(row.peak_bytes - row.predicted_bytes), row.predicted_bytes / 20)
          << name << " " << row.workload << ": " << row.peak_bytes << " of " << row.predicted_bytes;
    }
  }
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

TEST(GenerationBench, OneMoreTokenMustFitIn) {
  Options options = quick(decoder("opt"));
  options.tokens = {128};
  EXPECT_STREQ(error_of([&] { bench(options); }).what(), "tokens: is 128, expected 1 to 127");
  options.tokens = {127};
  for (const Row& row : bench(options).rows) EXPECT_EQ(row.state, State::measured) << row.reason;
  options.tokens = {};
  const Report usual = bench(options);
  ASSERT_EQ(usual.rows.size(), 2U) << "512 are more than this model takes";
  EXPECT_EQ(usual.rows[0].tokens, 32);
}

// The text's own positions are few: the source may fill the encoder's.
TEST(GenerationBench, ASourceMayBeAsLongAsTheEncoderTakes) {
  Options options = quick(text_to_text("bart"));
  options.tokens = {128};
  for (const Row& row : bench(options).rows) EXPECT_EQ(row.state, State::measured) << row.reason;
  options.tokens = {129};
  EXPECT_STREQ(error_of([&] { bench(options); }).what(), "tokens: is 129, expected 1 to 128");
}

TEST(GenerationBench, TextsAndSearchesAreRefused) {
  Options options = quick(decoder("gpt2"));
  options.search = SearchBound{};
  EXPECT_EQ(error_of([&] { bench(options); }).where(), "batches");
  options.search.reset();
  options.texts = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"let there be light"});
  EXPECT_EQ(error_of([&] { bench(options); }).where(), "texts");
}

TEST(GenerationBench, AStepIsProfiled) {
  Options options = quick(decoder("qwen2"));
  options.profile = true;
  for (const Row& row : bench(options).rows) {
    ASSERT_NE(row.profile, nullptr);
    double all = 0;
    bool attention = false;
    for (const ProfilePart& part : row.profile->parts) {
      all += part.milliseconds;
      attention |= part.operation == "attention" && part.work.flops > 0;
    }
    EXPECT_NEAR(all, row.profile->milliseconds, 0.001 * row.profile->milliseconds);
    EXPECT_TRUE(attention) << row.workload;
  }
}

}  // namespace
}  // namespace accelerate::bench
