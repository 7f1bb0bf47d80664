// The C interface: what it gives is what the C++ one gives, and nothing it is handed makes it throw or crash.
#include <gtest/gtest.h>

#include <cstring>

#include "accelerate/accelerate.h"
#include "backends/fake_backend.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"
#include "runtime/c_api_opened.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

const char* const kTexts[] = {"God is light.", "Hello!"};

TEST(CApi, Embeds) {
  const Opened opened("sentence_transformer");
  accelerate_embeddings* embeddings = nullptr;
  ASSERT_EQ(accelerate_model_embed(opened.model, kTexts, 2, nullptr, &embeddings), ACCELERATE_OK);
  const Tensor expected =
      Model::open(model_folder("sentence_transformer")).embed(std::vector<std::string>{kTexts[0], kTexts[1]}).vectors;
  EXPECT_EQ(embeddings->count, 2U);
  ASSERT_EQ(embeddings->dimensions, static_cast<std::size_t>(expected.dim(1)));
  for (std::size_t i = 0; i < 2 * embeddings->dimensions; ++i) {
    EXPECT_NEAR(embeddings->values[i], expected.as<float>()[i], 1e-6);
  }
  EXPECT_EQ(embeddings->truncated_count, 0U);
  accelerate_embeddings_free(embeddings);
}

TEST(CApi, EmbedsWithOptions) {
  const Opened opened("st_prompts");
  accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  int64_t last = 0;
  batch.progress = [](int64_t done, int64_t, void* context) { *static_cast<int64_t*>(context) = done; };
  batch.progress_context = &last;
  options.prompt_name = "query";
  options.batch = &batch;
  accelerate_embeddings* embeddings = nullptr;
  ASSERT_EQ(accelerate_model_embed(opened.model, kTexts, 2, &options, &embeddings), ACCELERATE_OK);
  EXPECT_EQ(last, 2);
  accelerate_embeddings_free(embeddings);
  options.prompt_name = "nothing";
  EXPECT_EQ(accelerate_model_embed(opened.model, kTexts, 2, &options, &embeddings), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(embeddings, nullptr);
  EXPECT_STREQ(accelerate_last_error_where(), "prompt \"nothing\"");
  EXPECT_STREQ(accelerate_last_error_message(), "there are document, query");
}

TEST(CApi, AMemoryLimitAndACacheFolder) {
  const TemporaryFolder parent;
  const std::string folder = model_folder("sentence_transformer").string();
  const std::string cache = (parent.path() / "cache").string();
  accelerate_open_options options = ACCELERATE_OPEN_OPTIONS;
  options.device = "cpu";
  options.memory_limit = 1000;
  options.cache_folder = cache.c_str();
  accelerate_model* model = nullptr;
  ASSERT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_OK) << accelerate_last_error();
  EXPECT_TRUE(std::filesystem::is_directory(cache));
  EXPECT_EQ(accelerate_model_prepare(model, nullptr), ACCELERATE_OUT_OF_MEMORY);
  EXPECT_STREQ(accelerate_last_error_where(), "device cpu");
  accelerate_model_free(model);
  options.memory_limit = 0;
  options.cache_precision = "f8";
  EXPECT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "cache_precision");
  options.memory_limit = -1;
  EXPECT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "memory_limit");
  // A program that was built before these options were there.
  options.size = offsetof(accelerate_open_options, memory_limit);
  ASSERT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_OK) << accelerate_last_error();
  EXPECT_EQ(accelerate_model_prepare(model, nullptr), ACCELERATE_OK) << accelerate_last_error();
  accelerate_model_free(model);
}

TEST(CApi, DevicesInOrderAndWhatBecameOfThem) {
  const RegisteredFake fake(FakeDevices{.compile_errors = {{"0", Error(ErrorKind::out_of_memory, "wants 80 GB")}}},
                            {"pool"});
  const std::string folder = model_folder("sentence_transformer").string();
  accelerate_open_options options = ACCELERATE_OPEN_OPTIONS;
  options.device = "fake:0,fake:1,cpu";
  options.split = true;
  accelerate_model* model = nullptr;
  ASSERT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_OK) << accelerate_last_error();
  const Json info = Json::parse(accelerate_model_info_json(model), "info");
  EXPECT_EQ(info.at("device").as_string(), "fake:1");
  EXPECT_EQ(info.at("devices").dump(),
            R"([{"device":"fake:0","taken":false,"stage":"compile","reason":"wants 80 GB"},)"
            R"({"device":"fake:1","taken":true,"stage":"","reason":""},)"
            R"({"device":"cpu","taken":false,"stage":"not tried","reason":"one before it was taken"}])");
  EXPECT_EQ(info.at("split_operations").dump(), R"(["pool"])");
  accelerate_model_free(model);

  options.split = false;
  options.task = "embed";
  options.device = "fake:1,cpu";
  ASSERT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_OK) << accelerate_last_error();
  EXPECT_EQ(Json::parse(accelerate_model_info_json(model), "info").at("device").as_string(), "cpu");
  accelerate_model_free(model);
  options.device = "fake:9,cpu";
  options.no_fallback = true;
  EXPECT_EQ(accelerate_model_open(folder.c_str(), &options, &model), ACCELERATE_NOT_FOUND);
  EXPECT_STREQ(accelerate_last_error_where(), "device fake:9");
}

TEST(CApi, AnOlderCallersOptionsAreTaken) {
  const Opened opened("sentence_transformer");
  accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
  options.size = offsetof(accelerate_embed_options, normalize);
  options.normalize = 0;  // beyond what this caller knows
  accelerate_embeddings* embeddings = nullptr;
  ASSERT_EQ(accelerate_model_embed(opened.model, kTexts, 1, &options, &embeddings), ACCELERATE_OK);
  double squares = 0;
  for (std::size_t i = 0; i < embeddings->dimensions; ++i) squares += embeddings->values[i] * embeddings->values[i];
  EXPECT_NEAR(squares, 1, 1e-4);
  accelerate_embeddings_free(embeddings);
  options.size = 0;
  EXPECT_EQ(accelerate_model_embed(opened.model, kTexts, 1, &options, &embeddings), ACCELERATE_INVALID_INPUT);
}

TEST(CApi, Cancels) {
  const Opened opened("sentence_transformer");
  accelerate_cancellation* cancellation = accelerate_cancellation_new();
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.cancellation = cancellation;
  accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
  options.batch = &batch;
  accelerate_cancel(cancellation);
  accelerate_embeddings* embeddings = nullptr;
  EXPECT_EQ(accelerate_model_embed(opened.model, kTexts, 2, &options, &embeddings), ACCELERATE_INTERRUPTED);
  accelerate_cancellation_free(cancellation);
}

TEST(CApi, ClassifiesTextsAndPairs) {
  const Opened opened("bert_sequence_classification");
  accelerate_score_list* scores = nullptr;
  ASSERT_EQ(accelerate_model_classify(opened.model, kTexts, nullptr, 2, nullptr, &scores), ACCELERATE_OK);
  const Classifications expected = Model::open(model_folder("bert_sequence_classification"))
                                       .classify(std::vector<std::string>{kTexts[0], kTexts[1]});
  ASSERT_EQ(scores->count, 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(scores->items[i].text, i);
    EXPECT_EQ(scores->items[i].position, -1);
    ASSERT_EQ(scores->items[i].count, 3U);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(scores->items[i].scores[j].label, expected.scores[i][j].label);
      EXPECT_NEAR(scores->items[i].scores[j].score, expected.scores[i][j].score, 1e-6);
    }
  }
  accelerate_score_list_free(scores);
  const Opened pairs("cross_encoder");
  const char* const second[] = {"And God said, Let there be light.", "Hello!"};
  ASSERT_EQ(accelerate_model_classify(pairs.model, kTexts, second, 2, nullptr, &scores), ACCELERATE_OK);
  EXPECT_EQ(scores->items[1].count, 1U);
  accelerate_score_list_free(scores);
}

TEST(CApi, FillsMasks) {
  const Opened opened("bert_masked_lm");
  const char* const texts[] = {"God is [MASK].", "In the [MASK] God [MASK] the heaven."};
  accelerate_score_list* scores = nullptr;
  ASSERT_EQ(accelerate_model_fill_mask(opened.model, texts, 2, 3, nullptr, &scores), ACCELERATE_OK);
  ASSERT_EQ(scores->count, 3U);
  EXPECT_EQ(scores->items[0].position, 3);
  EXPECT_EQ(scores->items[2].text, 1U);
  EXPECT_EQ(scores->items[2].count, 3U);
  accelerate_score_list_free(scores);
}

TEST(CApi, RunsTensors) {
  const Opened opened("bert");
  accelerate_tensors* inputs = accelerate_tensors_new();
  const int64_t ids[] = {2, 364, 366, 3};
  const int64_t dims[] = {1, 4};
  ASSERT_EQ(accelerate_tensors_set(inputs, "input_ids", ACCELERATE_I64, dims, 2, ids, sizeof ids), ACCELERATE_OK);
  const char* const wanted[] = {"last_hidden_state"};
  accelerate_run_options options = ACCELERATE_RUN_OPTIONS;
  options.outputs = wanted;
  options.output_count = 1;
  options.layers = true;
  accelerate_tensors* outputs = nullptr;
  ASSERT_EQ(accelerate_model_run(opened.model, inputs, &options, &outputs), ACCELERATE_OK) << accelerate_last_error();
  const accelerate_tensor* last = accelerate_tensors_find(outputs, "last_hidden_state");
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->dtype, ACCELERATE_F32);
  ASSERT_EQ(last->rank, 3U);
  EXPECT_EQ(last->dims[1], 4);
  EXPECT_EQ(last->bytes, static_cast<std::size_t>(last->dims[1] * last->dims[2]) * sizeof(float));
  EXPECT_NE(accelerate_tensors_find(outputs, "hidden_states.0"), nullptr);
  EXPECT_EQ(accelerate_tensors_find(outputs, "pooler_output"), nullptr);
  EXPECT_EQ(accelerate_tensors_at(outputs, accelerate_tensors_count(outputs)), nullptr);
  accelerate_tensors_free(outputs);
  EXPECT_EQ(accelerate_tensors_set(inputs, "input_ids", ACCELERATE_I64, dims, 2, ids, 7), ACCELERATE_INVALID_INPUT);
  const int64_t far[] = {2, 364, 99999, 3};
  ASSERT_EQ(accelerate_tensors_set(inputs, "input_ids", ACCELERATE_I64, dims, 2, far, sizeof far), ACCELERATE_OK);
  EXPECT_EQ(accelerate_model_run(opened.model, inputs, nullptr, &outputs), ACCELERATE_INVALID_INPUT);
  EXPECT_NE(std::strstr(accelerate_last_error(), "row 0, column 2 is 99999"), nullptr);
  accelerate_tensors_free(inputs);
}

TEST(CApi, InfoAndInspectionAreJson) {
  const Opened opened("bert_masked_lm");
  const Json info = Json::parse(accelerate_model_info_json(opened.model), "info");
  EXPECT_EQ(info.at("model_type").as_string(), "bert");
  EXPECT_STREQ(accelerate_model_task(opened.model), "fill-mask");
  char* text = nullptr;
  ASSERT_EQ(accelerate_inspect_json(model_folder("bert").c_str(), 16, &text), ACCELERATE_OK);
  const Json inspection = Json::parse(text, "inspection");
  EXPECT_EQ(inspection.at("memory").items().at(0).at("tokens").as_int(), 16);
  EXPECT_GT(inspection.at("memory").items().at(0).at("total").as_int(), 0);
  accelerate_string_free(text);
}

TEST(CApi, DevicesAreJson) {
  test::Environment environment;
  environment.set("ACCELERATE_CACHE", "off");
  char* text = nullptr;
  ASSERT_EQ(accelerate_devices_json(false, &text), ACCELERATE_OK);
  const Json cpu = Json::parse(text, "devices").at("devices").items().at(0);
  EXPECT_EQ(cpu.at("name").as_string(), "cpu");
  EXPECT_EQ(cpu.at("state").as_string(), "available");
  accelerate_string_free(text);
  EXPECT_EQ(accelerate_devices_json(false, nullptr), ACCELERATE_INVALID_INPUT);
}

TEST(CApi, DescribesGraphs) {
  const std::string folder = model_folder("bert").string();
  char* text = nullptr;
  ASSERT_EQ(accelerate_describe_graph(folder.c_str(), false, nullptr, 0, &text), ACCELERATE_OK);
  EXPECT_EQ(text, describe_graph(folder));
  accelerate_string_free(text);
  const char* const outputs[] = {"pooler_output"};
  ASSERT_EQ(accelerate_describe_graph(folder.c_str(), true, outputs, 1, &text), ACCELERATE_OK);
  EXPECT_EQ(text, describe_graph(folder, GraphFormat::graphviz, {"pooler_output"}));
  accelerate_string_free(text);
  EXPECT_EQ(accelerate_describe_graph("no such folder", false, nullptr, 0, &text), ACCELERATE_NOT_FOUND);
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(accelerate_describe_graph(nullptr, false, nullptr, 0, &text), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_describe_graph(folder.c_str(), false, nullptr, 1, &text), ACCELERATE_INVALID_INPUT);
}

TEST(CApi, CountsMemory) {
  const Opened opened("bert");
  ASSERT_EQ(accelerate_model_prepare(opened.model, nullptr), ACCELERATE_OK);
  accelerate_reset_peak_memory();
  accelerate_process_memory memory = {};
  ASSERT_EQ(accelerate_memory_use(&memory), ACCELERATE_OK);
  EXPECT_GT(memory.allocated, 0);
  EXPECT_EQ(memory.allocated, memory_use().allocated);
  EXPECT_EQ(memory.allocated_peak, memory.allocated);
  EXPECT_EQ(accelerate_memory_use(nullptr), ACCELERATE_INVALID_INPUT);
}

TEST(CApi, FailuresHaveAStatusAndWords) {
  accelerate_model* model = reinterpret_cast<accelerate_model*>(std::uintptr_t{1});
  EXPECT_EQ(accelerate_model_open("no such folder", nullptr, &model), ACCELERATE_NOT_FOUND);
  EXPECT_EQ(model, nullptr);
  EXPECT_NE(std::strlen(accelerate_last_error()), 0U);
  EXPECT_STREQ(accelerate_status_name(ACCELERATE_NOT_FOUND), "not_found");
  EXPECT_STREQ(accelerate_status_name(ACCELERATE_OK), "ok");
  EXPECT_STREQ(accelerate_status_name(ACCELERATE_INTERNAL), "internal");
  EXPECT_STREQ(accelerate_version(), std::string(version()).c_str());
}

TEST(CApi, NullIsAnError) {
  const Opened opened("sentence_transformer");
  accelerate_embeddings* embeddings = nullptr;
  accelerate_score_list* scores = nullptr;
  const char* const broken[] = {"fine", nullptr};
  EXPECT_EQ(accelerate_model_open(nullptr, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_embed(nullptr, kTexts, 2, nullptr, &embeddings), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_embed(opened.model, nullptr, 2, nullptr, &embeddings), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_embed(opened.model, broken, 2, nullptr, &embeddings), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "texts[1]");
  EXPECT_EQ(accelerate_model_embed(opened.model, kTexts, 2, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_classify(opened.model, kTexts, nullptr, 2, nullptr, &scores), ACCELERATE_UNSUPPORTED);
  EXPECT_EQ(accelerate_model_run(opened.model, nullptr, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_inspect_json(nullptr, 0, nullptr), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_embed(opened.model, nullptr, 0, nullptr, &embeddings), ACCELERATE_OK);
  EXPECT_EQ(embeddings->count, 0U);
  accelerate_embeddings_free(embeddings);
  accelerate_embeddings_free(nullptr);
  accelerate_score_list_free(nullptr);
  accelerate_model_free(nullptr);
  accelerate_tensors_free(nullptr);
  accelerate_string_free(nullptr);
  accelerate_cancel(nullptr);
  accelerate_cancellation_free(nullptr);
  EXPECT_STREQ(accelerate_model_info_json(nullptr), "");
}

TEST(CApi, PrecisionsAndLayers) {
  accelerate_open_options options = ACCELERATE_OPEN_OPTIONS;
  options.precision = "int8";
  options.layer_precisions = "encoder.layer.0=bf16,encoder.layer.1.output=f32";
  accelerate_model *model = nullptr, *other = nullptr;
  ASSERT_EQ(accelerate_model_open(model_folder("bert").c_str(), &options, &model), ACCELERATE_OK);
  const Json info = Json::parse(accelerate_model_info_json(model), "info");
  EXPECT_EQ(info.at("precision").as_string(), "int8");
  EXPECT_EQ(info.at("layer_precisions").dump(), R"({"encoder.layer.0":"bf16","encoder.layer.1.output":"f32"})");
  char* layers = nullptr;
  ASSERT_EQ(accelerate_model_layers_json(model, nullptr, &layers), ACCELERATE_OK);
  EXPECT_EQ(Json::parse(layers, "layers").items().front().as_string(), "encoder.layer.0.attention.self.query");
  accelerate_string_free(layers);
  ASSERT_EQ(accelerate_model_with_precision(model, "bf16", nullptr, &other), ACCELERATE_OK);
  EXPECT_EQ(Json::parse(accelerate_model_info_json(other), "info").at("precision").as_string(), "bf16");
  accelerate_model_free(other);
  EXPECT_EQ(accelerate_model_with_precision(model, "int8", "encoder.layer.0", &other), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(other, nullptr);
  EXPECT_STREQ(accelerate_last_error_where(), "layer_precisions");
  EXPECT_EQ(accelerate_model_with_precision(model, nullptr, nullptr, &other), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_with_precision(nullptr, "f32", nullptr, &other), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_layers_json(model, "nothing", &layers), ACCELERATE_INVALID_INPUT);
  accelerate_model_free(model);
}

}  // namespace
}  // namespace accelerate
