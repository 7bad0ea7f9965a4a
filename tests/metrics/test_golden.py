"""Every score worked by hand, to 1e-9: input, expected value and the working lie in golden/*.json."""

import importlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.metrics import timeline

GOLDEN = Path(__file__).parent / "golden"
ROOMS = ("classification", "dimensional", "distribution", "agreement", "calibration")
MOODS = ("joy", "anger", "neutral")


def cases(name):
    return [
        pytest.param(case, id=f"{case.get('call', name)}-{i}")
        for i, case in enumerate(json.loads((GOLDEN / f"{name}.json").read_text("utf-8")))
    ]


def number(said):
    """A number, a fraction such as "13/18", "inf", or null for NaN; and lists of such."""
    if isinstance(said, list):
        return [number(part) for part in said]
    if isinstance(said, str):
        return np.inf if said == "inf" else float(Fraction(said))
    return np.nan if said is None else said


def plain(said):
    """Null is NaN in tables; everything else stays."""
    return [plain(part) for part in said] if isinstance(said, list) else np.nan if said is None else said


def meets(got, expected):
    if isinstance(expected, dict):
        for name, value in expected.items():
            np.testing.assert_allclose(got[name], number(value), rtol=0, atol=1e-9, err_msg=name)
    else:
        np.testing.assert_allclose(got, number(expected), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("room", "case"), [pytest.param(room, *p.values, id=f"{room}-{p.id}") for room in ROOMS for p in cases(room)]
)
def test_functions(room, case):
    function = getattr(importlib.import_module(f"affetto.metrics.{room}"), case["call"])
    meets(function(*(plain(given) for given in case["given"]), **case.get("options", {})), case["expected"])


@pytest.mark.parametrize("case", cases("timeline"))
def test_timelines(case):
    mood = Space("mood-3", "one", tuple(map(Axis, MOODS)))

    def track(rows):
        values = [[np.nan] * 3 if label is None else [float(label == name) for name in MOODS] for *_, label in rows]
        return Track(mood, [start for start, *_ in rows], [end for _, end, _ in rows], values)

    meets(timeline.evaluate(track(case["truth"]), track(case["estimate"]), **case.get("options", {})), case["expected"])
