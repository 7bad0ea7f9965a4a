"""Whether the words that `explain` names do carry the answer: without them it falls further than without others.

    python -m benchmarks.deletion --model text.affect-en [--n 200] [--seed 5]

Takes n texts of GoEmotions' test split with at least six words, asks for the top label, lets `explain` rank the words,
and takes the first fifth of them away (at least one); then as many random words, five times. A text is won where the
named words lower the answer more than the random ones do on average. Needs the data folder (AFFETTO_DATA).
"""

import argparse
import gzip
import os
from pathlib import Path

import numpy as np

import affetto
from benchmarks.results import HOME, interval, save

DATA = Path(os.environ.get("AFFETTO_DATA", HOME.parent / "shared" / "data"))
SHARE, DRAWS = 0.2, 5


def texts(n: int, seed: int) -> list[str]:
    """Return n test texts of at least six words, drawn by the seed."""
    with gzip.open(DATA / "text/goemotions/test.tsv.gz", "rt", encoding="utf-8") as file:
        long = [text for text in (line.split("\t")[0] for line in file) if len(text.split()) >= 6]
    return [long[i] for i in np.random.default_rng(seed).choice(len(long), n, replace=False)]


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text without these stretches of characters."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return " ".join(text.split()) or "."


def falls(model: str, text: str, space: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return how far the top label falls without the named words, and on average without random ones."""
    record = affetto.perceive(text, model)
    track, (reasons, *_) = affetto.explain(record, model, space=space)[0]
    column = int(np.nanargmax(track.values[0]))
    spans = [(int(a), int(b)) for a, b in zip(reasons.start, reasons.end, strict=True)]
    count = max(1, round(SHARE * len(spans)))
    named = np.argsort(-reasons.column("importance"), kind="stable")[:count]
    choices = [named, *(rng.choice(len(spans), count, replace=False) for _ in range(DRAWS))]
    shorter = [without(text, [spans[i] for i in choice]) for choice in choices]
    answers = affetto.perceive([text, *shorter], model)
    values = [next(t for t in r.tracks if t.space.id == space).values[0, column] for r in answers]
    drops = values[0] - np.array(values[1:])
    return float(drops[0]), float(drops[1:].mean())


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text.affect-en")
    parser.add_argument("--space", default="goemotions-28")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    drops = np.array([falls(options.model, t, options.space, rng) for t in texts(options.n, options.seed)])
    metrics = {
        "named words lower the answer more": interval(
            lambda rows: float((drops[rows, 0] > drops[rows, 1]).mean()), len(drops), options.seed
        ),
        "fall without named words": interval(lambda rows: float(drops[rows, 0].mean()), len(drops), options.seed),
        "fall without random words": interval(lambda rows: float(drops[rows, 1].mean()), len(drops), options.seed),
    }
    notes = f"{options.space}, top label, a fifth of the words, {DRAWS} random draws a text; test split"
    path = save("deletion", options.model, len(drops), metrics, options.seed, {}, notes)
    print(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
