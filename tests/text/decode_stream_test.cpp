// Text of ids one at a time: for every tokenizer there is a golden of, with random ids and with those of real texts.
#include "text/decode_stream.hpp"

#include <random>

#include "text/golden_rows.hpp"
#include "text/unicode.hpp"

namespace accelerate::text {
namespace {

using Ids = std::vector<std::int32_t>;

// After each id: what came out is final, is whole characters, and with what waits it is the text so far.
void check(const Tokenizer& tokenizer, const Ids& ids, bool skip) {
  SCOPED_TRACE(testing::PrintToString(ids) + (skip ? " without special tokens" : ""));
  const std::string whole = tokenizer.decode(ids, skip);
  DecodeStream stream = tokenizer.decode_stream(skip);
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string piece = stream.push(ids[i]);
    ASSERT_EQ(find_invalid_utf8(piece), std::string::npos);
    text += piece;
    ASSERT_EQ(whole.compare(0, text.size(), text), 0) << "after " << i << ": \"" << text << "\" of \"" << whole << '"';
    ASSERT_EQ(text + stream.pending(), tokenizer.decode(std::span(ids).first(i + 1), skip)) << "after " << i;
  }
  ASSERT_EQ(text + stream.finish(), whole);
}

void check_random(const Tokenizer& tokenizer, std::size_t rows) {
  const auto count = static_cast<std::int32_t>(tokenizer.vocab_size());
  std::mt19937 random(3);
  std::uniform_int_distribution<std::int32_t> any(0, count + 1), length(0, 24), coin(0, 3);
  // Bytes and their like, which decoders treat apart, are few of a vocabulary: half of the ids are among them.
  Ids peculiar;
  for (std::int32_t id = 0; id < count; ++id) {
    const auto token = tokenizer.id_to_token(id);
    if (token && (token->size() <= 2 || token->substr(0, 3) == "<0x" || tokenizer.is_special(id)))
      peculiar.push_back(id);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    Ids ids(static_cast<std::size_t>(length(random)));
    for (std::int32_t& id : ids) {
      const bool apart = coin(random) < 2 && !peculiar.empty();
      id = apart ? peculiar[static_cast<std::size_t>(any(random)) % peculiar.size()] : any(random);
    }
    check(tokenizer, ids, row % 2 == 0);
    if (testing::Test::HasFatalFailure()) return;
  }
}

class StreamOf : public testing::TestWithParam<const char*> {};

TEST_P(StreamOf, EqualsDecodingAllIds) {
  const auto folder = goldens() / GetParam();
  const Tokenizer tokenizer = Tokenizer::open(folder);
  check_random(tokenizer, 400);
  for (const Json& row : lines_of(folder / "cases.jsonl")) {
    check(tokenizer, integers(row.at("ids")), true);
    check(tokenizer, integers(row.at("ids_without_special")), false);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, StreamOf,
                         testing::Values("bert", "bert_cased", "clip", "gpt2", "llama", "llama3", "mistral", "opt",
                                         "qwen2", "roberta", "t5", "whisper", "xlm_roberta"),
                         [](const auto& family) { return std::string(family.param); });

TEST(DecodeStream, EqualsDecodingForEachDecoder) {
  const std::vector<Json> entries = lines_of(goldens() / "components" / "decoder.jsonl");
  ASSERT_GT(entries.size(), 10U);
  for (const Json& entry : entries) {
    SCOPED_TRACE(entry.at("name").as_string());
    const Tokenizer tokenizer = Tokenizer::from_json(entry.at("tokenizer"), "decoder.jsonl");
    for (const Json& row : entry.at("decode").items()) check(tokenizer, integers(row.at("ids")), false);
    check_random(tokenizer, 300);
    if (HasFatalFailure()) return;
  }
}

Tokenizer with_decoder(std::string_view decoder) {
  const std::string json = R"({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
      "post_processor": null, "model": {"type": "WordLevel", "unk_token": "a", "vocab":
      {"a": 0, " ": 1, "  ": 2, "xx": 3, "<0xE4>": 4, "<0xBD>": 5, "<0xA0>": 6, "<0x0A>": 7, " a  ": 8, "ab": 9}},
      "decoder": )" + std::string(decoder) +
                           "}";
  return Tokenizer::from_json(Json::parse(json, "test"), "test");
}

TEST(DecodeStream, EqualsDecodingWhereATokenGrows) {
  for (
      const char* decoder :
      {R"({"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 3, "stop": 2}]})",
       R"({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"},
               {"type": "Replace", "pattern": {"String": "a "}, "content": "-"}]})",
       R"({"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "WordPiece", "prefix": "x", "cleanup": true}]})",
       R"({"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "BPEDecoder", "suffix": "x"}]})",
       R"({"type": "Strip", "content": " ", "start": 1, "stop": 1})"}) {
    SCOPED_TRACE(decoder);
    check_random(with_decoder(decoder), 500);
  }
}

TEST(DecodeStream, GivesTextAsItComesAndHalfCharactersNever) {
  const Tokenizer bytes = Tokenizer::open(goldens() / "gpt2");
  DecodeStream stream = bytes.decode_stream();
  const Ids euro = bytes.encode_ids("a\u20ac b", {.add_special_tokens = false});
  std::vector<std::string> pieces;
  for (const std::int32_t id : euro) pieces.push_back(stream.push(id));
  EXPECT_EQ(stream.finish(), "");
  EXPECT_EQ(pieces.front(), "a");
  EXPECT_EQ(pieces.back(), " b");
  // A row of byte tokens waits for its end: the next one could make it replacement characters.
  const Tokenizer fallback = with_decoder(R"({"type": "ByteFallback"})");
  DecodeStream row = fallback.decode_stream();
  for (const std::int32_t id : {4, 5, 6, 7}) EXPECT_EQ(row.push(id), "");
  EXPECT_EQ(row.held(), 4U);
  EXPECT_EQ(row.pending(), "\u4f60\n");
  DecodeStream other = row;
  EXPECT_EQ(row.push(0), "\u4f60\na");
  EXPECT_EQ(other.push(4), "");
  EXPECT_EQ(other.finish(), "\ufffd\ufffd\ufffd\ufffd\ufffd");
}

}  // namespace
}  // namespace accelerate::text
