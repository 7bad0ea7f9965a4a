"""How well causes of feelings are found in talks: which turn, and which words. The test talks of RECCON's DailyDialog.

    python -m benchmarks.cause [--resamples 2000] [--seed 29] [--dry] [--iemocap iemocap_test.json]

`reccon-entailment.v1` scores pairs of turns, `reccon-span.v1` the words, see `affetto.bench.causes`. Beside
`dialogue.cause`, which is told what the turn in question shows and estimates what all others do:

    same-turn         each feeling is caused by its own turn
    previous-turn     by its own turn and the one before
    gold-context      a regression on distance, speaker and the true labels of both turns: it reads what nobody else may
    whole-turn        the turns that `dialogue.cause` names, with all their words

With `--iemocap` the talks are those of RECCON's file of IEMOCAP instead (which must be asked for), nothing learned from
them; frustrated is read as anger, and results are kept as `reccon-iemocap-entailment.v1` and `reccon-iemocap-span.v1`.
The regression learns from train and has its cut from dev. Writes the scores into the card too. About two minutes on one
core.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from affetto.bench import causes
from affetto.bench.protocol import Benchmark, load
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.metrics.calibration import ece
from affetto.metrics.cause import evaluate
from affetto.models.weights import weights
from benchmarks.results import interval, save
from recipes import cards

Answer = tuple[Track, ...]
OURS = "dialogue.cause"
SPAN = (
    *("squad_f1", "lcs_f1", "contained_squad_f1", "contained_lcs_f1", "exact_match", "squad_f1_found", "lcs_f1_found"),
    *("inverse_f1", "inverse_precision", "inverse_recall", "squad_f1_all", "lcs_f1_all"),
)


def named(record: Record, pairs: Sequence[tuple[int, int]]) -> Answer:
    """Return an answer that names pairs of (turn that feels, turn that caused), with all words."""
    if not pairs:
        return ()
    start = np.array([cause for _, cause in pairs])
    about = tuple(Span(turn, turn + 1, "turn") for turn, _ in pairs)
    notes = tuple(record.turns[cause].text for _, cause in pairs)
    return (
        Track(catalog.load("cause"), start, start + 1, np.ones((len(start), 1)), unit="turn", about=about, note=notes),
    )


def nearest(records: Sequence[Record], reach: int) -> list[Answer]:
    """Return answers that name each turn that is asked about, and so many before it."""
    found = []
    for record in records:
        pairs = {(one.turn, one.cause) for one in causes.samples(record) if 0 <= one.turn - one.cause <= reach}
        found.append(named(record, sorted(pairs)))
    return found


def of_gold(records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, int]]]:
    """Return what the regression sees of each pair, whether it is a cause, and (record, turn, cause)."""
    seen, truth, at = [], [], []
    for number, record in enumerate(records):
        labels = np.zeros((len(record.turns), 7))
        for track in record.tracks:
            if track.space.id == causes.LABELS:
                labels[track.start.astype(int)] = track.values
        for turn, cause in sorted({one[:2] for one in causes.samples(record)}):
            far, own = turn - cause, record.turns[turn].speaker == record.turns[cause].speaker
            near, alike = np.arange(8) == far, labels[turn] @ labels[cause]
            seen.append((*near, far, own, *labels[turn], *labels[cause], alike, *(near * alike)))
            at.append((number, turn, cause))
        found = {one[:2] for one in causes.samples(record) if one.words}
        truth += [pair[1:] in found for pair in at[len(truth) :]]
    return np.array(seen, np.float64), np.array(truth), at


def gold_context(splits: dict[str, list[Record]]) -> list[Answer]:
    """Return the answers of the regression that reads true labels of both turns."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra

    learn, dev, test = (of_gold(splits[name]) for name in ("train", "dev", "test"))
    fitted = LogisticRegression(max_iter=2000).fit(learn[0], learn[1])
    p = fitted.predict_proba(dev[0])[:, 1]
    cut = max(np.arange(0.2, 0.6, 0.01), key=lambda one: evaluate(dev[1], p >= one, "entailment")["f1_macro"])
    pairs: list[list[tuple[int, int]]] = [[] for _ in splits["test"]]
    for (number, turn, cause), sure in zip(test[2], fitted.predict_proba(test[0])[:, 1], strict=True):
        if sure >= cut:
            pairs[number].append((turn, cause))
    return [named(record, own) for record, own in zip(splits["test"], pairs, strict=True)]


def of_iemocap(path: Path) -> list[Record]:
    """Return the talks of RECCON's file of IEMOCAP, read as those of DailyDialog are."""
    talks = json.loads(path.read_text("utf-8"))
    for turn in (turn for parts in talks.values() for part in parts for turn in part):
        turn["emotion"] = {"frustrated": "anger", "frustration": "anger"}.get(turn["emotion"], turn["emotion"])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dailydialog_test.json").write_text(json.dumps(talks), "utf-8")
        return list(catalog.load("reccon").read("test", folder=folder))


def without_words(answers: Sequence[Answer]) -> list[Answer]:
    """Return answers that name whole turns."""
    return [tuple(replace(track, note=None) for track in tracks) for tracks in answers]


def calibration(records: Sequence[Record], answers: Sequence[Answer], seed: int) -> dict[str, float]:
    """Return the calibration error of all pairs, with its interval over talks; a pair not named is sure to be none.

    Args:
        records: with the truth.
        answers: that name each pair, however unsure.
        seed: of the draws.
    """
    truth, sure, whose = [], [], []
    for record, tracks in zip(records, answers, strict=True):
        found = {
            (about.start, start): float(value)
            for track in tracks
            for about, start, value in zip(track.about or (), track.start, track.values[:, 0], strict=True)
            if about is not None
        }
        pairs = {one[:2]: bool(one.words) for one in causes.samples(record)}
        truth += pairs.values()
        sure += [found.get(pair, 0.0) for pair in pairs]
        whose += [record.id] * len(pairs)
    right, p = np.array(truth, np.float64), np.array(sure)
    return interval(lambda rows: ece(right[rows], p[rows]), len(p), seed, whose, resamples=300)


def benchmark(id: str, metrics: Sequence[str]) -> Benchmark:
    """Return what is scored, under the id of the results."""
    said = {"corpus": "reccon", "split": "test", "truth": "cause", "space": "cause", "metrics": list(metrics)}
    return load(Card(id, "benchmark", "1", id, facts=said))


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    parser.add_argument("--iemocap", type=Path, metavar="FILE", help="score these talks instead")
    said = parser.parse_args()
    corpus = catalog.load("reccon")
    splits = {split: list(corpus.read(split)) for split in ("train", "dev", "test")}
    if said.iemocap:
        splits["test"] = of_iemocap(said.iemocap)
    test = splits["test"]
    model, shown = catalog.load(OURS), [causes.asked(record) for record in test]
    ours, unsure = model(shown), calibration(test, model.asking(cut=0.0)(shown), said.seed)
    simple = {"same-turn": nearest(test, 0), "previous-turn": nearest(test, 1)}
    part = "-iemocap" if said.iemocap else ""
    tasks: dict[str, tuple[Sequence[str], dict[str, Sequence[Answer]], str]] = {
        f"reccon{part}-entailment.v1": (
            causes.OF_PAIRS,
            {OURS: ours, **simple, "gold-context": gold_context(splits)},
            "pairs of a turn that is not neutral with itself and each turn before it, each once; no true label of "
            "another turn is read, but by gold-context",
        ),
        f"reccon{part}-span.v1": (
            SPAN,
            {OURS: ours, "whole-turn": without_words(ours), **simple},
            "each mark of a rater is a sample, and each pair without one; an unnamed pair has no words",
        ),
    }
    for id, (metrics, answers, notes) in tasks.items():
        outcomes = causes.evaluate(benchmark(id, metrics), test, answers, said.seed, said.resamples)
        for name, outcome in outcomes.items():
            found = {key: vars(value) for key, value in outcome.metrics.items()}
            if metrics is causes.OF_PAIRS and name == OURS:
                found["ece"] = unsure
            for key, one in found.items():
                print(f"{one['value']:8.4f} [{one['low']:.4f}, {one['high']:.4f}]  {id} {name}: {key}")
            if not said.dry:
                note = f"{notes}; 95 % intervals over {outcome.groups} talks; python -m benchmarks.cause"
                print(save(id, name, outcome.n, found, said.seed, {}, note), flush=True)
    if not said.dry and not said.iemocap:
        cards.update(OURS, weights(model.card), list(tasks), room="dialogue")


if __name__ == "__main__":
    main()
