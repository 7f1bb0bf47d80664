#include "runtime/generation_json.hpp"

#include <functional>
#include <limits>
#include <map>

namespace accelerate::runtime {
namespace {

using Read = std::function<void(const Json&, GenerateOptions&)>;

std::size_t count(const Json& json) {
  const std::int64_t number = json.as_int();
  if (number < 0) throw Error(ErrorKind::invalid_input, "is " + std::to_string(number) + ", expected 0 or more");
  return static_cast<std::size_t>(number);
}

std::int32_t token_id(const Json& json) {
  const std::int64_t id = json.as_int();
  if (id >= 0 && id <= std::numeric_limits<std::int32_t>::max()) return static_cast<std::int32_t>(id);
  throw Error(ErrorKind::invalid_input, "is " + std::to_string(id) + ", which is no token");
}

std::vector<std::string> texts(const Json& json) {
  if (json.is_string()) return {json.as_string()};
  std::vector<std::string> all;
  for (const Json& item : json.items()) all.push_back(item.as_string());
  return all;
}

template <typename To>
Read number_of(std::optional<To> GenerateOptions::*field) {
  return [field](const Json& json, GenerateOptions& o) {
    if constexpr (std::is_same_v<To, double>) {
      o.*field = json.as_double();
    } else {
      o.*field = count(json);
    }
  };
}

Read flag(bool GenerateOptions::*field) {
  return [field](const Json& json, GenerateOptions& o) { o.*field = json.as_bool(); };
}

const std::map<std::string_view, Read>& readers() {
  using O = GenerateOptions;
  static const std::map<std::string_view, Read> all{
      {"max_new_tokens", number_of(&O::max_new_tokens)},
      {"min_new_tokens", number_of(&O::min_new_tokens)},
      {"do_sample", [](const Json& json, O& o) { o.do_sample = json.as_bool(); }},
      {"temperature", number_of(&O::temperature)},
      {"top_k", number_of(&O::top_k)},
      {"top_p", number_of(&O::top_p)},
      {"min_p", number_of(&O::min_p)},
      {"repetition_penalty", number_of(&O::repetition_penalty)},
      {"presence_penalty", number_of(&O::presence_penalty)},
      {"frequency_penalty", number_of(&O::frequency_penalty)},
      {"no_repeat_ngram_size", number_of(&O::no_repeat_ngram_size)},
      {"num_beams", number_of(&O::num_beams)},
      {"length_penalty", number_of(&O::length_penalty)},
      {"early_stopping",
       [](const Json& json, O& o) {
         o.early_stopping = json.is_string() ? json.as_string() : std::string(json.as_bool() ? "true" : "false");
       }},
      {"num_return_sequences", number_of(&O::num_return_sequences)},
      {"bad_words", [](const Json& json, O& o) { o.bad_words = texts(json); }},
      {"seed", [](const Json& json, O& o) { o.seed = count(json); }},
      {"stop", [](const Json& json, O& o) { o.stop = texts(json); }},
      {"stop_token_ids",
       [](const Json& json, O& o) {
         for (const Json& id : json.items()) o.stop_token_ids.push_back(token_id(id));
       }},
      {"regex", [](const Json& json, O& o) { o.regex = json.as_string(); }},
      {"json_schema",
       [](const Json& json, O& o) { o.json_schema = json.is_string() ? json.as_string() : json.dump(); }},
      {"prompt_lookup_num_tokens", [](const Json& json, O& o) { o.prompt_lookup_num_tokens = count(json); }},
      {"num_assistant_tokens", [](const Json& json, O& o) { o.num_assistant_tokens = count(json); }},
      {"ignore_eos", flag(&O::ignore_eos)},
      {"skip_special_tokens", flag(&O::skip_special_tokens)},
      {"log_probabilities", [](const Json& json, O& o) { o.log_probabilities = count(json); }},
      {"with_log_probabilities", flag(&O::with_log_probabilities)},
      {"truncate", flag(&O::truncate)}};
  return all;
}

Json to_json(const TokenLogProbability& one) {
  Json json;
  return json.set("id", std::int64_t{one.id}).set("log_probability", one.log_probability);
}

double per_second(std::int64_t number, double seconds) {
  return seconds > 0 ? static_cast<double>(number) / seconds : 0;
}

}  // namespace

GenerateOptions generate_options(const Json& json) {
  GenerateOptions options;
  for (const auto& [name, value] : json.members()) {
    const auto reader = readers().find(name);
    if (reader == readers().end()) {
      std::string known;
      for (const auto& [each, read] : readers()) known += (known.empty() ? "" : ", ") + std::string(each);
      throw Error(ErrorKind::invalid_input, "there is no option \"" + name + "\"; there are " + known);
    }
    try {
      reader->second(value, options);
    } catch (const Error& error) {
      throw Error(ErrorKind::invalid_input, error.message(), name);
    }
  }
  return options;
}

Json to_json(const GeneratedText& text) {
  Json ids = Json::array(), json;
  for (const std::int32_t id : text.ids) ids.push(std::int64_t{id});
  json.set("text", text.text).set("ids", std::move(ids)).set("reason", name_of(text.reason));
  if (text.score != 0) json.set("score", text.score);
  if (text.log_probabilities.empty()) return json;
  Json tokens = Json::array();
  for (std::size_t i = 0; i < text.log_probabilities.size(); ++i) {
    Json token = to_json(text.log_probabilities[i]);
    if (!text.likeliest[i].empty()) {
      Json likeliest = Json::array();
      for (const TokenLogProbability& one : text.likeliest[i]) likeliest.push(to_json(one));
      token.set("likeliest", std::move(likeliest));
    }
    tokens.push(std::move(token));
  }
  return json.set("log_probabilities", std::move(tokens));
}

Json to_json(const GenerationTimes& times) {
  Json json;
  json.set("first_token_milliseconds", times.first_token * 1000);
  json.set("prompt_tokens", times.prompt_tokens).set("known_tokens", times.known_tokens);
  json.set("prompt_tokens_per_second", per_second(times.prompt_tokens - times.known_tokens, times.prompt));
  json.set("new_tokens", times.new_tokens).set("steps", times.steps);
  json.set("milliseconds_per_step", times.steps > 0 ? times.decode * 1000 / static_cast<double>(times.steps) : 0.0);
  json.set("steps_per_second", per_second(times.steps, times.decode));
  if (times.guessed_tokens > 0) {
    json.set("guessed_tokens", times.guessed_tokens).set("right_guesses", times.right_guesses);
  }
  return json.set("cache_bytes", times.cache_bytes);
}

Json to_json(const Generations& generations) {
  Json json, rows = Json::array(), truncated = Json::array();
  for (const std::vector<GeneratedText>& texts : generations.texts) {
    Json row = Json::array();
    for (const GeneratedText& text : texts) row.push(to_json(text));
    rows.push(std::move(row));
  }
  for (const std::size_t number : generations.truncated) truncated.push(number);
  json.set("texts", std::move(rows)).set("truncated", std::move(truncated));
  return json.set("times", to_json(generations.times));
}

}  // namespace accelerate::runtime
