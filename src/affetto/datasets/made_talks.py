"""Made talks: films of made people whose every line, feeling and place is known, as `recipes/made_talks.py` makes them.

A split is a folder with `talks.csv` (id, duration, variant, subtitles) and for each id `ID.mp4`, `ID.truth.json`, and
`ID.srt` where it has subtitles. A Record is the truth: turns, people, Tracks of source `drawn`; its sound and its film
are opened, and decoded, no sooner than somebody looks. `meta["subtitles"]` says what its subtitles tell: `names`,
`plain` or `none`; `meta["lines"]` has what each line shows in every channel, and where its voice comes from.

Knows the files; makes none but a tiny fake.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core import catalog, plain
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Block, Frames
from affetto.core.space import Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.datasets.clips import HEARD, Opened
from affetto.datasets.corpus import Corpus, Split, table_of

INDEX, TRUTH = "talks.csv", ".truth.json"
LOOKED = 5.0
"""Pictures a second that the Frames of a Record give, as `media` has it where nothing else is said."""
SIZE = (640, 360)


@dataclass(frozen=True)
class Seen:
    """How a film is opened: decoded anew each time."""

    path: Path

    def __call__(self, seconds: float) -> Iterator[Block]:
        """Yield blocks of pictures of so many seconds.

        Raises:
            UnreadableError: it cannot be decoded.
        """
        yield from (pictures for _, pictures in self.timed(seconds))

    def timed(self, seconds: float) -> Iterator[tuple[npt.NDArray[np.float64], Block]]:
        """Yield the same, each after the seconds of its pictures."""
        from affetto.media.video import frames  # noqa: PLC0415 - the decoder is heavy, and most reading needs none

        yield from frames(self.path, LOOKED).timed(seconds)


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    home = split.files[0].parent
    for row in table_of(split.files[0]):
        id, film = row["id"], home / f"{row['id']}.mp4"
        if Path(id).name != id:
            raise ValueError(f"the id {id!r} is no name of a file")
        try:
            record = plain.to_record(json.loads((home / f"{id}{TRUTH}").read_text("utf-8")), _space)
        except MalformedError as error:
            raise ValueError(f"{id}{TRUTH}: {error}") from None
        seen, seconds = Seen(film), float(row["duration"])
        signals = (
            Audio(str(film), HEARD, seconds, Opened(film, str(film))),
            Frames(str(film), LOOKED, seconds, seen, SIZE, seen.timed),
        )
        facts = {"path": str(film), "variant": row["variant"], "subtitles": row["subtitles"]}
        yield replace(record, id=id, signals=signals, meta={**record.meta, **facts})


def _space(id: str) -> Space:
    space: Space = catalog.load(catalog.find(id, "space").id)
    return space


def _fake(folder: Path) -> None:
    """Write two talks a split, without their films."""
    ekman, speaking = catalog.load("ekman-7"), catalog.load("speaking")
    for split in ("dev", "test"):
        home = folder / split
        home.mkdir(parents=True)
        rows = ["id,duration,variant,subtitles"]
        for number in range(2):
            id = f"{split}-{number:02}-two"
            values = np.zeros((1, len(ekman.axes)))
            values[0, ekman.index("joy")] = 1
            start, end = np.array([0.5]), np.array([2.0])
            tracks = (
                Track(
                    speaking, start, end, np.ones((1, 1)), subject="Ann", channel="voice", source="drawn", note=("Hi!",)
                ),
                Track(ekman, start, end, values, subject="Ann", channel="fused", source="drawn"),
            )
            record = Record(
                id, (), (Turn("Ann", Span(0.5, 2.0, "s"), "Hi!"),), {"Ann": {"visible": True, "side": "left"}}, tracks,
                {"lines": [{"speaker": "Ann", "feeling": "joy", "conflict": False}]},
            )  # fmt: skip
            (home / f"{id}{TRUTH}").write_text(json.dumps(plain.from_record(record)) + "\n", "utf-8")
            rows.append(f"{id},3.0,two-named,names")
        (home / INDEX).write_text("\n".join(rows) + "\n", "utf-8")
