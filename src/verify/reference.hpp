// What lower precisions are compared with: inputs, and what should come out of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "verify/golden.hpp"

namespace accelerate::verify {

struct Sample {
  NamedTensors inputs, outputs;  // by the names of Transformers' arguments and results
  std::string task;              // of the golden case; the model's own where there is none
};

struct Reference {
  std::string name;    // "Transformers golden" or "own f32"
  std::string inputs;  // "20 texts of the golden", "32 built-in sentences"
  WeightKind weights = WeightKind::trained;
  std::vector<Sample> samples;
  std::int64_t texts = 0;
  bool is_own() const { return name == "own f32"; }
};

// The answers of the model's task (sentence_embedding of embedding models, the logits of others, else
// last_hidden_state) as the golden folder holds them; where it holds none, as `f32` computes them from its inputs.
// Without a golden folder, as `f32` computes them from the built-in sentences, in pairs for question answering; the
// weights then count as trained.
// Errors of read_golden() and of Model::run; Error{invalid_input} for a golden without inputs.
Reference reference_of(const Model& f32, const std::optional<std::filesystem::path>& golden,
                       const Cancellation& cancellation);

// Texts of 4 to 120 tokens of common English vocabularies: names, numbers, code, questions, other languages. Lengths
// are mixed, so that the first few are a fair choice too.
const std::vector<std::string>& built_in_sentences();

}  // namespace accelerate::verify
