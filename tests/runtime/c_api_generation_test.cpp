// Generation through the C interface gives what the C++ one gives.
#include <gtest/gtest.h>

#include "accelerate/accelerate.h"
#include "accelerate/accelerate.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"
#include "runtime/c_api_opened.hpp"

namespace accelerate {
namespace {

const char* const kPrompts[] = {"God is light.", "Hello!"};

accelerate_model* open_decoder() {
  accelerate_model* model = nullptr;
  const std::string folder = (decoders_folder() / "llama").string();
  EXPECT_EQ(accelerate_model_open(folder.c_str(), nullptr, &model), ACCELERATE_OK);
  return model;
}

TEST(CApiGeneration, GivesTheTextsOfTheCppInterface) {
  accelerate_model* model = open_decoder();
  std::string heard;
  char* json = nullptr;
  const auto on_text = [](size_t prompt, size_t, const char* text, size_t bytes, void* context) {
    if (prompt == 0) static_cast<std::string*>(context)->append(text, bytes);
  };
  ASSERT_EQ(accelerate_model_generate_json(model, kPrompts, 2, R"({"max_new_tokens": 9, "do_sample": false})", nullptr,
                                           on_text, &heard, nullptr, &json),
            ACCELERATE_OK);
  const Json found = Json::parse(json, "result");
  accelerate_string_free(json);
  const std::vector<Prompt> prompts{{.text = kPrompts[0]}, {.text = kPrompts[1]}};
  const Generations expected =
      Model::open(decoders_folder() / "llama").generate(prompts, {.max_new_tokens = 9, .do_sample = false});
  for (std::size_t i = 0; i < 2; ++i) {
    const Json& text = found.at("texts").items()[i].items()[0];
    EXPECT_EQ(text.at("text").as_string(), expected.texts[i][0].text);
    EXPECT_EQ(text.at("ids").items().size(), expected.texts[i][0].ids.size());
    EXPECT_EQ(text.at("reason").as_string(), name_of(expected.texts[i][0].reason));
  }
  EXPECT_EQ(heard, expected.texts[0][0].text);
  accelerate_model_free(model);
}

TEST(CApiGeneration, GuessesAndSchemasAreThoseOfTheCppInterface) {
  accelerate_model *model = open_decoder(), *same = open_decoder();
  const auto call = [&](const std::string& options, const accelerate_model* assistant) {
    char* json = nullptr;
    EXPECT_EQ(accelerate_model_generate_json(model, kPrompts, 1, options.c_str(), assistant, nullptr, nullptr, nullptr,
                                             &json),
              ACCELERATE_OK)
        << accelerate_last_error_message();
    Json found = json == nullptr ? Json() : Json::parse(json, "result");
    accelerate_string_free(json);
    return found;
  };
  const auto text = [](const Json& found) { return found.at("texts").items()[0].items()[0].at("text").as_string(); };
  const std::string plain = R"({"max_new_tokens": 30, "do_sample": false, "ignore_eos": true)";
  const std::string alone = text(call(plain + "}", nullptr));
  const Json guessed = call(plain + R"(, "num_assistant_tokens": 4})", same);
  EXPECT_EQ(text(guessed), alone);
  EXPECT_EQ(guessed.at("times").at("right_guesses").as_int(), guessed.at("times").at("guessed_tokens").as_int());
  EXPECT_EQ(text(call(plain + R"(, "prompt_lookup_num_tokens": 4})", nullptr)), alone);
  EXPECT_EQ(text(call(R"({"json_schema": {"const": "so"}})", nullptr)), "\"so\"");
  EXPECT_EQ(text(call(R"({"regex": "a{3}"})", nullptr)), "aaa");
  accelerate_model_free(same);
  accelerate_model_free(model);
}

TEST(CApiGeneration, NamesAnOptionThatThereIsNot) {
  accelerate_model* model = open_decoder();
  char* json = nullptr;
  EXPECT_EQ(accelerate_model_generate_json(model, kPrompts, 1, R"({"max_tokens": 9})", nullptr, nullptr, nullptr,
                                           nullptr, &json),
            ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(json, nullptr);
  EXPECT_EQ(std::string(accelerate_last_error_message()).rfind("there is no option \"max_tokens\"", 0), 0U);
  EXPECT_EQ(accelerate_model_generate_json(model, kPrompts, 1, R"({"top_k": "many"})", nullptr, nullptr, nullptr,
                                           nullptr, &json),
            ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "top_k");
  EXPECT_EQ(accelerate_model_generate_json(model, kPrompts, 1, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr),
            ACCELERATE_INVALID_INPUT);
  accelerate_model_free(model);
}

TEST(CApiGeneration, ACancelledCallGivesWhatThereIs) {
  accelerate_model* model = open_decoder();
  accelerate_cancellation* cancellation = accelerate_cancellation_new();
  accelerate_cancel(cancellation);
  char* json = nullptr;
  ASSERT_EQ(accelerate_model_generate_json(model, kPrompts, 1, nullptr, nullptr, nullptr, nullptr, cancellation, &json),
            ACCELERATE_OK);
  EXPECT_EQ(Json::parse(json, "result").at("texts").items()[0].items()[0].at("reason").as_string(), "cancelled");
  accelerate_string_free(json);
  accelerate_cancellation_free(cancellation);
  accelerate_model_free(model);
}

TEST(CApiGeneration, AChatBecomesAPrompt) {
  char* prompt = nullptr;
  const std::string folder = (decoders_folder() / "qwen2").string();
  const char* chat = R"([{"role": "user", "content": "Hello!"}])";
  ASSERT_EQ(accelerate_chat_prompt(folder.c_str(), chat, &prompt), ACCELERATE_OK);
  EXPECT_EQ(std::string(prompt), chat_prompt(folder, chat));
  EXPECT_NE(std::string(prompt).find("Hello!"), std::string::npos);
  accelerate_string_free(prompt);
  EXPECT_EQ(accelerate_chat_prompt(folder.c_str(), "[", &prompt), ACCELERATE_CORRUPTED);
}

}  // namespace
}  // namespace accelerate
