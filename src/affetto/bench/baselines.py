"""What costs nothing or little: the majority, chance, and a regression on counts of words and letters.

Each learns from Records and the truth of their rows, and is then a Model: a row a post, a turn, a sound or a picture.
What it learns from is what the channel gives: words, sounds (those that listen are in `bench.hearing`) or pictures
(those that look, in `bench.looking`). Knows no corpus and no metric. TF-IDF needs scikit-learn (extra `bench`).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from affetto.bench.conditions import part
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError, MissingExtraError
from affetto.core.record import Piece, Record
from affetto.core.signal import Audio, Image
from affetto.core.space import Space
from affetto.core.track import Channel, Perspective, Track

C = 4.0
"""Inverse strength of the prior of a label: on dev of GoEmotions as good as 1 with tuned thresholds, better without."""
ALPHA = 1.0
"""Strength of the prior of the regression on graded axes."""
WORD = r"\w+|[^\w\s]"
"""What counts as a word: also a single sign, such as an emoji or an exclamation mark."""

Floats = npt.NDArray[np.float64]
Matter = str | Audio | Image
"""What a row is about: words, a sound, or a picture."""
SEEN: tuple[Channel, ...] = ("face", "scene")
"""The channels of pictures."""
WANTED = {"text": "words", "voice": "sound", "face": "a picture", "scene": "a picture"}
"""What a channel gives to learn from."""


class Baseline:
    """What they have in common: learning from Tracks, and answering Records.

    Args:
        space: of the answers, itself or its id.
        seed: of whatever is drawn.
        perspective: of the answers; where it is `evoked` they are the reader's.
        channel: `text` to read, `voice` to listen, `face` or `scene` to look.
    """

    id = ""
    title = ""
    channels: tuple[Channel, ...] = ("text", "voice", *SEEN)
    """What it can attend to."""

    def __init__(
        self, space: Space | str, seed: int = 0, perspective: Perspective = "expressed", channel: Channel = "text"
    ) -> None:
        self.space: Space = catalog.load(space) if isinstance(space, str) else space
        if self.space.kind not in ("one", "any", "graded"):
            raise MalformedError(f"{self.id} learns labels or degrees, and {self.space.id} is {self.space.kind!r}")
        if channel not in self.channels:
            raise MalformedError(f"{self.id} attends to {' or '.join(self.channels)}, not to {channel}")
        self.seed = seed
        self.perspective = perspective
        self.channel = channel
        self.fitted = False
        self.card = Card(
            self.id,
            "model",
            "1",
            self.title,
            spaces=(self.space.id,),
            channel=channel,
            source="src/affetto/bench/baselines.py, hearing.py, looking.py",
            licence="MIT",
            intended_use="The least that a system in a benchmark has to beat.",
            limits=("It knows its training rows and nothing else.",),
        )

    def fit(self, train: Sequence[Record], truth: Sequence[Track]) -> Self:
        """Learn from the rows of Tracks, one Track a Record (a Record may stand there several times); return itself.

        Raises:
            MalformedError: they are not as many, are in another space, or no row says anything of any words.
            MissingExtraError: scikit-learn is needed and not installed.
        """
        if len(train) != len(truth):
            raise MalformedError(f"{self.id} wants a Track for each Record, not {len(truth)} for {len(train)}")
        odd = {track.space.id for track in truth if track.space != self.space}
        if odd:
            raise MalformedError(f"{self.id} learns {self.space.id}, not {', '.join(sorted(odd))}; translate the truth")
        matters, values, groups = [], [], []
        for record, track in zip(train, truth, strict=True):
            for row in range(len(track)):
                matters.append(matter(record, self.channel, track.unit, track.start[row], track.end[row]))
                values.append(track.values[row])
                groups.append(speaker(record))
        return self.learn(matters, np.array(values, np.float64).reshape(-1, len(self.space.axes)), groups)

    def learn(self, matters: Sequence[Matter], values: Floats, groups: Sequence[str] = ()) -> Self:
        """Learn from n texts, sounds or pictures and what raters said; rows with none, or no truth, are left out.

        Args:
            matters: n.
            values: n x k.
            groups: n, who speaks, so that what is chosen in training is chosen on others than it was learned from.

        Raises:
            MalformedError: no row is left.
            MissingExtraError: scikit-learn is needed and not installed.
        """
        said = np.array([_there(one) for one in matters], bool) & ~np.isnan(values).all(1)
        if not said.any():
            what = WANTED[self.channel]
            raise MalformedError(f"{self.id} wants at least one row with {what} and truth in {self.space.id} to learn")
        kept = [one for one, yes in zip(matters, said, strict=True) if yes]
        self.groups = [one for one, yes in zip(groups, said, strict=True) if yes] if groups else [""] * len(kept)
        self._learn(kept, values[said])
        self.fitted = True
        return self

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each text, sound or picture, or each speaker of a talk; NaN where there are no words.

        Raises:
            MalformedError: it has not learned yet.
        """
        if not self.fitted:
            raise MalformedError(f"{self.id} has not learned yet: call fit first")
        found = [(i, *one) for i, record in enumerate(records) for one in _pieces(record, self.channel)]
        values = np.full((len(found), len(self.space.axes)), np.nan)
        asked = [n for n, (*_, what) in enumerate(found) if _there(what)]
        if asked:
            keys = [f"{records[found[n][0]].id}\0{found[n][1].start}" for n in asked]
            values[asked] = self._say([found[n][2] for n in asked], keys)
        groups: dict[tuple[int, str], list[int]] = {}
        for n, (record, piece, _) in enumerate(found):
            subject = "reader" if self.perspective == "evoked" else piece.subject
            groups.setdefault((record, subject), []).append(n)
        tracks: list[list[Track]] = [[] for _ in records]
        for (record, subject), rows in groups.items():
            tracks[record].append(self._track([found[n][1] for n in rows], values[rows], subject))
        return [tuple(own) for own in tracks]

    def _track(self, rows: Sequence[Piece], values: Floats, subject: str) -> Track:
        return Track(
            self.space,
            np.array([piece.start for piece in rows]),
            np.array([piece.end for piece in rows]),
            values.astype(np.float32),
            unit=rows[0].unit,
            subject=subject,
            perspective=self.perspective,
            channel=self.channel,
            source=str(self.card),
        )

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        raise NotImplementedError

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        raise NotImplementedError


class Majority(Baseline):
    """Always says the same: how often each label was right in training, or the mean of each graded axis.

    >>> from affetto.core.signal import Text
    >>> from affetto.core.space import Axis
    >>> mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    >>> always = Majority(mood).learn(["a", "b", "c", "d"], np.eye(2)[[0, 0, 0, 1]])
    >>> always([Record("1", (Text("so sad"),))])[0][0].values.tolist()
    [[0.75, 0.25]]
    """

    id = "baseline.majority"
    title = "Always the same: how often each label was right in training, or the mean"

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        known = (~np.isnan(values)).sum(0)
        self.prior = np.where(known, np.nansum(values, 0) / np.maximum(known, 1), np.nan)

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        return np.tile(self.prior, (len(matters), 1))


class Random(Baseline):
    """Says what raters said of some training row, drawn by the seed and where the words stand, not by the words."""

    id = "baseline.random"
    title = "Chance: what was said of some training row"

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        self.rows = values

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        return self.rows[[self._drawn(key) for key in keys]]

    def _drawn(self, key: str) -> int:
        digest = hashlib.sha256(f"{self.seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % len(self.rows)


class TfidfLogistic(Baseline):
    """One regression a label on TF-IDF of words (1 to 2) and of letters within words (2 to 5); ridge for degrees.

    Labels of kind `any` learn and answer alone. Of kind `one` the label that most raters gave is right, and the
    answers are scaled to 1. A label that training does not tell apart is said as often as it was there.
    """

    id = "baseline.tfidf"
    title = "Regression on TF-IDF of words and letters"
    channels: tuple[Channel, ...] = ("text",)

    def _learn(self, matters: Sequence[Matter], values: Floats) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - an extra
            from sklearn.pipeline import make_union  # noqa: PLC0415
        except ImportError:
            raise MissingExtraError(self.id, "bench") from None
        rare = {"min_df": 2, "sublinear_tf": True, "dtype": np.float32} if len(matters) > 1000 else {}
        self.counts = make_union(
            TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, **rare),
            TfidfVectorizer(ngram_range=(2, 5), analyzer="char_wb", **rare),
        )
        features = self.counts.fit_transform(matters)
        self.prior = np.full(values.shape[1], np.nan)
        self.axes: list[Any] = [None] * values.shape[1]
        for k in range(values.shape[1]):
            known = ~np.isnan(values[:, k])
            if known.any():
                self.axes[k], self.prior[k] = self._axis(features[known], self._right(values, k)[known])

    def _right(self, values: Floats, k: int) -> Floats:
        """Return n, what the regression of an axis learns: degrees, or whether the label is right."""
        if self.space.kind == "graded":
            return values[:, k]
        limit = np.nanmax(values, 1) if self.space.kind == "one" else np.full(len(values), np.nextafter(0.5, 1))
        return (values[:, k] >= limit).astype(np.float64)

    def _axis(self, features: Any, right: Floats) -> tuple[Any, float]:
        from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - an extra

        if len(set(right.tolist())) < 2:
            return None, float(right.mean())
        if self.space.kind == "graded":
            return Ridge(ALPHA).fit(features, right), np.nan
        return LogisticRegression(C=C, solver="liblinear", dual=True, tol=0.1, random_state=0).fit(features, right), 0.0

    def _say(self, matters: Sequence[Matter], keys: Sequence[str]) -> Floats:
        features = self.counts.transform(matters)
        out = np.tile(self.prior, (len(matters), 1))
        for k, (axis, of) in enumerate(zip(self.axes, self.space.axes, strict=True)):
            if axis is None:
                continue
            graded = self.space.kind == "graded"
            out[:, k] = (
                np.clip(axis.predict(features), of.low, of.high) if graded else axis.predict_proba(features)[:, 1]
            )
        return out / np.nansum(out, 1, keepdims=True) if self.space.kind == "one" else out


def words(record: Record, unit: str, start: float, end: float) -> str:
    """Return the words within a span of a Record: some of its characters, or the turns that lie in it, a line each."""
    if unit == "char":
        return (record.text or "")[int(start) : int(end)]
    return "\n".join(p.text for p in record.pieces() if p.unit == unit and start <= p.start and p.end <= end)


def matter(record: Record, channel: Channel, unit: str, start: float, end: float) -> Matter:
    """Return what lies within a span of a Record: its words, its first sound there, or its first picture.

    A span of no length means the whole sound. Nothing to hear or see gives no words.
    """
    if channel == "text":
        return words(record, unit, start, end)
    if channel in SEEN:
        return next((signal for signal in record.signals if isinstance(signal, Image)), "")
    sound = next((signal for signal in record.signals if isinstance(signal, Audio)), None)
    if sound is None or unit != "s":
        return ""
    return part(sound, start, end) if end > start else sound


def speaker(record: Record) -> str:
    """Return who speaks, as far as the Record says."""
    return str(next((facts["group"] for facts in record.people.values() if "group" in facts), record.id))


def _pieces(record: Record, channel: Channel) -> list[tuple[Piece, Matter]]:
    if channel == "text":
        return [(piece, piece.text) for piece in record.pieces()]
    if channel in SEEN:
        pictures = [signal for signal in record.signals if isinstance(signal, Image)]
        return [(Piece("speaker", "s", 0.0, 0.0, ""), picture) for picture in pictures[:1]]
    sounds = [signal for signal in record.signals if isinstance(signal, Audio)]
    ends = [0.0 if np.isnan(sound.duration) else sound.duration for sound in sounds]
    return [(Piece("speaker", "s", 0.0, end, ""), sound) for sound, end in zip(sounds[:1], ends, strict=False)]


def _there(what: Matter) -> bool:
    if isinstance(what, Image):
        return 0 not in what.size
    return bool(what.strip()) if isinstance(what, str) else what.open is not None
