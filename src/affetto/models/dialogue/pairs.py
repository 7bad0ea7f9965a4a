"""What is known of two turns of a talk, one of which may be the cause of the feeling that the other shows.

Of a pair counts how far the two lie from each other, who speaks, what each turn seems to show and what the turns
between and before show, how alike they are, and what they are about. Only turns up to the one that feels are looked at.
Knows numbers of turns; knows no network.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affetto.models.dialogue.saying import worded

Floats = npt.NDArray[np.float32]
REACH = 24
"""Turns before the one that feels, that may be its cause; the turn itself comes on top."""
NEUTRAL = 6
"""The place of neutral among the labels of ekman-7."""
WORDED = 5
"""The place in `facts` of whether a turn has words."""
_NEAR = 7
_LEAST = 1e-4
_FEW = frozenset(
    "the and you that this have what with for are was not but your can will would its his her she they them then there "
    "here just about very from which when how who why our out get got has had been were did does don isn too".split()
)
"""Words that say nothing of what a turn is about."""


@dataclass(frozen=True)
class Heard:
    """What is known of the n turns of a talk."""

    speakers: tuple[str, ...]
    traits: Floats
    """n x d: what each turn is about, few numbers."""
    shown: Floats
    """n x 7: how probably each turn shows each label of ekman-7, read with the turn before it."""
    facts: Floats
    """n x 6: of the words alone, see `facts`."""
    themes: tuple[frozenset[str], ...]
    """The words of each turn that say what it is about."""


def themes(text: str) -> frozenset[str]:
    """Return the words of a turn that say what it is about, in lower case.

    >>> sorted(themes("What a lovely boat you have!"))
    ['boat', 'lovely']
    """
    words = re.findall(r"[^\W\d_]{3,}", text.lower())
    return frozenset(word for word in words if word not in _FEW)


def facts(text: str) -> list[float]:
    """Return what the signs of a turn say: how long it is, what it asks and cries, whether there are words at all."""
    count = len(text.split())
    return [
        float(np.log1p(count)),
        min(text.count("?"), 3),
        min(text.count("!"), 3),
        float(text.rstrip().endswith("?")),
        float("," in text),
        float(worded(text)),
    ]


def heard(speakers: Sequence[str], texts: Sequence[str], traits: Floats, shown: Floats) -> Heard:
    """Return what is known of a talk's turns.

    Args:
        speakers: n.
        texts: n.
        traits: n x d.
        shown: n x 7.
    """
    signs = np.array([facts(text) for text in texts], np.float32).reshape(len(texts), 6)
    return Heard(tuple(speakers), traits, shown, signs, tuple(themes(text) for text in texts))


def candidates(turn: int) -> npt.NDArray[np.int64]:
    """Return the turns that may have caused what a turn shows: up to `REACH` before it, and itself."""
    return np.arange(max(0, turn - REACH), turn + 1)


def described(talk: Heard, turn: int, feeling: int) -> Floats:
    """Return a row for each of a turn's candidates (m x f).

    Args:
        talk: with all its turns; later ones are not looked at.
        turn: that feels something.
        feeling: what, the number of a label of ekman-7.
    """
    at = candidates(turn)
    m = len(at)
    own = np.array([talk.speakers[k] == talk.speakers[turn] for k in at], np.float32)
    far = turn - at
    place = [
        far[:, None] == np.arange(_NEAR),
        np.log1p(far),
        own,
        own * (far > 0),
        at == 0,
        np.full(m, np.log1p(turn)),
        np.full(m, np.log1p(m)),
        np.tile(np.arange(7) == feeling, (m, 1)),
    ]
    return np.concatenate(
        [
            np.asarray(part, np.float32).reshape(m, -1)
            for part in (*place, *_feelings(talk, at, turn, feeling, own), *_matter(talk, at, turn))
        ],
        1,
    )


def _feelings(talk: Heard, at: npt.NDArray[np.int64], turn: int, feeling: int, own: Floats) -> list[Floats]:
    """Return what the candidates, their neighbours, and the turns between and before seem to show."""
    shown = talk.shown[at]
    same, any_ = shown[:, feeling], 1 - shown[:, NEUTRAL]
    both = np.stack([same, any_], 1)
    odds = np.log((both + _LEAST) / (1 - both + _LEAST))
    between = np.maximum.accumulate(np.vstack([both[1:], np.zeros((1, 2), np.float32)])[::-1])[::-1]
    before = np.maximum.accumulate(np.vstack([np.zeros((1, 2), np.float32), both[:-1]]))
    after = np.vstack([both[1:], np.zeros((1, 2), np.float32)])
    last = np.vstack([np.zeros((1, 2), np.float32), both[:-1]])
    mine = (same * own)[:-1].max(initial=0.0)
    m = len(at)
    return [
        shown,
        np.tile(talk.shown[turn], (m, 1)),
        odds,
        np.tile(odds[-1], (m, 1)),
        between,
        before,
        after,
        last,
        np.tile(last[-1], (m, 1)),
        np.full(m, mine, np.float32),
        np.log((same + _LEAST) / (same.max() + _LEAST)),
        np.minimum((same[None] > same[:, None]).sum(1), 6) / 3,
        np.minimum((any_[None] > any_[:, None]).sum(1), 6) / 3,
    ]


def _matter(talk: Heard, at: npt.NDArray[np.int64], turn: int) -> list[Floats]:
    """Return what the candidates and the turn are about, and how alike they are."""
    m = len(at)
    traits = talk.traits[at]
    target = traits[-1]
    even = traits / np.maximum(np.linalg.norm(traits, axis=1, keepdims=True), _LEAST)
    alike = even @ even[-1]
    chain = np.concatenate([[0.0], (even[1:] * even[:-1]).sum(1), [0.0]]).astype(np.float32)
    ours = talk.themes[turn]
    shared = np.array([len(talk.themes[k] & ours) for k in at], np.float32)
    signs = talk.facts[at]
    later = np.vstack([signs[1:], np.zeros((1, 6), np.float32)])
    return [
        alike,
        np.minimum((alike[None] > alike[:, None]).sum(1), 6) / 3,
        chain[:-1],
        chain[1:],
        np.log1p(shared),
        signs,
        later[:, 1:4],
        np.tile(signs[-1], (m, 1)),
        traits,
        np.tile(target, (m, 1)),
        traits * target,
    ]
