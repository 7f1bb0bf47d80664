// How the next tokens are chosen and when a text ends: the fields of Transformers' GenerationConfig (5.23) that change
// results, under their names, with its defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/config.hpp"

namespace accelerate::decoding {

// When a beam search ends an item: as soon as `num_beams` sequences are finished; when the best running one is not
// likely to become better than the worst finished one; when it cannot.
enum class EarlyStopping : std::uint8_t { no, yes, never };

// 0, empty or "none" means unset, unless said otherwise.
struct GenerationSettings {
  // Length. Tokens of the prompt count in `max_length` and `min_length`, not in the fields of new tokens, which go
  // before them. With neither maximum set, 20 tokens are generated.
  std::size_t max_new_tokens = 0, max_length = 0;
  std::size_t min_new_tokens = 0, min_length = 0;

  // Sampling; used only with do_sample.
  bool do_sample = false;
  double temperature = 1;  // > 0
  std::size_t top_k = 50;  // 0: all
  double top_p = 1;        // in [0, 1]; 1: all
  double min_p = 0;        // in [0, 1]; 0: all
  std::uint64_t seed = 0;

  double repetition_penalty = 1;  // > 0; over prompt and new tokens (Keskar et al. 2019)
  // As OpenAI and vLLM define them: taken from the logits of tokens that were generated, once or for each time.
  double presence_penalty = 0, frequency_penalty = 0;
  std::size_t no_repeat_ngram_size = 0;
  std::vector<std::vector<std::int32_t>> bad_words_ids;
  std::vector<std::int32_t> suppress_tokens;
  std::vector<std::int32_t> begin_suppress_tokens;  // not as the first new token
  std::optional<std::int32_t> forced_bos_token_id;  // the token behind a prompt of one token
  std::vector<std::int32_t> forced_eos_token_ids;   // at the last place that the maximum length leaves
  bool remove_invalid_values = false;               // NaN becomes 0, infinities the largest finite values
  bool renormalize_logits = false;                  // scores become log-probabilities again after all steps

  std::size_t num_beams = 1;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::no;
  std::size_t num_return_sequences = 1;  // at most num_beams, where nothing is sampled

  std::vector<std::int32_t> eos_token_ids;   // any of them ends a sequence
  std::vector<std::int32_t> stop_token_ids;  // these too, but they are not suppressed by the minimum lengths
  std::optional<std::int32_t> pad_token_id, bos_token_id, decoder_start_token_id;
  std::vector<std::string> stop_strings;
};

// The settings that a model was published with. `generation` is generation_config.json: where it is there, it alone
// counts, as in Transformers; else the generation fields of config.json do, and for those it lacks the ones of its
// "decoder", "generator" or "text_config".
//
// Error{corrupted} names file and field, what was found and what was expected. Error{unsupported} names a field that
// would change results in a way not done here (guidance_scale, penalty_alpha, watermarking_config, ...). Fields that
// are not known are ignored, as Transformers does.
GenerationSettings settings_of(const std::optional<Config>& generation, const Config& config);
// The same from the files of a model's folder; Error{not_found} when config.json is absent.
GenerationSettings settings_of(const std::filesystem::path& folder);

// Error{invalid_input} naming the option whose value is out of its range or contradicts another.
void check(const GenerationSettings& settings);

// The length, prompt included, at which a sequence ends. `max_positions` is the model's (max_position_embeddings), 0
// when it has no limit; it bounds only the default of 20 new tokens, as in Transformers.
std::size_t length_limit(const GenerationSettings& settings, std::size_t prompt_length, std::size_t max_positions = 0);

}  // namespace accelerate::decoding
