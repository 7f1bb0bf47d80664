"""Safetensors files read and written with nothing but Python, so that comparing needs no package of its own."""

import array
import json
import math
import sys
from pathlib import Path

CODES = {"F32": "f", "I64": "q", "BF16": "H"}  # dtype in the file -> type code of array


def write(path: Path, tensors: dict[str, tuple[str, tuple[int, ...], array.array]]) -> None:
    """Each tensor is (dtype, shape, values); the file appears whole or not at all."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, values) in tensors.items():
        if len(values) != math.prod(shape):
            raise ValueError(f"{name}: {len(values)} values for shape {list(shape)}")
        size = len(values) * values.itemsize
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, values in tensors.values():
            little_endian(values).tofile(file)
    partial.replace(path)


def as_bf16(values: array.array) -> array.array:
    """The upper halves of floats: what is cut off is of no matter for random numbers."""
    halves = memoryview(values).cast("B").cast("H")
    return array.array("H", halves[1::2] if sys.byteorder == "little" else halves[::2])


def read(path: Path, name: str) -> tuple[tuple[int, ...], array.array]:
    """Shape and values of one tensor, f32 or i64."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        values = array.array(CODES[entry["dtype"]])
        file.seek(8 + length + begin)
        values.frombytes(file.read(end - begin))
    return tuple(entry["shape"]), little_endian(values)


def little_endian(values: array.array) -> array.array:
    if sys.byteorder == "little":
        return values
    swapped = array.array(values.typecode, values)
    swapped.byteswap()
    return swapped
