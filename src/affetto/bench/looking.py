"""Baselines that look: a regression on the edges of a face, and the detector that comes with OpenCV.

`baseline.hog` learns labels or degrees from whole pictures; `baseline.cascade` only says where frontal faces are, for
benchmarks of places. Knows no corpus and no metric. Needs OpenCV, and the first scikit-learn (extra `bench`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.bench.baselines import Baseline, Floats, Matter
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError, MissingExtraError
from affetto.core.record import Record
from affetto.core.signal import Image
from affetto.core.space import Space
from affetto.core.track import Channel, Track

SIDE = 48
"""Pixels on a side of the square that a picture is brought to."""
STRENGTH = 0.003
"""C of the regression on standardised numbers: of .0003 to .1 the best on dev of FER+, learned from 9,000 pictures."""
RIDGE = 10.0
"""Strength of the prior of the regression on degrees."""


class HogLogistic(Baseline):
    """A regression on histograms of oriented gradients (Dalal and Triggs 2005): 9 directions, cells of 8, blocks of 16.

    Of kind `one` it learns the raters' shares; of `graded`, each axis alone. Of several labels at once, nothing.
    """

    id = "baseline.hog"
    title = "Regression on histograms of oriented gradients"
    channels: tuple[Channel, ...] = ("face", "scene")

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        try:
            from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - an extra
        except ImportError:
            raise MissingExtraError(self.id, "bench") from None
        if self.space.kind not in ("one", "graded"):
            raise MalformedError(f"{self.id} learns one label, or degrees, and {self.space.id} is {self.space.kind!r}")
        seen = gradients(matters)
        self.middle, spread = seen.mean(0), seen.std(0)
        self.spread = np.where(spread > 1e-6, spread, 1).astype(np.float32)
        seen = (seen - self.middle) / self.spread
        self.prior = np.nanmean(values, 0) if self.space.kind == "one" else _means(values)
        self.machine: Any = None
        if self.space.kind == "graded":
            self.known = ~np.isnan(values).all(0)
            self.machine = Ridge(RIDGE).fit(seen, np.where(np.isnan(values), self.prior, values)[:, self.known])
            return
        rows, labels = np.nonzero(values > 0)
        if len(set(labels.tolist())) > 1:
            weights = values[rows, labels] / values[rows].sum(1)
            self.machine = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3).fit(seen[rows], labels, weights)

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        out = np.tile(self.prior, (len(matters), 1))
        if self.machine is None:
            return out
        seen = (gradients(matters) - self.middle) / self.spread
        if self.space.kind == "graded":
            low, high = (np.array([getattr(axis, end) for axis in self.space.axes]) for end in ("low", "high"))
            out[:, self.known] = self.machine.predict(seen).reshape(len(seen), -1)
            return np.asarray(np.clip(out, low, high))
        out[:] = 0
        out[:, self.machine.classes_] = self.machine.predict_proba(seen)
        return out


class Cascade:
    """The cascade of frontal faces that comes with OpenCV (Viola and Jones 2001), as it comes.

    A face is a Track of its own, with its box; what it shows is said as the same for all.

    Args:
        space: of kind `one`, of the answers, itself or its id.
    """

    id = "baseline.cascade"
    title = "OpenCV's cascade of frontal faces, as it comes"
    smallest = 20
    """Pixels on a side of a face."""

    def __init__(self, space: Space | str) -> None:
        self.space: Space = catalog.load(space) if isinstance(space, str) else space
        self.card = Card(
            self.id,
            "model",
            "1",
            self.title,
            spaces=(self.space.id,),
            channel="face",
            source="src/affetto/bench/looking.py",
            licence="MIT",
            intended_use="The least that a detector of faces has to beat.",
            limits=("It finds frontal, upright faces, and says nothing of what they show.",),
        )
        self._cascade: Any = None

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each face of the first picture of each Record."""
        return [self._tracks(record) for record in records]

    def _tracks(self, record: Record) -> tuple[Track, ...]:
        picture = next(
            (signal for signal in record.signals if isinstance(signal, Image) and 0 not in signal.size), None
        )
        if picture is None:
            return ()
        even, zero = np.full((1, len(self.space.axes)), 1 / len(self.space.axes)), np.zeros(1)
        return tuple(
            Track(
                self.space,
                zero,
                zero,
                even,
                subject=f"person-{k}",
                channel="face",
                source=str(self.card),
                box=np.array([[left, top, left + wide, top + tall]]),
            )
            for k, (left, top, wide, tall) in enumerate(self._found(picture.pixels), 1)
        )

    def _found(self, pixels: npt.NDArray[np.uint8]) -> Sequence[tuple[int, int, int, int]]:
        import cv2  # noqa: PLC0415 - heavy

        if self._cascade is None:
            folder = Path(str(cv2.__file__)).parent / "data"
            self._cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        found = self._cascade.detectMultiScale(grey, 1.1, 4, minSize=(self.smallest, self.smallest))
        return [(int(x), int(y), int(w), int(h)) for x, y, w, h in found]


def gradients(matters: Sequence[Matter]) -> npt.NDArray[np.float32]:
    """Return the histograms of n pictures, n x 900, of each in grey and 48 x 48."""
    import cv2  # noqa: PLC0415 - heavy

    made: Any = cv2.HOGDescriptor((SIDE, SIDE), (16, 16), (8, 8), (8, 8), 9)
    out = np.zeros((len(matters), made.getDescriptorSize()), np.float32)
    for row, one in zip(out, matters, strict=True):
        if isinstance(one, Image):
            grey = cv2.cvtColor(one.pixels, cv2.COLOR_RGB2GRAY)
            row[:] = made.compute(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)).ravel()
    return out


def _means(values: Floats) -> Floats:
    known = (~np.isnan(values)).sum(0)
    return np.where(known, np.nansum(values, 0) / np.maximum(known, 1), np.nan)
