// Every golden case by the public interface: from raw text to the task's answer, and from given tensors.
#include "runtime/goldens.hpp"

#include <gtest/gtest.h>

namespace accelerate {
namespace {

constexpr double kScoreBound = 1e-4;

class Goldens : public testing::TestWithParam<std::string> {
 protected:
  const Case case_ = Case::named(GetParam());
  const Model model_ = Model::open(case_.folder);

  void expect_scores(const std::vector<Score>& found, const Json& expected) {
    ASSERT_EQ(found.size(), expected.items().size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Json& want = expected.items()[i];
      // Ids beyond the tokenizer's vocabulary have no word.
      EXPECT_EQ(found[i].label, want.at("label").is_null() ? "" : want.at("label").as_string());
      EXPECT_EQ(found[i].id, want.at("id").as_int());
      EXPECT_NEAR(found[i].score, want.at("score").as_double(), kScoreBound);
    }
  }

  void expect_head(const Tensor& vectors, const Json& expected) {
    ASSERT_EQ(vectors.dim(0), static_cast<std::int64_t>(expected.items().size()));
    const auto width = static_cast<std::size_t>(vectors.dim(1));
    for (std::size_t i = 0; i < expected.items().size(); ++i) {
      const Json::Array& head = expected.items()[i].items();
      for (std::size_t j = 0; j < head.size(); ++j) {
        EXPECT_LE(excess(vectors.as<float>()[i * width + j], head[j].as_double()), 0) << "row " << i << ", " << j;
      }
    }
  }

  ModelInputs encoded() const {
    const std::vector<TextPair> pairs = case_.pairs();
    return pairs.empty() ? model_.encode(case_.texts()) : model_.encode(pairs);
  }

  // From text to the model's inputs and the mean over its tokens.
  void check_mean_pooled() {
    const ModelInputs inputs = encoded();
    const Tensor& ids = inputs.tensors.at("input_ids");
    const Json::Array& rows = case_.expected().at("input_ids").items();
    ASSERT_EQ(ids.dims(),
              (Dims{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.front().items().size())}));
    for (std::size_t i = 0; i < static_cast<std::size_t>(ids.elements()); ++i) {
      const auto width = static_cast<std::size_t>(ids.dim(1));
      EXPECT_EQ(ids.as<std::int64_t>()[i], rows[i / width].items()[i % width].as_int()) << "id " << i;
    }
    expect_head(model_.run(inputs.tensors, {.outputs = {"mean_pooled"}}).at("mean_pooled"),
                case_.expected().at("mean_pooled_head"));
  }

  void check_embeddings() {
    EmbedOptions options;
    if (const Json* prompt = case_.setting("prompt_name")) options.prompt_name = prompt->as_string();
    const Embeddings embeddings = model_.embed(case_.texts(), options);
    expect_head(embeddings.vectors, case_.expected().at("embedding_head"));
    const auto width = static_cast<std::size_t>(embeddings.vectors.dim(1));
    for (std::size_t i = 0; i < case_.texts().size(); ++i) {
      double squares = 0;
      for (const float v : std::as_const(embeddings.vectors).as<float>().subspan(i * width, width)) squares += v * v;
      EXPECT_NEAR(std::sqrt(squares), case_.expected().at("norm").items()[i].as_double(), 1e-4);
    }
  }

  void check_masks() {
    const FilledMasks found = model_.fill_mask(case_.texts());
    std::size_t at = 0;
    const Json::Array& masks = case_.expected().at("masks").items();
    for (std::size_t row = 0; row < found.masks.size(); ++row) {
      for (const Mask& mask : found.masks[row]) {
        ASSERT_LT(at, masks.size());
        EXPECT_EQ(static_cast<std::int64_t>(row), masks[at].at("row").as_int());
        EXPECT_EQ(mask.position, masks[at].at("position").as_int());
        expect_scores(mask.top, masks[at++].at("top"));
      }
    }
    EXPECT_EQ(at, masks.size());
  }

  void check_classes() {
    const std::vector<TextPair> pairs = case_.pairs();
    const Classifications found = pairs.empty() ? model_.classify(case_.texts()) : model_.classify(pairs);
    const Json::Array& rows = case_.expected().at("scores").items();
    ASSERT_EQ(found.scores.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) expect_scores(found.scores[i], rows[i]);
    const Json* ranking = case_.expected().find("ranking");
    if (ranking == nullptr) return;
    std::vector<std::int64_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return found.scores[static_cast<std::size_t>(a)][0].score > found.scores[static_cast<std::size_t>(b)][0].score;
    });
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], ranking->items()[i].as_int());
  }

  void expect_entity(const Entity& found, const Json& want, const char* label, const char* word) {
    EXPECT_EQ(found.label, want.at(label).as_string());
    EXPECT_EQ(found.span.start, want.at("start").as_int());
    EXPECT_EQ(found.span.end, want.at("end").as_int());
    EXPECT_NEAR(found.score, want.at("score").as_double(), kScoreBound);
    // Of a token outside the vocabulary the pipeline shows the text itself.
    const std::string& spelled = want.at(word).as_string();
    if (spelled != "[UNK]" && spelled != "<unk>") {
      EXPECT_EQ(found.word, spelled);
    }
  }

  void check_tokens() {
    TokenOptions options;
    const bool grouped = case_.expected().find("entities") != nullptr;
    if (grouped) {
      options.aggregation = aggregation_named(case_.setting("aggregation_strategy")->as_string());
    } else {
      options.ignore_labels.clear();
    }
    const TokenClassifications found = model_.classify_tokens(case_.texts(), options);
    const Json::Array& rows = case_.expected().at(grouped ? "entities" : "tokens").items();
    ASSERT_EQ(found.entities.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(found.entities[i].size(), rows[i].items().size()) << "text " << i;
      for (std::size_t j = 0; j < found.entities[i].size(); ++j) {
        expect_entity(found.entities[i][j], rows[i].items()[j], grouped ? "entity_group" : "label",
                      grouped ? "word" : "token");
      }
    }
  }

  AnswerOptions answer_options() const {
    AnswerOptions options;
    if (const Json* v = case_.setting("top_k")) options.top_k = static_cast<std::size_t>(v->as_int());
    if (const Json* v = case_.setting("max_answer_len")) options.max_answer_len = v->as_int();
    if (const Json* v = case_.setting("max_seq_len")) options.max_seq_len = v->as_int();
    if (const Json* v = case_.setting("doc_stride")) options.doc_stride = v->as_int();
    if (const Json* v = case_.setting("align_to_words")) options.align_to_words = v->as_bool();
    if (const Json* v = case_.setting("handle_impossible_answer")) options.handle_impossible_answer = v->as_bool();
    return options;
  }

  void check_answers() {
    const std::vector<std::string> questions = case_.texts("question"), contexts = case_.texts("context");
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const std::vector<Answer> found = model_.answer(questions[i], contexts[i], answer_options());
      const Json::Array& rows = case_.expected().at("answers").items()[i].items();
      ASSERT_EQ(found.size(), rows.size());
      for (std::size_t j = 0; j < rows.size(); ++j) {
        EXPECT_EQ(found[j].text, rows[j].at("answer").as_string());
        EXPECT_EQ(found[j].span.start, rows[j].at("start").as_int());
        EXPECT_EQ(found[j].span.end, rows[j].at("end").as_int());
        EXPECT_NEAR(found[j].score, rows[j].at("score").as_double(), kScoreBound);
      }
    }
  }

  // No pipeline of Transformers makes more of them.
  void check_logits() {
    const Tensor found = model_.run(encoded().tensors, {.outputs = {"logits"}}).at("logits");
    const Tensor want = case_.tensors("outputs").at("logits");
    ASSERT_EQ(found.dims(), want.dims());
    for (std::size_t i = 0; i < static_cast<std::size_t>(want.elements()); ++i) {
      EXPECT_LE(excess(found.as<float>()[i], want.as<float>()[i]), 0) << i;
    }
  }

  void check_replaced() {
    const ModelInputs inputs = encoded();
    const Tensor logits = model_.run(inputs.tensors, {.outputs = {"logits"}}).at("logits");
    const Json::Array& rows = case_.expected().at("replaced").items();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows[i].items().size(); ++j) {
        const float logit = logits.as<float>()[i * static_cast<std::size_t>(logits.dim(1)) + j];
        EXPECT_EQ(logit > 0, rows[i].items()[j].as_bool()) << i << ", " << j;
      }
    }
  }
};

TEST_P(Goldens, FromText) {
  if (case_.setting("tensors_only") != nullptr) {
    ASSERT_TRUE(case_.texts().empty());  // there is no text to begin with; FromTensors has the case
    return;
  }
  if (case_.call() == "SentenceTransformer.encode") return check_embeddings();
  if (case_.task() == "embed") return check_mean_pooled();
  if (case_.task() == "fill-mask") return check_masks();
  if (case_.task() == "text-classification") return check_classes();
  if (case_.task() == "token-classification") return check_tokens();
  if (case_.task() == "question-answering") return check_answers();
  if (case_.task() == "replaced-token-detection") return check_replaced();
  if (case_.task() == "next-sentence-prediction") return check_logits();
  FAIL() << "no check for the task " << case_.task();
}

TEST_P(Goldens, FromTensors) {
  NamedTensors inputs = case_.tensors("inputs");
  const Tensor& ids = inputs.at("input_ids");
  const auto batch = static_cast<std::size_t>(ids.dim(0)), columns = static_cast<std::size_t>(ids.dim(1));
  std::vector<std::int64_t> mask(batch * columns, 1);
  if (const auto given = inputs.find("attention_mask"); given != inputs.end()) {
    const Tensor wide = given->second.to(DType::i64);
    mask.assign(wide.as<std::int64_t>().begin(), wide.as<std::int64_t>().end());
  }
  if (const Json* length = case_.setting("prompt_length")) {
    inputs["prompt_length"] = Tensor::of({ids.dim(0)}, std::vector<std::int64_t>(batch, length->as_int()));
  }
  const NamedTensors expected = case_.tensors("outputs");
  ASSERT_FALSE(expected.empty());
  RunOptions options;
  for (const auto& [name, tensor] : expected) options.outputs.push_back(name);
  const NamedTensors outputs = model_.run(inputs, options);
  for (const auto& [name, want] : expected) {
    const Tensor& found = outputs.at(name);
    ASSERT_EQ(found.dims(), want.dims()) << name;
    const bool by_token = found.rank() >= 2 && found.dim(1) == ids.dim(1) && name != "mean_pooled" &&
                          name != "pooler_output" && name != "sentence_embedding" &&
                          !(name == "logits" && found.rank() == 2 && case_.task() == "text-classification");
    const std::size_t step = static_cast<std::size_t>(found.elements()) / (by_token ? batch * columns : batch);
    double worst = -1;
    for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i) {
      const std::size_t place = i / step;
      if (by_token && mask[place] == 0) {
        EXPECT_EQ(found.as<float>()[i], 0) << name << ": padding is zero";
        continue;
      }
      worst = std::max(worst, excess(found.as<float>()[i], want.as<float>()[i]));
    }
    EXPECT_LE(worst, 0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Goldens, testing::ValuesIn(all_cases()), [](const auto& name) {
  std::string plain = name.param;
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return plain;
});

}  // namespace
}  // namespace accelerate
