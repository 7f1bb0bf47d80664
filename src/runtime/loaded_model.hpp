// A folder opened for running: what the tasks work on.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "backends/split_backend.hpp"
#include "models/architecture.hpp"
#include "runtime/constraints.hpp"
#include "runtime/device_choice.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/precision_choice.hpp"
#include "runtime/sequences.hpp"
#include "runtime/text_processor.hpp"

namespace accelerate::runtime {

// The graph that text encoders have.
constexpr std::string_view kEncode = "encode";

// What ModelInfo says, without opening the tokenizer.
ModelInfo info_of(const ModelDefinition& definition, const TextSettings& settings);
// Outputs that a task computes. Error{unsupported} naming what the folder is for, unless its weights allow the task.
std::vector<std::string> outputs_of(const ModelDefinition& definition, Task task);

// What does not depend on precision or device: models computed differently share it.
class OpenedFolder {
 public:
  OpenedFolder(const std::filesystem::path& folder, const OpenOptions& options);

  const ModelDefinition& definition() const { return definition_; }
  const TextSettings& settings() const { return settings_; }
  const ModelInfo& info() const { return info_; }
  // Opened at first use: tensors run without it.
  const TextProcessor& processor() const;
  Constraints& constraints() const { return constraints_; }

 private:
  ModelDefinition definition_;
  TextSettings settings_;
  ModelInfo info_;
  mutable std::mutex opening_;
  mutable std::unique_ptr<const TextProcessor> processor_;
  mutable Constraints constraints_;
};

// A folder computed on one device in one precision, with the plans made so far.
class Computation {
 public:
  Computation(const OpenedFolder& opened, const Place& place, const PrecisionChoice& precision,
              const OpenOptions& options);

  const Place& place() const { return place_; }
  // What plans are made on: the place's backend, or one that splits graphs between it and the cpu.
  const Backend& backend() const { return split_ ? *split_ : *place_.backend; }
  // Null where graphs are not to be split.
  const SplitBackend* split() const { return split_.get(); }
  const PrecisionChoice& precision() const { return precision_; }
  PlanCache& plans() { return plans_; }

 private:
  Place place_;
  PrecisionChoice precision_;
  std::unique_ptr<const SplitBackend> split_;
  PlanCache plans_;
};

class LoadedModel {
 public:
  LoadedModel(const std::filesystem::path& folder, const OpenOptions& options);
  // The same folder computed on the same device in another precision.
  LoadedModel(const LoadedModel& other, const PrecisionChoice& choice);
  LoadedModel& operator=(const LoadedModel&) = delete;

  const ModelDefinition& definition() const { return opened_->definition(); }
  const ModelInfo& info() const { return info_; }
  const TextSettings& settings() const { return opened_->settings(); }
  const TextProcessor& processor() const { return opened_->processor(); }
  Constraints& constraints() const { return opened_->constraints(); }

  // The same tokens under the same ids, as far as both have any.
  bool speaks_like(const LoadedModel& other) const;

  // What plans are made on and with.
  const Backend& backend() const { return computation_->backend(); }
  const CompileOptions& plan_options() const { return computation_->plans().options(); }
  // By its name; empty: what the folder was published for.
  Task task_of(std::string_view name) const;
  // Paths of the layers of a task that a lower precision changes, Backend::lowered.
  std::vector<std::string> layers(Task task) const;
  // The graph "encode" restricted to some outputs.
  std::shared_ptr<CompiledGraph> compiled(const std::vector<std::string>& outputs) const;
  // The task's graph.
  std::shared_ptr<CompiledGraph> compiled(Task task) const;
  // Another graph over the same weights.
  std::shared_ptr<CompiledGraph> compiled(const std::string& key, const std::function<Graph()>& make) const;
  // What texts are generated in: one that was given back, with what it kept, or a new one.
  std::unique_ptr<Sequences> borrow_sequences() const;
  void give_back(std::unique_ptr<Sequences> sequences) const;

 private:
  void compute_on(const Place& place, const PrecisionChoice& choice, const OpenOptions& options);
  // What the computation adds to the folder's own information.
  void describe();

  std::shared_ptr<const OpenedFolder> opened_;
  ModelInfo info_;
  std::unique_ptr<Computation> computation_;
  mutable std::mutex lending_;
  mutable std::vector<std::unique_ptr<Sequences>> idle_;
  mutable std::weak_ptr<const OpenedFolder> speaks_like_;  // the last that was asked for and does
};

}  // namespace accelerate::runtime
