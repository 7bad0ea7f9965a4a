"""Train, measure and publish `dialogue.empathy` and `dialogue.concern`.

    python -m recipes.dialogue_empathy --work build/dialogue [--only empathy] [--seed 20]

Both corpora have no split: folds give the scores, disjoint in the post that is answered (five, EPITOME) and in who
wrote (ten, Empathic Reactions), as the benchmarks of these names fold them. What calibrates, weighs or cuts a fold was
found on the other folds alone. What ships is trained on all.
"""

import argparse
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from affetto.bench.protocol import fold_of
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.metrics.classification import macro_f1
from affetto.metrics.dimensional import ccc
from affetto.models.dialogue import empathy, words
from affetto.models.dialogue.context import STATE, heard, surface
from affetto.models.dialogue.heads import Head, keep
from affetto.models.dialogue.readout import sigmoid
from benchmarks.results import interval, save
from recipes import cards
from recipes.dialogue_heads import HeadOptions, Remembered, Wordings, head, learned, ridge, slope

log = logging.getLogger("dialogue.empathy")
ROOM = cards.HOME / "src/affetto/models/dialogue/weights"
LEVELS = HeadOptions(epochs=8, rows=64)
CLAUSES = HeadOptions(epochs=4, rows=128, seeds=(20, 21))
STRENGTHS = (3000.0, 4.0)
"""Of the ridge regressions on middle states and on wordings; chosen among a few on ten other folds of the same data."""
NAMES = ("emotional reactions", "interpretations", "explorations")


def three(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the smoothed cross-entropy of three levels, summed over three ways."""
    parts = [
        torch.nn.functional.cross_entropy(logits[:, 3 * way : 3 * way + 3], truth[:, way], label_smoothing=0.05)
        for way in range(3)
    ]
    return torch.stack(parts).sum()


def shares(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of how much of a clause raters named."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)


class Replies:
    """EPITOME as arrays."""

    def __init__(self, asked: words.Reader, work: Path, seed: int) -> None:
        self.records = list(load("epitome").read("all"))
        self.texts = [record.turns[1].text for record in self.records]
        self.truth = np.array([record.tracks[0].values[0] for record in self.records], np.int64)
        self.fold = np.array([fold_of(record.meta["group"], 5, seed) for record in self.records])
        self.group = [record.meta["group"] for record in self.records]
        self.new = np.array(["duplicate_of" not in record.meta for record in self.records])
        counted = [[*surface(text), text.count("?"), text.lower().count("you") / 5] for text in self.texts]
        vectors = Remembered(partial(heard, asked), "epitome", work)(self.texts)
        self.known = np.concatenate([vectors, np.array(counted, np.float32)], 1)
        self.cuts = [empathy.clauses(text)[: empathy.MOST] for text in self.texts]
        self.clauses = [text[a:b] for text, cuts in zip(self.texts, self.cuts, strict=True) for a, b in cuts]
        self.owner = np.repeat(np.arange(len(self.texts)), [len(cuts) for cuts in self.cuts])
        signs = np.array([surface(text) for text in self.clauses], np.float32)

        def read(texts: Sequence[str]) -> np.ndarray:
            logits, known = asked.heard(texts)
            return np.concatenate([known, logits], 1)

        self.parts = np.concatenate([Remembered(read, "epitome-clauses", work)(self.clauses), signs], 1)
        self.words = [_marked(record, cuts) for record, cuts in zip(self.records, self.cuts, strict=True)]
        self.named = np.concatenate([[marks.mean(0) for marks in words] for words in self.words if words])


def _marked(record: Record, cuts: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Return, for each clause, which of its words raters named as a reason, words x 3."""
    text = record.turns[1].text
    marked = []
    for cut in cuts:
        spans = [
            [any(a <= s and e <= b for a, b in record.meta["rationales"][name]) for name in NAMES]
            for s, e in empathy._within(text, cut)
        ]
        marked.append(np.array(spans, np.float32))
    return marked


def of_replies(data: Replies, rows: np.ndarray) -> Head:
    """Train the head of levels on some replies."""
    rows = rows[data.new[rows]]
    return learned(data.known[rows], [data.texts[k] for k in rows], data.truth[rows], 9, three, LEVELS)


def of_clauses(data: Replies, rows: np.ndarray, answers: np.ndarray) -> Head:
    """Train the head of reasons on the clauses of some replies, of whose levels something was said."""
    at = np.flatnonzero(np.isin(data.owner, rows[data.new[rows]]))
    known = np.concatenate([data.parts[at], answers[data.owner[at]]], 1)
    return learned(known, [data.clauses[k] for k in at], data.named[at], 3, shares, CLAUSES)


def limits(data: Replies, sure: np.ndarray, level: np.ndarray, rows: np.ndarray) -> list[float]:
    """Return from which probability on a clause is a reason: what names the raters' words best, a way."""
    grid = np.arange(0.1, 0.75, 0.05)
    scores = [reasons(data, sure, level, rows, [cut] * 3)["token"] for cut in grid]
    return [float(grid[np.argmax([score[way] for score in scores])]) for way in range(3)]


def reasons(
    data: Replies, sure: np.ndarray, level: np.ndarray, rows: np.ndarray, cuts: Sequence[float]
) -> dict[str, np.ndarray]:
    """Return token F1 and IOU F1 of the reasons of some replies, 3 each.

    Token F1: of all words together. IOU F1: a run of words counts as found where it shares half of its union with one
    that raters named (DeYoung et al. 2020, ERASER).
    """
    ends = np.cumsum([0, *(len(own) for own in data.cuts)])
    counts, runs = np.zeros((3, 3)), np.zeros((3, 3))
    for k in np.unique(rows):
        times = int((rows == k).sum())
        chosen = empathy.reasons_of(sure[ends[k] : ends[k + 1]], level[k], cuts)
        marks = data.words[k]
        if not marks:
            continue
        truth = np.concatenate(marks) > 0
        for way in range(3):
            said = np.concatenate([np.full(len(part), at in chosen[way]) for at, part in enumerate(marks)])
            asked = truth[:, way]
            counts[way] += np.array([(said & asked).sum(), said.sum(), asked.sum()]) * times
            runs[way] += np.array(_hits(_runs(said), _runs(asked))) * times
    return {
        "token": 2 * counts[:, 0] / np.maximum(1, counts[:, 1] + counts[:, 2]),
        "iou": 2 * runs[:, 0] / np.maximum(1, runs[:, 1] + runs[:, 2]),
    }


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _hits(said: list[tuple[int, int]], asked: list[tuple[int, int]]) -> tuple[int, int, int]:
    def share(one: tuple[int, int], other: tuple[int, int]) -> float:
        both = min(one[1], other[1]) - max(one[0], other[0])
        return max(0, both) / (max(one[1], other[1]) - min(one[0], other[0]))

    hits = sum(any(share(one, other) >= 0.5 for other in asked) for one in said)
    return hits, len(said), len(asked)


def publish_empathy(asked: words.Reader, work: Path, seed: int) -> None:
    """Cross five folds, train on all, write weights, scores and card."""
    data = Replies(asked, work, seed)
    n = len(data.texts)
    logits = np.zeros((n, 9), np.float32)
    for fold in range(5):
        rows = np.flatnonzero(data.fold == fold)
        made = of_replies(data, np.flatnonzero(data.fold != fold))
        logits[rows] = made(data.known[rows], [data.texts[k] for k in rows])
        log.info("empathy fold %d", fold)
    carried = np.zeros((len(data.owner), 3), np.float32)
    for fold in range(5):  # the levels that the reasons learn from were said by who did not see the reply either
        made = of_clauses(data, np.flatnonzero(data.fold != fold), logits)
        at = np.flatnonzero(data.fold[data.owner] == fold)
        known = np.concatenate([data.parts[at], logits[data.owner[at]]], 1)
        carried[at] = sigmoid(made(known, [data.clauses[k] for k in at]))
        log.info("reasons fold %d", fold)
    np.savez(work / "empathy.crossed.npz", logits=logits, carried=carried)
    ways = np.split(logits, 3, 1)
    level = np.zeros((n, 3, 3), np.float32)
    cuts = np.zeros((n, 3))
    for fold in range(5):
        mine, others = data.fold == fold, np.flatnonzero(data.fold != fold)
        slopes = [slope(part[others], data.truth[others, way]) for way, part in enumerate(ways)]
        level[mine] = empathy.levels(logits[mine], slopes)
        cuts[mine] = limits(data, carried, empathy.levels(logits, slopes), others)
    metrics = empathy_scores(data, level, carried, cuts, seed)
    for name, metric in metrics.items():
        log.info("%s: %.4f [%.4f, %.4f]", name, metric["value"], metric["low"], metric["high"])
    notes = (
        "five folds, disjoint in posts; calibrated on the other folds; bootstrap over posts (reasons: t over five "
        "folds); python -m recipes.dialogue_empathy"
    )
    save("epitome-5fold", "dialogue.empathy", n, metrics, seed, {}, notes)
    slopes = [slope(part, data.truth[:, way]) for way, part in enumerate(ways)]
    top, every = of_replies(data, np.arange(n)), of_clauses(data, np.arange(n), logits)
    facts = {"threshold": limits(data, carried, empathy.levels(logits, slopes), np.arange(n))}
    top = Head(top.weight, top.bias, top.grams, {"slopes": slopes})
    file = ROOM / "dialogue.empathy.npz"
    keep(file, {"levels": top, "reasons": Head(every.weight, every.bias, every.grams, facts)})
    log.info("%s: %.0f kB", file.name, file.stat().st_size / 1e3)
    cards.update("dialogue.empathy", file, ["epitome-5fold"], find("text.affect-en").sha256, "dialogue")


def empathy_scores(
    data: Replies, level: np.ndarray, sure: np.ndarray, cuts: np.ndarray, seed: int
) -> dict[str, dict[str, float]]:
    """Return every score with its interval over posts."""
    n, metrics = len(data.texts), {}
    expected = level @ np.arange(3)
    eye = np.eye(3)
    for way, name in enumerate(NAMES):
        t, p, e = data.truth[:, way], level[:, way], expected[:, way]
        said = p.argmax(1)
        scores = {
            "macro-F1": lambda r, t=t, s=said: macro_f1(eye[t[r]], eye[s[r]]),
            "accuracy": lambda r, t=t, s=said: float((t[r] == s[r]).mean()),
            "Pearson": lambda r, t=t, e=e: float(np.corrcoef(t[r], e[r])[0, 1]),
            "CCC": lambda r, t=t, e=e: ccc(t[r].astype(float), e[r]),
        }
        for metric, score in scores.items():
            metrics[f"{metric}, {name}"] = interval(score, n, seed, data.group, 300)
    found = {}
    for fold in range(5):
        rows = np.flatnonzero(data.fold == fold)
        found[fold] = (len(rows), reasons(data, sure, level, rows, cuts[rows[0]]))
    for way, name in enumerate(NAMES):
        for key, metric in (("token", "token F1"), ("iou", "IOU F1")):
            values = np.array([part[key][way] for _, part in found.values()])
            mean, half = values.mean(), 2.776 * values.std(ddof=1) / np.sqrt(5)
            metrics[f"{metric} of reasons, {name}"] = {"value": mean, "low": mean - half, "high": mean + half}
    return metrics


def felt(known: np.ndarray, texts: Sequence[str], truth: np.ndarray, group: Sequence[str], seed: int) -> Head:
    """Train two regressions, one on vectors and one on wordings, and weigh them by what they say of unseen writers."""
    inner = np.array([fold_of(name, 4, seed + 1) for name in group])
    sides = np.zeros((2, len(texts), 2))
    for fold in range(4):
        learn, rows = np.flatnonzero(inner != fold), np.flatnonzero(inner == fold)
        for side, made in enumerate(two(known[learn], [texts[k] for k in learn], truth[learn])):
            sides[side][rows] = made(known[rows], [texts[k] for k in rows])
    dense, words = two(known, texts, truth)
    shares, bias = np.zeros((2, 2)), np.zeros(2)
    for axis in range(2):
        columns = np.stack([*sides[:, :, axis], np.ones(len(texts))], 1)
        *shares[:, axis], bias[axis] = np.linalg.lstsq(columns, truth[:, axis], rcond=None)[0]
    grams = words.grams
    scaled = type(grams)(grams.keys, grams.weights, (grams.scale * shares[1]).astype(np.float32))
    constant = dense.bias * shares[0] + words.bias * shares[1] + bias
    return Head((dense.weight * shares[0]).astype(np.float16), constant.astype(np.float32), scaled)


def two(known: np.ndarray, texts: Sequence[str], truth: np.ndarray) -> tuple[Head, Head]:
    """Return the regression on vectors, and that on wordings."""
    mean, spread = known.mean(0), known.std(0) + 1e-3
    wordings = Wordings.of(texts, 3, 8000)
    weight, bias = ridge((known - mean) / spread, truth, STRENGTHS[0])
    none = wordings.grams(np.zeros((len(wordings.keys), truth.shape[1])))
    dense = head(weight, bias, mean, spread, none)
    table = wordings.table(texts)
    length = np.sqrt((table**2).sum(1)).mean()
    middle = table.mean(0) / length
    weight, bias = ridge(table / length - middle, truth, STRENGTHS[1])
    nothing = np.zeros((known.shape[1], truth.shape[1]), np.float16)
    return dense, Head(nothing, (bias - middle @ weight).astype(np.float32), wordings.grams(weight / length))


def publish_concern(asked: words.Reader, work: Path, seed: int) -> None:
    """Cross ten folds, train on all, write weights, scores and card."""
    records = list(load("empathic-reactions").read("all"))
    texts = [record.text or "" for record in records]
    truth = np.array([record.tracks[0].values[0] for record in records], np.float64)
    writers = [str(record.meta["speaker"]) for record in records]
    known = Remembered(partial(heard, asked), "empathic-reactions", work)(texts)[:, -2 * STATE :]
    drawn = np.random.default_rng(seed).permutation(np.arange(len(texts)) % 10)
    folds = {
        "writers apart": np.array([fold_of(name, 10, seed) for name in writers]),
        "articles apart": np.array([fold_of(str(record.meta["group"]), 10, seed) for record in records]),
        "drawn by chance": drawn,
    }
    metrics: dict[str, dict[str, float]] = {}
    for how, fold in folds.items():
        answers = np.zeros_like(truth)
        for number in range(10):
            learn, rows = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            group = [writers[k] for k in learn]
            made = felt(known[learn], [texts[k] for k in learn], truth[learn], group, seed)
            answers[rows] = np.clip(made(known[rows], [texts[k] for k in rows]), 1, 7)
        for axis, name in enumerate(("concern", "distress")):
            t, e = truth[:, axis], answers[:, axis]
            scores = {
                "Pearson": lambda r, t=t, e=e: float(np.corrcoef(t[r], e[r])[0, 1]),
                "CCC": lambda r, t=t, e=e: ccc(t[r], e[r]),
                "MAE": lambda r, t=t, e=e: float(np.abs(t[r] - e[r]).mean()),
            }
            for metric, score in scores.items():
                metrics[f"{metric}, {name}, {how}"] = interval(score, len(texts), seed, writers, 500)
                log.info("%s, %s, %s: %.4f", metric, name, how, metrics[f"{metric}, {name}, {how}"]["value"])
    notes = (
        "ten folds; weights of the two regressions from folds within the others; bootstrap over writers; "
        "python -m recipes.dialogue_empathy"
    )
    save("empathic-reactions-10fold", "dialogue.concern", len(texts), metrics, seed, {}, notes)
    file = ROOM / "dialogue.concern.npz"
    keep(file, {"felt": felt(known, texts, truth, writers, seed)})
    log.info("%s: %.0f kB", file.name, file.stat().st_size / 1e3)
    cards.update("dialogue.concern", file, ["empathic-reactions-10fold"], find("text.affect-en").sha256, "dialogue")


def main() -> None:
    """Train and publish what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", choices=("empathy", "concern"))
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for name, publish in (("concern", publish_concern), ("empathy", publish_empathy)):
        if options.only in (None, name):
            publish(words.encoder(find(f"dialogue.{name}")), options.work, options.seed)


if __name__ == "__main__":
    main()
