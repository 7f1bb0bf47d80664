// What a model is computed in: as asked, by layer, and as records decide.
#include <gtest/gtest.h>

#include <cstdlib>

#include "backends/cpu/kernels.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"
#include "core/thread_pool.hpp"
#include "records/records.hpp"
#include "runtime/goldens.hpp"
#include "runtime/loaded_model.hpp"

namespace accelerate {
namespace {

const std::vector<std::string> kTexts{"In the beginning God created the heaven and the earth.", "Hello!"};
const std::string kLayer = "encoder.layer.0.intermediate.dense";

std::vector<float> vectors_of(const Model& model) {
  const Tensor vectors = model.embed(kTexts).vectors;
  const auto values = vectors.as<float>();
  return {values.begin(), values.end()};
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2);
  return std::sqrt(sum);
}

TEST(Precision, ChangesTheNumbersAndIsSaid) {
  const Model f32 = Model::open(model_folder("bert")), int8 = Model::open(model_folder("bert"), {.precision = "int8"});
  EXPECT_EQ(f32.info().precision, "f32");
  EXPECT_EQ(int8.info().precision, "int8");
  EXPECT_TRUE(int8.info().layer_precisions.empty());
  EXPECT_TRUE(int8.info().precision_reason.empty());
  EXPECT_GT(distance(vectors_of(f32), vectors_of(int8)), 1e-4);
  EXPECT_LT(distance(vectors_of(f32), vectors_of(int8)), 0.5);
}

TEST(Precision, OfSingleLayers) {
  const std::filesystem::path folder = model_folder("bert");
  const std::vector<float> f32 = vectors_of(Model::open(folder));
  const std::vector<float> int8 = vectors_of(Model::open(folder, {.precision = "int8"}));
  const Model one = Model::open(folder, {.precision = "int8", .layer_precisions = {{kLayer, "f32"}}});
  const Model all = Model::open(folder, {.precision = "int8", .layer_precisions = {{"encoder", "f32"}}});
  EXPECT_EQ(one.info().layer_precisions, (std::map<std::string, std::string>{{kLayer, "f32"}}));
  EXPECT_NE(vectors_of(one), int8);
  EXPECT_NE(vectors_of(one), f32);
  EXPECT_EQ(vectors_of(all), f32);
}

TEST(Precision, LayersThatAreNotThere) {
  for (const char* path : {"encoder.layer.9", "encoder.laye", "encoder.layer.0.intermediate.dense.weight", ""}) {
    try {
      Model::open(model_folder("bert"), {.layer_precisions = {{path, "f32"}}});
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
      EXPECT_EQ(error.where(), std::string("layer_precisions: ") + path);
    }
  }
  EXPECT_THROW(Model::open(model_folder("bert"), {.layer_precisions = {{kLayer, "f31"}}}), Error);
  EXPECT_THROW(Model::open(model_folder("bert")).with_precision("auto"), Error);
}

TEST(Precision, LayersAreThoseThatALowerOneChanges) {
  const Model model = Model::open(model_folder("bert"));
  const std::vector<std::string> layers = model.layers();
  ASSERT_EQ(layers.size(), static_cast<std::size_t>(4 * model.info().layers));
  EXPECT_EQ(layers[0], "encoder.layer.0.attention.self.query");  // for key and value too
  EXPECT_EQ(layers[1], "encoder.layer.0.attention.output.dense");
  EXPECT_EQ(layers[2], kLayer);
  const std::vector<float> f32 = vectors_of(model), int8 = vectors_of(model.with_precision("int8"));
  for (const std::string& layer : layers) {
    EXPECT_NE(vectors_of(model.with_precision("int8", {{layer, "f32"}})), int8) << layer;
  }
  std::map<std::string, std::string> all;
  for (const std::string& layer : layers) all[layer] = "f32";
  // Attention has products of its own, which belong to no layer's weights.
  EXPECT_LT(distance(vectors_of(model.with_precision("int8", all)), f32), 0.1 * distance(int8, f32));
}

TEST(Precision, LayersOfEveryFolderAreThere) {
  for (const auto& entry : std::filesystem::directory_iterator(models_folder())) {
    const Model model = Model::open(entry.path());
    const std::vector<std::string> layers = model.layers();
    EXPECT_FALSE(layers.empty()) << entry.path();
    for (const std::string& layer : layers) model.with_precision("int8", {{layer, "bf16"}});
  }
}

TEST(Precision, AnotherOneSharesWhatIsPacked) {
  const Model int8 = Model::open(model_folder("bert"), {.precision = "int8"});
  int8.prepare();
  const std::int64_t before = memory_use().allocated;
  const Model same = int8.with_precision("int8");
  same.prepare();
  EXPECT_LT(memory_use().allocated - before, 1024) << "the same packed copies serve both";
  int8.with_precision("f32").prepare();
  const std::int64_t of_one = memory_use().allocated;
  const Model one = int8.with_precision("int8", {{kLayer, "f32"}});
  one.prepare();
  const std::int64_t more = memory_use().allocated - of_one;
  EXPECT_GT(more, 0);
  const Model f32 = Model::open(model_folder("bert"));
  const std::int64_t of_f32 = memory_use().allocated;
  f32.prepare();
  EXPECT_LT(2 * more, memory_use().allocated - of_f32) << "one layer, not all";
}

// Records made up for the tests, in a file of their own.
class Recorded : public testing::Test {
 protected:
  Recorded() : recorder_(folder_.path() / "records.sqlite", {}) {
    const char* before = std::getenv("ACCELERATE_RECORDS");
    before_ = before == nullptr ? "" : before;
    ::setenv("ACCELERATE_RECORDS", (folder_.path() / "records.sqlite").c_str(), 1);
    hash_ = recorder_.content_hash(model_);
  }
  ~Recorded() override {
    before_.empty() ? ::unsetenv("ACCELERATE_RECORDS") : ::setenv("ACCELERATE_RECORDS", before_.c_str(), 1);
  }

  std::string add(const std::string& precision, records::Content content, char model = 0) {
    records::Record record;
    const ModelInfo info = Model::open(model_).info();
    record.model = {model == 0 ? hash_ : std::string(64, model), info.model_type, info.parameters, "/elsewhere"};
    record.device = {"cpu", std::string(cpu::name_of(cpu::current_level()))};
    record.precision = precision;
    record.content = std::move(content);
    return recorder_.add(std::move(record));
  }
  void add_agreement(const std::string& precision, double cosine, const std::string& layer_choice = "",
                     const std::string& weights = "trained") {
    add(precision, records::Agreement{.reference = "own f32",
                                      .weights = weights,
                                      .inputs = "made up",
                                      .cases = 1,
                                      .worst_cosine = cosine,
                                      .mean_cosine = cosine,
                                      .bound = {.cosine = 0.999},
                                      .within_bound = cosine >= 0.999,
                                      .layer_choice = layer_choice});
  }
  void add_time(const std::string& precision, double p50, std::int64_t batch = 1) {
    add(precision, records::Measurement{.workload = "random tokens",
                                        .batch = batch,
                                        .tokens = 16,
                                        .rows = 16,
                                        .threads = default_thread_count(),
                                        .samples = 9,
                                        .p50_ms = p50});
  }
  std::string add_layers(const std::string& path) {
    return add("int8",
               records::LayerChoice{.measure = "made up", .kept_in = "bf16", .layers = {{path, 0.1}}, .examined = 8});
  }
  ModelInfo opened(const std::string& precision = "auto") const {
    return Model::open(model_, {.precision = precision}).info();
  }

  TemporaryFolder folder_;
  const std::filesystem::path model_ = model_folder("bert");
  records::Recorder recorder_;
  std::string before_, hash_;
};

TEST_F(Recorded, AutoIsF32WhereNothingIsRecorded) {
  const ModelInfo info = opened();
  EXPECT_EQ(info.precision, "f32");
  EXPECT_TRUE(contains(info.precision_reason, "no agreement of a lower precision is recorded"))
      << info.precision_reason;
  ::setenv("ACCELERATE_RECORDS", "off", 1);
  EXPECT_EQ(opened().precision, "f32");
}

TEST_F(Recorded, AutoSaysHowToRecordWhatARuntimeHas) {
  const auto reason_on = [this](const std::string& device) {
    return Model::open(model_, {.device = device, .precision = "auto"}).info().precision_reason;
  };
  EXPECT_TRUE(contains(reason_on("cpu"), "`ipfs-accelerate verify MODEL --precision bf16,int8`")) << reason_on("cpu");
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  EXPECT_TRUE(contains(reason_on("onnx"),
                       "for this model on onnx:cpu; `ipfs-accelerate verify MODEL --device onnx:cpu "
                       "--precision int8` records it"))
      << reason_on("onnx");
  test::Environment none;
  none.set("ACCELERATE_ONNXRUNTIME", folder_.path().string());
  EXPECT_EQ(reason_on("onnx:cpu"), "f32: onnx:cpu has no other precision");
}

TEST_F(Recorded, AutoTakesTheFastestThatIsWithinItsBound) {
  add_agreement("bf16", 0.9999);
  add_agreement("int8", 0.9995);
  const ModelInfo info = opened();
  EXPECT_EQ(info.precision, "int8");
  EXPECT_TRUE(contains(info.precision_reason,
                       "int8: within its bound for this model (smallest cosine 0.999500, at "
                       "least 0.999), as a rule the fastest"))
      << info.precision_reason;
  EXPECT_EQ(opened("f32").precision_reason, "");
}

TEST_F(Recorded, AutoLeavesWhatIsOutOfItsBound) {
  add_agreement("int8", 0.9995);
  add_agreement("int8", 0.99);  // the newest counts
  const ModelInfo info = opened();
  EXPECT_EQ(info.precision, "f32");
  EXPECT_TRUE(contains(info.precision_reason, "int8 is out of its bound (smallest cosine 0.990000"))
      << info.precision_reason;
}

TEST_F(Recorded, AutoLeavesRandomWeightsOtherModelsAndOtherLevels) {
  add_agreement("int8", 0.9999, "", "random");
  EXPECT_TRUE(contains(opened().precision_reason, "random weights")) << opened().precision_reason;
  records::Record other = *recorder_.latest(records::Filter{});
  other.id.clear();
  std::get<records::Agreement>(other.content).weights = "trained";
  other.model.content_hash = std::string(64, 'a');
  recorder_.add(other);
  EXPECT_EQ(opened().precision, "f32");
  other.model.content_hash = hash_;
  other.device.level = "another";
  recorder_.add(other);
  EXPECT_EQ(opened().precision, "f32");
  other.device.level = cpu::name_of(cpu::current_level());
  recorder_.add(other);
  EXPECT_EQ(opened().precision, "int8");
}

TEST_F(Recorded, AutoGoesByWhatWasMeasuredUnderEqualConditions) {
  add_agreement("int8", 0.9995);
  add_time("f32", 10);
  add_time("int8", 30, 8);  // nothing to compare it with
  EXPECT_EQ(opened().precision, "int8");
  add_time("int8", 12);
  const ModelInfo info = opened();
  EXPECT_EQ(info.precision, "f32");
  EXPECT_TRUE(contains(info.precision_reason, "as measured here")) << info.precision_reason;
  add_time("int8", 5);  // the newest counts
  EXPECT_EQ(opened().precision, "int8");
}

TEST_F(Recorded, LayersThatAreKeptAreKept) {
  const std::string choice = add_layers(kLayer);
  const ModelInfo info = opened("int8");
  EXPECT_EQ(info.layer_precisions, (std::map<std::string, std::string>{{kLayer, "bf16"}}));
  EXPECT_TRUE(contains(info.precision_reason, "1 of 8 layers kept in bf16")) << info.precision_reason;
  EXPECT_TRUE(opened("bf16").layer_precisions.empty());
  EXPECT_EQ(opened().precision, "f32") << "kept layers alone say nothing about the agreement";
  add_agreement("int8", 0.9995, choice);
  EXPECT_EQ(opened().precision, "int8");
  EXPECT_EQ(opened().layer_precisions, info.layer_precisions);
  const Model own = Model::open(model_, {.precision = "int8", .layer_precisions = {{"encoder.layer.1", "f32"}}});
  EXPECT_EQ(own.info().layer_precisions.size(), 1U) << "who names layers has decided";
  EXPECT_EQ(own.with_precision("int8").info().layer_precisions.size(), 0U);
}

TEST_F(Recorded, AnAgreementWhoseLayersNobodyKnowsIsNotTaken) {
  add_agreement("int8", 0.9995, "00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(opened().precision, "f32");
}

TEST_F(Recorded, RecordsThatCannotBeReadDecideNothing) {
  TemporaryFolder other;
  other.write("bad.sqlite", std::string(4096, 'x'));
  ::setenv("ACCELERATE_RECORDS", (other.path() / "bad.sqlite").c_str(), 1);
  const ModelInfo info = opened();
  EXPECT_EQ(info.precision, "f32");
  EXPECT_TRUE(contains(info.precision_reason, "records cannot be read")) << info.precision_reason;
  EXPECT_EQ(opened("int8").precision, "int8");
}

TEST_F(Recorded, InspectPredictsWhatWouldRun) {
  add_agreement("int8", 0.9995, add_layers(kLayer));
  const Inspection seen = inspect(model_, {.tokens = {16}, .precisions = {"auto", "f32"}});
  ASSERT_EQ(seen.memory.size(), 2U);
  EXPECT_EQ(seen.memory[0].precision, "int8");
  EXPECT_LT(seen.memory[0].weights, seen.memory[1].weights);
  ASSERT_EQ(seen.notes.size(), 1U);
}

}  // namespace
}  // namespace accelerate
