// Constraints of several calls at once.
#include "runtime/constraints.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>

#include "text/tokenizer.hpp"

namespace accelerate::runtime {
namespace {

using Clock = std::chrono::steady_clock;

text::Tokenizer tokenizer() {
  return text::Tokenizer::open(std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "tokenizers" / "gpt2");
}

std::shared_ptr<const decoding::TokenFilter> asked(Constraints& constraints, const text::Tokenizer& tokenizer,
                                                   const GenerateOptions& options) {
  decoding::GenerationSettings settings{.eos_token_ids = {1}};
  return constraints.filter(tokenizer, options, settings);
}

// One that takes long is made while others are asked for.
TEST(Constraints, ALargeSchemaHoldsUpNobody) {
  const text::Tokenizer words = tokenizer();
  Constraints constraints;
  asked(constraints, words, {.regex = "small"});
  std::string schema;
  for (int i = 0; i < 200'000; ++i) schema += (i > 0 ? ",\"w" : "\"w") + std::to_string(i * 7919) + "\"";
  schema = "{\"enum\":[" + schema + "]}";
  const auto began = Clock::now();
  auto large = std::async(std::launch::async, [&] { return asked(constraints, words, {.json_schema = schema}); });
  Clock::duration longest{};
  while (large.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    const auto asking = Clock::now();
    EXPECT_NE(asked(constraints, words, {.regex = "small"}), nullptr);
    longest = std::max(longest, Clock::now() - asking);
  }
  EXPECT_NE(large.get(), nullptr);
  EXPECT_LT(longest, (Clock::now() - began) / 2);
}

TEST(Constraints, ThreadsThatAskForTheSameGetTheSame) {
  const text::Tokenizer words = tokenizer();
  Constraints constraints;
  std::vector<std::future<std::shared_ptr<const decoding::TokenFilter>>> asking;
  for (int i = 0; i < 4; ++i) {
    asking.push_back(std::async(std::launch::async, [&] { return asked(constraints, words, {.json_schema = "{}"}); }));
  }
  const auto first = asking.front().get();
  for (std::size_t i = 1; i < asking.size(); ++i) EXPECT_EQ(asking[i].get(), first);
}

}  // namespace
}  // namespace accelerate::runtime
