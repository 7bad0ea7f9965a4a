"""The FACS map and the codebook of expressions: what they say of faces whose answer is known, and of half-said ones."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.core.track import Track
from affetto.spaces import linear, taxonomy
from affetto.spaces.bridges import bridge, translate

ARKIT, UNITS, SIX = (taxonomy.space(id) for id in ("arkit-52", "facs-au", "brighter-6"))
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
UNSAID = {"AU11", "AU13", "AU46"}


def face(space, **values):
    row = np.zeros(len(space.axes))
    for name, value in values.items():
        row[space.index(name)] = value
    return row


def units(*rows):
    return translate(Track(ARKIT, np.arange(len(rows)), np.arange(len(rows)) + 1.0, rows, channel="face"), "facs-au")


def lines(origin, target):
    return next(b for b in catalog.find(origin, "space").facts["bridges"] if b["to"] == target)["lines"]


def test_every_line_says_why_and_24_units_are_told():
    told = lines("arkit-52", "facs-au")
    assert set(told) == set(UNITS.names) - UNSAID and len(told) == 24
    assert all(line["why"].endswith(".") for line in told.values())
    silent = units(face(ARKIT)).values[0]
    assert {name for name, x in zip(UNITS.names, silent, strict=True) if np.isnan(x)} == UNSAID
    assert (np.nan_to_num(silent) == 0).all()


def test_a_smile_a_wink_a_yawn_and_shut_lips_over_an_open_jaw():
    out = units(
        face(ARKIT, mouthSmileLeft=0.8, mouthSmileRight=0.6, cheekSquintLeft=0.5, cheekSquintRight=0.5),
        face(ARKIT, eyeBlinkLeft=1),
        face(ARKIT, jawOpen=0.9),
        face(ARKIT, jawOpen=0.4, mouthClose=0.4),
    )
    said = {name: out.column(name).round(4).tolist() for name in ("AU06", "AU12", "AU25", "AU26", "AU27", "AU45")}
    assert said == {
        "AU06": [2.5, 0, 0, 0],
        "AU12": [3.5, 0, 0, 0],
        "AU25": [0, 0, 4.5, 0],
        "AU26": [0, 0, 5, 4],
        "AU27": [0, 0, 4, 0],
        "AU45": [0, 2.5, 0, 0],
    }
    assert out.source == "arkit-52--facs-au" and out.confidence is None


@settings(max_examples=50)
@given(st.data())
def test_units_stay_in_range_rise_with_their_shapes_and_fall_only_by_mouth_close(data):
    shares = st.lists(st.floats(0, 1), min_size=52, max_size=52)
    low = np.array(data.draw(shares))
    high = np.maximum(low, data.draw(shares))
    high[ARKIT.index("mouthClose")] = low[ARKIT.index("mouthClose")]
    below, above = np.nan_to_num(units(low, high).values)
    assert (below >= 0).all() and (above <= 5).all() and (above >= below - 1e-5).all()


def test_half_of_a_line_stands_for_the_whole_and_less_says_nothing():
    row = face(ARKIT, mouthSmileLeft=0.6)
    row[ARKIT.index("mouthSmileRight")] = np.nan
    for name in ("mouthRollLower", "mouthRollUpper", "mouthPressLeft"):
        row[ARKIT.index(name)] = np.nan
    out = units(row, np.full(52, np.nan))
    assert out.column("AU12")[0] == pytest.approx(3.0)
    assert np.isnan(out.column("AU23")[0]) and np.isnan(out.values[1]).all()


def test_prototypes_of_the_codebook_win():
    codebook = lines("facs-au", "brighter-6")
    assert {k: sorted(int(u[2:]) for u in v["weights"]) for k, v in codebook.items()} == {
        "joy": [6, 12, 25],
        "surprise": [1, 2, 5, 26, 27],
        "fear": [1, 2, 4, 5, 20, 25, 26, 27],
        "anger": [4, 5, 7, 10, 17, 23, 24, 25, 26],
        "disgust": [9, 10, 16, 17, 25, 26],
        "sadness": [1, 4, 6, 15, 17],
    }
    rows = [face(UNITS, **dict.fromkeys(codebook[name]["weights"], 5)) for name in SIX.names]
    out = translate(Track(UNITS, np.zeros(6), np.ones(6), rows, channel="face"), SIX)
    assert out.values.argmax(1).tolist() == list(range(6)) and np.diag(out.values) == pytest.approx(1)
    calm = translate(Track(UNITS, [0], [1], [face(UNITS)], channel="face"), "ekman-7")
    assert calm.top().name == "neutral"
    assert np.isnan(bridge("arkit-52", "brighter-6").loss) and bridge("arkit-52", "facs-au").kind == "linear"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({"AU99": {"weights": {"jawOpen": 1}}}, "AU99"),
        ({"AU01": {"weights": {"jawopen": 1}}}, "jawopen"),
        ({"AU01": {"weights": {"jawOpen": -1}}}, "above 0"),
        ({"AU01": {}}, "weights"),
        ({"AU01": {"weights": {"jawOpen": "x"}}}, "weights"),
    ],
)
def test_a_broken_line_says_what_is_wrong(lines, why):
    with pytest.raises(CatalogError, match=why):
        linear.matrix({"lines": lines}, ARKIT, UNITS)


@pytest.mark.corpus
def test_units_go_with_those_that_another_tool_saw_in_the_same_pictures():
    path = DATA / "face" / "pyfeat-news-au" / "news_au_blendshape.csv"
    if not path.exists():
        pytest.skip("no data folder")
    table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    rows = np.transpose([table[n] if n in table.dtype.names else np.full(len(table), np.nan) for n in ARKIT.names])
    out = units(*rows)
    for name, least in {"AU01": 0.7, "AU02": 0.8, "AU05": 0.7, "AU07": 0.65, "AU12": 0.7, "AU43": 0.8}.items():
        assert np.corrcoef(out.column(name), table[name])[0, 1] > least, name
