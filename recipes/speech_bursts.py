"""Train and publish `speech.bursts`: which of 30 feelings a laugh, a sigh, a groan or a shriek is meant to express.

    pip install --no-deps resemblyzer==0.1.4
    python -m recipes.speech_bursts --work build/bursts [--seed 20] [--only fold-1 ...]

Five networks each leave the contributors of one fold of EmoGator out; one learns from all, and ships. About 5 minutes a
network on one core. `--only` trains some of them and stops.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from affetto.bench import runs
from affetto.core.catalog import load
from recipes import cards
from recipes.speech_affect import WHOLE, divided, train, trained
from recipes.speech_augment import AugmentOptions
from recipes.speech_lessons import Lesson, lessons
from recipes.speech_network import Schooling
from recipes.speech_publishing import Course, answerer, fitted, heard, likeness, score, write

LABELS = load("emogator-30").names
COURSE = Course("speech.bursts", tuple(LABELS), {"emogator": LABELS})
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/speech.bursts.onnx"
BENCHMARK = "emogator-contributor"
PARTS = (*(f"fold-{k}" for k in range(5)), WHOLE)
SCHOOLING = Schooling(epochs=8, longest=160, mixed=0.4, augment=AugmentOptions(part=0.15, telephone=0.02))


def publish(clips: Sequence[Lesson], work: Path, seed: int) -> None:
    """Calibrate and write all networks, score those of the folds, and bring the card up to date."""
    nets = {part: trained(part, work, COURSE) for part in PARTS}
    like = {part: likeness(net, divided(part, clips)[0], LABELS) for part, net in nets.items()}
    told = {
        part: heard(net, divided(part, clips)[1], like[part], COURSE, work / f"{part}.npz")
        for part, net in nets.items()
        if part != WHOLE
    }
    for part in PARTS:
        plain = like[part] | fitted([one for other, one in told.items() if other != part], [])
        path = WEIGHTS if part == WHOLE else work / f"{part}.onnx"
        write(nets[part], path, plain | {"meant": COURSE.meant(LABELS)})
    benchmark = runs.benchmark(BENCHMARK)
    answer = answerer(benchmark, COURSE, lambda record: f"fold-{record.meta['fold']}", work)
    score(benchmark, COURSE.model, answer, work, seed)
    cards.update(COURSE.model, WEIGHTS, [benchmark.id], room="speech")


def main() -> None:
    """Train what is asked for; publish when all is there."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--only", nargs="*", default=[])
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(torch.get_num_threads() if not said.only else 1)
    clips = lessons(["emogator"], said.work)
    for part in said.only or PARTS:
        train(part, clips, said.work, COURSE, SCHOOLING)
    if not said.only:
        publish(clips, said.work, said.seed)


if __name__ == "__main__":
    main()
