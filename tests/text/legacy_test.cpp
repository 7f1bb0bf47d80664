// Folders without tokenizer.json give the ids that they give with it; bad folders and bad files say what is wrong.
#include "checkpoint/temporary_folder.hpp"
#include "text/golden_rows.hpp"

namespace accelerate::text {
namespace {

class OlderFiles : public testing::TestWithParam<const char*> {};

TEST_P(OlderFiles, GiveTheSameIdsAsTokenizerJson) {
  const TemporaryFolder folder;
  for (const auto& file : std::filesystem::directory_iterator(goldens() / GetParam())) {
    const std::string name = file.path().filename().string();
    if (name != "tokenizer.json" && name != "cases.jsonl") std::filesystem::copy(file.path(), folder.path() / name);
  }
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  const std::vector<Json> rows = lines_of(goldens() / GetParam() / "cases.jsonl");
  ASSERT_GT(rows.size(), 200U);
  for (const Json& row : rows) {
    SCOPED_TRACE(row.dump().substr(0, 300));
    const TextInput input = input_of(row);
    const Encoding encoding = tokenizer.encode_batch(std::span(&input, 1)).front();
    EXPECT_EQ(encoding.ids, integers(row.at("ids")));
    EXPECT_EQ(encoding.type_ids, integers(row.at("type_ids")));
    EXPECT_EQ(tokenizer.decode(encoding.ids, true), row.at("decoded_skip_special").as_string());
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, OlderFiles,
                         testing::Values("bert", "bert_cased", "clip", "gpt2", "llama", "mistral", "opt", "qwen2",
                                         "roberta", "t5", "whisper", "xlm_roberta"),
                         [](const auto& family) { return std::string(family.param); });

struct OnlyVocabulary {
  const char *golden, *tokenizer_class;
  std::vector<const char*> files;
  std::int32_t padding;
};

class Vocabulary : public testing::TestWithParam<OnlyVocabulary> {};

// Nothing but the vocabulary and the class that reads it.
TEST_P(Vocabulary, IsEnoughWhereTheClassIsKnown) {
  const std::string golden = GetParam().golden;
  const TemporaryFolder folder;
  for (const char* name : GetParam().files) std::filesystem::copy(goldens() / golden / name, folder.path() / name);
  const Tokenizer tokenizer = Tokenizer::open(folder.path(), GetParam().tokenizer_class);
  EXPECT_EQ(tokenizer.special_tokens().pad, GetParam().padding);
  EXPECT_TRUE(tokenizer.special_tokens().mask);
  for (const Json& row : lines_of(goldens() / golden / "cases.jsonl")) {
    SCOPED_TRACE(row.dump().substr(0, 300));
    const TextInput input = input_of(row);
    EXPECT_EQ(tokenizer.encode_batch(std::span(&input, 1)).front().ids, integers(row.at("ids")));
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, Vocabulary,
                         testing::Values(OnlyVocabulary{"bert", "ElectraTokenizer", {"vocab.txt"}, 0},
                                         OnlyVocabulary{"roberta", "RobertaTokenizer", {"vocab.json", "merges.txt"}, 1},
                                         OnlyVocabulary{
                                             "xlm_roberta", "XLMRobertaTokenizer", {"sentencepiece.bpe.model"}, 1}),
                         [](const auto& family) { return std::string(family.param.golden); });

template <typename F>
Error error_of(F&& run) {
  try {
    run();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::internal, "nothing");
}

TEST(OpeningAFolder, LowerCasesInFrontWhateverTheFilesAre) {
  const TemporaryFolder older;
  for (const char* name : {"vocab.txt", "tokenizer_config.json"}) {
    std::filesystem::copy(goldens() / "bert_cased" / name, older.path() / name);
  }
  for (const std::filesystem::path& folder : {older.path(), goldens() / "bert_cased"}) {
    const Tokenizer cased = Tokenizer::open(folder), lower = Tokenizer::open(folder, {}, true);
    EXPECT_NE(cased.encode("In The Beginning").ids, cased.encode("in the beginning").ids);
    EXPECT_EQ(lower.encode("In The Beginning").ids, cased.encode("in the beginning").ids);
  }
}

TEST(OpeningAFolder, ListsWhatWasLookedFor) {
  const TemporaryFolder folder;
  const Error error = error_of([&] { Tokenizer::open(folder.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  for (const char* name : {"tokenizer.json", "vocab.txt", "merges.txt", "spiece.model", "tokenizer.model"}) {
    EXPECT_NE(error.message().find(name), std::string::npos) << error.what();
  }
}

TEST(OpeningAFolder, NamesTheFileAndLineOfBrokenJson) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", "{\n \"model\": {]\n}");
  const Error error = error_of([&] { Tokenizer::open(folder.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_NE(std::string(error.what()).find("tokenizer.json"), std::string::npos) << error.what();
}

TEST(OpeningAFolder, RefusesAnAddedTokenWhoseIdIsNoNumber) {
  for (const char* id : {"one", "1x", "-1", "", "99999999999999999999"}) {
    const TemporaryFolder folder;
    std::filesystem::copy(goldens() / "bert/vocab.txt", folder.path() / "vocab.txt");
    folder.write("tokenizer_config.json",
                 std::string(R"({"tokenizer_class": "BertTokenizer", "added_tokens_decoder": {")") + id +
                     R"(": {"content": "[NEW]"}}})");
    const Error error = error_of([&] { Tokenizer::open(folder.path()); });
    EXPECT_EQ(error.kind(), ErrorKind::corrupted) << id;
    EXPECT_NE(error.message().find("expected a token's id"), std::string::npos) << error.what();
  }
}

TEST(OpeningAFolder, RefusesATruncatedSentencePieceModel) {
  const TemporaryFolder folder;
  folder.write("spiece.model", std::string_view("\x0a\x20"
                                                "abc",
                                                5));
  const Error error = error_of([&] { Tokenizer::open(folder.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_NE(std::string(error.what()).find("spiece.model"), std::string::npos) << error.what();
}

constexpr std::string_view kTiny =
    R"({"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}},"pre_tokenizer":{"type":"WhitespaceSplit"}})";

Tokenizer tiny() { return Tokenizer::from_json(Json::parse(kTiny, "tiny"), "tiny"); }

TEST(UnknownTypes, AreUnsupportedByName) {
  for (const char* part : {"normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}) {
    Json json = Json::parse(kTiny, "tiny");
    json.set(part, Json::parse(R"({"type":"Frobnicate"})", part));
    const Error error = error_of([&] { Tokenizer::from_json(json, "tiny"); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported) << part;
    EXPECT_EQ(error.what(), "tiny: " + std::string(part) + ": unknown " + part + " type \"Frobnicate\"");
  }
}

TEST(Text, ThatIsNoUtf8IsRefusedAtItsByte) {
  const Error error = error_of([] { tiny().encode("abc\xff"); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_NE(error.message().find("byte 3"), std::string::npos) << error.what();
  EXPECT_THROW(tiny().encode_ids("\xed\xa0\x80"), Error);
}

TEST(Truncation, ByTheCallerReplacesTheFiles) {
  const Tokenizer tokenizer = tiny();
  const Encoding cut = tokenizer.encode("a b a b a", {.max_length = 3});
  EXPECT_EQ(cut.ids, (std::vector<std::int32_t>{1, 0, 1}));
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(tokenizer.encode_ids("a b a b a", {.max_length = 2, .truncation_side = Side::left}),
            (std::vector<std::int32_t>{0, 1}));
  const TextInput exactly{"a b a"};
  EXPECT_EQ(tokenizer.encode_ids(std::span(&exactly, 1), {.max_length = 3}).truncated[0], 0);
  EXPECT_EQ(tokenizer.encode_ids(std::span(&exactly, 1), {.max_length = 2}).truncated[0], 1);
}

TEST(LongWords, OfAMegabyteAreDoneInTime) {
  Json json = Json::parse(R"({"model":{"type":"BPE","unk_token":null,"vocab":{"a":0,"b":1,"aa":2,"aaaa":3,"ab":4},
      "merges":["a a","aa aa","a b"]}})",
                          "bpe");
  const Tokenizer tokenizer = Tokenizer::from_json(json, "bpe");
  const std::string word(1 << 20, 'a');
  EXPECT_EQ(tokenizer.encode_ids(word).size(), word.size() / 4);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids(word.substr(0, 8))), "aaaa aaaa");
}

}  // namespace
}  // namespace accelerate::text
