#include "verify/expected.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace accelerate::verify {
namespace {

constexpr std::array<std::string_view, 5> kOfVectors = {"mean_pooled_head", "embedding_head", "cosine", "norm",
                                                        "nearest"};

bool is_of_vectors(std::string_view key) {
  return std::find(kOfVectors.begin(), kOfVectors.end(), key) != kOfVectors.end();
}

// Lists of records side by side: discrete fields must be equal, scores within their tolerance.
class Records {
 public:
  Records(std::string what, WeightKind weights) : what_(std::move(what)), weights_(weights) {}

  void size(const std::string& place, std::size_t expected, std::size_t found) {
    if (expected != found) {
      note(place + ": found " + std::to_string(found) + " entries, expected " + std::to_string(expected));
    }
  }
  void equal(const std::string& place, const Json& expected, const Json& found) {
    if (expected.dump() != found.dump()) note(place + ": found " + found.dump() + ", expected " + expected.dump());
  }
  void score(const Json& expected, double found) {
    expected_.push_back(expected.as_double());
    found_.push_back(found);
  }
  void finish(CaseReport& report) const {
    if (!different_.empty()) {
      add_check(report, Source::text, what_, different_);
      return;
    }
    const Tolerance tolerance = tolerance_of(Quantity::score, weights_);
    add_check(report, Source::text, what_, compare(expected_, found_, tolerance), tolerance);
  }

 private:
  void note(const std::string& text) {
    if (different_.empty()) different_ = text;
  }
  std::string what_, different_;
  WeightKind weights_;
  std::vector<double> expected_, found_;
};

std::string at(std::size_t row, std::size_t entry) {
  return "[" + std::to_string(row) + ", " + std::to_string(entry) + "]";
}

// Calls `same(place, expected record, found record)` for records that are there on both sides.
template <typename Found, typename Same>
void each_record(Records& records, const Json& expected, const std::vector<std::vector<Found>>& found, Same&& same) {
  records.size("rows", expected.items().size(), found.size());
  for (std::size_t row = 0; row < std::min(found.size(), expected.items().size()); ++row) {
    const Json::Array& wanted = expected.items()[row].items();
    records.size("row " + std::to_string(row), wanted.size(), found[row].size());
    for (std::size_t i = 0; i < std::min(wanted.size(), found[row].size()); ++i) {
      same(at(row, i), wanted[i], found[row][i]);
    }
  }
}

// The task's calls, each for the entries of `expected` that it answers.
class Answers {
 public:
  Answers(const Model& model, const GoldenCase& golden, WeightKind weights, BatchOptions batch, CaseReport& report)
      : model_(model), golden_(golden), weights_(weights), batch_(std::move(batch)), report_(report) {}

  void check(const std::string& key, const Json& expected) {
    const std::string what = "expected." + key;
    try {
      if (key == "scores" || key == "ranking") return classify(what, expected, key == "ranking");
      if (key == "masks") return fill(what, expected);
      if (key == "tokens" || key == "entities") return classify_tokens(what, expected, key == "entities");
      if (key == "answers") return answer(what, expected);
      if (key == "replaced") return spot_replaced(what, expected);
      report_.checks.push_back(
          {Source::text, what, State::untested, std::nullopt, "verify does not know this kind of result"});
    } catch (const Error& error) {
      add_check(report_, Source::text, what, error);
    }
  }

 private:
  Classifications classified() const {
    const accelerate::ClassifyOptions options{.top_k = {}, .activation = {}, .batch = batch_};
    if (golden_.pairs.empty()) return model_.classify(golden_.texts, options);
    return model_.classify(pairs_of(golden_), options);
  }

  void classify(const std::string& what, const Json& expected, bool ranking) {
    const Classifications found = classified();
    Records records(what, weights_);
    if (ranking) {
      std::vector<std::size_t> order(found.scores.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&found](std::size_t a, std::size_t b) {
        return found.scores[a].at(0).score > found.scores[b].at(0).score;
      });
      Json ranked = Json::array();
      for (const std::size_t index : order) ranked.push(index);
      records.equal("order", expected, ranked);
    } else {
      each_record(records, expected, found.scores, [&](const std::string& place, const Json& wanted, const Score& got) {
        records.equal(place, wanted.at("label"), got.label);
        records.equal(place, wanted.at("id"), got.id);
        records.score(wanted.at("score"), got.score);
      });
    }
    records.finish(report_);
  }

  void fill(const std::string& what, const Json& expected) {
    std::size_t top_k = 1;
    for (const Json& mask : expected.items()) top_k = std::max(top_k, mask.at("top").items().size());
    const FilledMasks found = model_.fill_mask(golden_.texts, {.top_k = top_k, .batch = batch_});
    std::vector<std::pair<std::size_t, const Mask*>> masks;
    for (std::size_t row = 0; row < found.masks.size(); ++row) {
      for (const Mask& mask : found.masks[row]) masks.emplace_back(row, &mask);
    }
    Records records(what, weights_);
    records.size("masks", expected.items().size(), masks.size());
    for (std::size_t i = 0; i < std::min(masks.size(), expected.items().size()); ++i) {
      const Json& wanted = expected.items()[i];
      const auto& [row, mask] = masks[i];
      records.equal("row of mask " + std::to_string(i), wanted.at("row"), row);
      records.equal("position of mask " + std::to_string(i), wanted.at("position"), mask->position);
      const Json::Array& top = wanted.at("top").items();
      for (std::size_t k = 0; k < std::min(top.size(), mask->top.size()); ++k) {
        // Ids above the tokenizer's vocabulary have no spelling.
        const Json& label = top[k].at("label");
        records.equal(at(i, k), label.is_null() ? Json("") : label, mask->top[k].label);
        records.equal(at(i, k), top[k].at("id"), mask->top[k].id);
        records.score(top[k].at("score"), mask->top[k].score);
      }
    }
    records.finish(report_);
  }

  void classify_tokens(const std::string& what, const Json& expected, bool grouped) {
    accelerate::TokenOptions options{.aggregation = Aggregation::none, .ignore_labels = {}, .batch = batch_};
    if (grouped) {
      options.aggregation = aggregation_named(setting("aggregation_strategy", "simple").as_string());
      options.ignore_labels = {"O"};
    }
    Records records(what, weights_);
    each_record(records, expected, model_.classify_tokens(golden_.texts, options).entities,
                [&](const std::string& place, const Json& wanted, const Entity& got) {
                  records.equal(place, wanted.at(grouped ? "word" : "token"), grouped ? got.word : got.token);
                  records.equal(place, wanted.at(grouped ? "entity_group" : "label"), got.label);
                  records.equal(place, wanted.at("start"), got.span.start);
                  records.equal(place, wanted.at("end"), got.span.end);
                  records.score(wanted.at("score"), got.score);
                });
    records.finish(report_);
  }

  void answer(const std::string& what, const Json& expected) {
    AnswerOptions options;
    options.top_k = static_cast<std::size_t>(setting("top_k", 1).as_int());
    options.max_answer_len = setting("max_answer_len", options.max_answer_len).as_int();
    options.handle_impossible_answer = setting("handle_impossible_answer", false).as_bool();
    options.align_to_words = setting("align_to_words", true).as_bool();
    if (const Json* length = golden_.settings.find("max_seq_len")) options.max_seq_len = length->as_int();
    if (const Json* stride = golden_.settings.find("doc_stride")) options.doc_stride = stride->as_int();
    options.batch = batch_;
    std::vector<std::vector<accelerate::Answer>> found;
    for (std::size_t i = 0; i < golden_.questions.size(); ++i) {
      found.push_back(model_.answer(golden_.questions[i], golden_.contexts[i], options));
    }
    Records records(what, weights_);
    each_record(records, expected, found,
                [&](const std::string& place, const Json& wanted, const accelerate::Answer& got) {
                  records.equal(place, wanted.at("answer"), got.text);
                  records.equal(place, wanted.at("start"), got.span.start);
                  records.equal(place, wanted.at("end"), got.span.end);
                  records.score(wanted.at("score"), got.score);
                });
    records.finish(report_);
  }

  // The discriminator's answer is the sign of its logit.
  void spot_replaced(const std::string& what, const Json& expected) {
    const ModelInputs inputs = model_.encode(golden_.texts, batch_);
    const Tensor logits = model_.run(inputs.tensors, {.outputs = {"logits"}, .batch = batch_}).at("logits");
    const Tensor& mask = inputs.tensors.find("attention_mask")->second;
    Json found = Json::array();
    for (std::int64_t row = 0; row < logits.dim(0); ++row) {
      Json signs = Json::array();
      for (std::int64_t i = row * logits.dim(1); i < (row + 1) * logits.dim(1); ++i) {
        const auto k = static_cast<std::size_t>(i);
        if (mask.as<std::int64_t>()[k] != 0) signs.push(logits.as<float>()[k] > 0);
      }
      found.push(std::move(signs));
    }
    Records records(what, weights_);
    records.equal("signs", expected, found);
    records.finish(report_);
  }

  Json setting(std::string_view key, const Json& fallback) const {
    const Json* found = golden_.settings.find(key);
    return found == nullptr ? fallback : *found;
  }

  const Model& model_;
  const GoldenCase& golden_;
  WeightKind weights_;
  BatchOptions batch_;
  CaseReport& report_;
};

// A pair has no embedding; its vector is the mean over its tokens.
Tensor vectors_of(const Model& model, const GoldenCase& golden, const BatchOptions& batch) {
  if (golden.pairs.empty()) {
    EmbedOptions options;
    if (const Json* name = golden.settings.find("prompt_name")) options.prompt_name = name->as_string();
    options.batch = batch;
    return model.embed(golden.texts, options).vectors;
  }
  const ModelInputs inputs = model.encode(pairs_of(golden), batch);
  return model.run(inputs.tensors, {.outputs = {"mean_pooled"}, .batch = batch}).at("mean_pooled");
}

}  // namespace

std::vector<TextPair> pairs_of(const GoldenCase& golden) {
  std::vector<TextPair> pairs;
  for (std::size_t i = 0; i < golden.texts.size(); ++i) pairs.push_back({golden.texts[i], golden.pairs[i]});
  return pairs;
}

void add_check(CaseReport& report, Source from, std::string what, const Difference& difference,
               const Tolerance& tolerance) {
  Check check{from, std::move(what), State::passed, difference, {}};
  if (difference.share_of_bound > 1) {
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "worst at %s: found %.7g, expected %.7g (allowed: %s)",
                  to_string(difference.place).c_str(), difference.found, difference.expected,
                  tolerance.to_string().c_str());
    check.state = State::failed;
    check.reason = text.data();
  }
  report.checks.push_back(std::move(check));
}

void add_check(CaseReport& report, Source from, std::string what, const std::string& difference) {
  const State state = difference.empty() ? State::passed : State::failed;
  report.checks.push_back({from, std::move(what), state, std::nullopt, difference});
}

void add_check(CaseReport& report, Source from, std::string what, const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw error;
  const State state = error.kind() == ErrorKind::unsupported ? State::unsupported : State::failed;
  report.checks.push_back({from, std::move(what), state, std::nullopt, error.what()});
}

bool expects_vectors(const GoldenCase& golden) {
  if (!golden.expected.is_object()) return false;
  const Json::Object& members = golden.expected.members();
  return std::any_of(members.begin(), members.end(), [](const auto& member) { return is_of_vectors(member.first); });
}

void check_answers(const Model& model, const GoldenCase& golden, WeightKind weights, const BatchOptions& batch,
                   CaseReport& report) {
  if (!golden.expected.is_object()) return;
  Answers answers(model, golden, weights, batch, report);
  for (const auto& [key, expected] : golden.expected.members()) {
    if (key != "input_ids" && !is_of_vectors(key)) answers.check(key, expected);  // ids: with the processor's output
  }
  if (!expects_vectors(golden)) return;
  try {
    check_vectors(vectors_of(model, golden, batch), golden, weights, Source::text, report);
  } catch (const Error& error) {
    add_check(report, Source::text, "embed", error);
  }
}

}  // namespace accelerate::verify
