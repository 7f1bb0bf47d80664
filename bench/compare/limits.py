"""The least time that a workload could take on this machine: what `ipfs-accelerate bench` measures beside its figures.

It counts the operations of the model over the measured peak of the precision, and the bytes of the weights over the
measured reading speed of so many bytes; whichever takes longer. Only useful work counts: the tokens of real sentences,
not their padding. The same limit stands for everyone who computes in that precision.
"""

import json
import subprocess
from pathlib import Path

import machine
from contenders import environment
from workloads import SENTENCES_FILE, Workload

PRECISIONS = ("f32", "bf16", "int8")


def measured(program: Path, folder: Path, workload: Workload, threads: int) -> dict[str, dict]:
    """By precision: {"milliseconds", "gflops", "gbytes"}; without those that this build does not measure."""
    if not program.exists():
        return {}
    command = [program, "bench", folder, "--task", "embed", *options_for(workload), "--precision", ",".join(PRECISIONS),
               "--threads", str(threads), "--seconds", "0.05", "--no-record", "--json", "--quiet"]
    done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment(threads), start_new_session=True, preexec_fn=lambda: machine.pin(threads))
    return parsed(json.loads(done.stdout)) if done.returncode == 0 else {}


def options_for(workload: Workload) -> list[str]:
    if workload.sentences:
        return ["--input", str(SENTENCES_FILE)]
    return ["--batch", str(len(workload.lengths)), "--tokens", str(workload.lengths[0])]


def parsed(answer: dict) -> dict[str, dict]:
    return {row["precision"]: {"milliseconds": row["limit_ms"], "gflops": row["limit_gflops"],
                               "gbytes": row["limit_gbytes"]}
            for row in answer["rows"] if row["state"] == "measured" and row["limit_ms"] is not None}


def has_bf16_instructions(limits: dict[str, dict]) -> bool:
    """They at least double the operations a second; without them bf16 is computed as f32."""
    return "bf16" in limits and "f32" in limits and limits["bf16"]["gflops"] > 1.5 * limits["f32"]["gflops"]


def best_of(one: dict[str, dict], other: dict[str, dict]) -> dict[str, dict]:
    """The faster of two measurements: what disturbs one only makes it slower."""
    return {name: min((each[name] for each in (one, other) if name in each), key=lambda found: found["milliseconds"])
            for name in PRECISIONS if name in one or name in other}
