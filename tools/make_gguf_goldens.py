#!/usr/bin/env python3
"""Makes the GGUF fixtures from published folders, with llama.cpp's own package.

    python3 -m venv build/goldens-venv && build/goldens-venv/bin/pip install -r tools/requirements-goldens.txt
    build/goldens-venv/bin/python tools/make_gguf_goldens.py
    build/goldens-venv/bin/python tools/make_gguf_goldens.py --sums FILE.gguf > tests/goldens/real/NAME/tensors.json

Each fixture is made of a folder of tests/goldens/decoders as convert_hf_to_gguf.py would: names by the package's own
table, query and key rows of llama in turns, and so on. The tokenizer comes from tests/goldens/tokenizers, so that its
cases hold. Nothing of the library is used here.

--sums prints the SHA-256 of every tensor, widened by the package to f32 and put back as Transformers has it.
"""

import argparse
import hashlib
import itertools
import json
import math
import re
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import MODEL_ARCH, GGMLQuantizationType as Type, TokenType

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests" / "goldens"
GEMMAS = (MODEL_ARCH.GEMMA, MODEL_ARCH.GEMMA2, MODEL_ARCH.GEMMA3)
BLOCK_TYPES = [Type.Q4_0, Type.Q4_1, Type.Q8_0, Type.F16, Type.BF16, Type.F32]

# Folder, architecture, tokenizer and its words, element types of matrices in turn. llama's folder is of bf16 numbers.
FIXTURES = {
    "llama": ("llama", MODEL_ARCH.LLAMA, "llama", None, BLOCK_TYPES),
    "llama_bf16": ("llama", MODEL_ARCH.LLAMA, "llama", None, [Type.BF16]),
    "llama3_rope": ("llama3_rope", MODEL_ARCH.LLAMA, "llama3", "llama-bpe", [Type.F16]),
    "gpt2": ("gpt2", MODEL_ARCH.GPT2, "gpt2", "gpt-2", [Type.Q8_0]),
    "qwen2": ("qwen2", MODEL_ARCH.QWEN2, "qwen2", "qwen2", [Type.BF16]),
    "gemma": ("gemma", MODEL_ARCH.GEMMA, "llama", None, [Type.F16]),
    "gemma2": ("gemma2", MODEL_ARCH.GEMMA2, "llama", None, [Type.F16]),
    "gemma3_text": ("gemma3_text", MODEL_ARCH.GEMMA3, "llama", None, [Type.F16]),
    "phi3": ("phi3", MODEL_ARCH.PHI3, "llama", None, [Type.F16]),
    "qwen3": ("qwen3", MODEL_ARCH.QWEN3, "qwen2", "qwen2", [Type.F16]),
    "mixtral": ("mixtral", MODEL_ARCH.LLAMA, "llama", None, [Type.F16]),
}


def read_weights(folder: Path) -> dict:
    from safetensors.torch import load_file

    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= {name: tensor.float().numpy() for name, tensor in load_file(file).items()}
    return weights


def in_turns(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head: one of its first half, one of its second half, and so on."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def in_order(rows: np.ndarray, heads: int) -> np.ndarray:
    return rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def converted(architecture: MODEL_ARCH, name: str, values: np.ndarray, config: dict) -> np.ndarray:
    heads = config.get("num_attention_heads")
    if architecture == MODEL_ARCH.LLAMA and ".q_proj." in name:
        return in_turns(values, heads)
    if architecture == MODEL_ARCH.LLAMA and ".k_proj." in name:
        return in_turns(values, config.get("num_key_value_heads", heads))
    if architecture in GEMMAS and name.endswith("norm.weight"):
        return values + 1
    if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
        return values.T
    return values


def stacked(weights: dict) -> dict:
    """The experts' matrices of a layer one behind the other, as the converter names them."""
    merged, experts = {}, {}
    for name, values in weights.items():
        found = re.fullmatch(r"model\.(layers\.\d+)\.block_sparse_moe\.experts\.(\d+)\.(w\d)\.weight", name)
        if found is None:
            merged[name] = values
        else:
            experts.setdefault(f"{found[1]}.feed_forward.experts.{found[3]}.weight", {})[int(found[2])] = values
    # By number: files may have expert 10 before expert 2.
    return merged | {name: np.stack([matrices[i] for i in sorted(matrices)]) for name, matrices in experts.items()}


def llama3_divisors(config: dict) -> np.ndarray:
    scaling = config["rope_scaling"]
    size = config["head_dim"]
    frequencies = 1.0 / config["rope_theta"] ** (np.arange(0, size, 2, dtype=np.float32) / size)
    low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    divisors = []
    for turn in 2 * np.pi / frequencies:
        share = (scaling["original_max_position_embeddings"] / turn - scaling["low_freq_factor"]) / (
            scaling["high_freq_factor"] - scaling["low_freq_factor"]
        )
        blended = 1 / ((1 - share) / scaling["factor"] + share)
        divisors.append(1 if turn < high else scaling["factor"] if turn > low else blended)
    return np.array(divisors, dtype=np.float32)


def add_config(writer: gguf.GGUFWriter, config: dict) -> None:
    heads = config.get("num_attention_heads", config.get("n_head"))
    width = config.get("hidden_size", config.get("n_embd"))
    writer.add_context_length(config.get("max_position_embeddings", config.get("n_positions")))
    writer.add_block_count(config.get("num_hidden_layers", config.get("n_layer")))
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config.get("intermediate_size", 4 * width))
    writer.add_head_count(heads)
    if "layer_norm_epsilon" in config:
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
        return
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    size = config.get("head_dim", width // heads)
    writer.add_rope_dimension_count(int(size * config.get("partial_rotary_factor", 1)))
    writer.add_key_length(config.get("head_dim", width // heads))
    writer.add_vocab_size(config["vocab_size"])
    add_later_config(writer, config)


def add_later_config(writer: gguf.GGUFWriter, config: dict) -> None:
    if config.get("sliding_window") and config["model_type"] != "qwen3":
        writer.add_sliding_window(config["sliding_window"])
    if config.get("attn_logit_softcapping"):
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if "num_local_experts" in config:
        writer.add_expert_count(config["num_local_experts"])
        writer.add_expert_used_count(config["num_experts_per_tok"])
    scaling = config.get("rope_scaling") or {}
    if "long_factor" in scaling:
        original = config["original_max_position_embeddings"]
        stretched = config["max_position_embeddings"] / original
        writer.add_rope_scaling_orig_ctx_len(original)
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretched) / math.log(original)))
        for kind in ("long", "short"):
            writer.add_tensor(f"rope_factors_{kind}.weight", np.array(scaling[f"{kind}_factor"], dtype=np.float32))
    elif scaling.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(scaling["factor"])


def add_tokenizer(writer: gguf.GGUFWriter, folder: Path, words: str | None, count: int) -> None:
    described = json.loads((folder / "tokenizer.json").read_text())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    ids = dict(described["model"]["vocab"])
    kinds = {}
    for token in described["added_tokens"]:
        ids[token["content"]] = token["id"]
        kinds[token["id"]] = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
    by_id = {identifier: token for token, identifier in ids.items()}
    tokens = [by_id.get(i, f"[PAD{i}]") for i in range(count)]
    for i, token in enumerate(tokens):
        if i not in by_id:
            kinds[i] = TokenType.UNUSED
        elif words is None and len(token) == 6 and token.startswith("<0x"):
            kinds[i] = TokenType.BYTE
    writer.add_tokenizer_model("llama" if words is None else "gpt2")
    writer.add_token_list(tokens)
    if words is None:
        from sentencepiece import SentencePieceProcessor

        pieces = SentencePieceProcessor(str(folder / "tokenizer.model"))
        writer.add_token_scores([pieces.get_score(i) for i in range(count)])
        kinds[pieces.unk_id()] = TokenType.UNKNOWN
        writer.add_unk_token_id(pieces.unk_id())
    else:
        writer.add_tokenizer_pre(words)
        merges = described["model"]["merges"]
        writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_token_types([kinds.get(i, TokenType.NORMAL) for i in range(count)])
    for role, add in (
        ("bos_token", writer.add_bos_token_id),
        ("eos_token", writer.add_eos_token_id),
        ("pad_token", writer.add_pad_token_id),
    ):
        token = settings.get(role)
        if token is not None:
            add(ids[token if isinstance(token, str) else token["content"]])
    if "chat_template" in settings:
        writer.add_chat_template(settings["chat_template"])


def make(name: str) -> None:
    folder, architecture, tokenizer, words, types = FIXTURES[name]
    source, target = GOLDENS / "decoders" / folder, GOLDENS / "gguf" / f"{name}.gguf"
    target.parent.mkdir(exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    weights = stacked(read_weights(source))
    names = gguf.get_tensor_name_map(architecture, config.get("num_hidden_layers", config.get("n_layer")))
    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[architecture])
    add_config(writer, config)
    add_tokenizer(writer, GOLDENS / "tokenizers" / tokenizer, words, config["vocab_size"])
    if (config.get("rope_scaling") or {}).get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(config))
    turn = itertools.cycle(types)
    for stored, values in weights.items():
        if stored.endswith((".attn.bias", ".attn.masked_bias")):  # masks that GPT-2 kept among its weights
            continue
        known = names.get_name(stored, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise RuntimeError(f"{name}: the package has no name for {stored}")
        values = np.ascontiguousarray(converted(architecture, stored, values, config))
        kind = next(turn) if values.ndim > 1 else Type.F32
        if kind in (Type.Q4_0, Type.Q4_1, Type.Q8_0) and values.shape[-1] % 32 != 0:
            kind = Type.F16
        writer.add_tensor(known, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{name:12} {target.stat().st_size / 1024:6.0f} KiB")


def print_sums(path: str) -> None:
    reader = gguf.GGUFReader(path)
    heads = reader.fields["llama.attention.head_count"].contents()
    key_heads = reader.fields["llama.attention.head_count_kv"].contents()
    sums = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("<f4")
        if ".attn_q." in tensor.name:
            values = in_order(values, heads)
        elif ".attn_k." in tensor.name:
            values = in_order(values, key_heads)
        sums[tensor.name] = hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
    print(json.dumps(sums, indent=0, sort_keys=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sums", metavar="FILE", help="print the SHA-256 of each tensor of a llama's file instead")
    parser.add_argument("names", nargs="*", help="fixtures to make; all of them if none is named")
    options = parser.parse_args()
    if options.sums:
        print_sums(options.sums)
        return 0
    for name in options.names or FIXTURES:
        make(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
