"""How much two stages gain: `generate.hybrid` with a scripted language model on the test of EmpatheticDialogues.

    python -m benchmarks.hybrid [--seed 20] [--dry]

The small model is `dialogue.situation`. The scripted one knows of a dialogue only its true label, and errs as a known
matrix says: asked for one of all 32 it is right in .4 of the cases. Its confusions are even (`fake.language`), or go to
labels that lie near in valence, arousal and dominance (`fake.language-near`), where the small model errs too. Shown the
first k without the truth among them, it rejects them in half of the cases; with the truth, in a tenth. k is chosen on
valid. `troubled` is the same with faults in three calls of ten. What this measures is the pipeline, not any real model.

Cause words: what `dialogue.situation` says carried its answer, against the annotated spans of RECCON's test (turns that
cause something; token F1 as SQuAD counts), beside the whole turn and half of its words at random; and against clauses
planted between sentences that tell of nothing. About four minutes on one core.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.core.track import Track
from affetto.generate.hybrid import HybridOptions, felt, ranked
from affetto.metrics.cause import squad_f1
from affetto.models.reason.scripted import Confused, Faults, ScriptedModel
from benchmarks.results import interval, save
from recipes import corpora

BENCHMARK, CAUSES = "empatheticdialogues-hybrid", "situation-cause-words"
RIGHT, KS = 0.4, (3, 5, 8)
"""How often the scripted model is right at once; what k may be."""
NO_FAULTS = Faults()
FAULTS = Faults(refusal=0.05, silence=0.05, nothing=0.05, nonsense=0.05, prose=0.1)
FILLERS = (
    "It was around noon.",
    "I was on the bus.",
    "The bus stops near my street.",
    "It takes twenty minutes.",
    "There is a shop on the corner.",
    "I had the blue bag with me.",
)
PLANTED = (
    "my dog died",
    "I failed my driving test",
    "my sister got married",
    "somebody stole my bike",
    "I won a hundred dollars",
    "my boss yelled at me",
    "I found a huge spider",
    "my best friend moved away",
    "I got a promotion",
    "my boyfriend cheated on me",
    "I forgot her birthday",
    "a stranger paid for my lunch",
    "I heard strange noises downstairs",
    "my son graduated",
    "I stepped in vomit",
    "they cancelled my holiday",
)
Scores = dict[str, Callable[[np.ndarray], float]]


@dataclass(frozen=True)
class Dialogues:
    """A split: what is true, and what the small model says."""

    records: list[Record]
    tracks: list[Track]
    truth: list[str]


def read(split: str) -> Dialogues:
    """Read a split and ask the small model."""
    records = list(load("empathetic-intents").read(split, folder=corpora.DATA / "text/empatheticdialogues"))
    truth = [next(t for t in r.tracks if t.source == "speaker") for r in records]
    names = [track.space.names[int(track.values[0].argmax())] for track in truth]
    tracks = [found[0] for found in load("dialogue.situation")([record.blind() for record in records])]
    return Dialogues([record.blind() for record in records], tracks, names)


def matrices() -> dict[str, np.ndarray]:
    """Return what is confused with what: evenly, or with what lies near."""
    space = load("empathetic-32")
    places = np.array([axis.vad for axis in space.axes])
    near = np.exp(-np.linalg.norm(places[:, None] - places, axis=-1) / 0.2)
    even = np.ones_like(near)
    found = {}
    for name, weights in (("fake.language", even), ("fake.language-near", near)):
        np.fill_diagonal(weights, 0)
        found[name] = (1 - RIGHT) * weights / weights.sum(1, keepdims=True) + RIGHT * np.eye(len(weights))
    return found


def asked(part: Dialogues, matrix: np.ndarray, k: int, seed: int, faults: Faults = NO_FAULTS) -> tuple[np.ndarray, ...]:
    """Return, for each dialogue, whether the emotion found is right, and the stage at which it was found."""
    names, options = load("empathetic-32").names, HybridOptions(k=k)
    right, stages = [], []
    for record, track, truth in zip(part.records, part.tracks, part.truth, strict=True):
        mind = Confused(truth, names, matrix, key=record.id, seed=seed)
        found = felt(record, track, ScriptedModel(script=mind, faults=faults, seed=seed), options)
        right.append(found.emotion == truth)
        stages.append(found.stage)
    return np.array(right), np.array(stages)


def of_stages(part: Dialogues, matrix: np.ndarray, k: int, seed: int) -> Scores:
    """Return the scores of one matrix."""
    once, _ = asked(part, matrix, len(load("empathetic-32").names), seed)
    twice, stage = asked(part, matrix, k, seed)
    troubled, fallen = asked(part, matrix, k, seed, FAULTS)
    rank = np.array([ranked(track).index(truth) for track, truth in zip(part.tracks, part.truth, strict=True)])
    return {
        "accuracy, two stages": lambda rows: twice[rows].mean(),
        "accuracy, one question with 32 labels": lambda rows: once[rows].mean(),
        "gain of two stages": lambda rows: twice[rows].mean() - once[rows].mean(),
        "accuracy, small model alone": lambda rows: (rank[rows] < 1).mean(),
        f"recall of the small model at {k}": lambda rows: (rank[rows] < k).mean(),
        "share found at stage 1": lambda rows: (stage[rows] == "candidates").mean(),
        "share found at stage 2": lambda rows: (stage[rows] == "others").mean(),
        "accuracy, troubled": lambda rows: troubled[rows].mean(),
        "share left to the small model, troubled": lambda rows: (fallen[rows] == "fallback").mean(),
    }


def of_spans(seed: int) -> tuple[Scores, list[str]]:
    """Return the token F1 of cause words on RECCON's test, and whose dialogue each row is."""
    rng, model = np.random.default_rng(seed), load("dialogue.situation")
    rows: dict[str, list[float]] = {"cause words": [], "the whole turn": [], "random words": []}
    talks = []
    for record in load("reccon").read("test", folder=corpora.DATA / "text/reccon"):
        spans = {}
        for track in record.tracks:
            if track.space.id == "cause" and track.note:
                spans |= {int(at): note for at, note in zip(track.start, track.note, strict=True)}
        for at, span in spans.items():
            text = record.turns[at].text
            talk = Record("1", (Text(text),))
            drawn = sorted(rng.permutation(len(text.split()))[: max(1, len(text.split()) // 2)])
            said = {
                "cause words": _clauses(model.because(talk)),
                "the whole turn": text,
                "random words": " ".join(text.split()[k] for k in drawn),
            }
            for name, estimate in said.items():
                rows[name].append(squad_f1([span], [estimate]))
            talks.append(record.id)
    return {f"F1 on spans, {name}": _mean(values) for name, values in rows.items()}, talks


def of_planted(seed: int) -> Scores:
    """Return the token F1 of as many cause words as were planted, and of as many random ones."""
    rng, model = np.random.default_rng(seed), load("dialogue.situation")
    found, drawn = [], []
    for clause in PLANTED:
        for _ in range(4):
            fillers = rng.permutation(FILLERS)[:3]
            text, count = f"{fillers[0]} {fillers[1]} Then {clause}. {fillers[2]}", len(clause.split())
            found.append(squad_f1([clause], [_clauses(model.because(Record("1", (Text(text),)), most=1))]))
            picks = sorted(rng.permutation(len(text.split()))[:count])
            drawn.append(squad_f1([clause], [" ".join(text.split()[k] for k in picks)]))
    return {"F1 on planted clauses, cause words": _mean(found), "F1 on planted clauses, random words": _mean(drawn)}


def _clauses(tracks: Sequence[Track]) -> str:
    return " ".join(note for track in tracks for note in track.note or ())


def _mean(values: Sequence[float]) -> Callable[[np.ndarray], float]:
    array = np.array(values)
    return lambda rows: float(array[rows].mean())


def _shown(found: Mapping[str, Mapping[str, float]]) -> None:
    for name, score in found.items():
        print(f"  {name}: {score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]")


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--only", choices=("stages", "words"), help="measure the two stages, or the cause words")
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    if options.only != "words":
        two_stages(options.seed, options.dry)
    if options.only != "stages":
        words(options.seed, options.dry)


def two_stages(seed: int, dry: bool) -> None:
    """Measure what two stages gain."""
    valid, test = read("valid"), read("test")
    for name, matrix in matrices().items():
        tried = {k: float(asked(valid, matrix, k, seed)[0].mean()) for k in KS}
        k = max(tried, key=lambda one: tried[one])
        scores, n = of_stages(test, matrix, k, seed), len(test.truth)
        found = {what: interval(score, n, seed) for what, score in scores.items()}
        print(f"{name}: k = {k} of {tried} on valid")
        _shown(found)
        notes = (
            f"official test, k = {k} by valid; the language model is a script that knows the truth and errs as planned"
        )
        if not dry:
            save(BENCHMARK, name, n, found, seed, {}, notes)


def words(seed: int, dry: bool) -> None:
    """Measure the words that tell why."""
    spans, talks = of_spans(seed)
    found = {name: interval(score, len(talks), seed, talks) for name, score in spans.items()}
    planted = of_planted(seed)
    found |= {name: interval(score, 4 * len(PLANTED), seed) for name, score in planted.items()}
    _shown(found)
    if not dry:
        notes = "RECCON test, each turn that causes something once; planted: 64 made texts"
        save(CAUSES, "dialogue.situation", len(talks), found, seed, {}, notes)


if __name__ == "__main__":
    main()
