// Every case that the `tokenizers` library answered: ids, tokens, offsets, types, decoded text.
#include <cstdlib>

#include "text/golden_rows.hpp"

namespace accelerate::text {
namespace {

void check_row(const Tokenizer& tokenizer, const Json& row) {
  SCOPED_TRACE(row.dump().substr(0, 400));
  const TextInput input = input_of(row);
  const Encoding encoding = tokenizer.encode_batch(std::span(&input, 1)).front();
  EXPECT_EQ(encoding.ids, integers(row.at("ids")));
  EXPECT_EQ(encoding.tokens, strings(row.at("tokens")));
  EXPECT_EQ(offsets(encoding.offsets), offsets(row.at("offsets")));
  EXPECT_EQ(encoding.type_ids, integers(row.at("type_ids")));
  const RaggedIds fast = tokenizer.encode_ids(std::span(&input, 1));
  EXPECT_EQ(fast.ids, encoding.ids);
  EXPECT_EQ(fast.type_ids, encoding.type_ids);
  // Of the first text, also where the row is a pair.
  EXPECT_EQ(tokenizer.encode_ids(input.text, {.add_special_tokens = false}), integers(row.at("ids_without_special")));
  EXPECT_EQ(tokenizer.decode(encoding.ids, false), row.at("decoded").as_string());
  EXPECT_EQ(tokenizer.decode(encoding.ids, true), row.at("decoded_skip_special").as_string());
}

class Family : public testing::TestWithParam<const char*> {};

TEST_P(Family, EqualsTheLibraryInEveryRow) {
  const auto folder = goldens() / GetParam();
  const Tokenizer tokenizer = Tokenizer::open(folder);
  const std::vector<Json> rows = lines_of(folder / "cases.jsonl");
  ASSERT_GT(rows.size(), 200U);
  for (const Json& row : rows) check_row(tokenizer, row);
}

INSTANTIATE_TEST_SUITE_P(Golden, Family,
                         testing::Values("bert", "bert_cased", "clip", "gpt2", "llama", "llama3", "mistral", "opt",
                                         "qwen2", "roberta", "t5", "whisper", "xlm_roberta"),
                         [](const auto& family) { return std::string(family.param); });

TEST(RealVocabulary, MiniLmEqualsTheLibraryInEveryRow) {
  const char* folder = std::getenv("ACCELERATE_MINILM");
  if (folder == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM does not name the unpacked MiniLM folder; CI sets it";
  const Tokenizer tokenizer = Tokenizer::open(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 30522U);
  const std::vector<Json> rows = lines_of(goldens() / "minilm_cases.jsonl");
  ASSERT_GT(rows.size(), 200U);
  for (const Json& row : rows) check_row(tokenizer, row);
}

}  // namespace
}  // namespace accelerate::text
