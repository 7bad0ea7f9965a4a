"""What the network behind `speech.speaker` remembers of a voice: numbers every 40 milliseconds, in its file.

Three layers of LSTM that learned to tell thousands of speakers apart (Wan et al. 2018) look at 40 bands of each clip,
brought to one loudness. Knows clips; knows no file of sound.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.models.speech.mel import VOICE_BANDS, WINDOW, slaney, voice_mel
from affetto.models.weights import opened

Floats = npt.NDArray[np.float32]
LOUDNESS = 30.0
"""Mean mel power that the encoder was trained at: -30 dB of full scale, in the units of its spectrum."""
STEP = 4
"""Frames that the encoder pools: it takes multiples of it."""
_SHORTEST = WINDOW + 8 * 160
"""Samples of the shortest clip that it is asked about, 105 ms."""


class VoiceEncoder:
    """The encoder in its file.

    Raises:
        UnreadableError: the file is none.
    """

    def __init__(self, path: Path) -> None:
        self.session, self.facts = opened(path, "speaker network", "affetto.speaker")

    def __call__(self, clips: Sequence[Floats]) -> list[Floats]:
        """Return what is remembered of each clip at 16 kHz, t x d, a row every 40 ms; two clips side by side."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self._one, clips))

    def _one(self, clip: Floats) -> Floats:
        return np.asarray(self.session.run(["rows"], {"power": picture(clip)[None]})[0][0], np.float32)


def picture(clip: Floats) -> Floats:
    """Return the mel powers of a clip at the loudness that the encoder was trained at, t x 40, t a multiple of 4."""
    if len(clip) < _SHORTEST:
        clip = np.pad(clip, (0, _SHORTEST - len(clip)))
    power = at_one_loudness(np.exp(voice_mel(clip)))
    return np.pad(power, ((0, -len(power) % STEP), (0, 0)))


def at_one_loudness(power: Floats) -> Floats:
    """Return mel powers, t x 40, at the loudness that the encoder was trained at."""
    level = float((power * slaney(VOICE_BANDS)[1]).sum(1).mean())
    return power * np.float32(LOUDNESS / max(level, 1e-20))
