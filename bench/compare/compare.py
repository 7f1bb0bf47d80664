#!/usr/bin/env python3
"""Measures ipfs-accelerate and its peers on the same folders and token ids, in turn, and prints one table.

Each contender runs in a process of its own with the same number of threads. Turns go round (A B C, then B C A, ...),
so that a change of the machine's speed falls on all of them; figures are medians over all turns, in milliseconds.
A ratio is the peer's median over ours: above 1 we are faster. When other processes took more than a tenth of a core
meanwhile, the row says so: wall time is an indication only then, above all with several threads that wait for each
other. `--figure cpu` with one thread shows processor time, which others hardly touch.
"""

import argparse
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import models

HERE = Path(__file__).resolve().parent
OURS = "ipfs-accelerate"
PEERS = ("pytorch", "onnxruntime", "ctranslate2")
SHAPES = ((1, 16), (1, 128), (8, 128), (32, 128), (1, 512))
WARM_UP, LEAST_RUNS, MOST_RUNS = 3, 3, 200
QUIET = 0.1  # cores that others may use before a row says so


class Unavailable(Exception):
    """A contender that cannot take part; the text says why."""


@dataclasses.dataclass
class Turn:
    """The runs of one turn in milliseconds (processor time where known), and the processor seconds of all it took."""

    wall: list[float]
    cpu: list[float]
    spent: float


class Peer:
    """A peer's process behind its line protocol (peers.py)."""

    def __init__(self, name: str, folder: Path, threads: int):
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1",
                       "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error", "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen([sys.executable, HERE / "peers.py", name, folder, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=environment)
        first = self._read()
        for reason in ("absent", "failed"):
            if reason in first:
                self.close()
                raise Unavailable(f"{reason}: {first[reason].splitlines()[0][:160]}")
        self.version = first["version"]

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise Unavailable(f"failed: ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, request: str) -> dict:
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self._read()

    def load(self, inputs: Path) -> None:
        self.ask(f"load {inputs}")
        self.ask(f"run {WARM_UP}")

    def run(self, count: int) -> Turn:
        reply = self.ask(f"run {count}")
        return Turn(reply["milliseconds"], reply["cpu_milliseconds"], sum(reply["cpu_milliseconds"]) / 1e3)

    def output(self) -> list[float] | None:
        return self.ask("output")["output"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """The program; a turn is a call with --repeat, which warms up before it measures."""

    def __init__(self, program: Path, folder: Path, threads: int):
        if not program.exists():
            raise Unavailable(f"absent: {program} is not built")
        self.command = [program, "run", folder, "--task", "embed", "--threads", str(threads), "--json", "--quiet"]
        version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=False)
        self.version = version.stdout.strip()

    def load(self, inputs: Path) -> None:
        self.inputs = inputs

    def run(self, count: int) -> Turn:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*self.command, "--inputs", self.inputs, "--repeat", str(count + WARM_UP)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise Unavailable(f"failed: {lines[0][:160]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        told = json.loads(done.stdout)
        return Turn(told["milliseconds"][WARM_UP:], told.get("cpu_milliseconds", [])[WARM_UP:], spent)

    def output(self) -> None:
        return None  # that ours is right is what `verify` shows

    def close(self) -> None:
        pass


def started(name: str, program: Path, folder: Path, threads: int):
    return Ours(program, folder, threads) if name == OURS else Peer(name, folder, threads)


def busy_seconds() -> float:
    """Processor seconds that all processes of this machine have used."""
    user, low_priority, system = Path("/proc/stat").read_text().split(maxsplit=4)[1:4]
    return (int(user) + int(low_priority) + int(system)) / os.sysconf("SC_CLK_TCK")


def take_turns(contenders: dict, rounds: int, seconds: float) -> tuple[dict[str, dict[str, float]], float]:
    """The figures of every contender, turns lasting about `seconds`; and how many cores others used meanwhile."""
    counts = {}
    for name, contender in contenders.items():
        typical = statistics.median(contender.run(LEAST_RUNS).wall)
        counts[name] = max(LEAST_RUNS, min(MOST_RUNS, int(seconds * 1e3 / typical)))
    turns = {name: [] for name in contenders}
    order, own, busy, begin = list(contenders), 0.0, busy_seconds(), time.monotonic()
    for _ in range(rounds):
        for name in order:
            time.sleep(0.05)  # idle threads of the one before spin for a while
            turns[name].append(contenders[name].run(counts[name]))
            own += turns[name][-1].spent
        order = order[1:] + order[:1]
    others = max(0.0, (busy_seconds() - busy - own) / (time.monotonic() - begin))
    return {name: figures(of_one) for name, of_one in turns.items()}, others


def figures(turns: list[Turn]) -> dict[str, float]:
    wall = [value for turn in turns for value in turn.wall]
    cpu = [value for turn in turns for value in turn.cpu]
    known = {"median": statistics.median(wall), "least": min(wall), "runs": len(wall)}
    return {**known, "cpu": statistics.median(cpu)} if cpu else known


def disagreement(contenders: dict) -> str | None:
    """What the peers' vectors say of each other: the same model must be running everywhere."""
    vectors = {name: vector for name, c in contenders.items() if (vector := c.output()) is not None}
    first = next(iter(vectors), None)
    for name, vector in vectors.items():
        size = max(abs(value) for value in vectors[first])
        worst = max(abs(a - b) for a, b in zip(vector, vectors[first]))
        if worst > 1e-3 * size:
            return f"{name} and {first} differ by {worst / size:.1e} of the largest value"
    return None


def measure(model: str, folder: Path, threads: int, options, absent: dict) -> list[dict]:
    contenders, rows = {}, []
    for name in options.contenders:
        try:
            contenders[name] = started(name, options.program, folder, threads)
        except Unavailable as why:
            absent[name] = str(why)
    for batch, tokens in options.shapes:
        inputs = models.write_inputs(batch, tokens)
        for name in list(contenders):
            try:
                contenders[name].load(inputs)
                contenders[name].run(1)
            except Unavailable as why:
                absent[name] = str(why)
                del contenders[name]
        if not contenders:
            break
        times, others = take_turns(contenders, options.rounds, options.seconds)
        row = {"model": model, "batch": batch, "tokens": tokens, "threads": threads, "other_cores": others,
               "times": times, "versions": {name: contender.version for name, contender in contenders.items()}}
        if differs := disagreement(contenders):
            row["warning"] = differs
        rows.append(row)
        print_row(row, options.contenders, options.figure)
    for contender in contenders.values():
        contender.close()
    return rows


def print_header(contenders: list[str]) -> None:
    print(f"{'model':10} {'shape':>7} {'threads':>7}" + "".join(f" {name:>20}" for name in contenders))


def print_row(row: dict, contenders: list[str], figure: str) -> None:
    cells, ours = "", row["times"].get(OURS)
    for name in contenders:
        cell = "-"
        if figure in row["times"].get(name, ()):
            value = row["times"][name][figure]
            cell = f"{value:.2f} ms"
            cell += f" {value / ours[figure]:6.2f}x" if ours and figure in ours and name != OURS else " " * 8
        cells += f" {cell:>20}"
    shape = f"{row['batch']}x{row['tokens']}"
    busy = f"   others used {row['other_cores']:.1f} cores" if row["other_cores"] > QUIET else ""
    print(f"{row['model']:10} {shape:>7} {row['threads']:7}{cells}{busy}", flush=True)
    if "warning" in row:
        print(f"  WARNING: {row['warning']}", flush=True)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])

    def names(text: str) -> list[str]:
        return text.split(",")

    def shapes(text: str) -> list[tuple[int, int]]:
        return [tuple(int(number) for number in shape.split("x")) for shape in text.split(",")]

    parser.add_argument("--models", type=names, default=list(models.NAMES), help="of: " + ", ".join(models.NAMES))
    parser.add_argument("--shapes", type=shapes, default=list(SHAPES), help="batch x tokens, such as 1x16,8x128")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--contenders", type=names, default=[OURS, *PEERS])
    parser.add_argument("--program", type=Path, default=models.ROOT / "build" / "release" / "ipfs-accelerate")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=0.25, help="length of a turn")
    parser.add_argument("--figure", choices=["median", "least", "cpu"], default="median", help="what the table shows")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args(arguments)


def main() -> int:
    options = parsed(sys.argv[1:])
    rows, absent = [], {}
    print(f"{options.figure} of {options.rounds} turns; behind a peer its time over ours (above 1: ours is faster)")
    print_header(options.contenders)
    for model in options.models:
        folder = models.folder_of(model)
        if folder is None:
            print(f"{model}: absent: it could not be fetched")
            continue
        for threads in options.threads:
            rows += measure(model, folder, threads, options, absent)
    for name, why in absent.items():
        print(f"{name} {why}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if rows else 3


if __name__ == "__main__":
    sys.exit(main())
