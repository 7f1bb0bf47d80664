// The public interface beyond the goldens: limits, prompts, order, stopping, threads, memory, errors.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

const std::vector<std::string> kTexts{
    "In the beginning God created the heaven and the earth.", "Hello!", "",
    "And the evening and the morning were the first day. And God said, Let there be a firmament in the midst.",
    "God is light."};

std::vector<float> row(const Tensor& matrix, std::size_t i) {
  const auto width = static_cast<std::size_t>(matrix.dim(1));
  const auto values = matrix.as<float>().subspan(i * width, width);
  return {values.begin(), values.end()};
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << i;
}

template <typename Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::internal, "no error");
}

TEST(Model, SaysWhatTheFolderHolds) {
  const Model model = Model::open(model_folder("st_prompts"));
  const ModelInfo& info = model.info();
  EXPECT_EQ(info.model_type, "bert");
  EXPECT_EQ(info.architecture, "BertModel");
  EXPECT_EQ(info.family, "embedding");
  EXPECT_EQ(info.task, "embed");
  EXPECT_EQ(info.dtype, "f32");
  EXPECT_EQ(info.hidden_size, 16);
  EXPECT_EQ(info.embedding_size, 16);
  EXPECT_EQ(info.max_tokens, 40);  // of sentence_bert_config.json
  EXPECT_GT(info.parameters, 0);
  EXPECT_EQ(info.weight_bytes, info.parameters * 4);
  EXPECT_EQ(info.prompts.at("query"), "query: ");
  EXPECT_TRUE(info.labels.empty());
  EXPECT_NE(std::find(info.outputs.begin(), info.outputs.end(), "hidden_states.0"), info.outputs.end());
  EXPECT_EQ(Model::open(model_folder("bert_bfloat16")).info().dtype, "bf16");
  EXPECT_EQ(Model::open(model_folder("bert_sequence_classification")).info().labels,
            (std::vector<std::string>{"NEGATIVE", "NEUTRAL", "POSITIVE"}));
}

TEST(Model, EachTextIsAloneInItsBatch) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  const Tensor together = model.embed(kTexts).vectors;
  ASSERT_EQ(together.dim(0), static_cast<std::int64_t>(kTexts.size()));
  const Tensor in_parts = model.embed(kTexts, {.batch = {.tokens = 20}}).vectors;
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const Tensor alone = model.embed(std::span(&kTexts[i], 1)).vectors;
    expect_near(row(together, i), row(alone, 0));
    expect_near(row(in_parts, i), row(alone, 0));
  }
}

TEST(Model, NoTextsGiveNoVectors) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  const Embeddings none = model.embed({});
  EXPECT_EQ(none.vectors.dim(0), 0);
  EXPECT_EQ(none.vectors.dim(1), model.info().embedding_size);
}

TEST(Model, TooLongIsCutAndSaidOrRefused) {
  const Model model = Model::open(model_folder("st_prompts"));
  std::string long_text;
  for (int i = 0; i < 30; ++i) long_text += "In the beginning ";
  const std::vector<std::string> texts{"Hello!", long_text};
  EXPECT_EQ(model.embed(texts).truncated, (std::vector<std::size_t>{1}));
  EXPECT_EQ(model.encode(texts).tensors.at("input_ids").dim(1), 40);
  const Error error = error_of([&] { model.embed(texts, {.batch = {.strict = true}}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), "texts[1]");
  EXPECT_TRUE(error.message().ends_with("the model takes 40")) << error.message();
}

TEST(Model, EveryArchitectureCutsWhatItCannotTake) {
  std::string long_text;
  for (int i = 0; i < 3000; ++i) long_text += "light ";
  const std::vector<std::string> texts{long_text};
  for (const char* folder : {"bert", "roberta", "xlm_roberta", "distilbert", "mpnet", "electra", "albert", "modernbert",
                             "nomic_bert", "nomic_bert_current"}) {
    const Model model = Model::open(model_folder(folder));
    EXPECT_EQ(model.embed(texts).truncated, (std::vector<std::size_t>{0})) << folder;
    EXPECT_EQ(model.encode(texts).tensors.at("input_ids").dim(1), model.info().max_tokens) << folder;
  }
}

TEST(Model, InvalidUtf8IsNamedByTextAndByte) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  const std::vector<std::string> texts{"fine", "also", "caf\xe9!"};
  const Error error = error_of([&] { model.embed(texts); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(error.where().starts_with("texts[2]")) << error.what();
  EXPECT_NE(std::string(error.what()).find("byte 3"), std::string::npos) << error.what();
}

TEST(Model, PromptsByNameByTextAndNone) {
  const Model model = Model::open(model_folder("st_prompts_left_out"));
  const std::vector<std::string> texts{"God is light."};
  const auto embed = [&](const EmbedOptions& options) { return row(model.embed(texts, options).vectors, 0); };
  expect_near(embed({.prompt_name = "document"}), embed({}));  // the folder's default
  expect_near(embed({.prompt = "query: "}), embed({.prompt_name = "query"}));
  EXPECT_NE(embed({.prompt = ""}), embed({}));
  const Error error = error_of([&] { embed({.prompt_name = "passage"}); });
  EXPECT_STREQ(error.what(), "prompt \"passage\": there are document, query");
}

TEST(Model, NormalizeAsAsked) {
  const std::vector<std::string> texts{"God is light."};
  const auto length = [&](const char* folder, std::optional<bool> normalize) {
    double squares = 0;
    for (const float v : row(Model::open(model_folder(folder)).embed(texts, {.normalize = normalize}).vectors, 0)) {
      squares += v * v;
    }
    return std::sqrt(squares);
  };
  EXPECT_NEAR(length("sentence_transformer", std::nullopt), 1, 1e-5);
  EXPECT_GT(std::abs(length("sentence_transformer", false) - 1), 1e-2);
  EXPECT_GT(std::abs(length("st_max", std::nullopt) - 1), 1e-2);
  EXPECT_NEAR(length("st_max", true), 1, 1e-5);
}

TEST(Model, CancelledWorkEnds) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  EmbedOptions options{.batch = {.tokens = 1}};
  int runs = 0;
  options.batch.progress = [&](std::int64_t, std::int64_t) {
    if (++runs == 2) options.batch.cancellation.cancel();
  };
  EXPECT_EQ(error_of([&] { model.embed(kTexts, options); }).kind(), ErrorKind::interrupted);
  EXPECT_EQ(runs, 2);
  const Cancellation stopped;
  stopped.cancel();
  EXPECT_EQ(error_of([&] { Model::open(model_folder("bert"), {.cancellation = stopped}); }).kind(),
            ErrorKind::interrupted);
}

TEST(Model, TwoThreadsOnOneModel) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  const Tensor expected = model.embed(kTexts).vectors;
  std::atomic<int> wrong{0};
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      const Tensor found = model.embed(kTexts, {.batch = {.tokens = 10 + i}}).vectors;
      for (std::size_t j = 0; j < static_cast<std::size_t>(found.elements()); ++j) {
        wrong += std::abs(found.as<float>()[j] - expected.as<float>()[j]) > 1e-5F ? 1 : 0;
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Model, ATaskWithoutItsHeadIsRefused) {
  const Model model = Model::open(model_folder("sentence_transformer"));
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { model.classify(kTexts); }, [&] { model.fill_mask(kTexts); }, [&] { model.classify_tokens(kTexts); },
           [&] { model.answer("What?", "That."); }, [&] { model.prepare("fill-mask"); }}) {
    EXPECT_EQ(error_of(call).kind(), ErrorKind::unsupported);
  }
  EXPECT_EQ(error_of([&] { model.prepare("dream"); }).kind(), ErrorKind::invalid_input);
}

TEST(Model, ATextWithoutAMaskIsNamed) {
  const Model model = Model::open(model_folder("bert_masked_lm"));
  EXPECT_EQ(model.mask_token(), "[MASK]");
  const std::vector<std::string> texts{"God is [MASK].", "Hello!"};
  EXPECT_STREQ(error_of([&] { model.fill_mask(texts); }).what(), "texts[1]: has no mask token [MASK]");
}

TEST(Model, RerankPutsTheBestFirst) {
  const Model model = Model::open(model_folder("cross_encoder"));
  const std::vector<std::string> documents{"Hello!", "And God made two great lights; he made the stars also.",
                                           "And God said, Let there be light."};
  const Ranking ranking = model.rerank("Who made the stars?", documents);
  ASSERT_EQ(ranking.documents.size(), 3U);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_GE(ranking.documents[i - 1].score, ranking.documents[i].score);
  const std::vector<TextPair> pair{{"Who made the stars?", documents[ranking.documents[0].index]}};
  EXPECT_NEAR(model.classify(pair).scores[0][0].score, ranking.documents[0].score, 1e-6);
  EXPECT_EQ(model.rerank("Who made the stars?", documents, {.top_k = 1}).documents.size(), 1U);
  const Model classes = Model::open(model_folder("bert_sequence_classification"));
  EXPECT_EQ(error_of([&] { classes.rerank("Who?", documents); }).kind(), ErrorKind::unsupported);
}

TEST(Model, ClassifyAsAsked) {
  const Model model = Model::open(model_folder("bert_sequence_classification"));
  const std::vector<std::string> texts{"God is light."};
  EXPECT_EQ(model.classify(texts, {.top_k = 1}).scores[0].size(), 1U);
  double sum = 0;
  const Classifications each = model.classify(texts, {.activation = "sigmoid"});
  for (const Score& score : each.scores[0]) sum += score.score;
  EXPECT_GT(std::abs(sum - 1), 1e-3);
  EXPECT_EQ(error_of([&] { model.classify(texts, {.activation = "relu"}); }).kind(), ErrorKind::invalid_input);
}

TEST(Model, EntitiesSayWhereTheyAreInBytes) {
  const Model model = Model::open(model_folder("bert_entities"));
  const std::vector<std::string> texts{"The na\xc3\xafve caf\xc3\xa9 owner."};
  const TokenClassifications found = model.classify_tokens(texts, {.ignore_labels = {}});
  ASSERT_FALSE(found.entities[0].empty());
  const Entity& last = found.entities[0].back();
  EXPECT_EQ(texts[0].substr(static_cast<std::size_t>(last.span.start_byte)), ".");
  EXPECT_EQ(last.span.end, 21);
  EXPECT_EQ(last.span.end_byte, 23);
}

TEST(Model, RunSaysWhatIsThere) {
  const Model model = Model::open(model_folder("bert"));
  const NamedTensors inputs = model.encode(kTexts).tensors;
  const NamedTensors plain = model.run(inputs);
  EXPECT_TRUE(plain.contains("last_hidden_state"));
  EXPECT_FALSE(plain.contains("hidden_states.0"));
  const NamedTensors layers = model.run(inputs, {.outputs = {"pooler_output"}, .layers = true});
  EXPECT_TRUE(layers.contains("hidden_states.0"));
  EXPECT_FALSE(layers.contains("last_hidden_state"));
  const Error error = error_of([&] { model.run(inputs, {.outputs = {"logits"}}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_NE(error.message().find("last_hidden_state"), std::string::npos);
}

TEST(Model, RunInPartsIsTheSame) {
  const Model model = Model::open(model_folder("bert"));
  const NamedTensors inputs = model.encode(kTexts).tensors;
  const Tensor whole = model.run(inputs, {.outputs = {"last_hidden_state"}}).at("last_hidden_state");
  const Tensor parts =
      model.run(inputs, {.outputs = {"last_hidden_state"}, .batch = {.tokens = 1}}).at("last_hidden_state");
  for (std::size_t i = 0; i < static_cast<std::size_t>(whole.elements()); ++i) {
    ASSERT_NEAR(whole.as<float>()[i], parts.as<float>()[i], 1e-5);
  }
}

TEST(Model, LongContextsStrictly) {
  const Model model = Model::open(model_folder("bert_question_answering"));
  const AnswerOptions options{.max_seq_len = 24, .doc_stride = 4, .batch = {.strict = true}};
  EXPECT_EQ(error_of([&] { model.answer("What?", kTexts[3], options); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { model.answer("What?", kTexts[3], {.top_k = 0}); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { model.answer(kTexts[3], "That.", {.max_seq_len = 8}); }).kind(), ErrorKind::invalid_input);
}

TEST(Model, AFolderThatIsNotThere) {
  EXPECT_EQ(error_of([] { Model::open("no such folder"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([] { Model::open(model_folder("bert"), {.device = "abacus"}); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([] { Model::open(model_folder("bert"), {.precision = "f12"}); }).kind(), ErrorKind::invalid_input);
}

TEST(Model, AggregationNames) {
  for (const char* name : {"none", "simple", "first", "average", "max"}) {
    EXPECT_EQ(name_of(aggregation_named(name)), name);
  }
  EXPECT_THROW(aggregation_named("median"), Error);
}

}  // namespace
}  // namespace accelerate
