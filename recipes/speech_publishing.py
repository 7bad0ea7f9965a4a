"""From trained networks to files: calibration, int8, scores. For `recipes.speech_affect` and `recipes.speech_bursts`.

Each fold's network becomes a file as the shipped one, with a calibration fitted on what the networks of the other folds
said of speakers they had not heard; it answers the benchmarks through the same code as the product, voice activity
included.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from affetto import measure
from affetto.bench import rows, runs, systems
from affetto.bench.protocol import Benchmark
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.affect import Calibration, Network, VoiceModel
from affetto.models.speech.listening import Listening
from affetto.models.speech.mel import FINE_BANDS
from affetto.models.text.calibration import softmax
from affetto.models.weights import weights
from affetto.train.export import export
from benchmarks.results import RESULTS
from recipes.speech_lessons import Lesson
from recipes.speech_network import REMEMBERED, SpeechNetwork, said

log = logging.getLogger("speech")
DIRECTIONS = 32
"""Directions in what a network knows of a clip in which its strangeness is looked for."""
ENOUGH = 1200
"""Lessons that show what lessons are like."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Course:
    """What a family of networks is taught."""

    model: str
    """The id of the card."""
    labels: tuple[str, ...]
    """In the order of the logits."""
    asked: Mapping[str, Sequence[str]]
    """Corpus -> the labels that it asked for."""

    def meant(self, names: Sequence[str], merged: Mapping[str, Sequence[str]] | None = None) -> list[list[int]]:
        """Return, for each logit, which label of a space it means: m x k of 0 and 1."""
        return [[int(label in (merged or {}).get(name, (name,))) for name in names] for label in self.labels]


@dataclass(frozen=True)
class Heard:
    """What one network said of clips that it had not learned from."""

    logits: Floats
    """n x m; those of labels that a corpus did not ask for are out of the question."""
    strangeness: Floats
    """n."""
    right: npt.NDArray[np.int64]
    """n: the number of the right label."""
    corpora: npt.NDArray[np.str_]


def likeness(
    net: SpeechNetwork, learned: Sequence[Lesson], remembered: npt.NDArray[np.float16], labels: Sequence[str]
) -> dict[str, Any]:
    """Return what a network's own lessons are like: mean, directions they differ in, mean of each label."""
    step = max(1, len(learned) // ENOUGH)
    known = said(net, remembered[::step])[1]
    mean = known.mean(0)
    _, size, turn = np.linalg.svd(known - mean, full_matrices=False)
    axes = (turn[:DIRECTIONS].T / (size[:DIRECTIONS] / np.sqrt(len(known)))).astype(np.float32)
    own = np.array([lesson.label for lesson in learned[::step]])
    centres = [((known[own == label] - mean) @ axes).mean(0).tolist() for label in labels if (own == label).any()]
    return {"mean": short(mean.tolist()), "axes": short(axes.tolist()), "centres": short(centres)}


def short(numbers: Any) -> Any:
    """Return numbers, in lists of any depth, with five digits: half the bytes in a file."""
    return [short(one) for one in numbers] if isinstance(numbers, list) else float(f"{numbers:.5g}")


def heard(
    net: SpeechNetwork, asked: Sequence[Lesson], remembered: npt.NDArray[np.float16], like: Mapping[str, Any],
    course: Course, keep: Path,
) -> Heard:  # fmt: skip
    """Return what a network says of what it left out; its logits are kept in a file beside."""
    logits, known = said(net, remembered)
    corpora, labels = np.array([lesson.corpus for lesson in asked]), list(course.labels)
    np.savez(
        keep, logits=logits, corpora=corpora, ids=[lesson.id for lesson in asked],
        speakers=[lesson.speaker for lesson in asked], labels=[lesson.label for lesson in asked],
    )  # fmt: skip
    closed = np.array([[label not in course.asked[corpus] for label in labels] for corpus in corpora])
    plain = like | {"meant": course.meant(labels), "temperature": 1.0, "trust": [1.0, 0.0, 0.0]}
    right = np.array([labels.index(lesson.label) for lesson in asked])
    strange = Calibration.from_plain(dict(plain)).strangeness(known)
    return Heard(np.where(closed, np.float32(-1e4), logits), strange, right, corpora)


def fitted(told: Sequence[Heard], foreign: Sequence[Heard]) -> dict[str, Any]:
    """Return temperature and trust.

    Args:
        told: what networks said of speakers they had not heard; the temperature rests on these alone.
        foreign: what networks said of corpora they had not heard; the trust rests on these too.
    """
    x = torch.from_numpy(np.concatenate([one.logits for one in told]))
    right = torch.from_numpy(np.concatenate([one.right for one in told]))
    heat = torch.zeros(1, requires_grad=True)
    solver = torch.optim.LBFGS([heat], max_iter=100)

    def closure() -> torch.Tensor:
        solver.zero_grad()
        loss = torch.nn.functional.cross_entropy(x / heat.exp(), right)
        torch.autograd.backward(loss)
        return loss

    solver.step(closure)
    facts, sure = [], []
    for one in (*told, *foreign):
        p = torch.from_numpy(one.logits / heat.exp().item()).softmax(1).numpy()
        top = np.clip(p.max(1), 1e-6, 1 - 1e-6)
        facts.append(np.stack([np.log(top / (1 - top)), one.strangeness], 1))
        sure.append(p.argmax(1) == one.right)
    line = LogisticRegression(C=10.0).fit(np.concatenate(facts), np.concatenate(sure))
    trust = [float(line.coef_[0, 0]), float(line.intercept_[0]), float(line.coef_[0, 1])]
    return {"temperature": heat.exp().item(), "trust": trust}


class Given(torch.nn.Module):
    """The network as a file gives it: one clip of any length in, logits, what it knows and what it remembers out."""

    def __init__(self, net: SpeechNetwork) -> None:
        super().__init__()
        self.net = net

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return all three of n x t x 80."""
        remembered = self.net.remembered(mel)
        return *self.net.both(remembered), remembered


class Above(Given):
    """The small network alone, for a file that stands on the encoder in another."""

    def forward(self, remembered: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and what is known of n x 1536."""
        return self.net.both(remembered)


def write(net: SpeechNetwork, path: Path, calibration: Mapping[str, Any], whole: bool = True) -> None:
    """Write a network as int8 ONNX with its calibration inside, with the encoder or, not whole, without it."""
    facts = {"affetto.calibration": json.dumps(calibration)}
    if whole:
        mel = {"mel": torch.rand(1, 64, FINE_BANDS)}
        export(Given(net), mel, ["logits", "known", "remembered"], path, facts, floats=("first", "second"))
    else:
        export(Above(net), {"remembered": torch.rand(1, REMEMBERED)}, ["logits", "known"], path, facts)


def answerer(
    benchmark: Benchmark, course: Course, part_of: Callable[[Record], str], work: Path,
    merged: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Record], tuple[Track, ...]]:  # fmt: skip
    """Return what answers a Record of a benchmark, in its space, by the network that has not heard its speaker.

    Args:
        benchmark: which.
        course: what the networks learned.
        part_of: the name of the network for a Record.
        work: where the networks' files are.
        merged: a label of the benchmark -> the labels of the course that count as it.
    """
    space = load(benchmark.space)
    asked = benchmark.labels or space.names
    plain = course.meant([name if name in asked else "" for name in space.names], merged)
    card = replace(find(course.model, "model"), spaces=(space.id,))

    base = card.facts.get("base")
    below = Network(weights(find(str(base)))) if base else None

    @cache
    def model(part: str) -> VoiceModel:
        network = Network(work / f"{part}.onnx", below)
        calibration = Calibration.from_plain(network.facts | {"meant": plain})
        return VoiceModel(card, network, calibration, listening=Listening(**card.facts.get("listening", {})))

    def answer(record: Record) -> tuple[Track, ...]:
        return model(part_of(record))(rows.blind([record]))[0]

    return answer


def score(
    benchmark: Benchmark, model: str, answer: Callable[[Record], tuple[Track, ...]], work: Path, seed: int,
    by_corpus: bool = False,
) -> None:  # fmt: skip
    """Let networks answer a benchmark, keep what they say, and write the result into this repository.

    Args:
        benchmark: which.
        model: the name of the result.
        answer: what answers a Record.
        work: where predictions are kept.
        seed: of the resampling.
        by_corpus: score besides, as `<model>-own-scale`, what each speaker's answers are on that speaker's own scale,
            and, as `<model>-calibrated`, what they are at a temperature fitted on the other speakers of the corpus.
    """
    asked = systems.questions(benchmark, benchmark.split, None, seed)
    said = {model: [answer(record) for record in asked]}
    if by_corpus:
        speakers = [str(record.meta["speaker"]) for record in asked]
        said[f"{model}-own-scale"] = on_own_scale(said[model], speakers)
        right = [top.name if (top := record.tracks[0].top()) else "" for record in asked]
        said[f"{model}-calibrated"] = calibrated_by_others(said[model], right, speakers)
    files = {name: work / benchmark.id / f"{name}.jsonl.gz" for name in said}
    for name, answers in said.items():
        systems.keep(benchmark, asked, answers, files[name])
    options = runs.RunOptions(keep=work, out=RESULTS, seed=seed)
    for result in runs.rescore(benchmark, files, options, measure.shared_rows).results:
        shown = {name: round(result["metrics"][name]["value"], 3) for name in benchmark.metrics}
        log.info("%s, %s: %s", benchmark.id, result["model"], shown)


def on_own_scale(answers: Sequence[tuple[Track, ...]], speakers: Sequence[str]) -> list[tuple[Track, ...]]:
    """Return answers after each speaker's log-probabilities were brought to mean 0 and deviation 1, label by label.

    It needs many clips of a speaker, in many feelings, and no label: what the literature calls normalisation by
    speaker. A clip of which nothing was said stays so.
    """
    found = list(answers)
    logs = [np.log(np.nanmean(tracks[0].values, 0) + 1e-6) if _is_said(tracks) else None for tracks in answers]
    for speaker in set(speakers):
        own = [i for i, name in enumerate(speakers) if name == speaker and logs[i] is not None]
        x = np.stack([logs[i] for i in own])
        x = (x - x.mean(0)) / (x.std(0) + 1e-3)
        for i, row in zip(own, softmax(x), strict=True):
            track = answers[i][0]
            found[i] = (replace(track, values=np.tile(row, (len(track), 1)), confidence=None, note=None),)
    return found


def calibrated_by_others(
    answers: Sequence[tuple[Track, ...]], right: Sequence[str], speakers: Sequence[str]
) -> list[tuple[Track, ...]]:
    """Return answers at a temperature (Guo et al. 2017), each speaker's fitted on what was said of all the others.

    As whoever has labelled some voices of their own recordings would; it changes no top label.
    """
    found = list(answers)
    known = [i for i, tracks in enumerate(answers) if _is_said(tracks)]
    names = answers[known[0]][0].space.names
    logs = np.stack([np.log(np.nanmean(answers[i][0].values, 0) + 1e-6) for i in known])
    place, whose = np.array([names.index(right[i]) for i in known]), np.array([speakers[i] for i in known])

    def lost(heat: float, rows: npt.NDArray[np.bool_]) -> float:
        return -float(np.log(softmax(logs[rows] / heat)[np.arange(rows.sum()), place[rows]] + 1e-9).mean())

    for speaker in set(whose):
        others = whose != speaker
        heat = minimize_scalar(lost, bounds=(0.2, 5.0), args=(others,), method="bounded").x
        for i, row in zip(np.array(known)[~others], softmax(logs[~others] / heat), strict=True):
            track = answers[i][0]
            found[i] = (replace(track, values=np.tile(row, (len(track), 1)), confidence=None, note=None),)
    return found


def _is_said(tracks: Sequence[Track]) -> bool:
    return bool(tracks) and not np.isnan(tracks[0].values).all()
