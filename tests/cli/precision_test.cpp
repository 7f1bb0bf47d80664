// Precisions as a user meets them: verify compares and records, run and inspect decide from it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "accelerate/error.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {
namespace {

class PrecisionCommand : public testing::Test {
 protected:
  Finished run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    environment.push_back("ACCELERATE_RECORDS=" + (folder_ / "r.sqlite").string());
    return run_program(Call{.arguments = std::move(arguments), .environment = std::move(environment)});
  }
  Json json(std::vector<std::string> arguments, std::vector<std::string> environment = {}, int code = 0) {
    arguments.emplace_back("--json");
    const Finished finished = run(std::move(arguments), std::move(environment));
    EXPECT_EQ(finished.code, code) << finished.err;
    return Json::parse(finished.out, "stdout");
  }
  Folder folder_;
};

TEST_F(PrecisionCommand, RandomWeightsAreShownAndNotJudged) {
  const std::string model = fixture("bert_token_classification").string();
  const Finished shown = run({"verify", model, "--precision", "f32,bf16,int8"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_TRUE(contains(shown.out, "3 of 3 cases passed")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "what Transformers computed, random weights")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "not judged: random weights")) << shown.out;
  EXPECT_TRUE(contains(run({"records"}).out, "not judged, worst cosine"));
  EXPECT_EQ(json({"run", model, "Hello!", "--precision", "auto"}).at("precision").as_string(), "f32");

  const Json seen = json({"verify", model, "--precision", "int8", "--no-record"});
  EXPECT_EQ(seen.find("cases"), nullptr) << "f32 was not asked for";
  const Json& one = seen.at("agreement").at("precisions").items().at(0);
  EXPECT_EQ(one.at("precision").as_string(), "int8");
  EXPECT_EQ(one.at("state").as_string(), "not judged");
  EXPECT_GT(one.at("worst_cosine").as_double(), 0.9);
  EXPECT_GT(one.at("rows").as_int(), 0);
  EXPECT_GE(one.at("top1").as_double(), 0.5);
  EXPECT_TRUE(one.at("bound").members().empty());
  EXPECT_EQ(json({"records"}).at("records").items().size(), 3U) << "--no-record";
}

TEST_F(PrecisionCommand, WrongWords) {
  const std::string model = fixture("bert").string();
  EXPECT_EQ(run({"verify", model, "--precision", "auto"}).code, 2);
  EXPECT_EQ(run({"verify", model, "--precision", "f32,f33"}).code, 2);
  EXPECT_EQ(run({"verify", model, "--precision", "int8", "--case", "long"}).code, 2);
  EXPECT_EQ(run({"verify", model, "--precision", "int4"}).code, 6);
  EXPECT_EQ(run({"inspect", model, "--precision", "f33"}).code, 3);
  EXPECT_TRUE(folder_.names().empty());
}

// A copy without its golden counts as trained, and breaks the bound.
TEST_F(PrecisionCommand, ExportKeepsTheLayersThatVerifyFoundThroughOnnxRuntime) {
  if (const std::string why = accelerate::test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const std::filesystem::path model = copy_of("bert_masked_lm", folder_);
  std::filesystem::remove_all(model / "golden");
  const Json none = json({"export", model.string(), (folder_ / "out").string(), "--precision", "int8"});
  EXPECT_TRUE(none.at("kept_in_f32").items().empty());
  const Json seen = json({"verify", model.string(), "--device", "onnx:cpu", "--precision", "int8"});
  const Json& found = seen.at("agreement").at("precisions").items().at(0);
  EXPECT_EQ(found.at("kept_in").as_string(), "f32");
  const std::size_t kept = found.at("kept_layers").members().size();
  ASSERT_GT(kept, 0U);
  const Json some = json({"export", model.string(), (folder_ / "out").string(), "--precision", "int8", "--force"});
  EXPECT_EQ(some.at("kept_in_f32").items().size(), kept);
  EXPECT_GT(some.at("bytes").as_int(), none.at("bytes").as_int());
  const Json computed = json({"run", model.string(), "A [MASK].", "--device", "onnx:cpu", "--precision", "int8"});
  EXPECT_EQ(computed.at("precision").as_string(), "int8");
}

TEST_F(PrecisionCommand, InspectPredictsAllThatTheDeviceHas) {
  const auto predicted = [this](const std::string& device) {
    std::string precisions;
    const Json seen = json({"inspect", fixture("bert").string(), "--batch", "1", "--tokens", "16", "--device", device});
    for (const Json& row : seen.at("memory").items()) precisions += row.at("precision").as_string() + " ";
    return precisions;
  };
  EXPECT_EQ(predicted("cpu"), "f32 bf16 int8 ");
  const bool has_library = accelerate::test::missing_library("onnx").empty();
  EXPECT_EQ(predicted("onnx:cpu"), has_library ? "f32 int8 " : "f32 ");
  const Json automatic = json({"inspect", fixture("bert").string(), "--precision", "auto"});
  EXPECT_EQ(automatic.at("memory").items().at(0).at("precision").as_string(), "f32");
  EXPECT_TRUE(contains(automatic.at("notes").items().at(0).as_string(), "no agreement"));
  EXPECT_TRUE(folder_.names().empty()) << "asking makes no database";
}

TEST_F(PrecisionCommand, RealMiniLMGoesFromVerifyToAuto) {
  const char* minilm = std::getenv("ACCELERATE_MINILM");
  if (minilm == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM is not set: tools/fetch_minilm.sh prints the folder";
  const std::string golden = (std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/real/all-minilm-l6-v2").string();
  const Finished before = run({"run", minilm, "A sentence.", "--precision", "auto"});
  EXPECT_TRUE(contains(before.err, "note: f32: no agreement of a lower precision is recorded")) << before.err;

  const Json seen = json({"verify", minilm, "--golden", golden, "--precision", "f32,bf16,int8"});
  EXPECT_EQ(seen.at("state").as_string(), "passed");
  EXPECT_EQ(seen.at("agreement").at("weights").as_string(), "trained");
  for (const Json& one : seen.at("agreement").at("precisions").items()) {
    EXPECT_EQ(one.at("state").as_string(), "within bound") << one.dump();
    EXPECT_GE(one.at("worst_cosine").as_double(), 0.999) << one.dump();
  }
  const Finished after = run({"run", minilm, "A sentence.", "--precision", "auto", "--json"});
  EXPECT_EQ(Json::parse(after.out, "stdout").at("precision").as_string(), "int8") << after.err;
  EXPECT_TRUE(contains(after.err, "note: int8: within its bound for this model")) << after.err;
  EXPECT_EQ(run({"run", minilm, "A sentence.", "--quiet", "--precision", "auto"}).err, "");
  // What holds at one level says nothing about another.
  const Json elsewhere = json({"run", minilm, "A sentence.", "--precision", "auto"}, {"ACCELERATE_CPU_LEVEL=portable"});
  if (seen.at("agreement").at("precisions").items().at(0).at("level").as_string() != "portable") {
    EXPECT_EQ(elsewhere.at("precision").as_string(), "f32");
  }
  // Without a golden: this program's own f32.
  const Json own = json({"verify", minilm, "--precision", "f32,int8"});
  EXPECT_EQ(own.at("agreement").at("reference").as_string(), "own f32");
  EXPECT_EQ(own.at("agreement").at("inputs").as_string(), "32 built-in sentences");
  EXPECT_EQ(own.at("agreement").at("precisions").items().at(0).at("reason").as_string(), "it is the reference");
  EXPECT_EQ(own.at("agreement").at("precisions").items().at(1).at("state").as_string(), "within bound");
}

}  // namespace
}  // namespace accelerate::cli::test
