// Tokenizers made of the metadata of GGUF fixtures give the ids that tokenizer.json gives.
#include <cstdlib>

#include "checkpoint/gguf.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "text/golden_rows.hpp"

namespace accelerate::text {
namespace {

Tokenizer tokenizer_of(const std::filesystem::path& path) {
  const GgufFile file = GgufFile::open(path);
  return Tokenizer::from_gguf(file.section("tokenizer"));
}

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "gguf" / (name + ".gguf");
}

// A fixture and the tokenizer that it was made with.
struct Pair {
  const char* model;
  const char* tokenizer;
};

class GgufTokenizer : public testing::TestWithParam<Pair> {};

TEST_P(GgufTokenizer, EqualsTheLibraryInEveryRow) {
  const Tokenizer tokenizer = tokenizer_of(fixture(GetParam().model));
  const std::vector<Json> rows = lines_of(goldens() / GetParam().tokenizer / "cases.jsonl");
  ASSERT_GT(rows.size(), 200U);
  for (const Json& row : rows) {
    SCOPED_TRACE(row.dump().substr(0, 400));
    const TextInput input = input_of(row);
    const Encoding encoding = tokenizer.encode_batch(std::span(&input, 1)).front();
    EXPECT_EQ(encoding.ids, integers(row.at("ids")));
    EXPECT_EQ(offsets(encoding.offsets), offsets(row.at("offsets")));
    EXPECT_EQ(tokenizer.decode(encoding.ids, false), row.at("decoded").as_string());
    EXPECT_EQ(tokenizer.decode(encoding.ids, true), row.at("decoded_skip_special").as_string());
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, GgufTokenizer,
                         testing::Values(Pair{"llama", "llama"}, Pair{"llama3_rope", "llama3"}, Pair{"gpt2", "gpt2"},
                                         Pair{"qwen2", "qwen2"}),
                         [](const auto& pair) { return std::string(pair.param.model); });

// Gemma's files: tokens of several spaces are written as such, merges follow the order of the tokens, not the scores.
TEST(GgufTokenizers, MergesMayFollowTheOrderOfTokens) {
  const Config metadata(Json::parse(R"({"ggml.model": "llama", "ggml.tokens": ["<unk>", "\u2581", "a", "\u2581a", "  "],
                                        "ggml.token_type": [2, 1, 1, 1, 1], "ggml.scores": [0, 0, 0, -9, 0]})",
                                    ""),
                        "model.gguf: tokenizer");
  const Tokenizer tokenizer = Tokenizer::from_gguf(metadata, true);
  EXPECT_EQ(tokenizer.encode_ids("  "), std::vector<std::int32_t>{4});
  EXPECT_EQ(tokenizer.encode_ids("  a"), (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{1, 3}), "  a");
}

TEST(GgufTokenizers, MetadataThatContradictsItselfIsNamed) {
  const auto error = [](const char* json) {
    return error_of([&] { Tokenizer::from_gguf(Config(Json::parse(json, ""), "model.gguf: tokenizer")); });
  };
  const auto expect = [&](const char* json, ErrorKind kind, std::string_view part) {
    const Error found = error(json);
    EXPECT_EQ(found.kind(), kind) << found.what();
    EXPECT_TRUE(contains(found.what(), part)) << found.what();
  };
  expect("{}", ErrorKind::corrupted, "\"ggml.tokens\" is missing");
  expect(R"({"ggml.tokens": [], "ggml.model": "gpt2"})", ErrorKind::corrupted, "ggml.tokens: is empty");
  const Config invalid(Json(Json::Object{{"ggml.tokens", Json::Array{"a", "\xf0"}}}), "model.gguf: tokenizer");
  EXPECT_TRUE(contains(error_of([&] { Tokenizer::from_gguf(invalid); }).what(), "ggml.tokens: token 1 is no UTF-8"));
  expect(R"({"ggml.tokens": ["a"], "ggml.token_type": [1, 1], "ggml.model": "gpt2"})", ErrorKind::corrupted,
         "2 values for 1 tokens");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "bert"})", ErrorKind::unsupported, "is \"bert\", expected gpt2");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "gpt2", "ggml.pre": "mine"})", ErrorKind::unsupported,
         "ggml.pre: is \"mine\"");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "gpt2"})", ErrorKind::corrupted, "\"ggml.merges\" is missing");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "gpt2", "ggml.merges": ["aa"]})", ErrorKind::corrupted,
         "expected two parts");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "llama", "ggml.scores": [0, 1]})", ErrorKind::corrupted,
         "ggml.scores: has 2 values");
  expect(R"({"ggml.tokens": ["a"], "ggml.model": "llama", "ggml.bos_token_id": 7})", ErrorKind::corrupted,
         "ggml.bos_token_id: is 7");
}

}  // namespace
}  // namespace accelerate::text
