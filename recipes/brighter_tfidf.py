"""Measure the model to beat on BRIGHTER track A: a character TF-IDF logistic regression a language and label.

    python -m recipes.brighter_tfidf [--seed 20]

Characters 1 to 5 within words (`char_wb`), sublinear counts, n-grams of two texts or more, liblinear. For each
language, C in {0.5, 1, 2, 4, 8, 16, 32} and the class weight (none or balanced) are those of the best macro-F1 on dev;
once with the threshold 0.5, once with a threshold a label that gives the best F1 on dev. The stronger of the two by
mean macro-F1 over the languages on test is the model to beat.
"""

import argparse
import logging
from itertools import product

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from affetto.metrics.classification import macro_f1
from benchmarks.results import interval, save
from recipes import corpora

log = logging.getLogger("brighter-tfidf")
STRENGTHS = (0.5, 1, 2, 4, 8, 16, 32)


def best_threshold(truth: np.ndarray, p: np.ndarray) -> float:
    """Return the threshold of the best F1, halfway between two of the probabilities."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(truth[order])
    score = 2 * hits / (np.arange(1, len(p) + 1) + truth.sum())
    falling = np.append(p[order][:-1] > p[order][1:], True)
    i = int(np.where(falling, score, -1).argmax())
    return float(p[order][i : i + 2].mean())


def language(code: str) -> dict[str, tuple[float, str, np.ndarray, np.ndarray]]:
    """Return for both kinds of threshold: dev score, setting, test truth and decisions."""
    train, dev, test = (
        corpora.brighter_train(code),
        corpora.brighter("a", code, "dev"),
        corpora.brighter("a", code, "test"),
    )
    read = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True, min_df=2)
    x = [read.fit_transform(train.texts), read.transform(dev.texts), read.transform(test.texts)]
    asked = np.flatnonzero(~np.isnan(train.truth[0]))
    truth = dev.truth[:, asked]
    best: dict[str, tuple[float, str, np.ndarray, np.ndarray]] = {}
    for weight, strength in product(("balanced", None), STRENGTHS):
        on_dev, on_test = np.zeros((len(dev), len(asked))), np.zeros((len(test), len(asked)))
        for j, k in enumerate(asked):
            line = LogisticRegression(solver="liblinear", C=strength, class_weight=weight)
            line.fit(x[0], train.truth[:, k])
            on_dev[:, j], on_test[:, j] = (line.predict_proba(part)[:, 1] for part in x[1:])
        tuned = [best_threshold(truth[:, j], on_dev[:, j]) for j in range(len(asked))]
        for name, limits in (("at 0.5", 0.5), ("tuned on dev", np.array(tuned))):
            score = macro_f1(truth, on_dev > limits)
            if name not in best or score > best[name][0]:
                best[name] = (score, f"C={strength} {weight or 'plain'}", test.truth[:, asked], on_test > limits)
    return best


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=20)
    seed = parser.parse_args().seed
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    found = {}
    for code in corpora.BRIGHTER_LANGUAGES:
        found[code] = language(code)
        scores = {name: round(macro_f1(truth, said), 4) for name, (_, _, truth, said) in found[code].items()}
        log.info("%s %s %s", code, scores, {name: setting for name, (_, setting, _, _) in found[code].items()})
    metrics, settings = {}, []
    for name in ("at 0.5", "tuned on dev"):
        for code, best in found.items():
            _, setting, truth, said = best[name]
            metrics[f"macro-F1 {code}, {name}"] = interval(
                lambda rows, truth=truth, said=said: macro_f1(truth[rows], said[rows]), len(truth), seed
            )
            settings.append(f"{code} {name}: {setting}")
        parts = [metrics[f"macro-F1 {code}, {name}"] for code in found]
        half = 1.96 * np.sqrt(sum(((m["high"] - m["low"]) / 3.92) ** 2 for m in parts)) / len(parts)
        mean = float(np.mean([m["value"] for m in parts]))
        metrics[f"mean macro-F1, {name}"] = {"value": mean, "low": mean - half, "high": mean + half}
        log.info("mean macro-F1, %s: %.4f", name, mean)
    count = sum(len(best["at 0.5"][2]) for best in found.values())
    notes = "test split; " + " ".join(str(__doc__).split("[--seed 20]")[1].split()) + " Chosen: " + "; ".join(settings)
    save("brighter-a", "tfidf-char-lr", count, metrics, seed, {}, notes)


if __name__ == "__main__":
    main()
