"""Baselines that listen: a support vector machine on what a whole clip sounds like.

`baseline.cepstral-svm` makes its own numbers, so that it stays what it is whatever happens to the models;
`baseline.egemaps-svm` asks the Model `speech.prosody` for its Track in the space egemaps-88. Knows no corpus and no
metric. Both need scikit-learn (extra `bench`).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from affetto.bench.baselines import Baseline, Floats, Matter
from affetto.core import catalog
from affetto.core.errors import MalformedError, MissingExtraError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio
from affetto.core.span import Span
from affetto.core.track import Channel

STRENGTHS = (1.0, 10.0)
"""C, of which the one is taken that tells most apart among speakers held out in training."""
INNER = 3
"""Parts of the training speakers, to choose C and how sure to be."""
SHARPNESS = np.geomspace(0.1, 10, 41)
"""Factors of the machine's decisions, of which the one with the least log loss is taken."""
RATE = 16000.0
COEFFICIENTS = 20
FAINT = 35.0
"""Frames so many dB below the loudest are no part of the clip: silence at its ends."""
_WINDOW, _HOP, _POINTS, _BANDS = 400, 160, 512, 40
_DAY = 86400.0
"""Seconds that no clip is longer than."""


class SoundSvm(Baseline):
    """A support vector machine (RBF) on numbers that sum up a whole clip.

    Numbers are standardised by the training clips; labels weigh the same however rare. How sure it is follows from
    its decisions on training speakers that it did not learn from. Of graded spaces it knows nothing.
    """

    channels: tuple[Channel, ...] = ("voice",)
    _summed: ClassVar[dict[tuple[str, int], tuple[Audio, Floats]]] = {}
    """What was heard in learning, by kind and sound: folds learn from the same clips. Answers are heard anew."""

    def numbers(self, audio: Audio) -> Floats:
        """Return what sums up a clip; NaN where something cannot be told."""
        raise NotImplementedError

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        try:
            from sklearn.model_selection import GroupKFold  # noqa: PLC0415 - an extra
        except ImportError:
            raise MissingExtraError(self.id, "bench") from None
        if self.space.kind != "one":
            raise MalformedError(f"{self.id} learns one label of several, and {self.space.id} is {self.space.kind!r}")
        heard = np.array([self._sum(one) for one in matters if isinstance(one, Audio)])
        known = ~np.isnan(heard)
        count = np.maximum(1, known.sum(0))
        self.middle = np.nansum(heard, 0) / count
        spread = np.sqrt(np.nansum((heard - self.middle) ** 2, 0) / count)
        self.spread = np.where(spread > 1e-9, spread, 1.0)
        features, labels = self._standard(heard), values.argmax(1)
        self.labels = np.unique(labels)
        if len(self.labels) < 2:
            return
        speakers = np.array(self.groups)
        parts = min(INNER, len(set(self.groups)))
        strength, self.sharpness = STRENGTHS[-1], 1.0
        if parts > 1:
            inner = list(GroupKFold(parts).split(features, labels, speakers))
            tried = [(self._held_out(features, labels, inner, c), c) for c in STRENGTHS]
            (decisions, at), strength = max(tried, key=lambda one: _recall(labels[one[0][1]], one[0][0], self.labels))
            self.sharpness = _sharpness(decisions, np.searchsorted(self.labels, labels[at]))
        self.machine = _machine(strength).fit(features, labels)

    def _held_out(
        self, features: Floats, labels: npt.NDArray[np.intp], inner: Sequence[Any], strength: float
    ) -> tuple[Floats, npt.NDArray[np.intp]]:
        """Return decisions (n x labels) on rows that were held out in turn, and which rows they are of."""
        decisions, places = [], []
        for train, test in inner:
            if len(np.unique(labels[train])) < len(self.labels):
                continue
            decisions.append(_decisions(_machine(strength).fit(features[train], labels[train]), features[test]))
            places.append(test)
        if not places:
            return np.zeros((0, len(self.labels))), np.zeros(0, np.intp)
        return np.concatenate(decisions), np.concatenate(places)

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        out = np.zeros((len(matters), len(self.space.axes)))
        if len(self.labels) < 2:
            out[:, self.labels] = 1
            return out
        heard = np.array([self.numbers(one) for one in matters if isinstance(one, Audio)])
        decisions = _decisions(self.machine, self._standard(heard))
        out[:, self.labels] = _shares(self.sharpness * decisions)
        return out

    def _sum(self, audio: Audio) -> Floats:
        key = self.id, id(audio)
        if key not in self._summed:
            self._summed[key] = audio, self.numbers(audio)
        found: Floats = self._summed[key][1]
        return found

    def _standard(self, heard: Floats) -> Floats:
        return np.asarray(np.nan_to_num((heard - self.middle) / self.spread))


class CepstralSvm(SoundSvm):
    """Mean and spread of 20 cepstral coefficients, and the spread of their slopes."""

    id = "baseline.cepstral-svm"
    title = "SVM on means and spreads of 20 cepstral coefficients"

    def numbers(self, audio: Audio) -> Floats:
        """Return 60 numbers."""
        found = cepstra(samples_of(audio))
        if not len(found):
            return np.full(3 * COEFFICIENTS, np.nan)
        slopes = np.gradient(found, axis=0) if len(found) > 1 else np.zeros_like(found)
        return np.concatenate([found.mean(0), found.std(0), slopes.std(0)])


class EgemapsSvm(SoundSvm):
    """The 88 functionals of eGeMAPS (Eyben et al. 2016) over the whole clip, as `speech.prosody` gives them."""

    id = "baseline.egemaps-svm"
    title = "SVM on the 88 functionals of eGeMAPS"
    model = "speech.prosody"
    answer = "egemaps-88"

    def numbers(self, audio: Audio) -> Floats:
        """Return 88 numbers: the clip is handed over as one turn, so that no part of it is left out as silence.

        Raises:
            MalformedError: the Model gives no such Track.
        """
        end = _DAY if np.isnan(audio.duration) else audio.duration
        turn = Turn("speaker", Span(0.0, end, "s"), "")
        tracks = catalog.load(self.model)([Record("clip", (audio,), (turn,))])[0]
        found = [track for track in tracks if track.space.id == self.answer and len(track)]
        if not found:
            raise MalformedError(f"{self.id} wants a Track in {self.answer} from {self.model}, which gave none")
        return np.asarray(found[0].values[0], np.float64)


def samples_of(audio: Audio) -> Floats:
    """Return a whole sound as n samples, its channels mixed.

    Raises:
        MalformedError: it does not come at 16 kHz.
    """
    if audio.rate != RATE:
        raise MalformedError(f"{audio.path or 'a sound'} has {audio.rate:g} samples a second; {RATE:g} are wanted")
    blocks = [np.asarray(block, np.float64).mean(1) for block in audio.blocks()]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def cepstra(samples: Floats) -> Floats:
    """Return 20 cepstral coefficients of each frame that is heard, n x 20.

    Hann windows of 25 ms every 10 ms, the logarithm of 40 triangles even in mel (O'Shaughnessy 1987) from 20 Hz to 8
    kHz, and their cosine transform (Davis and Mermelstein 1980); the first coefficient is the level.

    Args:
        samples: n, at 16 kHz.

    >>> cepstra(np.sin(np.arange(16000) / 5)).shape
    (98, 20)
    """
    if len(samples) < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), _POINTS, axis=1)) ** 2
    bands = np.log(np.maximum(power @ _triangles(), 1e-8))
    level = 10 * np.log10(np.maximum(power.sum(1), 1e-12))
    kept = bands[level > level.max() - FAINT] if (frames != 0).any() else bands[:0]
    return np.asarray(kept @ _cosines())


@cache
def _triangles() -> Floats:
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    low = 2595 * np.log10(1 + 20 / 700)
    corners = 700 * (10 ** (np.linspace(low, top, _BANDS + 2) / 2595) - 1)
    hz = np.arange(_POINTS // 2 + 1)[:, None] * RATE / _POINTS
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    return np.asarray(np.maximum(0, np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre))))


@cache
def _cosines() -> Floats:
    k, band = np.arange(COEFFICIENTS), np.arange(_BANDS)[:, None]
    return np.asarray(np.cos(np.pi * k * (band + 0.5) / _BANDS) * np.sqrt(2 / _BANDS))


def _machine(strength: float) -> Any:
    from sklearn.svm import SVC  # noqa: PLC0415 - an extra

    return SVC(C=strength, class_weight="balanced", cache_size=200)


def _decisions(machine: Any, features: Floats) -> Floats:
    """Return n x labels, also where there are two and the machine gives one number."""
    found = np.asarray(machine.decision_function(features), np.float64)
    return np.stack([-found, found], 1) if found.ndim == 1 else found


def _shares(decisions: Floats) -> Floats:
    raised = np.exp(decisions - decisions.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def _recall(labels: npt.NDArray[np.intp], decisions: Floats, known: npt.NDArray[np.intp]) -> float:
    """Return the mean recall of the labels that occur."""
    said = known[decisions.argmax(1)] if len(decisions) else labels[:0]
    found = [float((said[labels == label] == label).mean()) for label in np.unique(labels)]
    return float(np.mean(found)) if found else 0.0


def _sharpness(decisions: Floats, right: npt.NDArray[np.intp]) -> float:
    """Return the factor of the decisions whose probabilities fit the labels (n, as columns) best."""
    if not len(decisions):
        return 1.0
    losses = [
        -np.log(np.maximum(1e-12, _shares(factor * decisions)[np.arange(len(right)), right])).mean()
        for factor in SHARPNESS
    ]
    return float(SHARPNESS[int(np.argmin(losses))])
