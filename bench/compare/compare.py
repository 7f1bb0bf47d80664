#!/usr/bin/env python3
"""Measures ipfs-accelerate and its peers on the same folders and token ids, in turn, and says which goals are reached.

Each contender runs in a process of its own, on as many processors as it has threads. Turns go round (A B C, then
B C A, ...), so that a change of the machine's speed falls on all of them. A ratio is the other's time over ours in the
same round: above 1 we are faster. When others took more than a tenth of a processor meanwhile, the row says so: wall
time is an indication only then, above all with several threads that wait for each other. `--figure least` takes the
best call of each, `--figure cpu` with one thread shows processor time, which others hardly touch.

Ctrl-C prints what is complete.
"""

import argparse
import json
import shlex
import signal
import sys
import time
from pathlib import Path

import contenders as who
import figures
import limits
import machine
import measure
import models
import report
import workloads

HERE = Path(__file__).resolve().parent


class Comparison:
    """One run: what was asked for, and what has been measured so far."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.goals = json.loads((HERE / "goals.json").read_text())
        self.run = {"version": 1, "taken": time.strftime("%Y-%m-%d %H:%M"), "figure": options.figure,
                    "command": "bench/compare/run.sh " + shlex.join(sys.argv[1:]), "rounds": options.rounds,
                    "seconds": options.seconds, "machine": machine.description(), "versions": {},
                    "starts": {}, "our_start": {}, "unavailable": {}, "rows": []}

    def measure_all(self) -> None:
        for model in self.options.models:
            folder = models.folder_of(model)
            if folder is None:
                self.unavailable(model, "absent: it could not be fetched")
                continue
            for threads in self.options.threads:
                self.measure_model(model, folder, threads)

    def measure_model(self, model: str, folder: Path, threads: int) -> None:
        running = {}
        try:
            missing = self.start_all(folder, threads, running)
            if who.OURS in running:
                self.run["our_start"].setdefault(model, running[who.OURS].start_milliseconds)
            for shape in workloads.shapes_of(model, self.options.shapes, self.options.wide):
                self.measure_workload(model, shape, folder, threads, running, missing)
        finally:
            for contender in running.values():
                contender.close()

    def start_all(self, folder: Path, threads: int, running: dict) -> dict[str, str]:
        """Fills `running`; returns who cannot take part, and why."""
        missing = {}

        def start(name: str, contender: who.Contender, with_threads: int) -> None:
            self.progress(f"starting {name}")
            try:
                running[name] = who.started(contender, self.options.program, folder, with_threads)
            except who.Unavailable as why:
                missing[name] = str(why)
                self.unavailable(name, str(why))

        for contender in self.options.contenders:
            start(contender.name, contender, threads)
        for name, each in running.items():
            self.run["versions"][name] = each.version
            self.run["starts"].setdefault(name, each.start_milliseconds)
        if threads > 1 and who.OURS in running:
            start(figures.ONE_THREAD, who.CONTENDERS[who.OURS], 1)
        return missing

    def measure_workload(self, model: str, shape: str, folder: Path, threads: int, running: dict,
                         missing: dict) -> None:
        try:
            workload = workloads.workload(model, shape, self.options.program, folder)
        except (OSError, RuntimeError) as why:
            self.unavailable(f"{model} {shape}", f"failed: {why}")
            return
        self.progress(f"measuring {workload.label}")
        # Before and after, because whatever disturbs a measurement of the limit lowers it.
        limit = limits.measured(self.options.program, folder, workload, threads)
        measured = measure.measure(running, workload, self.options.rounds, self.options.seconds)
        if not measured.interrupted:
            limit = limits.best_of(limit, limits.measured(self.options.program, folder, workload, threads))
        row = figures.row_of(workload, threads, measured, self.options.figure, limit)
        row["unavailable"] = {**missing, **row["unavailable"]}
        if row["results"] or row["unavailable"] and not measured.interrupted:
            self.run["rows"].append(row)
            self.progress("")
            print(report.row_text(row), end="", flush=True)
            self.save()
        if measured.interrupted:
            raise KeyboardInterrupt

    def unavailable(self, name: str, why: str) -> None:
        if name not in self.run["unavailable"]:
            self.run["unavailable"][name] = why
            self.progress("")
            print(f"{name}: {why}", flush=True)

    def progress(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def save(self) -> None:
        """After every row, each file whole or not at all, so that whatever ends this loses at most one row."""
        if self.options.json:
            write(self.options.json, json.dumps(self.run, indent=1) + "\n")
        if self.options.markdown:
            write(self.options.markdown, report.whole(self.run, self.goals, markdown=True))


def write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def words(text: str) -> list[str]:
    return text.split(",")


def shapes(text: str) -> list[str]:
    for shape in words(text):
        batch, _, tokens = shape.partition("x")
        if shape not in (workloads.SENTENCES, workloads.SORTED) and not (batch.isdecimal() and tokens.isdecimal()
                                                                         and int(batch) * int(tokens) > 0):
            raise argparse.ArgumentTypeError(f"{shape!r} is no shape such as 8x128")
    return words(text)


def names_of_models(text: str) -> list[str]:
    for name in words(text):
        if name not in models.NAMES:
            raise argparse.ArgumentTypeError(f"no model {name!r}; there are {', '.join(models.NAMES)}")
    return words(text)


def numbers_of_threads(text: str) -> list[int]:
    most = len(machine.allowed())
    for word in words(text):
        if not word.isdecimal() or not 1 <= int(word) <= most:
            raise argparse.ArgumentTypeError(f"{word!r}: this process may use 1 to {most} processors")
    return [int(word) for word in words(text)]


def chosen(text: str) -> list[who.Contender]:
    try:
        return who.selected(words(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(kind):
    def convert(text: str):
        value = kind(text)
        if not 0 < value < 1e6:
            raise argparse.ArgumentTypeError(f"{text} is not more than 0 (and less than a million)")
        return value
    return convert


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=names_of_models, default=list(models.NAMES), help=", ".join(models.NAMES))
    parser.add_argument("--shapes", type=shapes, help="batch x tokens, such as 1x16,8x128; for minilm also "
                        f"{workloads.SENTENCES} and {workloads.SORTED}; by default the table of docs/performance.md")
    parser.add_argument("--wide", action="store_true", help="besides, batches of 1, 8, 32 with 16, 128, 512 tokens")
    parser.add_argument("--threads", type=numbers_of_threads, default=[min(2, len(machine.allowed()))],
                        help="such as 1,2; by default 2. Ours runs with one thread too")
    parser.add_argument("--contenders", type=chosen, default=list(who.CONTENDERS.values()),
                        help="such as 'ipfs-accelerate*,onnxruntime'; by default all: " + ", ".join(who.CONTENDERS))
    parser.add_argument("--precision", type=words, default=["f32", "bf16", "int8"], help="only these: f32,bf16,int8")
    parser.add_argument("--program", type=Path, default=models.ROOT / "build" / "release" / "ipfs-accelerate")
    parser.add_argument("--rounds", type=positive(int), default=9, help="turns of each contender (9)")
    parser.add_argument("--seconds", type=positive(float), default=0.3, help="length of a turn (0.3)")
    parser.add_argument("--figure", choices=["median", "least", "cpu"], default="median", help="what the tables show")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--markdown", type=Path, help="write the tables here as Markdown")
    options = parser.parse_args(arguments)
    options.program = options.program.resolve()
    options.contenders = [each for each in options.contenders if each.precision in options.precision]
    return options


def main() -> int:
    comparison = Comparison(parsed(sys.argv[1:]))
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell in the background has taught us to ignore Ctrl-C
        signal.signal(each, signal.default_int_handler)
    stopped = False
    try:
        comparison.measure_all()
    except KeyboardInterrupt:
        stopped = True
    comparison.progress("")
    print(report.summary(comparison.run, comparison.goals), end="")
    comparison.save()
    if stopped:
        print("stopped: what is above was complete by then")
        return 130
    return 0 if any(row["results"] for row in comparison.run["rows"]) else 3


if __name__ == "__main__":
    sys.exit(main())
