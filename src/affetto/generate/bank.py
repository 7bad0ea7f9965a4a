"""A bank of replies: texts, their vectors in eight bits, and what each does; and how one is made from anybody's talks.

A file is an npz without pickles: `texts` (UTF-8, a line each, as bytes), `vectors` (n x d int8) with a `scale` each
(n float16), `strategy` and `feelings` (n, places of the names in `facts`; feelings as bits), and `facts`, JSON as
bytes: names, source, licence, and by which network the vectors were made. Affetto ships one of replies written
for it; whoever has talks of his own, or the right to use a corpus, makes another from them, and keeps its licence.
Knows texts and numbers; receives the network.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.generate.manners import unfit

Floats = npt.NDArray[np.float32]
STRATEGIES = (
    "question", "restatement or paraphrasing", "reflection of feelings", "self-disclosure",
    "affirmation and reassurance", "providing suggestions", "information", "others",
)  # fmt: skip
"""What a reply does: the labels of `strategy-8`."""
FEELINGS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""What a reply answers: the labels of `ekman-7`."""
ANSWERING = ("supporter", "listener", "therapist")
"""Roles whose turns are replies."""
WRITTEN = Path(__file__).with_name("replies.tsv")
SHORTEST, LONGEST = 2, 40
"""Words of a turn that is kept."""
_FORMAT = "affetto-replies-1"


class Encoder(Protocol):
    """Gives replies a place: `dialogue.reply`, or whatever does the like."""

    def replies(self, texts: Sequence[str]) -> Floats:
        """Return vectors of length 1, n x d."""
        ...


@dataclass(frozen=True)
class Bank:
    """Replies to choose from."""

    texts: tuple[str, ...]
    vectors: npt.NDArray[np.int8]
    """n x d."""
    scale: Floats
    """n: what a whole number of each row is worth."""
    strategy: npt.NDArray[np.int8]
    """n: the place in `STRATEGIES`; -1 where nobody said."""
    feelings: npt.NDArray[np.uint8]
    """n: bit k for the k-th of `FEELINGS`; 0 where nobody said."""
    source: str
    licence: str
    by: str = ""
    """Whose vectors they are: the card and the checksum of the network."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        n = len(self.texts)
        if not n == len(self.vectors) == len(self.scale) == len(self.strategy) == len(self.feelings):
            raise MalformedError(f"a Bank wants as many vectors, scales, strategies and feelings as its {n} texts")

    def __len__(self) -> int:
        """Return how many replies it holds."""
        return len(self.texts)

    def near(self, vector: Floats, block: int = 65536) -> Floats:
        """Return how near each reply lies to a talk's vector: n products, in -1..1 but for rounding."""
        parts = [self.vectors[at : at + block].astype(np.float32) @ vector for at in range(0, len(self), block)]
        return np.asarray(np.concatenate([*parts, np.zeros(0, np.float32)]) * self.scale, np.float32)

    def strategy_of(self, row: int) -> str:
        """Return what a reply does; empty where nobody said."""
        return STRATEGIES[self.strategy[row]] if self.strategy[row] >= 0 else ""

    def feelings_of(self, row: int) -> tuple[str, ...]:
        """Return what a reply answers."""
        return tuple(name for k, name in enumerate(FEELINGS) if self.feelings[row] >> k & 1)

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        facts = {"format": _FORMAT, "strategies": STRATEGIES, "feelings": FEELINGS, "by": self.by} | dict(self.facts)
        facts |= {"source": self.source, "licence": self.licence}
        growing = path.with_name(f".{path.name}.part")
        with growing.open("wb") as file:
            np.savez_compressed(
                file,
                texts=np.frombuffer("\n".join(self.texts).encode(), np.uint8),
                vectors=self.vectors,
                scale=self.scale.astype(np.float16),
                strategy=self.strategy,
                feelings=self.feelings,
                facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            )
        growing.replace(path)


def opened(path: Path, by: str = "") -> Bank:
    """Read a bank from its file.

    Args:
        path: the file.
        by: whose vectors they must be, as `maker` says; empty: anybody's.

    Raises:
        UnreadableError: it is none, or another network made it.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(bytes(file["facts"]))
            if facts["format"] != _FORMAT or tuple(facts["strategies"]) != STRATEGIES:
                raise ValueError(f"its format is {facts['format']}")
            texts = bytes(file["texts"]).decode().split("\n") if file["texts"].size else []
            columns = [file[name] for name in ("vectors", "scale", "strategy", "feelings")]
            rest = {key: facts[key] for key in facts.keys() - {"format", "strategies", "feelings", "by"}}
            made = Bank(tuple(texts), columns[0], columns[1].astype(np.float32), columns[2], columns[3],
                        str(rest.pop("source")), str(rest.pop("licence")), str(facts["by"]), rest)  # fmt: skip
    except Exception as error:  # numpy, zipfile and json raise errors of their own
        raise UnreadableError(f"{path.name} is no bank of replies; make one by affetto replies: {error}") from None
    if by and made.by != by:
        raise UnreadableError(f"the vectors of {path.name} are those of {made.by}, not of {by}; make it again")
    return made


def maker(encoder: Any) -> str:
    """Return the name of who makes vectors: card, version and the start of its checksum."""
    card = getattr(encoder, "card", None)
    return f"{card}:{card.sha256[:16]}" if card is not None else type(encoder).__name__


def laid(
    texts: Sequence[str], encoder: Encoder, strategy: Sequence[str], feelings: Sequence[Sequence[str]],
    source: str, licence: str, block: int = 2048, **facts: Any,
) -> Bank:  # fmt: skip
    """Return a bank of texts, each with what it does (or "") and what it answers.

    Raises:
        MalformedError: a strategy or a feeling is none, or a text has more than one line.
    """
    for what, names, known in (
        ("strategy", {name for name in strategy if name}, STRATEGIES),
        ("feeling", {name for row in feelings for name in row}, FEELINGS),
    ):
        if odd := sorted(set(names) - set(known)):
            raise MalformedError(f"no {what} is called {odd[0]!r}; there are {', '.join(known)}")
    if any("\n" in text for text in texts):
        raise MalformedError("a reply in a Bank is one line")
    rows = [encoder.replies(texts[at : at + block]) for at in range(0, len(texts), block)]
    vectors = np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)
    scale = np.maximum(np.abs(vectors).max(1), 1e-6) / 127
    return Bank(
        tuple(texts),
        np.round(vectors / scale[:, None]).astype(np.int8),
        scale.astype(np.float32),
        np.array([STRATEGIES.index(name) if name else -1 for name in strategy], np.int8),
        np.array([sum(1 << FEELINGS.index(name) for name in row) for row in feelings], np.uint8),
        source,
        licence,
        maker(encoder),
        facts,
    )


def written(encoder: Encoder | None = None, path: Path = WRITTEN) -> Bank:
    """Return the bank of the replies that were written for Affetto.

    Its vectors are kept beside it; where they are those of other texts or of another network, they are made anew.

    Args:
        encoder: makes vectors; None: those that are kept are taken as they are.
        path: the table: text, strategy, feelings (with commas between).
    """
    plain = path.read_bytes()
    digest = hashlib.sha256(plain).hexdigest()
    kept = path.with_suffix(".npz")
    if kept.is_file():
        found = opened(kept)
        if encoder is None or (found.by == maker(encoder) and found.facts.get("digest") == digest):
            return found
    if encoder is None:
        raise UnreadableError(f"the vectors of {path.name} are not there, and nobody is here to make them")
    rows = list(csv.DictReader(plain.decode().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    feelings = [row["feelings"].split(",") if row["feelings"] else [] for row in rows]
    texts, strategy = [row["text"] for row in rows], [row["strategy"] for row in rows]
    return laid(texts, encoder, strategy, feelings, "written for Affetto", "MIT", digest=digest)


def gathered(
    records: Iterable[Record],
    encoder: Encoder,
    source: str,
    licence: str,
    feelings_of: Callable[[Record], Sequence[str]] | None = None,
    most: int = 0,
) -> Bank:
    """Return a bank of the replies in talks: turns that answer another's, of whoever listens or supports.

    A turn is kept once, if it has 2 to 40 words and nothing that `manners` finds unfit. What it does comes from the
    raters' Tracks in `strategy-8`. In a talk where nobody has a role of those who listen, by its people or by the names
    of its speakers, all turns that answer another's are replies.

    Args:
        records: talks.
        encoder: makes the vectors.
        source: what the texts come from, for the file.
        licence: of the texts; who gets the file must be told.
        feelings_of: says what the talk is about, in names of `FEELINGS`.
        most: replies at most, the first; 0: all.
    """
    found: dict[str, tuple[str, Sequence[str]]] = {}
    for record in records:
        about = feelings_of(record) if feelings_of else ()
        does = _strategies(record)
        for k in _replying(record):
            text = " ".join(record.turns[k].text.split())
            if text not in found and SHORTEST <= len(text.split()) <= LONGEST and not unfit(text):
                found[text] = (does.get(k, ""), about)
        if most and len(found) >= most:
            break
    texts = list(found)[: most or None]
    return laid(texts, encoder, [found[t][0] for t in texts], [found[t][1] for t in texts], source, licence)


def joined(first: Bank, second: Bank) -> Bank:
    """Return two banks as one; a text of both is that of the first.

    Raises:
        MalformedError: their vectors are of different networks.
    """
    if first.by != second.by:
        raise MalformedError(f"banks of {first.by} and of {second.by} do not go together; make one of them again")
    known = set(first.texts)
    new = [k for k, text in enumerate(second.texts) if text not in known]

    def both(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(first, name), getattr(second, name)[new]])

    source, licence = (
        " + ".join(dict.fromkeys((getattr(first, what), getattr(second, what)))) for what in ("source", "licence")
    )
    texts = (*first.texts, *(second.texts[k] for k in new))
    columns = both("vectors"), both("scale"), both("strategy"), both("feelings")
    return Bank(texts, *columns, source, licence, first.by)


def _replying(record: Record) -> list[int]:
    """Return the numbers of the turns that are replies."""
    turns = record.turns
    roles = {turn.speaker: str(record.people.get(turn.speaker, {}).get("role", turn.speaker)) for turn in turns}
    known = any(role in ANSWERING for role in roles.values())
    return [
        k
        for k in range(1, len(turns))
        if turns[k].speaker != turns[k - 1].speaker and (not known or roles[turns[k].speaker] in ANSWERING)
    ]


def _strategies(record: Record) -> dict[int, str]:
    """Return what raters say that turns do."""
    found: dict[int, str] = {}
    for track in record.tracks:
        if track.space.id == "strategy-8" and track.unit == "turn":
            for row, start in enumerate(track.start):
                axis = track.top(row)
                if axis is not None:
                    found[int(start)] = axis.name
    return found
