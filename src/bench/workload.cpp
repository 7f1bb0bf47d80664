#include "bench/workload.hpp"

#include <algorithm>
#include <limits>
#include <random>

#include "runtime/batches.hpp"
#include "runtime/generate.hpp"
#include "runtime/prediction.hpp"

namespace accelerate::bench {
namespace {

constexpr std::int64_t kLeastId = 5;  // below it tokenizers keep their special tokens, padding among them

Task task_of(const ModelDefinition& definition, const std::string& task) {
  return task.empty() ? definition.program.tasks.front() : task_named(task);
}

// Texts are packed as every call packs them; tensors are one run, so that a row is what its sizes say.
BatchOptions batch_options(const Workload& workload, const Cancellation& cancellation) {
  BatchOptions options;
  options.cancellation = cancellation;
  if (!workload.texts) options.tokens = std::numeric_limits<std::int64_t>::max();
  return options;
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::whole: return "";
    case Phase::prefill: return "prefill";
    case Phase::decode: return "decode";
  }
  return "";
}

Subject::Subject(const std::filesystem::path& folder, const OpenOptions& options, const std::string& task)
    : model_(folder, options),
      task_(name_of(task_of(model_.definition(), task))),
      compiled_(model_.compiled(task_named(task_))) {
  if (task_ == "text-generation" && runtime::has_encoder(model_)) {
    throw Error(ErrorKind::unsupported, "generation of an encoder-decoder is not measured yet, only that of decoders",
                "bench", "`run --stats` says what a text took");
  }
}

std::int64_t Subject::longest_input() const {
  const ModelDefinition& definition = model_.definition();
  return definition.architecture->summary(definition.checkpoint.config()).max_tokens;
}

std::vector<Extents> Subject::extents_of(Workload& workload) const {
  if (workload.phase == Phase::decode) {
    const auto batch = static_cast<std::size_t>(workload.batch);
    return {extents_after(std::vector(batch, workload.tokens), std::vector(batch, std::int64_t{1}), workload.batch)};
  }
  if (!workload.texts) return {runtime::extents_of(workload.batch, workload.tokens)};
  std::vector<runtime::Item> items = items_of(workload, {});
  workload.batch = static_cast<std::int64_t>(items.size());
  workload.tokens = 0;
  for (const runtime::Item& item : items) workload.tokens = std::max(workload.tokens, item.rows());
  std::vector<Extents> runs;
  runtime::for_each_batch(std::move(items), batch_options(workload, {}), [&](std::span<const runtime::Item> batch) {
    std::vector<std::int64_t> lengths(batch.size());
    std::ranges::transform(batch, lengths.begin(), &runtime::Item::rows);
    runs.emplace_back()
        .set_ragged("tokens", std::move(lengths))
        .set("selected", static_cast<std::int64_t>(batch.size()));
  });
  return runs;
}

std::vector<Extents> Subject::filling_of(const Workload& workload) {
  std::vector<Extents> runs;
  if (workload.phase != Phase::decode) return runs;
  for (FillingRun& run : filling_runs(workload.batch, workload.tokens)) {
    runs.push_back(extents_after(std::move(run.past), std::move(run.counts), 0));
  }
  return runs;
}

MemoryPrediction Subject::predict(std::span<const Extents> runs) const {
  MemoryPrediction most;
  for (const Extents& extents : runs) {
    const MemoryPrediction one =
        runtime::predict_memory(graph(), *model_.definition().weights, backend(), options(), extents);
    if (one.total > most.total) most = one;
  }
  return most;
}

Work Subject::work(std::span<const Extents> runs) const {
  Work work;
  for (const Extents& extents : runs) work += work_of(graph(), extents, options());
  return work;
}

void Subject::make_inputs(const Workload& workload) {
  if (workload.texts) return;
  const std::int64_t largest = std::max(runtime::largest_index(graph(), "input_ids"), kLeastId);
  std::mt19937_64 random(7);
  // Not std::uniform_int_distribution, which differs between standard libraries.
  const auto next_id = [&] {
    return std::min(largest, kLeastId + static_cast<std::int64_t>(random() >> 1) % (largest - kLeastId + 1));
  };
  if (workload.phase == Phase::whole) {
    Tensor ids(DType::i64, {workload.batch, workload.tokens}), mask(DType::i64, {workload.batch, workload.tokens});
    std::ranges::generate(ids.as<std::int64_t>(), next_id);
    std::ranges::fill(mask.as<std::int64_t>(), 1);
    inputs_ = {{"input_ids", std::move(ids)}, {"attention_mask", std::move(mask)}};
    return;
  }
  const bool decodes = workload.phase == Phase::decode;
  std::vector<std::vector<std::int32_t>> prompts(static_cast<std::size_t>(workload.batch));
  for (std::vector<std::int32_t>& prompt : prompts) {
    prompt.resize(static_cast<std::size_t>(workload.tokens + (decodes ? 1 : 0)));
    std::ranges::generate(prompt, [&] { return static_cast<std::int32_t>(next_id()); });
  }
  generation_ = std::make_unique<GenerationRun>(compiled_, std::move(prompts), decodes);
}

void Subject::rewind(const Cancellation& cancellation) const {
  if (generation_) generation_->rewind(cancellation);
}

std::vector<runtime::Item> Subject::items_of(const Workload& workload, const Cancellation& cancellation) const {
  if (!workload.texts) return runtime::items_of(graph(), inputs_);
  BatchOptions options;
  options.cancellation = cancellation;
  return runtime::items_of(model_.processor().ids_of(runtime::views(*workload.texts), options));
}

// One place a text, where the graph asks for places.
std::vector<runtime::Selected> Subject::selected(std::size_t items) const {
  std::vector<runtime::Selected> places;
  if (graph().find_input("selected.item") == nullptr) return places;
  for (std::size_t i = 0; i < items; ++i) places.push_back({static_cast<std::int64_t>(i), 0});
  return places;
}

void Subject::run(const Workload& workload, const Cancellation& cancellation, RunTrace* trace) const {
  if (generation_) return generation_->run(cancellation, trace);
  if (trace != nullptr) trace->begin = Clock::now();
  std::vector<runtime::Item> items = items_of(workload, cancellation);
  if (trace != nullptr) trace->prepared = Clock::now();
  std::size_t count = 0;
  runtime::for_each_batch(std::move(items), batch_options(workload, cancellation),
                          [&](std::span<const runtime::Item> batch) {
                            RunTrace::Batch* part = trace == nullptr ? nullptr : &trace->batch(count++);
                            if (part != nullptr) part->begin = Clock::now();
                            Feeds feeds = runtime::feeds_of(graph(), batch, selected(batch.size()));
                            if (part != nullptr) {
                              part->steps.clear();
                              feeds.step_times = &part->steps;
                              feeds.pool_work = &part->threads;
                              part->fed = Clock::now();
                            }
                            const Outputs outputs = compiled_->run(std::move(feeds), cancellation);
                            if (part != nullptr) part->end = Clock::now();
                          });
  if (trace == nullptr) return;
  trace->batches.resize(count);
  trace->end = Clock::now();
}

}  // namespace accelerate::bench
