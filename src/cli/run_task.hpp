// A task done for some texts: the library's call and its result as rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "cli/commands.hpp"
#include "cli/run_input.hpp"
#include "core/json.hpp"

namespace accelerate::cli {

// One JSON object a text: {"text", "scores": [...]}, {"text", "masks": ...}, {"text", "entities": ...},
// {"question", "context", "answers": ...}; for embed {"text"} alone, the vectors beside them.
struct TaskResults {
  std::vector<Json> rows;
  Tensor vectors;                      // embed only: [texts, n] f32
  std::vector<std::string> truncated;  // where the texts that were too long came from
};

// Whether the task, as it was asked for, takes second texts.
Pairs pairs_of(const RunCommand& command, const std::string& task);
// Throws UsageError on an option that the task has no use for.
void check_options(const RunCommand& command, const std::string& task);

// Errors of Model's call for the task, with the text's own place in front instead of its number.
TaskResults run_task(const Model& model, const std::string& task, const RunCommand& command,
                     std::span<const TextItem> items, const BatchOptions& batch);

// A float as the shortest decimal that gives it back.
double shortest(float value);

}  // namespace accelerate::cli
