#include "bench/workload.hpp"

#include <algorithm>
#include <limits>
#include <random>

#include "decoding/settings.hpp"
#include "runtime/batches.hpp"
#include "runtime/prediction.hpp"
#include "runtime/sources.hpp"

namespace accelerate::bench {
namespace {

constexpr std::int64_t kLeastId = 5;  // below it tokenizers keep their special tokens, padding among them

// Ids of the vocabulary that a graph looks up, always the same ones.
class RandomIds {
 public:
  explicit RandomIds(const Graph& graph) : largest_(std::max(runtime::largest_index(graph, "input_ids"), kLeastId)) {}

  // Not std::uniform_int_distribution, which differs between standard libraries.
  std::int64_t next() {
    return std::min(largest_, kLeastId + static_cast<std::int64_t>(random_() >> 1) % (largest_ - kLeastId + 1));
  }
  std::vector<std::vector<std::int32_t>> texts(std::int64_t texts, std::int64_t tokens) {
    std::vector<std::vector<std::int32_t>> made(static_cast<std::size_t>(texts));
    for (std::vector<std::int32_t>& text : made) {
      text.resize(static_cast<std::size_t>(tokens));
      std::ranges::generate(text, [&] { return static_cast<std::int32_t>(next()); });
    }
    return made;
  }

 private:
  std::int64_t largest_;
  std::mt19937_64 random_{7};
};

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

std::vector<SizedRun> runs_over(std::vector<runtime::Item> items, const RunCost& cost, const BatchOptions& options) {
  std::vector<SizedRun> runs;
  runtime::for_each_batch(std::move(items), cost, options, [&](std::span<const runtime::Item> batch) {
    std::vector<std::int64_t> lengths(batch.size());
    std::ranges::transform(batch, lengths.begin(), &runtime::Item::rows);
    runs.emplace_back()
        .extents.set_ragged("tokens", std::move(lengths))
        .set("selected", static_cast<std::int64_t>(batch.size()));
  });
  return runs;
}

// Of two graphs that are there at the same time; one runtime runs both.
MemoryPrediction both(MemoryPrediction a, const MemoryPrediction& b) {
  a.weights += b.weights;
  a.mapped += b.mapped;
  a.activations += b.activations;
  a.workspace += b.workspace;
  a.flops += b.flops;
  a.total += b.total - b.runtime;
  return a;
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
  const bool generates = task_ == name_of(Task::text_generation);
  if (!generates || !runtime::has_encoder(model_)) return;
  encoder_ = runtime::source_encoder(model_);
  start_token_ = runtime::start_token(decoding::settings_of(folder));
}

std::int64_t Subject::longest_input() const {
  const ModelDefinition& definition = model_.definition();
  return definition.architecture->summary(definition.checkpoint.config()).max_tokens;
}

std::int64_t Subject::past_of(const Workload& workload) const {
  if (workload.phase != Phase::decode) return 0;
  if (!has_encoder()) return workload.tokens;
  const std::int64_t longest = longest_input();
  return longest == 0 ? kTargetPast : std::min(kTargetPast, longest - 1);
}

// What each of the texts reads.
std::vector<std::int64_t> Subject::sources_of(const Workload& workload, std::size_t texts) const {
  return std::vector(has_encoder() ? texts : 0, workload.tokens);
}

std::vector<SizedRun> Subject::runs_of(Workload& workload) const {
  const auto batch = static_cast<std::size_t>(workload.batch);
  const auto step = [&](std::int64_t past, std::int64_t tokens) {
    return SizedRun{extents_after(std::vector(batch, past), std::vector(batch, tokens), sources_of(workload, batch),
                                  workload.batch)};
  };
  if (workload.phase == Phase::decode) return {step(past_of(workload), 1)};
  if (has_encoder()) {
    std::vector<SizedRun> runs = encoding_of(workload);
    runs.push_back(step(0, 1));
    return runs;
  }
  if (!workload.texts) return {{runtime::extents_of(workload.batch, workload.tokens)}};
  std::vector<runtime::Item> items = items_of(workload, {});
  workload.batch = static_cast<std::int64_t>(items.size());
  workload.tokens = 0;
  for (const runtime::Item& item : items) workload.tokens = std::max(workload.tokens, item.rows());
  return runs_over(std::move(items), compiled_->run_cost(), batch_options(workload, {}));
}

std::vector<SizedRun> Subject::encoding_of(const Workload& workload) const {
  const std::vector<std::vector<std::int32_t>> texts(
      static_cast<std::size_t>(workload.batch),
      std::vector<std::int32_t>(static_cast<std::size_t>(workload.tokens), std::int32_t{0}));
  std::vector<SizedRun> runs = runs_over(runtime::source_items(texts), encoder_->run_cost(), {});
  for (SizedRun& run : runs) run.encodes = true;
  return runs;
}

std::vector<SizedRun> Subject::filling_of(const Workload& workload) const {
  std::vector<SizedRun> runs;
  if (workload.phase != Phase::decode) return runs;
  if (has_encoder()) runs = encoding_of(workload);
  for (FillingRun& run : filling_runs(workload.batch, past_of(workload))) {
    const std::size_t texts = run.texts.size();
    runs.push_back({extents_after(std::move(run.past), std::move(run.counts), sources_of(workload, texts), 0)});
  }
  return runs;
}

MemoryPrediction Subject::predict(std::span<const SizedRun> runs) const {
  MemoryPrediction decoder, encoder;
  for (const SizedRun& run : runs) {
    const MemoryPrediction one =
        runtime::predict_memory(graph_of(run), *model_.definition().weights, backend(), options(), run.extents);
    MemoryPrediction& most = run.encodes ? encoder : decoder;
    if (one.total > most.total) most = one;
  }
  return both(decoder, encoder);
}

Work Subject::work(std::span<const SizedRun> runs) const {
  Work work;
  for (const SizedRun& run : runs) work += work_of(graph_of(run), run.extents, options(), kept_weights());
  return work;
}

std::int64_t Subject::rows(std::span<const SizedRun> runs) {
  const bool reads = std::ranges::any_of(runs, &SizedRun::encodes);
  std::int64_t rows = 0;
  for (const SizedRun& run : runs) {
    if (run.encodes == reads) rows += run.extents.at("tokens.rows");
  }
  return rows;
}

void Subject::compile() {
  if (encoder_) encoder_->prepare();
  compiled_->prepare();
}

void Subject::make_inputs(const Workload& workload) {
  if (workload.texts) return;
  if (workload.phase != Phase::whole) return make_generation(workload);
  RandomIds ids_in(graph());
  Tensor ids(DType::i64, {workload.batch, workload.tokens}), mask(DType::i64, {workload.batch, workload.tokens});
  std::ranges::generate(ids.as<std::int64_t>(), [&] { return ids_in.next(); });
  std::ranges::fill(mask.as<std::int64_t>(), 1);
  inputs_ = {{"input_ids", std::move(ids)}, {"attention_mask", std::move(mask)}};
}

void Subject::make_generation(const Workload& workload) {
  const bool decodes = workload.phase == Phase::decode;
  if (!has_encoder()) {
    auto prompts = RandomIds(graph()).texts(workload.batch, workload.tokens + (decodes ? 1 : 0));
    generation_ = std::make_unique<GenerationRun>(compiled_, std::move(prompts), decodes);
    return;
  }
  auto prompts = RandomIds(graph()).texts(workload.batch, past_of(workload) + 1);
  for (std::vector<std::int32_t>& prompt : prompts) prompt.front() = start_token_;
  generation_ = std::make_unique<GenerationRun>(
      compiled_, std::move(prompts), decodes,
      SourceTexts{encoder_, RandomIds(encoder_->graph()).texts(workload.batch, workload.tokens)});
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
  runtime::for_each_batch(std::move(items), compiled_->run_cost(), batch_options(workload, cancellation),
                          [&](std::span<const runtime::Item> batch) {
                            RunTrace::Batch* part = trace == nullptr ? nullptr : &trace->batch(count++);
                            const Clock::time_point begin = Clock::now();
                            Feeds feeds = runtime::feeds_of(graph(), batch, selected(batch.size()));
                            if (part != nullptr) part->look(feeds, begin, false);
                            const Outputs outputs = compiled_->run(std::move(feeds), cancellation);
                            if (part != nullptr) part->end = Clock::now();
                          });
  if (trace == nullptr) return;
  trace->batches.resize(count);
  trace->end = Clock::now();
}

}  // namespace accelerate::bench
