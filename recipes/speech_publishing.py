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
from sklearn.linear_model import LogisticRegression

from affetto import measure
from affetto.bench import rows, runs, systems
from affetto.bench.protocol import Benchmark
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.affect import Calibration, Network, VoiceModel
from affetto.models.text.calibration import softmax
from affetto.train.export import export
from benchmarks.results import RESULTS
from recipes.speech_lessons import Lesson
from recipes.speech_network import Speaks, said

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


def likeness(net: Speaks, learned: Sequence[Lesson], labels: Sequence[str]) -> dict[str, Any]:
    """Return what a network's own lessons are like: mean, directions they differ in, mean of each label."""
    learned = learned[:: max(1, len(learned) // ENOUGH)]
    known = said(net, learned)[1]
    mean = known.mean(0)
    _, size, turn = np.linalg.svd(known - mean, full_matrices=False)
    axes = (turn[:DIRECTIONS].T / (size[:DIRECTIONS] / np.sqrt(len(known)))).astype(np.float32)
    own = np.array([lesson.label for lesson in learned])
    centres = [((known[own == label] - mean) @ axes).mean(0).tolist() for label in labels if (own == label).any()]
    return {"mean": short(mean.tolist()), "axes": short(axes.tolist()), "centres": short(centres)}


def short(numbers: Any) -> Any:
    """Return numbers, in lists of any depth, with five digits: half the bytes in a file."""
    return [short(one) for one in numbers] if isinstance(numbers, list) else float(f"{numbers:.5g}")


def heard(net: Speaks, asked: Sequence[Lesson], like: Mapping[str, Any], course: Course, keep: Path) -> Heard:
    """Return what a network says of what it left out; its logits are kept in a file beside."""
    logits, known = said(net, asked)
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
    """The network as a file gives it: one clip of any length in, logits and what it knows out."""

    def __init__(self, net: Speaks) -> None:
        super().__init__()
        self.net = net

    def forward(self, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and what is known of n x t x 40."""
        return self.net.both(power, torch.full((1,), power.shape[1]))


def write(net: Speaks, path: Path, calibration: Mapping[str, Any]) -> None:
    """Write a network as int8 ONNX with its calibration inside; powers span decades, so their layers stay float32."""
    power, facts = torch.rand(1, 64, 40), {"affetto.calibration": json.dumps(calibration)}
    export(Given(net), {"power": power}, ["logits", "known"], path, facts, floats=("layers.0",))


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

    @cache
    def model(part: str) -> VoiceModel:
        network = Network(work / f"{part}.onnx")
        return VoiceModel(card, network, Calibration.from_plain(network.facts | {"meant": plain}))

    def answer(record: Record) -> tuple[Track, ...]:
        return model(part_of(record))(rows.blind([record]))[0]

    return answer


def score(
    benchmark: Benchmark, model: str, answer: Callable[[Record], tuple[Track, ...]], work: Path, seed: int,
    own_scale: bool = False,
) -> None:  # fmt: skip
    """Let networks answer a benchmark, keep what they say, and write the result into this repository.

    Args:
        benchmark: which.
        model: the name of the result.
        answer: what answers a Record.
        work: where predictions are kept.
        seed: of the resampling.
        own_scale: score besides, as `<model>-own-scale`, what each speaker's answers are on that speaker's own scale.
    """
    asked = systems.questions(benchmark, benchmark.split, None, seed)
    said = {model: [answer(record) for record in asked]}
    if own_scale:
        said[f"{model}-own-scale"] = on_own_scale(said[model], [str(record.meta["speaker"]) for record in asked])
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


def _is_said(tracks: Sequence[Track]) -> bool:
    return bool(tracks) and not np.isnan(tracks[0].values).all()
