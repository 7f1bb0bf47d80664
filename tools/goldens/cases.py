"""A case of a fixture: raw input, tensors, expected result; and how it is written to `golden/`."""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

INPUT_NAMES = ("input_ids", "token_type_ids", "attention_mask")


@dataclasses.dataclass
class Case:
    """One call of the reference. `margin` is the smallest lead by which a discrete part of the result was decided."""

    name: str
    task: str
    call: str
    input: dict
    expected: dict
    inputs: dict[str, torch.Tensor]
    outputs: dict[str, torch.Tensor]
    settings: dict = dataclasses.field(default_factory=dict)
    file: str = ""  # tensors of another case, where several cases differ in settings only
    margin: float = float("inf")


def rounded(value):
    """Seven significant digits, which is what float32 holds, through lists and dicts."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _described(prefix: str, tensors: dict[str, torch.Tensor]) -> list[dict]:
    return [
        {"name": f"{prefix}.{name}", "shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in tensors.items()
    ]


def _written(case: Case) -> dict:
    fields = ("name", "task", "call", "input")
    record = {field: getattr(case, field) for field in fields}
    record.update(preprocess={}, settings=case.settings, expected=rounded(case.expected))
    record["tensors"] = {
        "file": f"golden/{case.file or case.name}.safetensors",
        "inputs": _described("inputs", case.inputs),
        "outputs": _described("outputs", case.outputs),
    }
    return record


def write_cases(folder: Path, class_name: str, note: str, cases: list[Case]) -> None:
    """Writes golden/cases.json and one tensor file a case (none for a case that names another's)."""
    golden = folder / "golden"
    golden.mkdir(parents=True, exist_ok=True)
    for case in cases:
        if not case.file:
            tensors = {f"inputs.{name}": tensor for name, tensor in case.inputs.items()}
            tensors.update({f"outputs.{name}": tensor for name, tensor in case.outputs.items()})
            save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()},
                      golden / f"{case.name}.safetensors")
    record = {
        "fixture": folder.name,
        "transformers_class": class_name,
        "set": "public",
        "config_layout": "hub",
        "note": note,
        "cases": [_written(case) for case in cases],
    }
    (golden / "cases.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
