"""A talk cut into windows of turns, each with some turns before it as context, and packed as numbers for a network.

Whatever the length of a talk, a window holds so many turns at most: memory stays the same, and a turn's answer depends
on the turns of its window alone. Knows turns and word pieces; knows no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
SIGNS = 320
"""Signs of a turn that are looked at for them."""


@dataclass(frozen=True)
class Reach:
    """How far a window goes."""

    most: int = 14
    """Turns of a window."""
    before: int = 7
    """Of these, turns that stand before the first that is answered, where the talk has as many."""
    after: int = 0
    """Turns that stand after the last that is answered."""


@dataclass(frozen=True)
class Window:
    """Some turns of one talk, of which those from `first` up to `last` are answered."""

    talk: int
    start: int
    end: int
    first: int
    last: int


def windows(talk: int, turns: int, reach: Reach) -> Iterator[Window]:
    """Yield the windows of a talk, in order; each turn is answered in one.

    >>> [(w.start, w.first, w.last, w.end) for w in windows(0, 30, Reach(14, 7))]
    [(0, 0, 14, 14), (7, 14, 21, 21), (14, 21, 28, 28), (21, 28, 30, 30)]
    """
    at = 0
    while at < turns:
        start = max(0, at - reach.before)
        end = min(turns, start + reach.most)
        last = end if end == turns else end - reach.after
        yield Window(talk, start, end, at, last)
        at = last


def said(text: str) -> str:
    """Return the words of a turn that are read: its first ones, none cut in two.

    >>> said("glad " * 100)[-9:], said("")
    ('glad glad', '.')
    """
    text = text.strip()
    return (text[:SIGNS].rsplit(None, 1)[0] if len(text) > SIGNS else text) or "."


def packed(
    states: Sequence[Sequence[Floats]], heard: Sequence[Floats], speakers: Sequence[Sequence[str]]
) -> dict[str, npt.NDArray[np.generic]]:
    """Return windows as a network takes them, by the names of its inputs, padded to the longest.

    Args:
        states: of each window, of each turn, its pieces' states (p x d).
        heard: of each window, what the encoder says and knows of its turns (c x h).
        speakers: of each window, who says each turn.

    Returns:
        `states` (n x t x d), `turn` (n x t, the number of each piece's turn, -1 behind the end), `speaker` (n x t),
        `heard` (n x c x h) and `who` (n x c, who says each turn, -1 behind the end).
    """
    sizes = [[len(turn) for turn in turns] for turns in states]
    n, longest, most = len(states), max(sum(size) for size in sizes), max(len(size) for size in sizes)
    x = np.zeros((n, longest, states[0][0].shape[1]), np.float32)
    whole = np.zeros((n, most, heard[0].shape[1]), np.float32)
    number, speaker = np.full((n, longest), -1, np.int64), np.zeros((n, longest), np.int64)
    who = np.full((n, most), -1, np.int64)
    for i, (turns, names) in enumerate(zip(states, speakers, strict=True)):
        known = {name: k for k, name in enumerate(dict.fromkeys(names))}
        who[i, : len(names)] = [known[name] for name in names]
        whole[i, : len(names)] = heard[i]
        total = sum(sizes[i])
        x[i, :total] = np.concatenate(turns)
        number[i, :total] = np.repeat(np.arange(len(turns)), sizes[i])
        speaker[i, :total] = np.repeat(who[i, : len(names)], sizes[i])
    return {"states": x, "turn": number, "speaker": speaker, "heard": whole, "who": who}


def alike(sizes: Sequence[int], room: int) -> Iterator[Ids]:
    """Yield the numbers of windows of like size, so that those of one batch, padded, hold `room` pieces at most."""
    order = np.argsort(np.asarray(sizes, np.int64), kind="stable")
    at = 0
    while at < len(order):
        count = 1
        while at + count < len(order) and (count + 1) * sizes[order[at + count]] <= room:
            count += 1
        yield order[at : at + count]
        at += count
