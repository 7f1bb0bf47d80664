"""The least time that a workload could take on this machine: its operations over the measured peak, or the bytes of
its weights over the measured reading speed, whichever is longer.

Only useful work counts: the tokens of real sentences, not their padding, and no pooler, which no embedding needs.
Weights that fit into the last cache are not read from memory again, so that only operations bound those.
"""

import json
import re
import subprocess
from pathlib import Path

import machine
from contenders import environment

BYTES = {"f32": 4, "bf16": 2, "int8": 1}
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def measured(program: Path, threads: int) -> dict:
    """{"f32": operations a second, ... "read": bytes a second, "cache": bytes, "features": words}, from `devices`.

    Empty without the program; a precision that `devices` does not measure is missing.
    """
    if not program.exists():
        return {}
    done = subprocess.run([program, "devices", "--json", "--quiet", "--threads", str(threads)], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(threads),
                          start_new_session=True, preexec_fn=lambda: machine.pin(threads))
    return parsed(json.loads(done.stdout)) if done.returncode == 0 else {}


def parsed(answer: dict) -> dict:
    device = next((each for each in answer["devices"] if each["backend"] == "cpu"), {})
    limits, facts = {}, device.get("facts", {})
    for entry in device.get("measured", []):
        if peak := re.fullmatch(r"peak (\w+), all threads", entry["what"]):
            limits[peak.group(1)] = entry["value"] * 1e9
        elif entry["what"].startswith("read, "):
            limits["read"] = max(limits.get("read", 0.0), entry["value"] * 1e9)
    cache = re.match(r"([\d.]+) (\w+)", facts.get("cache level 3", facts.get("cache level 2", "")))
    limits["cache"] = float(cache.group(1)) * UNITS[cache.group(2)] if cache else 0.0
    limits["features"] = facts.get("vector features", "").split()
    return limits


def highest(one: dict, other: dict) -> dict:
    """The better of two measurements: what disturbs one only makes it smaller."""
    keys = {**one, **other}
    return {key: max(one[key], other[key]) if key in one and key in other else keys[key] for key in keys}


def computes_in_bf16(limits: dict) -> bool:
    return any("bf16" in word for word in limits.get("features", []))


def weights(config: dict) -> int:
    """Weights of BERT's matrix products; tables are only looked up."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    return layers * (4 * hidden * hidden + 2 * hidden * config["intermediate_size"])


def operations(config: dict, lengths: tuple[int, ...]) -> int:
    """Multiplications and additions of one call: products with weights, then queries by keys and scores by values."""
    attention = 4 * config["hidden_size"] * config["num_hidden_layers"] * sum(length * length for length in lengths)
    return 2 * weights(config) * sum(lengths) + attention


def least_seconds(config: dict, lengths: tuple[int, ...], precision: str, limits: dict) -> float | None:
    """None when the machine's peak in this precision is not known."""
    if precision not in limits:
        return None
    seconds = operations(config, lengths) / limits[precision]
    size = weights(config) * BYTES[precision]
    if size > limits["cache"] and "read" in limits:
        seconds = max(seconds, size / limits["read"])
    return seconds
