#include <deque>
#include <utility>

#include "runtime/c_api.hpp"

// The structs that callers see, with what their pointers point into. They are freed through the first member's type.
namespace accelerate::c_api {
namespace {

struct OwnedEmbeddings : accelerate_embeddings {
  explicit OwnedEmbeddings(Embeddings result) : accelerate_embeddings{}, owned(std::move(result)) {
    count = static_cast<std::size_t>(owned.vectors.dim(0));
    dimensions = static_cast<std::size_t>(owned.vectors.dim(1));
    values = std::as_const(owned.vectors).as<float>().data();
    truncated_count = owned.truncated.size();
    truncated = owned.truncated.data();
  }
  const Embeddings owned;
};

struct OwnedRanking : accelerate_ranking {
  explicit OwnedRanking(Ranking result) : accelerate_ranking{}, owned_truncated(std::move(result.truncated)) {
    for (const Ranked& document : result.documents) listed.push_back({document.index, document.score});
    count = listed.size();
    documents = listed.data();
    truncated_count = owned_truncated.size();
    truncated = owned_truncated.data();
  }
  std::vector<accelerate_ranked> listed;
  const std::vector<std::size_t> owned_truncated;
};

struct OwnedScores : accelerate_score_list {
  explicit OwnedScores(std::vector<std::size_t> too_long)
      : accelerate_score_list{}, owned_truncated(std::move(too_long)) {
    truncated_count = owned_truncated.size();
    truncated = owned_truncated.data();
  }
  // Deques: what is inside does not move when more comes.
  void add(std::size_t text, std::int64_t position, const std::vector<Score>& scores) {
    std::vector<accelerate_score>& row = rows.emplace_back();
    for (const Score& score : scores) {
      row.push_back({labels.emplace_back(score.label).c_str(), score.id, score.score});
    }
    listed.push_back({text, position, row.size(), row.data()});
    count = listed.size();
    items = listed.data();
  }
  const std::vector<std::size_t> owned_truncated;
  std::deque<std::string> labels;
  std::deque<std::vector<accelerate_score>> rows;
  std::vector<accelerate_scores> listed;
};

ClassifyOptions classify_options(const accelerate_classify_options* given) {
  const accelerate_classify_options defaults = ACCELERATE_CLASSIFY_OPTIONS;
  const accelerate_classify_options options = options_or(given, defaults);
  ClassifyOptions classify;
  if (options.top_k != 0) classify.top_k = options.top_k;
  if (options.activation != nullptr) classify.activation = options.activation;
  classify.batch = batch_options(options.batch);
  return classify;
}

Classifications classified(const Model& model, const char* const* texts, const char* const* pairs, std::size_t count,
                           const ClassifyOptions& options) {
  if (pairs == nullptr) return model.classify(strings(texts, count, "texts"), options);
  return model.classify(text_pairs(texts, pairs, count), options);
}

}  // namespace
}  // namespace accelerate::c_api

using accelerate::c_api::guarded;
using accelerate::c_api::required;
using accelerate::c_api::strings;

accelerate_status accelerate_model_embed(const accelerate_model* model, const char* const* texts, size_t count,
                                         const accelerate_embed_options* options, accelerate_embeddings** embeddings) {
  return guarded([&] {
    *required(embeddings, "embeddings") = nullptr;
    const accelerate_embed_options defaults = ACCELERATE_EMBED_OPTIONS;
    const accelerate_embed_options given = accelerate::c_api::options_or(options, defaults);
    accelerate::EmbedOptions embed;
    if (given.prompt_name != nullptr) embed.prompt_name = given.prompt_name;
    if (given.prompt != nullptr) embed.prompt = given.prompt;
    if (given.normalize >= 0) embed.normalize = given.normalize != 0;
    embed.batch = accelerate::c_api::batch_options(given.batch);
    const std::vector<std::string> all = strings(texts, count, "texts");
    *embeddings = new accelerate::c_api::OwnedEmbeddings(required(model, "model")->value.embed(all, embed));
  });
}

void accelerate_embeddings_free(accelerate_embeddings* embeddings) {
  delete static_cast<accelerate::c_api::OwnedEmbeddings*>(embeddings);
}

accelerate_status accelerate_model_classify(const accelerate_model* model, const char* const* texts,
                                            const char* const* pairs, size_t count,
                                            const accelerate_classify_options* options,
                                            accelerate_score_list** scores) {
  return guarded([&] {
    *required(scores, "scores") = nullptr;
    const accelerate::Classifications found = accelerate::c_api::classified(
        required(model, "model")->value, texts, pairs, count, accelerate::c_api::classify_options(options));
    auto list = std::make_unique<accelerate::c_api::OwnedScores>(found.truncated);
    for (std::size_t i = 0; i < found.scores.size(); ++i) list->add(i, -1, found.scores[i]);
    *scores = list.release();
  });
}

accelerate_status accelerate_model_fill_mask(const accelerate_model* model, const char* const* texts, size_t count,
                                             size_t top_k, const accelerate_batch_options* options,
                                             accelerate_score_list** scores) {
  return guarded([&] {
    *required(scores, "scores") = nullptr;
    accelerate::FillMaskOptions fill;
    if (top_k != 0) fill.top_k = top_k;
    fill.batch = accelerate::c_api::batch_options(options);
    const accelerate::FilledMasks found =
        required(model, "model")->value.fill_mask(strings(texts, count, "texts"), fill);
    auto list = std::make_unique<accelerate::c_api::OwnedScores>(found.truncated);
    for (std::size_t i = 0; i < found.masks.size(); ++i) {
      for (const accelerate::Mask& mask : found.masks[i]) list->add(i, mask.position, mask.top);
    }
    *scores = list.release();
  });
}

void accelerate_score_list_free(accelerate_score_list* scores) {
  delete static_cast<accelerate::c_api::OwnedScores*>(scores);
}

accelerate_status accelerate_model_mask_token(const accelerate_model* model, char** token) {
  return guarded([&] {
    *required(token, "token") = nullptr;
    *token = accelerate::c_api::new_string(required(model, "model")->value.mask_token());
  });
}

accelerate_status accelerate_model_rerank(const accelerate_model* model, const char* query,
                                          const char* const* documents, size_t count,
                                          const accelerate_classify_options* options, accelerate_ranking** ranking) {
  return guarded([&] {
    *required(ranking, "ranking") = nullptr;
    const std::vector<std::string> all = strings(documents, count, "documents");
    *ranking = new accelerate::c_api::OwnedRanking(
        required(model, "model")
            ->value.rerank(required(query, "query"), all, accelerate::c_api::classify_options(options)));
  });
}

void accelerate_ranking_free(accelerate_ranking* ranking) {
  delete static_cast<accelerate::c_api::OwnedRanking*>(ranking);
}
