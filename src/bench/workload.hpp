// What is measured: a model loaded afresh, and one run of it from what the user has to what the user wants.
//
// "random tokens": padded tensors of token ids in, as `run --inputs` takes them, and the task's output tensors out.
// "texts": texts in, the tokenizer, batches packed without padding, and the task's output tensors of all of them out.
// What a task makes of its tensors afterwards (labels, words) is in neither.
// "prefill": prompts of random tokens into an empty past. "decode": one more token of each text after its past. Both
// give the likeliest token that follows each; a token that ends a text ends nothing here. Of an encoder-decoder the
// random tokens are the source: "prefill" encodes it and gives the first token, "decode" one more after kTargetPast.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/cost.hpp"
#include "bench/generation_run.hpp"
#include "bench/run_trace.hpp"
#include "runtime/loaded_model.hpp"
#include "runtime/packing.hpp"

namespace accelerate::bench {

// What a run does with a text: all of its tokens at once, or, of tasks that generate, the prompt or a later token.
enum class Phase { whole, prefill, decode };
// "", "prefill", "decode"
std::string_view name_of(Phase phase);

// Tokens that a decoder has given of a text whose source is what a workload sizes: the middle of the first 64.
constexpr std::int64_t kTargetPast = 32;

// Sizes of the runs, or the texts themselves.
struct Workload {
  std::int64_t batch = 1;                                 // texts
  std::int64_t tokens = 0;                                // of each, its past or its source; with texts, of the longest
  std::shared_ptr<const std::vector<std::string>> texts;  // null: random tokens
  Phase phase = Phase::whole;
  // "random tokens", "texts", "prefill" or "decode".
  std::string name() const {
    if (phase != Phase::whole) return std::string(name_of(phase));
    return texts ? "texts" : "random tokens";
  }
};

// One run of a graph.
struct SizedRun {
  Extents extents;
  bool encodes = false;  // the encoder of an encoder-decoder; else the task's graph
};

// A folder opened for one precision and number of threads.
class Subject {
 public:
  // `task`: a name of ModelInfo::tasks; empty: the first. Errors as Model::open's; no weight is read.
  Subject(const std::filesystem::path& folder, const OpenOptions& options, const std::string& task);

  const ModelInfo& info() const { return model_.info(); }
  const std::string& task() const { return task_; }
  const Graph& graph() const { return compiled_->graph(); }
  const Graph& graph_of(const SizedRun& run) const { return compiled_of(run.encodes).graph(); }
  const CompileOptions& options() const { return model_.plan_options(); }
  const Backend& backend() const { return model_.backend(); }
  // work_of's `kept`.
  const Weights* kept_weights() const {
    return backend().name() == "cpu" ? model_.definition().weights.get() : nullptr;
  }
  // The longest input that the architecture takes; 0 where nothing limits it.
  std::int64_t longest_input() const;

  // Sizes of the runs that a workload makes, one or (texts under the token budget of BatchOptions) several; reads the
  // tokenizer for texts. Sets workload.batch and workload.tokens for texts.
  std::vector<SizedRun> runs_of(Workload& workload) const;
  // Sizes of the untimed runs that bring a past about; none but for decoding.
  std::vector<SizedRun> filling_of(const Workload& workload) const;
  // Of the largest of them; of encoder and decoder together.
  MemoryPrediction predict(std::span<const SizedRun> runs) const;
  // Operations and weight bytes of all of them.
  Work work(std::span<const SizedRun> runs) const;
  // Tokens that they are about: of a source, or of the texts.
  static std::int64_t rows(std::span<const SizedRun> runs);

  // Opens the tokenizer, which texts need.
  void open_tokenizer() const { model_.processor(); }
  // Error{unsupported} naming what the device lacks.
  void compile();
  // Makes the input tensors of random tokens. Seeded: the same for every run.
  void make_inputs(const Workload& workload);
  // To where a run begins, before each: what is not timed. Error{interrupted}.
  void rewind(const Cancellation& cancellation) const;
  // Once, from texts or tensors to tensors. The trace is filled where there is one. Error{interrupted}.
  void run(const Workload& workload, const Cancellation& cancellation, RunTrace* trace = nullptr) const;
  // Of the runs that encode, or of the others.
  std::vector<PlanStep> steps(bool encodes) const { return compiled_of(encodes).steps(); }
  bool has_encoder() const { return encoder_ != nullptr; }

 private:
  runtime::CompiledGraph& compiled_of(bool encodes) const { return encodes ? *encoder_ : *compiled_; }
  // Of each text's, before a run.
  std::int64_t past_of(const Workload& workload) const;
  std::vector<std::int64_t> sources_of(const Workload& workload, std::size_t texts) const;
  std::vector<SizedRun> encoding_of(const Workload& workload) const;
  void make_generation(const Workload& workload);
  std::vector<runtime::Item> items_of(const Workload& workload, const Cancellation& cancellation) const;
  std::vector<runtime::Selected> selected(std::size_t items) const;

  runtime::LoadedModel model_;
  std::string task_;
  std::shared_ptr<runtime::CompiledGraph> compiled_;
  std::shared_ptr<runtime::CompiledGraph> encoder_;  // of an encoder-decoder that generates; else null
  std::int32_t start_token_ = 0;                     // of its texts
  NamedTensors inputs_;
  std::unique_ptr<GenerationRun> generation_;  // of the phases that generate
};

}  // namespace accelerate::bench
