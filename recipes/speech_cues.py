"""Fit the line that says which qualities of a voice go along with what `speech.affect` answers.

    python -m recipes.speech_cues --work build/speech [--clips 30] [--seed 20]

Takes what the networks of the folds said of speakers they had not heard (`--work` of `recipes.speech_affect`),
measures so many clips of each speaker by `speech.prosody`, and writes `cues.json` there, which publishing puts into the
file of the model. Clips begin and end where they do for the network. About 0.1 s a clip on one core.

For each label, the log-odds that a network gives it is predicted by ridge regression from how far each descriptor lies
from the speaker's own median, in spreads (pitch in semitones); what was not measured counts as at the median. Fidelity
is the share of the variance (R2) that this explains of speakers that the line was not fitted to.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from affetto.core.catalog import load
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.explain.hearing import ENOUGH, PROSODY, deviations, scaled
from affetto.models.speech.mel import RATE, fine_mel
from recipes.speech_lessons import CUT, LABELS, QUIET

log = logging.getLogger("speech")
ALPHAS = tuple(10.0 ** np.arange(0, 5))
"""How strongly coefficients are held near 0: the best of these is taken, by leaving one clip out."""
PARTS = 5
"""Into which speakers are divided, to measure fidelity."""
NORMAL = 1.349
"""Quartiles of a normal distribution lie so many deviations apart: spread is in these, so that strays do not count."""
STEP = 0.01
"""Seconds of a frame."""
Doubles = npt.NDArray[np.float64]


def fit(values: Doubles, logits: Doubles, labels: Sequence[str], speakers: Sequence[str]) -> dict[str, Any]:
    """Return the line for each label, as `affetto.explain.hearing.cues` takes it.

    Args:
        values: n x m, rows in the space `prosody`, NaN where not measured; rows of which nothing is are left out.
        logits: n x k, what networks said, as logits or logarithms of probabilities.
        labels: k.
        speakers: n; those with fewer than three rows are left out.

    Raises:
        MalformedError: fewer than two speakers are left.
    """
    names = load("prosody").names
    whose = np.asarray(speakers)
    measured = ~np.isnan(values).all(1)
    counts = {speaker: int((whose[measured] == speaker).sum()) for speaker in np.unique(whose)}
    kept = measured & np.array([counts[speaker] >= ENOUGH for speaker in whose])
    values, logits, whose = np.asarray(values, float)[kept], np.asarray(logits, float)[kept], whose[kept]
    groups = len(np.unique(whose))
    if groups < 2:
        raise MalformedError(f"a line wants two speakers with {ENOUGH} measured clips each, not {groups}")
    off = np.full(values.shape, np.nan)
    for one in np.unique(whose):
        tall = scaled(values[whose == one], names)
        off[whose == one] = tall - _median(tall)
    low, high = np.nanpercentile(off, [25, 75], axis=0)
    spread = np.maximum((high - low) / NORMAL, 1e-6)
    x = np.nan_to_num(deviations(off, spread))
    weights, fidelity = {}, {}
    for k, label in enumerate(labels):
        y = logits[:, k] - np.logaddexp.reduce(np.delete(logits, k, axis=1), axis=1)
        guess = cross_val_predict(RidgeCV(ALPHAS), x, y, groups=whose, cv=GroupKFold(min(PARTS, groups)))
        fidelity[label] = round(float(r2_score(y, guess)), 4)
        weights[label] = [round(float(w), 4) for w in RidgeCV(ALPHAS).fit(x, y).coef_]
    return {
        "axes": list(names),
        "median": [round(float(one), 4) for one in _median(values)],
        "spread": [round(float(one), 6) for one in spread],
        "weights": weights,
        "fidelity": fidelity,
    }


def _median(values: Doubles) -> Doubles:
    """Return the median of each column over what is said; NaN where nothing is."""
    said = ~np.isnan(values).all(0)
    out = np.full(values.shape[1], np.nan)
    out[said] = np.nanmedian(values[:, said], axis=0)
    return out


def chosen(speakers: Sequence[str], clips: int, seed: int) -> list[int]:
    """Return the numbers of at most so many clips of each speaker, drawn by the seed, in order."""
    rng = np.random.default_rng(seed)
    whose = np.asarray(speakers)
    found: list[int] = []
    for speaker in np.unique(whose):
        rows = np.flatnonzero(whose == speaker)
        found += rng.permutation(rows)[:clips].tolist()
    return sorted(found)


def heard(corpus: str, record: Record) -> Record:
    """Return a clip as one turn, from its first to its last frame within 35 dB of the loud ones, as in the lessons."""
    samples = np.concatenate([block[:, 0] for block in record.signals[0].blocks()])  # type: ignore[union-attr]
    loud = np.logaddexp.reduce(fine_mel(samples[: int(CUT.get(corpus, 1e9) * RATE)]), 1)
    rows = np.flatnonzero(loud > np.percentile(loud, 98) - QUIET)
    span = Span(float(rows[0]) * STEP, min(float(rows[-1] + 1) * STEP, len(samples) / RATE))
    return replace(record.blind(), turns=(Turn("speaker", span, ""),))


def measured(wanted: Sequence[tuple[str, str]]) -> Doubles:
    """Return the `prosody` row of each wanted clip (corpus, id), n x m; NaN of those that are not there."""
    model, out = load(PROSODY), np.full((len(wanted), len(load("prosody").axes)), np.nan)
    place = {clip: row for row, clip in enumerate(wanted)}
    for corpus in sorted({corpus for corpus, _ in wanted}):
        log.info("measuring %s", corpus)
        for record in load(corpus).read("all"):
            if (corpus, record.id) in place:
                (tracks,) = model([heard(corpus, record)])
                out[place[corpus, record.id]] = next(t for t in tracks if t.space.id == "prosody").values[0]
    return out


def said(work: Path) -> Iterator[tuple[str, str, str, npt.NDArray[np.float32]]]:
    """Yield corpus, id, speaker and logits of each clip that a network of a fold was asked about."""
    for path in sorted(work.glob("fold-*.npz")):
        held = np.load(path)
        yield from zip(
            map(str, held["corpora"]), map(str, held["ids"]), map(str, held["speakers"]), held["logits"], strict=True
        )


def line_of(work: Path, clips: int, seed: int) -> dict[str, Any]:
    """Measure, fit, write `cues.json`, tell how much the lines explain, and return them.

    Args:
        work: where the folds' answers lie.
        clips: of each speaker.
        seed: of which clips.

    Raises:
        MalformedError: no answers lie there.
    """
    answers = list(said(work))
    if not answers:
        raise MalformedError(f"{work} holds no fold-*.npz; run recipes.speech_affect first")
    answers = [answers[i] for i in chosen([f"{a[0]} {a[2]}" for a in answers], clips, seed)]
    values = measured([(corpus, id) for corpus, id, _, _ in answers])
    speakers = [f"{corpus} {speaker}" for corpus, _, speaker, _ in answers]
    line = fit(values, np.stack([logits for *_, logits in answers]), LABELS, speakers)
    (work / "cues.json").write_text(json.dumps(line, indent=1) + "\n", "utf-8")
    log.info("%d clips of %d speakers", len(answers), len(set(speakers)))
    for label in LABELS:
        parts = sorted(zip(line["weights"][label], line["axes"], strict=True), key=lambda part: -abs(part[0]))
        told = ", ".join(f"{name} {weight:+.2f}" for weight, name in parts[:4])
        log.info("%-10s R2 %+.2f  %s", label, line["fidelity"][label], told)
    return line


def main() -> None:
    """Fit as asked."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--clips", type=int, default=30, help="of each speaker")
    ask.add_argument("--seed", type=int, default=20)
    options = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    line_of(options.work, options.clips, options.seed)


if __name__ == "__main__":
    main()
