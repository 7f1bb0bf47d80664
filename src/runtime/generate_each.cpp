// Greedy and sampled texts: every step runs what comes next of all of them together, prompts in parts.
#include <algorithm>
#include <optional>

#include "decoding/choice.hpp"
#include "decoding/stopping.hpp"
#include "decoding/text_stream.hpp"
#include "runtime/drafts.hpp"
#include "runtime/generate.hpp"
#include "runtime/next_token.hpp"

namespace accelerate::runtime {
namespace {

// One text as it grows.
struct Growing {
  std::size_t prompt = 0, number = 0;
  std::vector<std::int32_t> tokens;  // with the prompt
  std::size_t prompt_length = 0, limit = 0;
  Slot slot = 0;
  std::size_t held = 0;             // of the tokens, in the slot
  std::vector<std::int32_t> draft;  // guesses of what follows the tokens
  std::size_t ahead = 0;            // to guess next time, at most: more while they are right
  std::vector<std::int32_t> fed;    // a token and the guesses, in the run
  const Growing* after = nullptr;   // whose prompt it shares, until that has run
  std::optional<StopReason> ended;
  bool done = false;
  decoding::Stopping stopping;
  decoding::TextStream stream;
  std::vector<float> logits;  // of the first tokens, where they are kept
  GeneratedText result;
};

class EachText {
 public:
  EachText(const GenerationCall& call, Sequences& sequences, Generations& generations)
      : call_(call),
        settings_(call.settings),
        sequences_(sequences),
        generations_(generations),
        choose_(call),
        drafts_(drafts_of(call)) {}

  void run() {
    begin();
    try {
      while (step()) continue;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) {
        drop_all();
        throw;
      }
      for (Growing& text : texts_) {
        if (!text.done) finish(text, StopReason::cancelled);
      }
    }
    if (drafts_) drafts_->finish();
    generations_.times.prompt = prompt_seconds_;
    generations_.times.decode = decode_seconds_;
    for (Growing& text : texts_) generations_.texts[text.prompt].push_back(std::move(text.result));
  }

 private:
  void begin() {
    const std::size_t copies = settings_.num_return_sequences;
    texts_.reserve(call_.prompts.size() * copies);  // others point to them
    for (std::size_t prompt = 0; prompt < call_.prompts.size(); ++prompt) {
      const std::vector<std::int32_t>& ids = call_.prompts[prompt];
      const Growing* first = nullptr;
      for (std::size_t number = 0; number < copies; ++number) {
        texts_.push_back({.prompt = prompt,
                          .number = number,
                          .tokens = ids,
                          .prompt_length = ids.size(),
                          .limit = call_.limit(ids.size()),
                          .ahead = call_.most_guesses(),
                          .after = first,
                          .stopping = decoding::Stopping(settings_, ids.size(), call_.max_positions),
                          .stream = decoding::TextStream(call_.model.processor().tokenizer(),
                                                         {.skip_special_tokens = call_.options.skip_special_tokens,
                                                          .stop_strings = settings_.stop_strings})});
        if (number == 0) first = &texts_.back();
      }
      generations_.times.prompt_tokens += std::ssize(ids);
    }
    for (Growing& text : texts_) {
      if (text.after == nullptr) open(text);
    }
  }

  void open(Growing& text) {
    // What is kept of other texts is of other sources.
    text.slot = call_.sources.empty() ? sequences_.begin(text.tokens) : sequences_.slots().open();
    text.held = static_cast<std::size_t>(sequences_.slots().length(text.slot));
    generations_.times.known_tokens += static_cast<std::int64_t>(text.held);
  }

  // False once all are done.
  bool step() {
    const auto begin = Clock::now();
    guess();
    std::vector<Growing*> running;
    std::vector<Sequences::Next> next;
    std::size_t rows = 0;
    bool prompts = false;
    for (Growing& text : texts_) {
      if (text.done || text.after != nullptr || rows >= kMostRows) continue;
      const std::size_t left = text.tokens.size() - text.held, count = std::min(left, kMostRows - rows);
      next.push_back(next_of(text, count));
      running.push_back(&text);
      rows += next.back().tokens.size();
      prompts |= text.held + 1 < text.prompt_length;
    }
    if (running.empty()) return false;
    const Tensor logits = sequences_.run(next, call_.options.cancellation);
    const auto width = static_cast<std::size_t>(logits.dims().back());
    std::size_t row = 0;
    for (std::size_t i = 0; i < running.size(); ++i) {
      Growing& text = *running[i];
      if (next[i].wanted == 0) {
        text.held += next[i].tokens.size();
        continue;
      }
      text.held = text.tokens.size();
      take(text, logits.as<float>().subspan(width * row, width * next[i].wanted), width);
      row += next[i].wanted;
    }
    (prompts ? prompt_seconds_ : decode_seconds_) += seconds_since(begin);
    if (!prompts) ++generations_.times.steps;
    if (generations_.times.first_token == 0 && row > 0) generations_.times.first_token = seconds_since(began_);
    return true;
  }

  // What may follow the texts whose prompts have run.
  void guess() {
    if (!drafts_) return;
    std::vector<Growing*> growing;
    std::vector<Drafts::Text> asked;
    for (Growing& text : texts_) {
      text.draft.clear();
      if (text.done || text.tokens.size() == text.prompt_length) continue;
      // The last place is for a token of the model's own; and guesses must not make a text look longer than it is.
      const auto limit = std::min(text.limit, static_cast<std::size_t>(sequences_.steady_length()));
      const std::size_t room = limit > text.tokens.size() ? limit - text.tokens.size() - 1 : 0;
      asked.push_back({number_of(text), text.tokens, text.prompt_length, std::min(text.ahead, room)});
      growing.push_back(&text);
    }
    std::vector<std::vector<std::int32_t>> guesses = drafts_->next(asked);
    for (std::size_t i = 0; i < growing.size(); ++i) {
      generations_.times.guessed_tokens += std::ssize(guesses[i]);
      growing[i]->draft = std::move(guesses[i]);
    }
  }

  // `count` tokens of a text, and behind the last of all its guesses.
  Sequences::Next next_of(Growing& text, std::size_t count) const {
    Sequences::Next next{.slot = text.slot, .source = call_.source(text.prompt), .length = std::ssize(text.tokens)};
    next.tokens = std::span(text.tokens).subspan(text.held, count);
    if (text.held + count < text.tokens.size()) {
      next.wanted = 0;
    } else if (!text.draft.empty()) {
      text.fed.assign(next.tokens.begin(), next.tokens.end());
      text.fed.insert(text.fed.end(), text.draft.begin(), text.draft.end());
      next.tokens = text.fed;
      next.wanted = text.draft.size() + 1;
    }
    return next;
  }

  // The token that follows, for this text and for those that waited for the same prompt; and for each guess that was
  // right the one that follows it. `logits`: rows behind the last token and behind each guess.
  void take(Growing& text, std::span<const float> logits, std::size_t width) {
    expect_numbers(call_.model, logits, text.tokens);
    for (Growing& other : texts_) {
      if (other.after != &text) continue;
      other.after = nullptr;
      other.slot = sequences_.slots().fork(text.slot);
      other.held = text.held;
      if (!append(other, logits.first(width))) finish(other, *other.ended);
    }
    std::size_t right = 0;
    bool goes_on = append(text, logits.first(width));
    while (goes_on && right < text.draft.size() && text.tokens.back() == text.draft[right]) {
      ++right;
      goes_on = append(text, logits.subspan(right * width, width));
    }
    generations_.times.right_guesses += static_cast<std::int64_t>(right);
    // What the last of them was chosen behind is held; a guess that was right and ended the text is not needed.
    text.held += right;
    if (!text.draft.empty()) {
      const bool all = right == text.draft.size();
      text.ahead = all ? std::min(2 * text.ahead, call_.most_guesses()) : right + 1;
      sequences_.slots().truncate(text.slot, static_cast<std::int64_t>(text.held));
    }
    if (text.ended) finish(text, *text.ended);
  }

  // Chooses one more token; false when it ends the text.
  bool append(Growing& text, std::span<const float> logits) {
    const std::optional<std::int32_t> chosen = choose_(logits, text.tokens, text.prompt_length, number_of(text));
    if (!chosen) throw_no_choice(call_);
    const std::int32_t token = *chosen;
    note_probabilities(text, logits, token);
    if (text.result.ids.size() < call_.options.logits)
      text.logits.insert(text.logits.end(), logits.begin(), logits.end());
    text.tokens.push_back(token);
    text.result.ids.push_back(token);
    ++generations_.times.new_tokens;
    const bool shown = std::ranges::find(settings_.stop_token_ids, token) == settings_.stop_token_ids.end();
    if (shown) say(text, text.stream.push(token));
    text.ended = reason_to_stop(text, token);
    return !text.ended;
  }

  std::size_t number_of(const Growing& text) const {
    return text.prompt * settings_.num_return_sequences + text.number;
  }

  std::optional<StopReason> reason_to_stop(Growing& text, std::int32_t token) const {
    switch (text.stopping.after(token, text.stream.stopped())) {
      case decoding::StopReason::eos: return StopReason::end_of_text;
      case decoding::StopReason::stop_token: return StopReason::stop_token;
      case decoding::StopReason::stop_string: return StopReason::stop_text;
      case decoding::StopReason::length: return StopReason::length;
      case decoding::StopReason::none: break;
    }
    // The model has no position for another one.
    if (text.tokens.size() >= text.limit) return StopReason::length;
    return std::nullopt;
  }

  void note_probabilities(Growing& text, std::span<const float> logits, std::int32_t token) const {
    const std::size_t best = call_.options.log_probabilities;
    if (best == 0 && !call_.options.with_log_probabilities) return;
    const auto told = [](const decoding::TokenProbability& p) {
      return TokenLogProbability{p.token, p.log_probability};
    };
    const decoding::LogProbabilities found = decoding::log_probabilities(logits, token, best);
    text.result.log_probabilities.push_back(told(found.chosen));
    std::vector<TokenLogProbability> likeliest;
    std::ranges::transform(found.best, std::back_inserter(likeliest), told);
    text.result.likeliest.push_back(std::move(likeliest));
  }

  void say(Growing& text, std::string_view piece) {
    text.result.text += piece;
    if (call_.options.on_text && !piece.empty()) call_.options.on_text({text.prompt, text.number, piece});
  }

  void finish(Growing& text, StopReason reason) {
    say(text, text.stream.finish());
    text.result.reason = reason;
    if (!text.logits.empty()) {
      const auto width = static_cast<std::int64_t>(call_.vocabulary);
      text.result.logits = Tensor::of({std::ssize(text.logits) / width, width}, text.logits);
    }
    text.done = true;
    if (text.after != nullptr) return;  // it never began
    if (!call_.sources.empty()) return sequences_.drop(text.slot);
    // The last token was not run: what is kept is what came before it.
    sequences_.end(text.slot, std::span(text.tokens).first(text.held));
  }

  void drop_all() {
    for (Growing& text : texts_) {
      if (!text.done && text.after == nullptr) sequences_.drop(text.slot);
    }
  }

  const GenerationCall& call_;
  const decoding::GenerationSettings& settings_;
  Sequences& sequences_;
  Generations& generations_;
  NextToken choose_;
  std::unique_ptr<Drafts> drafts_;  // null where nothing is guessed
  std::vector<Growing> texts_;
  Clock::time_point began_ = Clock::now();
  double prompt_seconds_ = 0, decode_seconds_ = 0;
};

}  // namespace

void generate_each(const GenerationCall& call, Sequences& sequences, Generations& generations) {
  EachText(call, sequences, generations).run();
}

}  // namespace accelerate::runtime
