"""What a voice expresses, from how it sounds and not from what it says: `speech.affect` and `speech.bursts`.

A recurrent network (`recipes/speech_network.py`) looks at 40 bands of each clip, brought to one loudness, so that the
distance of the microphone does not matter. Its calibration was fitted on speakers that it had not heard, and lies in
the file's metadata, with what its lessons were like: where a clip is unlike them, the confidence falls. Knows clips;
knows no file of sound.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.listening import Answer, Listening, read
from affetto.models.speech.mel import WINDOW, slaney, voice_mel
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
LOUDNESS = 30.0
"""Mean mel power that the voice encoder was trained at: -30 dB of full scale, in the units of its spectrum."""
STEP = 4
"""Frames that the network pools: it takes multiples of it."""
_SHORTEST = WINDOW + 8 * 160
"""Samples of the shortest clip that is answered, 105 ms: of less nobody could tell anything."""


@dataclass(frozen=True)
class Calibration:
    """From logits to answers one may trust; fitted by the recipe."""

    meant: Floats
    """m x k: 1 where a logit means a label of the space; a logit that means none is out of the question."""
    temperature: float
    trust: tuple[float, float, float]
    """Slope on the log-odds of the top label, intercept, and slope on the strangeness of the clip, to the log-odds that
    the label is right."""
    mean: Floats
    """d: what is known of a mean lesson."""
    axes: Floats
    """d x q: directions in which lessons differ, each scaled to deviation 1."""
    centres: Floats
    """c x q: the mean of each label's lessons on them."""

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> "Calibration":
        """Return the calibration that a network's metadata say."""
        return Calibration(
            np.array(plain["meant"], np.float32),
            float(plain["temperature"]),
            (float(plain["trust"][0]), float(plain["trust"][1]), float(plain["trust"][2])),
            *(np.array(plain[name], np.float32) for name in ("mean", "axes", "centres")),
        )

    def probabilities(self, logits: Floats) -> Floats:
        """Return the probabilities of the space's labels, n x k, of logits n x m."""
        x = np.where(self.meant.any(1), logits / self.temperature, -np.inf)
        raised = np.exp(x - x.max(1, keepdims=True, initial=-np.inf)) @ self.meant
        return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)

    def strangeness(self, known: Floats) -> Floats:
        """Return how unlike every label's lessons clips are: log of the squared distance to the nearest, a direction.

        After Lee et al. 2018 (Mahalanobis distance to class means, one covariance).
        """
        at = (known - self.mean) @ self.axes
        far = ((at[:, None] - self.centres) ** 2).mean(2).min(1)
        return np.asarray(np.log(far + 1e-6), np.float32)

    def confidence(self, values: Floats, known: Floats) -> Floats:
        """Return the probability that the top label of each row is right."""
        top = np.clip(values.max(1, initial=0), 1e-6, 1 - 1e-6)
        slope, intercept, strange = self.trust
        odds = slope * np.log(top / (1 - top)) + intercept + strange * self.strangeness(known)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


class Network:
    """The network in its file: clips in, logits and what it knows of each out.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path) -> None:
        self.session, self.facts = opened(path, "speech network", "affetto.calibration")

    def __call__(self, clips: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Return logits (n x m) and what is known (n x d) of clips at 16 kHz, two side by side, each by itself."""
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(self._one, clips))
        return np.concatenate([logits for logits, _ in said]), np.concatenate([known for _, known in said])

    def heard(self, clips: Sequence[Floats]) -> list["Heard"]:
        """Return all that is heard in each clip, what the voice encoder remembers of it included."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self._all, clips))

    def frames(self, clips: Sequence[Floats]) -> list[Floats]:
        """Return what the voice encoder remembers of each clip, t x 768, a row every 40 ms."""
        return [heard.frames for heard in self.heard(clips)]

    def _one(self, clip: Floats) -> tuple[Floats, Floats]:
        logits, known = self.session.run(["logits", "known"], {"power": picture(clip)[None]})
        return logits, known

    def _all(self, clip: Floats) -> "Heard":
        logits, known, frames = self.session.run(["logits", "known", "frames"], {"power": picture(clip)[None]})
        return Heard(logits, known, frames[0])


class Heard(NamedTuple):
    """What the network makes of a clip."""

    logits: Floats
    """1 x m."""
    known: Floats
    """1 x d."""
    frames: Floats
    """t x 768: what each layer of the frozen voice encoder remembers, a row every 40 ms."""


def picture(clip: Floats) -> Floats:
    """Return the mel powers of a clip at the loudness that the network was trained at, t x 40, t a multiple of 4."""
    if len(clip) < _SHORTEST:
        clip = np.pad(clip, (0, _SHORTEST - len(clip)))
    power = at_one_loudness(np.exp(voice_mel(clip)))
    return np.pad(power, ((0, -len(power) % STEP), (0, 0)))


def at_one_loudness(power: Floats) -> Floats:
    """Return mel powers, t x 40, at the loudness that the network was trained at."""
    level = float((power * slaney()[1]).sum(1).mean())
    return power * np.float32(LOUDNESS / max(level, 1e-20))


@dataclass(frozen=True)
class VoiceModel:
    """A Model of how voices sound."""

    card: Card
    network: Network
    calibration: Calibration
    cues: Mapping[str, Any] | None = None
    """How the answers follow from prosody, roughly: what `explain` says it with (`recipes/speech_cues.py`)."""
    listening: Listening = field(default_factory=Listening)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of each Record."""
        return read(records, self.answer, self.card, self.listening)

    def answer(self, clips: Sequence[Floats]) -> list[Answer]:
        """Answer clips of any length at 16 kHz, calibrated."""
        space, *others = (load_card(id) for id in self.card.spaces)
        if clips:
            logits, known = self.network(clips)
            values = self.calibration.probabilities(logits)
            sure = self.calibration.confidence(values, known)
        else:
            values, sure = np.zeros((0, len(space.axes)), np.float32), np.zeros(0, np.float32)
        return [Answer(space, values, sure), *(Answer(other, space.weighed(other, values)) for other in others)]


def load(card: Card) -> VoiceModel:
    """Load the model that a card names."""
    network = Network(weights(card))
    return VoiceModel(card, network, Calibration.from_plain(network.facts), network.facts.get("cues"))
