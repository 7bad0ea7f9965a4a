"""What a voice expresses, from how it sounds and not from what it says: `speech.affect` and `speech.bursts`.

An encoder that once learned to write down speech looks at 80 bands of each clip, brought to one loudness, so that the
distance of the microphone does not matter; what it remembers of the clip goes to a small network of each model
(`recipes/speech_network.py`). Its calibration was fitted on speakers that it had not heard, and lies in the file's
metadata, with what its lessons were like: where a clip is unlike them, the confidence falls. Knows clips; knows no file
of sound.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.listening import Answer, Listening, read
from affetto.models.speech.mel import FINE_BANDS, WINDOW, fine_mel, slaney
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
WHITE = 3.75
"""What the encoder was trained to see in each band of white noise of deviation 1."""
DEPTH = 8.0
"""Powers of ten below the loudest point that it sees."""
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
    """A network in its file: clips in, logits and what it knows of each out.

    Args:
        path: its file. Either it has the encoder inside, or it takes what another's encoder remembers.
        base: that other one.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path, base: "Network | None" = None) -> None:
        self.session, self.facts = opened(path, "speech network", "affetto.calibration")
        self.base = base

    def __call__(self, clips: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Return logits (n x m) and what is known (n x d) of clips at 16 kHz, two side by side, each by itself."""
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(self._one, clips))
        return np.concatenate([logits for logits, _ in said]), np.concatenate([known for _, known in said])

    def remembered(self, clip: Floats) -> Floats:
        """Return what the encoder inside remembers of a clip, 1 x r: mean and deviation of its layers' states."""
        return np.asarray(self.session.run(["remembered"], {"mel": picture(clip)[None]})[0], np.float32)

    def _one(self, clip: Floats) -> tuple[Floats, Floats]:
        given = {"remembered": self.base.remembered(clip)} if self.base else {"mel": picture(clip)[None]}
        logits, known = self.session.run(["logits", "known"], given)
        return logits, known


def picture(clip: Floats) -> Floats:
    """Return a clip at 16 kHz as the encoder sees it, t x 80, t even."""
    if len(clip) < _SHORTEST:
        clip = np.pad(clip, (0, _SHORTEST - len(clip)))
    power = np.exp(fine_mel(clip))
    return as_seen(power[: len(power) // 2 * 2])


def as_seen(power: Floats) -> Floats:
    """Return mel powers, t x 80, as the encoder sees them: at one loudness, in powers of ten, not too deep.

    After Whisper's features (Radford et al. 2022).
    """
    width = slaney(FINE_BANDS)[1]
    level = float((power * width).sum(1).mean()) / (WHITE * float(width.sum()))
    tens = np.log10(np.maximum(power / max(level, 1e-20), 1e-10))
    return np.asarray((np.maximum(tens, tens.max() - DEPTH) + 4) / 4, np.float32)


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
    """Load the model that a card names, and the one whose encoder it stands on where the card has a `base`.

    Its `listening` may say how voice is found, as `Listening` has it.

    Raises:
        CatalogError: that is no such model, or not the version that this one was trained on; or `listening` is wrong.
    """
    base = load_card(str(card.facts["base"])) if "base" in card.facts else None
    if base and (not isinstance(base, VoiceModel) or base.card.sha256 != card.facts.get("base_sha256")):
        raise CatalogError(f"{card.id} was trained on other weights than those of {card.facts['base']!r} here")
    network = Network(weights(card), base.network if base else None)
    try:
        listening = Listening(**card.facts.get("listening", {}))
    except TypeError as error:
        raise CatalogError(f"{card.id}: listening wants names of seconds and chances, {error}") from None
    return VoiceModel(card, network, Calibration.from_plain(network.facts), network.facts.get("cues"), listening)
