// Texts of models that keep to an expression or a schema, by the public interface.
#include <gtest/gtest.h>

#include "accelerate/accelerate.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"

namespace accelerate {
namespace {

Model model_named(const std::string& name) { return Model::open(decoders_folder() / name, {.device = "cpu"}); }

std::vector<GeneratedText> texts(const Model& model, GenerateOptions options) {
  if (!options.max_new_tokens) options.max_new_tokens = 200;
  return model.generate(std::vector<Prompt>{{.text = "The answer"}}, options).texts.at(0);
}

const char* const kModels[] = {"gpt2", "llama", "mistral", "qwen2"};

TEST(Constrained, TextsMatchTheExpression) {
  for (const std::string name : kModels) {
    const Model model = model_named(name);
    const GeneratedText text = texts(model, {.regex = "(yes|no), [0-9]{4}"}).at(0);
    EXPECT_TRUE(text.text == "yes, " + text.text.substr(text.text.size() - 4) ||
                text.text == "no, " + text.text.substr(text.text.size() - 4))
        << name << ": " << text.text;
    EXPECT_EQ(text.text.substr(text.text.size() - 4).find_first_not_of("0123456789"), std::string::npos) << text.text;
    EXPECT_EQ(text.reason, StopReason::end_of_text) << name;
  }
}

TEST(Constrained, TextsAreJsonOfTheSchema) {
  const std::string schema = R"({"type":"object","properties":{"ok":{"type":"boolean"},"count":{"type":"integer",
      "minimum":1,"maximum":20}},"required":["ok","count"],"additionalProperties":false})";
  for (const std::string name : kModels) {
    const Model model = model_named(name);
    for (const GenerateOptions& options :
         {GenerateOptions{.json_schema = schema}, GenerateOptions{.num_beams = 3, .json_schema = schema},
          GenerateOptions{.do_sample = true, .num_return_sequences = 4, .seed = 3, .json_schema = schema}}) {
      for (const GeneratedText& text : texts(model, options)) {
        const Json json = Json::parse(text.text, name);
        EXPECT_EQ(json.members().size(), 2U) << text.text;
        EXPECT_TRUE(json.at("ok").is_bool()) << text.text;
        EXPECT_TRUE(json.at("count").as_int() >= 1 && json.at("count").as_int() <= 20) << text.text;
      }
    }
  }
}

// A call does not see what another one asked for.
TEST(Constrained, CallsAreByThemselves) {
  const Model model = model_named("gpt2");
  const std::string free = texts(model, {.max_new_tokens = 8}).at(0).text;
  const std::string digits = texts(model, {.regex = "[0-9]{6}"}).at(0).text;
  EXPECT_EQ(digits.size(), 6U);
  EXPECT_EQ(texts(model, {.regex = "[a-f]{6}"}).at(0).text.find_first_not_of("abcdef"), std::string::npos);
  EXPECT_EQ(texts(model, {.regex = "[0-9]{6}"}).at(0).text, digits);
  EXPECT_EQ(texts(model, {.max_new_tokens = 8}).at(0).text, free);
}

// BART forces its eos at the last place: not where the text is incomplete.
TEST(Constrained, TextsThatAreCutDoNotEnd) {
  const Model model = Model::open(text_to_text_folder() / "bart", {.device = "cpu"});
  for (const std::size_t beams : {1U, 3U}) {
    const GeneratedText cut = texts(model, {.max_new_tokens = 3, .num_beams = beams, .regex = "[a-z]{20}"}).at(0);
    EXPECT_EQ(cut.reason, StopReason::length) << cut.text;
    const GeneratedText whole = texts(model, {.num_beams = beams, .regex = "[a-z]{20}"}).at(0);
    EXPECT_EQ(whole.reason, StopReason::end_of_text);
    EXPECT_EQ(whole.text.size(), 20U) << whole.text;
    EXPECT_EQ(whole.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos) << whole.text;
  }
}

std::string refused(const GenerateOptions& options, ErrorKind kind = ErrorKind::invalid_input) {
  const Model model = model_named("gpt2");
  try {
    texts(model, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "";
}

TEST(Constrained, SaysWhatCannotBe) {
  EXPECT_NE(refused({.regex = "a", .json_schema = "{}"}).find("regex: is given and json_schema too"),
            std::string::npos);
  EXPECT_NE(refused({.regex = "a", .ignore_eos = true}).find("regex: is given and ignore_eos too"), std::string::npos);
  EXPECT_NE(refused({.regex = "a(?=b)"}).find("at character 2"), std::string::npos);
  EXPECT_NE(refused({.json_schema = R"({"type":"integer","minimum":2,"maximum":1})"}).find("json_schema#/maximum"),
            std::string::npos);
  EXPECT_NE(refused({.json_schema = R"({"not":{}})"}, ErrorKind::unsupported).find("json_schema#/not"),
            std::string::npos);
  // The text must end, and may not.
  EXPECT_NE(refused({.min_new_tokens = 50, .regex = "a"}).find("regex: no token may follow"), std::string::npos);
  EXPECT_NE(refused({.min_new_tokens = 10, .num_beams = 3, .regex = "ab"}).find("regex: no token may follow"),
            std::string::npos);
  // With one way that ends.
  EXPECT_EQ(refused({.min_new_tokens = 10, .num_beams = 3, .regex = "ab|[x-z]{20}"}), "");
}

}  // namespace
}  // namespace accelerate
