// Every case that the `tokenizers` library answered: ids, tokens, offsets, types, decoded text.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "text/tokenizer.hpp"

namespace accelerate::text {
namespace {

std::vector<Json> lines_of(const std::filesystem::path& path) {
  std::vector<Json> rows;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line, path.string()));
  return rows;
}

std::vector<std::int32_t> integers(const Json& json) {
  std::vector<std::int32_t> out;
  for (const Json& value : json.items()) out.push_back(static_cast<std::int32_t>(value.as_int()));
  return out;
}

std::vector<Offset> offsets(const Json& json) {
  std::vector<Offset> out;
  for (const Json& pair : json.items()) {
    out.push_back({static_cast<std::uint32_t>(pair.items()[0].as_int()),
                   static_cast<std::uint32_t>(pair.items()[1].as_int())});
  }
  return out;
}

std::vector<std::string> strings(const Json& json) {
  std::vector<std::string> out;
  for (const Json& value : json.items()) out.push_back(value.as_string());
  return out;
}

bool same(const std::vector<Offset>& a, const std::vector<Offset>& b) { return a == b; }

std::string show(const std::vector<Offset>& all) {
  std::string out;
  for (const Offset& offset : all) out += std::to_string(offset.begin) + "-" + std::to_string(offset.end) + " ";
  return out;
}

void check_row(const Tokenizer& tokenizer, const Json& row) {
  SCOPED_TRACE(row.dump().substr(0, 400));
  const std::string& text = row.at("text").as_string();
  TextInput input{text};
  if (row.find("pair") != nullptr) input.pair = row.at("pair").as_string();
  const Encoding encoding = tokenizer.encode_batch(std::span(&input, 1)).front();
  EXPECT_EQ(encoding.ids, integers(row.at("ids")));
  EXPECT_EQ(encoding.tokens, strings(row.at("tokens")));
  EXPECT_TRUE(same(encoding.offsets, offsets(row.at("offsets")))) << show(encoding.offsets);
  EXPECT_EQ(encoding.type_ids, integers(row.at("type_ids")));
  const RaggedIds fast = tokenizer.encode_ids(std::span(&input, 1));
  EXPECT_EQ(fast.ids, encoding.ids);
  EXPECT_EQ(fast.type_ids, encoding.type_ids);
  if (row.find("ids_without_special") != nullptr) {
    // Of the first text, also where the row is a pair.
    EXPECT_EQ(tokenizer.encode_ids(text, {.add_special_tokens = false}), integers(row.at("ids_without_special")));
  }
  EXPECT_EQ(tokenizer.decode(encoding.ids, false), row.at("decoded").as_string());
  EXPECT_EQ(tokenizer.decode(encoding.ids, true), row.at("decoded_skip_special").as_string());
}

std::filesystem::path goldens() { return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "tokenizers"; }

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
                         [](const auto& param) { return std::string(param.param); });

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
