#include "cli/generation.hpp"

#include "cli/arguments.hpp"
#include "cli/input_text.hpp"
#include "text/chat_template.hpp"

namespace accelerate::cli {
namespace {

constexpr std::size_t kLargestSchema = std::size_t{16} << 20;  // bytes

template <typename To, typename From>
void set(To& to, const std::optional<From>& from) {
  if (from) to = static_cast<To>(*from);
}

// The schema itself, or a file of it.
std::string schema_text(const std::string& given) {
  const bool is_schema =
      given.find_first_not_of(" \t\r\n") != std::string::npos && given[given.find_first_not_of(" \t\r\n")] == '{';
  return is_schema ? given : input_text(given, kLargestSchema);
}

}  // namespace

GenerateOptions generate_options(const GenerationOptions& given, std::optional<std::int64_t> top_k) {
  const bool cold = given.temperature && *given.temperature == 0;
  if (given.greedy && given.sample) throw UsageError{"--greedy and --sample are given", "one of the two"};
  if (given.regex && given.json_schema) throw UsageError{"--regex and --json-schema are given", "one of the two"};
  if (given.greedy && given.temperature && !cold) throw UsageError{"--greedy and --temperature are given", ""};
  GenerateOptions options;
  set(options.max_new_tokens, given.max_new_tokens);
  set(options.min_new_tokens, given.min_new_tokens);
  const bool asks_to_sample = given.sample || given.temperature || given.top_p || given.min_p;
  if (given.greedy || cold) {
    options.do_sample = false;
  } else if (asks_to_sample) {
    options.do_sample = true;
  }
  if (!cold) options.temperature = given.temperature;
  set(options.top_k, top_k);
  options.top_p = given.top_p;
  options.min_p = given.min_p;
  options.repetition_penalty = given.repetition_penalty;
  options.presence_penalty = given.presence_penalty;
  options.frequency_penalty = given.frequency_penalty;
  set(options.no_repeat_ngram_size, given.no_repeat_ngram);
  set(options.num_beams, given.beams);
  options.length_penalty = given.length_penalty;
  options.early_stopping = given.early_stopping;
  set(options.num_return_sequences, given.returned);
  options.bad_words = given.bad_words;
  options.seed = static_cast<std::uint64_t>(given.seed.value_or(0));
  options.stop = given.stop;
  options.regex = given.regex;
  if (given.json_schema) options.json_schema = schema_text(*given.json_schema);
  set(options.num_assistant_tokens, given.draft_tokens);
  set(options.prompt_lookup_num_tokens, given.prompt_lookup);
  options.ignore_eos = given.ignore_eos;
  options.truncate = given.truncate;
  options.with_log_probabilities = given.log_probabilities.has_value();
  options.log_probabilities = static_cast<std::size_t>(given.log_probabilities.value_or(0));
  return options;
}

OpenOptions open_options(const ExecutionOptions& execution) {
  return {.device = execution.device,
          .fallback = !execution.no_fallback,
          .split = execution.split,
          .precision = execution.precision,
          .cache_precision = execution.cache_precision,
          .threads = execution.threads,
          .memory_limit = execution.resources.memory_limit,
          .cache_folder = execution.resources.cache_folder};
}

std::optional<Model> draft_model(const GenerationOptions& given, const ExecutionOptions& execution) {
  if (!given.draft) {
    if (given.draft_precision || given.draft_tokens) {
      throw UsageError{"--draft-precision and --draft-tokens are of a model that guesses", "--draft names it"};
    }
    return std::nullopt;
  }
  if (given.prompt_lookup) throw UsageError{"--draft and --prompt-lookup are given", "one of the two"};
  OpenOptions options = open_options(execution);
  options.precision = given.draft_precision.value_or("f32");
  return Model::open(*given.draft, options);
}

std::string text_of(const GenerationTimes& times) {
  const double steps_per_second = times.decode > 0 ? static_cast<double>(times.steps) / times.decode : 0;
  std::string text = "first token after " + fixed_text(times.first_token * 1000, 1) + " ms, " +
                     std::to_string(times.new_tokens) + " new tokens";
  if (times.steps > 0) text += " at " + fixed_text(steps_per_second, 1) + " steps/s";
  if (times.guessed_tokens > 0) {
    // A step is then several tokens.
    text += " (" + fixed_text(static_cast<double>(times.steps + times.right_guesses) / times.decode, 1) +
            " tokens/s, " + std::to_string(times.right_guesses) + " of " + std::to_string(times.guessed_tokens) +
            " guesses right)";
  }
  text += "; prompt of " + std::to_string(times.prompt_tokens) + " tokens";
  if (times.known_tokens > 0) text += ", " + std::to_string(times.known_tokens) + " of them known";
  return text + "; keys and values take " + bytes_text(times.cache_bytes);
}

std::string chat_text(const std::string& model, const std::string& file, const ChatForm& form) {
  try {
    return chat_prompt(model, input_text(file, kLargestChat), form);
  } catch (const Error& error) {
    // Of the JSON itself; what begins with chat_template is the template's.
    if (!error.where().starts_with("chat") || error.where().starts_with("chat_")) throw;
    throw Error(error.kind(), error.message(), input_name(file) + error.where().substr(4), error.hint());
  }
}

}  // namespace accelerate::cli
