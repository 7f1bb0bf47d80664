// RoBERTa (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): BERT with other positions and heads.
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Roberta final : public TextEncoder {
 public:
  Roberta(std::string_view model_type, std::string_view tokenizer_class)
      : model_type_(model_type), tokenizer_class_(tokenizer_class) {}

  std::string_view model_type() const override { return model_type_; }
  std::string_view tokenizer_class() const override { return tokenizer_class_; }

  // Positions begin after that of padding.
  Summary summary(const Config& c) const override {
    Summary s = TextEncoder::summary(c);
    s.max_tokens -= padding_id(c) + 1;
    if (s.max_tokens < 1) {
      c.fail("max_position_embeddings",
             "is " + std::to_string(s.max_tokens + padding_id(c) + 1) +
                 ", expected more than pad_token_id + 1 = " + std::to_string(padding_id(c) + 1));
    }
    return s;
  }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("roberta."),
                   names::tied("lm_head.decoder.weight", "embeddings.word_embeddings.weight"),
                   names::alternative("lm_head.decoder.bias", "lm_head.bias")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const InputRule positions{InputRule::Fill::columns_after_padding, padding_id(c)};
    return bert_layers(b, c, summary(c), bert_embeddings(b, c, positions));
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("lm_head");
    return masked_lm_head(b, rows, {.dense = "dense", .norm = "layer_norm", .epsilon = layer_norm_epsilon(c)});
  }

  Value sequence_logits(Builder& b, const Config&, Value last) const override {
    const auto scope = b.scope("classifier");
    return b.linear("out_proj", first_token_dense(b, "dense", last));
  }

 private:
  static std::int64_t padding_id(const Config& c) { return c.size_or({"pad_token_id"}, 1, 0); }

  std::string_view model_type_, tokenizer_class_;
};

}  // namespace

const Architecture& roberta() {
  static const Roberta architecture("roberta", "RobertaTokenizer");
  return architecture;
}

const Architecture& xlm_roberta() {
  static const Roberta architecture("xlm-roberta", "XLMRobertaTokenizer");
  return architecture;
}

}  // namespace accelerate
