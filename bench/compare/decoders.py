"""The checkpoints of text generation: the real SmolLM2-135M, and published sizes with seeded random weights.

Of an encoder-decoder a prompt is what the encoder reads.
"""

import array
import functools
import json
import os
import subprocess
from pathlib import Path

import tensors
from models import CACHE, ROOT, Weights

SMOLLM2 = "smollm2-135m"
T5 = "t5-efficient-tiny"
NAMES = (SMOLLM2, "gpt2", "opt-125m", "qwen2-0.5b", T5)
SHORT = (SMOLLM2, "gpt2", T5)  # what `make bench` measures

_GPT2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024,
         "n_ctx": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "activation_function": "gelu_new",
         "layer_norm_epsilon": 1e-5, "bos_token_id": 50256, "eos_token_id": 50256}
_OPT = {"architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": 50272, "hidden_size": 768,
        "num_hidden_layers": 12, "num_attention_heads": 12, "ffn_dim": 3072, "max_position_embeddings": 2048,
        "word_embed_proj_dim": 768, "activation_function": "relu", "do_layer_norm_before": True,
        "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}
_QWEN2 = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896,
          "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
          "max_position_embeddings": 32768, "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "hidden_act": "silu",
          "tie_word_embeddings": True, "use_sliding_window": False, "bos_token_id": 151643, "eos_token_id": 151643}
_T5 = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": 32128, "d_model": 256,
       "d_ff": 1024, "d_kv": 64, "num_heads": 4, "num_layers": 4, "num_decoder_layers": 4,
       "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "feed_forward_proj": "relu",
       "is_encoder_decoder": True, "tie_word_embeddings": True, "layer_norm_epsilon": 1e-6,
       "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}


def _gpt2_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    """Its products are stored as [inputs, outputs]."""
    n = c["n_embd"]
    shapes = {"wte.weight": (c["vocab_size"], n), "wpe.weight": (c["n_positions"], n)}
    for i in range(c["n_layer"]):
        for name, inputs, outputs in (("attn.c_attn", n, 3 * n), ("attn.c_proj", n, n), ("mlp.c_fc", n, 4 * n),
                                      ("mlp.c_proj", 4 * n, n)):
            shapes |= {f"h.{i}.{name}.weight": (inputs, outputs), f"h.{i}.{name}.bias": (outputs,)}
        shapes |= _norms(n, f"h.{i}.ln_1", f"h.{i}.ln_2")
    return {f"transformer.{name}": shape for name, shape in (shapes | _norms(n, "ln_f")).items()}


def _opt_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    n, wide = c["hidden_size"], c["ffn_dim"]
    shapes = {"embed_tokens.weight": (c["vocab_size"], n),
              "embed_positions.weight": (c["max_position_embeddings"] + 2, n)}
    for i in range(c["num_hidden_layers"]):
        products = {f"self_attn.{name}_proj": (n, n) for name in ("q", "k", "v", "out")}
        for name, (outputs, inputs) in (products | {"fc1": (wide, n), "fc2": (n, wide)}).items():
            shapes |= {f"layers.{i}.{name}.weight": (outputs, inputs), f"layers.{i}.{name}.bias": (outputs,)}
        shapes |= _norms(n, f"layers.{i}.self_attn_layer_norm", f"layers.{i}.final_layer_norm")
    return {f"model.decoder.{name}": shape for name, shape in (shapes | _norms(n, "final_layer_norm")).items()}


def _qwen2_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    n, wide = c["hidden_size"], c["intermediate_size"]
    keys = n // c["num_attention_heads"] * c["num_key_value_heads"]
    shapes = {"embed_tokens.weight": (c["vocab_size"], n), "norm.weight": (n,)}
    for i in range(c["num_hidden_layers"]):
        layer = f"layers.{i}"
        for name, outputs in (("q", n), ("k", keys), ("v", keys)):
            shapes |= {f"{layer}.self_attn.{name}_proj.weight": (outputs, n),
                       f"{layer}.self_attn.{name}_proj.bias": (outputs,)}
        shapes |= {f"{layer}.self_attn.o_proj.weight": (n, n), f"{layer}.mlp.gate_proj.weight": (wide, n),
                   f"{layer}.mlp.up_proj.weight": (wide, n), f"{layer}.mlp.down_proj.weight": (n, wide),
                   f"{layer}.input_layernorm.weight": (n,), f"{layer}.post_attention_layernorm.weight": (n,)}
    return {f"model.{name}": shape for name, shape in shapes.items()}


def _t5_shapes(c: dict) -> dict[str, tuple[int, ...]]:
    n, inner, wide = c["d_model"], c["num_heads"] * c["d_kv"], c["d_ff"]
    shapes = {"shared.weight": (c["vocab_size"], n)}
    for half in ("encoder", "decoder"):
        for i in range(c["num_layers"]):
            attentions = ("SelfAttention", "EncDecAttention")[:1 if half == "encoder" else 2]
            for place, attention in enumerate(attentions):
                layer = f"{half}.block.{i}.layer.{place}"
                shapes |= {f"{layer}.{attention}.{name}.weight": (inner, n) for name in "qkv"}
                shapes |= {f"{layer}.{attention}.o.weight": (n, inner), f"{layer}.layer_norm.weight": (n,)}
            layer = f"{half}.block.{i}.layer.{len(attentions)}"
            shapes |= {f"{layer}.DenseReluDense.wi.weight": (wide, n), f"{layer}.DenseReluDense.wo.weight": (n, wide),
                       f"{layer}.layer_norm.weight": (n,)}
        shapes |= {f"{half}.block.0.layer.0.SelfAttention.relative_attention_bias.weight":
                   (c["relative_attention_num_buckets"], c["num_heads"]), f"{half}.final_layer_norm.weight": (n,)}
    return shapes


def _norms(width: int, *names: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (width,) for name in names for part in ("weight", "bias")}


# name -> configuration, its tensors, and the type that the published weights have
RANDOM = {"gpt2": (_GPT2, _gpt2_shapes, "F32"), "opt-125m": (_OPT, _opt_shapes, "F32"),
          "qwen2-0.5b": (_QWEN2, _qwen2_shapes, "BF16"), T5: (_T5, _t5_shapes, "F32")}


def _is_norm(name: str) -> bool:
    return name.endswith(".weight") and any(part in name for part in ("ln_", "norm"))


def _write_random(name: str, folder: Path) -> None:
    config, shapes_of, dtype = RANDOM[name]
    weights, made = Weights(), {}
    for tensor, shape in shapes_of(config).items():
        values = weights.take(shape[0] * (shape[1] if len(shape) > 1 else 1))
        if _is_norm(tensor):
            values = array.array("f", (1 + value for value in values))
        made[tensor] = (dtype, shape, tensors.as_bf16(values) if dtype == "BF16" else values)
    folder.mkdir(parents=True, exist_ok=True)
    stored = "bfloat16" if dtype == "BF16" else "float32"
    (folder / "config.json").write_text(json.dumps({**config, "torch_dtype": stored}, indent=2) + "\n")
    _write_tokenizer(folder, config["vocab_size"], config["eos_token_id"])
    tensors.write(folder / "model.safetensors", made)


def _byte_symbols() -> list[str]:
    """The characters that stand for bytes in a byte-level vocabulary (Radford et al. 2019)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in plain] + [chr(0x100 + i) for i in range(256 - len(plain))]


def _write_tokenizer(folder: Path, size: int, end: int) -> None:
    """Byte-level without merges: a text is as many tokens as it has bytes. Other ids have names that no text gives."""
    symbols = dict(zip(_byte_symbols(), (i for i in range(3, size) if i != end)))
    taken = {*symbols.values(), end}
    vocabulary = {**symbols, "<|endoftext|>": end, **{f"<unused{i}>": i for i in range(size) if i not in taken}}
    special = {"id": end, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False,
               "normalized": False, "special": True}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary, "merges": []}
    made = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [special], "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level, "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(made, ensure_ascii=False))
    names = {f"{kind}_token": "<|endoftext|>" for kind in ("bos", "eos", "unk", "pad")}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **names}, indent=2) + "\n")


@functools.cache
def fetch_smollm2() -> Path | None:
    """The GGUF file of the real SmolLM2-135M-Instruct, downloaded once; None when it cannot be had."""
    if known := os.environ.get("ACCELERATE_SMOLLM2"):
        return Path(known)
    done = subprocess.run([ROOT / "tools" / "fetch_smollm2.sh"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def checkpoint_of(name: str) -> Path | None:
    """What ours opens: a folder, or the GGUF file as it was published; None when it cannot be had."""
    if name == SMOLLM2:
        return fetch_smollm2()
    folder = CACHE / "models" / f"{name}-random"
    if not (folder / "model.safetensors").exists():
        _write_random(name, folder)
    return folder


def has_encoder(folder: Path) -> bool:
    """A GGUF file that no peer has widened into its folder yet is a decoder."""
    config = folder / "config.json"
    return config.exists() and json.loads(config.read_text()).get("is_encoder_decoder", False)


def folder_for_peers(name: str) -> Path:
    """What peers open: the same folder, or one into which a GGUF file is widened (generation_peers.py makes it)."""
    return CACHE / "models" / (f"{name}-widened" if name == SMOLLM2 else f"{name}-random")
