"""What is measured: batches of token ids, without padding or of real sentences."""

import array
import dataclasses
import random
import subprocess
from pathlib import Path

import models
import tensors

SENTENCES_FILE = Path(__file__).resolve().parent / "sentences.txt"
SENTENCES = "sentences"        # the batch as users send it: peers pad it to its longest
SORTED = "sentences-sorted"    # the same, each peer with the size of sorted batches that suits it best
SPLITS = (1, 4, 8, 16)        # sentences a batch that peers may choose from
GRID_TOKENS = 16384            # batch times tokens; larger ones say nothing new and take minutes


@dataclasses.dataclass(frozen=True)
class Workload:
    model: str
    shape: str           # "8x128", SENTENCES or SORTED
    inputs: Path         # safetensors: input_ids, attention_mask, token_type_ids
    lengths: tuple[int, ...]

    @property
    def label(self) -> str:
        return f"{self.model} {self.shape}"

    @property
    def sentences(self) -> bool:
        return self.shape.startswith(SENTENCES)


# The table of docs/performance.md, by model.
STANDARD = {"bert-tiny": ("1x16",), models.MINILM: ("1x16", "1x128", "8x128", SENTENCES, SORTED),
            "bert-base": ("1x128",)}
WIDE = tuple(f"{batch}x{tokens}" for tokens in (16, 128, 512) for batch in (1, 8, 32) if batch * tokens <= GRID_TOKENS)


def shapes_of(model: str, shapes: list[str] | None, wide: bool) -> list[str]:
    """What to measure for a model: what was asked for, else the table, with `wide` the whole grid besides."""
    chosen = list(shapes or STANDARD[model]) + (list(WIDE) if wide else [])
    return [shape for shape in dict.fromkeys(chosen) if model == models.MINILM or not shape.startswith(SENTENCES)]


def workload(model: str, shape: str, program: Path, folder: Path) -> Workload:
    """Raises OSError or RuntimeError where the sentences cannot be turned into ids."""
    if shape.startswith(SENTENCES):
        path = models.CACHE / "inputs" / "sentences.safetensors"
        _write_sentences(path, program, folder)
    else:
        batch, tokens = (int(number) for number in shape.split("x"))
        path = models.CACHE / "inputs" / f"{batch}x{tokens}-random.safetensors"
        _write_random(path, batch, tokens)
    (rows, columns), mask = tensors.read(path, "attention_mask")
    return Workload(model, shape, path, tuple(sum(mask[i * columns:(i + 1) * columns]) for i in range(rows)))


def _write_random(path: Path, batch: int, tokens: int) -> None:
    """Seeded ordinary token ids without padding, under the names of Transformers' arguments."""
    source, count = random.Random(batch * 1000 + tokens), batch * tokens
    ids = array.array("q", (source.randrange(1000, 28000) for _ in range(count)))
    values = {"input_ids": ids, "attention_mask": array.array("q", [1]) * count,
              "token_type_ids": array.array("q", [0]) * count}
    tensors.write(path, {name: ("I64", (batch, tokens), each) for name, each in values.items()})


def _write_sentences(path: Path, program: Path, folder: Path) -> None:
    """The ids of sentences.txt, by our tokenizer: tests prove it equal to the one that peers use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name("sentences-made.safetensors")
    done = subprocess.run([program, "run", folder, "--input", SENTENCES_FILE, "--save-tensors", made, "--quiet"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the sentences have no ids: {done.stderr.strip()[:200]}")
    names = ("input_ids", "attention_mask", "token_type_ids")
    values = {name: tensors.read(made, f"inputs.{name}") for name in names}
    tensors.write(path, {name: ("I64", shape, each) for name, (shape, each) in values.items()})
    made.unlink()
