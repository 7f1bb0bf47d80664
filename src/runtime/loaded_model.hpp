// A folder opened for running: what the tasks work on.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "models/architecture.hpp"
#include "runtime/plan_cache.hpp"
#include "runtime/text_processor.hpp"

namespace accelerate::runtime {

// The graph that text encoders have.
constexpr std::string_view kEncode = "encode";

// What ModelInfo says, without opening the tokenizer.
ModelInfo info_of(const ModelDefinition& definition, const TextSettings& settings);
// "auto" is the first backend of this build; Error{not_found} listing the names there are.
const Backend& backend_of_device(std::string_view device);
// Outputs that a task computes. Error{unsupported} naming what the folder is for, unless its weights allow the task.
std::vector<std::string> outputs_of(const ModelDefinition& definition, Task task);

class LoadedModel {
 public:
  LoadedModel(const std::filesystem::path& folder, const OpenOptions& options);

  const ModelDefinition& definition() const { return definition_; }
  const ModelInfo& info() const { return info_; }
  const TextSettings& settings() const { return settings_; }
  // Opened at first use: tensors run without it.
  const TextProcessor& processor() const;

  // What plans are made on and with.
  const Backend& backend() const { return plans_.backend(); }
  const CompileOptions& plan_options() const { return plans_.options(); }
  // The graph "encode" restricted to some outputs.
  std::shared_ptr<CompiledGraph> compiled(const std::vector<std::string>& outputs) const;
  std::shared_ptr<CompiledGraph> compiled(Task task) const { return compiled(outputs_of(definition_, task)); }
  // Another graph over the same weights.
  std::shared_ptr<CompiledGraph> compiled(const std::string& key, const std::function<Graph()>& make) const;

 private:
  ModelDefinition definition_;
  TextSettings settings_;
  ModelInfo info_;
  mutable PlanCache plans_;
  mutable std::mutex opening_;
  mutable std::unique_ptr<const TextProcessor> processor_;
};

}  // namespace accelerate::runtime
