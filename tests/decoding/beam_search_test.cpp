// Beam search gives the sequences and scores of Transformers' generate() (tests/goldens/decoding/beams.jsonl).
#include "decoding/beam_search.hpp"

#include <algorithm>
#include <cmath>

#include "decoding/choice.hpp"
#include "decoding/golden_rows.hpp"

namespace accelerate::decoding {
namespace {

using Ids = std::vector<std::int32_t>;

struct Case {
  GenerationSettings settings;
  HashModel model;
  std::vector<Ids> prompts;
};

Case case_of(const Json& row) {
  Case found{settings_from(row.at("settings")), {}, {}};
  found.model = {static_cast<std::uint64_t>(row.at("seed").as_int()),
                 static_cast<std::size_t>(row.at("vocabulary").as_int()), found.settings.eos_token_ids,
                 static_cast<float>(row.at("boost").as_double())};
  for (const Json& prompt : row.at("prompts").items()) found.prompts.push_back(integers(prompt));
  return found;
}

// As a caller runs it: the past of each beam is its tokens.
std::vector<BeamResult> search(const Case& from, BeamOptions options = {}) {
  BeamSearch beams(from.settings, from.prompts, from.model.vocabulary, std::move(options));
  std::vector<Ids> past;
  for (const Ids& prompt : from.prompts) past.insert(past.end(), beams.beams(), prompt);
  while (!beams.finished()) {
    std::vector<float> logits;
    for (std::size_t i = 0; i < past.size(); ++i) {
      std::vector<float> row = from.model.logits(past[i]);
      // What a finished item is given must not matter.
      if (beams.done(i / beams.beams())) std::fill(row.begin(), row.end(), std::nanf(""));
      logits.insert(logits.end(), row.begin(), row.end());
    }
    const BeamStep step = beams.advance(logits);
    std::vector<Ids> next;
    for (std::size_t i = 0; i < past.size(); ++i) {
      next.push_back(past[static_cast<std::size_t>(step.parents[i])]);
      next.back().push_back(step.tokens[i]);
    }
    past = std::move(next);
    bool all_done = true;
    for (std::size_t item = 0; item < beams.batch(); ++item) all_done = all_done && beams.done(item);
    EXPECT_EQ(beams.finished(), all_done);
  }
  return beams.results();
}

Ids greedy(const Case& from, const Ids& prompt) {
  const SamplerChain chain(from.settings);
  Ids tokens = prompt;
  while (tokens.size() < length_limit(from.settings, prompt.size())) {
    std::vector<float> scores = from.model.logits(tokens);
    chain.apply(scores, tokens, prompt.size());
    tokens.push_back(likeliest(scores));
    const Ids& eos = from.settings.eos_token_ids;
    if (std::find(eos.begin(), eos.end(), tokens.back()) != eos.end()) break;
  }
  return Ids(tokens.begin() + static_cast<std::ptrdiff_t>(prompt.size()), tokens.end());
}

TEST(BeamSearch, EqualsTransformersInEveryRow) {
  std::size_t searches = 0;
  for (const Json& row : lines_of(goldens() / "decoding" / "beams.jsonl")) {
    const Case from = case_of(row);
    if (from.settings.num_beams == 1) continue;
    SCOPED_TRACE(row.dump().substr(0, 700));
    ++searches;
    const std::vector<BeamResult> found = search(from);
    const Json::Array& expected = row.at("results").items();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].ids, integers(expected[i].items()[0])) << i;
      const double score = expected[i].items()[1].as_double();
      EXPECT_NEAR(static_cast<double>(found[i].score), score, 2e-6 * (1 + std::abs(score))) << i;
    }
  }
  EXPECT_GT(searches, 200U);
}

TEST(Greedy, EqualsTransformersInEveryRow) {
  std::size_t texts = 0;
  for (const Json& row : lines_of(goldens() / "decoding" / "beams.jsonl")) {
    const Case from = case_of(row);
    if (from.settings.num_beams > 1) continue;
    SCOPED_TRACE(row.dump().substr(0, 700));
    for (std::size_t i = 0; i < from.prompts.size(); ++i, ++texts) {
      const Ids found = greedy(from, from.prompts[i]);
      Ids expected = integers(row.at("results").items()[i].items()[0]);
      // What follows in Transformers' rows is padding.
      for (std::size_t j = found.size(); j < expected.size(); ++j) EXPECT_EQ(expected[j], 0);
      expected.resize(std::min(expected.size(), found.size()));
      EXPECT_EQ(found, expected) << i;
    }
  }
  EXPECT_GT(texts, 30U);
}

Case small() {
  return {{.max_new_tokens = 8, .num_beams = 3, .num_return_sequences = 2, .eos_token_ids = {4}},
          {.seed = 3, .vocabulary = 30, .boosted = {4}, .boost = 2},
          {{1, 2}, {3}}};
}

TEST(BeamSearch, TakesOneRowAnItemInTheFirstStep) {
  const Case from = small();
  BeamSearch one(from.settings, from.prompts, 30), many(from.settings, from.prompts, 30);
  std::vector<float> once, thrice;
  for (const Ids& prompt : from.prompts) {
    const std::vector<float> row = from.model.logits(prompt);
    once.insert(once.end(), row.begin(), row.end());
    for (int i = 0; i < 3; ++i) thrice.insert(thrice.end(), row.begin(), row.end());
  }
  const BeamStep a = one.advance(once), b = many.advance(thrice);
  EXPECT_EQ(a.parents, b.parents);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_THROW(one.advance(once), Error);  // a row a beam from then on
}

TEST(BeamSearch, AnItemIsTheSameAloneAndInABatch) {
  const Case from = small();
  const std::vector<BeamResult> together = search(from);
  for (std::size_t item = 0; item < 2; ++item) {
    Case alone = from;
    alone.prompts = {from.prompts[item]};
    const std::vector<BeamResult> found = search(alone);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(found[i].ids, together[item * 2 + i].ids);
  }
}

TEST(BeamSearch, SamplesByItsSeedAndNotTheSameEveryTime) {
  Case from = small();
  from.settings.do_sample = true;
  std::vector<Ids> seen;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    from.settings.seed = seed;
    const std::vector<BeamResult> first = search(from), again = search(from);
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].ids, again[i].ids);
    EXPECT_GE(first[0].score, first[1].score);
    if (std::find(seen.begin(), seen.end(), first[0].ids) == seen.end()) seen.push_back(first[0].ids);
  }
  EXPECT_GT(seen.size(), 2U);
}

TEST(BeamSearch, EndsWhereItIsTold) {
  Case from = small();
  from.settings.eos_token_ids.clear();
  const std::vector<BeamResult> found =
      search(from, {.stops = [](std::span<const std::int32_t> ids) { return ids.size() == 3; }});
  for (const BeamResult& each : found) EXPECT_EQ(each.ids.size(), 3U);
}

TEST(BeamSearch, RefusesWhatCannotBeSearched) {
  const Case from = small();
  const auto make = [&](GenerationSettings settings, std::vector<Ids> prompts, std::size_t vocabulary) {
    return BeamSearch(settings, std::move(prompts), vocabulary);
  };
  EXPECT_THROW(make(from.settings, {}, 30), Error);
  EXPECT_THROW(make(from.settings, {{}}, 30), Error);
  EXPECT_THROW(make(from.settings, {{1}}, 1), Error);
  EXPECT_THROW(make({.num_beams = 2, .num_return_sequences = 3}, {{1}}, 30), Error);
  EXPECT_THROW(make({.max_length = 2, .num_beams = 2}, {{1, 2}}, 30), Error);
  BeamSearch beams(from.settings, from.prompts, 30);
  EXPECT_THROW(beams.advance(std::vector<float>(31)), Error);
}

}  // namespace
}  // namespace accelerate::decoding
