"""Checkpoint folders with random weights, in the layout and names of the hub."""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

HEADS = ("classifier", "qa_outputs", "discriminator_predictions", "out_proj")


def _is_rms_norm(module: torch.nn.Module) -> bool:
    """Gemma's store their weights less one, so that they are like biases."""
    kind = type(module).__name__
    return kind.endswith("RMSNorm") and not kind.startswith("Gemma")


def randomize(model: torch.nn.Module, seed: int, head_gain: float, words: float = 0.8) -> None:
    """Seeded values for every parameter: no bias is zero and no norm weight is one, so that leaving one out shows. `words` is the
    deviation of embeddings."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor: torch.Tensor, deviation: float) -> torch.Tensor:
        return torch.randn(tensor.shape, generator=generator) * deviation

    norms = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.LayerNorm) or _is_rms_norm(m)}
    tables = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    with torch.no_grad():
        for name, value in model.named_parameters():
            if id(value) in norms:
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
            elif value.dim() == 1:
                value.copy_(normal(value, 0.2))
            elif id(value) in tables:
                value.copy_(normal(value, 0.4 if "position" in name else words))
            else:
                gain = head_gain if any(head in name for head in HEADS) else 1.0
                value.copy_(normal(value, gain / value.shape[-1] ** 0.5))
    model.tie_weights()


def write_config(folder: Path, config: dict) -> None:
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def build(folder: Path, class_name: str, config: dict, seed: int, head_gain: float,
          words: float = 0.8) -> torch.nn.Module:
    """A model of the class with seeded weights, configured by the folder's own config.json."""
    path = folder / "reference"  # a config that the class reads, where the published one has other keys
    path.mkdir(exist_ok=True)
    write_config(path, config)
    read = transformers.AutoConfig.from_pretrained(path)
    shutil.rmtree(path)
    read._attn_implementation = "eager"
    model = getattr(transformers, class_name)(read).eval()
    randomize(model, seed, head_gain, words)
    return model


def save_weights(folder: Path, model: torch.nn.Module, dtype: str, shard_size: str | None, edit) -> None:
    """model.safetensors (or shards with an index) under the hub's names; `edit` maps the tensors to those written."""
    target = folder / "saved"
    model.to(getattr(torch, dtype)).save_pretrained(target, max_shard_size=shard_size or "50GB")
    for path in target.glob("model*"):
        if edit and path.suffix == ".safetensors":
            save_file(edit(load_file(path)), path, metadata={"format": "pt"})
        shutil.move(path, folder / path.name)
    shutil.rmtree(target)
    model.to(torch.float32)


def load_back(folder: Path, class_name: str, config: dict | None = None, unused: bool = False) -> torch.nn.Module:
    """The folder as Transformers reads it, in float32; every weight must be found and, but for `unused`, used."""
    options = {"dtype": torch.float32, "attn_implementation": "eager", "output_loading_info": True}
    if config:
        options["config"] = transformers.AutoConfig.for_model(**{k: v for k, v in config.items() if k != "torch_dtype"})
    model, info = getattr(transformers, class_name).from_pretrained(folder, **options)
    kinds = ["missing_keys", "mismatched_keys"] + ([] if unused else ["unexpected_keys"])
    wrong = {key: sorted(info[key]) for key in kinds if info[key]}
    if wrong:
        raise RuntimeError(f"{folder.name}: Transformers does not read the checkpoint back: {wrong}")
    return model.eval()
