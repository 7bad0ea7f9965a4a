"""Train and publish `speech.affect`: what a voice expresses, in eight labels.

    pip install --no-deps resemblyzer==0.1.4
    python -m recipes.speech_affect --work build/speech [--seed 20] [--only fold-1 ...] [--corpora crema-d]

Two networks together make the answer (`recipes/speech_network.py`, `recipes/speech_frozen.py`). Six pairs each leave
the speakers of one fold out, of all corpora at once; what they say of those is what the scores and the calibration are
made of. Five pairs leave a corpus out (and fold 6 of the others, to tell known from unknown). One learns from all, and
ships. `--only` trains some of these and stops, so that several processes can share the work; what has been trained is
kept. About 9 minutes a part on one core.

`--corpora crema-d` makes, in `--work`, a network whose data are under the ODbL: put the corpus, as its makers lay it
out, below AFFETTO_DATA at `speech/crema-d-official` first. Its space is the same; calm and surprise it never learns.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from affetto.bench import runs
from affetto.core.catalog import load
from affetto.core.record import Record
from recipes import cards
from recipes.speech_cues import line_of
from recipes.speech_frozen import Duet, FrozenNetwork, remembered, taught_frozen
from recipes.speech_lessons import ASKED, FOLDS, LABELS, Lesson, lessons, there
from recipes.speech_network import Schooling, VoiceNetwork, taught
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
OWN_SCALE = ("ravdess-emobox6", "emodb-loso-4", "emovo-loso")
"""Where the answers are also scored on each speaker's own scale."""
PARTS = {"emodb": "emo-db", "ravdess": "ravdess", "tess": "tess", "emovo": "emovo", "turev-db": "turev-db"}
"""Part of acted-speech-4 -> the corpus."""
EPOCHS_WITHOUT = 8
"""Of the networks without a corpus, which only measure."""
CUE_CLIPS = 30
"""Clips of each speaker whose prosody is measured, to say what goes along with an answer."""
WHOLE = "whole"
UNKNOWN_FOLD = 6
"""The fold that the networks without a corpus leave out besides, so that known and unknown voices can be compared."""


def parts(corpora: Sequence[str]) -> list[str]:
    """Return the names of the networks to train."""
    without = [f"without-{corpus}" for corpus in corpora] if len(corpora) > 1 else []
    return [*(f"fold-{k}" for k in range(1, FOLDS + 1)), *without, WHOLE]


def divided(part: str, clips: Sequence[Lesson]) -> tuple[list[Lesson], list[Lesson]]:
    """Return what a network learns from and what it is then asked about: no speaker is in both."""
    kind, _, name = part.partition("-")

    def asked(lesson: Lesson) -> bool:
        if kind == "fold":
            return lesson.fold == int(name)
        return kind == "without" and (lesson.corpus == name or lesson.fold == UNKNOWN_FOLD)

    return [lesson for lesson in clips if not asked(lesson)], [lesson for lesson in clips if asked(lesson)]


def train(part: str, clips: Sequence[Lesson], work: Path, course: Course, how: Schooling) -> None:
    """Train both networks of a part and keep them, unless that was done before."""
    if not (work / f"{part}.pt").exists():
        learned, asked = divided(part, clips)
        log.info("%s learns from %d clips, leaves out %d", part, len(learned), len(asked))
        torch.save(taught(learned, course.labels, course.asked, how).state_dict(), work / f"{part}.pt")
    if not (work / f"{part}.frozen.pt").exists():
        known = remembered(clips, work, how.seed)
        learned = {id(lesson) for lesson in divided(part, clips)[0]}
        rows = np.array([i for i, lesson in enumerate(clips) if id(lesson) in learned])
        frozen = taught_frozen(known, clips, rows, course, how.share, how.seed)
        torch.save(frozen.state_dict(), work / f"{part}.frozen.pt")


def trained(part: str, work: Path, course: Course) -> Duet:
    """Return the two networks of a part that were kept."""
    nets = VoiceNetwork(len(course.labels), pretrained=False), FrozenNetwork(len(course.labels), pretrained=False)
    for net, name in zip(nets, (f"{part}.pt", f"{part}.frozen.pt"), strict=True):
        net.load_state_dict(torch.load(work / name, weights_only=True))
    return Duet(*nets).eval()


def publish(corpora: Sequence[str], clips: Sequence[Lesson], work: Path, seed: int, out: Path) -> None:
    """Calibrate and write all networks and score those of the folds; bring the card up to date if they are its own."""
    nets = {part: trained(part, work, COURSE) for part in parts(corpora)}
    like = {part: likeness(net, divided(part, clips)[0], LABELS) for part, net in nets.items()}
    told = {
        part: heard(net, divided(part, clips)[1], like[part], COURSE, work / f"{part}.npz")
        for part, net in nets.items()
        if part != WHOLE
    }
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
        score(benchmark, COURSE.model, answer, work, seed, own_scale=id in OWN_SCALE)


def main() -> None:
    """Train what is asked for; publish when all is there."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--only", nargs="*", default=[])
    ask.add_argument("--corpora", nargs="*", default=[])
    ask.add_argument("--epochs", type=int, default=0, help="of the fitted networks; 0: as many as each part wants")
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(torch.get_num_threads() if not said.only else 1)
    corpora = said.corpora or there()
    clips = lessons(corpora, said.work)
    for part in said.only or parts(corpora):
        epochs = said.epochs or (EPOCHS_WITHOUT if part.startswith("without-") else Schooling.epochs)
        train(part, clips, said.work, COURSE, Schooling(share=SHARE, seed=said.seed, epochs=epochs))
    if not said.only:
        out = said.work / WEIGHTS.name if said.corpora else WEIGHTS
        publish(corpora, clips, said.work, said.seed, out)


if __name__ == "__main__":
    main()
