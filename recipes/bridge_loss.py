"""Measure what the bridges between spaces lose, on people's own labels: `python -m recipes.bridge_loss [--seed 1]`.

Tables, trees, dyads, polarity: the share of information lost. X is what a row of the corpus says (a label, or a set of
labels), Y what the bridge makes of it; the loss is H(X|Y) / H(X), with entropies of the corpus as counted. A row that
comes out as "not said" tells nothing: its whole H(X) is lost. 0 means that X can be read off Y.

Points: how wrongly the labels are placed. No corpus at hand carries labels and VAD of the same texts. So a regression
is trained on EmoBank (what readers said of other texts), it answers on the corpus' texts, and its answers are averaged
over the texts of each label; the loss is 1 - r squared between these means and the labels' coordinates, over the
labels, weighted by their texts, an r below 0 counting as 0, averaged over valence, arousal and dominance. Single texts
scatter far more than that: the correlations that one may expect for them stand beside it, as lower bounds, for the
labels are then a model's.

Writes `src/affetto/spaces/tables/losses.json`, which the bridges read, and, for each single bridge,
`benchmarks/results/bridges/<id>.json`. Takes about three minutes on one core.
"""

import argparse
import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.parquet
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from affetto.core.errors import NoBridgeError
from affetto.core.track import Track
from affetto.spaces import bridges, tables
from affetto.spaces.taxonomy import space
from benchmarks.results import save
from recipes.corpora import BRIGHTER, DATA, EKMAN, GOEMOTIONS, emobank, goemotions

TEXT = DATA / "text"
RESAMPLES = 200
XED = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
STOCKTWITS = ("neutral", "happy", "sad", "anger", "disgust", "surprise", "fear")
SIDES = ("negative", "neutral", "positive")
"""XED numbers its labels from 1 in this order; EmTract from 0."""


@dataclass(frozen=True)
class Corpus:
    """Texts with people's labels in one space."""

    name: str
    space: str
    texts: list[str]
    truth: np.ndarray
    """n x k float32, in the order of the space."""
    sides: np.ndarray | None = None
    """n, 0 negative, 1 neutral, 2 positive, where people were asked for that too."""


def _table(*parts: str) -> list[dict[str, str]]:
    path = TEXT.joinpath(*parts)
    plain = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(plain.decode("utf-8"), newline="")))


def _hot(names: list[str], id: str) -> np.ndarray:
    target = space(id)
    return np.eye(len(target.axes), dtype=np.float32)[[target.index(name) for name in names]]


def _sorted(truth: np.ndarray, names: tuple[str, ...], id: str) -> np.ndarray:
    return truth[:, [names.index(name) for name in space(id).names]]


@cache
def posts() -> Corpus:
    """Read GoEmotions, all three splits."""
    parts = [goemotions(split) for split in ("train", "dev", "test")]
    truth = np.concatenate([part.truth for part in parts])
    texts = [text for part in parts for text in part.texts]
    return Corpus("GoEmotions", "goemotions-28", texts, _sorted(truth, GOEMOTIONS, "goemotions-28"))


@cache
def talk() -> Corpus:
    """Read MELD, all three splits, with the sentiment people gave beside the emotion."""
    rows = [
        row
        for part in ("train_sent_emo.csv.gz", "dev_sent_emo.csv", "test_sent_emo.csv")
        for row in _table("meld", part)
    ]
    truth = _hot([row["Emotion"] for row in rows], "ekman-7")
    sides = np.array([SIDES.index(row["Sentiment"]) for row in rows])
    return Corpus("MELD", "ekman-7", [row["Utterance"] for row in rows], truth, sides)


def talk_six() -> Corpus:
    """Read MELD without the utterances that are neutral."""
    seven = talk()
    felt = seven.truth[:, EKMAN.index("neutral")] == 0
    texts = [text for text, yes in zip(seven.texts, felt, strict=True) if yes]
    return Corpus("MELD without neutral", "ekman-6", texts, seven.truth[felt][:, :6])


def languages(track: str, id: str) -> Corpus:
    """Read BRIGHTER `a` or `b` in all languages that were asked about all six emotions, all splits."""
    texts, truth = [], []
    for path in sorted(TEXT.joinpath("brighter_semeval2025", f"track_{track}").glob("*/*.csv.gz")):
        rows = _table("brighter_semeval2025", f"track_{track}", path.parent.name, path.name)
        if set(BRIGHTER) <= set(rows[0]):
            good = [row for row in rows if all(row[emotion] for emotion in BRIGHTER)]
            texts += [row["text"] for row in good]
            truth += [[float(row[emotion]) for emotion in BRIGHTER] for row in good]
    return Corpus(f"BRIGHTER track {track.upper()}", id, texts, np.array(truth, np.float32))


def subtitles() -> Corpus:
    """Read XED's English sentences."""
    with gzip.open(TEXT / "xed" / "AnnotatedData" / "en-annotated.tsv.gz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").rsplit("\t", 1) for line in file]
    truth = np.zeros((len(rows), 8), np.float32)
    for i, (_, labels) in enumerate(rows):
        truth[i, [int(label) - 1 for label in labels.split(",")]] = 1
    return Corpus("XED English", "plutchik-8", [row[0] for row in rows], _sorted(truth, XED, "plutchik-8"))


def situations() -> Corpus:
    """Read the situations of EmpatheticDialogues; the gold emotion is the name of the file."""
    texts, names = [], []
    for path in sorted((TEXT / "empatheticdialogues" / "dialogues_intent_annotated").glob("*.csv.gz")):
        for row in _table("empatheticdialogues", path.parent.name, path.name):
            if row["Type"] == "situation":
                texts.append(row["Text"])
                names.append(path.name.split(".")[0])
    return Corpus("EmpatheticDialogues", "empathetic-32", texts, _hot(names, "empathetic-32"))


def investors() -> Corpus:
    """Read the tagged sample of EmTract."""
    sample = pyarrow.parquet.read_table(TEXT / "emtract" / "tagged_sample.parquet").to_pydict()
    names = [STOCKTWITS[int(label)] for label in sample["label"]]
    return Corpus("EmTract tagged sample", "stocktwits-7", list(sample["text"]), _hot(names, "stocktwits-7"))


def same_words(id: str) -> Corpus:
    """Read GoEmotions rows whose every label is also a name of a larger space, as rows of that space."""
    all_posts, target = posts(), space(id)
    shared = [i for i, name in enumerate(space("goemotions-28").names) if name in target.names]
    inside = (all_posts.truth[:, shared].sum(1) == all_posts.truth.sum(1)) & (all_posts.truth.sum(1) > 0)
    truth = np.zeros((int(inside.sum()), len(target.axes)), np.float32)
    for i in shared:
        truth[:, target.index(space("goemotions-28").names[i])] = all_posts.truth[inside, i]
    texts = [text for text, yes in zip(all_posts.texts, inside, strict=True) if yes]
    return Corpus(f"GoEmotions, the {len(shared)} labels that {id} knows by name", id, texts, truth)


def over(corpus: Corpus, target: str) -> np.ndarray:
    """Return the rows of a corpus translated, as the product does it."""
    n = len(corpus.truth)
    return np.asarray(
        bridges.translate(
            Track(space(corpus.space), np.arange(n), np.arange(n) + 1, corpus.truth, unit="turn"), target
        ).values
    )


def information(before: np.ndarray, after: np.ndarray, seed: int) -> dict[str, float]:
    """Return H(X|Y) / H(X) over rows, with a 95 % bootstrap interval; rows that say nothing lose all."""
    x = np.unique(np.round(before, 4), axis=0, return_inverse=True)[1].ravel()
    silent = np.isnan(after).all(1)
    y = np.unique(np.round(np.nan_to_num(after, nan=-1), 4), axis=0, return_inverse=True)[1].ravel() + 1
    y[silent] = 0
    pairs, counts = np.unique(np.stack([x, y]), axis=1, return_counts=True)

    def loss(counts: np.ndarray) -> float:
        h_x = _entropy(np.bincount(pairs[0], counts))
        told = pairs[1] > 0
        share = counts[told].sum() / counts.sum()
        h_xy = _entropy(counts[told]) - _entropy(np.bincount(pairs[1][told], counts[told])) if share else 0.0
        return float(np.clip(share * h_xy / h_x + 1 - share, 0, 1))

    rng = np.random.default_rng(seed)
    draws = [loss(rng.multinomial(len(x), counts / counts.sum())) for _ in range(RESAMPLES)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return {"value": loss(counts), "low": float(low), "high": float(high)}


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def _interval(score: Callable[[np.ndarray], float], n: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    low, high = np.percentile([score(rng.integers(0, n, n)) for _ in range(RESAMPLES)], [2.5, 97.5])
    return {"value": score(np.arange(n)), "low": float(low), "high": float(high)}


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


@cache
def readers() -> Callable[[list[str]], np.ndarray]:
    """Train a ridge regression of readers' VAD, -1 to 1, on EmoBank's training split."""
    train = emobank("train")
    asked = ~np.isnan(train.truth[:, :3]).any(1)
    seen = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, strip_accents="unicode")
    texts = [text for text, yes in zip(train.texts, asked, strict=True) if yes]
    ridge = Ridge(alpha=3.0).fit(seen.fit_transform(texts), (train.truth[asked, :3] - 3) / 2)
    return lambda texts: np.asarray(ridge.predict(seen.transform(texts)))


@cache
def plain_model() -> Callable[[list[str]], np.ndarray]:
    """Train TF-IDF and one logistic regression a label on GoEmotions' training split; about a minute."""
    train = goemotions("train")
    reader = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, strip_accents="unicode")
    seen = reader.fit_transform(train.texts)
    heads = [
        LogisticRegression(C=4, solver="liblinear", tol=1e-3).fit(seen, train.truth[:, k])
        for k in range(len(GOEMOTIONS))
    ]
    return lambda texts: np.stack([head.predict_proba(reader.transform(texts))[:, 1] for head in heads], 1)


def join_rules() -> dict[str, float]:
    """Return the Brier score of three ways to join the probabilities of one Ekman group, on GoEmotions' test split."""
    test = goemotions("test")
    p, table = (
        plain_model()(test.texts),
        tables.table(tables.read("goemotions-28", "ekman-7"), space("goemotions-28"), space("ekman-7")),
    )
    truth = (test.truth @ table.weights > 0).astype(float)
    groups = [table.weights[:, k] > 0 for k in range(7)]
    joined = {
        "independent": np.stack([1 - (1 - p[:, rows]).prod(1) for rows in groups], 1),
        "greatest": np.stack([p[:, rows].max(1) for rows in groups], 1),
        "sum": np.clip(np.stack([p[:, rows].sum(1) for rows in groups], 1), 0, 1),
    }
    return {f"brier {name}": float(((said - truth) ** 2).mean()) for name, said in joined.items()}


def presence() -> dict[str, float]:
    """Return on what share of answers intensity 1 or more is what track A calls present, where both have the text."""
    agreed = []
    for path in sorted(TEXT.joinpath("brighter_semeval2025", "track_b").glob("*/*.csv.gz")):
        other = TEXT / "brighter_semeval2025" / "track_a" / path.parent.name / path.name
        strong = {row["text"]: row for row in _table("brighter_semeval2025", "track_b", path.parent.name, path.name)}
        for row in _table("brighter_semeval2025", "track_a", path.parent.name, path.name) if other.exists() else ():
            twin = strong.get(row["text"], {})
            both = [emotion for emotion in BRIGHTER if row.get(emotion) and twin.get(emotion)]
            agreed += [(float(twin[emotion]) >= 1) == (float(row[emotion]) >= 1) for emotion in both]
    return {"value": float(np.mean(agreed))}


class Losses:
    """What was measured so far, and where it is written."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.said: dict[str, dict[str, object]] = {}

    def add(self, id: str, measure: str, n: int, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Keep one measurement; the first metric is the loss."""
        name, *others = metrics
        loss = metrics[name]["value"]
        also = {other: round(metrics[other]["value"], 4) for other in others}
        self.said[id] = {"loss": round(loss, 4), "measure": measure, "n": n} | ({"also": also} if also else {})
        if not bridges.bridge(*id.split("--")).steps:
            save("bridges", id, n, metrics, self.seed, {}, measure)
        print(f"{id:34} {loss:.3f}  {also}  {measure}")

    def write(self) -> None:
        """Write what the bridges read."""
        path = tables.FOLDER / "losses.json"
        path.write_text(json.dumps(dict(sorted(self.said.items())), indent=1) + "\n", "utf-8")


def measure_labels(losses: Losses, corpus: Corpus) -> None:
    """Measure every way of at most three bridges from a corpus' space to other label spaces."""
    for target in sorted(bridges.placing.PLACES):
        try:
            way = bridges.bridge(corpus.space, target)
        except NoBridgeError:
            continue
        if "geometry" in {step.kind for step in (way.steps or (way,))}:
            continue
        after = over(corpus, target)
        metrics = {"loss": information(corpus.truth, after, losses.seed)}
        if target == "sentiment-3" and corpus.sides is not None:
            right = after.argmax(1) == corpus.sides
            metrics["agrees with people's own sentiment"] = _interval(
                lambda rows, right=right: float(right[rows].mean()), len(right), losses.seed
            )
        if corpus.space == "goemotions-28" and target == "ekman-7":
            metrics |= {name: {"value": value} for name, value in join_rules().items()}
        if corpus.space == "intensity-6" and target == "brighter-6":
            metrics["agrees with track A"] = presence()
        what = f"share of label information lost, H(X|Y)/H(X), {corpus.name}"
        losses.add(f"{corpus.space}--{target}", what, len(after), metrics)


def measure_points(losses: Losses, corpus: Corpus) -> None:
    """Measure how a corpus' labels are placed in VAD, against the mean that readers would give the texts of each."""
    rows = np.flatnonzero(corpus.truth.sum(1) == 1)
    label = corpus.truth[rows].argmax(1)
    said = readers()([corpus.texts[i] for i in rows])
    home = np.array([axis.vad for axis in space(corpus.space).axes])

    def placed(chosen: np.ndarray, k: int) -> float:
        count = np.bincount(label[chosen], minlength=len(home)).astype(float)
        mean = np.bincount(label[chosen], said[chosen, k], len(home)) / np.maximum(1, count)
        return _weighted_r(home[:, k], mean, count)

    metrics = {
        "loss": _interval(
            lambda r: 1 - float(np.mean([max(0, placed(r, k)) ** 2 for k in range(3)])), len(rows), losses.seed
        )
    }
    for k, axis in enumerate(("valence", "arousal", "dominance")):
        metrics[f"r of {axis} over labels"] = _interval(lambda r, k=k: placed(r, k), len(rows), losses.seed)
    if corpus.sides is not None:
        own = over(corpus, "vad")[:, 0]
        name = "r of valence with people's own sentiment"
        metrics[name] = _interval(lambda r: _pearson(own[r], corpus.sides[r]), len(own), losses.seed)
    if corpus.space == "goemotions-28":
        test = emobank("test")
        guessed = _sorted(plain_model()(test.texts), GOEMOTIONS, "goemotions-28")
        points = over(Corpus("", "goemotions-28", test.texts, guessed), "vad")
        for k, axis in enumerate(("valence", "arousal", "dominance")):
            name = f"r of {axis}, single texts of EmoBank, labels by a plain model"
            metrics[name] = _interval(lambda r, k=k: _pearson(points[r, k], test.truth[r, k]), len(points), losses.seed)
    what = f"1 - r squared of labels' places with readers' mean over their texts (by regression), {corpus.name}"
    losses.add(f"{corpus.space}--vad", what, len(rows), metrics)


def _weighted_r(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    covariance = np.cov(a, b, aweights=weights)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


def measure_size(losses: Losses) -> None:
    """Measure what leaving out dominance, and all but the quadrant, loses on EmoBank."""
    points = (np.concatenate([emobank(split).truth[:, :3] for split in ("train", "dev", "test")]) - 3) / 2
    points = points[~np.isnan(points).any(1)]

    def without_dominance(rows: np.ndarray) -> float:
        v, a, d = points[rows].T
        known = np.stack([v, a, np.ones_like(v)], 1)
        rest = d - known @ np.linalg.lstsq(known, d, rcond=None)[0]
        return float(rest.var() / d.var() / 3)

    what = "share of the standardised variance of VAD that valence and arousal do not explain, readers of EmoBank"
    losses.add("vad--va", what, len(points), {"loss": _interval(without_dominance, len(points), losses.seed)})
    flat = Track(space("va"), np.arange(len(points)), np.arange(len(points)) + 1, points[:, :2], unit="turn")
    corner = (
        np.nan_to_num(bridges.translate(flat, "quadrants-4").values).argmax(1)
        + np.isnan(bridges.translate(flat, "quadrants-4").values).all(1) * 4
    )

    def within(rows: np.ndarray) -> float:
        p, c = points[rows, :2], corner[rows]
        rest = np.zeros(2)
        for k in np.unique(c):
            rest += p[c == k].var(0) * (c == k).mean()
        return float((rest / p.var(0)).mean())

    what = "share of the variance of valence and arousal that the quadrant does not explain, readers of EmoBank"
    losses.add("va--quadrants-4", what, len(points), {"loss": _interval(within, len(points), losses.seed)})


def main() -> None:
    """Measure all bridges for which there is a corpus, and write the losses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    losses = Losses(parser.parse_args().seed)
    for corpus in (
        posts(), talk(), talk_six(), languages("a", "brighter-6"), languages("b", "intensity-6"), subtitles(),
        situations(), investors(), same_words("parrott"), same_words("plutchik-wheel"),
    ):  # fmt: skip
        measure_labels(losses, corpus)
        if corpus.space in ("goemotions-28", "ekman-7", "ekman-6", "empathetic-32", "plutchik-8", "stocktwits-7"):
            measure_points(losses, corpus)
    measure_size(losses)
    losses.write()


if __name__ == "__main__":
    main()
