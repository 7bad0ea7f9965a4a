"""Train and publish `speech.affect`: what a voice expresses, in eight labels.

    pip install --no-deps pipecat-ai==1.14.0
    python -m recipes.speech_affect --work build/speech [--seed 20] [--corpora crema-d]

A small network on a speech encoder makes the answer (`recipes/speech_network.py`). Six each leave the speakers of one
fold out, of all corpora at once; what they say of those is what the scores and the calibration are made of. Five leave
a corpus out (and fold 6 of the others, to tell known from unknown). One learns from all, and ships. About 10 minutes on
one core until it is written, most of them for what the encoder remembers of all clips; then as long for the scores.

`--corpora crema-d` makes, in `--work`, a network whose data are under the ODbL: put the corpus, as its makers lay it
out, below AFFETTO_DATA at `speech/crema-d-official` first. Its space is the same; calm and surprise it never learns.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.bench import runs
from affetto.core.catalog import load
from affetto.core.record import Record
from recipes import cards
from recipes.speech_cues import line_of
from recipes.speech_lessons import ASKED, FOLDS, LABELS, Lesson, lessons, there
from recipes.speech_network import Schooling, SpeechNetwork, remembered, taught
from recipes.speech_publishing import Course, Heard, answerer, fitted, heard, likeness, score, write

log = logging.getLogger("speech")
SHARE = {"tess": 0.15, "turev-db": 0.4}
"""TESS says one sentence in two voices 2,800 times, TurEV-DB single words: a part of them is enough in each epoch."""
COURSE = Course("speech.affect", LABELS, ASKED)
WEIGHTS = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/speech.affect.onnx.xz"
CONDITIONS = (
    "white-20",
    "white-10",
    "white-5",
    "white-0",
    "telephone",
    "middle-0.5",
    "middle-1",
    "middle-2",
    "middle-4",
)
BENCHMARKS = (
    "ravdess-emobox6", "emodb-loso-4", "emodb-loso-7", "emovo-loso", "turev-speaker", "speech-cross-corpus",
    *(f"emodb-loso-4@{condition}" for condition in CONDITIONS),
)  # fmt: skip
BY_CORPUS = ("ravdess-emobox6", "emodb-loso-4", "emovo-loso", "turev-speaker")
"""Where the answers are also scored on each speaker's own scale, and calibrated on the corpus's other speakers."""
PARTS = {"emodb": "emo-db", "ravdess": "ravdess", "tess": "tess", "emovo": "emovo", "turev-db": "turev-db"}
"""Part of acted-speech-4 -> the corpus."""
CUE_CLIPS = 30
"""Clips of each speaker whose prosody is measured, to say what goes along with an answer."""
WHOLE = "whole"
UNKNOWN_FOLD = 6
"""The fold that the networks without a corpus leave out besides, so that known and unknown voices can be compared."""


def parts(corpora: Sequence[str]) -> list[str]:
    """Return the names of the networks to train."""
    without = [f"without-{corpus}" for corpus in corpora] if len(corpora) > 1 else []
    return [*(f"fold-{k}" for k in range(1, FOLDS + 1)), *without, WHOLE]


def divided(part: str, clips: Sequence[Lesson]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows that a network learns from, and those that it is then asked about: no speaker is in both."""
    kind, _, name = part.partition("-")

    def asked(lesson: Lesson) -> bool:
        if kind == "fold":
            return lesson.fold == int(name)
        return kind == "without" and (lesson.corpus == name or lesson.fold == UNKNOWN_FOLD)

    left = np.array([asked(lesson) for lesson in clips])
    return np.flatnonzero(~left), np.flatnonzero(left)


def judged(
    clips: Sequence[Lesson], names: Sequence[str], course: Course, how: Schooling, work: Path
) -> tuple[dict[str, SpeechNetwork], dict[str, dict[str, object]], dict[str, Heard]]:
    """Return the network of each part, what its lessons are like, and what it said of those that it left out."""
    known = remembered(clips, work, how.seed)
    nets, like, told = {}, {}, {}
    for part in names:
        learned, asked = divided(part, clips)
        nets[part] = net = taught(known, clips, learned, course.labels, course.asked, how)
        like[part] = likeness(net, [clips[i] for i in learned], known[0][learned], course.labels)
        if len(asked):
            left = [clips[i] for i in asked]
            told[part] = heard(net, left, known[0][asked], like[part], course, work / f"{part}.npz")
        log.info("%s learned from %d clips, left %d out", part, len(learned), len(asked))
    return nets, like, told


def publish(corpora: Sequence[str], clips: Sequence[Lesson], work: Path, seed: int, out: Path) -> None:
    """Train, calibrate and write all networks, score those of the folds; bring the card up to date if it is theirs."""
    nets, like, told = judged(clips, parts(corpora), COURSE, Schooling(share=SHARE, seed=seed), work)
    for part, net in nets.items():
        known = [one for other, one in told.items() if other.startswith("fold-") and other != part]
        foreign = [only(one, other) for other, one in told.items() if other.startswith("without-") and other != part]
        if part.startswith("without-"):
            known = [only(one, part, there=False) for one in known]
        plain = like[part] | fitted(known, foreign)
        if part == WHOLE:
            more = {"meant": COURSE.meant(load("ravdess-8").names), "cues": line_of(work, CUE_CLIPS, seed)}
            write(net, out, plain | more)
        write(net, work / f"{part}.onnx", plain | {"meant": COURSE.meant(LABELS)})
    if out != WEIGHTS:
        return
    score_all(clips, work, seed)
    cards.update(COURSE.model, WEIGHTS, [runs.benchmark(id).id for id in BENCHMARKS if "@" not in id], room="speech")


def only(one: Heard, part: str, there: bool = True) -> Heard:
    """Return what was said of the corpus that a part leaves out, or of all the others."""
    kept = (one.corpora == part.removeprefix("without-")) == there
    return Heard(one.logits[kept], one.strangeness[kept], one.right[kept], one.corpora[kept])


def folds_of(work: Path, corpora: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Return corpus -> speaker -> fold."""
    found: dict[str, dict[str, int]] = {}
    for lesson in lessons(corpora or there(), work):
        found.setdefault(lesson.corpus, {})[lesson.speaker] = lesson.fold
    return found


def score_all(clips: Sequence[Lesson], work: Path, seed: int) -> None:
    """Score the folds' networks on all benchmarks."""
    folds = {(lesson.corpus, lesson.speaker): f"fold-{lesson.fold}" for lesson in clips}
    for id in BENCHMARKS:
        benchmark = runs.benchmark(id)
        if benchmark.corpus == "acted-speech-4":

            def part_of(record: Record) -> str:
                return f"without-{PARTS[record.meta['part']]}"

            answer = answerer(benchmark, COURSE, part_of, work, {"neutral": ("neutral", "calm")})
        else:

            def part_of(record: Record, corpus: str = benchmark.corpus) -> str:
                return folds[corpus, str(record.meta["speaker"])]

            answer = answerer(benchmark, COURSE, part_of, work)
        score(benchmark, COURSE.model, answer, work, seed, by_corpus=id in BY_CORPUS)


def main() -> None:
    """Train and publish."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--corpora", nargs="*", default=[])
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    corpora = said.corpora or there()
    out = said.work / WEIGHTS.name if said.corpora else WEIGHTS
    publish(corpora, lessons(corpora, said.work), said.work, said.seed, out)


if __name__ == "__main__":
    main()
