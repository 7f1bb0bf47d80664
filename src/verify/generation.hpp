// Golden cases of texts that a model continued.
#pragma once

#include <string_view>

#include "verify/golden.hpp"
#include "verify/verify.hpp"

namespace accelerate::verify {

// Generates from the case's raw input, or from its given ids where it has none, and appends a check for everything
// that the case holds of it: the rendered chat, the prompts' ids, new ids, texts, logits of the first steps. Returns
// the prompts as a model's inputs, padded as the case is, empty where there is no raw input.
NamedTensors check_generation(const Model& model, const GoldenCase& golden, const GoldenTensors& tensors,
                              WeightKind weights, const BatchOptions& batch, CaseReport& report);

// Whether an output is of the generation and none of the model's.
bool is_generated(std::string_view output);

}  // namespace accelerate::verify
