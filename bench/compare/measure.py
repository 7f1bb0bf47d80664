"""Turns: contenders run one after the other, round after round, so that a change of the machine's speed meets all."""

import dataclasses
import time

import workloads
from contenders import OURS, Unavailable
from machine import Bystanders

LEAST_CALLS, MOST_CALLS = 3, 3000
PAUSE = 0.05  # seconds; idle threads of the one before spin for a while


@dataclasses.dataclass
class Measured:
    """The complete rounds of one workload. Each contender has one turn in each round."""

    rounds: list[dict]           # contender name -> contenders.Turn
    splits: dict[str, int]       # what each was given: sentences a batch, 0 for all as they are
    vectors: dict[str, list]     # contender name -> a row for each sentence
    gone: dict[str, str]         # contender name -> why it could not run this
    other_cores: float | None
    interrupted: bool = False


def best_split(contender, workload) -> int:
    """The size of sorted batches with which this contender is fastest."""
    least = {}
    for size in workloads.SPLITS:
        contender.load(workload.inputs, size)
        least[size] = min(contender.run(LEAST_CALLS).wall)
    return min(least, key=least.get)


def prepare(name: str, contender, workload) -> int:
    split = 0
    if workload.shape == workloads.SORTED and not name.startswith(OURS):
        split = best_split(contender, workload)
    contender.load(workload.inputs, split)
    return split


def measure(contenders: dict, workload, rounds: int, seconds: float) -> Measured:
    """`rounds` turns of about `seconds` each. Ctrl-C ends it with the rounds that are complete."""
    result = Measured([], {}, {}, {}, None)
    bystanders = Bystanders()
    try:
        calls = {}
        for name, contender in contenders.items():
            try:
                result.splits[name] = prepare(name, contender, workload)
                result.vectors[name] = contender.vectors()
                undisturbed = min(contender.run(LEAST_CALLS).wall)
                calls[name] = max(LEAST_CALLS, min(MOST_CALLS, int(seconds * 1e3 / undisturbed)))
            except Unavailable as why:
                result.gone[name] = str(why)
        order, bystanders = list(calls), Bystanders()
        for _ in range(rounds):
            result.rounds.append(one_round(contenders, [name for name in order if name in calls], calls, bystanders,
                                           result.gone))
            result.other_cores = bystanders.cores()
            order = order[1:] + order[:1]
    except KeyboardInterrupt:
        result.interrupted = True
    return result


def one_round(contenders: dict, order: list[str], calls: dict[str, int], bystanders: Bystanders, gone: dict) -> dict:
    turns = {}
    for name in order:
        time.sleep(PAUSE)
        try:
            turns[name] = contenders[name].run(calls[name])
        except Unavailable as why:
            gone[name] = str(why)
            del calls[name]
            continue
        bystanders.add_own(turns[name].spent)
    return turns
