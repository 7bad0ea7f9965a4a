"""How much crisis language `dialogue.care` misses, and how often it cries wolf.

    python -m benchmarks.care

Two measures. The test set `tests/models/care.jsonl`: messages written for it, half `dev` (the patterns were written
with it in sight) and half `test`, written before the patterns. One author wrote both the set and the patterns, and
remembered `test` while writing them, so recall on what others write is lower. `test` was measured twice, and only
then were its errors read and mended, three of which were grave: `FIRST` keeps what was measured before, and is the
figure to quote. And ordinary talk, in which nearly every referral is a false alarm: DailyDialog (English) and
EmpatheticDialogues, test; and ESConv, whose seekers are in distress, so that some are not. A referral is a value of
at least `refer` in any family. Intervals are Wilson's, 95 %.
"""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affetto.core.catalog import load
from affetto.models.dialogue.care import Care, Finding
from benchmarks.results import save

SET = Path(__file__).resolve().parents[1] / "tests" / "models" / "care.jsonl"
TALK = (
    ("DailyDialog test", "dailydialog", "test", "en"),
    ("EmpatheticDialogues test", "empathetic-intents", "test", None),
    ("ESConv dev", "esconv", "dev", None),
    ("ESConv test", "esconv", "test", None),
)
Z = 1.959964
FIRST = {"recall": (131, 134), "false alarms": (4, 124), "recall with the right families": (130, 134)}
"""Of the test half, before its errors were read: hits and messages."""
FIRST_TALK = "DailyDialog test 1.30 and EmpatheticDialogues test 1.55 per 1,000 before their referrals were read."
READ = (
    "Of 28 turns of ESConv's test and failed talks that tell of such trouble, found by a net of words and read by one "
    "reader, 17 were caught when the patterns first met them; most of the others' words were then added, so this "
    "cannot be measured there again. Of 36 referrals there 17 were of somebody in such trouble, 4 of a supporter "
    "speaking of it, 15 false."
)


def wilson(hits: int, n: int, scale: float = 1.0) -> dict[str, float]:
    """Return a share, times a scale, and its 95 % interval (Wilson 1927).

    >>> {key: round(value, 3) for key, value in wilson(98, 100).items()}
    {'value': 0.98, 'low': 0.93, 'high': 0.994}
    """
    if not n:
        return {"value": math.nan, "low": math.nan, "high": math.nan}
    share, spread = hits / n, Z * math.sqrt(hits * (n - hits) / n + Z * Z / 4)
    middle = hits + Z * Z / 2
    low, high = (max(0.0, (middle - spread) / (n + Z * Z)), min(1.0, (middle + spread) / (n + Z * Z)))
    return {"value": share * scale, "low": low * scale, "high": high * scale}


def families(found: Sequence[Finding], refer: float) -> set[str]:
    """Return the families that are referred."""
    return {family for one in found if one.value >= refer for family in one.families}


def of_the_set(care: Care, rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return recall and false alarms of some messages, over all, by family and by kind."""
    crisis = [(row, families(care.check(row["text"]), care.refer)) for row in rows if row["families"]]
    near = [(row, families(care.check(row["text"]), care.refer)) for row in rows if not row["families"]]
    found = {
        "recall": wilson(sum(bool(said) for _, said in crisis), len(crisis)),
        "false alarms": wilson(sum(bool(said) for _, said in near), len(near)),
        "recall with the right families": wilson(sum(set(r["families"]) <= said for r, said in crisis), len(crisis)),
    }
    for family in ("self-harm", "abuse", "danger-to-others", "emergency"):
        mine = [family in said for row, said in crisis if family in row["families"]]
        found[f"recall of {family}"] = wilson(sum(mine), len(mine))
    for kind in sorted({row["kind"] for row, _ in crisis}):
        mine = [bool(said) for row, said in crisis if row["kind"] == kind]
        found[f"recall, {kind}"] = wilson(sum(mine), len(mine))
    for kind in sorted({row["kind"] for row, _ in near}):
        mine = [bool(said) for row, said in near if row["kind"] == kind]
        found[f"false alarms, {kind}"] = wilson(sum(mine), len(mine))
    return found


def of_talk(care: Care, corpus: str, split: str, part: str | None) -> tuple[dict[str, dict[str, float]], int, float]:
    """Return referrals in a split (per 1,000 turns, and of talks), its turns, and turns a second of processor time."""
    turns = referred = talks = touched = 0
    begun = time.process_time()
    for record in load(corpus).read(split, part=part):
        hits = [bool(families(care.check(turn.text), care.refer)) for turn in record.turns]
        turns, referred, talks, touched = turns + len(hits), referred + sum(hits), talks + 1, touched + any(hits)
    speed = turns / (time.process_time() - begun)
    found = {"referrals per 1,000 turns": wilson(referred, turns, 1000), "talks referred": wilson(touched, talks)}
    return found, turns, speed


def main() -> None:
    """Measure, print, keep."""
    care = load("dialogue.care")
    rows = [json.loads(line) for line in SET.read_text("utf-8").splitlines()]
    for half in ("dev", "test"):
        mine = [row for row in rows if row["half"] == half]
        metrics = of_the_set(care, mine)
        if half == "test":
            first = {f"{name}, before its errors were read": wilson(*hits) for name, hits in FIRST.items()}
            metrics = first | metrics
        notes = f"half {half} of tests/models/care.jsonl; one author wrote the set and the patterns. {READ}"
        print(save("care" if half == "test" else "care@dev", "dialogue.care", len(mine), metrics, None, {}, notes))
        for name in metrics:
            if name.startswith(tuple(FIRST)):
                print(half, name, {key: round(value, 3) for key, value in metrics[name].items()})
    metrics, speeds, total = {}, [], 0
    for name, corpus, split, part in TALK:
        found, turns, speed = of_talk(care, corpus, split, part)
        metrics |= {f"{key}, {name}": value for key, value in found.items()}
        total += turns
        speeds.append(speed)
        print(name, turns, {key: round(value["value"], 4) for key, value in found.items()})
    notes = f"referrals, not errors: some of ESConv's are right. {FIRST_TALK} {READ}"
    speed = {"turns per second of processor time": sorted(speeds)[len(speeds) // 2]}
    print(save("care-ordinary-talk", "dialogue.care", total, metrics, None, speed, notes))


if __name__ == "__main__":
    main()
