// The encoder of BERT (Devlin et al. 2018), which RoBERTa, XLM-RoBERTa and ELECTRA use unchanged.
#pragma once

#include "models/text_encoder.hpp"

namespace accelerate {

// layer_norm_eps; 1e-12 where absent.
double layer_norm_epsilon(const Config& c);

// Words, token types and positions, then layer norm, in scope "embeddings": [batch, tokens~, embedding size].
Value bert_embeddings(Builder& b, const Config& c, InputRule positions);

// Layers "encoder.layer.N" over `embedded`, which is the first of the hidden states.
Encoded bert_layers(Builder& b, const Config& c, const Summary& sizes, Value embedded);

// `transform` (dense, activation, norm), then the matrix "decoder" with a bias, in the scope that is open.
struct MaskedLmHead {
  std::string_view dense, norm;
  Activation activation = Activation::gelu;
  double epsilon = 1e-12;
};
Value masked_lm_head(Builder& b, Value rows, const MaskedLmHead& head);

// Spellings of old files, for norms named "...LayerNorm".
NameMap layer_norm_gamma_beta();

}  // namespace accelerate
