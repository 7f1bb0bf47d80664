// One run of a graph that keeps the past: whole prompts into an empty one, behind the encoder where there is one, or
// one more token of each text after it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bench/run_trace.hpp"
#include "runtime/sequences.hpp"

namespace accelerate::bench {

// The runs that fill the past of `batch` texts with `tokens` each, in parts as generating does it.
struct FillingRun {
  std::vector<std::size_t> texts;
  std::vector<std::int64_t> counts, past;  // of each: tokens of this run, and how many are there before it
};
std::vector<FillingRun> filling_runs(std::int64_t batch, std::int64_t tokens);

// The sizes of a run: tokens that each text gets, what it has, those of what it reads (none: there is no encoder), and
// how many of them want logits.
Extents extents_after(std::vector<std::int64_t> past, std::vector<std::int64_t> counts,
                      std::vector<std::int64_t> sources, std::int64_t selected);

// What an encoder reads of each text.
struct SourceTexts {
  std::shared_ptr<runtime::CompiledGraph> encoder;
  std::vector<std::vector<std::int32_t>> texts;
};

// Texts side by side. Each run begins where the one before began: the slots are cut back to their past.
class GenerationRun {
 public:
  // `prompts`: of equal length. With `decodes` all but the last token of each are its past, and a run takes the last
  // one, or what the run before chose, a step further; without, a run reads the source, if there is one, and takes all
  // of them.
  GenerationRun(std::shared_ptr<runtime::CompiledGraph> graph, std::vector<std::vector<std::int32_t>> prompts,
                bool decodes, std::optional<SourceTexts> read = {});

  // Not timed: to where a run begins. Where it decodes: reads the sources and fills the past unless they are there, and
  // takes the step before the run's.
  // Error{interrupted}.
  void rewind(const Cancellation& cancellation);
  // Once, with the likeliest token of each text. Error{interrupted}.
  void run(const Cancellation& cancellation, RunTrace* trace);
  // What followed each text in the last run.
  std::span<const std::int32_t> chosen() const { return chosen_; }
  // Of each text's past now.
  std::int64_t past(std::size_t text) { return sequences_.slots().length(slots_.at(text)); }

 private:
  std::int64_t past_length() const { return decodes_ ? std::ssize(prompts_.front()) - 1 : 0; }
  // But for the last token of the past, which each rewind takes anew.
  std::int64_t filled_length() const { return past_length() > 0 ? past_length() - 1 : 0; }
  runtime::Sequences::Next next_of(std::size_t text, std::span<const std::int32_t> tokens, std::size_t wanted) const;
  std::size_t read(const Cancellation& cancellation, RunTrace* trace);
  void fill(const Cancellation& cancellation);
  void take_last_step(const Cancellation& cancellation);
  bool cut_back();
  void drop_all();

  runtime::Sequences sequences_;
  std::vector<std::vector<std::int32_t>> prompts_;
  bool decodes_;
  std::optional<SourceTexts> read_;
  std::vector<std::shared_ptr<const runtime::Source>> sources_;  // what the encoder gave of them
  std::vector<Slot> slots_;
  std::vector<std::int32_t> chosen_;
};

}  // namespace accelerate::bench
