"""One peer in one process: loads a folder, then answers lines of stdin with one line of JSON each.

    python peers.py PEER FOLDER THREADS

    load N FILE   a batch for the next runs, cut into batches of N sentences sorted by length; 0: as it is
    run W N       W runs that warm up and N that are timed one by one
                  -> {"milliseconds": [...], "cpu_milliseconds": [...], "spent": processor seconds of all}
    vectors       -> {"vectors": [[...], ...]}, a row for each sentence

What is timed is the model and mean pooling, from token ids in memory to sentence vectors.
"""

import contextlib
import importlib.metadata
import json
import sys
import time
from pathlib import Path

from contenders import CONTENDERS
from models import converted


class Cannot(Exception):
    """What this machine or library does not do."""


class PyTorch:
    """Transformers' model as a user gets it: eager execution, its default attention."""

    def __init__(self, folder: Path, threads: int, precision: str):
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.torch = torch
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.model = transformers.AutoModel.from_pretrained(folder, dtype=dtype).eval()
        if precision == "int8":
            self.model = torch.ao.quantization.quantize_dynamic(self.model, {torch.nn.Linear}, dtype=torch.qint8)

    def prepare(self, batch: dict):
        return {name: self.torch.from_numpy(value) for name, value in batch.items()}

    def run(self, batch):
        with self.torch.inference_mode():
            hidden = self.model(**batch).last_hidden_state
            weights = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            return ((hidden * weights).sum(1) / weights.sum(1)).float().numpy()


class OnnxRuntime:
    """An exported model; all graph optimisations, the CPU provider."""

    def __init__(self, model: Path, threads: int):
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(model / "model.onnx", options, providers=["CPUExecutionProvider"])
        self.names = {value.name for value in self.session.get_inputs()}

    def prepare(self, batch: dict):
        return {name: value for name, value in batch.items() if name in self.names}

    def run(self, batch):
        return self.session.run(None, batch)[0]


class OpenVino:
    """A converted model on its CPU plugin. f32 is asked for twice: by itself it computes in bf16 where it can."""

    def __init__(self, model: Path, threads: int, precision: str):
        import openvino

        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if precision == "f32":
            settings |= {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}
        if precision == "bf16":
            if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                raise Cannot("this processor has no bf16 instructions for it")
            settings["INFERENCE_PRECISION_HINT"] = "bf16"
        compiled = core.compile_model(core.read_model(model / "model.xml"), "CPU", settings)
        self.names = {name for port in compiled.inputs for name in port.names}
        self.request = compiled.create_infer_request()

    def prepare(self, batch: dict):
        return {name: value for name, value in batch.items() if name in self.names}

    def run(self, batch):
        return self.request.infer(batch, share_inputs=True, share_outputs=True)[0]


class CTranslate2:
    """The model by its own converter, stored in f32; the lower precision is made at loading, as it is for users."""

    TYPES = {"f32": "float32", "bf16": "bfloat16", "int8": "int8"}

    def __init__(self, model: Path, threads: int, precision: str):
        import ctranslate2

        if self.TYPES[precision] not in ctranslate2.get_supported_compute_types("cpu"):
            raise Cannot(f"{self.TYPES[precision]} is not among what it supports on this processor")
        self.library = ctranslate2
        self.model = ctranslate2.Encoder(str(model), device="cpu", compute_type=self.TYPES[precision],
                                         inter_threads=1, intra_threads=threads)

    def prepare(self, batch: dict):
        import numpy

        view = self.library.StorageView.from_array
        mask = batch["attention_mask"]
        return (view(batch["input_ids"].astype(numpy.int32)), view(mask.sum(1).astype(numpy.int32)),
                mask[..., None].astype(numpy.float32))

    def run(self, batch):
        import numpy

        ids, lengths, weights = batch
        hidden = numpy.asarray(self.model.forward_batch(ids, lengths).last_hidden_state)
        return (hidden * weights).sum(1) / weights.sum(1)


def loaded(name: str, folder: Path, threads: int):
    contender = CONTENDERS[name]
    if contender.library == "torch":
        return PyTorch(folder, threads, contender.precision)
    model = converted(folder, contender.conversions[-1])
    if contender.library == "onnxruntime":
        return OnnxRuntime(model, threads)
    return {"openvino": OpenVino, "ctranslate2": CTranslate2}[contender.library](model, threads, contender.precision)


class Batches:
    """A padded batch, whole or cut into sorted smaller ones, each padded only to its own longest sentence."""

    def __init__(self, peer, path: str, size: int):
        import numpy
        from safetensors.numpy import load_file

        self.peer, tensors = peer, load_file(path)
        lengths = tensors["attention_mask"].sum(1)
        order = numpy.argsort(lengths, kind="stable") if size else numpy.arange(len(lengths))
        size = size or len(lengths)
        self.back = numpy.argsort(order) if size < len(lengths) else None
        self.batches = []
        for begin in range(0, len(order), size):
            rows = order[begin:begin + size]
            longest = lengths[rows].max() if self.back is not None else lengths.max()
            self.batches.append(peer.prepare({name: numpy.ascontiguousarray(value[rows, :longest])
                                              for name, value in tensors.items()}))

    def run(self):
        import numpy

        if self.back is None:
            return self.peer.run(self.batches[0])
        # A copy, because a library may reuse the memory of its answer for the next one.
        return numpy.concatenate([numpy.array(self.peer.run(batch)) for batch in self.batches])[self.back]


def milliseconds(call) -> tuple[float, float]:
    """On the wall, and of processor time in all threads."""
    start, spent = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - start) * 1e3, (time.process_time() - spent) * 1e3


class Answers:
    def __init__(self, peer):
        self.peer = peer

    def answer(self, line: str) -> dict:
        verb, *rest = line.strip().split(" ", 2)
        if verb == "load":
            self.batches = Batches(self.peer, rest[1], int(rest[0]))
            return {"ready": True}
        if verb == "run":
            before = time.process_time()
            for _ in range(int(rest[0])):
                self.batches.run()
            times = [milliseconds(self.batches.run) for _ in range(int(rest[1]))]
            return {"milliseconds": [wall for wall, _ in times], "cpu_milliseconds": [cpu for _, cpu in times],
                    "spent": time.process_time() - before}
        if verb == "vectors":
            return {"vectors": self.batches.run().tolist()}
        raise ValueError(f"no verb {verb!r}")


def first_answer(name: str, folder: Path, threads: int) -> tuple[object, dict]:
    library = CONTENDERS[name].library
    try:
        peer = loaded(name, folder, threads)
        return peer, {"ready": True, "version": f"{library} {importlib.metadata.version(library)}"}
    except ImportError as error:
        return None, {"absent": f"{error.name or error} is not installed"}
    except Cannot as why:
        return None, {"cannot": str(why)}
    except Exception as error:  # the table says what went wrong with this peer and goes on with the others
        return None, {"failed": f"{type(error).__name__}: {error}"}


def main() -> None:
    name, folder, threads = sys.argv[1:]
    replies = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints stays out of the protocol
        peer, first = first_answer(name, Path(folder).resolve(), int(threads))
        print(json.dumps(first), file=replies, flush=True)
        answers = Answers(peer)
        for line in sys.stdin if peer else ():
            try:
                reply = answers.answer(line)
            except Exception as error:
                reply = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
