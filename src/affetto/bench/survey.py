"""What others have published: which system reached which number, on what, by whose word, and how far to trust it.

Knows the registry in `published/*.toml`, one file per task, and how to rank, filter and lay out its rows; knows not how
any of the numbers was made, and measures nothing. Two numbers are ranked against each other only where corpus, split
and metric agree; a number that leaks or cannot be right stays in sight, but after the others and with its mark.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from affetto.core.errors import CatalogError, MalformedError, UnknownNameError

_FOLDER = Path(__file__).parent / "published"
_RANGES = {"share": (0.0, 1.0), "coefficient": (-1.0, 1.0), "explained": (-math.inf, 1.0)}
TASK_ALIASES = {
    "conversation": "erc",
    "text": "text-emotion",
    "text-vad": "vad",
    "emotion-cause": "cause",
    "emotional-support": "support",
    "speech": "speech-emotion",
    "ser": "speech-emotion",
    "face": "face-expression",
    "fer": "face-expression",
    "au": "action-units",
    "va-video": "valence-arousal-video",
    "dfer": "dynamic-expression",
    "msa": "multimodal-sentiment",
    "ov": "open-vocabulary",
    "eeg": "physiology",
    "visual-emotion": "image",
    "talking-face": "generation",
}
"""Other names of tasks."""
METRIC_ALIASES = {
    "acc": "accuracy",
    "wa": "accuracy",
    "war": "accuracy",
    "ua": "uar",
    "balanced_accuracy": "uar",
    "macro_recall": "uar",
    "wf1": "weighted_f1",
    "waf": "weighted_f1",
    "mf1": "macro_f1",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "auprc": "pr_auc",
    "corr": "pearson",
    "pcc": "pearson",
    "acc2": "acc_2",
    "acc2_has0": "acc_2_has0",
    "acc2_non0": "acc_2_non0",
    "acc7": "acc_7",
    "ew_f1": "set_f1",
    "wheel_f1": "set_f1",
    "hamming": "hamming_loss",
    "subset_accuracy": "exact_match",
    "ece": "expected_calibration_error",
    "eder": "emotion_diarization_error",
    "eer": "equal_error_rate",
    "wer": "word_error_rate",
    "mos": "mean_opinion_score",
    "fgd": "frechet_gesture_distance",
    "fps": "frames_per_second",
}
"""Other names of metrics. With one label for each item WA, WAR and micro-F1 are plain accuracy; UA is UAR."""
HEADS = ("task", "corpus", "split", "metric", "value", "system", "year", "marks", "source", "doubt")
"""The columns of `table`."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published number, with where it stands and what speaks against it.

    Raises:
        MalformedError: a name is empty or no text, a number is not finite or leaves the range of its unit, or a result
            that is marked or unverified gives no reason.

    >>> row = published("erc", "wf1", corpus="MELD", system="COSMIC")[0]
    >>> row.value, row.split, row.marks
    (0.732, 'official test, 3 classes', ())
    """

    system: str
    task: str
    """Also the name of its file."""
    corpus: str
    split: str
    """The protocol in words: which part, how many classes, who is held out; `not stated` where nobody says."""
    metric: str
    """In snake case, such as `weighted_f1`; other writings and `METRIC_ALIASES` become it, as with tasks."""
    value: float
    """In `unit`."""
    source: str
    """A repository and path, an arXiv number, a page, or that it was measured for Affetto and on what."""
    verified: bool
    """Whether a first-hand source was read or the number was measured; not so for abstracts and secondary pages."""
    year: int | None = None
    """Of publication, where the source states it."""
    unit: str = "share"
    """`share` 0 to 1, `coefficient` -1 to 1, `explained` at most 1 (R2), or free words such as `dB`."""
    higher_is_better: bool = True
    doubt: str = ""
    """What speaks against the number, or limits it."""
    leaking: bool = False
    """Whether the split is known to leak: what is tested, or who, was seen in training or in choosing the model."""
    implausible: bool = False
    """Whether nobody should believe it until someone repeats it."""

    def __post_init__(self) -> None:
        for key in ("system", "task", "corpus", "split", "metric", "source", "unit"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key).strip():
                raise MalformedError(f"{key} of a published result wants a text, not {getattr(self, key)!r}")
        object.__setattr__(self, "task", _named(self.task, "-", TASK_ALIASES))
        object.__setattr__(self, "metric", _named(self.metric, "_", METRIC_ALIASES))
        for key in ("verified", "higher_is_better", "leaking", "implausible"):
            if not isinstance(getattr(self, key), bool):
                raise MalformedError(f"{key} of a published result is true or false, not {getattr(self, key)!r}")
        if not isinstance(self.doubt, str) or (self.marks and not self.doubt.strip()):
            raise MalformedError(f"a result marked {', '.join(self.marks) or 'by a doubt'} says why in words: doubt")
        if self.year is not None and (type(self.year) is not int or not 1900 < self.year < 2200):
            raise MalformedError(f"year of a published result wants a whole number such as 2024, not {self.year!r}")
        if type(self.value) not in (int, float) or not math.isfinite(self.value):
            raise MalformedError(f"value of a published result wants a finite number, not {self.value!r}")
        low, high = _RANGES.get(self.unit, (-math.inf, math.inf))
        if not low <= self.value <= high:
            raise MalformedError(f"{self.metric} is a {self.unit}, so between {low:g} and {high:g}, not {self.value:g}")

    @property
    def marks(self) -> tuple[str, ...]:
        """What a reader must see beside the number: `leaking`, `implausible`, `unverified`."""
        said = (("leaking", self.leaking), ("implausible", self.implausible), ("unverified", not self.verified))
        return tuple(name for name, holds in said if holds)


def published(
    task: str | None = None, metric: str | None = None, corpus: str | None = None, system: str | None = None
) -> list[Published]:
    """Return the published results that fit all that is asked, ranked as `ranked` does; never an empty list.

    Args:
        task: a task or one of `TASK_ALIASES`.
        metric: a metric or one of `METRIC_ALIASES`.
        corpus: the whole name of a corpus, in any case.
        system: a part of the name of a system, in any case.

    Raises:
        UnknownNameError: nothing published has that task, or that metric, corpus or system among what was asked
            before it; names those there are.
        CatalogError: a file of the registry is broken.
    """
    rows = list(_all())
    if task is not None:
        name = _named(task, "-", TASK_ALIASES)
        rows = _those(rows, "task of published results", task, lambda row: row.task, lambda have: have == name)
    if metric is not None:
        key = _named(metric, "_", METRIC_ALIASES)
        rows = _those(rows, "metric of these results", metric, lambda row: row.metric, lambda have: have == key)
    if corpus is not None:
        whole = corpus.strip().lower()
        rows = _those(
            rows, "corpus of these results", corpus, lambda row: row.corpus, lambda have: have.lower() == whole
        )
    if system is not None:
        part = system.strip().lower()
        rows = _those(
            rows, "system of these results", system, lambda row: row.system, lambda have: part in have.lower()
        )
    return ranked(rows)


def ranked(results: Iterable[Published]) -> list[Published]:
    """Return results by task, corpus, split and metric, and within these the best first.

    Those that leak or are implausible come after the others of their split and metric. Rows of one's own may stand
    among published ones.
    """

    def place(row: Published) -> tuple[Any, ...]:
        group = (row.task, row.corpus.lower(), row.split.lower(), row.metric)
        return *group, row.leaking or row.implausible, -row.value if row.higher_is_better else row.value, row.system

    return sorted(results, key=place)


def table(results: Iterable[Published]) -> list[list[str]]:
    """Return results as rows of text, in the order given; the first row holds the heads, `HEADS`.

    >>> table(published("vad", "pearson_valence"))[1][:5]
    ['vad', 'EmoBank', 'official test', 'pearson_valence', '0.562']
    """
    return [list(HEADS), *(_row(result) for result in results)]


def read_results(path: Path) -> list[Published]:
    """Read one file of the registry: an array of tables `[[result]]`, all of the task that names the file.

    Raises:
        CatalogError: the file is no TOML, or a row of it is broken or stands there twice; names file and row.
    """
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"the published results {path.name} cannot be read: {error}") from None
    listed = plain.get("result")
    if set(plain) != {"result"} or not isinstance(listed, list):
        raise CatalogError(f"the published results {path.name} want tables [[result]] and nothing else")
    rows = [_result(said, path, number) for number, said in enumerate(listed, start=1)]
    twice = [what for what, count in Counter(map(_claim, rows)).items() if count > 1]
    if twice:
        places = [str(number) for number, row in enumerate(rows, start=1) if _claim(row) == twice[0]]
        raise CatalogError(f"in the published results {path.name}, rows {' and '.join(places)} say the same; keep one")
    return rows


@cache
def _all() -> tuple[Published, ...]:
    return tuple(row for path in sorted(_FOLDER.glob("*.toml")) for row in read_results(path))


def _result(said: Any, path: Path, number: int) -> Published:
    where = f"in the published results {path.name}, row {number}"
    if not isinstance(said, dict):
        raise CatalogError(f"{where} is no table: write [[result]]")
    known = {f.name: f.default is MISSING for f in fields(Published)}
    strange, missing = sorted(set(said) - set(known)), [key for key in known if known[key] and key not in said]
    if strange or missing:
        lacks = f"lacks {', '.join(missing)}" if missing else f"has a key nobody reads: {', '.join(strange)}"
        raise CatalogError(f"{where} {lacks}; known: {', '.join(known)}")
    try:
        row = Published(**said)
    except MalformedError as error:
        raise CatalogError(f"{where}: {error}") from None
    if row.task != path.stem:
        raise CatalogError(f"{where} is of the task {row.task!r}; it belongs in {row.task}.toml")
    return row


def _claim(row: Published) -> tuple[Any, ...]:
    return row.system, row.corpus, row.split, row.metric, row.value


def _those(
    rows: list[Published], what: str, asked: str, named: Callable[[Published], str], fits: Callable[[str], bool]
) -> list[Published]:
    found = [row for row in rows if fits(named(row))]
    if not found:
        raise UnknownNameError(what, asked, {named(row) for row in rows})
    return found


def _named(name: str, joint: str, aliases: Mapping[str, str]) -> str:
    plain = re.sub(r"[\s_-]+", joint, name.strip().lower())
    return aliases.get(plain, plain)


def _row(result: Published) -> list[str]:
    unit = "" if result.unit in _RANGES else f" {result.unit}"
    texts = {
        **{key: getattr(result, key) for key in ("task", "corpus", "split", "metric", "system", "source", "doubt")},
        "value": f"{result.value:.6g}{unit}",
        "year": "" if result.year is None else str(result.year),
        "marks": ", ".join(result.marks),
    }
    return [texts[head] for head in HEADS]
