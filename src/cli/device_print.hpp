// What is told of the devices that a model was tried on.
#pragma once

#include "accelerate/accelerate.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

// Notes: that a device asked for was not taken, and what the one that was leaves to the cpu; with `explain`, of each
// device what became of it.
void note_devices(const ModelInfo& model, bool explain, const Output& out);
// [{"device": "cpu", "taken": true, "stage": "", "reason": ""}, ...]
Json devices_json(const ModelInfo& model);
// Names of the operations that the cpu computes instead.
Json split_json(const ModelInfo& model);

}  // namespace accelerate::cli
