// The C interface to tensors: texts made into them, and long runs that are watched and stopped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "accelerate/accelerate.h"
#include "runtime/c_api_opened.hpp"

namespace accelerate {
namespace {

const char* const kTexts[] = {"In the beginning God created the heaven and the earth.", "Hello!", "God is light."};
const std::vector<std::string> kSame{kTexts[0], kTexts[1], kTexts[2]};

void expect_tensors(const accelerate_tensors* found, const NamedTensors& expected) {
  ASSERT_EQ(accelerate_tensors_count(found), expected.size());
  std::size_t at = 0;
  for (const auto& [name, tensor] : expected) {
    const accelerate_tensor& one = *accelerate_tensors_at(found, at++);
    EXPECT_EQ(one.name, name);
    EXPECT_EQ(static_cast<int>(one.dtype), static_cast<int>(tensor.dtype()));
    EXPECT_EQ(Dims(one.dims, one.dims + one.rank), tensor.dims()) << name;
    ASSERT_EQ(one.bytes, tensor.bytes().size()) << name;
    EXPECT_EQ(std::memcmp(one.data, tensor.bytes().data(), one.bytes), 0) << name;
  }
}

struct Encoded {
  explicit Encoded(const Opened& opened) {
    EXPECT_EQ(accelerate_model_encode(opened.model, kTexts, nullptr, 3, nullptr, &inputs), ACCELERATE_OK);
  }
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;
  ~Encoded() { accelerate_model_inputs_free(inputs); }
  accelerate_model_inputs* inputs = nullptr;
};

TEST(CApiTensors, EncodesTextsAndPairs) {
  const Opened opened("cross_encoder");
  const Model model = Model::open(model_folder("cross_encoder"));
  accelerate_model_inputs* inputs = nullptr;
  ASSERT_EQ(accelerate_model_encode(opened.model, kTexts, nullptr, 3, nullptr, &inputs), ACCELERATE_OK);
  expect_tensors(inputs->tensors, model.encode(kSame).tensors);
  EXPECT_EQ(inputs->truncated_count, 0U);
  accelerate_model_inputs_free(inputs);
  const char* const second[] = {"Hello!", "God is light.", "And God said, Let there be light."};
  const std::vector<TextPair> pairs{{kTexts[0], second[0]}, {kTexts[1], second[1]}, {kTexts[2], second[2]}};
  ASSERT_EQ(accelerate_model_encode(opened.model, kTexts, second, 3, nullptr, &inputs), ACCELERATE_OK);
  expect_tensors(inputs->tensors, model.encode(pairs).tensors);
  accelerate_model_inputs_free(inputs);
}

TEST(CApiTensors, TextsThatAreTooLong) {
  const Opened opened("sentence_transformer");
  std::string book;
  for (int i = 0; i < 400; ++i) book += "And God said, Let there be light. ";
  const char* const texts[] = {"Hello!", book.c_str()};
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  accelerate_model_inputs* inputs = nullptr;
  ASSERT_EQ(accelerate_model_encode(opened.model, texts, nullptr, 2, &batch, &inputs), ACCELERATE_OK);
  ASSERT_EQ(inputs->truncated_count, 1U);
  EXPECT_EQ(inputs->truncated[0], 1U);
  accelerate_model_inputs_free(inputs);
  batch.strict = true;
  EXPECT_EQ(accelerate_model_encode(opened.model, texts, nullptr, 2, &batch, &inputs), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(inputs, nullptr);
  EXPECT_STREQ(accelerate_last_error_where(), "texts[1]");
}

TEST(CApiTensors, WhatIsEncodedRuns) {
  const Opened opened("bert");
  const Encoded encoded(opened);
  const Model model = Model::open(model_folder("bert"));
  const NamedTensors expected = model.run(model.encode(kSame).tensors);
  accelerate_tensors* outputs = nullptr;
  ASSERT_EQ(accelerate_model_run(opened.model, encoded.inputs->tensors, nullptr, &outputs), ACCELERATE_OK);
  ASSERT_EQ(accelerate_tensors_count(outputs), expected.size());
  for (const auto& [name, tensor] : expected) {
    const accelerate_tensor* found = accelerate_tensors_find(outputs, name.c_str());
    ASSERT_NE(found, nullptr) << name;
    ASSERT_EQ(found->bytes, tensor.bytes().size());
    const auto* values = static_cast<const float*>(found->data);
    for (std::size_t i = 0; i < tensor.as<float>().size(); ++i) ASSERT_NEAR(values[i], tensor.as<float>()[i], 1e-6);
  }
  accelerate_tensors_free(outputs);
}

TEST(CApiTensors, RunsInBatchesThatSayHowFarTheyAre) {
  const Opened opened("bert");
  const Encoded encoded(opened);
  std::vector<std::pair<int64_t, int64_t>> seen;
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.tokens = 1;
  batch.progress = [](int64_t done, int64_t total, void* context) {
    static_cast<std::vector<std::pair<int64_t, int64_t>>*>(context)->emplace_back(done, total);
  };
  batch.progress_context = &seen;
  accelerate_run_options options = ACCELERATE_RUN_OPTIONS;
  options.batch = &batch;
  accelerate_tensors* outputs = nullptr;
  ASSERT_EQ(accelerate_model_run(opened.model, encoded.inputs->tensors, &options, &outputs), ACCELERATE_OK);
  EXPECT_EQ(seen, (std::vector<std::pair<int64_t, int64_t>>{{1, 3}, {2, 3}, {3, 3}}));
  accelerate_tensors_free(outputs);
}

TEST(CApiTensors, ARunIsStoppedBetweenBatches) {
  const Opened opened("bert");
  const Encoded encoded(opened);
  accelerate_cancellation* cancellation = accelerate_cancellation_new();
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.tokens = 1;
  batch.cancellation = cancellation;
  batch.progress = [](int64_t, int64_t, void* context) {
    accelerate_cancel(static_cast<accelerate_cancellation*>(context));
  };
  batch.progress_context = cancellation;
  accelerate_run_options options = ACCELERATE_RUN_OPTIONS;
  options.batch = &batch;
  accelerate_tensors* outputs = nullptr;
  EXPECT_EQ(accelerate_model_run(opened.model, encoded.inputs->tensors, &options, &outputs), ACCELERATE_INTERRUPTED);
  EXPECT_EQ(outputs, nullptr);
  accelerate_cancellation_free(cancellation);
}

TEST(CApiTensors, Failures) {
  const Opened opened("bert");
  const Encoded encoded(opened);
  const char* const broken[] = {"fine", nullptr, "fine"};
  accelerate_model_inputs* inputs = nullptr;
  EXPECT_EQ(accelerate_model_encode(nullptr, kTexts, nullptr, 3, nullptr, &inputs), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_encode(opened.model, nullptr, nullptr, 3, nullptr, &inputs), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_encode(opened.model, kTexts, broken, 3, nullptr, &inputs), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "pairs[1]");
  EXPECT_EQ(accelerate_model_encode(opened.model, kTexts, nullptr, 3, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  accelerate_tensors* outputs = nullptr;
  const char* const wanted[] = {"logits"};
  accelerate_run_options options = ACCELERATE_RUN_OPTIONS;
  options.output_count = 1;
  EXPECT_EQ(accelerate_model_run(opened.model, encoded.inputs->tensors, &options, &outputs), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "options.outputs");
  options.outputs = wanted;
  EXPECT_EQ(accelerate_model_run(opened.model, encoded.inputs->tensors, &options, &outputs), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "output \"logits\"");
  accelerate_model_inputs_free(nullptr);
}

TEST(CApiTensors, MaskToken) {
  const Opened opened("roberta_masked_lm");
  char* token = nullptr;
  ASSERT_EQ(accelerate_model_mask_token(opened.model, &token), ACCELERATE_OK);
  EXPECT_EQ(token, Model::open(model_folder("roberta_masked_lm")).mask_token());
  EXPECT_STRNE(token, "");
  accelerate_string_free(token);
  EXPECT_EQ(accelerate_model_mask_token(nullptr, &token), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(token, nullptr);
  EXPECT_EQ(accelerate_model_mask_token(opened.model, nullptr), ACCELERATE_INVALID_INPUT);
}

}  // namespace
}  // namespace accelerate
