"""How well `speech.affect` knows what it does not know: music, noise, bursts, and languages it never heard.

    python -m recipes.speech_strange --work build/speech [--seed 20]

After `recipes.speech_affect`, whose networks it asks. Each pair of networks without a corpus tells clips of that corpus
from clips of speakers that it has not heard either, of corpora it knows. The pair of fold 1 tells made music and made
noise, and vocal bursts, from the speakers of its fold; how much of them voice activity keeps back is counted besides.
The number is the AUROC of the strangeness (`Calibration.strangeness`), .5 where it knows nothing, and of 1 -
confidence. Written to `benchmarks/results/speech-strangeness`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.metrics.classification import auroc
from affetto.models.speech.affect import Calibration, Network
from affetto.models.speech.mel import RATE
from affetto.models.speech.voice import speech
from benchmarks.results import interval, save
from recipes.mixing import KINDS, made
from recipes.speech_affect import COURSE, UNKNOWN_FOLD, folds_of
from recipes.speech_lessons import there

COUNT = 150
"""Clips of each kind."""
MUSIC = ("music", "plucked", "organ")
LANGUAGES = {"emo-db": "German", "emovo": "Italian", "turev-db": "Turkish", "ravdess": "other English", "tess": "TESS"}
Floats = npt.NDArray[np.float32]


def judged(part: str, clips: Sequence[Floats], work: Path) -> tuple[Floats, Floats]:
    """Return strangeness and 1 - confidence of clips, as a pair of networks judges them."""
    network = Network(work / f"{part}.onnx")
    calibration = Calibration.from_plain(network.facts)
    logits, known = network(clips)
    return calibration.strangeness(known), 1 - calibration.confidence(calibration.probabilities(logits), known)


def recordings(
    corpus: str, count: int, rng: np.random.Generator, fold: int = 0, folds: dict[str, int] | None = None
) -> list[Floats]:
    """Return some clips of a corpus, from first to last voice; of the speakers of one fold, where one is named."""
    found = [r for r in load(corpus).read("all") if not fold or (folds or {}).get(str(r.meta["speaker"])) == fold]
    picked = [found[i] for i in rng.permutation(len(found))[:count]]
    return [voiced(np.concatenate([block[:, 0] for block in r.signals[0].blocks()])) for r in picked]


def voiced(samples: Floats) -> Floats:
    """Return a clip from its first voice to its last, or whole where there is none."""
    heard = list(speech([samples]))
    return samples[int(heard[0].start * RATE) : int(heard[-1].end * RATE)] if heard else samples


def compared(known: tuple[Floats, Floats], strange: tuple[Floats, Floats], seed: int) -> list[dict[str, float]]:
    """Return the AUROC of strangeness and of 1 - confidence, each with its interval over clips."""
    truth = np.concatenate([np.zeros(len(known[0])), np.ones(len(strange[0]))])
    both = [np.concatenate([a, b]) for a, b in zip(known, strange, strict=True)]
    return [interval(lambda rows, score=score: auroc(truth[rows], score[rows]), len(truth), seed) for score in both]


def main() -> None:
    """Judge and write."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--seed", type=int, default=20)
    given = ask.parse_args()
    rng = np.random.default_rng(given.seed)
    metrics: dict[str, dict[str, float]] = {}

    def note(name: str, two: list[dict[str, float]]) -> None:
        for what, one in zip(("strangeness", "1 - confidence"), two, strict=True):
            metrics[f"{name}, {what}"] = one
        print(name, {what: round(one["value"], 3) for what, one in zip("sc", two, strict=True)}, flush=True)

    folds = folds_of(given.work)
    corpora = there()
    for corpus in corpora:
        own = [clip for other in corpora if other not in (corpus, "tess")
               for clip in recordings(other, COUNT // 3, rng, UNKNOWN_FOLD, folds[other])]  # fmt: skip
        part = f"without-{corpus}"
        strange = judged(part, recordings(corpus, COUNT, rng), given.work)
        note(f"{LANGUAGES[corpus]}, unheard", compared(judged(part, own, given.work), strange, given.seed))
    own = judged(
        "fold-1", [c for o in corpora if o != "tess" for c in recordings(o, COUNT // 4, rng, 1, folds[o])], given.work
    )
    for name, kinds in (("music", MUSIC), ("noise", [kind for kind in KINDS if kind not in MUSIC])):
        sounds = [
            made(kinds[i % len(kinds)], int(RATE * rng.uniform(1, 4)), rng) * 10 ** rng.uniform(-1.5, -0.3)
            for i in range(COUNT)
        ]
        kept = np.array([not list(speech([sound])) for sound in sounds])
        metrics[f"{name}, kept back by voice activity"] = interval(
            lambda rows, kept=kept: float(kept[rows].mean()), COUNT, given.seed
        )
        note(name, compared(own, judged("fold-1", sounds, given.work), given.seed))
    note("vocal bursts", compared(own, judged("fold-1", recordings("emogator", COUNT, rng), given.work), given.seed))
    words = "AUROC of known voices against strange ones; recipes/speech_strange.py"
    save("speech-strangeness", COURSE.model, COUNT, metrics, given.seed, {}, words)


if __name__ == "__main__":
    main()
