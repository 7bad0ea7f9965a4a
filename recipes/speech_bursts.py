"""Train and publish `speech.bursts`: which of 30 feelings a laugh, a sigh, a groan or a shriek is meant to express.

    pip install --no-deps pipecat-ai==1.14.0
    python -m recipes.speech_bursts --work build/bursts [--seed 20]

After `recipes.speech_affect`, on whose encoder it stands. A small network (`recipes/speech_network.py`) for each fold
of EmoGator leaves its contributors out; one learns from all, and ships. About five minutes on one core, most of them
for what the encoder remembers of all clips.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from affetto.bench import runs
from affetto.core.catalog import find, load
from recipes import cards
from recipes.speech_affect import WHOLE, judged
from recipes.speech_lessons import lessons
from recipes.speech_network import Schooling
from recipes.speech_publishing import Course, answerer, fitted, score, write

LABELS = load("emogator-30").names
COURSE = Course("speech.bursts", tuple(LABELS), {"emogator": LABELS})
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/speech.bursts.onnx.gz"
BENCHMARK = "emogator-contributor"
SCHOOLING = Schooling(epochs=30, decay=2.0, hidden=256, heads=3, mixed=0.2)
"""Thirty labels of few clips each: held back more than where there are eight."""
PARTS = (*(f"fold-{k}" for k in range(5)), WHOLE)


def main() -> None:
    """Train, calibrate, write, score, and bring the card up to date."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    given = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    how = replace(SCHOOLING, seed=given.seed)
    nets, like, told = judged(lessons(["emogator"], given.work), PARTS, COURSE, how, given.work)
    for part, net in nets.items():
        plain = like[part] | fitted([one for other, one in told.items() if other != part], [])
        path = WEIGHTS if part == WHOLE else given.work / f"{part}.onnx"
        write(net, path, plain | {"meant": COURSE.meant(LABELS)}, whole=False)
    benchmark = runs.benchmark(BENCHMARK)
    answer = answerer(benchmark, COURSE, lambda record: f"fold-{record.meta['fold']}", given.work)
    score(benchmark, COURSE.model, answer, given.work, given.seed)
    cards.update(COURSE.model, WEIGHTS, [benchmark.id], find("speech.affect").sha256, room="speech")


if __name__ == "__main__":
    main()
