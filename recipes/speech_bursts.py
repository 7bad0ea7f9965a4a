"""Train and publish `speech.bursts`: which of 30 feelings a laugh, a sigh, a groan or a shriek is meant to express.

    pip install --no-deps resemblyzer==0.1.4
    python -m recipes.speech_bursts --work build/bursts [--seed 20]

A frozen network (`recipes/speech_frozen.py`) for each fold of EmoGator leaves its contributors out; one learns from
all, and ships. About ten minutes on one core, most of them for what the voice encoder remembers of all clips.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from affetto.bench import runs
from affetto.core.catalog import load
from recipes import cards
from recipes.speech_affect import WHOLE, divided
from recipes.speech_frozen import FrozenNetwork, remembered, taught_frozen
from recipes.speech_lessons import Lesson, lessons
from recipes.speech_publishing import Course, answerer, fitted, heard, likeness, score, write

log = logging.getLogger("speech")
LABELS = load("emogator-30").names
COURSE = Course("speech.bursts", tuple(LABELS), {"emogator": LABELS})
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/speech.bursts.onnx.gz"
BENCHMARK = "emogator-contributor"
PARTS = (*(f"fold-{k}" for k in range(5)), WHOLE)


def taught(clips: Sequence[Lesson], work: Path, seed: int) -> dict[str, FrozenNetwork]:
    """Return the network of each part."""
    known = remembered(clips, work, seed)
    nets = {}
    for part in PARTS:
        learned = {id(lesson) for lesson in divided(part, clips)[0]}
        rows = np.array([i for i, lesson in enumerate(clips) if id(lesson) in learned])
        nets[part] = taught_frozen(known, clips, rows, COURSE, {}, seed)
        log.info("%s has learned from %d clips", part, len(rows))
    return nets


def main() -> None:
    """Train, calibrate, write, score, and bring the card up to date."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    given = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    clips = lessons(["emogator"], given.work)
    nets = taught(clips, given.work, given.seed)
    like = {part: likeness(net, divided(part, clips)[0], LABELS) for part, net in nets.items()}
    told = {
        part: heard(net, divided(part, clips)[1], like[part], COURSE, given.work / f"{part}.npz")
        for part, net in nets.items()
        if part != WHOLE
    }
    for part, net in nets.items():
        plain = like[part] | fitted([one for other, one in told.items() if other != part], [])
        path = WEIGHTS if part == WHOLE else given.work / f"{part}.onnx"
        write(net, path, plain | {"meant": COURSE.meant(LABELS)})
    benchmark = runs.benchmark(BENCHMARK)
    answer = answerer(benchmark, COURSE, lambda record: f"fold-{record.meta['fold']}", given.work)
    score(benchmark, COURSE.model, answer, given.work, given.seed)
    cards.update(COURSE.model, WEIGHTS, [benchmark.id], room="speech")


if __name__ == "__main__":
    main()
