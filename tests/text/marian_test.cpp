// Marian's folders: pieces of the source language in, text of the target language out, as Transformers has it.
#include "checkpoint/temporary_folder.hpp"
#include "text/decode_stream.hpp"
#include "text/golden_rows.hpp"

namespace accelerate::text {
namespace {

std::filesystem::path folder_of(const char* name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "text_to_text" / name;
}

class Marian : public testing::TestWithParam<const char*> {};

TEST_P(Marian, EqualsTransformersInEveryRow) {
  const Tokenizer tokenizer = Tokenizer::open(folder_of(GetParam()));
  const std::vector<Json> rows = lines_of(folder_of(GetParam()) / "golden" / "tokenizer.jsonl");
  std::size_t encoded = 0;
  for (const Json& row : rows) {
    SCOPED_TRACE(row.dump().substr(0, 300));
    const std::vector<std::int32_t> ids = integers(row.at("ids"));
    if (const Json* text = row.find("text")) {
      EXPECT_EQ(tokenizer.encode_ids(text->as_string()), ids);
      EXPECT_EQ(tokenizer.encode(text->as_string()).ids, ids);
      ++encoded;
    }
    const std::string expected = row.at("decoded_skip_special").as_string();
    EXPECT_EQ(tokenizer.decode(ids), expected);
    DecodeStream stream = tokenizer.decode_stream();
    std::string pieces;
    for (const std::int32_t id : ids) pieces += stream.push(id);
    EXPECT_EQ(pieces + stream.finish(), expected);
  }
  EXPECT_GT(encoded, 30U);
  EXPECT_GT(rows.size(), encoded);
}

INSTANTIATE_TEST_SUITE_P(Golden, Marian, testing::Values("marian", "marian_separate"),
                         [](const auto& name) { return std::string(name.param); });

TEST(MarianFolders, NameTheSpecialTokens) {
  const SpecialTokens tokens = Tokenizer::open(folder_of("marian")).special_tokens();
  EXPECT_EQ(tokens.eos, 0);
  EXPECT_EQ(tokens.unk, 1);
  EXPECT_EQ(tokens.pad, 452);
}

TEST(MarianFolders, SayWhichFileLacksWhat) {
  const TemporaryFolder folder;
  std::filesystem::copy(folder_of("marian") / "source.spm", folder.path() / "source.spm");
  std::ofstream(folder.path() / "vocab.json") << R"({"<unk>": 1, "<pad>": 2})";
  try {
    Tokenizer::open(folder.path());
    ADD_FAILURE() << "it was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupted);
    EXPECT_NE(std::string(error.what()).find("vocab.json"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("</s>"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace accelerate::text
