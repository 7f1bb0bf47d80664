// `run` of a model that continues texts.
#pragma once

#include "accelerate/accelerate.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

// Answers as they come where there is one prompt and one text, else each when it is there. `opened`: about the model,
// for --json. Returns the exit code.
int run_generation(const Model& model, const RunCommand& command, Json opened, const Cancellation& cancellation,
                   Output& out);

}  // namespace accelerate::cli
