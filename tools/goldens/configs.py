"""config.json of each family in the older hub style, at fixture size; keyword arguments replace or add fields."""

TAIL = {"transformers_version": "4.46.0", "torch_dtype": "float32"}
ENTITY_LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
MOODS = ["NEGATIVE", "NEUTRAL", "POSITIVE"]
TINY = {"hidden_size": 12, "intermediate_size": 16, "num_hidden_layers": 1, "max_position_embeddings": 90}


def labels(names: list[str]) -> dict:
    return {"id2label": {str(i): name for i, name in enumerate(names)}, "label2id": {n: i for i, n in enumerate(names)}}


def _made(class_name: str, base: dict, changes: dict) -> dict:
    return {**base, **changes, "architectures": [class_name], **TAIL}


def bert(class_name: str, **changes) -> dict:
    return _made(class_name, {
        "attention_probs_dropout_prob": 0.1, "classifier_dropout": None, "gradient_checkpointing": False,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 16, "initializer_range": 0.02,
        "intermediate_size": 40, "layer_norm_eps": 1e-12, "max_position_embeddings": 96, "model_type": "bert",
        "num_attention_heads": 2, "num_hidden_layers": 2, "pad_token_id": 0, "position_embedding_type": "absolute",
        "type_vocab_size": 2, "use_cache": True, "vocab_size": 700}, changes)


def roberta(class_name: str, **changes) -> dict:
    return bert(class_name, **{
        "model_type": "roberta", "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "layer_norm_eps": 1e-5,
        "max_position_embeddings": 98, "type_vocab_size": 1, "vocab_size": 561, **changes})


def xlm_roberta(class_name: str, **changes) -> dict:
    return roberta(class_name, **{"model_type": "xlm-roberta", "vocab_size": 622, "output_past": True, **changes})


def distilbert(class_name: str, **changes) -> dict:
    return _made(class_name, {
        "activation": "gelu", "attention_dropout": 0.1, "dim": 16, "dropout": 0.1, "hidden_dim": 40,
        "initializer_range": 0.02, "max_position_embeddings": 96, "model_type": "distilbert", "n_heads": 2,
        "n_layers": 2, "pad_token_id": 0, "qa_dropout": 0.1, "seq_classif_dropout": 0.2,
        "sinusoidal_pos_embds": False, "tie_weights_": True, "vocab_size": 700}, changes)


def mpnet(class_name: str, **changes) -> dict:
    return _made(class_name, {
        "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "hidden_size": 16, "initializer_range": 0.02, "intermediate_size": 40,
        "layer_norm_eps": 1e-5, "max_position_embeddings": 98, "model_type": "mpnet", "num_attention_heads": 2,
        "num_hidden_layers": 2, "pad_token_id": 1, "relative_attention_num_buckets": 32, "vocab_size": 705}, changes)


def electra(class_name: str, **changes) -> dict:
    return bert(class_name, **{
        "model_type": "electra", "embedding_size": 12, "summary_activation": "gelu", "summary_last_dropout": 0.1,
        "summary_type": "first", "summary_use_proj": True, **changes})


def albert(class_name: str, **changes) -> dict:
    return _made(class_name, {
        "attention_probs_dropout_prob": 0, "bos_token_id": 2, "classifier_dropout_prob": 0.1, "down_scale_factor": 1,
        "embedding_size": 12, "eos_token_id": 3, "gap_size": 0, "hidden_act": "gelu_new", "hidden_dropout_prob": 0,
        "hidden_size": 16, "initializer_range": 0.02, "inner_group_num": 1, "intermediate_size": 40,
        "layer_norm_eps": 1e-12, "max_position_embeddings": 96, "model_type": "albert", "net_structure_type": 0,
        "num_attention_heads": 2, "num_hidden_groups": 1, "num_hidden_layers": 3, "num_memory_blocks": 0,
        "pad_token_id": 0, "type_vocab_size": 2, "vocab_size": 500}, changes)


def modernbert(class_name: str, **changes) -> dict:
    return _made(class_name, {
        "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 557, "classifier_activation": "gelu",
        "classifier_bias": False, "classifier_dropout": 0.0, "classifier_pooling": "mean", "cls_token_id": 557,
        "decoder_bias": True, "deterministic_flash_attn": False, "embedding_dropout": 0.0, "eos_token_id": 558,
        "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0, "gradient_checkpointing": False,
        "hidden_activation": "gelu", "hidden_size": 16, "initializer_cutoff_factor": 2.0, "initializer_range": 0.02,
        "intermediate_size": 24, "layer_norm_eps": 1e-5, "local_attention": 8, "local_rope_theta": 10000.0,
        "max_position_embeddings": 128, "mlp_bias": False, "mlp_dropout": 0.0, "model_type": "modernbert",
        "norm_bias": False, "norm_eps": 1e-5, "num_attention_heads": 2, "num_hidden_layers": 4, "pad_token_id": 559,
        "position_embedding_type": "absolute", "sep_token_id": 558, "tie_word_embeddings": True,
        "vocab_size": 576}, changes)


def nomic_bert(class_name: str, **changes) -> dict:
    """Keys of Transformers' own class."""
    return _made(class_name, {
        "hidden_act": "silu", "hidden_size": 16, "intermediate_size": 40, "layer_norm_eps": 1e-12,
        "max_position_embeddings": 128, "model_type": "nomic_bert", "num_attention_heads": 2, "num_hidden_layers": 3,
        "pad_token_id": 0, "rope_parameters": {"rope_theta": 1000.0, "rope_type": "default"}, "type_vocab_size": 2,
        "vocab_size": 704}, changes)


def nomic_bert_published(class_name: str) -> dict:
    """The same model in the keys of the published checkpoints, which descend from GPT-2's."""
    return _made(class_name, {
        "activation_function": "swiglu", "attn_pdrop": 0.0, "auto_map": {
            "AutoConfig": "configuration_hf_nomic_bert.NomicBertConfig",
            "AutoModel": "modeling_hf_nomic_bert.NomicBertModel"},
        "bos_token_id": None, "causal": False, "dense_seq_output": True, "embd_pdrop": 0.0, "eos_token_id": None,
        "fused_bias_fc": True, "fused_dropout_add_ln": True, "initializer_range": 0.02, "layer_norm_epsilon": 1e-12,
        "mlp_fc1_bias": False, "mlp_fc2_bias": False, "model_type": "nomic_bert", "n_embd": 16, "n_head": 2,
        "n_inner": 40, "n_layer": 3, "n_positions": 128, "pad_vocab_size_multiple": 64, "parallel_block": False,
        "parallel_block_tied_norm": False, "prenorm": False, "qkv_proj_bias": False, "reorder_and_upcast_attn": False,
        "resid_pdrop": 0.0, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
        "rotary_emb_scale_base": None, "rotary_scaling_factor": None, "scale_attn_by_inverse_layer_idx": False,
        "scale_attn_weights": True, "type_vocab_size": 2, "use_cache": True, "use_flash_attn": True,
        "use_rms_norm": False, "use_xentropy": True, "vocab_size": 704}, {})


def _decoder(model_type: str, class_name: str, base: dict, changes: dict) -> dict:
    return _made(class_name, {
        "attention_dropout": 0.0, "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 48,
        "max_position_embeddings": 512, "model_type": model_type, "num_attention_heads": 4, "num_hidden_layers": 3,
        "num_key_value_heads": 2, "rope_theta": 10000.0, "use_cache": True, **base}, changes)


def qwen3(**changes) -> dict:
    return _decoder("qwen3", "Qwen3ForCausalLM", {
        "attention_bias": False, "bos_token_id": 606, "eos_token_id": 608, "head_dim": 16, "hidden_act": "silu",
        "max_window_layers": 2, "pad_token_id": 606, "rms_norm_eps": 1e-6, "rope_scaling": None,
        "rope_theta": 1000000.0, "sliding_window": 8, "tie_word_embeddings": True, "use_sliding_window": True,
        "vocab_size": 612}, changes)


def phi3(**changes) -> dict:
    return _decoder("phi3", "Phi3ForCausalLM", {
        "bos_token_id": 1, "embd_pdrop": 0.0, "eos_token_id": 2, "hidden_act": "silu",
        "num_hidden_layers": 2, "original_max_position_embeddings": 38, "pad_token_id": 0,
        "partial_rotary_factor": 0.75, "resid_pdrop": 0.0, "rms_norm_eps": 1e-5, "rope_scaling": {
            "long_factor": [1.0, 1.7, 3.5], "short_factor": [1.0, 1.05, 1.25],
            "type": "longrope"},
        "sliding_window": 8, "tie_word_embeddings": False, "vocab_size": 600}, changes)


def gpt_neox(**changes) -> dict:
    config = _decoder("gpt_neox", "GPTNeoXForCausalLM", {
        "attention_bias": True, "bos_token_id": 596, "classifier_dropout": 0.1, "eos_token_id": 596,
        "hidden_act": "gelu", "hidden_dropout": 0.0, "intermediate_size": 64, "layer_norm_eps": 1e-5,
        "num_hidden_layers": 2, "rope_scaling": None, "rotary_emb_base": 5000, "rotary_pct": 0.5,
        "tie_word_embeddings": False, "use_parallel_residual": True, "vocab_size": 597}, changes)
    return {key: value for key, value in config.items() if key not in ("num_key_value_heads", "rope_theta")}


def gemma2(**changes) -> dict:
    return _decoder("gemma2", "Gemma2ForCausalLM", {
        "attention_bias": False, "attn_logit_softcapping": 5.0, "bos_token_id": 1, "cache_implementation": "hybrid",
        "eos_token_id": 2, "final_logit_softcapping": 6.0, "head_dim": 16, "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "pad_token_id": 0, "query_pre_attn_scalar": 20,
        "rms_norm_eps": 1e-6, "sliding_window": 8, "vocab_size": 600}, changes)


def gemma3_text(**changes) -> dict:
    return _decoder("gemma3_text", "Gemma3ForCausalLM", {
        "attention_bias": False, "attn_logit_softcapping": None, "bos_token_id": 1, "eos_token_id": 2,
        "final_logit_softcapping": None, "head_dim": 16, "hidden_activation": "gelu_pytorch_tanh",
        "pad_token_id": 0, "query_pre_attn_scalar": 20, "rms_norm_eps": 1e-6,
        "rope_local_base_freq": 10000.0, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "rope_theta": 1000000.0, "sliding_window": 8, "sliding_window_pattern": 3, "vocab_size": 600}, changes)


def mixtral(**changes) -> dict:
    return _decoder("mixtral", "MixtralForCausalLM", {
        "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "intermediate_size": 24, "num_experts_per_tok": 2,
        "num_hidden_layers": 2, "num_local_experts": 4, "output_router_logits": False, "rms_norm_eps": 1e-5,
        "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02, "sliding_window": 8, "tie_word_embeddings": False,
        "vocab_size": 600}, changes)


def marian(vocab_size: int, decoder_vocab_size: int, pad_id: int, **changes) -> dict:
    return _made("MarianMTModel", {
        "activation_dropout": 0.0, "activation_function": "swish", "add_bias_logits": False,
        "add_final_layer_norm": False, "attention_dropout": 0.0, "bad_words_ids": [[pad_id]],
        "bos_token_id": 0, "d_model": 24, "decoder_attention_heads": 3, "decoder_ffn_dim": 40, "decoder_layerdrop": 0.0,
        "decoder_layers": 3, "decoder_start_token_id": pad_id,
        "decoder_vocab_size": decoder_vocab_size, "dropout": 0.1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48,
        "encoder_layerdrop": 0.0, "encoder_layers": 2, "eos_token_id": 0, "forced_eos_token_id": 0, "init_std": 0.02,
        "is_encoder_decoder": True, "max_length": 128, "max_position_embeddings": 128, "model_type": "marian",
        "normalize_before": False, "normalize_embedding": False, "num_beams": 4, "num_hidden_layers": 2,
        "pad_token_id": pad_id, "scale_embedding": True, "static_position_embeddings": True,
        "use_cache": True, "vocab_size": vocab_size}, changes)
