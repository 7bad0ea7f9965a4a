"""Where somebody speaks, laughs, sighs or cries, and where nobody does: as it comes, or in a whole recording.

A small recurrent network on log-mel (48,000 weights, `recipes/speech_voice.py`) gives a chance of voice for every
10 ms; two thresholds make stretches of it. Knows sound at 16 kHz; knows no file, and not who speaks or what is said.

The answers do not depend on how the sound is cut into blocks, to the last bit: the network always sees 80 ms at a time.
It says of a moment what it hears up to 0.1 s later, so that all is known 0.2 s after it was said.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from affetto.core.errors import CatalogError, MalformedError
from affetto.models.speech.mel import HOP, RATE, WINDOW, log_mel
from affetto.models.speech.stretches import Stretch

Floats = npt.NDArray[np.float32]
HIDDEN = 56
"""Numbers in the state of each recurrent layer."""
DELAY = 4
"""Pairs of frames that the network hears before it answers: 80 ms."""
CHUNK = 8
"""Frames of log-mel that the network takes at a time."""
_STEP = CHUNK * HOP
_OVERLAP = WINDOW - HOP
_BEFORE = (WINDOW - HOP) // 2
"""Samples of silence before the first, so that the middle of each window is the middle of its 10 ms."""
_PAIR = 2 * HOP / RATE
"""Seconds of a pair of frames, about which the network gives one answer."""
_WEIGHTS = Path(__file__).parent / "weights" / "voice.onnx"


@dataclass(frozen=True)
class VoiceOptions:
    """How chances become stretches.

    Raises:
        MalformedError: a threshold lies outside 0..1, `stay` is above `begin`, or the margins would meet in a pause.
    """

    begin: float = 0.5
    """A stretch begins where the chance of voice reaches this."""
    stay: float = 0.35
    """It lasts while the chance stays at this."""
    shortest: float = 0.2
    """Less voice than this, in seconds, is no stretch."""
    pause: float = 0.3
    """A shorter pause, in seconds, does not end a stretch."""
    margin: float = 0.05
    """Seconds to add before and after."""
    longest: float = 30.0
    """A stretch that goes on for so many seconds is ended there, and the next begins: nothing is held for longer."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 0 < self.stay <= self.begin <= 1:
            raise MalformedError(f"voice wants 0 < stay <= begin <= 1, not stay {self.stay} and begin {self.begin}")
        if not (0 <= self.shortest < self.longest and 0 <= 2 * self.margin <= self.pause and self.pause > 0):
            raise MalformedError(
                "voice wants 0 <= shortest < longest and 0 <= 2 margin <= pause, in seconds, not "
                f"shortest {self.shortest}, margin {self.margin} and pause {self.pause}"
            )


class Voice:
    """Listens to one channel as it comes and tells the stretches of voice as soon as they are over.

    >>> voice = Voice()
    >>> voice.feed(np.zeros(16000, np.float32)), voice.finish()
    ([], [])
    """

    def __init__(self, options: VoiceOptions | None = None) -> None:
        self.options = options or VoiceOptions()
        self._anew()

    def _anew(self) -> None:
        self._hearing = _Hearing()
        self._heard = 0
        self._begin: int | None = None
        self._last = 0
        self._voiced = 0
        self._speaking = False
        self.fresh = np.zeros(0, np.float32)
        """The chances of voice that the last sound brought, one every 20 ms."""

    @property
    def since(self) -> float | None:
        """When the stretch began that is not over yet, in seconds; None where nobody is heard, or too short yet."""
        return self._start() if self._begin is not None and self._long() else None

    @property
    def begun(self) -> float | None:
        """When that began which may become a stretch, however short it is yet, in seconds; None where there is none."""
        return None if self._begin is None else self._start()

    @property
    def until(self) -> float:
        """Up to when all is known, in seconds."""
        return self._heard * _PAIR

    def feed(self, samples: Floats) -> list[Stretch]:
        """Hear what comes next and return the stretches that are over now, in order.

        Args:
            samples: n, 16 kHz, in -1..1; n may be any number. What is not a number counts as silence.

        Raises:
            MalformedError: the samples have more than one axis.
        """
        return self._follow(self._hearing.feed(samples))

    def finish(self) -> list[Stretch]:
        """Return what is left at the end of the sound, and forget all: the next sound begins at 0 s."""
        chances, duration = self._hearing.finish()
        found = self._follow(chances)
        found += self._closed(duration)
        self._anew()
        self.fresh = chances
        return found

    def _follow(self, chances: Floats) -> list[Stretch]:
        """Take the chance of voice of each pair of frames in turn."""
        found: list[Stretch] = []
        silent = math.ceil(self.options.pause / _PAIR - 1e-9)
        self.fresh = chances
        for chance in chances.tolist():
            self._speaking = chance >= (self.options.stay if self._speaking else self.options.begin)
            if self._speaking:
                self._begin = self._heard if self._begin is None else self._begin
                self._voiced += 1
                self._last = self._heard + 1
            self._heard += 1
            if self._begin is None:
                continue
            if self._heard - self._last >= silent:
                found += self._closed(math.inf)
            elif (self._heard - self._begin) * _PAIR >= self.options.longest:
                found += self._closed(self._heard * _PAIR)
        return found

    def _closed(self, duration: float) -> list[Stretch]:
        """End what has begun, if anything has, and return it, if it is long enough."""
        stretch = Stretch(self._start(), round(min(duration, self._last * _PAIR + self.options.margin), 4))
        found = [stretch] if self._begin is not None and self._long() else []
        self._begin, self._voiced = None, 0
        return found

    def _long(self) -> bool:
        return self._voiced * _PAIR >= self.options.shortest - 1e-9

    def _start(self) -> float:
        return round(max(0.0, (self._begin or 0) * _PAIR - self.options.margin), 4)


def speech(blocks: Iterable[npt.NDArray[np.float32]], options: VoiceOptions | None = None) -> Iterator[Stretch]:
    """Yield the stretches of voice in a sound that comes in blocks.

    Args:
        blocks: n or n x 1, 16 kHz, in -1..1.
        options: how chances become stretches.

    >>> list(speech([np.zeros((8000, 1), np.float32)] * 4))
    []
    """
    voice = Voice(options)
    for block in blocks:
        yield from voice.feed(block[:, 0] if block.ndim == 2 and block.shape[1] == 1 else block)
    yield from voice.finish()


def chances(samples: Floats) -> Floats:
    """Return the chance of voice in each 10 ms of a whole sound, n // 160, in 0..1.

    Args:
        samples: n, 16 kHz, in -1..1.

    >>> bool(chances(np.zeros(16000, np.float32)).max() < 0.1)
    True
    """
    hearing = _Hearing()
    early = hearing.feed(samples)
    late, _ = hearing.finish()
    return np.repeat(np.concatenate([early, late]), 2)[: np.size(samples) // HOP]


class _Hearing:
    """The network and what it has to remember of one sound."""

    def __init__(self) -> None:
        self._session = _session()
        self._state = np.zeros((2, 1, HIDDEN), np.float32)
        self._waiting = np.zeros(_BEFORE, np.float32)
        self._count = 0
        self._said = -DELAY

    def feed(self, samples: Floats) -> Floats:
        """Return the chances, one for each 20 ms, that are known now and were not before."""
        samples = np.asarray(samples, np.float32)
        if samples.ndim != 1:
            raise MalformedError(f"voice wants the samples of one channel, n, not an array of shape {samples.shape}")
        self._count += len(samples)
        heard = np.concatenate([self._waiting, np.clip(np.nan_to_num(samples, posinf=0, neginf=0), -1, 1)])
        said, at = [], 0
        while len(heard) - at >= _STEP + _OVERLAP:
            frames = log_mel(heard[at : at + _STEP + _OVERLAP])
            now, self._state = self._session.run(None, {"frames": frames, "state": self._state})
            said.append(now[max(0, -self._said) :])
            self._said += len(now)
            at += _STEP
        self._waiting = heard[at:].copy()
        return np.concatenate(said) if said else np.zeros(0, np.float32)

    def finish(self) -> tuple[Floats, float]:
        """Return the last chances and how long the sound was in seconds; its end is mirrored to hear beyond it."""
        count = self._count
        missing = -(-count // (2 * HOP)) - max(0, self._said)
        if missing <= 0:
            return np.zeros(0, np.float32), count / RATE
        beyond = np.pad(self._waiting, (0, 3 * _STEP), "symmetric")[len(self._waiting) :]
        return self.feed(beyond)[:missing], count / RATE


@cache
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(_WEIGHTS), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain exceptions of its own
        raise CatalogError(
            f"the weights of voice activity cannot be read: {_WEIGHTS}; install affetto again: {error}"
        ) from None
