// `export` as a user meets it. That other programs read the files and agree is for tests/tools/export_test.py.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli {
namespace {

using test::Finished;
using test::fixture;
using test::Folder;
using test::run_program;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The words of a list in what --json printed, sorted.
std::vector<std::string> listed(const Json& json, const char* name) {
  std::vector<std::string> words;
  for (const Json& each : json.at(name).items()) words.push_back(each.as_string());
  std::ranges::sort(words);
  return words;
}

// What --json says of one export into `folder`.
Json exported(const Folder& folder, const char* model, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"export", fixture(model), folder / "out", "--force", "--json"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Finished done = run_program(arguments);
  EXPECT_EQ(done.code, 0) << done.err;
  return Json::parse(done.out, "stdout");
}

TEST(Export, WritesAModelAndItsWeights) {
  const Folder folder;
  const Finished done = run_program({"export", fixture("bert"), "--to", "onnx", folder / "out", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const Json json = Json::parse(done.out, "stdout");
  EXPECT_EQ(std::filesystem::path(json.at("model").as_string()), folder / "out" / "model.onnx");
  EXPECT_TRUE(std::filesystem::exists(folder / "out" / "model.onnx"));
  EXPECT_TRUE(std::filesystem::exists(folder / "out" / "model.onnx.data"));
  EXPECT_EQ(listed(json, "inputs"), (std::vector<std::string>{"attention_mask", "input_ids", "token_type_ids"}));
}

TEST(Export, WritesEitherHalfOfAnEncoderDecoder) {
  const Folder folder;
  const auto inputs_of = [&](const std::vector<std::string>& options) {
    return listed(exported(folder, "../text_to_text/t5", options), "inputs");
  };
  EXPECT_EQ(inputs_of({}), (std::vector<std::string>{"attention_mask", "encoder_attention_mask",
                                                     "encoder_hidden_states", "input_ids"}));
  EXPECT_EQ(inputs_of({"--outputs", "last_hidden_state"}), (std::vector<std::string>{"attention_mask", "input_ids"}));
}

TEST(Export, WritesADecoderWithItsPast) {
  const Folder folder;
  const Json json = exported(folder, "../decoders/gpt2", {"--past"});
  const std::vector<std::string> inputs = listed(json, "inputs"), outputs = listed(json, "outputs");
  EXPECT_EQ(inputs.front(), "attention_mask");
  EXPECT_EQ(inputs[1], "input_ids");
  EXPECT_EQ(inputs[2], "past_key_values.0.key");
  EXPECT_EQ(inputs[3], "past_key_values.0.value");
  EXPECT_EQ(outputs.front(), "logits");
  EXPECT_EQ(outputs[1], "present.0.key");
  EXPECT_EQ(outputs.size() - 1, inputs.size() - 2);
}

TEST(Export, SaysWhatHasNoPast) {
  const Folder folder;
  const auto refusal = [&](const char* model, const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"export", fixture(model), folder / "out", "--past"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Finished done = run_program(arguments);
    EXPECT_EQ(done.code, 6) << done.err;
    return done.err;
  };
  EXPECT_TRUE(contains(refusal("bert", {}), "only a model that makes the next token has a past"));
  EXPECT_TRUE(contains(refusal("../decoders/gpt2", {"--outputs", "last_hidden_state"}), "gives its logits"));
}

TEST(Export, GivesWhatADecoderReadsOfTheSourceOnce) {
  const Folder folder;
  const auto outputs_of = [&](const char* named) {
    return listed(exported(folder, "../text_to_text/t5", {"--past", "--outputs", named}), "outputs");
  };
  std::vector<std::string> all = outputs_of("last_hidden_state");
  EXPECT_EQ(std::ranges::count(all, "cross.0.key"), 1);
  EXPECT_EQ(outputs_of("last_hidden_state,cross.0.key"), all);
  std::string cross;  // every one of them, in the place of what else there is
  std::erase(all, "last_hidden_state");
  for (const std::string& name : all) cross += (cross.empty() ? "" : ",") + name;
  EXPECT_EQ(outputs_of(cross.c_str()), all);
}

TEST(Export, WritesTheRuntimesOwnOperatorsWhereAsked) {
  const Folder folder;
  const auto written = [&](const char* operators) {
    exported(folder, "bert", {"--operators", operators});
    return test::read(folder / "out" / "model.onnx");
  };
  EXPECT_FALSE(contains(written("standard"), "com.microsoft"));
  EXPECT_TRUE(contains(written("onnxruntime"), "com.microsoft"));
  const Finished done = run_program({"export", fixture("bert"), folder / "out", "--operators", "all"});
  EXPECT_EQ(done.code, 2) << done.err;
  EXPECT_TRUE(contains(done.err, "onnxruntime")) << done.err;
}

TEST(Export, RefusesAnOutputThatIsNamedTwice) {
  const Folder folder;
  const Finished done =
      run_program({"export", fixture("bert"), folder / "out", "--outputs", "last_hidden_state,last_hidden_state"});
  EXPECT_EQ(done.code, 3) << done.err;
  EXPECT_TRUE(contains(done.err, "output \"last_hidden_state\" is named twice")) << done.err;
}

TEST(Export, RefusesToReplaceFilesUnlessForced) {
  const Folder folder;
  test::write(folder / "model.onnx", "mine");
  const Finished refused = run_program({"export", fixture("bert"), folder.path()});
  EXPECT_EQ(refused.code, 3);
  EXPECT_TRUE(contains(refused.err, "is there already")) << refused.err;
  EXPECT_TRUE(contains(refused.err, "--force")) << refused.err;
  EXPECT_EQ(test::read(folder / "model.onnx"), "mine");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"model.onnx"});
  EXPECT_EQ(run_program({"export", fixture("bert"), folder.path(), "--force"}).code, 0);
  EXPECT_NE(test::read(folder / "model.onnx"), "mine");
}

TEST(Export, LeavesNothingBehindWhereItFails) {
  const Folder folder;
  const Finished missing = run_program({"export", fixture("bert"), folder / "out", "--outputs", "no_such_output"});
  EXPECT_EQ(missing.code, 4);
  EXPECT_TRUE(contains(missing.err, "last_hidden_state")) << missing.err;
  const Finished nowhere = run_program({"export", fixture("bert"), folder / "missing" / "out"});
  EXPECT_EQ(nowhere.code, 3);
  EXPECT_TRUE(contains(nowhere.err, "missing/out")) << nowhere.err;
  EXPECT_TRUE(folder.names().empty());
}

TEST(Export, WritesBytesForAQuarterOfTheReals) {
  const Folder folder;
  const Json bytes = exported(folder, "bert", {"--precision", "int8"}), reals = exported(folder, "bert", {});
  EXPECT_LT(bytes.at("bytes").as_int(), reals.at("bytes").as_int());
  EXPECT_GT(bytes.at("layers").as_int(), 0);
  EXPECT_TRUE(bytes.at("kept_in_f32").items().empty());
  EXPECT_EQ(reals.find("layers"), nullptr);
}

TEST(Export, SaysWhatItDoesNotWrite) {
  const Folder folder;
  EXPECT_EQ(run_program({"export", fixture("bert"), folder / "out", "--to", "gguf"}).code, 2);
  EXPECT_EQ(run_program({"export", fixture("bert"), folder / "out", "--opset", "16"}).code, 2);
  EXPECT_EQ(run_program({"export", fixture("bert"), folder / "out", "--precision", "int4"}).code, 2);
  EXPECT_EQ(run_program({"export", fixture("bert"), folder / "out", "--precision", "bf16"}).code, 2);
  const Finished too_old =
      run_program({"export", fixture("bert"), folder / "out", "--precision", "int8", "--opset", "20"});
  EXPECT_EQ(too_old.code, 6);
  EXPECT_TRUE(contains(too_old.err, "opset 21")) << too_old.err;
  const Finished without = run_program({"export", fixture("bert")});
  EXPECT_EQ(without.code, 2);
  EXPECT_TRUE(contains(without.err, "DIR is missing")) << without.err;
}

}  // namespace
}  // namespace accelerate::cli
