#include "cli/run_task.hpp"

#include <array>
#include <charconv>

#include "cli/arguments.hpp"

namespace accelerate::cli {
namespace {

constexpr std::string_view kEmbed = "embed", kFillMask = "fill-mask", kClassify = "text-classification",
                           kTokens = "token-classification", kAnswer = "question-answering",
                           kGenerate = "text-generation";

std::vector<std::string> texts_of(std::span<const TextItem> items) {
  std::vector<std::string> texts;
  for (const TextItem& item : items) texts.push_back(item.text);
  return texts;
}

Json row_of(const TextItem& item) {
  Json row;
  row.set("text", item.text);
  if (item.pair) row.set("pair", *item.pair);
  return row;
}

Json json_of(const Score& score) {
  Json json;
  return json.set("label", score.label).set("id", score.id).set("score", score.score);
}

Json json_of(std::span<const Score> scores) {
  Json list = Json::array();
  for (const Score& score : scores) list.push(json_of(score));
  return list;
}

void add_span(Json& json, const Span& span) {
  json.set("start", span.start).set("end", span.end);
  json.set("start_byte", span.start_byte).set("end_byte", span.end_byte);
}

// The calls, each filling `results`.
class Task {
 public:
  Task(const Model& model, const RunCommand& command, std::span<const TextItem> items, const BatchOptions& batch)
      : model_(model), command_(command), items_(items), batch_(batch) {}

  TaskResults run(std::string_view task) {
    if (task == kEmbed) {
      embed();
    } else if (task == kClassify) {
      classify();
    } else if (task == kFillMask) {
      fill_mask();
    } else if (task == kTokens) {
      classify_tokens();
    } else if (task == kAnswer) {
      answer();
    } else {
      throw Error(ErrorKind::unsupported, "run does not know this task yet", "task " + std::string(task));
    }
    return std::move(results_);
  }

 private:
  std::size_t top_k(std::size_t fallback) const {
    return command_.top_k ? static_cast<std::size_t>(*command_.top_k) : fallback;
  }

  void note_truncated(const std::vector<std::size_t>& numbers) {
    for (const std::size_t i : numbers) results_.truncated.push_back(items_[i].where);
  }

  void embed() {
    EmbedOptions options;
    options.prompt_name = command_.prompt;
    options.batch = batch_;
    Embeddings found = model_.embed(texts_of(items_), options);
    results_.vectors = std::move(found.vectors);
    note_truncated(found.truncated);
    for (const TextItem& item : items_) results_.rows.push_back(row_of(item));
  }

  void classify() {
    ClassifyOptions options;
    if (command_.top_k) options.top_k = top_k(0);
    options.batch = batch_;
    Classifications found;
    if (items_.front().pair) {
      std::vector<TextPair> pairs;
      for (const TextItem& item : items_) pairs.push_back({item.text, item.pair.value_or("")});
      found = model_.classify(pairs, options);
    } else {
      found = model_.classify(texts_of(items_), options);
    }
    note_truncated(found.truncated);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      results_.rows.push_back(row_of(items_[i]).set("scores", json_of(found.scores.at(i))));
    }
  }

  void fill_mask() {
    const FilledMasks found = model_.fill_mask(texts_of(items_), {.top_k = top_k(5), .batch = batch_});
    note_truncated(found.truncated);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Json masks = Json::array();
      for (const Mask& mask : found.masks.at(i)) {
        Json one;
        masks.push(one.set("position", mask.position).set("top", json_of(mask.top)));
      }
      results_.rows.push_back(row_of(items_[i]).set("masks", std::move(masks)));
    }
  }

  void classify_tokens() {
    TokenOptions options;
    options.aggregation = aggregation_named(command_.aggregation.value_or("simple"));
    options.batch = batch_;
    const TokenClassifications found = model_.classify_tokens(texts_of(items_), options);
    note_truncated(found.truncated);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Json entities = Json::array();
      for (const Entity& entity : found.entities.at(i)) {
        Json one;
        one.set("label", entity.label).set("score", entity.score).set("word", entity.word);
        if (entity.index >= 0) one.set("index", entity.index);
        add_span(one, entity.span);
        entities.push(std::move(one));
      }
      results_.rows.push_back(row_of(items_[i]).set("entities", std::move(entities)));
    }
  }

  void answer() {
    AnswerOptions options;
    options.top_k = top_k(1);
    options.batch = batch_;
    options.batch.progress = {};
    for (std::size_t i = 0; i < items_.size(); ++i) {
      batch_.cancellation.check();
      Json answers = Json::array();
      for (const accelerate::Answer& found : answers_of(i, options)) {
        Json one;
        one.set("answer", found.text).set("score", found.score);
        add_span(one, found.span);
        answers.push(std::move(one));
      }
      Json row;
      row.set("question", items_[i].text).set("context", items_[i].pair.value_or(""));
      results_.rows.push_back(row.set("answers", std::move(answers)));
      if (batch_.progress) batch_.progress(static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(items_.size()));
    }
  }

  std::vector<accelerate::Answer> answers_of(std::size_t i, const AnswerOptions& options) const {
    try {
      return model_.answer(items_[i].text, items_[i].pair.value_or(""), options);
    } catch (const Error& error) {
      if (error.where().starts_with("texts[")) throw;
      throw error.within(items_[i].where);
    }
  }

  const Model& model_;
  const RunCommand& command_;
  std::span<const TextItem> items_;
  const BatchOptions& batch_;
  TaskResults results_;
};

// The library counts the texts of one call: "texts[3]"; a user knows lines of a file.
[[noreturn]] void throw_with_place(const Error& error, std::span<const TextItem> items) {
  constexpr std::string_view kTexts = "texts[";
  const std::string& where = error.where();
  const std::size_t end = where.find(']');
  std::size_t number = items.size();
  if (where.starts_with(kTexts) && end != std::string::npos) {
    std::from_chars(where.data() + kTexts.size(), where.data() + end, number);
  }
  if (number >= items.size()) throw error;
  throw Error(error.kind(), error.message(), items[number].where + where.substr(end + 1), error.hint());
}

void require(bool given, std::string_view option, std::string_view task,
             std::initializer_list<std::string_view> tasks) {
  if (!given) return;
  std::string listed;
  for (const std::string_view each : tasks) {
    if (each == task) return;
    listed += (listed.empty() ? "" : ", ") + std::string(each);
  }
  throw UsageError{std::string(option) + " has no meaning for the task " + std::string(task), "it is for " + listed};
}

// The first option of generation that is given; empty where none is.
std::string generation_option(const GenerationOptions& o) {
  const std::pair<bool, const char*> given[] = {{o.max_new_tokens.has_value(), "--max-new-tokens"},
                                                {o.min_new_tokens.has_value(), "--min-new-tokens"},
                                                {o.greedy, "--greedy"},
                                                {o.sample, "--sample"},
                                                {o.temperature.has_value(), "--temperature"},
                                                {o.top_p.has_value(), "--top-p"},
                                                {o.min_p.has_value(), "--min-p"},
                                                {o.repetition_penalty.has_value(), "--repetition-penalty"},
                                                {o.presence_penalty.has_value(), "--presence-penalty"},
                                                {o.frequency_penalty.has_value(), "--frequency-penalty"},
                                                {o.no_repeat_ngram.has_value(), "--no-repeat-ngram"},
                                                {!o.bad_words.empty(), "--bad-word"},
                                                {o.beams.has_value(), "--beams"},
                                                {o.length_penalty.has_value(), "--length-penalty"},
                                                {o.early_stopping.has_value(), "--early-stopping"},
                                                {o.returned.has_value(), "--return"},
                                                {o.seed.has_value(), "--seed"},
                                                {!o.stop.empty(), "--stop"},
                                                {o.regex.has_value(), "--regex"},
                                                {o.json_schema.has_value(), "--json-schema"},
                                                {o.draft.has_value(), "--draft"},
                                                {o.draft_precision.has_value(), "--draft-precision"},
                                                {o.draft_tokens.has_value(), "--draft-tokens"},
                                                {o.prompt_lookup.has_value(), "--prompt-lookup"},
                                                {o.ignore_eos, "--ignore-eos"},
                                                {o.truncate, "--truncate"},
                                                {o.log_probabilities.has_value(), "--log-probabilities"}};
  for (const auto& [is_given, name] : given) {
    if (is_given) return name;
  }
  return {};
}

}  // namespace

Pairs pairs_of(const RunCommand& command, const std::string& task) {
  if (command.pair || task == kAnswer) return Pairs::needed;
  return task == kClassify ? Pairs::optional : Pairs::none;
}

void check_options(const RunCommand& command, const std::string& task) {
  require(command.prompt.has_value(), "--prompt", task, {kEmbed});
  require(command.aggregation.has_value(), "--aggregation", task, {kTokens});
  require(command.question.has_value(), "--question", task, {kAnswer});
  require(command.context.has_value(), "--context", task, {kAnswer});
  require(command.top_k.has_value(), "--top-k", task, {kClassify, kFillMask, kAnswer, kGenerate});
  require(command.pair, "--pair", task, {kClassify, kAnswer});
  require(command.chat.has_value(), "--chat", task, {kGenerate});
  const std::string option = generation_option(command.generation);
  require(!option.empty(), option, task, {kGenerate});
  if (task != kGenerate) return;
  if (command.output) throw UsageError{"--output is not for text-generation", "--json > FILE"};
  if (command.repeat) throw UsageError{"--repeat is not for text-generation", "`bench` measures"};
}

TaskResults run_task(const Model& model, const std::string& task, const RunCommand& command,
                     std::span<const TextItem> items, const BatchOptions& batch) {
  try {
    return Task(model, command, items, batch).run(task);
  } catch (const Error& error) {
    throw_with_place(error, items);
  }
}

double shortest(float value) {
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double read = 0;
  std::from_chars(text.data(), end, read);
  return read;
}

}  // namespace accelerate::cli
