// What a golden case puts into a model, and which rows of what comes out count.
#pragma once

#include <string>
#include <string_view>

#include "verify/compare.hpp"
#include "verify/golden.hpp"

namespace accelerate::verify {

// Whether an output's rows are scores of classes, before softmax.
bool is_logits(std::string_view name);

// One entry a token where the output `name` has one row, or of some heads one number, a token; else empty.
RowMask mask_for(const std::string& name, const Tensor& output, const NamedTensors& inputs, std::string_view task);

// The case's texts or pairs as the model's processor makes them, its prompt (or the folder's own) before each text.
ModelInputs encode_case(const Model& model, const GoldenCase& golden, const BatchOptions& batch);

// The input prompt_length where the case says how many tokens pooling leaves out.
void add_prompt_length(const GoldenCase& golden, NamedTensors& inputs);

}  // namespace accelerate::verify
