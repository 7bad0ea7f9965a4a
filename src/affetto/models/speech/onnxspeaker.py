"""Any network of voices that somebody exported to ONNX, by a card and a file: WeSpeaker's, an ECAPA-TDNN, a ResNet.

A card of a model of speech that names such a card as its `embedder` tells speakers apart by it. It needs no code. It
says, besides what all cards say:

    load = "affetto.models.speech.onnxspeaker:load"
    file = "voxceleb_resnet34.onnx" beside the card, in the folder AFFETTO_MODELS, or in the cache of Affetto
    sha256 = "..."                  of the file
    url = "https://..."             where it is to be had; fetched once where AFFETTO_NETWORK=1 says so
    takes = "fbank"                 fbank: 1 x t x bands, as Kaldi makes them; wave: 1 x samples at 16 kHz
    input = "feats"                 the name of the input; by default the first
    output = "embs"                 the name of the output, 1 x d; by default the first
    bands = 80                      of fbank
    shape = "hamming"               of its windows: hamming (WeSpeaker) or povey (Kaldi's own)
    centred = true                  whether the mean of each band over the clip is taken away
    scale = 32768.0                 what samples in -1..1 are multiplied by
    window = 1.5                    seconds that it hears at a time
    step = 0.5                      seconds from one to the next
    alike = 0.6                     mean cosine of two clips of one voice, of 2 s each
    trust = 0.3                     how much the numbers count; the higher, the more voices are found
    unlike, short, pause, bias      as `Turning` has them, for changes of voice within a stretch

Knows sound as numbers; `telling` and `speaker` do the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import onnxruntime

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError
from affetto.models.speech.mel import HOP, RATE, WINDOW
from affetto.models.speech.speaker import Turning
from affetto.models.speech.telling import Telling
from affetto.models.weights import file_of, first_line

Floats = npt.NDArray[np.float32]
Takes = Literal["fbank", "wave"]
Shape = Literal["hamming", "povey"]
_POINTS = 512
_LOWEST = 20.0
"""Hz at which the lowest band begins."""
_EMPHASIS = 0.97
_SHORTEST = 0.4
"""Seconds of the shortest sound that is asked about; what is shorter is repeated."""


@dataclass(frozen=True)
class Facts:
    """What a card says of a file."""

    file: str
    url: str = ""
    takes: Takes = "fbank"
    input: str = ""
    output: str = ""
    bands: int = 80
    shape: Shape = "hamming"
    centred: bool = True
    scale: float = 32768.0
    window: float = 1.5
    step: float = 0.5
    alike: float = 0.6
    trust: float = 0.3
    unlike: float = 8.0
    short: float = -1.0
    pause: float = 1.0
    bias: float = -4.5


@dataclass(frozen=True)
class OnnxSpeaker:
    """An Embedder over one ONNX file."""

    card: Card
    facts: Facts
    session: Any
    telling: Telling = field(default_factory=Telling)
    turning: Turning = field(default_factory=Turning)

    @property
    def step(self) -> float:
        """Seconds from row to row."""
        return self.facts.step

    def rows(self, clips: Sequence[Floats]) -> list[Floats]:
        """Return what the network says of the windows of each clip, t x d of length 1."""
        return [np.stack([self._said(part) for part in self._windows(clip)]) for clip in clips]

    def embedded(self, sums: npt.NDArray[np.floating]) -> Floats:
        """Return the numbers, n x d of length 1, of sums of rows."""
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), np.float32)

    def _windows(self, clip: Floats) -> list[Floats]:
        """Return the sound about the middle of each step of a clip."""
        if len(clip) < _SHORTEST * RATE:
            clip = np.resize(clip, int(_SHORTEST * RATE)) if len(clip) else np.zeros(int(_SHORTEST * RATE), np.float32)
        size, step = round(self.facts.window * RATE), self.facts.step * RATE
        last = max(0, len(clip) - size)
        middles = (np.arange(max(1, round(len(clip) / step))) + 0.5) * step
        starts = np.clip(middles - size / 2, 0, last).astype(int)
        return [clip[start : start + size] for start in starts]

    def _said(self, part: Floats) -> Floats:
        samples = np.asarray(part, np.float32) * np.float32(self.facts.scale)
        given = samples
        if self.facts.takes == "fbank":
            given = fbank(samples, self.facts.bands, self.facts.shape)
            given = given - given.mean(0) if self.facts.centred else given
        said = self.session.run([self.facts.output], {self.facts.input: given[None]})[0]
        row: Floats = self.embedded(np.asarray(said, np.float32).reshape(1, -1))[0]
        return row


def fbank(samples: Floats, bands: int = 80, shape: Shape = "hamming") -> Floats:
    """Return the logarithm of the power in mel bands as Kaldi makes it, without dither, t x bands.

    Windows of 25 ms every 10 ms, none over the edge; each without its mean, with 0.97 of the sample before taken away;
    bands of 20 to 8,000 Hz, triangles in mel = 1127 ln(1 + Hz / 700).

    >>> fbank(np.zeros(16000, np.float32)).shape
    (98, 80)
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float64), WINDOW)[::HOP]
    frames = frames - frames.mean(1, keepdims=True)
    frames = frames - _EMPHASIS * np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    wave = np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    window = 0.54 - 0.46 * wave if shape == "hamming" else (0.5 - 0.5 * wave) ** 0.85
    power = np.abs(np.fft.rfft(frames * window, _POINTS, axis=1)) ** 2
    return np.asarray(np.log(np.maximum(power @ _triangles(bands), np.finfo(np.float32).eps)), np.float32)


@cache
def _triangles(bands: int) -> npt.NDArray[np.float64]:
    """Return 257 x bands."""
    mels = 1127 * np.log1p(np.arange(_POINTS // 2 + 1) * RATE / _POINTS / 700)
    corners = np.linspace(1127 * np.log1p(_LOWEST / 700), 1127 * np.log1p(RATE / 2 / 700), bands + 2)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rise = (mels[:, None] - left) / (centre - left)
    fall = (right - mels[:, None]) / (right - centre)
    return np.asarray(np.maximum(0, np.minimum(rise, fall)))


def load(card: Card) -> OnnxSpeaker:
    """Load the network that a card names.

    Raises:
        CatalogError: the card lacks a fact, or does not fit the file, or the file is not what it says.
        UnreadableError: the file is not on this machine and cannot be fetched, or is no ONNX file.
    """
    said = _said_of(card)
    path = file_of(card.id, str(said["file"]), str(said.get("url", "")), card.sha256, card.path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain exceptions of its own
        raise UnreadableError(f"{path} is no ONNX file that {card.id} can read: {first_line(error)}") from None
    for what, known in (("input", session.get_inputs()), ("output", session.get_outputs())):
        names = [one.name for one in known]
        if said.setdefault(what, names[0]) not in names:
            raise CatalogError(f"{card.id}: {path.name} has no {what} {said[what]!r}; known: {', '.join(names)}")
    facts = Facts(**said)
    turning = Turning(facts.window, facts.step, facts.unlike, facts.short, facts.pause, facts.bias)
    return OnnxSpeaker(card, facts, session, Telling(facts.alike, facts.trust), turning)


def _said_of(card: Card) -> dict[str, Any]:
    """Return the facts of a card, checked."""
    known = {one.name: one.type for one in fields(Facts)}
    said = {key: value for key, value in card.facts.items() if key in known}
    if "file" not in said:
        raise CatalogError(f"the card {card.id} lacks file")
    for key, value in said.items():
        kind = type(getattr(Facts, key, ""))
        right = isinstance(value, int | float) and not isinstance(value, bool) if kind is float else type(value) is kind
        if not right:
            raise CatalogError(f"in the card {card.id}, {key} cannot be {value!r:.40}")
    for name, words in (("takes", Takes), ("shape", Shape)):
        if said.get(name, get_args(words)[0]) not in get_args(words):
            raise CatalogError(f"{card.id}: {name} is {' or '.join(get_args(words))}, not {said[name]!r}")
    if not (said.get("window", 1.5) > 0 and said.get("step", 0.5) > 0 and 0 < said.get("bands", 80) <= 200):
        raise CatalogError(f"{card.id}: window and step are seconds above 0, and bands from 1 to 200")
    return said
