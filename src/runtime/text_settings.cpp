#include <algorithm>

#include "runtime/text_processor.hpp"

namespace accelerate::runtime {
namespace {

// Older folders name the file after the architecture.
constexpr std::string_view kSentenceConfigs[] = {"sentence_bert_config.json",       "sentence_roberta_config.json",
                                                 "sentence_distilbert_config.json", "sentence_camembert_config.json",
                                                 "sentence_albert_config.json",     "sentence_xlm-roberta_config.json",
                                                 "sentence_xlnet_config.json"};

std::optional<Config> sentence_config(const Checkpoint& checkpoint) {
  for (const std::string_view name : kSentenceConfigs) {
    if (std::optional<Config> found = checkpoint.config(name)) return found;
  }
  return std::nullopt;
}

// Transformers writes a number near 1e30 for "no limit".
std::int64_t tokenizer_limit(const Checkpoint& checkpoint) {
  const std::optional<Config> config = checkpoint.config("tokenizer_config.json");
  if (!config || !config->has("model_max_length")) return 0;
  const double limit = config->require<double>("model_max_length");
  return limit >= 1 && limit < 1e9 ? static_cast<std::int64_t>(limit) : 0;
}

// Of the tokenizers that Transformers defines, these make no token types, whatever tokenizer.json says.
bool class_makes_types(std::string_view name) {
  for (const char* without : {"Roberta", "XLMRoberta", "Camembert", "MPNet", "DistilBert", "Albert"}) {
    if (name.starts_with(without)) return false;
  }
  return true;
}

bool has_token_types(const Checkpoint& checkpoint, std::string_view usual_class) {
  if (checkpoint.config().size_or({"type_vocab_size"}, 2, 0) < 2) return false;
  const std::optional<Config> tokenizer = checkpoint.config("tokenizer_config.json");
  if (!tokenizer) return class_makes_types(usual_class);
  if (const auto names = tokenizer->find<std::vector<std::string>>("model_input_names")) {
    return std::ranges::find(*names, "token_type_ids") != names->end();
  }
  return class_makes_types(tokenizer->get("tokenizer_class", std::string(usual_class)));
}

std::int64_t smaller_limit(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

TextSettings text_settings(const Checkpoint& checkpoint, std::int64_t architecture_limit,
                           std::string_view tokenizer_class) {
  TextSettings settings;
  settings.tokenizer_class = tokenizer_class;
  const std::optional<Config> sentence = sentence_config(checkpoint);
  const std::int64_t own = sentence ? sentence->size_or({"max_seq_length"}, 0) : 0;
  settings.max_tokens = smaller_limit(own != 0 ? own : tokenizer_limit(checkpoint), architecture_limit);
  settings.token_types = has_token_types(checkpoint, tokenizer_class);
  settings.lower_case = sentence && sentence->get("do_lower_case", false);
  const std::optional<Config> library = checkpoint.config("config_sentence_transformers.json");
  if (!library) return settings;
  settings.default_prompt = library->get<std::string>("default_prompt_name", "");
  if (const std::optional<Config> prompts = library->find_child("prompts")) {
    for (const auto& [name, value] : prompts->json().members()) {
      settings.prompts[name] = prompts->require<std::string>(name);
    }
  }
  if (!settings.default_prompt.empty() && !settings.prompts.contains(settings.default_prompt)) {
    library->fail("default_prompt_name", "\"" + settings.default_prompt + "\" is none of the prompts");
  }
  return settings;
}

}  // namespace accelerate::runtime
