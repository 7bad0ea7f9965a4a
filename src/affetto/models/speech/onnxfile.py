"""Any speech classifier that somebody exported to ONNX as a Model, by a card and the path of a file.

Such a card needs no code, and neither torch nor the network. It says, besides what all cards say and what `outputs`
lists:

    load = "affetto.models.speech.onnxfile:load"
    file = "emotion.onnx"           from the root, from where the card lies, or from the folder AFFETTO_MODELS
    get = "https://..."             where it is to be had
    input = "audio"                 the input: float32 of 1 x samples at 16 kHz, in -1..1
    output = "scores"               the output: 1 x labels, or 1 x frames x labels, which are averaged
    normalise = "layer"             none; layer: mean 0 and variance 1, with 1e-5 added to it, as layer norms do;
                                    unit: the same with 1e-7, as the feature extractor of wav2vec 2.0 does
    labels = ["anger", ...]         for each output the word of the space; "" for a label that it does not have

and may say the file's sha256, which then is checked. Knows sound as numbers; `listening` finds the voice in a Record
and turns answers into Tracks.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import onnxruntime

from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.listening import Answer, Listening, read
from affetto.models.speech.outputs import Meaning, facts_of, meaning
from affetto.models.weights import MODELS, checksum

Floats = npt.NDArray[np.float32]
Normalise = Literal["none", "layer", "unit"]
ADDED = {"layer": 1e-5, "unit": 1e-7}
"""To the variance, before its root divides."""


@dataclass(frozen=True)
class Facts:
    """What a card says of a file, besides the meaning of its labels."""

    file: str
    input: str
    output: str
    labels: list[str]
    normalise: Normalise = "none"
    get: str = ""


@dataclass(frozen=True)
class OnnxFile:
    """A Model over one ONNX file."""

    card: Card
    facts: Facts
    meaning: Meaning
    session: Any
    listening: Listening = field(default_factory=Listening)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each voice of each Record; without confidence, since none is calibrated."""
        return read(records, self.answer, self.card, self.listening)

    def answer(self, clips: Sequence[Floats]) -> list[Answer]:
        """Answer clips of one voice, each samples at 16 kHz."""
        return self.meaning.answer(clips, lambda parts: np.stack([self.output(part) for part in parts]))

    def output(self, clip: Floats) -> Floats:
        """Return the outputs for one clip, as many as labels.

        Raises:
            CatalogError: there are not as many as the card names.
        """
        sound = np.asarray(clip, np.float32)
        if self.facts.normalise != "none":
            sound = (sound - sound.mean()) / np.sqrt(sound.var() + ADDED[self.facts.normalise])
        given = np.asarray(self.session.run([self.facts.output], {self.facts.input: sound[None]})[0], np.float32)
        row = given[0].mean(0) if given.ndim == 3 else given.reshape(-1)
        if len(row) != len(self.facts.labels):
            raise CatalogError(
                f"the card {self.card.id} names {len(self.facts.labels)} labels, but {self.facts.file} gives"
                f" {' x '.join(map(str, given.shape))} numbers"
            )
        return np.asarray(row, np.float32)


def load(card: Card) -> OnnxFile:
    """Load the ONNX file that a card names.

    Raises:
        CatalogError: the card lacks a fact, or does not fit the file.
        UnreadableError: the file is not on this machine, or is no ONNX file of such a network.
    """
    facts = _facts(card)
    meant = meaning(card, facts.labels)
    path = _path(card, facts)
    if card.sha256 and checksum(path) != card.sha256:
        raise CatalogError(f"the file of {card.id} is not what its card says: {path} differs")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises plain exceptions of its own
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UnreadableError(f"{path} is no ONNX file that {card.id} can read: {first}") from None
    for what, name, known in (
        ("input", facts.input, [one.name for one in session.get_inputs()]),
        ("output", facts.output, [one.name for one in session.get_outputs()]),
    ):
        if name not in known:
            raise CatalogError(f"{card.id}: {facts.file} has no {what} {name!r}; known: {', '.join(known)}")
    if len(session.get_inputs()) > 1:
        more = ", ".join(one.name for one in session.get_inputs() if one.name != facts.input)
        raise CatalogError(f"{card.id}: {facts.file} wants more than sound: {more}")
    return OnnxFile(card, facts, meant, session)


def _facts(card: Card) -> Facts:
    """Return the facts of a card, checked."""
    kinds: dict[str, type | tuple[type, ...]] = {"file": str, "input": str, "output": str, "labels": list}
    kinds |= {"normalise": str, "get": str}
    facts = Facts(**facts_of(card, kinds, ("file", "input", "output", "labels")))
    if facts.normalise not in get_args(Normalise):
        raise CatalogError(f"{card.id}: normalise is {' or '.join(get_args(Normalise))}, not {facts.normalise!r}")
    if not all(isinstance(word, str) for word in facts.labels):
        raise CatalogError(f"{card.id}: labels are words, one an output, not {facts.labels!r:.60}")
    return facts


def _path(card: Card, facts: Facts) -> Path:
    """Return where the file lies: beside the card (or from the root), else in the folder of models."""
    places = [Path(card.path).parent / facts.file]
    if os.environ.get(MODELS):
        places.append(Path(os.environ[MODELS]) / facts.file)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        have = f"; to be had at {facts.get}" if facts.get else ""
        raise UnreadableError(
            f"{facts.file} of {card.id} is not on this machine; put it into a folder and name that in {MODELS}{have}"
        )
    return found
