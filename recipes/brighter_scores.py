"""Measure `text.affect-multi` on BRIGHTER track A's test parts, and its ear for languages on these and on XED."""

import json
import logging

import numpy as np

from affetto.metrics.calibration import ece_classwise as ece
from affetto.metrics.classification import macro_f1
from affetto.models.text.ngrams import Ngrams
from benchmarks.results import RESULTS, interval, save
from recipes import corpora, tongues

log = logging.getLogger(__name__)


def measure(model: Ngrams, seed: int, split: str = "test") -> dict[str, dict[str, float]]:
    """Score the shipped file on test, say how many languages beat the TF-IDF regression, and write the results."""
    metrics: dict[str, dict[str, float]] = {}
    errors, count = [], 0
    pooled: list[tuple[np.ndarray, np.ndarray]] = []
    for number, code in enumerate(model.languages):
        rows = corpora.brighter("a", code, split)
        asked = np.flatnonzero(~np.isnan(rows.truth[0]))
        p, truth = model.answer(rows.texts, code)["six"][:, asked], rows.truth[:, asked]
        said = p >= model.thresholds["six"][number, asked]
        metrics[f"macro-F1 {code}"] = interval(lambda r, t=truth, s=said: macro_f1(t[r], s[r]), len(rows), seed)
        errors.append(interval(lambda r, p=p, t=truth: ece(t[r], p[r]), len(rows), seed, resamples=100))
        pooled.append((model.answer(rows.texts, code)["six"], rows.truth))
        count += len(rows)
    f1 = [metrics[f"macro-F1 {code}"] for code in model.languages]
    metrics["mean macro-F1"] = _mean(f1)
    metrics["ECE"] = _pooled_ece(*map(np.concatenate, zip(*pooled, strict=True)), seed)
    metrics["ECE within a language, mean"] = _mean(errors)
    path = RESULTS / "brighter-a" / "tfidf-char-lr.json"
    if path.exists():
        beaten = json.loads(path.read_text("utf-8"))["metrics"]
        name = max(("at 0.5", "tuned on dev"), key=lambda name: beaten[f"mean macro-F1, {name}"]["value"])
        ahead = [
            m["value"] - beaten[f"macro-F1 {c}, {name}"]["value"] for m, c in zip(f1, model.languages, strict=True)
        ]
        metrics["languages ahead of tfidf-char-lr"] = {"value": sum(a > 0 for a in ahead)}
        metrics["mean macro-F1 ahead of tfidf-char-lr"] = {"value": float(np.mean(ahead))}
        log.info("ahead: %s", {c: round(100 * a, 1) for c, a in zip(model.languages, ahead, strict=True)})
    metrics |= hearing(model, split)
    for name, metric in metrics.items():
        log.info("%s: %.4f", name, metric["value"])
    if split == "test":
        notes = (
            "test split, language told; int8 as shipped; thresholds and calibration from unseen train texts (three "
            "folds) and dev; bootstrap over texts; ECE: 15 bins, per label over the texts of all languages, averaged; "
            "within a language some 1,000 texts in 15 bins leave about 0.03 to chance. Languages told "
            "apart: accepted = share of a supported language's texts that get any language, right = share of those "
            "that get the right one (Portuguese and Arabic varieties count as one each), rejected = share of texts "
            "of unsupported languages (XED subtitles, median length 30 letters) that get none; strangers were never "
            "heard in training. python -m recipes.text_affect_multi"
        )
        save("brighter-a", "text.affect-multi", count, metrics, seed, {}, notes)
    return metrics


def _pooled_ece(p: np.ndarray, truth: np.ndarray, seed: int) -> dict[str, float]:
    """Return the ECE over the texts of all languages, per label, averaged."""

    def score(rows: np.ndarray) -> float:
        asked = [rows[~np.isnan(truth[rows, k])] for k in range(truth.shape[1])]
        return float(np.mean([ece(truth[r, k : k + 1], p[r, k : k + 1]) for k, r in enumerate(asked)]))

    return interval(score, len(p), seed, resamples=200)


def _mean(parts: list[dict[str, float]]) -> dict[str, float]:
    half = 1.96 * np.sqrt(sum(((m["high"] - m["low"]) / 3.92) ** 2 for m in parts)) / len(parts)
    mean = float(np.mean([m["value"] for m in parts]))
    return {"value": mean, "low": mean - half, "high": mean + half}


def hearing(model: Ngrams, split: str) -> dict[str, dict[str, float]]:
    """Return how well the model tells languages apart, and refuses those it does not know."""
    metrics: dict[str, dict[str, float]] = {}
    near = {code: min(one) for one in tongues.KIN for code in one}
    accepted, right, exact = [], [], []
    for code in model.languages:
        heard = model.answer(corpora.brighter("a", code, split).texts)["language"]
        some = heard != None  # noqa: E711  (element by element)
        accepted.append(some.mean())
        right.append(np.mean([near.get(one, one) == near.get(code, code) for one in heard[some]]))
        exact.append(np.mean(heard[some] == code))
        metrics[f"language accepted {code}"] = {"value": float(accepted[-1])}
        metrics[f"language right {code}"] = {"value": float(right[-1])}
    metrics["language accepted, mean"] = {"value": float(np.mean(accepted))}
    metrics["language right, mean"] = {"value": float(np.mean(right))}
    metrics["language right to the variety, mean"] = {"value": float(np.mean(exact))}
    for name, codes in (("learnt as other", tongues.OTHERS), ("strangers", tongues.STRANGERS)):
        shares = []
        for code in codes:
            rows = corpora.xed(code).texts
            rows = (rows[tongues.ROWS :] if name == "learnt as other" else rows)[:500]
            if rows:
                shares.append(float(np.mean(model.answer(rows)["language"] == None)))  # noqa: E711
                metrics[f"unsupported rejected {code} ({name})"] = {"value": shares[-1]}
        metrics[f"unsupported rejected, mean ({name})"] = {"value": float(np.mean(shares))}
    return metrics
