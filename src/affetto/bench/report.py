"""Stored results as a table and a figure: Markdown, plain rows, and a forest plot. Types nothing by hand.

Knows the keys of a result; knows no corpus.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affetto.bench.survey import Published
from affetto.core.errors import MissingExtraError

Result = Mapping[str, Any]
OTHERS = ("baseline.", "peer.", "hub.")
"""How the ids of systems begin that are not the package's own."""
_SHOWN = 3
"""How many metrics a table shows besides calibration."""


def heads(metrics: Sequence[str]) -> list[str]:
    """Return the heads of the table of one benchmark."""
    return ["system", *metrics[:_SHOWN], "ece", "said", "p against the first", "records/s", "peak MB", "how"]


def ours_first(results: Sequence[Result], metric: str) -> list[Result]:
    """Return results with the package's own models before all others, the best by a metric first."""
    return sorted(results, key=lambda result: (str(result["model"]).startswith(OTHERS), -_value(result, metric)))


def rows(results: Sequence[Result], metrics: Sequence[str]) -> list[list[str]]:
    """Return the cells of the table of one benchmark: the first result as it stands, the others from best to worst."""
    headline = metrics[0]
    first = results[0]["model"] if results else ""
    ordered = sorted(results, key=lambda r: (r["model"] != first, -_value(r, headline)))
    table = []
    for result in ordered:
        p = next((pair for pair in result.get("paired", ()) if pair["against"] == first), None)
        speed = result["speed"]
        table.append(
            [
                f"`{result['model']}`",
                *(measured(result["metrics"].get(name)) for name in metrics[:_SHOWN]),
                measured(result["metrics"].get("ece")),
                _share(result.get("said")),
                p_value(p) if p else "",
                _count(speed.get("records_per_second")),
                _count(speed.get("peak_mb")),
                result["notes"].split("; ", 1)[-1].rpartition("; ")[0],
            ]
        )
    return table


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    if not rows:
        return "Not measured yet.\n"
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def page(
    results: Sequence[Result],
    title: str,
    metrics: Sequence[str],
    limits: Sequence[str] = (),
    published: Sequence[Published] = (),
) -> str:
    """Return what a reviewer wants to see of one benchmark: table, protocol, machine, limits, and published figures."""
    if not results:
        return f"### {title}\n\nNot measured yet.\n"
    one = results[0]
    groups = "/".join(f"{g:,}" for g in sorted({result.get("groups", 0) for result in results}))
    drawn = one["notes"].rpartition("; ")[2]
    protocol = f"n = {one['n']:,} rows in {groups} groups; {drawn}; seed {one['seed']}"
    made = sorted({f"{r['machine']}, {r['date']}, commit {r['commit'] or 'none'}" for r in results})
    leaks = sorted({leak for result in results for leak in result.get("leaks", ())})
    parts = [
        f"### {title}\n",
        markdown(heads(metrics), rows(results, metrics)),
        f"{protocol}. Intervals are 95 %. p: paired bootstrap / exact McNemar, two-sided.\n",
        "".join(f"- {line}\n" for line in [*(f"Leak: {leak}." for leak in leaks), *limits]),
        "".join(f"Made on {line}.\n" for line in made),
    ]
    if any(one.metric == metrics[0] for one in published):
        others = markdown(("system", metrics[0], "source", "doubt"), among(results, published, metrics[0]))
        parts.append(f"Among published figures, whose protocols may differ in thresholds and labels:\n\n{others}")
    return "\n".join(part for part in parts if part)


def among(results: Sequence[Result], published: Sequence[Published], metric: str) -> list[list[str]]:
    """Return our measured rows among published ones of the same corpus, split and metric, best first, marked ones last.

    Each is: system, value, who says so, doubt.
    """
    rows: list[tuple[bool, float, list[str]]] = []
    for result in results:
        value = result["metrics"].get(metric)
        if value and value["value"] is not None:
            made = f"measured here, {result['date']}"
            rows.append((False, value["value"], [f"`{result['model']}`", measured(value), made, ""]))
    for one in published:
        if one.metric == metric:
            marks = "; ".join(word for word in (", ".join(one.marks), one.doubt) if word)
            rows.append(
                (one.leaking or one.implausible, one.value, [one.system, f"{one.value:.3f}", one.source, marks])
            )
    return [cells for _, _, cells in sorted(rows, key=lambda row: (row[0], -row[1]))]


def forest(results: Sequence[Result], title: str, metric: str, path: Path) -> Path:
    """Draw each system's value and interval on one line, the best on top, as SVG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("a forest plot", "bench") from None
    there = sorted((r for r in results if r["metrics"].get(metric)), key=lambda r: _value(r, metric))
    figure = Figure(figsize=(7, 1.1 + 0.34 * len(there)), layout="constrained")
    axes = figure.subplots()
    for at, result in enumerate(there):
        value = result["metrics"][metric]
        low, high = (value[end] if value[end] is not None else value["value"] for end in ("low", "high"))
        own = not str(result["model"]).startswith(OTHERS)
        axes.plot([low, high], [at, at], color="#33508a" if own else "#888888", linewidth=2)
        axes.plot(value["value"], at, "s", color="#33508a" if own else "#888888", markersize=6)
    axes.set_yticks(range(len(there)), [str(result["model"]) for result in there])
    axes.set_xlabel(f"{metric}, 95 % interval")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def measured(metric: Mapping[str, float | None] | None) -> str:
    """Return a value with its interval as people read it; empty where there is none."""
    if not metric or metric["value"] is None:
        return ""
    ends = "" if metric["low"] is None else f" [{metric['low']:.3f}, {metric['high']:.3f}]"
    return f"{metric['value']:.3f}{ends}"


def p_value(pair: Mapping[str, Any]) -> str:
    """Return both p of a comparison."""
    both = [pair["p_bootstrap"], pair["p_mcnemar"]]
    return " / ".join("n.a." if p is None else "<.001" if p < 0.001 else f"{p:.3f}".lstrip("0") for p in both)


def _value(result: Result, metric: str) -> float:
    said = result["metrics"].get(metric, {}).get("value")
    return float("-inf") if said is None else float(said)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
