"""How a voice sounds, as a Model: ten readable numbers and the 88 functionals of eGeMAPS for each stretch of voice.

Knows which descriptors make a readable number; how Records are heard is `listening`, how sound is measured stands in
`descriptors` and `functionals`. Nothing here is trained.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.descriptors import NAMES, PITCH, Descriptors, curve, descriptors, within
from affetto.models.speech.functionals import NAMES as SUMMARIES
from affetto.models.speech.functionals import functionals
from affetto.models.speech.listening import Answer, Listening, read

__all__ = ["Prosody", "curve", "descriptors", "functionals", "load", "readable"]

Floats = npt.NDArray[np.float32]
_NO_VOICE = "no pitch in it"


@dataclass(frozen=True)
class Prosody:
    """A Model that measures; see the spaces `prosody` and `egemaps-88` for units."""

    card: Card
    listening: Listening = field(default_factory=lambda: Listening(around=0.0))
    """How it goes through a recording."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return Tracks in `prosody` and `egemaps-88`, a row a stretch of voice or a timed turn.

        Raises:
            MalformedError: a sound has another rate than 16 kHz.
            UnreadableError: a sound was only named, not opened.
        """
        return read(records, self.answer, self.card, self.listening)

    def answer(self, clips: Sequence[Floats]) -> list[Answer]:
        """Measure clips at 16 kHz, of any lengths."""
        small, large = load_card("prosody"), load_card("egemaps-88")
        with ThreadPoolExecutor(2) as pool:
            measured = list(pool.map(_measured, clips))
        short = [np.empty((0, len(small.axes)), np.float32), *(few[None] for few, _ in measured)]
        long = [np.empty((0, len(large.axes)), np.float32), *(many[None] for _, many in measured)]
        values = within(np.concatenate(short), small)
        notes = ["" if row else _NO_VOICE for row in ~np.isnan(values[:, 0])]
        return [Answer(small, values, note=notes), Answer(large, within(np.concatenate(long), large), note=notes)]


def _measured(clip: Floats) -> tuple[Floats, Floats]:
    found = descriptors(clip)
    summary = functionals(found)
    return readable(found, summary), summary


def readable(found: Descriptors, summary: Floats | None = None) -> Floats:
    """Return the ten numbers of the space `prosody`; NaN where nothing is said.

    Args:
        found: the descriptors of a clip.
        summary: its functionals, where they are known already.
    """
    summary = functionals(found) if summary is None else summary
    out = np.full(10, np.nan, np.float32)
    if not found.rows:
        return out
    said = dict(zip(SUMMARIES, summary.tolist(), strict=True))
    out[4] = said["loudness-peaks"]
    hz = found.hz[: found.rows]
    voiced = hz > 0
    out[9] = voiced.mean()
    if not voiced.any():
        return out
    level = 10 * np.log10(np.maximum(found.energy[: found.rows][voiced], 1e-12))
    tones = found.values[: found.rows, PITCH][voiced]
    out[0] = np.median(hz[voiced])
    out[1] = np.subtract(*np.percentile(tones, [80, 20]))
    out[2] = 10 * np.log10(np.maximum(found.energy[: found.rows][voiced].mean(), 1e-12))
    out[3] = np.subtract(*np.percentile(level, [80, 20]))
    out[5] = 100 * _middle(found, "jitter")
    out[6], out[7] = _middle(found, "shimmer"), _middle(found, "hnr")
    out[8] = said["alpha-ratio-voiced-mean"]
    return out


def load(card: Card) -> Prosody:
    """Load the model of a card."""
    return Prosody(card)


def _middle(found: Descriptors, name: str) -> float:
    """Return the median of a descriptor over the rows in which it is said."""
    column = found.values[:, NAMES.index(name)]
    column = column[~np.isnan(column)]
    return float(np.median(column)) if len(column) else np.nan
