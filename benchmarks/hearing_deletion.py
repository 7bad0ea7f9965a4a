"""Whether the seconds that `explain` names do carry an answer: silencing them lowers it more than silencing others.

    python -m benchmarks.hearing_deletion [--model speech.affect] [--corpus ravdess] [--n 100] [--seed 5]

Takes n clips of a corpus of speech, drawn by the seed, each as one turn; asks for the top label, lets `explain` weigh
the cells of the clip (an eighth of a second each), and silences the weightiest fifth of them (at least one); then as
many random cells, five times. A clip is won where the named cells lower the answer more than the random ones do on
average. Falls are of the probability. Needs the data folder (AFFETTO_DATA).
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.core.record import Record, Turn
from affetto.core.roles import Model
from affetto.core.signal import Audio
from affetto.core.span import Span
from affetto.explain import hearing
from benchmarks.results import interval, save

SHARE, DRAWS = 0.2, 5
BETTER = "named seconds lower the answer more"
NAMED, RANDOM = "fall without named seconds", "fall without random seconds"


def clips(corpus: str, n: int, seed: int) -> Iterator[Record]:
    """Yield n clips drawn by the seed, or all if there are fewer, each as one turn over its whole length."""
    there = [record.blind() for record in load(corpus).read("all")]
    for i in sorted(np.random.default_rng(seed).permutation(len(there))[:n]):
        (audio,) = there[i].signals
        assert isinstance(audio, Audio)
        yield replace(there[i], turns=(Turn("speaker", Span(0, audio.duration), ""),))


def falls(model: Model, record: Record, rng: np.random.Generator) -> tuple[float, float] | None:
    """Return how far the top label falls without the named seconds, and on average without random ones.

    None where nothing is said of the clip.
    """
    track = next(track for track in model([record])[0] if track.space.kind == "one")
    found = hearing.seconds(model, record, track)
    if not found:
        return None
    column = int(np.nanargmax(track.values[0]))
    cells = list(zip(found[0].start.tolist(), found[0].end.tolist(), strict=True))
    count = max(1, round(SHARE * len(cells)))
    named = np.argsort(-found[0].column("importance"), kind="stable")[:count]
    choices = [named, *(rng.choice(len(cells), count, replace=False) for _ in range(DRAWS))]
    silences = [[], *([cells[i] for i in choice] for choice in choices)]
    samples, rate = sound(record)
    values = hearing.ask(model, record, track, column, samples, rate, silences)
    drops = values[0] - values[1:]
    return float(drops[0]), float(drops[1:].mean())


def sound(record: Record) -> tuple[npt.NDArray[np.float32], float]:
    """Return the samples of a clip of one channel, and the rate."""
    (audio,) = record.signals
    assert isinstance(audio, Audio)
    return np.concatenate([block[:, 0] for block in audio.blocks()]), audio.rate


def deletion(model: Model, corpus: str, n: int, seed: int) -> npt.NDArray[np.float64]:
    """Return the two falls of each of n clips, n x 2; fewer where of some nothing is said."""
    rng = np.random.default_rng(seed)
    found = (falls(model, record, rng) for record in clips(corpus, n, seed))
    return np.array([pair for pair in found if pair is not None])


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="speech.affect")
    parser.add_argument("--corpus", default="ravdess")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    drops = deletion(load(options.model), options.corpus, options.n, options.seed)
    scores = {
        BETTER: lambda rows: float((drops[rows, 0] > drops[rows, 1]).mean()),
        NAMED: lambda rows: float(drops[rows, 0].mean()),
        RANDOM: lambda rows: float(drops[rows, 1].mean()),
    }
    metrics = {name: interval(score, len(drops), options.seed) for name, score in scores.items()}
    notes = f"{options.corpus}, top label, a fifth of the time silenced, {DRAWS} random draws a clip"
    path = save("hearing-deletion", options.model, len(drops), metrics, options.seed, {}, notes)
    print(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
