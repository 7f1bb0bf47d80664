// How close precisions come: the figures by hand, the table of bounds, layers that are kept, every golden.
#include "verify/agreement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "backends/cpu/kernels.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "verify/reference.hpp"

namespace accelerate::verify {
namespace {

const std::filesystem::path kGoldens = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens";

Tensor tensor(Dims dims, const std::vector<float>& values) { return Tensor::of<float>(std::move(dims), values); }

Figures figures_of(const Tensor& expected, const Tensor& found, bool logits, const RowMask& mask = {}) {
  FigureMeter meter;
  meter.add(expected, found, mask, logits);
  return meter.figures();
}

TEST(Bounds, AreOneTableThatLoosensDownwards) {
  const records::Bound f32 = bound_of(Precision::f32), bf16 = bound_of(Precision::bf16),
                       int8 = bound_of(Precision::int8);
  EXPECT_DOUBLE_EQ(*int8.cosine, 0.999);
  EXPECT_GT(*f32.cosine, *bf16.cosine);
  EXPECT_GT(*bf16.cosine, *int8.cosine);
  EXPECT_LT(*f32.kl_divergence, *bf16.kl_divergence);
  EXPECT_LT(*bf16.kl_divergence, *int8.kl_divergence);
  EXPECT_GT(*f32.top1, *bf16.top1);
  EXPECT_GT(*bf16.top1, *int8.top1);
  EXPECT_FALSE(bound_of(Precision::int4).cosine.has_value());
}

TEST(Bounds, EachFigureIsJudged) {
  const records::Bound bound = bound_of(Precision::int8);
  const Figures good{.rows = 1, .worst_cosine = 0.9991, .mean_cosine = 1, .mean_kl_divergence = 0.009, .top1 = 0.98};
  EXPECT_TRUE(is_within(good, bound));
  Figures bad = good;
  bad.worst_cosine = 0.9989;
  EXPECT_FALSE(is_within(bad, bound));
  bad = good;
  bad.mean_kl_divergence = 0.011;
  EXPECT_FALSE(is_within(bad, bound));
  bad = good;
  bad.top1 = 0.96;
  EXPECT_FALSE(is_within(bad, bound));
  EXPECT_TRUE(is_within({.rows = 1, .worst_cosine = 0.9991}, bound)) << "what was not taken is not judged";
}

TEST(Measuring, WorstAndMeanCosineOfRows) {
  const Figures figures = figures_of(tensor({2, 2}, {1, 0, 3, 4}), tensor({2, 2}, {2, 0, 4, 3}), false);
  EXPECT_EQ(figures.rows, 2);
  EXPECT_DOUBLE_EQ(figures.worst_cosine, 24.0 / 25);
  EXPECT_DOUBLE_EQ(figures.mean_cosine, (1 + 24.0 / 25) / 2);
  EXPECT_FALSE(figures.mean_kl_divergence || figures.top1);
}

TEST(Measuring, DivergenceOfKnownDistributions) {
  // Softmax of logarithms is the numbers themselves: (1/2, 1/2) against (3/4, 1/4), and a row that is equal.
  const std::vector<float> p{std::log(0.5F), std::log(0.5F), 1, 2}, q{std::log(0.75F), std::log(0.25F), 3, 4};
  const Figures figures = figures_of(tensor({2, 2}, p), tensor({2, 2}, q), true);
  const double divergence = 0.5 * std::log(0.5 / 0.75) + 0.5 * std::log(0.5 / 0.25);
  EXPECT_NEAR(*figures.worst_kl_divergence, divergence, 1e-6);
  EXPECT_NEAR(*figures.mean_kl_divergence, divergence / 2, 1e-6);
  EXPECT_DOUBLE_EQ(*figures.top1, 1);
  EXPECT_DOUBLE_EQ(*figures_of(tensor({2, 2}, p), tensor({2, 2}, {1, 0, 4, 3}), true).top1, 0.5);
}

TEST(Measuring, PaddingIsLeftOut) {
  const Tensor expected = tensor({1, 3, 2}, {1, 0, 5, 5, 0, 1}), found = tensor({1, 3, 2}, {1, 0, -5, 5, 0, 1});
  EXPECT_LT(figures_of(expected, found, false).worst_cosine, 0.1);
  const Figures figures = figures_of(expected, found, true, {1, 0, 1});
  EXPECT_EQ(figures.rows, 2);
  EXPECT_DOUBLE_EQ(figures.worst_cosine, 1);
  EXPECT_NEAR(*figures.worst_kl_divergence, 0, 1e-12);
  // One number a token: padding is left out inside the row, whose largest number it would be.
  const Figures places = figures_of(tensor({1, 3}, {1, 2, 9}), tensor({1, 3}, {1, 2, -9}), true, {1, 1, 0});
  EXPECT_EQ(places.rows, 1);
  EXPECT_DOUBLE_EQ(places.worst_cosine, 1);
  EXPECT_DOUBLE_EQ(*places.top1, 1);
}

TEST(Measuring, ScoresOfOneClassAreOneVector) {
  FigureMeter meter;
  meter.add(tensor({2, 1}, {3, 4}), tensor({2, 1}, {4, 3}), {}, true);
  meter.add(tensor({1, 1}, {-1}), tensor({1, 1}, {1}), {}, true);
  const Figures figures = meter.figures();
  EXPECT_EQ(figures.rows, 3);
  EXPECT_NEAR(figures.worst_cosine, 23.0 / 26, 1e-12);
  EXPECT_NEAR(*figures.top1, 2.0 / 3, 1e-12);
  EXPECT_GT(*figures.worst_kl_divergence, 0.1);
}

TEST(Measuring, NumbersThatAreNoneAreTheWorst) {
  const Figures figures = figures_of(tensor({1, 2}, {1, 2}), tensor({1, 2}, {NAN, 2}), true);
  EXPECT_DOUBLE_EQ(figures.worst_cosine, -1);
  EXPECT_DOUBLE_EQ(*figures.top1, 0);
  EXPECT_FALSE(is_within(figures, bound_of(Precision::int8)));
  EXPECT_DOUBLE_EQ(figures_of(tensor({1, 2}, {0, 0}), tensor({1, 2}, {0, 0}), false).worst_cosine, 1);
  EXPECT_DOUBLE_EQ(figures_of(tensor({1, 2}, {0, 1}), tensor({1, 2}, {0, 0}), false).worst_cosine, 0);
  EXPECT_THROW(figures_of(tensor({1, 2}, {1, 2}), tensor({2, 1}, {1, 2}), false), Error);
}

TEST(BuiltInSentences, AreThirtyTwoOfManyLengths) {
  std::set<std::size_t> lengths;
  for (const std::string& sentence : built_in_sentences()) lengths.insert(sentence.size());
  EXPECT_EQ(built_in_sentences().size(), 32U);
  EXPECT_GE(lengths.size(), 25U);
}

// Every golden in every precision: figures that are numbers, near the reference, and no word about bounds.
class EveryGoldenLower : public testing::TestWithParam<std::string> {};

TEST_P(EveryGoldenLower, RunsInLowerPrecisions) {
  const std::filesystem::path folder = kGoldens / "models" / GetParam();
  const AgreementReport report = agreement(Model::open(folder), {.golden = folder / "golden"});
  EXPECT_EQ(report.weights, "random");
  EXPECT_FALSE(report.any_out_of_bound());
  ASSERT_EQ(report.precisions.size(), 3U);
  for (const PrecisionAgreement& one : report.precisions) {
    EXPECT_EQ(one.judgement, Judgement::not_judged);
    EXPECT_TRUE(one.reason == "random weights" || one.reason == "it is the reference") << one.reason;
    if (!one.figures) continue;
    EXPECT_GT(one.figures->rows, 0);
    EXPECT_GT(one.figures->worst_cosine, 0.9) << one.precision;
    EXPECT_TRUE(std::isfinite(one.figures->mean_kl_divergence.value_or(0)));
    EXPECT_TRUE(one.kept.empty());
  }
  EXPECT_TRUE(report.precisions[2].figures->worst_cosine < 1) << "int8 is not f32";
}

TEST_P(EveryGoldenLower, RunsInInt8ThroughOnnxRuntime) {
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const std::filesystem::path folder = kGoldens / "models" / GetParam();
  const AgreementReport report = agreement(Model::open(folder, {.device = "onnx:cpu"}),
                                           {.precisions = {Precision::int8}, .golden = folder / "golden"});
  const PrecisionAgreement& one = report.precisions.front();
  EXPECT_EQ(one.judgement, Judgement::not_judged) << "random weights";
  EXPECT_GT(one.layers, 0);
  EXPECT_GT(one.figures->worst_cosine, 0.9);
  EXPECT_LT(one.figures->worst_cosine, 1) << "int8 is not f32";
}

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldens / "models")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, EveryGoldenLower, testing::ValuesIn(fixtures()),
                         [](const auto& each) { return each.param; });

// Tiny models of random weights break the bounds of trained ones, and without a golden they count as trained.
class KeptLayers : public testing::Test {
 protected:
  PrecisionAgreement in_int8(const std::string& fixture, const std::string& device = "cpu") {
    tried_ = 0;
    AgreementOptions options{.precisions = {Precision::int8}};
    options.recorder = &recorder_;
    options.progress = [this](std::int64_t done, std::int64_t) { tried_ = done; };
    return agreement(Model::open(kGoldens / "models" / fixture, {.device = device}), options).precisions.front();
  }

  TemporaryFolder folder_;
  records::Recorder recorder_{folder_.path() / "records.sqlite", {}};
  std::int64_t tried_ = 0;
};

TEST_F(KeptLayers, AreFoundOnceAndRecorded) {
  const PrecisionAgreement first = in_int8("bert_masked_lm");
  ASSERT_TRUE(first.without_kept.has_value()) << "nothing to look for: " << first.figures->worst_cosine;
  EXPECT_FALSE(is_within(*first.without_kept, first.bound));
  EXPECT_EQ(first.judgement, Judgement::within_bound) << first.reason;
  EXPECT_TRUE(is_within(*first.figures, first.bound));
  EXPECT_EQ(tried_, first.layers);
  EXPECT_FALSE(first.found_before);
  EXPECT_EQ(first.kept_in, "bf16");
  ASSERT_FALSE(first.kept.empty());
  EXPECT_LE(static_cast<std::int64_t>(first.kept.size()), first.layers);
  EXPECT_TRUE(std::ranges::is_sorted(first.kept, std::greater(), &records::LayerChoice::Layer::sensitivity));

  const auto recorded = recorder_.latest<records::Agreement>({.precision = "int8"});
  const auto choice = recorder_.latest<records::LayerChoice>({.precision = "int8"});
  ASSERT_TRUE(recorded && choice);
  EXPECT_EQ(recorded->content().reference, "own f32");
  EXPECT_EQ(recorded->content().weights, "trained");
  EXPECT_TRUE(recorded->content().within_bound);
  EXPECT_EQ(recorded->content().layer_choice, choice->record.id);
  EXPECT_EQ(choice->content().layers.size(), first.kept.size());
  EXPECT_EQ(choice->content().examined, first.layers);

  const PrecisionAgreement again = in_int8("bert_masked_lm");
  EXPECT_EQ(tried_, 0) << "looked for again";
  EXPECT_TRUE(again.found_before);
  EXPECT_DOUBLE_EQ(again.figures->worst_cosine, first.figures->worst_cosine);
  EXPECT_EQ(recorder_.latest<records::Agreement>({.precision = "int8"})->content().layer_choice, choice->record.id);
  EXPECT_EQ(recorder_.list({.kind = records::Kind::layer_choice}).size(), 1U);
}

TEST_F(KeptLayers, OneFewerWouldNotDo) {
  const PrecisionAgreement found = in_int8("bert_masked_lm");
  ASSERT_FALSE(found.kept.empty());
  const Model model = Model::open(kGoldens / "models/bert_masked_lm");
  const Reference reference = reference_of(model, std::nullopt, {});
  std::map<std::string, std::string> fewer;
  for (std::size_t i = 0; i + 1 < found.kept.size(); ++i) fewer[found.kept[i].path] = "bf16";
  const Model with_fewer = model.with_precision("int8", fewer);
  FigureMeter meter;
  for (const Sample& sample : reference.samples) {
    meter.add(sample.outputs.at("logits"), with_fewer.run(sample.inputs, {.outputs = {"logits"}}).at("logits"), {},
              true);
  }
  EXPECT_FALSE(is_within(meter.figures(), with_room(found.bound)));
}

// The next higher precision is one that the device has.
TEST_F(KeptLayers, GoToF32WhereThereIsNoBf16) {
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const PrecisionAgreement found = in_int8("bert_masked_lm", "onnx:cpu");
  EXPECT_EQ(found.device, "onnx:cpu");
  EXPECT_EQ(found.judgement, Judgement::within_bound) << found.reason;
  ASSERT_FALSE(found.kept.empty()) << "nothing to look for: " << found.figures->worst_cosine;
  EXPECT_EQ(found.kept_in, "f32");
  EXPECT_EQ(recorder_.latest<records::LayerChoice>({.device = "onnx:cpu"})->content().kept_in, "f32");
}

TEST_F(KeptLayers, ThatDoNotHelpAreNotKept) {
  const PrecisionAgreement none = in_int8("modernbert_token_classification");
  EXPECT_EQ(none.judgement, Judgement::out_of_bound);
  EXPECT_TRUE(contains(none.reason, "out of bound even with every layer in bf16")) << none.reason;
  EXPECT_TRUE(none.kept.empty());
  EXPECT_EQ(tried_, 0);
  EXPECT_FALSE(recorder_.latest<records::LayerChoice>({}).has_value());
  EXPECT_FALSE(recorder_.latest<records::Agreement>({})->content().within_bound);
}

TEST_F(KeptLayers, CanBeCancelled) {
  AgreementOptions options{.precisions = {Precision::int8}};
  options.cancellation.cancel();
  EXPECT_EQ(error_of([&] { agreement(Model::open(kGoldens / "models/bert"), options); }).kind(),
            ErrorKind::interrupted);
}

// On real weights, at every level that this machine has.
TEST(RealMiniLM, IsWithinEveryBoundAtEveryLevel) {
  const char* folder = std::getenv("ACCELERATE_MINILM");
  if (folder == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM is not set: tools/fetch_minilm.sh prints the folder";
  const char* before = std::getenv("ACCELERATE_CPU_LEVEL");
  const std::string level_before = before == nullptr ? "" : before;
  for (const cpu::Level level : cpu::supported_levels()) {
    if (kSanitized && level != cpu::supported_levels().back()) continue;  // minutes, and the other builds run them all
    ::setenv("ACCELERATE_CPU_LEVEL", std::string(cpu::name_of(level)).c_str(), 1);
    const AgreementReport report = agreement(Model::open(folder), {.golden = kGoldens / "real/all-minilm-l6-v2"});
    EXPECT_EQ(report.reference, "Transformers golden");
    EXPECT_EQ(report.weights, "trained");
    for (const PrecisionAgreement& one : report.precisions) {
      EXPECT_EQ(one.device, "cpu");
      EXPECT_EQ(one.level, cpu::name_of(level));
      EXPECT_EQ(one.judgement, Judgement::within_bound) << one.level << " " << one.precision;
      EXPECT_EQ(one.figures->rows, 20);
      EXPECT_GE(one.figures->worst_cosine, *one.bound.cosine) << one.level << " " << one.precision;
      EXPECT_LE(one.kept.size(), 6U) << "a quarter of the layers";
    }
  }
  level_before.empty() ? ::unsetenv("ACCELERATE_CPU_LEVEL") : ::setenv("ACCELERATE_CPU_LEVEL", level_before.c_str(), 1);
}

// In groups of 32 it needs no layer in f32.
TEST(RealMiniLM, IsWithinTheBoundOfInt8ThroughOnnxRuntime) {
  const char* folder = std::getenv("ACCELERATE_MINILM");
  if (folder == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM is not set: tools/fetch_minilm.sh prints the folder";
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const AgreementReport report =
      agreement(Model::open(folder, {.device = "onnx:cpu"}),
                {.precisions = {Precision::int8}, .golden = kGoldens / "real/all-minilm-l6-v2"});
  const PrecisionAgreement& one = report.precisions.front();
  EXPECT_EQ(one.judgement, Judgement::within_bound);
  EXPECT_GE(one.figures->worst_cosine, *one.bound.cosine);
  EXPECT_LT(one.figures->worst_cosine, 0.99999) << "int8 is not f32";
  EXPECT_EQ(one.layers, 36);
  EXPECT_TRUE(one.kept.empty());
}

}  // namespace
}  // namespace accelerate::verify
