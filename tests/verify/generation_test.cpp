// Generated texts of every golden model, and of beam searches over batches, are those of Transformers on every device.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"
#include "verify/verify.hpp"

namespace accelerate::verify {
namespace {

std::vector<std::filesystem::path> folders() {
  std::vector<std::filesystem::path> all;
  for (const auto& goldens : {decoders_folder(), text_to_text_folder()}) {
    for (const std::string& name : golden_names(goldens)) all.push_back(goldens / name);
  }
  return all;
}

class Generated : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "cpu") return;
    if (const std::string why = test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_P(Generated, GoldensPassFromTextAndFromTensors) {
  for (const std::filesystem::path& folder : folders()) {
    const Report report = verify(Model::open(folder, {.device = GetParam(), .threads = 2}), folder / "golden");
    EXPECT_EQ(report.state(), State::passed) << folder;
    for (const CaseReport& each : report.cases) {
      const bool generated = std::ranges::any_of(each.checks, [](const Check& check) {
        return check.what == "expected.generated_ids" || check.what == "generated_ids";
      });
      EXPECT_TRUE(generated) << folder << " " << each.name;
      for (const Check& check : each.checks) EXPECT_EQ(check.state, State::passed) << check.what << " " << check.reason;
    }
  }
}

GenerateOptions options_of(const Json& settings) {
  GenerateOptions o{.do_sample = false};
  o.num_beams = static_cast<std::size_t>(settings.at("num_beams").as_int());
  o.num_return_sequences = static_cast<std::size_t>(settings.at("num_return_sequences").as_int());
  o.max_new_tokens = static_cast<std::size_t>(settings.at("max_new_tokens").as_int());
  const Json& early = settings.at("early_stopping");
  o.early_stopping = early.is_string() ? early.as_string() : std::string(early.as_bool() ? "true" : "false");
  o.length_penalty = settings.at("length_penalty").as_double();
  o.repetition_penalty = settings.at("repetition_penalty").as_double();
  if (const Json* size = settings.find("no_repeat_ngram_size")) {
    o.no_repeat_ngram_size = static_cast<std::size_t>(size->as_int());
  }
  return o;
}

// Filled up with padding as Transformers gives them.
std::vector<std::int64_t> padded(const GeneratedText& text, std::size_t length, std::int64_t pad) {
  std::vector<std::int64_t> ids(text.ids.begin(), text.ids.end());
  ids.resize(length, pad);
  return ids;
}

TEST_P(Generated, BeamsAreThoseOfTransformers) {
  const auto goldens = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens";
  const Json file = read_json(goldens / "generation" / "beams.json");
  std::vector<Prompt> prompts;
  for (const Json& text : file.at("texts").items()) prompts.push_back({.text = text.as_string()});
  std::map<std::string, Model> models;
  for (const Json& one : file.at("cases").items()) {
    const std::string name = one.at("model").as_string();
    SCOPED_TRACE(name + " " + one.at("settings").dump());
    auto model = models.find(name);
    if (model == models.end()) {
      model = models.emplace(name, Model::open(goldens / name, {.device = GetParam(), .threads = 2})).first;
    }
    const Generations found = model->second.generate(prompts, options_of(one.at("settings")));
    std::size_t row = 0;
    for (const auto& texts : found.texts) {
      for (const GeneratedText& text : texts) {
        std::vector<std::int64_t> expected;
        for (const Json& id : one.at("ids").items().at(row).items()) expected.push_back(id.as_int());
        EXPECT_EQ(padded(text, expected.size(), one.at("pad_token_id").as_int()), expected) << row;
        EXPECT_NEAR(text.score, one.at("scores").items().at(row).as_double(), 2e-4) << row;
        ++row;
      }
    }
    EXPECT_EQ(row, one.at("ids").items().size());
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Generated, testing::Values("cpu", "onnx", "openvino"),
                         [](const auto& device) { return device.param; });

// What is changed in a golden is found.
TEST(GeneratedGoldens, AWrongTokenIsFound) {
  const TemporaryFolder parent;
  const std::filesystem::path copy = parent.path() / "gpt2";
  std::filesystem::copy(decoders_folder() / "gpt2", copy, std::filesystem::copy_options::recursive);
  Json cases = read_json(copy / "golden" / "cases.json");
  std::string text = cases.dump();
  const std::string first = "\"generated_ids\":[[487,";
  const std::size_t place = text.find(first);
  ASSERT_NE(place, std::string::npos);
  text[place + first.size() - 2] = '6';
  std::ofstream(copy / "golden" / "cases.json") << text;
  const Report report = verify(Model::open(copy, {.device = "cpu"}), copy / "golden");
  EXPECT_EQ(report.state(), State::failed);
  std::set<std::string> failed;
  for (const CaseReport& each : report.cases) {
    for (const Check& check : each.checks) {
      if (check.state == State::failed) failed.insert(check.what);
    }
  }
  EXPECT_EQ(failed, (std::set<std::string>{"expected.generated_ids"}));
}

}  // namespace
}  // namespace accelerate::verify
