// `run` on tensors instead of answers: --inputs and --save-tensors, by which anyone can compare.
#pragma once

#include <functional>

#include "accelerate/accelerate.hpp"
#include "cli/commands.hpp"
#include "cli/run_input.hpp"

namespace accelerate::cli {

// Tensors of a safetensors file under Transformers' argument names; where names begin with "inputs." only those,
// without it. Errors of SafetensorsFile::open; Error{invalid_input} when there are none.
NamedTensors read_inputs(const std::string& path);
// What the processor makes of texts, with the prompt that the task embed would put before them.
ModelInputs encode_items(const Model& model, const RunCommand& command, std::span<const TextItem> items,
                         const BatchOptions& batch);
// Outputs under their names; `inputs` under "inputs.", unless empty.
void save_tensors(const std::string& path, const NamedTensors& outputs, const NamedTensors& inputs);

}  // namespace accelerate::cli
