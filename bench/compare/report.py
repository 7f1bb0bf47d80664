"""Rows and verdicts as tables, for a terminal or as Markdown."""

from contenders import CONTENDERS
from figures import QUIET, against_peers, other_goals, strangers
from limits import PRECISIONS
from workloads import SORTED


def table(head: list[str], rows: list[list[str]], markdown: bool) -> str:
    if markdown:
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
        return "\n".join(lines) + "\n"
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    aligned = (cells[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in
                                                  zip(cells[1:], widths[1:])) for cells in (head, *rows))
    return "\n".join(line.rstrip() for line in aligned) + "\n"


def heading(text: str, markdown: bool) -> str:
    return f"\n### {text}\n" if markdown else f"\n{text}"


def number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else format(value, form) + unit


def milliseconds(value: float | None) -> str:
    return number(value, ".3f" if value is not None and value < 1 else ".2f")


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def row_title(row: dict) -> str:
    title = f"{row['workload']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
    if row["interrupted"]:
        rounds = max((len(result["rounds"]) for result in row["results"].values()), default=0)
        title += f" (interrupted after {rounds} rounds)"
    if row["other_cores"] is not None and row["other_cores"] > QUIET:
        title += f" (BUSY: others used {row['other_cores']:.1f} processors)"
    return title


def row_text(row: dict, markdown: bool = False) -> str:
    """All contenders of one workload, those that could not take part too."""
    quality = row["model"] == "minilm"
    sorted_batches = row["shape"] == SORTED
    head = ["contender", "precision", "ms", "spread", "over ours", "over our f32", "of its limit", "calls"]
    head += ["worst cosine", "mean cosine"] if quality else []
    head += ["sentences a batch"] if sorted_batches else []
    lines = []
    for name, result in row["results"].items():
        cells = [name, result["precision"], milliseconds(result["milliseconds"]), "±" + percent(result["spread"]),
                 number(result["over_ours"], ".2f", "x"), number(result["over_our_f32"], ".2f", "x"),
                 percent(result["share"]), str(result["calls"])]
        cells += [number(result[key], ".5f") for key in ("worst_cosine", "mean_cosine")] if quality else []
        cells += [str(result["split"] or "all")] if sorted_batches else []
        lines.append(cells)
    text = heading(row_title(row), markdown) + "\n" + table(head, lines, markdown)
    missing = "".join(f"{'- ' if markdown else '  '}{line}\n" for line in missing_lines(row["unavailable"]))
    if markdown and missing:
        missing = "\n" + missing
    warnings = "".join(f"  WARNING: {name} gives other vectors than {row['reference']}\n" for name in strangers(row))
    if quality and row["reference"] not in ("pytorch", None):
        warnings += f"  cosines are to {row['reference']}, because pytorch is not here\n"
    return text + missing + warnings


def missing_lines(unavailable: dict[str, str]) -> list[str]:
    """One for each reason, with everyone whom it keeps away."""
    return [", ".join(name for name, each in unavailable.items() if each == why) + ": " + why
            for why in dict.fromkeys(unavailable.values())]


def goals_text(rows: list[dict], goals: dict, starts: dict, markdown: bool) -> str:
    head = ["workload", "threads", "precision", "ours ms", "of the limit", "goal", "best peer", "its ms",
            "of its limit", "ours is faster", "goal", "verdict"]
    lines = [[line["workload"], str(line["threads"]), line["precision"], milliseconds(line["ours"]),
              percent(line["share"]), percent(line["share_goal"]), line["best_peer"] or "absent",
              milliseconds(line["peer"]), percent(line["peer_share"]), number(line["ratio"], ".2f", "x"),
              number(line["ratio_goal"], ".2f", "x"), line["verdict"]] for line in against_peers(rows, goals)]
    text = heading("Ours and the best peer of each precision", markdown) + "\n" + table(head, lines, markdown)
    others = other_goals(rows, goals, starts)
    if others:
        lines = [[line["what"], shown(line["value"], line["unit"]),
                  ("at most " if line["at_most"] else "") + shown(line["goal"], line["unit"]), line["verdict"]]
                 for line in others]
        text += heading("Other goals", markdown) + "\n" + table(["what", "here", "goal", "verdict"], lines, markdown)
    return text


def shown(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return {"x": f"{value:.2f}x", "ms": f"{value:.0f} ms", "": f"{value:.5f}"}[unit]


def limits_text(rows: list[dict]) -> list[str]:
    """The fastest that was measured beside any row, by threads."""
    lines = []
    for threads in dict.fromkeys(row["threads"] for row in rows):
        found = [row["limits"] for row in rows if row["threads"] == threads]
        peaks = {name: max(each[name]["gflops"] for each in found if name in each)
                 for name in PRECISIONS if any(name in each for each in found)}
        told = ", ".join(f"{name} {peak:.0f} GFLOP/s" for name, peak in peaks.items()) or "not measured"
        unknown = [name for name in PRECISIONS if name not in peaks]
        if peaks and unknown:
            told += f"; not measured, so that no share of it can be told: {', '.join(unknown)}"
        lines.append(f"limit with {threads} thread{'s' if threads > 1 else ''}: {told}")
    return lines


def summary(run: dict, goals: dict, markdown: bool = False) -> str:
    """Everything behind the rows: verdicts, limits, who started how fast, who was absent, how quiet it was."""
    bullet = "- " if markdown else "  "
    text = goals_text(run["rows"], goals, run["our_start"], markdown)
    text += heading("Conditions", markdown) + "\n"
    machine = run["machine"]
    facts = [f"{machine['processor']}, {machine['cpus']} processors, {machine['system']}, Python {machine['python']}",
             *limits_text(run["rows"]), f"command: {run['command']}", f"taken {run['taken']}", protocol(run)]
    facts += [f"{name}: {version}, {CONTENDERS[name].what}; ready in {run['starts'][name] / 1e3:.2f} s"
              for name, version in run["versions"].items()]
    facts += [f"not in the tables: {line}" for line in missing_lines(run["unavailable"])]
    busy = [row["other_cores"] for row in run["rows"] if (row["other_cores"] or 0) > QUIET]
    if busy:
        facts.append(f"BUSY: others used up to {max(busy):.1f} processors during {len(busy)} of {len(run['rows'])} "
                     "rows; wall times are an indication only, take the figures again on a quiet machine")
    return text + "".join(f"{bullet}{fact}\n" for fact in facts)


def protocol(run: dict) -> str:
    return (f"{run['figure']} of {run['rounds']} rounds in turn, {run['seconds']} s a turn after 3 calls to warm up; "
            "ratios round by round; every contender in its own process, on as many processors as it has threads")


def whole(run: dict, goals: dict, markdown: bool = False) -> str:
    return "".join(row_text(row, markdown) for row in run["rows"]) + summary(run, goals, markdown)
