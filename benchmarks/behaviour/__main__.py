"""Run the behaviour suite on a model, print what share of each capability it passes, and keep the result.

python -m benchmarks.behaviour --model ID [--failures N] [--dry]
"""

import argparse
import math
from collections.abc import Sequence

import numpy as np

import affetto
from affetto.core.roles import Model
from benchmarks.behaviour import judge
from benchmarks.behaviour.cases import Case, cases
from benchmarks.behaviour.judge import Answer
from benchmarks.results import interval, save

GROUPS = ("gender", "names", "religion", "nationality", "age", "disability", "orientation")
"""Capabilities in which people are swapped."""
SHIFTS = {"valence": "shift of valence", "top": "shift of the top label", "label": "largest shift of a label"}
SEED = 11


def ask(model: Model, asked: Sequence[Case]) -> list[list[Answer]]:
    """Return the answers to all texts of all cases."""
    texts = list(dict.fromkeys(text for case in asked for text in case.texts))
    records = [affetto.Record(str(i), (affetto.Text(text),)) for i, text in enumerate(texts)]
    said = dict(zip(texts, map(judge.answer, model(records)), strict=True))
    return [[said[text] for text in case.texts] for case in asked]


def measure(asked: Sequence[Case], answers: Sequence[Sequence[Answer]]) -> dict[str, dict[str, float]]:
    """Return the share passed of each capability, and how far the answers to swapped people lie apart."""
    passed = np.array([judge.passes(case, said) for case, said in zip(asked, answers, strict=True)], float)
    whose = np.array([case.template for case in asked])
    of = np.array([case.capability for case in asked])
    metrics = {}

    def add(name: str, rows: np.ndarray, values: np.ndarray) -> None:
        rows = rows[np.isfinite(values[rows])]
        if len(rows):
            metrics[name] = interval(lambda k: float(values[rows[k]].mean()), len(rows), SEED, whose[rows].tolist())

    add("all", np.arange(len(asked)), passed)
    for name in dict.fromkeys(of):
        add(str(name), np.flatnonzero(of == name), passed)
    swapped = np.flatnonzero(np.isin(of, GROUPS))
    apart = [judge.spread(said) for said in answers]
    for key, words in SHIFTS.items():
        values = np.array([one[key] for one in apart])
        add(f"people swapped: {words}", swapped, values)
        for name in GROUPS:
            add(f"{name}: {words}", np.flatnonzero(of == name), values)
    return metrics


def main() -> None:
    """Ask, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--failures", type=int, default=0, help="print so many failures of each capability")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    asked = cases()
    answers = ask(affetto.load(options.model), asked)
    metrics = measure(asked, answers)
    counts = {name: sum(case.capability == name for case in asked) for name in metrics}
    print(f"{options.model}: {len(asked)} cases, {sum(len(case.texts) for case in asked)} texts")
    for name, metric in metrics.items():
        n = f"{counts[name]:4d}" if counts[name] else "    "
        print(f"{n}  {name:42s} {metric['value']:.3f}  [{metric['low']:.3f}, {metric['high']:.3f}]")
    _print_failures(asked, answers, options.failures)
    if not options.dry:
        notes = (
            "share of cases passed; shifts: mean difference between two texts that differ only in who is spoken of; "
            "intervals over templates; command: python -m benchmarks.behaviour --model " + options.model
        )
        print(save("behaviour", options.model, len(asked), metrics, SEED, {}, notes).name)


def _print_failures(asked: Sequence[Case], answers: Sequence[Sequence[Answer]], most: int) -> None:
    shown: dict[str, int] = {}
    for case, said in zip(asked, answers, strict=True):
        if judge.passes(case, said) or shown.get(case.capability, 0) >= most:
            continue
        shown[case.capability] = shown.get(case.capability, 0) + 1
        print(f"\n{case.capability}: expected {case.expect}")
        for text, one in zip(case.texts, said, strict=True):
            valence = "" if math.isnan(one.valence) else f", valence {one.valence:+.2f}"
            print(f"  {text[:90]!r}: {', '.join(sorted(one.named))}, polarity {one.polarity:+.2f}{valence}")


if __name__ == "__main__":
    main()
