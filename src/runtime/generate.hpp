// Prompts continued by a model's "decode" graph.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "accelerate/generation.hpp"
#include "decoding/sampler_chain.hpp"
#include "decoding/settings.hpp"
#include "runtime/loaded_model.hpp"
#include "runtime/sequences.hpp"

namespace accelerate::runtime {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Rows of one run over prompts: more would only hold more memory.
inline constexpr std::size_t kMostRows = 1024;

// Model::generate, with options.assistant_model as `draft`. Errors: see there.
Generations generate(const LoadedModel& model, std::span<const Prompt> prompts, const GenerateOptions& options,
                     const LoadedModel* draft = nullptr);

// A call, worked out: prompts as tokens, settings after the folder's and the caller's.
struct GenerationCall {
  const LoadedModel& model;
  const GenerateOptions& options;
  decoding::GenerationSettings settings;
  std::vector<std::vector<std::int32_t>> prompts;  // what the texts follow: of an encoder-decoder its start tokens
  // Of an encoder-decoder: what each prompt's text became.
  std::vector<std::shared_ptr<const Source>> sources;
  std::size_t vocabulary = 0;     // of what is generated
  std::size_t max_positions = 0;  // of the model; 0: no limit known
  std::vector<std::size_t> truncated;
  std::shared_ptr<const decoding::TokenFilter> filter = {};  // of a regex or schema, else null
  const LoadedModel* draft = nullptr;                        // guesses what comes next

  std::shared_ptr<const Source> source(std::size_t prompt) const { return sources.empty() ? nullptr : sources[prompt]; }
  // Tokens to guess at once.
  std::size_t most_guesses() const {
    return draft != nullptr ? options.num_assistant_tokens : options.prompt_lookup_num_tokens;
  }
  // The length, prompt included, at which a text ends: the settings', and the model's.
  std::size_t limit(std::size_t prompt_length) const;
};

// Each text by itself, greedy or sampled; all of them in one run a step. Fills the texts and the times but the first.
void generate_each(const GenerationCall& call, Sequences& sequences, Generations& generations);
// By beam search.
void generate_beams(const GenerationCall& call, Sequences& sequences, Generations& generations);

// Error{invalid_input}: a filter and the other settings together leave no token that may follow.
[[noreturn]] void throw_no_choice(const GenerationCall& call);

// Error{corrupted} naming the first layer whose numbers are none, where the logits after `tokens` are not finite.
void expect_numbers(const LoadedModel& model, std::span<const float> logits, std::span<const std::int32_t> tokens);

}  // namespace accelerate::runtime
