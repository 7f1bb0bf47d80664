"""From rounds to figures: medians, ratios within a round, shares of the limit, cosines, and what the goals say.

A row is a plain dictionary, as the JSON output has it:
{"workload", "model", "shape", "threads", "tokens", "limits", "other_cores", "reference", "interrupted",
 "unavailable": {name: why},
 "results": {name: {"precision", "milliseconds", "least", "cpu", "rounds", "spread", "calls", "split", "share",
                    "over_ours", "over_our_f32", "over_our_graph", "worst_cosine", "mean_cosine"}}}
"""

import math
import statistics

from contenders import CONTENDERS, OURS
from limits import has_bf16_instructions

REFERENCES = ("pytorch", OURS)  # whose vectors cosines are taken to: the first that is there
ONE_THREAD = f"{OURS}-one-thread"  # ours again in the same rounds, for the gain of the other threads
SAME_MODEL = 0.9999  # the cosine below which two that compute in f32 cannot be running the same model
RUNTIMES = ("onnxruntime", "openvino")  # that ours can run its own graph in
QUIET = 0.1  # processors that others may use before a row says so


def precision_of(name: str) -> str:
    return "f32" if name == ONE_THREAD else CONTENDERS[name].precision


def ours_in(precision: str) -> str:
    return OURS if precision == "f32" else f"{OURS}-{precision}"


def is_ours(name: str) -> bool:
    return name.startswith(OURS)


def figure_of(turns: list, figure: str) -> dict:
    """The figures of one contender; `milliseconds` is the one that was asked for (None where it cannot be known)."""
    wall = [value for turn in turns for value in turn.wall]
    cpu = [value for turn in turns for value in turn.cpu]
    rounds = [statistics.median(turn.wall) for turn in turns]
    median = statistics.median(rounds)
    found = {"median": median, "least": min(wall), "cpu": statistics.median(cpu) if cpu else None}
    return {"milliseconds": found[figure], **found, "rounds": rounds, "spread": spread(rounds), "calls": len(wall)}


def spread(rounds: list[float]) -> float:
    """Half the width of the middle half of the rounds, over their median."""
    if len(rounds) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(rounds, n=4, method="inclusive")
    return (high - low) / 2 / middle


def ratio(one: dict, other: dict, figure: str) -> float | None:
    """How many times the time of `other` that `one` took: for medians, round by round, then their median."""
    if figure == "median":
        return statistics.median(a / b for a, b in zip(one["rounds"], other["rounds"]))
    if one[figure] is None or other[figure] is None:
        return None
    return one[figure] / other[figure]


def cosines(vectors: list[list[float]], reference: list[list[float]]) -> list[float]:
    def cosine(a, b):
        size = math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))
        return math.fsum(x * y for x, y in zip(a, b)) / size if size > 0 else 0.0

    return [cosine(a, b) for a, b in zip(vectors, reference, strict=True)]


def row_of(workload, threads: int, measured, figure: str, limits: dict[str, dict]) -> dict:
    """A row from the complete rounds. Contenders that failed on the way are among the unavailable."""
    names = [name for name in measured.rounds[0] if name not in measured.gone] if measured.rounds else []
    results = {name: figure_of([turns[name] for turns in measured.rounds], figure) for name in names}
    reference = next((name for name in REFERENCES if name in names), None)
    for name, result in results.items():
        precision = precision_of(name)
        own = result["milliseconds"]
        least = limits.get(precision, {}).get("milliseconds")
        found = cosines(measured.vectors[name], measured.vectors[reference]) if reference else None
        result |= {"precision": precision, "split": measured.splits[name],
                   "share": least / own if least and own and name != ONE_THREAD else None,
                   "over_ours": over(results, name, ours_in(precision), figure),
                   "over_our_f32": over(results, name, OURS, figure),
                   "over_our_graph": over(results, name, f"{OURS}-{name}", figure) if name in RUNTIMES else None,
                   "worst_cosine": min(found) if found else None,
                   "mean_cosine": statistics.fmean(found) if found else None}
    return {"workload": workload.label, "model": workload.model, "shape": workload.shape, "threads": threads,
            "tokens": sum(workload.lengths), "limits": limits, "other_cores": measured.other_cores,
            "reference": reference, "interrupted": measured.interrupted, "results": results,
            "unavailable": dict(measured.gone)}


def over(results: dict, name: str, other: str, figure: str) -> float | None:
    return ratio(results[name], results[other], figure) if other in results and other != name else None


def best_peer(row: dict, precision: str) -> str | None:
    times = {name: result["milliseconds"] for name, result in row["results"].items()
             if not is_ours(name) and result["precision"] == precision and result["milliseconds"] is not None}
    return min(times, key=times.get) if times else None


def strangers(row: dict) -> list[str]:
    """Those that compute in f32 and give other vectors than the reference: they must be running another model."""
    return [name for name, result in row["results"].items()
            if result["precision"] == "f32" and result["worst_cosine"] is not None
            and result["worst_cosine"] < SAME_MODEL]


# ---- goals -----------------------------------------------------------------------------------------------------


def verdict(value: float | None, goal: float | None, at_most: bool = False) -> str:
    """"reached", "missed", "-" without a goal, "not measured"."""
    if goal is None:
        return "-"
    if value is None:
        return "not measured"
    return "reached" if (value <= goal if at_most else value >= goal) else "missed"


def against_peers(rows: list[dict], goals: dict) -> list[dict]:
    """A line for each workload and precision that was measured: ours, the best peer, and the goals for both."""
    wanted = {goal["workload"]: goal for goal in goals["workloads"]}
    lines = []
    for row in rows:
        for precision in ("f32", "bf16", "int8"):
            ours, best = row["results"].get(ours_in(precision)), best_peer(row, precision)
            goal = wanted.get(row["workload"], {}).get(precision, {})
            if not ours and not best:
                continue
            peer = row["results"].get(best)
            line = {"workload": row["workload"], "threads": row["threads"], "precision": precision,
                    "ours": ours and ours["milliseconds"], "share": ours and ours["share"],
                    "best_peer": best, "peer": peer and peer["milliseconds"], "peer_share": peer and peer["share"],
                    "ratio": ours and peer and peer["over_ours"], "share_goal": goal.get("share"),
                    "ratio_goal": goal.get("ratio")}
            said = {verdict(line["share"], line["share_goal"]), verdict(line["ratio"], line["ratio_goal"])}
            line["verdict"] = next(word for word in ("missed", "not measured", "reached", "-") if word in said)
            lines.append(line)
    return lines


def other_goals(rows: list[dict], goals: dict, starts: dict[str, float]) -> list[dict]:
    """Gains of bf16, threads and our graph in runtimes, cosines, the time to start: a line for each that is known."""
    lines = []

    def line(what: str, value: float | None, goal: float, unit: str, at_most: bool = False) -> None:
        lines.append({"what": what, "value": value, "goal": goal, "unit": unit, "at_most": at_most,
                      "verdict": verdict(value, goal, at_most)})

    threads_goal = goals["two_threads_over_one"]
    for row in rows:
        results, place = row["results"], f"{row['workload']}, {row['threads']} threads"
        if gain := results.get(ours_in("bf16"), {}).get("over_our_f32"):
            kind = "with_instructions" if has_bf16_instructions(row["limits"]) else "without"
            line(f"bf16 over our f32, {place}", 1 / gain, goals["bf16_over_f32"][kind], "x")
        if gain := results.get(ONE_THREAD, {}).get("over_our_f32"):
            long = row["tokens"] >= threads_goal["from_tokens"]
            line(f"over one thread, {place}", gain, threads_goal["ratio" if long else "never_below"], "x")
        for runtime in RUNTIMES:
            if gain := results.get(runtime, {}).get("over_our_graph"):
                line(f"our graph in {runtime} over its own exporter's, {place}", gain, goals["through_runtimes"], "x")
        for precision, least in goals["worst_cosine"].items():
            ours = results.get(ours_in(precision))
            if row["shape"] == "sentences" and ours:
                line(f"worst cosine of {precision}, {place}", ours["worst_cosine"], least, "")
    start = goals["start_milliseconds"]
    if start["model"] in starts:
        line(f"start to answer, {start['model']}", starts[start["model"]], start["most"], "ms", at_most=True)
    return lines
