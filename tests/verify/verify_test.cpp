// Every golden fixture passes, from text and from tensors; and whatever is changed in one is found.
#include "verify/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "backends/runtime_libraries.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace accelerate::verify {
namespace {

const std::filesystem::path kGoldens = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens";

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldens / "models")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string failures(const Report& report) {
  std::string text;
  for (const CaseReport& each : report.cases) {
    for (const Check& check : each.checks) {
      if (check.state == State::passed) continue;
      text += each.name + " from " + std::string(name_of(check.from)) + ", " + check.what + ": " +
              std::string(name_of(check.state)) + ", " + check.reason + "\n";
    }
  }
  return text;
}

class EveryGolden : public testing::TestWithParam<std::string> {};

TEST_P(EveryGolden, PassesFromTextAndFromTensors) {
  const std::filesystem::path folder = kGoldens / "models" / GetParam();
  const Report report = verify(Model::open(folder), folder / "golden");
  EXPECT_EQ(report.state(), State::passed) << failures(report);
  ASSERT_FALSE(report.cases.empty());
  for (const CaseReport& each : report.cases) {
    EXPECT_EQ(each.state_of(Source::tensors), State::passed) << each.name;
    const bool text = std::any_of(each.checks.begin(), each.checks.end(),
                                  [](const Check& check) { return check.from == Source::text; });
    EXPECT_EQ(each.state_of(Source::text), text ? State::passed : State::untested) << each.name;
  }
}

using OnRuntime = std::tuple<std::string, std::string>;
class EveryGoldenOnRuntimes : public testing::TestWithParam<OnRuntime> {};

TEST_P(EveryGoldenOnRuntimes, Passes) {
  const auto& [device, fixture] = GetParam();
  if (const std::string why = test::missing_library(device); !why.empty()) GTEST_SKIP() << why;
  const std::filesystem::path folder = kGoldens / "models" / fixture;
  const Report report = verify(Model::open(folder, {.device = device, .threads = 2}), folder / "golden");
  EXPECT_EQ(report.state(), State::passed) << failures(report);
  EXPECT_FALSE(report.cases.empty());
}

INSTANTIATE_TEST_SUITE_P(Models, EveryGoldenOnRuntimes,
                         testing::Combine(testing::Values("onnx", "openvino"), testing::ValuesIn(fixtures())),
                         [](const testing::TestParamInfo<OnRuntime>& each) {
                           return std::get<0>(each.param) + "_" + std::get<1>(each.param);
                         });

INSTANTIATE_TEST_SUITE_P(Models, EveryGolden, testing::ValuesIn(fixtures()),
                         [](const auto& each) { return each.param; });

TEST(RealMiniLM, AgreesToARelativeErrorOfOneInAHundredThousand) {
  const char* folder = std::getenv("ACCELERATE_MINILM");
  if (folder == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM is not set: tools/fetch_minilm.sh prints the folder";
  const Report report = verify(Model::open(folder), kGoldens / "real/all-minilm-l6-v2");
  EXPECT_EQ(report.state(), State::passed) << failures(report);
  ASSERT_EQ(report.cases.size(), 2U);
  for (const CaseReport& each : report.cases) {
    for (const Check& check : each.checks) {
      if (!check.difference || check.what.starts_with("expected.")) continue;
      EXPECT_LT(check.difference->relative_l2, 1e-5) << check.what;
    }
  }
}

// A copy of a fixture's golden folder, for a test to change.
class ChangedGolden : public testing::Test {
 protected:
  void copy(const std::string& fixture) {
    model_ = kGoldens / "models" / fixture;
    std::filesystem::copy(model_ / "golden", folder_,
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  }
  void change_tensor(const std::string& file, const std::string& name, std::size_t index, float by) {
    change_tensor(file, name, [=](Tensor& tensor) { tensor.as<float>()[index] += by; });
  }
  void change_tensor(const std::string& file, const std::string& name, const std::function<void(Tensor&)>& change) {
    std::vector<std::pair<std::string, Tensor>> tensors;
    {
      const SafetensorsFile read = SafetensorsFile::open(model_ / "golden" / file);
      for (const StoredTensor& stored : read.tensors()) {
        const Tensor shared = stored.tensor();
        Tensor own(shared.dtype(), shared.dims());
        std::copy(shared.bytes().begin(), shared.bytes().end(), own.bytes().begin());
        if (stored.name == name) change(own);
        tensors.emplace_back(stored.name, own);
      }
    }
    write_safetensors(folder_ / file, tensors);
  }
  void change_cases(const std::string& from, const std::string& to) {
    std::string text = read_file(folder_ / "cases.json");
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    std::ofstream(folder_ / "cases.json") << text.replace(at, from.size(), to);
  }
  CaseReport verified(const std::string& name) const {
    Options options;
    options.test_case = name;
    return verify(Model::open(model_), folder_, options).cases.at(0);
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
  std::filesystem::path model_;
};

TEST_F(ChangedGolden, NamesTheFirstLayerOutOfBound) {
  copy("bert");
  change_tensor("single_short.safetensors", "outputs.hidden_states.1", 40, 0.01F);
  const CaseReport report = verified("single_short");
  EXPECT_EQ(report.state, State::failed);
  EXPECT_EQ(report.state_of(Source::text), State::failed);
  EXPECT_EQ(report.state_of(Source::tensors), State::failed);
  EXPECT_EQ(report.first_layer, "hidden_states.1: layer 0");
}

TEST_F(ChangedGolden, SaysWhenNoLayerIsToBlameOrKnown) {
  copy("bert");
  change_tensor("single_short.safetensors", "outputs.pooler_output", 0, 0.01F);
  EXPECT_TRUE(verified("single_short").first_layer.starts_with("none: every hidden state agrees"));
  change_tensor("long.safetensors", "outputs.pooler_output", 0, 0.01F);
  EXPECT_TRUE(verified("long").first_layer.starts_with("not known"));
}

TEST_F(ChangedGolden, DoesNotMindPadding) {
  copy("bert");
  const std::size_t last_row_of_hello = (35 + 34) * 32;  // text 1 has 6 tokens of 35
  change_tensor("batch_padded.safetensors", "outputs.last_hidden_state", last_row_of_hello, 100);
  EXPECT_EQ(verified("batch_padded").state, State::passed);
  const std::size_t second_token_of_hello = (35 + 1) * 32;
  change_tensor("batch_padded.safetensors", "outputs.last_hidden_state", second_token_of_hello, 100);
  EXPECT_EQ(verified("batch_padded").state, State::failed);
}

TEST_F(ChangedGolden, FindsAWrongTokenId) {
  copy("bert");
  change_cases("          364,", "          365,");
  const CaseReport report = verified("single_short");
  EXPECT_EQ(report.state_of(Source::text), State::failed);
  EXPECT_EQ(report.state_of(Source::tensors), State::passed);
}

TEST_F(ChangedGolden, FindsAWrongLabelAndAWrongScore) {
  copy("bert_multi_label");
  change_cases("\"label\": \"water\"", "\"label\": \"waiter\"");
  EXPECT_EQ(verified("single_short").state, State::failed);
  copy("bert_multi_label");
  change_cases("0.9913065", "0.9915065");
  EXPECT_EQ(verified("single_short").state, State::failed);
}

TEST_F(ChangedGolden, FindsWhatIsMissing) {
  copy("bert_entities");
  std::filesystem::remove(folder_ / "single_short.safetensors");
  const CaseReport report = verified("single_short");
  EXPECT_EQ(report.state, State::failed);
  EXPECT_EQ(report.state_of(Source::tensors), State::failed);
}

TEST_F(ChangedGolden, CallsUnsupportedWhatTheModelLacks) {
  copy("bert_tensors");
  model_ = kGoldens / "models" / "distilbert";  // has no pooler
  const CaseReport report = verified("ids_only");
  EXPECT_NE(report.state, State::passed);
  EXPECT_TRUE(std::any_of(report.checks.begin(), report.checks.end(), [](const Check& check) {
    return check.what == "pooler_output" && check.state == State::unsupported;
  }));
}

TEST_F(ChangedGolden, CallsUntestedWhatItDoesNotKnow) {
  copy("bert");
  change_cases("\"mean_pooled_head\"", "\"colour\"");
  const CaseReport report = verified("single_short");
  EXPECT_EQ(report.state, State::untested);
}

TEST_F(ChangedGolden, CallsUntestedWhatNeedsTheTextThatACaseLacks) {
  copy("bert_tensors");
  EXPECT_EQ(verified("left_padding").state, State::passed);
  change_cases("\"mean_pooled_head\"", "\"scores\": [], \"input_ids\": [[1]], \"mean_pooled_head\"");
  const CaseReport report = verified("left_padding");
  EXPECT_EQ(report.state, State::untested);
  for (const char* what : {"expected.scores", "expected.input_ids"}) {
    EXPECT_TRUE(std::any_of(report.checks.begin(), report.checks.end(), [what](const Check& check) {
      return check.what == what && check.state == State::untested;
    })) << what;
  }
}

TEST_F(ChangedGolden, ComparesExpectedVectorsWhoseTensorsAreNotGiven) {
  copy("bert_tensors");
  change_cases("outputs.mean_pooled", "outputs.pooler_output");
  const CaseReport report = verified("left_padding");
  EXPECT_EQ(report.state, State::passed);
  EXPECT_TRUE(std::any_of(report.checks.begin(), report.checks.end(),
                          [](const Check& check) { return check.what == "expected.mean_pooled_head"; }));
}

TEST_F(ChangedGolden, RefusesBrokenCases) {
  copy("bert");
  std::ofstream(folder_ / "cases.json") << "{\"cases\": [{\"name\": \"a\"}]}";
  EXPECT_THROW(verified("a"), Error);
  std::ofstream(folder_ / "cases.json") << "{";
  EXPECT_THROW(verified("a"), Error);
}

TEST_F(ChangedGolden, RefusesExpectationsThatItCouldNotCompare) {
  copy("bert");
  change_cases("\"expected\": {", "\"expected\": [], \"left\": {");
  EXPECT_THROW(verified("single_short"), Error);
}

TEST_F(ChangedGolden, FailsWhereTheMaskHasAnotherShape) {
  for (const Dims& dims : {Dims{3, 34}, Dims{1, 1}, Dims{5, 70}, Dims{3}}) {
    copy("bert");
    change_tensor("batch_padded.safetensors", "inputs.attention_mask",
                  [&](Tensor& mask) { mask = Tensor(DType::i64, dims); });
    const CaseReport report = verified("batch_padded");
    EXPECT_EQ(report.state_of(Source::text), State::failed) << to_string(dims);
    EXPECT_EQ(report.state_of(Source::tensors), State::failed) << to_string(dims);
  }
}

TEST_F(ChangedGolden, StopsOnRequest) {
  copy("bert");
  Options options;
  options.cancellation.cancel();
  EXPECT_THROW(verify(Model::open(model_), folder_, options), Error);
}

TEST_F(ChangedGolden, ReportsProgressAfterEveryCase) {
  copy("bert");
  std::vector<std::int64_t> seen;
  Options options;
  options.progress = [&seen](std::int64_t done, std::int64_t total) {
    seen.push_back(done);
    EXPECT_EQ(total, 4);
  };
  verify(Model::open(model_), folder_, options);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace accelerate::verify
