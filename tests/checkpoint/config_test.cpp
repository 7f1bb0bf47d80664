#include "checkpoint/config.hpp"

#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

Config config_of(std::string_view text) { return {Json::parse(text, "config.json"), "config.json"}; }

TEST(Config, ReadsFieldsOfEachType) {
  const Config c = config_of(R"({"hidden_size": 384, "eps": 1e-12, "act": "gelu", "cache": true, "pads": [1, 2],
                                 "scales": [0.5, 1], "names": ["a", "b"], "whole": 4.0})");
  EXPECT_EQ(c.require<std::int64_t>("hidden_size"), 384);
  EXPECT_EQ(c.require<std::int64_t>("whole"), 4);
  EXPECT_EQ(c.require<double>("eps"), 1e-12);
  EXPECT_EQ(c.require<double>("hidden_size"), 384.0);
  EXPECT_EQ(c.require<std::string>("act"), "gelu");
  EXPECT_TRUE(c.require<bool>("cache"));
  EXPECT_EQ(c.require<Dims>("pads"), (Dims{1, 2}));
  EXPECT_EQ(c.require<std::vector<double>>("scales"), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(c.require<std::vector<std::string>>("names"), (std::vector<std::string>{"a", "b"}));
}

TEST(Config, AbsentAndNullFieldsTakeTheFallback) {
  const Config c = config_of(R"({"eps": null})");
  EXPECT_FALSE(c.has("eps"));
  EXPECT_EQ(c.get("eps", 1e-5), 1e-5);
  EXPECT_EQ(c.get<std::int64_t>("layers", 12), 12);
  EXPECT_EQ(c.find<std::string>("eps"), std::nullopt);
}

TEST(Config, FindsAFieldByAnyOfItsNames) {
  const Config c = config_of(R"({"n_embd": 8, "hidden_size": null})");
  EXPECT_EQ(c.find_any<std::int64_t>({"hidden_size", "n_embd"}), 8);
  EXPECT_EQ(c.find_any<std::int64_t>({"layers", "n_layer"}), std::nullopt);
  const Error error = error_of([&] { c.size({"n_layer", "num_hidden_layers"}); });
  EXPECT_STREQ(error.what(), "config.json: field \"n_layer\" or \"num_hidden_layers\" is missing");
}

TEST(Config, ErrorsNameFileFieldFoundAndExpected) {
  const Config c = config_of(R"({"hidden_size": "384", "text_config": {"rope": {"theta": []}, "heads": 1.5}})");
  EXPECT_STREQ(error_of([&] { c.require<std::int64_t>("hidden_size"); }).what(),
               "config.json: hidden_size: found \"384\", expected an integer");
  const Config text = c.child("text_config");
  EXPECT_STREQ(error_of([&] { text.child("rope").get("theta", 1.0); }).what(),
               "config.json: text_config.rope.theta: found [], expected a number");
  EXPECT_STREQ(error_of([&] { text.require<std::int64_t>("heads"); }).what(),
               "config.json: text_config.heads: found 1.5, expected an integer");
  EXPECT_STREQ(error_of([&] { text.require<bool>("bias"); }).what(),
               "config.json: text_config: field \"bias\" is missing");
  EXPECT_EQ(error_of([&] { c.child("vision_config"); }).kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_of([&] { c.child("hidden_size"); }).kind(), ErrorKind::corrupted);
}

TEST(Config, LongValuesAreCutInErrors) {
  const Config c = config_of(R"({"heads": ")" + std::string(5000, 'x') + R"("})");
  EXPECT_LT(std::string(error_of([&] { c.require<std::int64_t>("heads"); }).what()).size(), 200U);
}

TEST(Config, SizesThatNoModelHasAreRefused) {
  for (const char* value : {"0", "-1", "1000000000000", "1e300"}) {
    const Config c = config_of(std::string(R"({"hidden_size": )") + value + "}");
    const Error error = error_of([&] { c.size("hidden_size"); });
    EXPECT_EQ(error.kind(), ErrorKind::corrupted) << value;
    EXPECT_TRUE(contains(error.what(), "hidden_size")) << error.what();
  }
  const Config c = config_of(R"({"hidden_size": 768, "type_vocab_size": 0, "layers": 100000})");
  EXPECT_EQ(c.size("hidden_size"), 768);
  EXPECT_EQ(c.size({"type_vocab_size"}, 0), 0);
  EXPECT_EQ(c.size_or({"heads"}, 12), 12);
  EXPECT_EQ(error_of([&] { c.size({"layers"}, 1, 1000); }).message(), "is 100000, expected 1 to 1000");
  EXPECT_EQ(error_of([&] { c.size("heads"); }).message(), "field \"heads\" is missing");
}

TEST(Config, NumbersOutOfRangeAreRefused) {
  const Config c = config_of(R"({"eps": 1e-5, "dropout": 1.5, "nan": NaN, "inf": Infinity})");
  EXPECT_EQ(c.number_or({"eps"}, 1e-12, 0, 1), 1e-5);
  EXPECT_EQ(c.number_or({"none"}, 1e-12, 0, 1), 1e-12);
  EXPECT_TRUE(contains(error_of([&] { c.number_or({"dropout"}, 0, 0, 1); }).what(), "is 1.5, expected 0.0 to 1.0"));
  EXPECT_EQ(error_of([&] { c.number_or({"nan"}, 0, 0, 1); }).kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_of([&] { c.number_or({"inf"}, 0, 0, 1); }).kind(), ErrorKind::corrupted);
}

TEST(Config, ChildrenOutliveTheirParent) {
  const Config text = [] { return config_of(R"({"text_config": {"layers": 2}})").child("text_config"); }();
  EXPECT_EQ(text.size("layers"), 2);
  EXPECT_EQ(text.where(), "config.json: text_config");
}

TEST(Config, KnowsItsModel) {
  const Config c = config_of(R"({"model_type": "bert", "architectures": ["BertModel"]})");
  EXPECT_EQ(c.model_type(), "bert");
  EXPECT_EQ(c.architectures(), (std::vector<std::string>{"BertModel"}));
  EXPECT_TRUE(config_of("{}").architectures().empty());
  EXPECT_EQ(error_of([] { config_of("{}").model_type(); }).message(), "field \"model_type\" is missing");
}

TEST(Config, LabelsAreInTheOrderOfTheirIds) {
  using Labels = std::vector<std::string>;
  EXPECT_EQ(config_of(R"({"id2label": {"10": "k", "2": "c", "0": "a", "1": "b"}})").labels(),
            (Labels{"a", "b", "c", "LABEL_3", "LABEL_4", "LABEL_5", "LABEL_6", "LABEL_7", "LABEL_8", "LABEL_9", "k"}));
  EXPECT_EQ(config_of(R"({"id2label": {"0": 5}})").labels(), (Labels{"5"}));
  EXPECT_EQ(config_of(R"({"num_labels": 3})").labels(), (Labels{"LABEL_0", "LABEL_1", "LABEL_2"}));
  EXPECT_EQ(config_of("{}").labels(), (Labels{"LABEL_0", "LABEL_1"}));
  for (const char* id : {"x", "-1", "99999999999", "1 ", ""}) {
    const Config c = config_of(std::string(R"({"id2label": {")") + id + R"(": "a"}})");
    EXPECT_EQ(error_of([&] { c.labels(); }).kind(), ErrorKind::corrupted) << id;
  }
}

TEST(Config, DtypeIsReadInBothSpellings) {
  EXPECT_EQ(config_of(R"({"torch_dtype": "float16"})").dtype(), DType::f16);
  EXPECT_EQ(config_of(R"({"dtype": "bfloat16", "torch_dtype": "float16"})").dtype(), DType::bf16);
  EXPECT_EQ(config_of(R"({"torch_dtype": "torch.float32"})").dtype(), DType::f32);
  EXPECT_EQ(config_of(R"({"dtype": "auto"})").dtype(), std::nullopt);
  EXPECT_EQ(config_of("{}").dtype(), std::nullopt);
  EXPECT_EQ(error_of([] { config_of(R"({"dtype": "float8"})").dtype(); }).kind(), ErrorKind::unsupported);
}

TEST(Config, FilesThatAreNoConfigAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { Config::read(folder.path() / "config.json"); }).kind(), ErrorKind::not_found);
  folder.write("list.json", "[]");
  EXPECT_TRUE(contains(error_of([&] { Config::read(folder.path() / "list.json"); }).what(),
                       "list.json: found array, expected an object"));
  folder.write("broken.json", "{\n  \"a\": 1,\n  \"b\" 2\n}");
  const Error error = error_of([&] { Config::read(folder.path() / "broken.json"); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error.what(), "line 3, column 7")) << error.what();
  std::filesystem::resize_file(folder.write("huge.json", "{}"), std::uint64_t{10} << 30);
  EXPECT_EQ(error_of([&] { Config::read(folder.path() / "huge.json"); }).kind(), ErrorKind::invalid_input);
}

}  // namespace
}  // namespace accelerate
