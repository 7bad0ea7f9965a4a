"""The columns of Py-Feat's tables: what they are called, in which order, and what they mean by space and axis.

Names and order are those that Detectorv2 of Py-Feat 2 writes. Knows names; `pyfeat` reads and writes them.
"""

import re

from affetto.formats.finding import find_space

RECT = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")
POINTS = tuple(f"{axis}_{i}" for axis in "xy" for i in range(68))
POSE = ("Pitch", "Roll", "Yaw")
PLACE = ("X", "Y", "Z")
UNITS = tuple(f"AU{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 17, 20, 23, 24, 25, 26, 28, 43))
MORE_UNITS = ("AU13", "AU16", "AU18", "AU22", "AU27", "AU45", "AU46")
EMOTIONS = {
    "Neutral": "neutral",
    "Happy": "joy",
    "Sad": "sadness",
    "Surprise": "surprise",
    "Fear": "fear",
    "Disgust": "disgust",
    "Anger": "anger",
    "Contempt": "contempt",
}
"""Column -> label; Py-Feat itself has no contempt."""
_OLDER = {"happiness": "Happy", "sadness": "Sad"}
GAZE = ("gaze_pitch", "gaze_yaw", "gaze_angle")
SIZE = ("FrameHeight", "FrameWidth")
TEXTS = ("approx_time", "input", "clip", "Identity", "note")
MESH = tuple(f"mesh_{axis}_{i}" for i in range(478) for axis in "xyz")
PLAIN_MESH = tuple(f"{axis}_{i}" for i in range(478) for axis in "xyz")
"""The same points as MPDetector calls them."""
_PASSED_OVER = re.compile(r"Identity_\d+|Unnamed: \d+|_neutral|")
"""Embeddings of who it is, which are nobody's business here, and what has no place in our spaces."""


def header() -> tuple[str, ...]:
    """Return the columns that are written, those Py-Feat lacks after each of its blocks or last."""
    shapes = sorted(find_space("arkit-52").names)
    written = (*RECT, "FaceScore", *POINTS, *POSE, *PLACE, *UNITS, *tuple(EMOTIONS)[:-1], "valence", "arousal", *GAZE)
    return (*written, *shapes, *SIZE, "frame", "approx_time", "input", "Identity", "Contempt", *MORE_UNITS, "note")


def sort(name: str) -> tuple[str, bool] | None:
    """Return what a column is called here and whether it holds numbers; one that is not known holds words."""
    if _PASSED_OVER.fullmatch(name):
        return None
    name = _SPELLED.get(name.lower(), name)
    return name, name in _NUMBERS


def _spelled() -> dict[str, str]:
    shapes = {shape.lower(): shape for shape in find_space("arkit-52").names}
    return {name.lower(): name for name in EMOTIONS} | _OLDER | shapes


_SPELLED = _spelled()
_NUMBERS = {*header(), *MESH, *PLAIN_MESH} - set(TEXTS)
