#include "decoding/settings.hpp"

#include <algorithm>
#include <cmath>

namespace accelerate::decoding {
namespace {

// What is wrong with a setting; `name` empty when nothing is.
struct Problem {
  std::string name, message;
};

bool all_forced_are_suppressed(const std::vector<std::int32_t>& forced, const std::vector<std::int32_t>& suppressed) {
  return !forced.empty() && std::all_of(forced.begin(), forced.end(), [&](std::int32_t id) {
    return std::find(suppressed.begin(), suppressed.end(), id) != suppressed.end();
  });
}

bool within(double value, double least, double most) { return value >= least && value <= most; }

Problem problem_of(const GenerationSettings& s) {
  const auto found = [](double value) { return "found " + Json(value).dump() + ", expected "; };
  if (s.do_sample) {
    if (!(s.temperature > 0) || !std::isfinite(s.temperature)) {
      return {"temperature", found(s.temperature) + "a number above 0 (to always take the likeliest: do_sample false)"};
    }
    if (!within(s.top_p, 0, 1)) return {"top_p", found(s.top_p) + "0 to 1"};
    if (!within(s.min_p, 0, 1)) return {"min_p", found(s.min_p) + "0 to 1"};
  }
  if (!(s.repetition_penalty > 0) || !std::isfinite(s.repetition_penalty)) {
    return {"repetition_penalty", found(s.repetition_penalty) + "a number above 0"};
  }
  if (!std::isfinite(s.presence_penalty)) return {"presence_penalty", "is no finite number"};
  if (!std::isfinite(s.frequency_penalty)) return {"frequency_penalty", "is no finite number"};
  if (!std::isfinite(s.length_penalty)) return {"length_penalty", "is no finite number"};
  if (s.num_beams == 0) return {"num_beams", "found 0, expected at least 1"};
  if (s.num_return_sequences == 0) return {"num_return_sequences", "found 0, expected at least 1"};
  if (s.num_beams > 1 ? s.num_return_sequences > s.num_beams : s.num_return_sequences > 1 && !s.do_sample) {
    return {"num_return_sequences", "found " + std::to_string(s.num_return_sequences) +
                                        ", expected at most num_beams (" + std::to_string(s.num_beams) +
                                        ") where nothing is sampled"};
  }
  for (const auto& word : s.bad_words_ids) {
    if (word.empty()) return {"bad_words_ids", "found an empty list, expected ids"};
  }
  for (const std::string& text : s.stop_strings) {
    if (text.empty()) return {"stop_strings", "found an empty text"};
  }
  if (s.forced_bos_token_id && all_forced_are_suppressed({*s.forced_bos_token_id}, s.suppress_tokens)) {
    return {"forced_bos_token_id", "is also in suppress_tokens"};
  }
  if (all_forced_are_suppressed(s.forced_eos_token_ids, s.suppress_tokens)) {
    return {"forced_eos_token_id", "is also in suppress_tokens"};
  }
  return {};
}

// The object, or several in turn, that fields are looked up in.
class Fields {
 public:
  explicit Fields(std::vector<Config> sources) : sources_(std::move(sources)) {}

  // The first source that has the field; else the first of all.
  const Config& source(std::string_view key) const {
    for (const Config& each : sources_) {
      if (each.has(key)) return each;
    }
    return sources_.front();
  }
  bool has(std::string_view key) const { return source(key).has(key); }
  const Json& json(std::string_view key) const { return source(key).json().at(key); }

  template <typename T>
  void read(std::string_view key, T& to) const {
    if (auto found = source(key).find<T>(key)) to = *std::move(found);
  }
  void read(std::string_view key, std::size_t& to, std::int64_t least = 0) const {
    to = static_cast<std::size_t>(source(key).size_or({key}, static_cast<std::int64_t>(to), least));
  }
  void read(std::string_view key, std::optional<std::int32_t>& to) const {
    if (!has(key)) return;
    // Some published files say -1 for "none".
    const std::int64_t id = integer(key, json(key));
    to = id < 0 ? std::nullopt : std::optional(static_cast<std::int32_t>(id));
  }
  // One id or a list of them.
  void read(std::string_view key, std::vector<std::int32_t>& to) const {
    if (!has(key)) return;
    const Json& value = json(key);
    to.clear();
    if (!value.is_array()) {
      to.push_back(integer(key, value));
    } else {
      for (const Json& id : value.items()) to.push_back(integer(key, id));
    }
  }
  void read(std::string_view key, std::vector<std::vector<std::int32_t>>& to) const {
    if (!has(key)) return;
    to.clear();
    for (const Json& word : array(key, json(key), "a list of lists of ids").items()) {
      to.emplace_back();
      for (const Json& id : array(key, word, "a list of lists of ids").items()) to.back().push_back(integer(key, id));
    }
  }
  void read(std::string_view key, std::vector<std::string>& to) const {
    if (!has(key)) return;
    if (json(key).is_string()) {
      to = {json(key).as_string()};
    } else if (auto found = source(key).find<std::vector<std::string>>(key)) {
      to = *std::move(found);
    }
  }

 private:
  std::int32_t integer(std::string_view key, const Json& value) const {
    if (!value.is_int() || std::abs(value.as_int()) > std::numeric_limits<std::int32_t>::max()) {
      source(key).fail(key, "found " + value.dump() + ", expected the id of a token");
    }
    return static_cast<std::int32_t>(value.as_int());
  }
  const Json& array(std::string_view key, const Json& value, const std::string& expected) const {
    if (!value.is_array()) source(key).fail(key, "found " + value.dump() + ", expected " + expected);
    return value;
  }
  std::vector<Config> sources_;
};

Fields fields_of(const std::optional<Config>& generation, const Config& config) {
  if (generation) return Fields({*generation});
  for (const std::string_view name : {"decoder", "generator", "text_config"}) {
    const Json* inner = config.json().find(name);
    if (inner != nullptr && inner->is_object() && !inner->members().empty()) {
      return Fields({config, config.child(name)});
    }
  }
  return Fields({config});
}

// Numbers that change results unless they have the value that switches the feature off.
void refuse_unsupported(const Fields& fields) {
  const auto refuse = [&](std::string_view key) {
    fields.source(key).fail(key, "found " + fields.json(key).dump() + ": this way of generating is not supported",
                            ErrorKind::unsupported);
  };
  constexpr std::pair<std::string_view, double> kNeutral[] = {
      {"guidance_scale", 1},
      {"penalty_alpha", 0},
      {"num_beam_groups", 1},
      {"diversity_penalty", 0},
      {"typical_p", 1},
      {"epsilon_cutoff", 0},
      {"eta_cutoff", 0},
      {"encoder_repetition_penalty", 1},
      {"encoder_no_repeat_ngram_size", 0},
  };
  for (const auto& [key, neutral] : kNeutral) {
    double value = neutral;
    fields.read(key, value);
    if (value != neutral) refuse(key);
  }
  for (const std::string_view key : {"top_h", "watermarking_config", "exponential_decay_length_penalty",
                                     "sequence_bias", "constraints", "force_words_ids", "dola_layers", "max_time"}) {
    if (fields.has(key)) refuse(key);
  }
  bool heals = false;
  fields.read("token_healing", heals);
  if (heals) refuse("token_healing");
}

EarlyStopping early_stopping_of(const Fields& fields) {
  if (!fields.has("early_stopping")) return EarlyStopping::no;
  const Json& value = fields.json("early_stopping");
  if (value.is_bool()) return value.as_bool() ? EarlyStopping::yes : EarlyStopping::no;
  if (value.is_string() && value.as_string() == "never") return EarlyStopping::never;
  fields.source("early_stopping")
      .fail("early_stopping", "found " + value.dump() + R"(, expected true, false or "never")");
}

void read_lengths(const Fields& fields, GenerationSettings& settings) {
  fields.read("max_new_tokens", settings.max_new_tokens, 1);
  fields.read("max_length", settings.max_length);
  fields.read("min_new_tokens", settings.min_new_tokens);
  fields.read("min_length", settings.min_length);
  if (fields.has("min_new_tokens")) settings.min_length = 0;  // it goes first, also where it is 0
}

void read_scoring(const Fields& fields, GenerationSettings& settings) {
  fields.read("do_sample", settings.do_sample);
  fields.read("temperature", settings.temperature);
  fields.read("top_k", settings.top_k);
  fields.read("top_p", settings.top_p);
  if (!(settings.top_p < 1)) settings.top_p = 1;  // larger ones have no effect in Transformers
  fields.read("min_p", settings.min_p);
  fields.read("repetition_penalty", settings.repetition_penalty);
  fields.read("no_repeat_ngram_size", settings.no_repeat_ngram_size);
  fields.read("bad_words_ids", settings.bad_words_ids);
  fields.read("suppress_tokens", settings.suppress_tokens);
  fields.read("begin_suppress_tokens", settings.begin_suppress_tokens);
  fields.read("remove_invalid_values", settings.remove_invalid_values);
  fields.read("renormalize_logits", settings.renormalize_logits);
  fields.read("num_beams", settings.num_beams);
  fields.read("length_penalty", settings.length_penalty);
  fields.read("num_return_sequences", settings.num_return_sequences);
  settings.early_stopping = early_stopping_of(fields);
}

void read_tokens(const Fields& fields, bool from_model, GenerationSettings& settings) {
  fields.read("eos_token_id", settings.eos_token_ids);
  fields.read("pad_token_id", settings.pad_token_id);
  fields.read("bos_token_id", settings.bos_token_id);
  fields.read("decoder_start_token_id", settings.decoder_start_token_id);
  fields.read("forced_bos_token_id", settings.forced_bos_token_id);
  fields.read("forced_eos_token_id", settings.forced_eos_token_ids);
  fields.read("stop_strings", settings.stop_strings);
  bool force_bos = false;  // BART's, before there was forced_bos_token_id
  if (from_model) fields.read("force_bos_token_to_be_generated", force_bos);
  if (force_bos) settings.forced_bos_token_id = settings.bos_token_id;
}

}  // namespace

GenerationSettings settings_of(const std::optional<Config>& generation, const Config& config) {
  const Fields fields = fields_of(generation, config);
  GenerationSettings settings;
  refuse_unsupported(fields);
  read_lengths(fields, settings);
  read_scoring(fields, settings);
  read_tokens(fields, !generation, settings);
  const Problem problem = problem_of(settings);
  if (!problem.name.empty()) fields.source(problem.name).fail(problem.name, problem.message);
  return settings;
}

GenerationSettings settings_of(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "generation_config.json";
  std::error_code ignored;
  std::optional<Config> generation;
  if (std::filesystem::is_regular_file(path, ignored)) generation = Config::read(path);
  return settings_of(generation, Config::read(folder / "config.json"));
}

void check(const GenerationSettings& settings) {
  Problem problem = problem_of(settings);
  if (!problem.name.empty()) throw Error(ErrorKind::invalid_input, std::move(problem.message), std::move(problem.name));
}

std::size_t length_limit(const GenerationSettings& settings, std::size_t prompt_length, std::size_t max_positions) {
  constexpr std::size_t kUsualNewTokens = 20, kMostTokens = std::size_t{1} << 31;  // no sum overflows
  if (settings.max_new_tokens > 0) return prompt_length + std::min(settings.max_new_tokens, kMostTokens);
  if (settings.max_length > 0) return settings.max_length;
  const std::size_t length = prompt_length + kUsualNewTokens;
  return max_positions > 0 ? std::min(length, max_positions) : length;
}

}  // namespace accelerate::decoding
