"""What can be done with Records and Tracks, as Protocols. Whoever fits one belongs, without inheriting."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Signal
from affetto.core.track import Track

Item = TypeVar("Item")
Result = TypeVar("Result")


@runtime_checkable
class Model(Protocol):
    """Adds answers: Records in, as many tuples of Tracks out, in the same order.

    A Record that holds nothing for it gets Tracks whose values are NaN, or an empty tuple; never an exception.
    """

    card: Card

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a tuple of Tracks for each Record."""
        ...


@runtime_checkable
class Observer(Model, Protocol):
    """A Model that also finds out who is there and who says what: it adds turns and people besides Tracks."""

    def observe(self, record: Record) -> Record:
        """Return the Record with all that was found."""
        ...


@runtime_checkable
class Generator(Protocol):
    """Turns words and feelings back into something to hear, see or read."""

    card: Card

    def __call__(self, texts: Sequence[str], tracks: Sequence[Track]) -> list[Signal]:
        """Return a Signal for each text."""
        ...


class Explainer(Protocol):
    """Says what an answer rests on, as a Track in an importance space."""

    def __call__(self, model: Model, record: Record, track: Track) -> tuple[Track, ...]:
        """Return what `track`, which `model` gave of `record`, rests on."""
        ...


class Runner(Protocol):
    """Does work on many items: here, in processes, or on other machines."""

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results in the order of the items."""
        ...


class Appender(Protocol):
    """Writes Records to the end of a growing file; a format gives one and a batch asks for one."""

    def open(self, path: Path, offset: int, state: Mapping[str, Any]) -> None:
        """Open the growing file, cut it at `offset` bytes and go on as `state` says (both empty at first)."""
        ...

    def append(self, records: Sequence[Record]) -> None:
        """Write Records."""
        ...

    def sync(self) -> tuple[int, dict[str, Any]]:
        """Bring all to the disk; return the bytes so far, and what `open` needs to go on from here."""
        ...

    def close(self) -> None:
        """Close the growing file, whole or not."""
        ...

    def finish(self, path: Path, out: Path) -> None:
        """Make `out` of the closed, whole growing file, atomically, and remove that."""
        ...
