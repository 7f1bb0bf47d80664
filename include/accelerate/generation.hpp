// Texts that a model continues: what is asked for, and what comes back. Model::generate() does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/export.hpp"
#include "accelerate/progress.hpp"
#include "accelerate/tensor.hpp"

namespace accelerate {

class Model;

// What is continued: a text, or its tokens.
struct Prompt {
  std::string text;
  std::vector<std::int32_t> ids = {};  // taken instead of the text where there are any
  bool add_special_tokens = true;      // false for a rendered chat, which has them
};

// How a chat becomes a prompt.
struct ChatForm {
  std::optional<std::string> template_name = {};  // which of the model's templates; else by whether there are tools
  bool continue_final_message = false;            // the model goes on with the last message
  bool add_generation_prompt = true;              // ends where the model's own answer begins
};

// The text that the model in a folder or GGUF file is given for a chat, by its own template, as Transformers'
// apply_chat_template makes it. `chat` is JSON: an array of messages {"role", "content", ...}, or an object of
// "messages", "tools", "documents" and further variables of the template. A prompt of it has add_special_tokens false.
// Error{not_found} where the model has no template; Error{invalid_input} for messages that it refuses, with the
// template's own words; Error{corrupted} for a chat that is no JSON, and with the template's line where that does not
// render.
ACCELERATE_API std::string chat_prompt(const std::filesystem::path& model, std::string_view chat,
                                       const ChatForm& form = {});

// A piece of text as it comes: never half a character, and never one that a later token changes.
struct TextPiece {
  std::size_t prompt = 0, sequence = 0;  // which of the prompts, which of its texts
  std::string_view text;
};

// Under the names of Transformers' GenerationConfig. What is not given is what the folder's generation_config.json
// says. Values out of their range: Error{invalid_input} naming the option.
struct GenerateOptions {
  std::optional<std::size_t> max_new_tokens = {};
  std::optional<std::size_t> min_new_tokens = {};
  std::optional<bool> do_sample = {};
  std::optional<double> temperature = {};
  std::optional<std::size_t> top_k = {};
  std::optional<double> top_p = {};
  std::optional<double> min_p = {};
  std::optional<double> repetition_penalty = {};
  std::optional<double> presence_penalty = {};
  std::optional<double> frequency_penalty = {};
  std::optional<std::size_t> no_repeat_ngram_size = {};
  std::optional<std::size_t> num_beams = {};
  std::optional<double> length_penalty = {};
  std::optional<std::string> early_stopping = {};  // "true", "false" or "never"
  std::optional<std::size_t> num_return_sequences = {};
  std::vector<std::string> bad_words = {};  // texts that must not come
  std::uint64_t seed = 0;                   // gives the same texts on any number of threads, in any batch
  std::vector<std::string> stop = {};       // texts end before any of these
  std::vector<std::int32_t> stop_token_ids = {};
  // The whole text matches this regular expression, or is JSON that is valid under this schema ("{}": any JSON), unless
  // it is cut by its length. At most one of the two; docs/generation.md has what is supported. What is not is
  // Error{invalid_input} with the character, or Error{unsupported} with the keyword's JSON pointer.
  std::optional<std::string> regex = {};
  std::optional<std::string> json_schema = {};
  // Guesses of the next tokens, all of which one run checks: the text stays the same and comes faster where they are
  // right. Either a smaller model with the same vocabulary (or the same one in a lower precision) goes ahead, or what
  // followed the last time that the same tokens came is looked up in the text. At most 64 tokens at once.
  const Model* assistant_model = nullptr;  // lives as long as the call
  std::size_t num_assistant_tokens = 8;
  std::size_t prompt_lookup_num_tokens = 0;  // 0: nothing is looked up
  bool ignore_eos = false;                   // go on behind tokens that end a text
  bool skip_special_tokens = true;           // in the text
  std::size_t log_probabilities = 0;    // of this many likeliest tokens at each place, beside the chosen one's; 0: none
  bool with_log_probabilities = false;  // of the chosen tokens
  std::size_t logits = 0;               // keep what the model gave for so many of the first tokens; not of beams
  bool truncate = false;                // of a prompt that is too long its end is kept; false: Error{invalid_input}
  // Called from the generating thread for each piece, in the order of the text. Not for beams, whose texts are known
  // only at their end.
  std::function<void(const TextPiece&)> on_text = {};
  Cancellation cancellation = {};  // ends the texts where they are: StopReason::cancelled
};

enum class StopReason { end_of_text, length, stop_text, stop_token, cancelled };
// "end_of_text", "length", "stop_text", "stop_token", "cancelled"
std::string_view name_of(StopReason reason);

struct TokenLogProbability {
  std::int32_t id = 0;
  double log_probability = 0;
};

struct GeneratedText {
  std::string text;               // without the prompt
  std::vector<std::int32_t> ids;  // the tokens it was made of, the one that ended it included
  StopReason reason = StopReason::length;
  double score = 0;                                              // of a beam search: sequences_scores of Transformers
  std::vector<TokenLogProbability> log_probabilities = {};       // of the ids, under the model, where asked for
  std::vector<std::vector<TokenLogProbability>> likeliest = {};  // the best at each place, likeliest first
  Tensor logits = {};  // [tokens, vocabulary] of the first tokens, where asked for
};

struct GenerationTimes {
  double first_token = 0;         // seconds from the call to the first token
  double prompt = 0, decode = 0;  // seconds in runs over prompts, and in runs over new tokens
  std::int64_t prompt_tokens = 0;
  std::int64_t known_tokens = 0;  // of the prompts: they were kept from an earlier call, or shared
  std::int64_t new_tokens = 0, steps = 0;
  std::int64_t guessed_tokens = 0, right_guesses = 0;  // by drafts; those that became tokens
  std::int64_t cache_bytes = 0;                        // keys and values, at the end
};

struct Generations {
  std::vector<std::vector<GeneratedText>> texts;  // of each prompt, the best first
  std::vector<std::size_t> truncated;             // prompts that were too long
  GenerationTimes times;
};

}  // namespace accelerate
