"""Whether faces were found: boxes of the truth beside boxes that a system said, picture by picture.

A box that a system said finds a face where its middle lies within `REACH` sides of the face's, and its side is
`SMALLEST` to `LARGEST` times as long. Overlap is not asked for, since detectors differ in how much of a head they box;
a side is the root of the area. A face is found by one box, the nearest first; every other box is a false alarm, also a
second one of the same face.

Knows boxes; knows no corpus. A face of the truth is a Track with one box; an answer is a Track whose rows have boxes
and say something. What a face of the truth is (`meta["faces"]`, in the order of the Tracks: of each a mapping of the
kind to a name) makes the groups whose recall is told, such as `recall_size_24-35`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.bench.evaluate import RESAMPLES, Outcome, Part, compared
from affetto.bench.protocol import Benchmark
from affetto.bench.scores import Floats, Score
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.track import Track

REACH = 0.35
SMALLEST, LARGEST = 0.4, 2.0


def chosen(benchmark: Benchmark, answers: Sequence[Sequence[Track]]) -> tuple[str, str]:
    """Return which of a system's answers is kept: with boxes, in the benchmark's space, or else of the fewest axes.

    Raises:
        MalformedError: no answer has a box.
    """
    kinds = {(t.space.id, t.perspective): len(t.space.axes) for said in answers for t in said if t.box is not None}
    if not kinds:
        raise MalformedError(f"the predictions for {benchmark.id} hold no box at all")
    return min(kinds, key=lambda kind: (kind[0] != benchmark.space, kinds[kind]))


def boxes(tracks: Sequence[Track]) -> Floats:
    """Return the boxes of faces, m x 4: of rows that say something, each box once."""
    rows = [
        tuple(np.asarray(track.box[row], np.float64))
        for track in tracks
        if track.box is not None
        for row in range(len(track))
        if not (np.isnan(track.box[row]).any() or np.isnan(track.values[row]).all())
    ]
    return np.array(list(dict.fromkeys(rows)), np.float64).reshape(-1, 4)


def found(truth: Floats, said: Floats) -> npt.NDArray[np.bool_]:
    """Return which faces (n x 4) are found by boxes (m x 4), each by one of its own.

    >>> found(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([[1.0, 1, 11, 11], [20, 20, 30, 30]])).tolist()
    [True, False]
    """
    out = np.zeros(len(truth), bool)
    if not len(truth) or not len(said):
        return out
    middles = [(corners[:, :2] + corners[:, 2:]) / 2 for corners in (truth, said)]
    sides = [np.sqrt(np.maximum(0, np.prod(corners[:, 2:] - corners[:, :2], axis=1))) for corners in (truth, said)]
    far = np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2) / np.maximum(1e-9, sides[0])[:, None]
    ratio = sides[1][None] / np.maximum(1e-9, sides[0])[:, None]
    far = np.where((far <= REACH) & (ratio >= SMALLEST) & (ratio <= LARGEST), far, np.inf)
    while np.isfinite(far).any():
        face, box = np.unravel_index(int(far.argmin()), far.shape)
        out[face] = True
        far[face, :] = far[:, box] = np.inf
    return out


def evaluate(
    benchmark: Benchmark,
    records: Sequence[Record],
    answers: Mapping[str, Sequence[Sequence[Track]]],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Score systems on the same pictures and the same draws of pictures: recall, precision, and false alarms.

    `false_alarms` is a picture, over all; `false_alarms_empty` a picture without any face; `false_pictures` the share
    of those that have any.

    Raises:
        MalformedError: no picture has a face.
    """
    truths = [boxes(benchmark.truths(record)) for record in records]
    kinds = [kind for record in records for kind in record.meta.get("faces", ())]
    if not sum(map(len, truths)) or len(kinds) not in (0, sum(map(len, truths))):
        raise MalformedError(f"{benchmark.id} wants pictures with faces, each of them described or none")
    layouts, rights, said = {}, {}, {}
    _, groups = np.unique([benchmark.group_of(record) for record in records], return_inverse=True)
    for name, own in answers.items():
        heard = [boxes(tracks) for tracks in own]
        hits = [found(truth, boxed) for truth, boxed in zip(truths, heard, strict=True)]
        alarms = np.array([len(boxed) - int(hit.sum()) for boxed, hit in zip(heard, hits, strict=True)], np.float64)
        scores = _scores(hits, alarms, kinds)
        layouts[name] = [Part("", int(groups.max()) + 1, {key: _summed(one, groups) for key, one in scores.items()})]
        rights[name] = np.concatenate(hits)
        said[name] = float(np.mean([len(boxed) > 0 for boxed in heard]))
    counts = sum(map(len, truths)), int(groups.max()) + 1
    return compared(benchmark, layouts, rights, said, counts, seed, resamples)


def _scores(
    hits: Sequence[npt.NDArray[np.bool_]], alarms: Floats, kinds: Sequence[Mapping[str, Any]]
) -> dict[str, Score]:
    """Return what each picture adds."""
    caught = np.array([hit.sum() for hit in hits], np.float64)
    faces = np.array([len(hit) for hit in hits], np.float64)
    ones, empty = np.ones_like(faces), (faces == 0).astype(np.float64)
    made = {
        "recall": (caught, faces),
        "precision": (caught, caught + alarms),
        "false_alarms": (alarms, ones),
        "false_alarms_empty": (alarms * empty, empty),
        "false_pictures": ((alarms > 0) * empty, empty),
    }
    picture, flat = np.repeat(np.arange(len(hits)), faces.astype(int)), np.concatenate([*hits]).astype(np.float64)
    for group in dict.fromkeys(f"{kind}_{name}" for one in kinds for kind, name in one.items()):
        here = np.array([group in {f"{kind}_{name}" for kind, name in one.items()} for one in kinds], np.float64)
        count = partial(np.bincount, picture, minlength=len(hits))
        made[f"recall_{group}"] = (count(weights=flat * here), count(weights=here))
    return {name: Score(np.stack(both, 1), _ratio) for name, both in made.items()}


def _ratio(sums: Floats) -> Floats:
    return np.asarray(np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0))


def _summed(score: Score, groups: npt.NDArray[np.intp]) -> Score:
    sums = np.zeros((int(groups.max()) + 1, score.adds.shape[1]))
    np.add.at(sums, groups, score.adds)
    return Score(sums, score.finish)
