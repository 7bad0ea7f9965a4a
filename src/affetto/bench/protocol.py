"""What a benchmark is: which rows of which corpus, in which space, scored how, with what allowed on dev.

Knows the keys of a benchmark's card, besides what all cards say::

    corpus = "goemotions"       the id of a dataset
    split = "test"              what is scored; dev and train (below) are never scored
    dev = "dev"                 where thresholds and probes are fitted; empty: nothing may be fitted
    train = "train"             what baselines learn from; empty: from the other folds
    folds = 0                   where there is no published split: so many folds, disjoint in `group`
    fold = ""                   or the key of meta whose values are the folds, each scored by what learned from the
                                others: `fold` where the corpus has them, `speaker` to leave one speaker out, `part`
    parts = []                  of the corpus; empty: all, each scored alone, and their mean
    truth = "goemotions-28"     the space of the raters' labels
    space = "ekman-7"           the space that is scored; where it differs, the truth goes over the bridge
    labels = []                 of that space (which then is that of the truth): only Records of these are read, scored
                                and learned from, and of an answer only these count, scaled to 1; empty: all
    without = []                keys of meta: a Record that has one of them is neither scored nor learned from
    majority = false            of raters' shares, only the label that most gave is right (else any that one gave)
    seconds = 0.0               of sound that anybody hears, from its start, to learn and to answer; 0: all of it
    conditions = []             what is scored is asked for once under each, which is scored alone, and their mean
    places = false              scored is not what a face shows, but whether it was found: boxes, see `bench.places`
    talk = ""                   whole recordings are scored: `people` (who is there and who speaks when, see
                                `bench.people`) or `course` (what each felt over time, see `bench.course`); or of
                                written talks `transition` (what comes next, see `bench.transition`) or `cause`
                                (which turns and words a feeling came from, see `bench.causes`)
    overlap = false             Records are windows of talks, which overlap: those that share words belong together,
                                and have the same `dialogue` in meta (see `bench.transition`), to be the `group`
    perspective = "expressed"   of the raters' labels
    subject = ""                whose; empty: whoever it is
    metrics = ["macro_f1"]      those shown, the headline first
    published = []              corpus and split as the registry of published results calls them
    group = ""                  key of meta whose values the interval draws; empty: each Record is its own

A benchmark of sound, pictures or recordings can be asked for under a condition, such as `ravdess-emobox6@white-10` (see
`bench.conditions`), `ferplus@hidden-25` (`bench.seeing`) or `made-talks-course@no-voice` (`bench.lacking`): what is
scored sounds or looks so, what is learned from stays as it is, and the results have that id.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from affetto.bench import conditions, lacking, seeing
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError
from affetto.core.record import Record
from affetto.core.track import Channel, Perspective, Track

RECORDINGS = ("people", "course")
"""What is scored of whole recordings ..."""
TALKS = ("", *RECORDINGS, "transition", "cause")
"""... and of written talks."""


@dataclass(frozen=True)
class Benchmark:
    """One protocol."""

    card: Card
    corpus: str
    split: str
    truth: str
    space: str
    metrics: tuple[str, ...]
    perspective: Perspective = "expressed"
    subject: str = ""
    dev: str = ""
    train: str = ""
    folds: int = 0
    fold: str = ""
    labels: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    majority: bool = False
    seconds: float = 0.0
    conditions: tuple[str, ...] = ()
    places: bool = False
    talk: str = ""
    overlap: bool = False
    parts: tuple[str, ...] = ()
    group: str = ""
    published: tuple[str, ...] = ()
    condition: str = ""
    """Under which all that is scored is heard or seen; never of the card."""

    @property
    def id(self) -> str:
        """Its name, version and condition included."""
        return f"{self.card.id}@{self.condition}" if self.condition else self.card.id

    @property
    def channel(self) -> Channel:
        """What systems attend to: `voice`, `face` or `scene`; `text` for all else."""
        channels: dict[str, Channel] = {"voice": "voice", "face": "face", "scene": "scene"}
        return channels.get(self.card.channel, "text")

    @property
    def heard(self) -> bool:
        """Whether systems are to listen, and not to read."""
        return self.channel == "voice"

    @property
    def seen(self) -> bool:
        """Whether systems are to look, and not to read."""
        return self.channel in ("face", "scene")

    @property
    def known_conditions(self) -> tuple[str, ...]:
        """The conditions that it can be asked for under."""
        if self.talk:
            return lacking.KNOWN if self.talk in RECORDINGS else ()
        return conditions.KNOWN if self.heard else seeing.KNOWN if self.seen else ()

    def truths(self, record: Record) -> list[Track]:
        """Return the Tracks of a Record that are the truth here: the raters' common ones, never a single rater's."""
        return [
            track
            for track in record.tracks
            if track.space.id == self.truth
            and track.perspective == self.perspective
            and self.subject in ("", track.subject)
            and not track.source.startswith(("rater:", "silver:"))
        ]

    def asks(self, track: Track, row: int) -> bool:
        """Tell whether a row of the truth is scored: something was said, and it is one of the labels."""
        values = track.values[row]
        if np.isnan(values).all():
            return False
        return not self.labels or track.space.names[int(np.nanargmax(values))] in self.labels

    def group_of(self, record: Record) -> str:
        """Return what the Record is drawn together with in the bootstrap."""
        return str(record.meta[self.group]) if self.group else record.id

    def fold_of(self, record: Record, seed: int) -> int | str:
        """Return the fold of a Record: the one its corpus gives it, or else one that its group has by the seed."""
        if self.fold:
            return str(record.meta[self.fold])
        given = record.meta.get("fold")
        return int(given) if given is not None else fold_of(self.group_of(record), self.folds, seed)


def load(card: Card) -> Benchmark:
    """Return the benchmark that a card describes.

    Raises:
        CatalogError: the card lacks a key, or has one that nobody knows.
    """
    known = {field.name for field in fields(Benchmark)} - {"card", "condition"}
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in card.facts.items()
    }
    odd = sorted(set(said) - known)
    missing = sorted({"corpus", "split", "truth", "space", "metrics"} - set(said))
    if odd or missing:
        words = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(odd)}, which no benchmark has"
        raise CatalogError(f"the benchmark card {card.id} {words}")
    if said["split"] in (said.get("dev"), said.get("train")):
        raise CatalogError(f"the benchmark card {card.id} scores the split that it lets others learn from")
    if said.get("labels") and said["truth"] != said["space"]:
        raise CatalogError(f"the benchmark card {card.id} wants some labels only, and so its truth in {said['space']}")
    if said.get("talk", "") not in TALKS:
        raise CatalogError(
            f"the benchmark card {card.id} scores of a talk {' or '.join(TALKS[1:])}, not {said['talk']!r}"
        )
    made = Benchmark(card, **said)
    for condition in made.conditions:
        if condition not in made.known_conditions:
            raise CatalogError(f"the benchmark card {card.id} names the condition {condition!r}, which nobody knows")
    return made


def named(name: str) -> Benchmark:
    """Return a benchmark by its id, or by its name without the version, which means the newest; `@` a condition.

    Raises:
        UnknownNameError: no benchmark or condition is called so; names those there are.
        MalformedError: a condition is asked for, and the benchmark is to be read or has conditions of its own.
    """
    plain, _, condition = name.partition("@")
    known = list(catalog.cards("benchmark"))
    id = newest(plain, known)
    if id not in known:
        raise UnknownNameError("benchmark", plain, known)
    found: Benchmark = catalog.load(id)
    if not condition:
        return found
    if not found.known_conditions:
        raise MalformedError(f"{id} is to be read: the condition {condition!r} is of sound or of pictures")
    if found.conditions:
        raise MalformedError(f"{id} is asked for under {', '.join(found.conditions)} already, not under {condition!r}")
    if condition not in found.known_conditions:
        raise UnknownNameError("condition", condition, found.known_conditions)
    how = "with" if found.talk else "heard under" if found.heard else "seen under"
    card = replace(found.card, title=f"{found.card.title}, {how} {condition}")
    return replace(found, card=card, condition=condition)


def newest(name: str, ids: Sequence[str]) -> str:
    """Return the id that a name means: itself, or the newest version of it (`goemotions` is `goemotions.v1`).

    >>> newest("xed", ["xed.v1", "xed.v2", "xed-old.v1"])
    'xed.v2'
    """
    if name in ids:
        return name
    versions = [id for id in ids if id.rpartition(".v")[0] == name and id.rpartition(".v")[2].isdigit()]
    return max(versions, key=lambda one: int(one.rpartition(".v")[2]), default=name)


def fold_of(group: str, folds: int, seed: int) -> int:
    """Return the fold of a group, 0 to folds - 1: the same for the same group and seed, whatever else there is.

    >>> fold_of("anna", 5, 20) == fold_of("anna", 5, 20)
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest()[:8], "big") % folds
