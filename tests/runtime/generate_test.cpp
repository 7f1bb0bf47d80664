// Texts that models continue, by the public interface: on every device that is here, alone, in batches, by beams,
// sampled, stopped, cancelled, and what is kept between calls.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "accelerate/accelerate.hpp"
#include "backends/backend.hpp"
#include "models/golden.hpp"
#include "runtime/changed_model.hpp"
#include "runtime/generating.hpp"

namespace accelerate {
namespace {

const std::vector<Prompt>& prompts() {
  static const std::vector<Prompt> all{{.text = "In the beginning God created the heaven and the earth."},
                                       {.text = "Hello!"},
                                       {.text = "And God said, Let there be light: and there was light."}};
  return all;
}

Model open(const std::string& name, const std::string& device = "cpu") {
  return Model::open(decoders_folder() / name, {.device = device});
}

// Long enough to leave the first page of keys and values, and every sliding window.
constexpr std::size_t kTokens = 40;

// What the whole sequence's logits say: the slow way that needs no state.
Ids continued_by_whole_runs(const Model& model, Ids ids, std::size_t count) {
  Ids made;
  while (made.size() < count) {
    const std::vector<std::int64_t> whole(ids.begin(), ids.end());
    const auto tokens = static_cast<std::int64_t>(whole.size());
    const NamedTensors outputs = model.run({{"input_ids", Tensor::of({1, tokens}, whole)}}, {.outputs = {"logits"}});
    const auto logits = outputs.at("logits").as<float>();
    const auto width = static_cast<std::size_t>(model.info().vocabulary);
    const auto last = logits.subspan(logits.size() - width);
    made.push_back(static_cast<std::int32_t>(std::ranges::max_element(last) - last.begin()));
    ids.push_back(made.back());
  }
  return made;
}

class GenerateOn : public testing::TestWithParam<std::string> {};

TEST_P(GenerateOn, StateGivesWhatWholeRunsGive) {
  for (const std::string& name : golden_names(decoders_folder())) {
    SCOPED_TRACE(name);
    const Model model = open(name, GetParam());
    const Generations found = model.generate(prompts(), greedy(12));
    for (std::size_t i = 0; i < prompts().size(); ++i) {
      const std::vector<std::string> text{prompts()[i].text};
      const Ids prompt = tokenize(model.info().folder, text).front().ids;
      EXPECT_EQ(found.texts[i][0].ids, continued_by_whole_runs(model, prompt, 12)) << i;
    }
  }
}

TEST_P(GenerateOn, ABatchGivesWhatEachPromptAloneGives) {
  for (const char* name : {"gpt2", "mistral", "llama3_rope"}) {
    SCOPED_TRACE(name);
    const Generations together = open(name, GetParam()).generate(prompts(), greedy(kTokens));
    for (std::size_t i = 0; i < prompts().size(); ++i) {
      const Generations alone = open(name, GetParam()).generate({&prompts()[i], 1}, greedy(kTokens));
      EXPECT_EQ(together.texts[i][0].ids, alone.texts[0][0].ids);
    }
  }
}

TEST_P(GenerateOn, BeamsOfABatchAreThoseOfEachPromptAlone) {
  GenerateOptions options = greedy(16);
  options.num_beams = 4;
  options.num_return_sequences = 2;
  const Generations together = open("qwen2", GetParam()).generate(prompts(), options);
  for (std::size_t i = 0; i < prompts().size(); ++i) {
    const Generations alone = open("qwen2", GetParam()).generate({&prompts()[i], 1}, options);
    ASSERT_EQ(together.texts[i].size(), 2U);
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(together.texts[i][k].ids, alone.texts[0][k].ids);
      EXPECT_NEAR(together.texts[i][k].score, alone.texts[0][k].score, 1e-4);
    }
    EXPECT_GE(together.texts[i][0].score, together.texts[i][1].score);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, GenerateOn, testing::ValuesIn(devices_here()),
                         [](const auto& device) { return device.param; });

TEST(Generate, PiecesJoinedAreTheText) {
  const Model model = open("llama");
  GenerateOptions options = greedy(kTokens);
  std::vector<std::string> heard(prompts().size());
  options.on_text = [&](const TextPiece& piece) {
    EXPECT_FALSE(piece.text.empty());
    heard[piece.prompt] += piece.text;
  };
  const Generations found = model.generate(prompts(), options);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i], found.texts[i][0].text);
    EXPECT_EQ(model.decode(found.texts[i][0].ids), found.texts[i][0].text);
  }
}

TEST(Generate, EndsBeforeAStopText) {
  const Model model = open("gpt2");
  const std::string whole = model.generate({prompts().data(), 1}, greedy(kTokens)).texts[0][0].text;
  const std::string stop = whole.substr(whole.size() / 2, 3);
  GenerateOptions options = greedy(kTokens);
  options.stop = {stop};
  const GeneratedText found = model.generate({prompts().data(), 1}, options).texts[0][0];
  EXPECT_EQ(found.reason, StopReason::stop_text);
  EXPECT_EQ(found.text, whole.substr(0, whole.find(stop)));
}

TEST(Generate, EndsAtTokensThatEndATextUnlessTold) {
  const Model model = open("gpt2");
  const Ids whole = model.generate({prompts().data(), 1}, greedy(kTokens)).texts[0][0].ids;
  GenerateOptions options = greedy(kTokens);
  options.stop_token_ids = {whole[5]};
  const GeneratedText found = model.generate({prompts().data(), 1}, options).texts[0][0];
  EXPECT_EQ(found.reason, StopReason::stop_token);
  const auto first = std::ranges::find(whole, whole[5]);
  EXPECT_EQ(found.ids, Ids(whole.begin(), first + 1));
}

TEST(Generate, ASeedGivesTheSameTextsInAnyBatchAndOnAnyThreads) {
  GenerateOptions options{.max_new_tokens = 20, .do_sample = true, .temperature = 1.5, .num_return_sequences = 3};
  options.seed = 7;
  const auto texts = [&](int threads) {
    return ids_of(Model::open(decoders_folder() / "llama", {.threads = threads}).generate(prompts(), options));
  };
  const std::vector<Ids> one = texts(1);
  EXPECT_EQ(one.size(), 9U);
  EXPECT_EQ(texts(2), one);
  EXPECT_EQ(std::set<Ids>(one.begin(), one.end()).size(), 9U) << "samples that are all the same are none";
  options.seed = 8;
  EXPECT_NE(texts(1), one);
}

TEST(Generate, WhatIsKnownIsNotRunAgain) {
  const Model model = open("llama3_rope");
  const std::vector<Prompt> first{prompts()[0]};
  const Generations once = model.generate(first, greedy(kTokens));
  EXPECT_EQ(once.times.known_tokens, 0);
  const Generations again = model.generate(first, greedy(kTokens));
  EXPECT_EQ(again.times.known_tokens, again.times.prompt_tokens - 1);
  EXPECT_EQ(ids_of(again), ids_of(once));
  // A chat goes on: the answer is part of the next prompt.
  Prompt longer{.text = ""};
  const std::vector<std::string> text{prompts()[0].text};
  longer.ids = tokenize(model.info().folder, text).front().ids;
  longer.ids.insert(longer.ids.end(), once.texts[0][0].ids.begin(), once.texts[0][0].ids.end());
  const Generations on = model.generate({&longer, 1}, greedy(kTokens));
  EXPECT_EQ(on.times.known_tokens, on.times.prompt_tokens - 1);
  EXPECT_EQ(ids_of(on), ids_of(open("llama3_rope").generate({&longer, 1}, greedy(kTokens))));
}

TEST(Generate, APastThatAWindowHasLeftIsRunAgain) {
  const Model model = open("mistral");  // sees 8 tokens
  const std::vector<Prompt> first{prompts()[0]}, other{{.text = "In the beginning"}};
  model.generate(first, greedy(200));
  const Generations found = model.generate(other, greedy(kTokens));
  EXPECT_EQ(ids_of(found), ids_of(open("mistral").generate(other, greedy(kTokens))));
}

// Keys that were turned for a short text are of no use in one that is longer than the model was trained for.
TEST(Generate, WhatIsKeptFitsTheLengthOfTheText) {
  const ChangedModel changed("phi3", {{"sliding_window", Json()}});
  const Model model = changed.open();
  const Ids all = model.generate(prompts(), greedy(60)).texts[0][0].ids;
  for (const std::size_t length : {10U, 55U, 20U}) {
    Prompt prompt;
    prompt.ids.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
    const auto found = model.generate({&prompt, 1}, greedy(5)).texts[0][0].ids;
    EXPECT_EQ(found, changed.open().generate({&prompt, 1}, greedy(5)).texts[0][0].ids) << length;
  }
}

// A chat whose last answer is made anew: the text is cut far back, and grows over the end of a page again.
TEST(Generate, ATextThatWasCutGrowsAgain) {
  for (const char* name : {"mistral", "gemma2", "qwen3"}) {
    const Model model = open(name);
    Prompt prompt{.ids = {}};
    for (std::int32_t i = 0; i < 200; ++i) prompt.ids.push_back(5 + 7 * i % 300);
    for (const std::size_t length : {150U, 126U, 200U, 127U, 190U}) {
      Prompt cut;
      cut.ids.assign(prompt.ids.begin(), prompt.ids.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(model.generate({&cut, 1}, greedy(30)).texts[0][0].ids,
                open(name).generate({&cut, 1}, greedy(30)).texts[0][0].ids)
          << name << " " << length;
    }
  }
}

TEST(Generate, BeamsEndWhereTheModelHasNoMorePositions) {
  GenerateOptions options = greedy(1000);
  options.num_beams = 2;
  const GeneratedText text = open("gpt2").generate({&prompts()[1], 1}, options).texts[0][0];
  EXPECT_EQ(text.reason, StopReason::length);
  EXPECT_GT(text.ids.size(), 100U);
}

TEST(Generate, TruncationLeavesRoomForTheAnswer) {
  const Model model = open("gpt2");
  Prompt prompt{.ids = Ids(500, 7)};
  const auto counts = [&](std::optional<std::size_t> most) {
    GenerateOptions options{.max_new_tokens = most, .do_sample = false, .ignore_eos = true, .truncate = true};
    const Generations found = model.generate({&prompt, 1}, options);
    return std::pair(found.times.prompt_tokens, std::ssize(found.texts[0][0].ids));
  };
  EXPECT_EQ(counts({}), std::pair(108L, 20L)) << "Transformers generates 20 tokens where nothing is asked";
  EXPECT_EQ(counts(50), std::pair(78L, 50L));
  EXPECT_EQ(counts(128), std::pair(64L, 64L)) << "half of what there is, when the answer could take all";
}

// What one caller asked wrongly costs others nothing.
TEST(Generate, AnErrorLeavesWhatIsKept) {
  const Model model = open("llama");
  model.generate({&prompts()[0], 1}, greedy(5));
  GenerateOptions wrong = greedy(5);
  wrong.regex = "ab";
  wrong.min_new_tokens = 10;
  wrong.ignore_eos = false;
  EXPECT_THROW(model.generate({&prompts()[1], 1}, wrong), Error);
  EXPECT_GT(model.generate({&prompts()[0], 1}, greedy(5)).times.known_tokens, 5);
}

TEST(Generate, CancelledGivesWhatThereIs) {
  const Model model = open("gpt2");
  GenerateOptions options = greedy(64);
  std::size_t pieces = 0;
  options.on_text = [&](const TextPiece&) {
    if (++pieces == 3) options.cancellation.cancel();
  };
  const Generations found = model.generate({prompts().data(), 1}, options);
  EXPECT_EQ(found.texts[0][0].reason, StopReason::cancelled);
  EXPECT_LT(found.texts[0][0].ids.size(), 64U);
  EXPECT_GE(found.texts[0][0].ids.size(), 3U);
  // The model goes on as before.
  EXPECT_EQ(model.generate({prompts().data(), 1}, greedy(5)).texts[0][0].ids.size(), 5U);
}

TEST(Generate, LogProbabilitiesAreThoseOfTheLogits) {
  const Model model = open("gpt2");
  GenerateOptions options = greedy(4);
  options.log_probabilities = 3;
  options.logits = 4;
  const GeneratedText text = model.generate({prompts().data(), 1}, options).texts[0][0];
  ASSERT_EQ(text.log_probabilities.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto width = static_cast<std::size_t>(text.logits.dim(1));
    const auto row = text.logits.as<float>().subspan(i * width, width);
    double sum = 0;
    for (const float logit : row) sum += std::exp(double{logit});
    const double expected = row[static_cast<std::size_t>(text.ids[i])] - std::log(sum);
    EXPECT_NEAR(text.log_probabilities[i].log_probability, expected, 1e-4);
    ASSERT_EQ(text.likeliest[i].size(), 3U);
    EXPECT_EQ(text.likeliest[i][0].id, text.ids[i]) << "greedy takes the likeliest";
    EXPECT_GE(text.likeliest[i][0].log_probability, text.likeliest[i][1].log_probability);
  }
}

Error error_of_generating(const Model& model, const Prompt& prompt, const GenerateOptions& options) {
  try {
    model.generate({&prompt, 1}, options);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

TEST(Generate, APromptThatIsTooLongIsRefusedOrCut) {
  const Model model = open("gpt2");
  Prompt prompt;
  prompt.ids.assign(static_cast<std::size_t>(model.info().max_tokens), 5);
  const Error error = error_of_generating(model, prompt, greedy(4));
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), "prompts[0]");
  GenerateOptions options = greedy(4);
  options.truncate = true;
  const Generations found = model.generate({&prompt, 1}, options);
  EXPECT_EQ(found.truncated, (std::vector<std::size_t>{0}));
  EXPECT_EQ(found.texts[0][0].ids.size(), 4U);
}

TEST(Generate, TextsEndWhereTheModelHasNoMorePositions) {
  const Model model = open("gpt2");
  Prompt prompt;
  prompt.ids.assign(static_cast<std::size_t>(model.info().max_tokens) - 3, 5);
  const GeneratedText text = model.generate({&prompt, 1}, greedy(50)).texts[0][0];
  EXPECT_EQ(text.reason, StopReason::length);
  EXPECT_EQ(text.ids.size(), 3U);
}

TEST(Generate, RefusesWhatMakesNoSense) {
  const Model model = open("gpt2");
  EXPECT_EQ(error_of_generating(model, {.text = "a", .ids = {1 << 20}}, greedy(kTokens)).kind(),
            ErrorKind::invalid_input);
  GenerateOptions options = greedy(kTokens);
  options.do_sample = true;
  options.top_p = 2;
  EXPECT_EQ(error_of_generating(model, prompts()[0], options).kind(), ErrorKind::invalid_input);
  options = greedy(kTokens);
  options.early_stopping = "perhaps";
  EXPECT_EQ(error_of_generating(model, prompts()[0], options).where(), "early_stopping");
  const Model encoder = Model::open(goldens_folder() / "bert");
  EXPECT_EQ(error_of_generating(encoder, prompts()[0], greedy(kTokens)).kind(), ErrorKind::unsupported);
}

TEST(Generate, TheCacheIsAsLargeAsPredicted) {
  const Model model = open("llama");
  const Generations found = model.generate({prompts().data(), 1}, greedy(100));
  const auto tokens = static_cast<std::int64_t>(found.times.prompt_tokens) + 99;  // the last one was not run
  const Inspection seen = inspect(decoders_folder() / "llama", {.tokens = {tokens}});
  EXPECT_EQ(found.times.cache_bytes, seen.memory[0].cache);
  EXPECT_EQ(seen.memory[0].cache, (tokens + 63) / 64 * 64 * seen.memory[0].cache_per_token);
}

TEST(Generate, WhatWouldNotFitIsRefusedBeforeItRuns) {
  const std::int64_t room = inspect(decoders_folder() / "llama", {.tokens = {32}}).memory[0].total + (1 << 14);
  const Model model = Model::open(decoders_folder() / "llama", {.device = "cpu", .memory_limit = room});
  EXPECT_EQ(model.generate({prompts().data(), 1}, greedy(4)).texts[0][0].ids.size(), 4U);
  EXPECT_EQ(error_of_generating(model, prompts()[0], greedy(200)).kind(), ErrorKind::out_of_memory);
}

}  // namespace
}  // namespace accelerate
