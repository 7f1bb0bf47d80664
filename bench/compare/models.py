"""The checkpoint folders that are measured: the real MiniLM, and BERT sizes with seeded random weights.

Dense arithmetic costs the same for random weights as for trained ones; only the quality of a lower precision needs
real ones.
"""

import array
import functools
import hashlib
import json
import os
import random
import subprocess
from pathlib import Path

import tensors

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("COMPARE_CACHE", ROOT / "build" / "compare"))  # models, inputs, conversions
SIZES = {  # layers, hidden size, heads, intermediate size
    "bert-tiny": (2, 128, 2, 512),
    "bert-base": (12, 768, 12, 3072),
}
MINILM = "minilm"
NAMES = ("bert-tiny", MINILM, "bert-base")
VOCABULARY, POSITIONS = 30522, 512
# Weights are windows into one seeded list: making 110 million numbers one by one would take minutes. Its length is
# prime, so that no two rows of a matrix are the same.
DISTINCT = 1_000_003


def _config(layers: int, hidden: int, heads: int, intermediate: int) -> dict:
    return {"architectures": ["BertModel"], "model_type": "bert", "attention_probs_dropout_prob": 0.1,
            "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": hidden, "initializer_range": 0.02,
            "intermediate_size": intermediate, "layer_norm_eps": 1e-12, "max_position_embeddings": POSITIONS,
            "num_attention_heads": heads, "num_hidden_layers": layers, "pad_token_id": 0,
            "position_embedding_type": "absolute", "torch_dtype": "float32", "type_vocab_size": 2,
            "vocab_size": VOCABULARY}


def _shapes(layers: int, hidden: int, intermediate: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of BERT's tensors, without a prefix, as sentence-embedding checkpoints store them."""
    shapes = {"embeddings.word_embeddings.weight": (VOCABULARY, hidden),
              "embeddings.position_embeddings.weight": (POSITIONS, hidden),
              "embeddings.token_type_embeddings.weight": (2, hidden)}
    linear = {"pooler.dense": (hidden, hidden)}
    norms = ["embeddings.LayerNorm"]
    for i in range(layers):
        layer = f"encoder.layer.{i}"
        linear.update({f"{layer}.attention.self.{name}": (hidden, hidden) for name in ("query", "key", "value")})
        linear[f"{layer}.attention.output.dense"] = (hidden, hidden)
        linear[f"{layer}.intermediate.dense"] = (intermediate, hidden)
        linear[f"{layer}.output.dense"] = (hidden, intermediate)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name, shape in linear.items():
        shapes.update({f"{name}.weight": shape, f"{name}.bias": shape[:1]})
    for name in norms:
        shapes.update({f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)})
    return shapes


class Weights:
    """Normal numbers of deviation 0.02; each call goes on where the one before stopped."""

    def __init__(self):
        source = random.Random(0)
        self.distinct = array.array("f", (source.gauss(0, 0.02) for _ in range(DISTINCT)))
        self.next = 0

    def take(self, count: int) -> array.array:
        begin = self.next
        self.next = (begin + count) % DISTINCT
        return (self.distinct * ((begin + count) // DISTINCT + 1))[begin:begin + count]


def _write_random(name: str, folder: Path, minilm: Path | None) -> None:
    layers, hidden, heads, intermediate = SIZES[name]
    weights, made = Weights(), {}
    for tensor, shape in _shapes(layers, hidden, intermediate).items():
        values = weights.take(shape[0] * (shape[1] if len(shape) > 1 else 1))
        if tensor.endswith("LayerNorm.weight"):
            values = array.array("f", (1 + value for value in values))
        made[tensor] = ("F32", shape, values)
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if minilm and (minilm / file).exists():  # the same vocabulary; without it the folder still runs on tensors
            (folder / file).write_bytes((minilm / file).read_bytes())
    (folder / "config.json").write_text(json.dumps(_config(layers, hidden, heads, intermediate), indent=2) + "\n")
    tensors.write(folder / "model.safetensors", made)


@functools.cache
def fetch_minilm() -> Path | None:
    """The folder of the real all-MiniLM-L6-v2: ACCELERATE_MINILM, or downloaded once; None when it cannot be had."""
    if known := os.environ.get("ACCELERATE_MINILM"):
        return Path(known)
    done = subprocess.run([ROOT / "tools" / "fetch_minilm.sh"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def folder_of(name: str) -> Path | None:
    """The checkpoint folder of one of NAMES, made when it is missing; None when it cannot be had."""
    minilm = fetch_minilm()
    if name == MINILM:
        return minilm
    folder = CACHE / "models" / f"{name}-random"
    if not (folder / "model.safetensors").exists():
        _write_random(name, folder, minilm)
    return folder


def converted(folder: Path, kind: str) -> Path:
    """Where a conversion of a checkpoint is kept: by its content, so that none serves another model."""
    weights = folder / "model.safetensors"
    with weights.open("rb") as file:
        begin = file.read(1 << 20)
    digest = hashlib.sha256((folder / "config.json").read_bytes() + begin + str(weights.stat().st_size).encode())
    return CACHE / "converted" / f"{folder.name}-{digest.hexdigest()[:12]}" / kind
