"""What one voice says about one subject, row by row: the type that raters and models share.

Knows columns, their shapes and their laws; knows neither files nor pictures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError
from affetto.core.space import Axis, Space
from affetto.core.span import UNITS, Span, Unit

Perspective = Literal["expressed", "felt", "perceived", "evoked"]
Channel = Literal["text", "voice", "face", "body", "scene", "music", "physiology", "fused"]
Array = npt.NDArray[Any]
SILENT = "not said"
"""The note of a row that says nothing."""
SLACK = 2e-3
"""How far the probabilities of a row of kind `one` may sum from 1."""


@dataclass(frozen=True, eq=False)
class Track:
    """Columns of one length n, in one space, from one source about one subject.

    Args:
        space: what the values mean.
        start: n, float64, where each row begins, in `unit`.
        end: n, float64, where it ends.
        values: n x k, float32, k the axes of the space; NaN is "not said".
        unit: `s`, `char` or `turn`.
        subject: whose feeling it is.
        perspective: `expressed` (shown), `felt` (reported by the one who feels), `perceived` (seen by others) or
            `evoked` (caused in whoever reads, hears or sees it).
        channel: through what it was seen.
        source: the card id and version of the model, or the rater.
        confidence: n, 0..1, calibrated probability that the row's main answer is right; NaN where unknown.
        box: n x 4, left, top, right, bottom in pixels of the source frame.
        about: n spans or None: what each row explains, causes or answers.
        note: n strings beside the numbers.

    Raises:
        MalformedError: a column has another shape, a value lies outside what its space allows.

    >>> from affetto.core.space import Axis, Space
    >>> mood = Space("mood-2", "one", (Axis("good"), Axis("bad")))
    >>> len(Track(mood, [0], [4], [[0.75, 0.25]], unit="char", subject="writer"))
    1
    """

    space: Space
    start: Array
    end: Array
    values: Array
    unit: Unit = "s"
    subject: str = "someone"
    perspective: Perspective = "expressed"
    channel: Channel = "text"
    source: str = ""
    confidence: Array | None = None
    box: Array | None = None
    about: tuple[Span | None, ...] | None = None
    note: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Bring the columns to their types, freeze them, and refuse what is no track."""
        n = len(np.atleast_1d(np.asarray(self.start, dtype=object)))
        self._column("start", np.float64, (n,))
        self._column("end", np.float64, (n,))
        self._column("values", np.float32, (n, len(self.space.axes)))
        if self.confidence is not None:
            self._column("confidence", np.float32, (n,))
        if self.box is not None:
            self._column("box", np.float32, (n, 4))
        self._each("about", Span | None, "a Span or None")
        self._each("note", str, "a str")
        self._words()
        self._spans()
        self._laws()

    def _column(self, name: str, dtype: type, shape: tuple[int, ...]) -> None:
        try:
            with np.errstate(over="ignore"):
                array: Array = np.array(getattr(self, name), dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise MalformedError(f"a Track's {name} wants numbers of shape {shape}: {error}") from None
        if array.size == 0 and 0 in shape:
            array = array.reshape(shape)
        if array.shape != shape:
            raise MalformedError(f"a Track's {name} wants shape {shape} (rows x axes), not {array.shape}")
        array.flags.writeable = False
        object.__setattr__(self, name, array)

    def _each(self, name: str, kind: Any, wanted: str) -> None:
        given = getattr(self, name)
        if given is None:
            return
        column = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
        if len(column) != len(self.start) or not all(isinstance(item, kind) for item in column):
            raise MalformedError(
                f"a Track's {name} wants {len(self.start)} entries, one a row, each {wanted}, not {column!r:.80}"
            )
        object.__setattr__(self, name, column)

    def _words(self) -> None:
        for name, known in (("unit", UNITS), ("perspective", get_args(Perspective)), ("channel", get_args(Channel))):
            if getattr(self, name) not in known:
                raise MalformedError(f"a Track's {name} is one of {', '.join(known)}, not {getattr(self, name)!r}")

    def _spans(self) -> None:
        good = np.isfinite(self.start) & np.isfinite(self.end) & (self.start >= 0) & (self.start <= self.end)
        if not good.all():
            i = int(np.argmin(good))
            raise MalformedError(
                f"row {i} of a Track wants finite 0 <= start <= end, not {self.start[i]} and {self.end[i]}"
            )

    def _laws(self) -> None:
        said, where = self.values, f"in space {self.space.id!r}"
        if np.isinf(said).any():
            raise MalformedError(f"a Track's values {where} are finite or NaN, not infinite")
        if self.confidence is not None and _outside(self.confidence, 0, 1):
            raise MalformedError("a Track's confidence lies in 0..1 or is NaN")
        if self.space.kind in ("one", "any", "open") and _outside(said, 0, 1):
            raise MalformedError(f"a Track's values {where} are probabilities in 0..1 or NaN")
        if self.space.kind == "graded":
            low = np.array([axis.low for axis in self.space.axes], np.float32)
            high = np.array([axis.high for axis in self.space.axes], np.float32)
            if _outside(said, low, high):
                raise MalformedError(f"a Track's values {where} lie within each axis' low..high or are NaN")
        if self.space.kind == "one" and len(said):
            sums = said.sum(1)
            wrong = np.isnan(sums) & ~np.isnan(said).all(1) | (np.abs(sums - 1) > SLACK)
            if wrong.any():
                i = int(np.argmax(wrong))
                raise MalformedError(
                    f"row {i} of a Track {where} wants probabilities that sum to 1, or all NaN, not {sums[i]}"
                )

    def __len__(self) -> int:
        """Return how many rows it has."""
        return len(self.start)

    def __eq__(self, other: object) -> bool:
        """Tell whether all columns are the same, NaN equal to NaN."""
        if not isinstance(other, Track):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, rows: "slice | Sequence[int] | Array") -> "Track":
        """Return the chosen rows: a slice, indices, or a boolean mask. Its laws hold of them too."""
        chosen = rows if isinstance(rows, slice) else np.arange(len(self))[np.asarray(rows) if np.size(rows) else []]
        if not isinstance(chosen, slice) and chosen.ndim != 1:
            raise MalformedError("a Track gives rows by a slice, a list of indices or a mask, not by a single number")
        columns = dict(self.__dict__)
        for name in ("start", "end", "values", "confidence", "box"):
            if columns[name] is not None:
                columns[name] = columns[name][chosen]
                columns[name].flags.writeable = False
        for name in ("about", "note"):
            if columns[name] is not None:
                picked = columns[name][chosen] if isinstance(chosen, slice) else [columns[name][i] for i in chosen]
                columns[name] = tuple(picked)
        return _unchecked(columns)

    def called(self, subject: str, unit: Unit | None = None) -> "Track":
        """Return it as said of another subject, and in another unit if one is given; the columns are shared.

        Raises:
            MalformedError: the unit is none of those known.
        """
        part = _unchecked(self.__dict__ | {"subject": subject, "unit": unit or self.unit})
        if part.unit not in UNITS:
            part._words()
        return part

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where each row lies."""
        return tuple(Span(float(a), float(b), self.unit) for a, b in zip(self.start, self.end, strict=True))

    @property
    def noted(self) -> tuple[bool, ...]:
        """Whether each row's note says more than that nothing is said: of a Track of conflicts, the marks."""
        return tuple(note not in ("", SILENT) for note in self.note or ("",) * len(self))

    def column(self, name: str) -> Array:
        """Return the values of one axis, length n."""
        return self.values[:, self.space.index(name)]

    def top(self, row: int = 0) -> Axis | None:
        """Return the axis with the highest value of a row; None where nothing was said."""
        values = self.values[row]
        return None if np.isnan(values).all() else self.space.axes[int(np.nanargmax(values))]


def _unchecked(columns: dict[str, Any]) -> Track:
    """Return a Track of columns that come from another Track, whose laws therefore hold."""
    track = object.__new__(Track)
    track.__dict__.update(columns)
    return track


def join(tracks: Iterable[Track]) -> Track:
    """Return the rows of several Tracks of one space, subject and source as one, in order of time.

    Raises:
        MalformedError: there is none, or they differ in more than their rows.
    """
    parts = list(tracks)
    if not parts:
        raise MalformedError("join wants at least one Track")
    first = parts[0]
    for name in ("space", "unit", "subject", "perspective", "channel", "source"):
        if any(getattr(part, name) != getattr(first, name) for part in parts):
            raise MalformedError(f"joined Tracks share their {name}: {sorted({str(getattr(p, name)) for p in parts})}")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts]) for name in ("start", "end", "values")
    }
    for name, empty in (("confidence", (np.nan,)), ("box", ((np.nan,) * 4,)), ("about", (None,)), ("note", ("",))):
        if any(getattr(part, name) is not None for part in parts):
            filled = [getattr(p, name) if getattr(p, name) is not None else empty * len(p) for p in parts]
            columns[name] = sum((tuple(x) for x in filled), ())
    whole = replace(first, **columns)
    return whole[np.lexsort((whole.end, whole.start))]


def _outside(values: Array, low: Any, high: Any) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(((values < low - 1e-6) | (values > high + 1e-6)).any())


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    return bool(a is b or (type(a) is type(b) and a == b))
