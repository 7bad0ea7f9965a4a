"""What is known of a turn and of those around it: the vectors of words, the place in the talk, and who helps whom.

The text encoder says what it knows of each turn; beside it stands what it knows of the speaker's turn before, of all
turns so far (the latest the most) and of the other's last turn. Nothing of later turns is looked at. Knows turns and
vectors; knows no labels.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affetto.core.record import Record
from affetto.models.dialogue.saying import worded
from affetto.models.dialogue.words import Reader

Floats = npt.NDArray[np.float32]
HELPERS = ("supporter", "therapist", "listener", "counsellor", "counselor")
SEEKERS = ("seeker", "client", "speaker", "patient")
KNOWN, LOGITS, STATE = 768, 47, 384
HEARD = KNOWN + LOGITS + 2 * STATE
"""Numbers for a text: what the encoder's heads answer from, their logits, and mean and highest of its middle states."""
SURFACE = 12
AROUND = HEARD + 2 * KNOWN + STATE + SURFACE
"""Numbers for a turn in its talk."""
FADE = 0.7
"""How much of what was said so far is left after one more turn."""


def heard(encoder: Reader, texts: Sequence[str]) -> Floats:
    """Return what the encoder knows of n texts, n x HEARD; zeros for those without words."""
    found = np.zeros((len(texts), HEARD), np.float32)
    rows = [k for k, text in enumerate(texts) if worded(text)]
    if rows:
        found[rows] = np.concatenate(encoder.heard([texts[k] for k in rows], ("known", "logits", "middle")), 1)
    return found


def heard_of(encoder: Reader, records: Sequence[Record]) -> list[Floats]:
    """Return `heard` of the turns of each talk; the encoder is asked once for all."""
    texts = [turn.text for record in records for turn in record.turns]
    sizes = np.cumsum([len(record.turns) for record in records])[:-1]
    return np.split(heard(encoder, texts), sizes) if records else []


def around(record: Record, vectors: Floats) -> Floats:
    """Return a talk's turns with what was said before them, n x AROUND.

    Args:
        record: with n turns.
        vectors: n x HEARD, as `heard` gives them.
    """
    n = len(record.turns)
    known, middle = vectors[:, :KNOWN], vectors[:, KNOWN + LOGITS : KNOWN + LOGITS + STATE]
    own, past = np.zeros((n, KNOWN), np.float32), np.zeros((n, KNOWN), np.float32)
    other, signs = np.zeros((n, STATE), np.float32), np.zeros((n, SURFACE), np.float32)
    so_far = np.zeros(KNOWN, np.float32)
    last: dict[str, int] = {}
    run = 0
    for k, turn in enumerate(record.turns):
        before = record.turns[k - 1].speaker if k else None
        run = run + 1 if before == turn.speaker else 0
        past[k] = so_far
        if turn.speaker in last:
            own[k] = known[last[turn.speaker]]
        if others := [at for who, at in last.items() if who != turn.speaker]:
            other[k] = middle[max(others)]
        signs[k] = [*_place(k), *surface(turn.text), run > 0, run > 1]
        last[turn.speaker] = k
        so_far = FADE * so_far + (1 - FADE) * known[k]
    return np.concatenate([vectors, own, past, other, signs], 1)


def _place(k: int) -> list[float]:
    return [min(k, 30) / 30, float(np.log1p(k)) / 3, k == 0, k <= 2]


def surface(text: str) -> list[float]:
    """Return six numbers about signs and length of a text.

    >>> surface("Why?")[:3]
    [True, True, False]
    """
    count = len(text.split())
    return ["?" in text, text.rstrip().endswith("?"), text.count("?") > 1, "!" in text, np.log1p(count) / 4, count <= 4]


def role(record: Record, speaker: str) -> str:
    """Return the role of a speaker, in lower case: what the record says, or a name that is one; empty: none."""
    facts = record.people.get(speaker)
    said = str(facts.get("role", "") if facts else "").lower()
    return said or (speaker.lower() if speaker.lower() in HELPERS + SEEKERS else "")


def turns_of(record: Record, roles: Sequence[str]) -> list[int]:
    """Return the numbers of the turns of who has one of the roles; every turn where nobody has a role of help."""
    held = [role(record, turn.speaker) for turn in record.turns]
    if not any(one in HELPERS + SEEKERS for one in held):
        return list(range(len(held)))
    return [k for k, one in enumerate(held) if one in roles]
