// The batch size that `bench --batch auto` found for a model on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "accelerate/accelerate.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

struct RecordedBatch {
  std::int64_t token_budget = 0;  // for BatchOptions::tokens: texts a run times their length
  std::string how;                // "24 x 128, found by bench within 50 ms"
};

// The newest choice for the opened model's folder with the same content, device, precision, threads, machine and vector
// level; none where there is none. What goes wrong with the records is noted, never thrown.
std::optional<RecordedBatch> recorded_batch(const ModelInfo& model, const ExecutionOptions& execution,
                                            const Output& out);

}  // namespace accelerate::cli
