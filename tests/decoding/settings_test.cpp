// Settings are those that Transformers loads from the same files (tests/goldens/decoding/settings.jsonl).
#include "decoding/settings.hpp"

#include "decoding/golden_rows.hpp"

namespace accelerate::decoding {
namespace {

Config config_of(const Json& json) { return Config(json, "config.json"); }
std::optional<Config> generation_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(Config(json, "generation_config.json"));
}

std::vector<std::int32_t> one_or_many(const Json& json) {
  return json.is_array() ? integers(json) : std::vector{static_cast<std::int32_t>(json.as_int())};
}
std::vector<std::string> texts(const Json& json) {
  if (json.is_string()) return {json.as_string()};
  std::vector<std::string> out;
  for (const Json& text : json.items()) out.push_back(text.as_string());
  return out;
}

// `expected` lacks what is unset, and the maximum length where it is the default.
class Expectation {
 public:
  explicit Expectation(const Json& expected) : expected_(expected) {}
  void size(std::string_view key, std::size_t found) {
    const Json* value = expected_.find(key);
    EXPECT_EQ(found, value == nullptr ? 0U : static_cast<std::size_t>(value->as_int())) << key;
  }
  void number(std::string_view key, double found) {
    const Json* value = expected_.find(key);
    EXPECT_EQ(found, value == nullptr ? 0 : value->as_double()) << key;
  }
  void flag(std::string_view key, bool found) {
    const Json* value = expected_.find(key);
    EXPECT_EQ(found, value != nullptr && value->as_bool()) << key;
  }
  void id(std::string_view key, std::optional<std::int32_t> found) {
    const Json* value = expected_.find(key);
    EXPECT_EQ(found, value == nullptr ? std::nullopt : std::optional(one_or_many(*value).front())) << key;
  }
  void ids(std::string_view key, const std::vector<std::int32_t>& found) {
    const Json* value = expected_.find(key);
    EXPECT_EQ(found, value == nullptr ? std::vector<std::int32_t>() : one_or_many(*value)) << key;
  }

 private:
  const Json& expected_;
};

TEST(Settings, EqualTransformersInEveryRow) {
  const std::vector<Json> rows = lines_of(goldens() / "decoding" / "settings.jsonl");
  ASSERT_GT(rows.size(), 10U);
  for (const Json& row : rows) {
    SCOPED_TRACE(row.dump());
    const GenerationSettings s = settings_of(generation_of(row.at("generation_config")), config_of(row.at("config")));
    const Json& expected = row.at("expected");
    Expectation expect(expected);
    expect.size("max_new_tokens", s.max_new_tokens);
    expect.size("max_length", s.max_length);
    expect.size("min_new_tokens", s.min_new_tokens);
    if (expected.find("min_new_tokens") == nullptr) expect.size("min_length", s.min_length);
    expect.flag("do_sample", s.do_sample);
    expect.number("temperature", s.temperature);
    expect.size("top_k", s.top_k);
    expect.number("top_p", s.top_p);
    expect.number("min_p", s.min_p);
    expect.number("repetition_penalty", s.repetition_penalty);
    expect.size("no_repeat_ngram_size", s.no_repeat_ngram_size);
    expect.ids("suppress_tokens", s.suppress_tokens);
    expect.ids("begin_suppress_tokens", s.begin_suppress_tokens);
    expect.id("forced_bos_token_id", s.forced_bos_token_id);
    expect.ids("forced_eos_token_id", s.forced_eos_token_ids);
    expect.flag("remove_invalid_values", s.remove_invalid_values);
    expect.flag("renormalize_logits", s.renormalize_logits);
    expect.size("num_beams", s.num_beams);
    expect.number("length_penalty", s.length_penalty);
    expect.size("num_return_sequences", s.num_return_sequences);
    expect.ids("eos_token_id", s.eos_token_ids);
    expect.id("pad_token_id", s.pad_token_id);
    expect.id("bos_token_id", s.bos_token_id);
    expect.id("decoder_start_token_id", s.decoder_start_token_id);
    const Json* stops = expected.find("stop_strings");
    EXPECT_EQ(s.stop_strings, stops == nullptr ? std::vector<std::string>() : texts(*stops));
    const Json* words = expected.find("bad_words_ids");
    ASSERT_EQ(s.bad_words_ids.size(), words == nullptr ? 0 : words->items().size());
    for (std::size_t i = 0; i < s.bad_words_ids.size(); ++i) EXPECT_EQ(s.bad_words_ids[i], integers(words->items()[i]));
    const Json& stopping = expected.at("early_stopping");
    EXPECT_EQ(s.early_stopping, stopping.is_string() ? EarlyStopping::never
                                : stopping.as_bool() ? EarlyStopping::yes
                                                     : EarlyStopping::no);
  }
}

std::string error_of(const char* generation) {
  try {
    settings_of(Config(Json::parse(generation, "test"), "generation_config.json"), config_of(Json::object()));
  } catch (const Error& error) {
    return std::string(name_of(error.kind())) + ": " + error.what();
  }
  return "none";
}

TEST(Settings, AnErrorNamesFileAndField) {
  EXPECT_EQ(error_of(R"({"eos_token_id": "2"})"),
            "corrupted: generation_config.json: eos_token_id: found \"2\", expected the id of a token");
  EXPECT_EQ(error_of(R"({"early_stopping": 3})"),
            "corrupted: generation_config.json: early_stopping: found 3, expected true, false or \"never\"");
  EXPECT_EQ(error_of(R"({"do_sample": true, "temperature": 0.0})").substr(0, 61),
            "corrupted: generation_config.json: temperature: found 0.0, ex");
  EXPECT_EQ(error_of(R"({"repetition_penalty": -1})").substr(0, 53),
            "corrupted: generation_config.json: repetition_penalty");
  EXPECT_EQ(error_of(R"({"max_new_tokens": 0})").substr(0, 49), "corrupted: generation_config.json: max_new_tokens");
  EXPECT_EQ(error_of(R"({"bad_words_ids": [3]})").substr(0, 48), "corrupted: generation_config.json: bad_words_ids");
  EXPECT_EQ(error_of(R"({"bad_words_ids": [[]]})").substr(0, 48), "corrupted: generation_config.json: bad_words_ids");
  EXPECT_EQ(error_of(R"({"num_return_sequences": 2})").substr(0, 9), "corrupted");
  EXPECT_EQ(error_of(R"({"top_k": "many"})").substr(0, 9), "corrupted");
}

TEST(Settings, WhatWouldChangeResultsIsUnsupportedByName) {
  for (const char* field :
       {R"("guidance_scale": 1.5)", R"("penalty_alpha": 0.6)", R"("num_beam_groups": 2)", R"("diversity_penalty": 0.5)",
        R"("typical_p": 0.9)", R"("epsilon_cutoff": 0.1)", R"("eta_cutoff": 0.1)", R"("encoder_repetition_penalty": 2)",
        R"("encoder_no_repeat_ngram_size": 3)", R"("top_h": 0.4)", R"("watermarking_config": {"bias": 2.5})",
        R"("exponential_decay_length_penalty": [5, 1.1])", R"("sequence_bias": [[[5], 1.0]])", R"("constraints": [])",
        R"("force_words_ids": [[4]])", R"("dola_layers": "high")", R"("max_time": 3)", R"("token_healing": true)"}) {
    const std::string text(field);
    const std::string name = text.substr(1, text.find('"', 1) - 1);
    EXPECT_EQ(error_of(("{" + text + "}").c_str()).find("unsupported: generation_config.json: " + name + ": found"), 0U)
        << name;
  }
  // Switched off, or of no consequence.
  EXPECT_EQ(error_of(R"({"guidance_scale": 1.0, "num_beam_groups": 1, "typical_p": 1.0, "token_healing": false,
                         "watermarking_config": null, "use_cache": false, "alignment_heads": [[1, 2]],
                         "prompt_lookup_num_tokens": 3, "temperature": 0.0})"),
            "none");
}

TEST(Settings, NegativePadIsNone) {
  const Config config(Json::parse(R"({"pad_token_id": -1, "bos_token_id": 3})", "test"), "config.json");
  EXPECT_EQ(settings_of(std::nullopt, config).pad_token_id, std::nullopt);
  EXPECT_EQ(settings_of(std::nullopt, config).bos_token_id, 3);
}

TEST(Settings, OfAFolder) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "decoding_settings_of_a_folder";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "generation_config.json");
  std::ofstream(folder / "config.json") << R"({"eos_token_id": 5})";
  EXPECT_EQ(settings_of(folder).eos_token_ids, std::vector<std::int32_t>{5});
  std::ofstream(folder / "generation_config.json") << R"({"eos_token_id": [6, 7]})";
  EXPECT_EQ(settings_of(folder).eos_token_ids, (std::vector<std::int32_t>{6, 7}));
  std::filesystem::remove_all(folder);
  EXPECT_THROW(settings_of(folder), Error);
}

TEST(LengthLimit, NewTokensGoFirst) {
  EXPECT_EQ(length_limit({.max_new_tokens = 3, .max_length = 30}, 5), 8U);
  EXPECT_EQ(length_limit({.max_length = 30}, 5), 30U);
  EXPECT_EQ(length_limit({}, 5), 25U);
  EXPECT_EQ(length_limit({}, 5, 16), 16U);
  EXPECT_EQ(length_limit({.max_new_tokens = 30}, 5, 16), 35U);
}

}  // namespace
}  // namespace accelerate::decoding
