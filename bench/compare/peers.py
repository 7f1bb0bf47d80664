"""One peer in one process: loads a folder, then answers lines of stdin with one line of JSON each.

    python peers.py PEER FOLDER THREADS

    load FILE     inputs for the next runs             -> {"ready": true}
    run N         N runs, timed one by one             -> {"milliseconds": [...], "cpu_milliseconds": [...]}
    output        the pooled vectors' first 8 values   -> {"output": [...]}

What is timed is the model and mean pooling, from token ids to sentence vectors.
"""

import contextlib
import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def mean_pooled(hidden, mask):
    weights = mask[..., None].astype(np.float32)
    return (hidden * weights).sum(1) / weights.sum(1)


class PyTorch:
    """Transformers' model as a user gets it: eager execution, its default attention, float32."""

    package = "torch"

    def __init__(self, folder: str, threads: int):
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.torch = torch
        self.model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def load(self, inputs: dict) -> None:
        self.inputs = {name: self.torch.from_numpy(value) for name, value in inputs.items()}

    def run(self):
        with self.torch.inference_mode():
            hidden = self.model(**self.inputs).last_hidden_state
            weights = self.inputs["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            return (hidden * weights).sum(1) / weights.sum(1)


class OnnxRuntime:
    """The same model exported once by PyTorch; all graph optimisations, the CPU provider."""

    package = "onnxruntime"

    def __init__(self, folder: str, threads: int):
        import onnxruntime

        path = self.exported(Path(folder))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = {value.name for value in self.session.get_inputs()}

    @staticmethod
    def exported(folder: Path) -> str:
        path = converted(folder, "onnx") / "model.onnx"
        if path.exists():
            return str(path)
        import torch
        import transformers

        class Embed(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32)

            def forward(self, input_ids, attention_mask, token_type_ids):
                hidden = self.model(input_ids=input_ids, attention_mask=attention_mask,
                                    token_type_ids=token_type_ids).last_hidden_state
                weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
                return (hidden * weights).sum(1) / weights.sum(1)

        path.parent.mkdir(parents=True, exist_ok=True)
        names = ["input_ids", "attention_mask", "token_type_ids"]
        tensors = tuple(torch.ones(2, 24, dtype=torch.int64) for _ in names)
        with torch.no_grad():
            torch.onnx.export(Embed().eval(), tensors, str(path), input_names=names, dynamo=False, opset_version=17,
                              dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names})
        return str(path)

    def load(self, inputs: dict) -> None:
        self.inputs = {name: value for name, value in inputs.items() if name in self.names}

    def run(self):
        return self.session.run(None, self.inputs)[0]


class CTranslate2:
    """The same model converted once by its own converter, float32."""

    package = "ctranslate2"

    def __init__(self, folder: str, threads: int):
        import ctranslate2

        target = converted(Path(folder), "ctranslate2")
        if not (target / "model.bin").exists():
            ctranslate2.converters.TransformersConverter(folder).convert(str(target), force=True)
        self.library = ctranslate2
        self.model = ctranslate2.Encoder(str(target), device="cpu", compute_type="float32", inter_threads=1,
                                         intra_threads=threads)

    def load(self, inputs: dict) -> None:
        view = self.library.StorageView.from_array
        self.mask = inputs["attention_mask"]
        self.ids = view(inputs["input_ids"].astype(np.int32))
        self.lengths = view(self.mask.sum(1).astype(np.int32))

    def run(self):
        return mean_pooled(np.asarray(self.model.forward_batch(self.ids, self.lengths).last_hidden_state), self.mask)


PEERS = {"pytorch": PyTorch, "onnxruntime": OnnxRuntime, "ctranslate2": CTranslate2}


def converted(folder: Path, kind: str) -> Path:
    """Where a conversion is kept: by model and kind, beside the inputs."""
    from models import CACHE

    size = (folder / "model.safetensors").stat().st_size
    return CACHE / "converted" / f"{folder.name}-{size}" / kind


def milliseconds(call) -> tuple[float, float]:
    """On the wall, and of processor time in all threads."""
    start, spent = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - start) * 1e3, (time.process_time() - spent) * 1e3


def answer(peer, line: str) -> dict:
    verb, _, rest = line.strip().partition(" ")
    if verb == "load":
        peer.load(load_file(rest))
        return {"ready": True}
    if verb == "run":
        times = [milliseconds(peer.run) for _ in range(int(rest))]
        return {"milliseconds": [wall for wall, _ in times], "cpu_milliseconds": [cpu for _, cpu in times]}
    if verb == "output":
        return {"output": np.asarray(peer.run(), dtype=np.float64).ravel()[:8].tolist()}
    raise ValueError(f"no verb {verb!r}")


def main() -> None:
    name, folder, threads = sys.argv[1:]
    replies = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints stays out of the protocol
        try:
            peer = PEERS[name](folder, int(threads))
            first = {"ready": True, "version": importlib.metadata.version(PEERS[name].package)}
        except ImportError as error:
            first = {"absent": str(error)}
        except Exception as error:  # the table says what went wrong with this peer and goes on with the others
            first = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(first), file=replies, flush=True)
        for line in sys.stdin if "ready" in first else ():
            print(json.dumps(answer(peer, line)), file=replies, flush=True)


if __name__ == "__main__":
    main()
