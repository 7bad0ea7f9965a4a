"""What faces do in a talk: feelings, speech, blinks, looks and nods as curves of ARKit's coefficients and of the head.

Faces of the feelings are Ekman, Friesen and Hager's prototypes (2002, EMFACS) in ARKit's terms. Knows time and
coefficients; draws nothing. The same seed gives the same curves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.core import catalog
from affetto.generate.talk import MOUTH, STEP, Floats, Person, Spoken, Talk, faces

FACES: dict[str, dict[str, float]] = {
    "neutral": {},
    "joy": {"mouthSmile": 0.9, "cheekSquint": 0.7, "eyeSquint": 0.25, "mouthUpperUp": 0.3, "mouthDimple": 0.2,
            "jawOpen": 0.08},
    "sadness": {"browInnerUp": 0.8, "browDown": 0.6, "mouthFrown": 1.0, "mouthShrugLower": 0.8, "eyeSquint": 0.6,
                "eyeBlink": 0.3, "cheekSquint": 0.3},
    "surprise": {"browInnerUp": 0.95, "browOuterUp": 0.95, "eyeWide": 0.85, "jawOpen": 0.5, "mouthFunnel": 0.15},
    "fear": {"browInnerUp": 1.0, "browOuterUp": 0.2, "browDown": 0.6, "eyeWide": 1.0, "mouthStretch": 1.0,
             "mouthLowerDown": 0.4, "jawOpen": 0.1},
    "anger": {"browDown": 1.0, "noseSneer": 1.0, "eyeSquint": 0.5, "mouthUpperUp": 0.5, "mouthLowerDown": 0.7,
              "mouthStretch": 0.6, "mouthFrown": 0.3, "jawOpen": 0.2},
    "disgust": {"noseSneer": 1.0, "mouthUpperUp": 0.8, "browDown": 0.45, "eyeSquint": 0.45, "cheekSquint": 0.35,
                "mouthFrown": 0.3},
}  # fmt: skip
"""Movements of both sides and how strong they are at the height of a feeling."""
HEADS = {"joy": (-2.0, 2.0), "sadness": (9.0, 3.0), "surprise": (-5.0, 0.0), "fear": (-3.0, 2.0), "anger": (4.0, 0.0)}
"""Degrees of pitch (down) and roll of the head in a feeling."""
TALKING = ("mouth", "jaw")
"""Movements that begin so share the mouth with speech."""


@dataclass(frozen=True)
class Acting:
    """What one person does, n moments."""

    times: npt.NDArray[np.float64]
    """n, seconds."""
    arkit: Floats
    """n x 52, 0..1."""
    pose: Floats
    """n x 3: yaw to the person's left, pitch down and roll to the right shoulder, degrees, as in `head-pose`."""


def acted(talk: Talk, lines: Sequence[Spoken], seconds: float, rate: float, seed: int = 0) -> dict[str, Acting]:
    """Return what everybody who is seen does in each frame.

    Args:
        talk: who is there.
        lines: as they are spoken.
        seconds: how long it takes.
        rate: frames a second.
        seed: of all that is drawn by lot.
    """
    times = np.arange(round(seconds * rate)) / rate
    return {
        person.name: _one(person, talk, lines, times, np.random.default_rng([seed, k]))
        for k, person in enumerate(talk.seen)
    }


def index(name: str) -> list[int]:
    """Return the places of a movement among the 52: of both sides, where it has two."""
    names = catalog.load("arkit-52").names
    return [names.index(one) for one in (name, f"{name}Left", f"{name}Right") if one in names]


def _one(
    person: Person, talk: Talk, lines: Sequence[Spoken], times: npt.NDArray[np.float64], rng: np.random.Generator
) -> Acting:
    seconds = times[-1] + 2 * STEP
    labels = np.array(faces(person.name, lines, seconds))
    own = [one for one in lines if one.line.speaker == person.name]
    talks = _talking(own, times)
    quiet = 1 - 0.5 * talks[:, :1]
    out = np.zeros((len(times), 52), np.float32)
    head = np.zeros((len(times), 3), np.float32)
    for label, parts in FACES.items():
        ticks = _strength(labels == label, rng)
        strong = np.interp(times, np.arange(len(ticks)) * STEP, ticks)
        for name, share in parts.items():
            own_share = share * rng.uniform(0.85, 1.1)
            value = strong * own_share * (quiet[:, 0] if name.startswith(TALKING) else 1)
            for k in index(name):
                out[:, k] += value * rng.uniform(0.92, 1.08)
        down, tilt = HEADS.get(label, (0.0, 0.0))
        head[:, 1] += strong * down
        head[:, 2] += strong * tilt * rng.choice((-1, 1))
    _speak(out, talks)
    _blink(out, times, rng)
    head += _sway(times, rng, (3.0, 2.0, 2.0))
    head[:, 1] += 3.0 * _smooth(talks[:, 0], 5)
    aside = _partner(person, talk)
    head[:, 0] += aside * rng.uniform(8, 14)
    _look(out, times, aside, rng)
    return Acting(times, np.clip(out, 0, 1), head)


def _strength(shown: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Return how strongly a feeling is shown in each tenth of a second: it comes within 0.3 s and varies a little."""
    level = shown * rng.uniform(0.8, 1.0)
    level = np.convolve(np.pad(level, 2, "edge"), np.ones(3) / 3, "same")[2:-2]
    return np.asarray(level * (1 + 0.1 * np.sin(np.arange(len(level)) * 0.4 + rng.uniform(0, 6))), np.float32)


def _talking(own: Sequence[Spoken], times: npt.NDArray[np.float64]) -> Floats:
    """Return how open, round and wide the mouth is in each frame, n x 3."""
    out = np.zeros((len(times), 3), np.float32)
    for one in own:
        at = one.start + np.arange(len(one.heard.mouth)) / MOUTH
        for k in range(3):
            out[:, k] += np.interp(times, at, one.heard.mouth[:, k], 0, 0)
    return np.clip(out, 0, 1)


def _speak(out: Floats, talks: Floats) -> None:
    """Add what speech does to the mouth."""
    moves = {
        "jawOpen": 0.4 * talks[:, 0], "mouthLowerDown": 0.2 * talks[:, 0], "mouthUpperUp": 0.12 * talks[:, 0],
        "mouthFunnel": 0.5 * talks[:, 1], "mouthPucker": 0.35 * talks[:, 1], "mouthStretch": 0.3 * talks[:, 2],
    }  # fmt: skip
    for name, value in moves.items():
        for k in index(name):
            out[:, k] += value


def _blink(out: Floats, times: npt.NDArray[np.float64], rng: np.random.Generator) -> None:
    """Close the eyes for about 0.2 s every 2 to 5 s."""
    at = rng.uniform(0.3, 3)
    while at < times[-1]:
        lids = np.clip(1.3 - np.abs(times - at) / 0.09, 0, 1)
        for k in index("eyeBlink"):
            out[:, k] = np.maximum(out[:, k], lids)
        at += rng.uniform(2, 5)


def _sway(times: npt.NDArray[np.float64], rng: np.random.Generator, most: Sequence[float]) -> Floats:
    """Return slow movements of the head, n x 3, degrees."""
    beats = rng.uniform(0.12, 0.5, (3, 4))
    phases = rng.uniform(0, 6.3, (3, 4))
    waves = np.sin(2 * np.pi * beats[None] * times[:, None, None] + phases[None]).mean(2)
    return np.asarray(1.6 * waves * np.asarray(most), np.float32)


def _partner(person: Person, talk: Talk) -> float:
    """Return to which side the others are: 1 to the person's left, -1 to the right, 0 to both or to none."""
    place = {"left": 0, "middle": 1, "right": 2}
    ways = [np.sign(place[one.side] - place[person.side]) for one in talk.seen if one is not person]
    return float(np.sign(sum(ways)))


def _look(out: Floats, times: npt.NDArray[np.float64], aside: float, rng: np.random.Generator) -> None:
    """Turn the eyes to the others, and away now and then."""
    way, up, at = np.zeros(len(times)), np.zeros(len(times)), 0.0
    while at < times[-1] + 1:
        until = at + rng.uniform(0.8, 2.5)
        away = rng.random() < 0.3
        here = (times >= at) & (times < until)
        way[here] = rng.uniform(-0.35, 0.35) if away else 0.25 * aside + rng.normal(0, 0.05)
        up[here] = rng.uniform(-0.4, 0.2) if away else rng.normal(0, 0.05)
        at = until
    for side, sign in (("Left", 1), ("Right", -1)):
        for name, value in (("Out", sign * way), ("In", -sign * way), ("Up", up), ("Down", -up)):
            out[:, index(f"eyeLook{name}{side}")[0]] += np.clip(value, 0, 1)


def _smooth(values: Floats, width: int) -> Floats:
    return np.asarray(np.convolve(values, np.ones(width) / width, "same"), np.float32)
