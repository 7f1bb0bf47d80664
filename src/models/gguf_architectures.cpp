#include "models/gguf_architectures.hpp"

#include <algorithm>
#include <array>

namespace accelerate {
namespace {

using enum GgufChange;

constexpr GgufField kDecoderFields[] = {
    {"context_length", "max_position_embeddings"},
    {"block_count", "num_hidden_layers"},
    {"embedding_length", "hidden_size"},
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.sliding_window", "sliding_window"},
    {"rope.freq_base", "rope_theta"},
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
};
constexpr GgufField kGpt2Fields[] = {
    {"context_length", "n_positions"},  {"block_count", "n_layer"},
    {"embedding_length", "n_embd"},     {"feed_forward_length", "n_inner"},
    {"attention.head_count", "n_head"}, {"attention.layer_norm_epsilon", "layer_norm_epsilon"},
};

constexpr GgufName kEnds[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
};
constexpr GgufName kGemmaEnds[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm", added_one},
    {"output", "lm_head"},
};
constexpr GgufName kAttention[] = {
    {"blk.#.attn_q", "model.layers.#.self_attn.q_proj"},      {"blk.#.attn_k", "model.layers.#.self_attn.k_proj"},
    {"blk.#.attn_v", "model.layers.#.self_attn.v_proj"},      {"blk.#.attn_output", "model.layers.#.self_attn.o_proj"},
    {"blk.#.attn_q_norm", "model.layers.#.self_attn.q_norm"}, {"blk.#.attn_k_norm", "model.layers.#.self_attn.k_norm"},
};
// llama.cpp turns neighbouring features of llama's heads, Transformers those half a head apart.
constexpr GgufName kLlamaAttention[] = {
    {"blk.#.attn_q", "model.layers.#.self_attn.q_proj", query_rows},
    {"blk.#.attn_k", "model.layers.#.self_attn.k_proj", key_rows},
    {"blk.#.attn_v", "model.layers.#.self_attn.v_proj"},
    {"blk.#.attn_output", "model.layers.#.self_attn.o_proj"},
};
constexpr GgufName kPhi3Attention[] = {
    {"blk.#.attn_qkv", "model.layers.#.self_attn.qkv_proj"},
    {"blk.#.attn_output", "model.layers.#.self_attn.o_proj"},
};
constexpr GgufName kGemmaAttention[] = {
    {"blk.#.attn_q", "model.layers.#.self_attn.q_proj"},
    {"blk.#.attn_k", "model.layers.#.self_attn.k_proj"},
    {"blk.#.attn_v", "model.layers.#.self_attn.v_proj"},
    {"blk.#.attn_output", "model.layers.#.self_attn.o_proj"},
    {"blk.#.attn_q_norm", "model.layers.#.self_attn.q_norm", added_one},
    {"blk.#.attn_k_norm", "model.layers.#.self_attn.k_norm", added_one},
};
constexpr GgufName kGatedFeedForward[] = {
    {"blk.#.ffn_gate", "model.layers.#.mlp.gate_proj"},
    {"blk.#.ffn_up", "model.layers.#.mlp.up_proj"},
    {"blk.#.ffn_down", "model.layers.#.mlp.down_proj"},
};
constexpr GgufName kExperts[] = {
    {"blk.#.ffn_gate_inp", "model.layers.#.block_sparse_moe.gate"},
    {"blk.#.ffn_gate_exps", "model.layers.#.block_sparse_moe.experts.@.w1", stacked},
    {"blk.#.ffn_up_exps", "model.layers.#.block_sparse_moe.experts.@.w3", stacked},
    {"blk.#.ffn_down_exps", "model.layers.#.block_sparse_moe.experts.@.w2", stacked},
};
constexpr GgufName kPhi3FeedForward[] = {
    {"blk.#.ffn_up", "model.layers.#.mlp.gate_up_proj"},
    {"blk.#.ffn_down", "model.layers.#.mlp.down_proj"},
};
constexpr GgufName kTwoNorms[] = {
    {"blk.#.attn_norm", "model.layers.#.input_layernorm"},
    {"blk.#.ffn_norm", "model.layers.#.post_attention_layernorm"},
};
constexpr GgufName kGemmaNorms[] = {
    {"blk.#.attn_norm", "model.layers.#.input_layernorm", added_one},
    {"blk.#.ffn_norm", "model.layers.#.post_attention_layernorm", added_one},
};
// Gemma 2 and 3 norm what goes into a block and what comes out of it.
constexpr GgufName kFourNorms[] = {
    {"blk.#.attn_norm", "model.layers.#.input_layernorm", added_one},
    {"blk.#.post_attention_norm", "model.layers.#.post_attention_layernorm", added_one},
    {"blk.#.ffn_norm", "model.layers.#.pre_feedforward_layernorm", added_one},
    {"blk.#.post_ffw_norm", "model.layers.#.post_feedforward_layernorm", added_one},
};
constexpr GgufName kGpt2Names[] = {
    {"token_embd", "transformer.wte"},
    {"position_embd", "transformer.wpe"},
    {"output_norm", "transformer.ln_f"},
    {"output", "lm_head"},
    {"blk.#.attn_norm", "transformer.h.#.ln_1"},
    {"blk.#.attn_qkv", "transformer.h.#.attn.c_attn", transposed},
    {"blk.#.attn_output", "transformer.h.#.attn.c_proj", transposed},
    {"blk.#.ffn_norm", "transformer.h.#.ln_2"},
    {"blk.#.ffn_up", "transformer.h.#.mlp.c_fc", transposed},
    {"blk.#.ffn_down", "transformer.h.#.mlp.c_proj", transposed},
};

using Names = std::span<const GgufName>;
constexpr Names kLlama[] = {kEnds, kLlamaAttention, kTwoNorms, kGatedFeedForward};
constexpr Names kMixtral[] = {kEnds, kLlamaAttention, kTwoNorms, kExperts};
constexpr Names kQwen[] = {kEnds, kAttention, kTwoNorms, kGatedFeedForward};
constexpr Names kGemma[] = {kGemmaEnds, kGemmaAttention, kGemmaNorms, kGatedFeedForward};
constexpr Names kGemma2[] = {kGemmaEnds, kGemmaAttention, kFourNorms, kGatedFeedForward};
constexpr Names kPhi3[] = {kEnds, kPhi3Attention, kTwoNorms, kPhi3FeedForward};
constexpr Names kGpt2[] = {kGpt2Names};

constexpr std::string_view kSilu = R"({"hidden_act": "silu"})";
constexpr std::string_view kGemmaConstants =
    R"({"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh"})";

constexpr std::array kArchitectures{
    GgufArchitecture{"gemma", "gemma", "GemmaForCausalLM", kGemmaConstants, kDecoderFields, kGemma, true, 0, true},
    GgufArchitecture{"gemma2", "gemma2", "Gemma2ForCausalLM", kGemmaConstants, kDecoderFields, kGemma2, true, 46, true},
    GgufArchitecture{"gemma3", "gemma3_text", "Gemma3ForCausalLM", kGemmaConstants, kDecoderFields, kGemma2, true, 62,
                     true},
    GgufArchitecture{"gpt2", "gpt2", "GPT2LMHeadModel", R"({"activation_function": "gelu_new"})", kGpt2Fields, kGpt2,
                     false},
    GgufArchitecture{"llama", "llama", "LlamaForCausalLM", kSilu, kDecoderFields, kLlama},
    GgufArchitecture{"llama", "mixtral", "MixtralForCausalLM", kSilu, kDecoderFields, kMixtral, true, 0, false, true},
    GgufArchitecture{"phi3", "phi3", "Phi3ForCausalLM", kSilu, kDecoderFields, kPhi3},
    GgufArchitecture{"qwen2", "qwen2", "Qwen2ForCausalLM", kSilu, kDecoderFields, kQwen},
    GgufArchitecture{"qwen3", "qwen3", "Qwen3ForCausalLM", kSilu, kDecoderFields, kQwen},
};

}  // namespace

const GgufArchitecture* gguf_architecture(std::string_view name, bool experts) {
  const auto* found = std::ranges::find_if(
      kArchitectures, [&](const GgufArchitecture& each) { return each.name == name && each.experts == experts; });
  return found == kArchitectures.end() ? nullptr : found;
}

std::span<const GgufArchitecture> gguf_architectures() { return kArchitectures; }

}  // namespace accelerate
