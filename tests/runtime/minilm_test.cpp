// The real all-MiniLM-L6-v2: its sentence vectors, its layers and its memory.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

class MiniLm : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ACCELERATE_MINILM");
    if (folder == nullptr) GTEST_SKIP() << "ACCELERATE_MINILM does not name the unpacked MiniLM folder; CI sets it";
    folder_ = folder;
  }

  static std::filesystem::path goldens() {
    return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "real" / "all-minilm-l6-v2";
  }
  static std::vector<std::string> sentences() {
    std::vector<std::string> all;
    const Json cases = read_json(goldens() / "cases.json");
    for (const Json& sentence : cases.at("sentences").items()) all.push_back(sentence.as_string());
    return all;
  }
  static Tensor expected(const std::string& name) {
    const SafetensorsFile file = SafetensorsFile::open(goldens() / "embed.safetensors");
    const StoredTensor* stored = file.find(name);
    if (stored == nullptr) throw Error(ErrorKind::not_found, "no tensor " + name);
    return stored->tensor();
  }
  // L2 of the difference over L2 of what is expected.
  static double relative_error(std::span<const float> found, std::span<const float> wanted) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      difference += std::pow(double{found[i]} - wanted[i], 2);
      norm += std::pow(double{wanted[i]}, 2);
    }
    return std::sqrt(difference / norm);
  }

  std::filesystem::path folder_;
};

TEST_F(MiniLm, SentencesAgreeToOnePartInAHundredThousand) {
  const Tensor found = Model::open(folder_).embed(sentences()).vectors;
  const Tensor wanted = expected("outputs.sentence_embedding");
  ASSERT_EQ(found.dims(), wanted.dims());
  const auto width = static_cast<std::size_t>(wanted.dim(1));
  for (std::size_t i = 0; i < sentences().size(); ++i) {
    const double error =
        relative_error(found.as<float>().subspan(i * width, width), wanted.as<float>().subspan(i * width, width));
    EXPECT_LT(error, 1e-5) << sentences()[i];
  }
}

TEST_F(MiniLm, EveryLayerOfTheFirstSentenceAgrees) {
  const Model model = Model::open(folder_);
  const NamedTensors found =
      model.run(model.encode(std::vector<std::string>{sentences()[0]}).tensors, {.layers = true});
  for (int layer = 0; layer <= 6; ++layer) {
    const std::string name = "hidden_states." + std::to_string(layer);
    const Tensor wanted = expected("outputs.first_sentence." + name);
    ASSERT_EQ(found.at(name).dims(), wanted.dims());
    EXPECT_LT(relative_error(found.at(name).as<float>(), wanted.as<float>()), 1e-5) << name;
  }
}

TEST_F(MiniLm, PeakMemoryIsAsPredictedAndNearTheWeights) {
  const Inspection inspection = inspect(folder_, {.tokens = {128}});
  const Model model = Model::open(folder_);
  const std::vector<std::int64_t> ids(128, 2023);
  const std::int64_t before = memory_use().allocated;
  reset_peak_memory();
  model.run({{"input_ids", Tensor::of({1, 128}, ids)}}, {.outputs = {"sentence_embedding"}});
  const std::int64_t counted = memory_use().allocated_peak - before;
  const MemoryPrediction& predicted = inspection.memory.front();
  EXPECT_LE(std::abs(counted - predicted.total), predicted.total / 20);
  EXPECT_LE(predicted.total + predicted.mapped, inspection.info.weight_bytes * 115 / 100 + (12 << 20));
}

// What is predicted for each precision is what is counted, and int8 takes at most 0.30 of the weights of f32.
TEST_F(MiniLm, MemoryOfLowerPrecisionsIsAsPredicted) {
  const Inspection inspection = inspect(folder_, {.tokens = {128}, .precisions = {"f32", "bf16", "int8"}});
  ASSERT_EQ(inspection.memory.size(), 3U);
  for (const MemoryPrediction& predicted : inspection.memory) {
    const Model model = Model::open(folder_, {.precision = predicted.precision});
    const std::vector<std::int64_t> ids(128, 2023);
    const std::int64_t before = memory_use().allocated;
    reset_peak_memory();
    model.run({{"input_ids", Tensor::of({1, 128}, ids)}}, {.outputs = {"sentence_embedding"}});
    const std::int64_t counted = memory_use().allocated_peak - before;
    EXPECT_LE(std::abs(counted - predicted.total), predicted.total / 20) << predicted.precision;
  }
  EXPECT_LE(inspection.memory[1].weights, inspection.memory[0].weights * 52 / 100);
  EXPECT_LE(inspection.memory[2].weights, inspection.memory[0].weights * 30 / 100);
}

}  // namespace
}  // namespace accelerate
