// Beam search: every step runs the beams of all prompts together; a beam takes over its parent's past.
#include <algorithm>

#include "decoding/beam_search.hpp"
#include "decoding/stopping.hpp"
#include "runtime/generate.hpp"

namespace accelerate::runtime {
namespace {

class Beams {
 public:
  Beams(const GenerationCall& call, Sequences& sequences, Generations& generations)
      : call_(call),
        sequences_(sequences),
        times_(generations.times),
        generations_(generations),
        vocabulary_(call.vocabulary),
        beams_(call.settings.num_beams),
        search_(call.settings, call.prompts, vocabulary_,
                {.max_positions = call.max_positions, .filter = call.filter, .stops = stops_of(call)}) {}

  void run() {
    try {
      Tensor logits = run_prompts();
      while (true) {
        const decoding::BeamStep step = search_.advance(logits.as<float>());
        if (search_.stuck()) throw_no_choice(call_);
        if (times_.first_token == 0) times_.first_token = seconds_since(began_);
        times_.new_tokens += std::ssize(step.tokens);
        if (search_.finished()) break;
        logits = run_beams(step);
      }
    } catch (const Error& error) {
      release();
      if (error.kind() != ErrorKind::interrupted) throw;
      cancelled_ = true;
    }
    if (!cancelled_) release();
    tell();
  }

 private:
  // Ends a beam whose text holds a stop string.
  static std::function<bool(std::span<const std::int32_t>)> stops_of(const GenerationCall& call) {
    if (call.settings.stop_strings.empty()) return {};
    return [&call](std::span<const std::int32_t> ids) {
      const std::string text = call.model.processor().tokenizer().decode(ids, call.options.skip_special_tokens);
      return std::ranges::any_of(call.settings.stop_strings,
                                 [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
    };
  }

  // One slot a prompt, from which its beams then fork. Logits [batch, vocabulary].
  Tensor run_prompts() {
    const auto begin = Clock::now();
    std::vector<Sequences::Next> next;
    for (std::size_t item = 0; item < call_.prompts.size(); ++item) {
      const std::vector<std::int32_t>& prompt = call_.prompts[item];
      const Slot slot = call_.sources.empty() ? sequences_.begin(prompt) : sequences_.slots().open();
      slots_.push_back(slot);
      const auto held = static_cast<std::size_t>(sequences_.slots().length(slot));
      times_.prompt_tokens += std::ssize(prompt);
      times_.known_tokens += static_cast<std::int64_t>(held);
      next.push_back({slot, std::span(prompt).subspan(held), 1, call_.source(item)});
    }
    Tensor logits = sequences_.run(next, call_.options.cancellation);
    std::vector<Slot> beams;
    for (std::size_t item = 0; item < slots_.size(); ++item) {
      expect_numbers(call_.model, logits.as<float>().subspan(item * vocabulary_, vocabulary_), call_.prompts[item]);
      beams.push_back(slots_[item]);
      for (std::size_t beam = 1; beam < beams_; ++beam) beams.push_back(sequences_.slots().fork(slots_[item]));
    }
    slots_ = std::move(beams);
    times_.prompt += seconds_since(begin);
    return logits;
  }

  // Logits [batch * beams, vocabulary]; zeros for items that are done, which nobody looks at.
  Tensor run_beams(const decoding::BeamStep& step) {
    const auto begin = Clock::now();
    std::vector<Slot> parents;
    for (const std::int32_t parent : step.parents) parents.push_back(slots_[static_cast<std::size_t>(parent)]);
    sequences_.slots().reorder(slots_, parents);
    std::vector<Sequences::Next> next;
    for (std::size_t beam = 0; beam < slots_.size(); ++beam) {
      const std::size_t item = beam / beams_;
      if (search_.done(item)) continue;
      next.push_back({slots_[beam], std::span(step.tokens).subspan(beam, 1), 1, call_.source(item)});
    }
    const Tensor rows = sequences_.run(next, call_.options.cancellation);
    times_.decode += seconds_since(begin);
    ++times_.steps;
    if (next.size() == slots_.size()) return rows;
    Tensor logits(DType::f32, {std::ssize(slots_), rows.dims().back()});
    std::size_t row = 0;
    for (std::size_t beam = 0; beam < slots_.size(); ++beam) {
      if (search_.done(beam / beams_)) continue;
      std::ranges::copy(rows.as<float>().subspan(vocabulary_ * row++, vocabulary_),
                        logits.as<float>().subspan(vocabulary_ * beam).begin());
    }
    return logits;
  }

  void tell() {
    const std::size_t returned = call_.settings.num_return_sequences;
    const std::vector<decoding::BeamResult> results = search_.results();
    for (std::size_t i = 0; i < results.size(); ++i) {
      GeneratedText text;
      text.ids = results[i].ids;
      text.score = results[i].score;
      const auto ends = [&](const std::vector<std::int32_t>& ids) {
        return !text.ids.empty() && std::ranges::find(ids, text.ids.back()) != ids.end();
      };
      text.reason = cancelled_                            ? StopReason::cancelled
                    : ends(call_.settings.eos_token_ids)  ? StopReason::end_of_text
                    : ends(call_.settings.stop_token_ids) ? StopReason::stop_token
                                                          : StopReason::length;
      text.text = call_.model.processor().tokenizer().decode(text.ids, call_.options.skip_special_tokens);
      cut_at_stop(text);
      generations_.texts[i / returned].push_back(std::move(text));
    }
  }

  void cut_at_stop(GeneratedText& text) const {
    std::size_t first = std::string::npos;
    for (const std::string& stop : call_.settings.stop_strings) first = std::min(first, text.text.find(stop));
    if (first == std::string::npos) return;
    text.text.resize(first);
    text.reason = StopReason::stop_text;
  }

  void release() {
    for (const Slot slot : slots_) sequences_.drop(slot);
    slots_.clear();
  }

  const GenerationCall& call_;
  Sequences& sequences_;
  GenerationTimes& times_;
  Generations& generations_;
  std::size_t vocabulary_, beams_;
  decoding::BeamSearch search_;
  std::vector<Slot> slots_;  // of the beams, item by item
  Clock::time_point began_ = Clock::now();
  bool cancelled_ = false;
};

}  // namespace

void generate_beams(const GenerationCall& call, Sequences& sequences, Generations& generations) {
  Beams(call, sequences, generations).run();
}

}  // namespace accelerate::runtime
