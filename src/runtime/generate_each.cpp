// Greedy and sampled texts: every step runs what comes next of all of them together, prompts in parts.
#include <algorithm>
#include <chrono>
#include <optional>

#include "decoding/choice.hpp"
#include "decoding/random.hpp"
#include "decoding/sampler_chain.hpp"
#include "decoding/stopping.hpp"
#include "decoding/text_stream.hpp"
#include "runtime/generate.hpp"

namespace accelerate::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Of prompts in one run: more would only hold more memory.
constexpr std::size_t kMostRows = 1024;

// One text as it grows.
struct Growing {
  std::size_t prompt = 0, number = 0;
  std::vector<std::int32_t> tokens;  // with the prompt
  std::size_t prompt_length = 0, limit = 0;
  Slot slot = 0;
  std::size_t held = 0;            // of the tokens, in the slot
  const Growing* after = nullptr;  // whose prompt it shares, until that has run
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
        chain_(call.settings, call.filter, call.max_positions) {}

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
    std::vector<Growing*> running;
    std::vector<Sequences::Next> next;
    std::size_t rows = 0;
    bool prompts = false;
    for (Growing& text : texts_) {
      if (text.done || text.after != nullptr || rows >= kMostRows) continue;
      const std::size_t count = std::min(text.tokens.size() - text.held, kMostRows - rows);
      const bool whole = text.held + count == text.tokens.size();
      next.push_back({text.slot, std::span(text.tokens).subspan(text.held, count), whole, call_.source(text.prompt)});
      running.push_back(&text);
      rows += count;
      prompts |= text.held + 1 < text.prompt_length;
    }
    if (running.empty()) return false;
    const auto begin = Clock::now();
    const Tensor logits = sequences_.run(next, call_.options.cancellation);
    const auto width = static_cast<std::size_t>(logits.dims().back());
    std::size_t row = 0;
    for (std::size_t i = 0; i < running.size(); ++i) {
      running[i]->held += next[i].tokens.size();
      if (next[i].wanted) take(*running[i], logits.as<float>().subspan(width * row++, width));
    }
    (prompts ? prompt_seconds_ : decode_seconds_) += seconds_since(begin);
    if (!prompts) ++generations_.times.steps;
    if (generations_.times.first_token == 0 && row > 0) generations_.times.first_token = seconds_since(began_);
    return true;
  }

  // The token that follows, for this text and for those that waited for the same prompt.
  void take(Growing& text, std::span<const float> logits) {
    expect_numbers(call_.model, logits, text.tokens);
    for (Growing& other : texts_) {
      if (other.after != &text) continue;
      other.after = nullptr;
      other.slot = sequences_.slots().fork(text.slot);
      other.held = text.held;
      append(other, logits);
    }
    append(text, logits);
  }

  void append(Growing& text, std::span<const float> logits) {
    scores_.assign(logits.begin(), logits.end());
    chain_.apply(scores_, text.tokens, text.prompt_length);
    expect_choice(call_, scores_);
    const std::size_t place = text.tokens.size() - text.prompt_length;
    const std::int32_t token =
        settings_.do_sample
            ? decoding::sampled(
                  scores_, decoding::uniform(settings_.seed, text.prompt * settings_.num_return_sequences + text.number,
                                             static_cast<std::uint32_t>(place)))
            : decoding::likeliest(scores_);
    note_probabilities(text, logits, token);
    if (text.result.ids.size() < call_.options.logits)
      text.logits.insert(text.logits.end(), logits.begin(), logits.end());
    text.tokens.push_back(token);
    text.result.ids.push_back(token);
    ++generations_.times.new_tokens;
    const bool shown = std::ranges::find(settings_.stop_token_ids, token) == settings_.stop_token_ids.end();
    if (shown) say(text, text.stream.push(token));
    if (const auto reason = reason_to_stop(text, token)) finish(text, *reason);
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
  decoding::SamplerChain chain_;
  std::vector<Growing> texts_;
  std::vector<float> scores_;
  Clock::time_point began_ = Clock::now();
  double prompt_seconds_ = 0, decode_seconds_ = 0;
};

}  // namespace

void generate_each(const GenerationCall& call, Sequences& sequences, Generations& generations) {
  EachText(call, sequences, generations).run();
}

}  // namespace accelerate::runtime
