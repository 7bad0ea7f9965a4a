"""What is worth showing of a talk, turn by turn: who, what it shows, how it moved, why, how it was met.

Brings the Tracks of models of talk (`dialogue.*`) and of raters together at the turns they lie on, whether they count
turns or seconds. Knows Tracks and Records; knows neither colours, terminals nor pages.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from affetto.core.places import Places
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track

NEUTRAL = ("neutral", "no emotion")
STEP = 0.15
"""A change of valence below this is no rise and no fall."""
SURE = 0.5
"""Two turns show different feelings where that is likelier than not."""
UNSURE = 0.4
"""Below this confidence of either turn, a shift is only possible."""
_ACTS = {"strategy-8": "strategy", "therapist-4": "skill", "client-talk-3": "client talk"}
_OTHER = "about somebody else: "
"""How the note of a row of care begins where the one in trouble is not the one who speaks."""
_NOTHING = ("neutral", "other", "others")
_RANKS = ("", "dialogue.erc", "dialogue.", "text.")
"""Beginnings of sources, a rater's first, that read feelings: the earlier counts."""


@dataclass(frozen=True)
class Shift:
    """How a speaker's feeling moved since what they said before."""

    since: int
    """The turn it is compared with."""
    change: float
    """How likely the feelings differ, 0..1."""
    rise: float
    """By how much valence is higher; NaN where nobody knows."""
    words: str

    @property
    def way(self) -> int:
        """1 for the better, -1 for the worse, 0 for neither."""
        return 0 if math.isnan(self.rise) or abs(self.rise) < STEP else 1 if self.rise > 0 else -1


@dataclass(frozen=True)
class Cause:
    """What brought a feeling about."""

    at: int
    """The turn in which it stands."""
    words: str
    sure: float


@dataclass(frozen=True)
class Act:
    """What a turn does: a strategy of support, a skill, or client talk."""

    kind: str
    name: str
    sure: float
    """NaN where unknown."""

    @property
    def telling(self) -> bool:
        """Whether it is more than "none of these"."""
        return self.name not in _NOTHING


@dataclass(frozen=True)
class Danger:
    """Words that ask for a person's help."""

    kinds: str
    words: str
    sure: float
    """0..1; below `SURE` they are only mentioned."""
    other: bool = False
    """Whether it is about somebody else than who speaks."""


@dataclass
class Said:
    """One turn, and what is told of it."""

    number: int
    """From 0."""
    speaker: str
    text: str
    span: Span | None = None
    shares: list[tuple[str, float]] = field(default_factory=list)
    """Feelings, likeliest first; empty where nothing is said."""
    sure: float = math.nan
    valence: float = math.nan
    """-1..1, of the labels under their probabilities."""
    spread: float = math.nan
    """One standard deviation of it."""
    shift: Shift | None = None
    causes: list[Cause] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    empathy: list[tuple[str, float]] = field(default_factory=list)
    """Mechanisms with their degree, 0..2."""
    rationale: list[tuple[str, str]] = field(default_factory=list)
    """Mechanism, or empty, and the words that show it."""
    moved: list[tuple[str, float]] = field(default_factory=list)
    """Empathic concern and distress, 1..7."""
    care: list[Danger] = field(default_factory=list)

    @property
    def feeling(self) -> str:
        """The likeliest feeling; empty where nothing is said."""
        return self.shares[0][0] if self.shares else ""


@dataclass(frozen=True)
class Expected:
    """What the next turn may show."""

    speaker: str
    shares: list[tuple[str, float]]
    sure: float


@dataclass
class Talk:
    """A whole talk, as it is told."""

    record: Record
    turns: list[Said]
    speakers: list[str]
    """In the order in which they first speak."""
    expected: list[Expected] = field(default_factory=list)
    relief: list[tuple[str, float, float]] = field(default_factory=list)
    """Whose trouble, how strong it was at first, and at last, 1..5."""
    sources: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Ids of spaces that are not told."""
    _causing: dict[int, list[str]] = field(default_factory=dict)

    @property
    def replies(self) -> list[Any]:
        """What could be said to it, where that was asked for."""
        return [one for one in self.record.meta.get("replies") or () if isinstance(one, Mapping)]

    @property
    def notice(self) -> str:
        """What is said in place of replies; empty where nothing is."""
        return str(self.record.meta.get("notice") or "")

    @property
    def careful(self) -> list[Said]:
        """The turns in which words of danger stand that are more than mentioned."""
        return [turn for turn in self.turns if any(one.sure >= SURE for one in turn.care)]

    def of(self, speaker: str) -> list[Said]:
        """Return the turns of a speaker."""
        return [turn for turn in self.turns if turn.speaker == speaker]

    def role(self, speaker: str) -> str:
        """Return the role of a speaker, empty where nobody says one."""
        return str(self.record.people.get(speaker, {}).get("role", ""))

    def moves(self, speaker: str = "") -> list[Said]:
        """Return the turns at which a feeling moved, of one speaker or of all."""
        return [turn for turn in self.turns if speaker in ("", turn.speaker) and self.moved(turn)]

    def moved(self, turn: Said) -> Shift | None:
        """Return how a feeling moved where it did: to another label, likelier than not."""
        shift = turn.shift
        if shift is None or shift.change <= SURE or turn.feeling in ("", self.before(shift)):
            return None
        return shift

    def unsure(self, shift: Shift, turn: Said) -> bool:
        """Tell whether either of the two turns of a shift is hardly known."""
        both = (turn.sure, self.turns[shift.since].sure if shift.since >= 0 else math.nan)
        return any(sure < UNSURE for sure in both)

    def causing(self, number: int) -> list[str]:
        """Return the words of a turn that are taken for causes."""
        if not self._causing:
            for turn in self.turns:
                for cause in turn.causes:
                    self._causing.setdefault(cause.at, []).append(cause.words)
        return self._causing.get(number, [])

    def before(self, shift: Shift) -> str:
        """Return the feeling from which one moved; empty where nobody knows."""
        return self.turns[shift.since].feeling if shift.since >= 0 else ""


def talk(record: Record) -> Talk:
    """Return what is told of a Record with turns.

    >>> from affetto.core.record import Turn
    >>> talk(Record("1", turns=(Turn("Ann", None, "hi"),))).speakers
    ['Ann']
    """
    pieces = record.pieces() if record.turns else []
    said = [Said(k, piece.subject, piece.text, record.turns[k].span) for k, piece in enumerate(pieces)]
    told = Talk(record, said, list(dict.fromkeys(turn.speaker for turn in said)))
    places = Places(record)
    told.sources = list(dict.fromkeys(track.source for track in record.tracks if track.source))
    for track in _feelings(record):
        _feel(told, track, places)
    for track in record.tracks:
        match track.space.id:
            case "shift":
                _shift(told, track, places)
            case "cause":
                _cause(told, track, places)
            case "epitome-3" | "empathy-2":
                _empathy(told, track, places)
            case "care":
                _care(told, track, places)
            case "trouble":
                _trouble(told, track)
            case "importance":
                _marks(told, track, places)
            case id if id in _ACTS:
                _act(told, track, places)
            case id if _expects(track):
                _expect(told, track)
            case id if track.space.kind != "one" and id not in ("va", "vad", "vad-reader"):
                told.left.append(id)
    told.left = sorted(set(told.left))
    _moved(told)
    return told


def _feelings(record: Record) -> list[Track]:
    """Return the Track of feelings of each speaker that counts most."""
    found: dict[str, Track] = {}
    held = [
        track
        for track in record.tracks
        if track.space.kind == "one"
        and track.space.id not in _ACTS
        and track.perspective in ("expressed", "felt")
        and track.unit != "char"
        and not _expects(track)
    ]
    for track in sorted(held, key=_rank):
        found.setdefault(track.subject, track)
    return list(found.values())


def _rank(track: Track) -> tuple[int, bool]:
    named = [k for k, start in enumerate(_RANKS) if start and track.source.startswith(start)]
    rank = min(named) if named else 0 if "@" not in track.source else len(_RANKS)
    return rank, track.space.id != "ekman-7"


def _expects(track: Track) -> bool:
    return track.source.startswith("dialogue.transition") or set(track.note or ()) == {"expected"}


def _feel(told: Talk, track: Track, places: Places) -> None:
    axes = track.space.axes
    where = np.array([axis.vad[0] if axis.vad else math.nan for axis in axes])
    for row, k in places.rows(track):
        turn, values = told.turns[k], track.values[row].astype(float)
        if turn.shares:
            continue
        turn.shares = _shares(track, row)
        turn.sure = turn.shares[0][1] if track.confidence is None else float(track.confidence[row])
        if turn.feeling in NEUTRAL and math.isnan(where[[axis.name for axis in axes].index(turn.feeling)]):
            turn.valence = 0.0
        turn.valence = float(values @ where) if not np.isnan(where).any() else turn.valence
        turn.spread = float(np.sqrt(max(values @ where**2 - turn.valence**2, 0.0)))


def _shares(track: Track, row: int) -> list[tuple[str, float]]:
    values = track.values[row]
    return [(track.space.names[i], float(values[i])) for i in np.argsort(-values, kind="stable") if values[i] >= 0.005]


def _sure(track: Track, row: int) -> float:
    return math.nan if track.confidence is None else float(track.confidence[row])


def _note(track: Track, row: int) -> str:
    return track.note[row] if track.note else ""


def _shift(told: Talk, track: Track, places: Places) -> None:
    rise = track.space.names.index("valence") if "valence" in track.space.names else None
    for row, k in places.rows(track):
        since = places(track.about[row] if track.about else None, track.subject)
        change = float(track.values[row, 0])
        told.turns[k].shift = Shift(
            since, change, math.nan if rise is None else float(track.values[row, rise]), _note(track, row)
        )


def _cause(told: Talk, track: Track, places: Places) -> None:
    for row, span in enumerate(track.spans):
        at = places(span)
        felt = places(track.about[row] if track.about else None, track.subject)
        value = float(track.values[row, 0])
        if at >= 0 and felt >= 0 and not math.isnan(value):
            told.turns[felt].causes.append(Cause(at, _note(track, row), value))


def _act(told: Talk, track: Track, places: Places) -> None:
    for row, k in places.rows(track):
        name, share = _shares(track, row)[0]
        sure = _sure(track, row)
        told.turns[k].acts.append(Act(_ACTS[track.space.id], name, share if math.isnan(sure) else sure))


def _empathy(told: Talk, track: Track, places: Places) -> None:
    for row, k in places.rows(track):
        said = [
            (name, float(v)) for name, v in zip(track.space.names, track.values[row], strict=True) if not math.isnan(v)
        ]
        if track.space.id == "empathy-2":
            told.turns[k].moved = said
            continue
        told.turns[k].empathy = said
        for part in _note(track, row).split(";"):
            mechanism, colon, words = part.partition(":")
            if colon and mechanism.strip() in track.space.names:
                told.turns[k].rationale.append((mechanism.strip(), words.strip()))


def _care(told: Talk, track: Track, places: Places) -> None:
    for row, k in places.rows(track):
        most = float(np.nanmax(track.values[row]))
        kinds = [name for name, value in _shares(track, row) if value >= min(SURE, most)]
        if kinds:
            words = _note(track, row)
            told.turns[k].care.append(
                Danger(", ".join(kinds), words.removeprefix(_OTHER), most, words.startswith(_OTHER))
            )


def _trouble(told: Talk, track: Track) -> None:
    said = [float(value) for value in track.values[:, 0] if not math.isnan(value)]
    if len(said) > 1:
        told.relief.append((track.subject, said[0], said[-1]))


def _marks(told: Talk, track: Track, places: Places) -> None:
    """Take the words that an explanation of empathy marks, where they stand in the turn."""
    if "epitome" not in track.source or track.unit != "char":
        return
    for row, span in enumerate(track.spans):
        k = places(track.about[row] if track.about else None, track.subject)
        if k >= 0 and track.values[row, 0] > 0:
            words = told.turns[k].text[int(span.start) : int(span.end)]
            if words.strip() and all(words not in known for _, known in told.turns[k].rationale):
                told.turns[k].rationale.append(("", words))


def _expect(told: Talk, track: Track) -> None:
    for row in range(len(track)):
        if not np.isnan(track.values[row]).all():
            shares = _shares(track, row)
            sure = _sure(track, row)
            told.expected.append(Expected(track.subject, shares, shares[0][1] if math.isnan(sure) else sure))


def _moved(told: Talk) -> None:
    """Compare each turn with the speaker's one before it, where no Track does."""
    if any(turn.shift for turn in told.turns):
        return
    before: dict[str, Said] = {}
    for turn in told.turns:
        if not turn.shares:
            continue
        old = before.get(turn.speaker)
        if old is not None:
            new = dict(turn.shares)
            change = 1 - sum(share * new.get(name, 0.0) for name, share in old.shares)
            words = turn.feeling if old.feeling == turn.feeling else f"{old.feeling} → {turn.feeling}"
            turn.shift = Shift(old.number, min(1.0, max(0.0, change)), turn.valence - old.valence, words)
        before[turn.speaker] = turn
