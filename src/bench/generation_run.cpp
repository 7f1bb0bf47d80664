#include "bench/generation_run.hpp"

#include <algorithm>

#include "decoding/choice.hpp"
#include "runtime/sources.hpp"

namespace accelerate::bench {
namespace {

constexpr std::int64_t kMostRows = 1024;  // of prompts in one run, as generating takes them

}  // namespace

std::vector<FillingRun> filling_runs(std::int64_t batch, std::int64_t tokens) {
  std::vector<FillingRun> runs;
  FillingRun run;
  std::int64_t rows = 0;
  for (std::size_t text = 0; text < static_cast<std::size_t>(batch); ++text) {
    for (std::int64_t held = 0; held < tokens;) {
      const std::int64_t count = std::min(tokens - held, kMostRows - rows);
      run.texts.push_back(text);
      run.counts.push_back(count);
      run.past.push_back(held);
      held += count;
      rows += count;
      if (rows < kMostRows) continue;
      runs.push_back(std::exchange(run, {}));
      rows = 0;
    }
  }
  if (rows > 0) runs.push_back(std::move(run));
  return runs;
}

Extents extents_after(std::vector<std::int64_t> past, std::vector<std::int64_t> counts,
                      std::vector<std::int64_t> sources, std::int64_t selected) {
  std::int64_t positions = 0;
  for (std::size_t i = 0; i < past.size(); ++i) positions = std::max(positions, past[i] + counts[i]);
  Extents extents;
  extents.set_ragged("tokens", std::move(counts)).set_ragged("past", std::move(past));
  if (!sources.empty()) extents.set_ragged("source", std::move(sources));
  extents.set("selected", selected).set("positions", positions);
  return extents;
}

GenerationRun::GenerationRun(std::shared_ptr<runtime::CompiledGraph> graph,
                             std::vector<std::vector<std::int32_t>> prompts, bool decodes,
                             std::optional<SourceTexts> read)
    : sequences_(std::move(graph)), prompts_(std::move(prompts)), decodes_(decodes), read_(std::move(read)) {
  for (const std::vector<std::int32_t>& prompt : prompts_) chosen_.push_back(prompt.back());
}

void GenerationRun::drop_all() {
  for (const Slot slot : slots_) sequences_.drop(slot);
  slots_.clear();
}

// False where a window has let go of what the next run would look at.
bool GenerationRun::cut_back() {
  try {
    for (const Slot slot : slots_) {
      if (sequences_.slots().length(slot) > filled_length()) sequences_.slots().truncate(slot, filled_length());
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unsupported) throw;
    return false;
  }
  return true;
}

runtime::Sequences::Next GenerationRun::next_of(std::size_t text, std::span<const std::int32_t> tokens,
                                                std::size_t wanted) const {
  return {slots_[text], tokens, wanted, sources_.empty() ? nullptr : sources_[text]};
}

// Returns how many runs of the encoder that were; each is a batch of the trace.
std::size_t GenerationRun::read(const Cancellation& cancellation, RunTrace* trace) {
  if (!read_) return 0;
  std::size_t count = 0;
  Clock::time_point begin = Clock::now();
  sources_ = runtime::read_sources(*read_->encoder, read_->texts, [&](Feeds feeds) {
    RunTrace::Batch* part = trace == nullptr ? nullptr : &trace->batch(count);
    ++count;
    if (part != nullptr) part->look(feeds, begin, true);
    Outputs outputs = read_->encoder->run(std::move(feeds), cancellation);
    begin = Clock::now();
    if (part != nullptr) part->end = begin;
    return outputs;
  });
  return count;
}

void GenerationRun::rewind(const Cancellation& cancellation) {
  if (decodes_ && sources_.empty()) read(cancellation, nullptr);
  if (!decodes_) {  // read anew by each run, as by each call that generates
    sources_.clear();
    sequences_.drop_sources();
  }
  if (slots_.empty() || !cut_back()) {
    drop_all();
    for (std::size_t i = 0; i < prompts_.size(); ++i) slots_.push_back(sequences_.slots().open());
    if (filled_length() > 0) fill(cancellation);
  }
  if (past_length() > 0) take_last_step(cancellation);
}

// What the step before left, in a device or in a session that is laid out for one token with its logits: so does
// generating find it.
void GenerationRun::take_last_step(const Cancellation& cancellation) {
  std::vector<runtime::Sequences::Next> next;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto last = static_cast<std::size_t>(filled_length());
    next.push_back(next_of(i, std::span<const std::int32_t>(prompts_[i]).subspan(last, 1), 1));
  }
  sequences_.run(next, cancellation);
}

void GenerationRun::fill(const Cancellation& cancellation) {
  try {
    for (const FillingRun& run : filling_runs(std::ssize(prompts_), filled_length())) {
      std::vector<runtime::Sequences::Next> next;
      for (std::size_t i = 0; i < run.texts.size(); ++i) {
        const std::span<const std::int32_t> prompt(prompts_[run.texts[i]]);
        const auto held = static_cast<std::size_t>(run.past[i]), count = static_cast<std::size_t>(run.counts[i]);
        next.push_back(next_of(run.texts[i], prompt.subspan(held, count), 0));
      }
      sequences_.run(next, cancellation);
    }
  } catch (const Error&) {
    drop_all();
    throw;
  }
}

void GenerationRun::run(const Cancellation& cancellation, RunTrace* trace) {
  const Clock::time_point begin = Clock::now();
  const std::size_t reads = decodes_ ? 0 : read(cancellation, trace);
  std::vector<runtime::Sequences::Next> next;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    next.push_back(next_of(i, decodes_ ? std::span<const std::int32_t>(&chosen_[i], 1) : prompts_[i], 1));
  }
  const Clock::time_point step = Clock::now();
  RunTrace::Batch* part = trace == nullptr ? nullptr : &trace->batch(reads);
  const Tensor logits = sequences_.run(next, cancellation, [&](Feeds& feeds) {
    if (part != nullptr) part->look(feeds, step, false);
  });
  const auto width = static_cast<std::size_t>(logits.dims().back());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    chosen_[i] = decoding::likeliest(logits.as<float>().subspan(i * width, width));
  }
  if (part == nullptr) return;
  trace->begin = trace->prepared = begin;
  part->end = trace->end = Clock::now();
  trace->batches.resize(reads + 1);
}

}  // namespace accelerate::bench
