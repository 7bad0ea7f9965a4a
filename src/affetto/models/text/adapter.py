"""A small network on top of the embedded English encoder: its own two upper layers and a head, for one kind of text.

The encoder's middle states come from the card that `base` names; the adapter's ONNX file holds the rest, and beside it
one weight an n-gram, for words of the trade that the encoder never met. Knows how posts about stocks are worded:
tickers, numbers, links and names of users become words.
"""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.text.bags import Lines
from affetto.models.text.calibration import Calibration
from affetto.models.text.encoder import Network, TextEncoder, processors
from affetto.models.text.reading import Answer, read
from affetto.models.weights import network_of, weights

Floats = npt.NDArray[np.float32]
_WORDINGS = (
    (re.compile(r"https?://\S+|www\.\S+"), " "),
    (re.compile(r"<(ticker|number|user|company|unknown)>"), r" \1 "),
    (re.compile(r"\$[A-Za-z][A-Za-z.]{0,9}\b"), " ticker "),
    (re.compile(r"@\w+"), " user "),
    (re.compile(r"\d+(?:[.,:/]\d+)*"), " number "),
    (re.compile(r"[#_]"), " "),
    (re.compile(r"\s+"), " "),
)


def traded(text: str) -> str:
    """Return a post with tickers, numbers and users as words, and without links.

    >>> traded("$AAPL to 200 by Friday! @joe https://x.y")
    'ticker to number by Friday! user'
    """
    text = html.unescape(text)
    for pattern, words in _WORDINGS:
        text = pattern.sub(words, text)
    return text.strip()


class Upper:
    """The adapter's own network and its n-grams: middle states and texts in, logits out.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = processors()
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(network_of(path), options, providers=["CPUExecutionProvider"])
            facts = self.session.get_modelmeta().custom_metadata_map
            self.facts: dict[str, Any] = json.loads(facts["affetto.calibration"])
            self.lines = Lines.from_plain(json.loads(facts["affetto.lines"]))
        except Exception as error:  # onnxruntime raises plain exceptions of its own
            raise UnreadableError(f"{path.name} is no adapter of affetto: {error}") from None

    def logits(self, base: Network, texts: Sequence[str], width: int) -> Floats:
        """Return the logits of texts, n x width; of a text beyond the first window the mean over its windows."""
        out = np.zeros((len(texts), width), np.float32)
        share = np.zeros(len(texts), np.float32)
        worded = [traded(text) or "." for text in texts]
        for rows, sizes, states, mask in base.states(worded):
            part = self.session.run(["logits"], {"states": states, "mask": mask})[0]
            np.add.at(out, rows, part * sizes[:, None])
            np.add.at(share, rows, sizes)
        return out / share[:, None] + self.lines.logits(worded)


@dataclass(frozen=True)
class Adapter:
    """A Model over the encoder's states."""

    card: Card
    base: Network
    upper: Upper
    calibration: Calibration

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of each Record."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts, calibrated; `languages` are not looked at, all is read as English."""
        return self.calibration.answers(self.upper.logits(self.base, texts, self.calibration.width))


def load(card: Card) -> Adapter:
    """Load the adapter that a card names, and the encoder under it.

    Raises:
        CatalogError: the card's `base` is no encoder, or not the version that the adapter was trained on.
    """
    base = load_card(str(card.facts.get("base", "")))
    if not isinstance(base, TextEncoder) or base.card.sha256 != card.facts.get("base_sha256"):
        raise CatalogError(f"{card.id} was trained on other weights than those of {card.facts.get('base')!r} here")
    upper = Upper(weights(card))
    return Adapter(card, base.network, upper, Calibration.from_plain(upper.facts, load_card))
