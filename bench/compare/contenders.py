"""Who is measured, and how each is run: ours through its program, a peer through its own process (peers.py).

All take part in the same protocol: load a batch; then, turn by turn, WARM_UP calls that nobody times and a number of
calls that are timed one by one, from tensors in memory to sentence vectors.
"""

import contextlib
import dataclasses
import importlib.util
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine
import models
import tensors

HERE = Path(__file__).resolve().parent
WARM_UP = 3
RECORDS = models.CACHE / "records.sqlite"
STARTS = 7  # of our program, for the time from start to answer
PATIENCE = 900  # seconds until a contender that does not answer is given up


class Unavailable(Exception):
    """A contender that cannot take part; the text says why."""


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    precision: str
    what: str
    library: str = ""            # the Python package of a peer; ours has none
    conversions: tuple[str, ...] = ()  # made before, in this order, never counted
    device: str = "cpu"          # of ours

    @property
    def ours(self) -> bool:
        return not self.library


OURS = "ipfs-accelerate"
OUTPUT = "sentence_embedding"  # all that embedding computes
CONTENDERS = {each.name: each for each in (
    Contender(OURS, "f32", "this project"),
    Contender(f"{OURS}-bf16", "bf16", "this project"),
    Contender(f"{OURS}-int8", "int8", "this project"),
    Contender(f"{OURS}-onnxruntime", "f32", "this project's graph in ONNX Runtime", device="onnx"),
    Contender(f"{OURS}-openvino", "f32", "this project's graph in OpenVINO", device="openvino"),
    Contender("pytorch", "f32", "Transformers' model, eager", "torch"),
    Contender("pytorch-bf16", "bf16", "the same, loaded as bfloat16", "torch"),
    Contender("pytorch-int8", "int8", "the same, linear layers by quantize_dynamic", "torch"),
    Contender("onnxruntime", "f32", "exported by PyTorch", "onnxruntime", ("onnx",)),
    Contender("onnxruntime-fused", "f32", "the same after its own transformer optimizer", "onnxruntime",
              ("onnx", "onnx-fused")),
    Contender("onnxruntime-int8", "int8", "exported, quantize_dynamic per channel", "onnxruntime",
              ("onnx", "onnx-int8")),
    Contender("onnxruntime-fused-int8", "int8", "fused, then quantize_dynamic per channel", "onnxruntime",
              ("onnx", "onnx-fused", "onnx-fused-int8")),
    Contender("openvino", "f32", "converted from PyTorch, told to stay in f32", "openvino", ("openvino",)),
    Contender("openvino-bf16", "bf16", "the same, told to use bf16", "openvino", ("openvino",)),
    Contender("openvino-int8", "int8", "weights compressed by nncf, the rest as it chooses", "openvino",
              ("openvino", "openvino-int8")),
    Contender("openvino-static-int8", "int8", "weights and activations quantised by nncf, calibrated", "openvino",
              ("openvino", "openvino-static-int8")),
    Contender("ctranslate2", "f32", "its own conversion", "ctranslate2", ("ctranslate2",)),
    Contender("ctranslate2-bf16", "bf16", "the same, bfloat16", "ctranslate2", ("ctranslate2",)),
    Contender("ctranslate2-int8", "int8", "the same, int8", "ctranslate2", ("ctranslate2",)),
)}


@dataclasses.dataclass
class Turn:
    """The timed calls of one turn in milliseconds (processor time where known), and the processor seconds of all."""

    wall: list[float]
    cpu: list[float]
    spent: float


def environment(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ACCELERATE_THREADS")
    return {**os.environ, **{name: str(threads) for name in names}, "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"}


def runtimes() -> dict[str, str]:
    """Where ours finds the libraries of the peers that it can run its graph in, unless something says otherwise."""
    found = {}
    for variable, package, folder in (("ACCELERATE_ONNXRUNTIME", "onnxruntime", "capi"),
                                      ("ACCELERATE_OPENVINO", "openvino", "libs")):
        place = importlib.util.find_spec(package)
        if place and place.submodule_search_locations and variable not in os.environ:
            found[variable] = str(Path(place.submodule_search_locations[0]) / folder)
    return found


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Peer:
    """A peer's process behind its line protocol (peers.py). It stays while others have their turns, asleep."""

    def __init__(self, contender: Contender, folder: Path, threads: int):
        if not importlib.util.find_spec(contender.library):
            raise Unavailable(f"absent: {contender.library} is not installed")
        self.convert(contender, folder)
        self.complaints = tempfile.TemporaryFile(mode="w+", errors="replace")
        begin = time.monotonic()
        self.process = subprocess.Popen([sys.executable, HERE / "peers.py", contender.name, folder, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints,
                                        text=True, env=environment(threads), start_new_session=True,
                                        preexec_fn=lambda: machine.pin(threads))
        first = self._read()
        if "ready" not in first:
            self.close()
            raise Unavailable(told(first))
        self.version = first["version"]
        self.start_milliseconds = (time.monotonic() - begin) * 1e3

    @staticmethod
    def convert(contender: Contender, folder: Path) -> None:
        for kind in contender.conversions:
            done = subprocess.run([sys.executable, HERE / "convert.py", kind, folder], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace", check=False,
                                  env=environment(len(machine.allowed())), start_new_session=True)
            lines = done.stdout.strip().splitlines() or ["{}"]
            answer = json.loads(lines[-1])
            if "ready" not in answer:
                raise Unavailable(told(answer) if answer else f"failed: {last_line(done.stderr)}")

    def _read(self) -> dict:
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            status = self.process.wait()
            self.complaints.seek(0)
            raise Unavailable(f"failed: ended with status {status}: {last_line(self.complaints.read())}")
        return json.loads(line)

    def ask(self, request: str) -> dict:
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended; reading says how
        answer = self._read()
        if "failed" in answer:
            raise Unavailable(told(answer))
        return answer

    def load(self, inputs: Path, split: int) -> None:
        self.ask(f"load {split} {inputs}")

    def run(self, count: int) -> Turn:
        reply = self.ask(f"run {WARM_UP} {count}")
        return Turn(reply["milliseconds"], reply["cpu_milliseconds"], reply["spent"])

    def vectors(self) -> list[list[float]]:
        return self.ask("vectors")["vectors"]

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Ours:
    """The program; a turn is a call of its own that opens the model, which is not counted, and warms up."""

    def __init__(self, contender: Contender, program: Path, folder: Path, threads: int):
        if not program.exists():
            raise Unavailable(f"absent: {program.name} is not built")
        self.program, self.folder, self.threads = program, folder, threads
        self.options = ["--precision", contender.precision, "--threads", str(threads), "--task", "embed",
                        "--device", contender.device]
        self.environment = {**environment(threads), **runtimes(), "ACCELERATE_RECORDS": str(RECORDS)}
        if contender.precision != "f32":
            self.find_kept_layers(contender.precision)
        version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=False)
        self.version = next(iter(version.stdout.strip().splitlines()), "")
        self.start_milliseconds = self.start()

    def _call(self, *arguments) -> dict:
        done = subprocess.run([self.program, *arguments, *self.options, "--json", "--quiet"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, env=self.environment,
                              start_new_session=True, preexec_fn=lambda: machine.pin(self.threads))
        if done.returncode != 0:
            complaint = next(iter(done.stderr.strip().splitlines()), f"status {done.returncode}")
            raise Unavailable(("cannot: " if done.returncode == 6 else "failed: ") + complaint[:160])
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise Unavailable(f"failed: its answer is no JSON: {error}") from error

    def find_kept_layers(self, precision: str) -> None:
        """What a user does once for a model, as peers are calibrated: records tell later which layers to keep.

        It compares with our own f32 on sentences of its own. Random weights are not judged: then nothing is kept.
        """
        subprocess.run([self.program, "verify", self.folder, "--precision", precision, "--quiet"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment,
                       start_new_session=True)

    def start(self) -> float:
        """Milliseconds from starting the program to the printed vector of one sentence; files are warm by then."""
        times = []
        for _ in range(STARTS):
            begin = time.monotonic()
            self._call("run", self.folder, "A sentence.")
            times.append((time.monotonic() - begin) * 1e3)
        return statistics.median(times)

    def load(self, inputs: Path, _split: int) -> None:
        self.inputs = inputs  # padding costs us nothing, so that there is nothing to split

    def run(self, count: int) -> Turn:
        before = children_seconds()
        answer = self._call("run", self.folder, "--inputs", self.inputs, "--tensors", OUTPUT,
                            "--repeat", str(count + WARM_UP))
        spent = children_seconds() - before
        return Turn(answer["milliseconds"][WARM_UP:], answer.get("cpu_milliseconds", [])[WARM_UP:], spent)

    def vectors(self) -> list[list[float]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "vectors.safetensors")
            self._call("run", self.folder, "--inputs", self.inputs, "--tensors", OUTPUT, "--save-tensors", path)
            (rows, columns), values = tensors.read(path, OUTPUT)
        return [list(values[i * columns:(i + 1) * columns]) for i in range(rows)]

    def close(self) -> None:
        pass


def started(contender: Contender, program: Path, folder: Path, threads: int) -> "Ours | Peer":
    """Raises Unavailable."""
    return Ours(contender, program, folder, threads) if contender.ours else Peer(contender, folder, threads)


def told(answer: dict) -> str:
    state = next(state for state in ("absent", "cannot", "failed") if state in answer)
    return f"{state}: {next(iter(answer[state].splitlines()), '')[:160]}"


def last_line(text: str) -> str:
    return next((line.strip()[:160] for line in reversed(text.splitlines()) if line.strip()), "without a word")


def selected(patterns: list[str]) -> list[Contender]:
    """The contenders whose names match: exactly, or as far as a `*`. Raises ValueError where none does."""
    chosen = []
    for pattern in patterns:
        expression = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        found = [each for each in CONTENDERS.values() if expression.fullmatch(each.name)]
        if not found:
            raise ValueError(f"no contender {pattern!r}; there are {', '.join(CONTENDERS)}")
        chosen += [each for each in found if each not in chosen]
    return chosen
