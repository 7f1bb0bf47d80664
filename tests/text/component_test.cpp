// Small tokenizers that show one component or flag each (tools/make_tokenizer_goldens.py) equal the library.
#include "text/golden_rows.hpp"

namespace accelerate::text {
namespace {

std::vector<std::int32_t> integers_or(const Json& row, std::string_view key, std::int32_t usual, std::size_t count) {
  const Json* values = row.find(key);
  return values != nullptr ? integers(*values) : std::vector<std::int32_t>(count, usual);
}

template <typename T>
std::vector<std::int32_t> widened(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

void check_overflowing(const Encoding& encoding, const Json& row) {
  static const Json kNone = Json::array();
  const Json* expected = row.find("overflowing");
  const Json::Array& pieces = (expected == nullptr ? kNone : *expected).items();
  ASSERT_EQ(encoding.overflowing.size(), pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(encoding.overflowing[i].ids, integers(pieces[i].items()[0])) << i;
    EXPECT_EQ(encoding.overflowing[i].type_ids, integers(pieces[i].items()[1])) << i;
    EXPECT_EQ(offsets(encoding.overflowing[i].offsets), offsets(pieces[i].items()[2])) << i;
  }
}

void check_row(const Tokenizer& tokenizer, const Json& row, bool pads) {
  SCOPED_TRACE(row.dump().substr(0, 300));
  const TextInput input = input_of(row);
  const EncodeOptions options{
      .add_special_tokens = row.find("add_special_tokens") == nullptr, .file_truncation = true, .file_padding = true};
  if (row.find("error") != nullptr) {  // the library failed or fell over
    EXPECT_THROW(tokenizer.encode_batch(std::span(&input, 1), options), Error);
    EXPECT_THROW(tokenizer.encode_ids(std::span(&input, 1), options), Error);
    return;
  }
  const Encoding encoding = tokenizer.encode_batch(std::span(&input, 1), options).front();
  const std::size_t count = row.at("ids").items().size();
  EXPECT_EQ(encoding.ids, integers(row.at("ids")));
  EXPECT_EQ(encoding.tokens, strings(row.at("tokens")));
  EXPECT_EQ(offsets(encoding.offsets), offsets(row.at("offsets")));
  EXPECT_EQ(encoding.word_ids, integers(row.at("word_ids")));
  EXPECT_EQ(encoding.type_ids, integers_or(row, "type_ids", 0, count));
  EXPECT_EQ(encoding.sequence_ids, integers_or(row, "sequence_ids", 0, count));
  EXPECT_EQ(widened(encoding.special_tokens_mask), integers_or(row, "special_tokens_mask", 0, count));
  EXPECT_EQ(widened(encoding.attention_mask), integers_or(row, "attention_mask", 1, count));
  EXPECT_EQ(encoding.truncated, !encoding.overflowing.empty());
  check_overflowing(encoding, row);
  EXPECT_EQ(tokenizer.decode(encoding.ids, false), row.at("decoded").as_string());
  if (pads) return;
  const RaggedIds fast = tokenizer.encode_ids(std::span(&input, 1), options);
  EXPECT_EQ(fast.ids, encoding.ids);
  EXPECT_EQ(fast.type_ids, encoding.type_ids);
  EXPECT_EQ(fast.truncated[0] != 0, encoding.truncated);
}

void check_decoding(const Tokenizer& tokenizer, const Json& cases) {
  for (const Json& row : cases.items()) {
    SCOPED_TRACE(row.dump());
    const std::vector<std::int32_t> ids = integers(row.at("ids"));
    EXPECT_EQ(tokenizer.decode(ids, false), row.at("decoded").as_string());
    EXPECT_EQ(tokenizer.decode(ids, true), row.at("decoded_skip_special").as_string());
  }
}

class Component : public testing::TestWithParam<const char*> {};

TEST_P(Component, EqualsTheLibrary) {
  const std::vector<Json> entries = lines_of(goldens() / "components" / (std::string(GetParam()) + ".jsonl"));
  ASSERT_FALSE(entries.empty());
  for (const Json& entry : entries) {
    const std::string& name = entry.at("name").as_string();
    SCOPED_TRACE(name);
    const Tokenizer tokenizer = Tokenizer::from_json(entry.at("tokenizer"), name);
    if (const Json* cases = entry.find("decode")) {
      check_decoding(tokenizer, *cases);
      continue;
    }
    ASSERT_FALSE(entry.at("rows").items().empty());
    for (const Json& row : entry.at("rows").items())
      check_row(tokenizer, row, !entry.at("tokenizer").at("padding").is_null());
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Component,
                         testing::Values("normalizer", "pre", "bpe", "unigram", "wordpiece", "wordlevel", "added",
                                         "processor", "truncation", "padding", "decoder"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace accelerate::text
