// Texts whose tokens were guessed are those that come without guesses.
#include <gtest/gtest.h>

#include "runtime/changed_model.hpp"
#include "runtime/generating.hpp"

namespace accelerate {
namespace {

Model open(const std::string& name, const OpenOptions& options = {.device = "cpu"}) {
  return Model::open(decoders_folder() / name, options);
}

// The same tokens, other thoughts.
ChangedModel worse(const std::string& name) {
  return ChangedModel(name, {{"rms_norm_eps", 0.5}, {"layer_norm_epsilon", 0.5}});
}

std::vector<Prompt> prompts() {
  return {{.text = "Hello!"}, {.text = "And God said, Let there be light: and there was light. And God said, Let"}};
}

constexpr std::size_t kTokens = 100;

class DraftsOf : public testing::TestWithParam<std::string> {};

TEST_P(DraftsOf, LookedUpInTheTextChangeNothing) {
  const Model model = open(GetParam());
  GenerateOptions options = greedy(kTokens);
  const std::vector<Ids> expected = ids_of(model.generate(prompts(), options));
  for (const std::size_t most : {1U, 5U, 64U}) {
    options.prompt_lookup_num_tokens = most;
    const Generations found = open(GetParam()).generate(prompts(), options);
    EXPECT_EQ(ids_of(found), expected) << most;
    EXPECT_GT(found.times.guessed_tokens, 0);
  }
}

TEST_P(DraftsOf, AModelChangeNothingHoweverGoodItIs) {
  const ChangedModel other = worse(GetParam());
  const Model model = open(GetParam()), same = open(GetParam()), bad = other.open();
  const std::vector<Ids> expected = ids_of(model.generate(prompts(), greedy(kTokens)));
  GenerateOptions options = greedy(kTokens);
  options.assistant_model = &same;
  const Generations perfect = model.generate(prompts(), options);
  EXPECT_EQ(ids_of(perfect), expected);
  EXPECT_EQ(perfect.times.right_guesses, perfect.times.guessed_tokens);
  EXPECT_LE(perfect.times.steps, 13) << "99 tokens behind the first, by nine and more at once";
  options.assistant_model = &bad;
  EXPECT_EQ(ids_of(model.generate(prompts(), options)), expected);
}

INSTANTIATE_TEST_SUITE_P(Models, DraftsOf, testing::Values("llama", "mistral", "gemma2", "gemma3_text", "qwen3"),
                         [](const auto& one) { return one.param; });

TEST(Drafts, SampledTextsAreThoseOfTheSeed) {
  const Model model = open("llama"), lower = open("llama", {.device = "cpu", .precision = "bf16"});
  GenerateOptions options{.max_new_tokens = 60,
                          .do_sample = true,
                          .temperature = 0.9,
                          .top_k = 40,
                          .num_return_sequences = 3,
                          .seed = 7,
                          .ignore_eos = true};
  const std::vector<Ids> expected = ids_of(model.generate(prompts(), options));
  options.prompt_lookup_num_tokens = 6;
  EXPECT_EQ(ids_of(model.generate(prompts(), options)), expected);
  options.prompt_lookup_num_tokens = 0;
  options.assistant_model = &lower;
  const Generations found = model.generate(prompts(), options);
  EXPECT_EQ(ids_of(found), expected);
  EXPECT_GT(found.times.right_guesses, found.times.guessed_tokens / 2) << "it draws with the same random numbers";
}

// Each way that a text can end in the middle of guesses that were right.
TEST(Drafts, TextsEndWhereTheyWould) {
  const Model model = open("gpt2"), same = open("gpt2");
  const GeneratedText whole = model.generate(prompts(), greedy(kTokens)).texts[0][0];
  std::vector<GenerateOptions> ways(4, greedy(kTokens));
  ways[0].max_new_tokens = 17;
  ways[1].stop_token_ids = {whole.ids[21]};
  ways[2].stop = {whole.text.substr(whole.text.size() / 2, 5)};
  ways[3].max_new_tokens = 100000;  // as far as the model has positions
  for (std::size_t i = 0; i < ways.size(); ++i) {
    GenerateOptions options = ways[i];
    const Generations expected = model.generate(prompts(), options);
    options.assistant_model = &same;
    const Generations found = model.generate(prompts(), options);
    EXPECT_EQ(ids_of(found), ids_of(expected)) << i;
    EXPECT_EQ(found.texts[0][0].text, expected.texts[0][0].text) << i;
    EXPECT_EQ(found.texts[0][0].reason, expected.texts[0][0].reason) << i;
    EXPECT_GT(found.times.right_guesses, 0) << i;
  }
}

TEST(Drafts, WhatIsKeptForTheNextCallIsTheText) {
  for (const char* name : {"gpt2", "mistral"}) {
    const ChangedModel other = worse(name);
    const Model model = open(name), bad = other.open();
    GenerateOptions options = greedy(30);
    options.assistant_model = &bad;
    Prompt prompt = prompts()[1];
    const Generations first = model.generate({&prompt, 1}, options);
    std::vector<std::string> text{prompt.text};
    prompt.ids = tokenize(model.info().folder, text).front().ids;
    prompt.ids.insert(prompt.ids.end(), first.texts[0][0].ids.begin(), first.texts[0][0].ids.end());
    const Generations next = model.generate({&prompt, 1}, options);
    EXPECT_GT(next.times.known_tokens, 25) << name;
    EXPECT_EQ(ids_of(next), ids_of(open(name).generate({&prompt, 1}, greedy(30)))) << name;
  }
}

// The prompts come to the draft model in parts, the long one in more of them.
TEST(Drafts, PromptsOfAnyLengthsGoTogether) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "and God said ";
  std::vector<Prompt> all(9, {.text = "hello there"});
  all.push_back({.text = text});
  const Model model = open("llama"), same = open("llama");
  GenerateOptions options = greedy(20);
  options.truncate = true;
  const std::vector<Ids> expected = ids_of(model.generate(all, options));
  options.assistant_model = &same;
  const Generations found = model.generate(all, options);
  EXPECT_EQ(ids_of(found), expected);
  EXPECT_EQ(found.times.right_guesses, found.times.guessed_tokens);
}

// Rotary angles of phi3 change beyond the length it was trained for: guesses do not count towards it.
TEST(Drafts, DoNotMakeATextLonger) {
  const Model model = open("phi3"), same = open("phi3");
  for (const std::size_t length : {3U, 20U, 33U, 60U}) {
    Prompt prompt;
    for (std::size_t i = 0; i < length; ++i) prompt.ids.push_back(static_cast<std::int32_t>(5 + 7 * i % 300));
    GenerateOptions options = greedy(50);
    const std::vector<Ids> expected = ids_of(open("phi3").generate({&prompt, 1}, options));
    options.assistant_model = &same;
    EXPECT_EQ(ids_of(model.generate({&prompt, 1}, options)), expected) << length;
  }
}

TEST(Drafts, GuessesKeepToTheExpressionToo) {
  const Model model = open("llama"), same = open("llama");
  GenerateOptions options{.max_new_tokens = 60, .do_sample = false, .regex = "[a-z ]{20,30}[0-9]+"};
  const std::vector<Ids> expected = ids_of(model.generate(prompts(), options));
  options.assistant_model = &same;
  const Generations found = model.generate(prompts(), options);
  EXPECT_EQ(ids_of(found), expected);
  EXPECT_GE(found.times.right_guesses, found.times.guessed_tokens - 2) << "all but the tokens that end the texts";
}

TEST(Drafts, OfAnEncoderDecoderAreLookedUp) {
  const Model model = Model::open(text_to_text_folder() / "t5", {.device = "cpu"});
  GenerateOptions options = greedy(40);
  const std::vector<Ids> expected = ids_of(model.generate(prompts(), options));
  options.prompt_lookup_num_tokens = 8;
  EXPECT_EQ(ids_of(model.generate(prompts(), options)), expected);
}

std::string message_of(const Model& model, const GenerateOptions& options) {
  const Error error = error_of([&] { model.generate(prompts(), options); });
  return error.where() + ": " + error.message();
}

TEST(Drafts, SayWhatDoesNotGoTogether) {
  const Model model = open("llama"), encoder = Model::open(goldens_folder() / "bert");
  GenerateOptions options = greedy(kTokens);
  options.assistant_model = &model;
  options.prompt_lookup_num_tokens = 4;
  EXPECT_EQ(message_of(model, options), "prompt_lookup_num_tokens: is given and assistant_model too");
  options.prompt_lookup_num_tokens = 0;
  options.num_beams = 2;
  EXPECT_EQ(message_of(model, options), "num_beams: guesses of tokens and beam search do not go together");
  options.num_beams = 1;
  options.num_assistant_tokens = 65;
  EXPECT_EQ(message_of(model, options), "num_assistant_tokens: is 65, expected 1 to 64");
  options.num_assistant_tokens = 8;
  options.assistant_model = &encoder;
  EXPECT_TRUE(contains(message_of(model, options), "text-generation")) << message_of(model, options);
  const Model stranger = open("gpt2");
  options.assistant_model = &stranger;
  EXPECT_EQ(message_of(model, options),
            "assistant_model: has another vocabulary than the model whose tokens it is to guess");
}

}  // namespace
}  // namespace accelerate
