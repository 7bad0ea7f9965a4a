"""Fit how surely a face and a voice are one person: the weights of `fusion.linking`, on made talks.

    python -m recipes.fusion_linking --talks build/talks/dev --work build/linking [--test build/talks/test] [--seed 20]

Faces are those that `face.blendshapes` sees in the clips of `recipes.made_talks` at 5, 10 and 12.5 pictures a second;
voices are the truth's, made worse in each lesson: cut to a few seconds, faces left out (so that voices are off screen)
and voices left out (so that faces are silent), the mouth's motion damped and shaken, ends of speech moved, lines given
to the wrong voice, and all the voices of another clip put under a picture (so that none belongs). The weights are those
under which the true links of all lessons are likeliest, over all ways to link one to one (`linking.marginals`), with a
weak prior. Measured on clips that were not learned from: leave-one-clip-out on dev, and on `--test` once. Needs SciPy.
"""

import argparse
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from affetto import api
from affetto.bench import results
from affetto.bench.people import faces_of
from affetto.core import catalog
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.fusion.linking import marginals
from affetto.models.fusion.mouths import FEATURES, pairs_of

log = logging.getLogger("linking")
Floats = npt.NDArray[np.float64]
CARD = Path(__file__).resolve().parents[1] / "src/affetto/models/fusion/fusion.linking.toml"
RATES = (5.0, 10.0, 12.5)
"""Pictures a second."""
DRAWS = 30
"""Lessons of each clip and rate."""
PRIOR = 3.0
"""Standard deviation of a weight before anything is seen."""
BEFORE = -0.4
"""The most that the bias may be: a face and a voice alone are no pair before the mouth was seen."""
AGAINST = ("unseen",)
"""Features that speak against a link, if at all; the others speak for it."""
SECONDS = (3, 5, 10, 20, 40)
"""Lengths at which links are measured."""


@dataclass(frozen=True)
class Clip:
    """A clip as it was seen and heard."""

    id: str
    seconds: float
    faces: Mapping[float, tuple[Track, ...]]
    """At each rate, `arkit-52` of every face."""
    voices: tuple[Track, ...]
    """`speaking` of each person who says something."""
    owners: Mapping[float, Mapping[str, str]]
    """At each rate, of each face whose it is."""


@dataclass(frozen=True)
class Lesson:
    """The faces and voices of some seconds, and which are one person."""

    scores: Floats
    """f x v x features."""
    links: Floats
    """f x v, 1 where they are one person."""


def main() -> None:
    """Fit, write the card, and measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--talks", type=Path, required=True)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--test", type=Path)
    asked.add_argument("--seed", type=int, default=20)
    asked.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    clips = list(read(args.talks, args.work))
    rng = np.random.default_rng(args.seed)
    lessons = {clip.id: [drawn(clip, clips, rate, rng) for rate in RATES for _ in range(DRAWS)] for clip in clips}
    left_out = {id: fitted([one for other, own in lessons.items() if other != id for one in own]) for id in lessons}
    weights = fitted([one for own in lessons.values() for one in own])
    log.info("weights %s", dict(zip(("bias", *FEATURES), weights.round(3).tolist(), strict=True)))
    write(weights)
    found = measured("dev", [(clip, left_out[clip.id]) for clip in clips], args.seed)
    chances = [(marginals(odds(one, left_out[id])), one.links) for id, own in lessons.items() for one in own]
    found |= {f"dev lessons: {name}": value for name, value in calibration(chances).items()}
    count = len(clips)
    if args.test:
        others = list(read(args.test, args.work))
        found |= measured("test", [(clip, weights) for clip in others], args.seed)
        count += len(others)
    for name, value in found.items():
        log.info("%s %.4f", name, value["value"])
    notes = "made talks; dev: weights fitted on the other clips; voices are the truth's; intervals over clips"
    results.save(args.out, "fusion-linking", "fusion.linking", count, found, args.seed, {}, notes)


def read(folder: Path, work: Path) -> Iterator[Clip]:
    """Yield the clips of a folder; what was seen in them is kept in `work`."""
    model = catalog.load("face.blendshapes")
    work.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("[!.]*.mp4")):
        (truth,) = api.read(path.with_suffix(".truth.json"))
        faces: dict[float, tuple[Track, ...]] = {}
        for rate in RATES:
            kept = work / f"{path.stem}.{rate:g}.json"
            if not kept.exists():
                (tracks,) = model(list(api.read(path, frames_rate=rate)))
                seen = tuple(one for one in tracks if one.space.id == "arkit-52" and not np.isnan(one.values).all())
                api.write(Record(path.stem, tracks=seen), kept)
            (stored,) = api.read(kept)
            faces[rate] = stored.tracks
        voices = tuple(track for track in truth.tracks if track.space.id == "speaking")
        owners = {rate: faces_of(truth.tracks, seen) for rate, seen in faces.items()}
        log.info("%s: %s", path.stem, owners[RATES[0]])
        yield Clip(path.stem, float(truth.meta["duration"]), faces, voices, owners)


def drawn(clip: Clip, clips: Sequence[Clip], rate: float, rng: np.random.Generator) -> Lesson:
    """Return some seconds of a clip, made worse."""
    length = clip.seconds * rng.uniform(0.08, 1.0)
    start = rng.uniform(0, clip.seconds - length)
    foreign = rng.random() < 0.1 and len(clips) > 1
    other = clips[int(rng.integers(len(clips)))] if foreign else clip
    faces = [track for track in clip.faces[rate] if rng.random() > 0.15]
    voices = [track for track in other.voices if rng.random() > 0.15]
    damp, shake = rng.uniform(0.25, 1.0), rng.choice([0.0, 0.004, 0.01])
    seen = [cut(damped(track, damp, shake, rng), start, start + length) for track in faces]
    heard = [cut(track, start, start + length) for track in worse(voices, rng)]
    return lesson(clip, rate, [*seen, *heard], foreign and other is not clip)


def lesson(clip: Clip, rate: float, tracks: Sequence[Track], foreign: bool = False) -> Lesson:
    """Return what is said of each pair of Tracks, and which are one person."""
    scores, faces, voices = pairs_of(tracks)
    owners = {} if foreign else clip.owners[rate]
    links = np.array([[owners.get(face) == voice for voice in voices] for face in faces], np.float64)
    return Lesson(scores, links.reshape(len(faces), len(voices)))


def damped(track: Track, damp: float, shake: float, rng: np.random.Generator) -> Track:
    """Return a face that moves less about its median, and trembles."""
    if not len(track):
        return track
    middle = np.nanmedian(track.values[:, :-1], 0, keepdims=True)
    middle = np.pad(middle, ((0, 0), (0, 1)))  # nobody says tongueOut
    moved = middle + damp * (track.values - middle) + rng.normal(0, shake or 1e-9, track.values.shape)
    return replace(track, values=np.clip(moved, 0, 1))


def worse(voices: Sequence[Track], rng: np.random.Generator) -> list[Track]:
    """Return who speaks when as a machine tells it: ends moved by up to some tenths, some lines with another voice."""
    if not voices or rng.random() < 0.4:
        return list(voices)
    wrong, loose = rng.uniform(0, 0.3), rng.uniform(0, 0.3)
    rows: dict[str, list[tuple[float, float]]] = {track.subject: [] for track in voices}
    for track in voices:
        for start, end in zip(track.start, track.end, strict=True):
            who = track.subject if rng.random() > wrong else str(rng.choice(list(rows)))
            a, b = start + rng.normal(0, loose), end + rng.normal(0, loose)
            rows[who].append((max(0.0, a), max(0.0, a, b)))
    made = []
    for track in voices:
        if own := rows[track.subject]:
            start, end = np.transpose(own)
            made.append(Track(track.space, start, end, np.ones((len(own), 1)), subject=track.subject, channel="voice"))
    return made


def cut(track: Track, start: float, end: float) -> Track:
    """Return the rows between two seconds, the first of which becomes 0."""
    part = track[(track.end > start) & (track.start < end)]
    times = {name: np.clip(getattr(part, name) - start, 0, end - start) for name in ("start", "end")}
    return replace(part, **times)


def odds(one: Lesson, weights: Floats) -> Floats:
    """Return f x v, the log odds of each pair by itself."""
    return np.asarray(weights[0] + one.scores @ weights[1:])


def fitted(lessons: Sequence[Lesson]) -> Floats:
    """Return the bias and the weights under which the true links are likeliest."""
    asked = [one for one in lessons if one.scores.size]

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, slope = float((weights**2).sum() / (2 * PRIOR**2)), weights / PRIOR**2
        for one in asked:
            log_odds = odds(one, weights)
            total -= float((log_odds * one.links).sum()) - ways(log_odds)
            gap = marginals(log_odds) - one.links
            slope = slope + np.r_[gap.sum(), np.tensordot(gap, one.scores, 2)]
        return total / len(asked), slope / len(asked)

    sides = [(None, 0.0) if name in AGAINST else (0.0, None) for name in FEATURES[1:]]
    bounds = [(None, BEFORE), (None, None), *sides]  # `known` moves the bias, up or down
    first = np.r_[BEFORE, np.zeros(len(FEATURES))]
    return np.asarray(minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds).x)


def ways(log_odds: Floats) -> float:
    """Return the log of the summed weights of all ways to link f faces and v voices one to one."""
    weights = np.exp(log_odds)

    def below(v: int, free: frozenset[int]) -> float:
        if v == weights.shape[1]:
            return 1.0
        return below(v + 1, free) + sum(float(weights[f, v]) * below(v + 1, free - {f}) for f in free)

    return float(np.log(below(0, frozenset(range(len(weights))))))


def measured(split: str, clips: Sequence[tuple[Clip, Floats]], seed: int) -> dict[str, dict[str, float]]:
    """Return link accuracy and how often a link is wrong, at each rate, and by how many seconds there are."""
    found: dict[str, dict[str, float]] = {}
    for rate in RATES:
        for seconds in SECONDS:
            rows = [row for clip, weights in clips for row in _pieces(clip, weights, rate, float(seconds))]
            found[f"{split}: {rate:g} a second, {seconds} s"] = _interval([row[0] for row in rows], seed)
            found[f"{split}: {rate:g} a second, {seconds} s, wrong"] = _interval([row[1] for row in rows], seed)
    return found


def calibration(chances: Sequence[tuple[Floats, Floats]]) -> dict[str, dict[str, float]]:
    """Return the Brier score and the expected calibration error (10 bins) of joint probabilities."""
    p = np.concatenate([said.ravel() for said, _ in chances])
    truth = np.concatenate([links.ravel() for _, links in chances])
    bins = np.minimum((p * 10).astype(int), 9)
    gap = sum(abs((truth[bins == b] - p[bins == b]).sum()) for b in range(10)) / len(p)
    return {"brier": {"value": float(((p - truth) ** 2).mean())}, "ece": {"value": float(gap)}}


def write(weights: Floats) -> None:
    """Put the fitted weights into the card."""
    rows = {"bias": float(weights[0])} | dict(zip(FEATURES, weights[1:].tolist(), strict=True))
    text = CARD.read_text("utf-8")
    lines = "".join(f"{name} = {value:.4f}\n" for name, value in rows.items())
    CARD.write_text(re.sub(r"\[weights_of\]\n(?:[a-z]+ = .*\n)+", f"[weights_of]\n{lines}", text), "utf-8")


def _pieces(clip: Clip, weights: Floats, rate: float, seconds: float) -> Iterator[tuple[list[float], list[float]]]:
    """Yield, of each clip, the rightness of voices with a face, and which of the links made are wrong."""
    right: list[float] = []
    wrong: list[float] = []
    for start in np.arange(0, max(clip.seconds - seconds / 2, 0.1), seconds):
        tracks = [cut(track, start, start + seconds) for track in (*clip.faces[rate], *clip.voices)]
        one = lesson(clip, rate, tracks)
        if not one.scores.size:
            continue
        made = marginals(odds(one, weights)) > 0.5
        asked = np.any(one.links > 0, axis=0)
        right += np.any(made & (one.links > 0), axis=0)[np.flatnonzero(asked)].astype(float).tolist()
        wrong += [float(one.links[f, v] == 0) for f, v in np.argwhere(made)]
    yield right, wrong


def _interval(groups: Sequence[Sequence[float]], seed: int) -> dict[str, float]:
    """Return a mean and its 95 % interval, whole clips drawn."""
    sums = np.array([[sum(own), len(own)] for own in groups if own], np.float64)
    if not len(sums):
        return {"value": float("nan")}
    rng = np.random.default_rng(seed)
    draws = sums[rng.integers(0, len(sums), (2000, len(sums)))].sum(1)
    low, high = np.percentile(draws[:, 0] / draws[:, 1], [2.5, 97.5])
    return {"value": float(sums[:, 0].sum() / sums[:, 1].sum()), "low": float(low), "high": float(high)}


if __name__ == "__main__":
    main()
