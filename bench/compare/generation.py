#!/usr/bin/env python3
"""Measures text generation beside peers: prompts, and 64 tokens one after the other, on the same checkpoints and ids.

Each contender runs in a process of its own, on as many processors as it has threads, and has one turn in each round
(A B C, then B C A, ...). A turn of a peer is one generation of 64 tokens after each prompt: the time to the first token
is the prompt, the mean of the others decoding. A turn of ours is `ipfs-accelerate bench` of both phases, decoding in
the middle of those 64 tokens, which takes as long as they do in the mean. Of an encoder-decoder the encoder reads the
prompt, and the 64 tokens are the decoder's first. A ratio is the peer's time over ours in the same round, above 1 we
are faster; the median of the rounds is shown. Ctrl-C prints what is complete.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import decoders
import machine
from contenders import RECORDS, Unavailable, children_seconds, environment, last_line, told
from generation_peers import PEERS
from measure import PAUSE
from models import CACHE, ROOT

HERE = Path(__file__).resolve().parent
OURS = "ipfs-accelerate"
SITES = {"onnxruntime": "onnx", "openvino": "openvino"}  # packages that disagree with the others (run.sh --install)
INFORMATION = ("llama.cpp", "pytorch-bf16")  # other precisions: shown, never the best peer
NEW = 64  # after a source `bench` decodes in the middle of these by itself (kTargetPast)
PATIENCE = 900  # seconds until a contender that does not answer is given up


class Peer:
    """A peer's process behind its line protocol. It stays while others have their turns, asleep."""

    def __init__(self, name: str, model: str, threads: int):
        checkpoint, folder = decoders.checkpoint_of(model), decoders.folder_for_peers(model)
        gguf = [str(checkpoint)] if checkpoint.is_file() else []
        if name == "llama.cpp" and not gguf:
            raise Unavailable("cannot: it reads GGUF files only")
        self.complaints = tempfile.TemporaryFile(mode="w+", errors="replace")
        surroundings = environment(threads)
        if name in SITES:
            site = CACHE / "sites" / SITES[name]
            surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen([sys.executable, HERE / "generation_peers.py", name, folder, str(threads), *gguf],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints,
                                        text=True, env=surroundings, start_new_session=True,
                                        preexec_fn=lambda: machine.pin(threads))
        answer = self.read()
        if "ready" not in answer:
            raise Unavailable(told(answer))
        self.version = answer["version"]
        self.ids = self.ask(f"generate {32} {NEW}")["ids"]  # warms up, too

    def read(self) -> dict:
        line = self.process.stdout.readline()
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
        answer = self.read()
        if "failed" in answer:
            raise Unavailable(told(answer))
        return answer

    def turn(self, prompts: list[int]) -> dict[tuple[str, int], float]:
        found = {}
        for tokens in prompts:
            self.ask(f"generate {tokens} 2")
            times = self.ask(f"generate {tokens} {NEW}")["milliseconds"]
            firsts = [times[0]] + [self.ask(f"generate {tokens} 1")["milliseconds"][0] for _ in range(2)]
            found["prefill", tokens], found["decode", tokens] = statistics.median(firsts), statistics.fmean(times[1:])
        return found

    def close(self) -> None:
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


class Ours:
    """The program; a turn is a call for each phase."""

    def __init__(self, model: str, options: argparse.Namespace, threads: int):
        if not options.program.exists():
            raise Unavailable(f"absent: {options.program.name} is not built")
        self.options, self.model, self.threads = options, str(decoders.checkpoint_of(model)), threads
        self.reads_source = decoders.has_encoder(decoders.folder_for_peers(model))
        self.environment = {**environment(threads), "ACCELERATE_RECORDS": str(RECORDS)}
        self.version = subprocess.run([options.program, "--version"], stdout=subprocess.PIPE, text=True,
                                      check=False).stdout.split("\n")[0]
        self.ids, self.limits = None, {}

    def rows(self, phase: str, tokens: list[int]) -> list[dict]:
        done = subprocess.run([self.options.program, "bench", self.model, "--task", "text-generation", "--phase", phase,
                               "--tokens", ",".join(map(str, tokens)), "--threads", str(self.threads), "--seconds",
                               str(self.options.seconds), "--no-record", "--json", "--quiet"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment,
                              preexec_fn=lambda: machine.pin(self.threads), start_new_session=True)
        if done.returncode != 0:
            raise Unavailable("failed: " + last_line(done.stderr))
        return json.loads(done.stdout)["rows"]

    def turn(self, prompts: list[int]) -> dict[tuple[str, int], float]:
        found = {}
        middle = 0 if self.reads_source else NEW // 2
        for phase, shift in (("prefill", 0), ("decode", middle)):
            for tokens, row in zip(prompts, self.rows(phase, [tokens + shift for tokens in prompts])):
                found[phase, tokens] = row["p50_ms"]
                self.limits.setdefault((phase, tokens), []).append(row["limit_ms"])
        return found

    def close(self) -> None:
        pass


def started(names: list[str], model: str, options: argparse.Namespace) -> tuple[dict, dict[str, str]]:
    running, missing = {}, {}
    for name in names:
        print(f"starting {name}", file=sys.stderr)
        try:
            running[name] = Ours(model, options, options.threads) if name == OURS else Peer(name, model, options.threads)
        except Unavailable as why:
            missing[name] = str(why)
    return running, missing


def rounds_of(running: dict, missing: dict, options: argparse.Namespace) -> list[dict]:
    rounds, order = [], list(running)
    try:
        for number in range(options.rounds):
            turns = {}
            for name in order[number % len(order):] + order[:number % len(order)]:
                time.sleep(PAUSE)
                try:
                    turns[name] = running[name].turn(options.prompts)
                except Unavailable as why:
                    missing[name] = str(why)
            rounds.append(turns)
            order = [name for name in order if name not in missing]
    except KeyboardInterrupt:
        options.stopped = True
    return rounds


def rows_of(model: str, rounds: list[dict], running: dict, options: argparse.Namespace) -> list[dict]:
    rows = []
    for phase in ("prefill", "decode"):
        for tokens in options.prompts:
            times = {name: [turns[name][phase, tokens] for turns in rounds] for name in running
                     if rounds and all(name in turns for turns in rounds)}
            if not times:
                continue
            ours = times.get(OURS)
            # Each beside its own times: a virtual machine's processors move, and with them how fast they read.
            limits = running[OURS].limits[phase, tokens] if ours else []
            results = {name: {"milliseconds": statistics.median(own), "rounds": own,
                              "over_ours": statistics.median(a / b for a, b in zip(own, ours)) if ours else None}
                       for name, own in times.items()}
            rows.append({"model": model, "phase": phase, "tokens": tokens, "threads": options.threads,
                         "limit_ms": statistics.median(limits) if ours else None,
                         "share": statistics.median(a / b for a, b in zip(limits, ours)) if ours else None,
                         "results": results, "best": best_peer(results)})
    return rows


def best_peer(results: dict) -> str | None:
    peers = {name: result["milliseconds"] for name, result in results.items()
             if name != OURS and name not in INFORMATION}
    return min(peers, key=peers.get) if peers else None


def text_of(row: dict) -> str:
    share = f", {100 * row['share']:.0f} % of the limit" if row["share"] else ""
    lines = [f"{row['model']}, {row['phase']} {row['tokens']}, {row['threads']} threads (limit {row['limit_ms']:.2f} ms)"
             if row["limit_ms"] else f"{row['model']}, {row['phase']} {row['tokens']}"]
    for name, result in sorted(row["results"].items(), key=lambda item: item[1]["milliseconds"]):
        ratio = "" if name == OURS or not result["over_ours"] else f"  {result['over_ours']:.2f} x ours"
        lines.append(f"  {name:16} {result['milliseconds']:9.2f} ms{ratio}{share if name == OURS else ''}")
    return "\n".join(lines) + "\n"


def table_of(rows: list[dict]) -> str:
    lines = ["| model | phase | ours ms | of the limit | best peer | its ms | ours is faster |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        ours, best = row["results"].get(OURS), row["best"]
        if ours is None:
            continue
        peer = row["results"][best] if best else None
        other = f"{best} | {peer['milliseconds']:.1f} | {peer['over_ours']:.2f}x" if peer else "- | - | -"
        lines.append(f"| {row['model']} | {row['phase']} {row['tokens']} | {ours['milliseconds']:.1f} | "
                     f"{100 * row['share']:.0f} % | {other} |")
    return "\n".join(lines) + "\n"


def agreement(running: dict) -> list[str]:
    """Peers in f32 that begin with other tokens than the first of them must be running another model."""
    first = next((name for name in running if running[name].ids and name not in INFORMATION), None)
    return [f"{name} begins with other tokens than {first}" for name, each in running.items()
            if each.ids and name not in INFORMATION and each.ids[:4] != running[first].ids[:4]]


def parsed(arguments: list[str]) -> argparse.Namespace:
    def words(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(word) for word in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=words, help=f"of {', '.join(decoders.NAMES)}; by default "
                        f"{', '.join(decoders.SHORT)}")
    parser.add_argument("--long", action="store_true", help="all models, and 5 rounds")
    parser.add_argument("--contenders", type=words, default=[OURS, *PEERS], help=f"of {OURS}, {', '.join(PEERS)}")
    parser.add_argument("--prompts", type=numbers, default=[32, 512], help="tokens before the first new one (32,512)")
    parser.add_argument("--threads", type=int, default=min(2, len(machine.allowed())))
    parser.add_argument("--rounds", type=int, help="turns of each contender (3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of ours for each phase and length, at most (1)")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / OURS)
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    options = parser.parse_args(arguments)
    options.models = options.models or list(decoders.NAMES if options.long else decoders.SHORT)
    options.rounds = options.rounds or (5 if options.long else 3)
    options.program, options.stopped = options.program.resolve(), False
    for name in set(options.models) - set(decoders.NAMES) | set(options.contenders) - {OURS, *PEERS}:
        parser.error(f"there is no {name!r}")
    return options


def measure_model(model: str, options: argparse.Namespace) -> tuple[list[dict], dict]:
    if decoders.checkpoint_of(model) is None:
        print(f"{model}: absent: it could not be fetched")
        return [], {}
    others, own = machine.Bystanders(), children_seconds()
    running, missing = started(options.contenders, model, options)
    try:
        rounds = rounds_of(running, missing, options)
        rows = rows_of(model, rounds, running, options)
        for row in rows:
            print(text_of(row), end="", flush=True)
        for why in [f"{name}: {text}" for name, text in missing.items()] + agreement(running):
            print(f"{model}: {why}")
    finally:
        for contender in running.values():
            contender.close()
    others.add_own(children_seconds() - own)
    if (cores := others.cores()) and cores > 0.1:
        print(f"{model}: BUSY: other processes used {cores:.1f} processors meanwhile")
    return rows, {"versions": {name: each.version for name, each in running.items()}, "missing": missing,
                  "other_cores": cores}


def main() -> int:
    options = parsed(sys.argv[1:])
    run = {"taken": time.strftime("%Y-%m-%d %H:%M"), "machine": machine.description(), "rows": [], "models": {}}
    for model in options.models:
        if options.stopped:
            break
        rows, facts = measure_model(model, options)
        run["rows"] += rows
        run["models"][model] = facts
        if options.json:
            options.json.write_text(json.dumps(run, indent=1) + "\n")
    print(table_of(run["rows"]), end="")
    if options.markdown:
        options.markdown.write_text(table_of(run["rows"]))
    return 130 if options.stopped else 0 if run["rows"] else 3


if __name__ == "__main__":
    sys.exit(main())
