"""The feeling that each turn of a talk expresses, read from its words and from the turns before it.

The text encoder reads each turn alone. A network of its own looks at the word pieces of all turns of a window together,
as the encoder's lower layers leave them, and a smaller one at what the encoder says of the turns. One file serves
several cards: a head a label set, and a flag by which turns also see those after them. Knows talks and numbers; the
names of speakers only tell who is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.dialogue import words
from affetto.models.dialogue.readout import sigmoid, softmax
from affetto.models.dialogue.saying import said, worded
from affetto.models.dialogue.talk_windows import Reach, Window, alike, packed, windows
from affetto.models.dialogue.talk_windows import said as first_words
from affetto.models.weights import opened, weights

Floats = npt.NDArray[np.float32]
TURNS = 512
"""Turns that are read at once: what bounds memory."""
THREADS = 2
"""Times as many, side by side."""
ROOM = 2048
"""Word pieces that the network computes at once."""
FACTS = "affetto.erc"


@dataclass(frozen=True)
class Head:
    """Some columns of the network's logits, and how they become an answer; all fitted on dev."""

    space: Space
    start: int
    """The first of its columns."""
    slope: float
    bias: tuple[float, ...]
    """What is added to each label's logit, after the slope."""
    trust: tuple[float, float]
    """Slope and intercept from the top label's log-odds to the log-odds that it is right."""

    def values(self, logits: Floats) -> Floats:
        """Return the probabilities of the labels, n x k, of all logits, n x m; their top is the decision."""
        x = logits[:, self.start : self.start + len(self.bias)] * self.slope + np.array(self.bias, np.float32)
        return softmax(x)

    def confidence(self, values: Floats) -> Floats:
        """Return how probably the top label of each row is right, n."""
        top = np.clip(values.max(1, initial=0), 1e-6, 1 - 1e-6)
        odds = self.trust[0] * np.log(top / (1 - top)) + self.trust[1]
        return sigmoid(odds)


class Upper:
    """The network on onnxruntime: packed windows in, logits and vectors of their turns out.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, card: Card) -> None:
        session, facts = opened(weights(card), "network of talk", FACTS)
        self._session, self._lock = session, Lock()
        self.facts: Mapping[str, Any] = facts

    def __call__(self, batch: Mapping[str, npt.NDArray[np.generic]], future: bool) -> tuple[Floats, Floats]:
        """Return logits, n x c x m, and vectors, n x c x d, of n windows of at most c turns."""
        with self._lock:
            flag = np.array([float(future)], np.float32)
            logits, known = self._session.run(["logits", "known"], {**batch, "future": flag})
        return logits, known


@dataclass(frozen=True)
class Erc:
    """A Model of what turns express."""

    card: Card
    upper: Upper
    head: Head
    reach: Reach
    future: bool = False
    """Whether turns also see those after them."""

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each speaker of each talk, a row a turn; NaN where a turn has no words."""
        found = self._asked(records)
        return [self._tracks(record, logits) for record, (logits, _) in zip(records, found, strict=True)]

    def known(self, records: Sequence[Record]) -> list[Floats]:
        """Return what is known of each turn of each talk, n x 960: 768 of its words in context, 192 among the turns."""
        return [vectors for _, vectors in self._asked(records)]

    def logits(self, records: Sequence[Record]) -> list[Floats]:
        """Return the logits of all heads for each turn of each talk, n x 21, not calibrated."""
        return [logits for logits, _ in self._asked(records)]

    def _tracks(self, record: Record, logits: Floats) -> tuple[Track, ...]:
        if not record.turns:
            return ()
        values = self.head.values(logits)
        sure = self.head.confidence(values)
        silent = [not worded(turn.text) for turn in record.turns]
        values[silent], sure[silent] = np.nan, np.nan
        return said(record, self.head.space, values, self.card, sure)

    def _asked(self, records: Sequence[Record]) -> list[tuple[Floats, ...]]:
        """Return logits and vectors of the turns of each talk."""
        widths = [int(self.upper.facts[name]) for name in ("logits", "known")]
        out = [(*(np.zeros((len(record.turns), width), np.float32) for width in widths),) for record in records]
        every = (w for i, record in enumerate(records) for w in windows(i, len(record.turns), self.reach))
        groups = list(_groups(every))
        with ThreadPoolExecutor(THREADS) as pool:  # each fills in rows of its own
            for _ in pool.map(lambda group: self._answer(records, group, out), groups):
                pass
        return out

    def _answer(self, records: Sequence[Record], group: Sequence[Window], out: list[tuple[Floats, ...]]) -> None:
        """Fill in what is answered in some windows."""
        turns = [records[w.talk].turns[w.start : w.end] for w in group]
        texts = list(dict.fromkeys(_read(turn.text) for some in turns for turn in some))
        reader = words.encoder(self.card)
        states = dict(zip(texts, reader.pieces(texts), strict=True))
        heard = dict(zip(texts, np.hstack(reader.heard(texts, ("known", "logits"))), strict=True))
        shown = [[states[_read(turn.text)] for turn in some] for some in turns]
        whole = [np.stack([heard[_read(turn.text)] for turn in some]) for some in turns]
        for rows in alike([sum(map(len, some)) for some in shown], ROOM):
            who = [[turn.speaker for turn in turns[i]] for i in rows]
            batch = packed([shown[i] for i in rows], [whole[i] for i in rows], who)
            for found, place in zip(self.upper(batch, self.future), range(2), strict=True):
                for row, i in zip(found, rows, strict=True):
                    w = group[i]
                    out[w.talk][place][w.first : w.last] = row[w.first - w.start : w.last - w.start]


def _read(text: str) -> str:
    return first_words(text) if worded(text) else "."


def _groups(every: Iterator[Window]) -> Iterator[list[Window]]:
    """Yield windows in groups of at most so many turns."""
    group: list[Window] = []
    turns = 0
    for window in every:
        if group and turns + window.end - window.start > TURNS:
            yield group
            group, turns = [], 0
        group.append(window)
        turns += window.end - window.start
    if group:
        yield group


_OPEN: dict[str, Upper] = {}
"""Networks of this process by their checksum: several cards share one."""


def load(card: Card) -> Erc:
    """Load the head that a card names by `head`, with `future` if later turns are to be seen.

    Raises:
        CatalogError: the network has no such head.
    """
    words.encoder(card)
    upper = _OPEN.get(card.sha256) or _OPEN.setdefault(card.sha256, Upper(card))
    name, future = str(card.facts.get("head")), bool(card.facts.get("future", False))
    facts = upper.facts["heads"].get(f"{name}-with-future" if future else name)
    if facts is None:
        raise CatalogError(f"{card.id} wants the head {name!r}, and its network has {', '.join(upper.facts['heads'])}")
    space: Space = load_card(facts["space"])
    head = Head(space, facts["start"], facts["slope"], tuple(facts["bias"]), tuple(facts["trust"]))
    reach = upper.facts["reach"]["with-future" if future else "past"]
    return Erc(card, upper, head, Reach(*reach), future)
