// What is measured: a model loaded afresh, and one run of it from what the user has to what the user wants.
//
// "random tokens": padded tensors of token ids in, as `run --inputs` takes them, and the task's output tensors out.
// "texts": texts in, the tokenizer, batches packed without padding, and the task's output tensors of all of them out.
// What a task makes of its tensors afterwards (labels, words) is in neither.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/cost.hpp"
#include "core/thread_pool.hpp"
#include "runtime/loaded_model.hpp"
#include "runtime/packing.hpp"

namespace accelerate::bench {

using Clock = std::chrono::steady_clock;

inline double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

// Sizes of the runs, or the texts themselves.
struct Workload {
  std::int64_t batch = 1;                                 // texts
  std::int64_t tokens = 0;                                // of each; with texts, of the longest
  std::shared_ptr<const std::vector<std::string>> texts;  // null: random tokens
  // "random tokens" or "texts".
  std::string name() const { return texts ? "texts" : "random tokens"; }
};

// One run taken apart: when its pieces began and ended.
struct RunTrace {
  struct Batch {
    Clock::time_point begin, fed;  // tensors for the graph are made between the two
    StepTimes steps;               // then the steps run
    PoolWork threads;              // on these threads
    Clock::time_point end;         // and its outputs are copied out
  };
  Clock::time_point begin, prepared, end;  // tokenizing, or reading the padded tensors, lies before `prepared`
  std::vector<Batch> batches;

  // The batch of that number, made when it is the next: a trace that is filled again needs no new memory.
  Batch& batch(std::size_t number) { return number < batches.size() ? batches[number] : batches.emplace_back(); }
};

// A folder opened for one precision and number of threads.
class Subject {
 public:
  // `task`: a name of ModelInfo::tasks; empty: the first. Errors as Model::open's; no weight is read.
  Subject(const std::filesystem::path& folder, const OpenOptions& options, const std::string& task);

  const ModelInfo& info() const { return model_.info(); }
  const std::string& task() const { return task_; }
  const Graph& graph() const { return compiled_->graph(); }
  const CompileOptions& options() const { return model_.plan_options(); }
  const Backend& backend() const { return model_.backend(); }
  // The longest input that the architecture takes; 0 where nothing limits it.
  std::int64_t longest_input() const;

  // Sizes of the runs that a workload makes, one or (texts under the token budget of BatchOptions) several; reads the
  // tokenizer for texts. Sets workload.batch and workload.tokens for texts.
  std::vector<Extents> extents_of(Workload& workload) const;
  // Of the largest of them.
  MemoryPrediction predict(std::span<const Extents> runs) const;
  // Operations and weight bytes of all of them.
  Work work(std::span<const Extents> runs) const;

  // Opens the tokenizer, which texts need.
  void open_tokenizer() const { model_.processor(); }
  // Error{unsupported} naming what the device lacks.
  void compile() { compiled_->prepare(); }
  // Makes the input tensors of random tokens. Seeded: the same for every run.
  void make_inputs(const Workload& workload);
  // Once, from texts or tensors to tensors. The trace is filled where there is one. Error{interrupted}.
  void run(const Workload& workload, const Cancellation& cancellation, RunTrace* trace = nullptr) const;
  std::vector<PlanStep> steps() const { return compiled_->steps(); }

 private:
  std::vector<runtime::Item> items_of(const Workload& workload, const Cancellation& cancellation) const;
  std::vector<runtime::Selected> selected(std::size_t items) const;

  runtime::LoadedModel model_;
  std::string task_;
  std::shared_ptr<runtime::CompiledGraph> compiled_;
  NamedTensors inputs_;
};

}  // namespace accelerate::bench
