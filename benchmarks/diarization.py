"""Who speaks when, in talks of speakers who were never learned from, in acted emotions; how alike a voice is to itself.

    AFFETTO_DATA=DATA python -m benchmarks.diarization [--talks 36] [--seed 11] [--peers] [--dry]

Talks of two to four speakers of one corpus (`recipes/speech_talks.py`): each turn in some emotion, 1 to 5 s, gaps of
-0.2 to 1 s; clean, and under noise 15 dB below. The speakers are those of `recipes.speech_speaker.unheard`.

- DER: the diarization error rate, missed + false alarm + confusion as a share of what is spoken, overlap counted; with
  a collar of 0.25 s about each edge of the truth, and without; intervals over talks
- known number: the same where the model is told how many speak
- EER: the equal error rate of telling whether two clips are of one speaker, by the cosine of the numbers: clips of 1.5
  and 3 s, of one emotion (`one`), and of two (`across`)

`--peers` measures the embedding of Resemblyzer 0.1.4 (`pip install --no-deps resemblyzer==0.1.4`) in the same segments
with the same clustering, whose two numbers are fitted for it on talks of other speakers.
"""

import argparse
import importlib.metadata
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from affetto.core.catalog import load
from affetto.models.speech.hearing import Hearing
from affetto.models.speech.listening import Listening
from affetto.models.speech.mel import RATE
from affetto.models.speech.remembering import picture
from affetto.models.speech.spells import Segment, cut, spoken
from affetto.models.speech.telling import Telling, told_apart
from benchmarks.results import interval, save
from recipes.speech_speaker import confusion, spells_of, unheard
from recipes.speech_talks import Clip, Floats, Talk, clips, talks

STEP = 0.01
COLLAR = 0.25
Rows = Sequence[tuple[str, float, float]]


@dataclass(frozen=True)
class Errors:
    """Seconds of one talk."""

    spoken: float
    missed: float
    extra: float
    confused: float


def errors(truth: Rows, found: Rows, collar: float) -> Errors:
    """Return how many seconds of speech are missed, made up, or another's, by the best pairing of speakers."""
    end = max(last for rows in (truth, found) for _, _, last in rows) + 1
    real, said = _grid(truth, end), _grid(found, end)
    clear = np.ones(real.shape[1], bool)
    for _, start, last in truth if collar else ():
        for edge in (start, last):
            clear[max(0, round((edge - collar) / STEP)) : round((edge + collar) / STEP)] = False
    real, said = real[:, clear], said[:, clear]
    shared = real.astype(float) @ said.T
    both = shared[linear_sum_assignment(-shared)].sum()
    many, heard = real.sum(0), said.sum(0)
    right = np.minimum(many, heard).sum()
    return Errors(
        many.sum() * STEP, np.maximum(many - heard, 0).sum() * STEP, np.maximum(heard - many, 0).sum() * STEP,
        (right - both) * STEP,
    )  # fmt: skip


def _grid(rows: Rows, end: float) -> np.ndarray:
    names = sorted({name for name, _, _ in rows})
    found = np.zeros((max(1, len(names)), round(end / STEP)), np.int64)
    for name, start, last in rows:
        found[names.index(name), round(start / STEP) : round(last / STEP)] = 1
    return found


def labelled(segments: Sequence[Segment], voices: Sequence[int]) -> list[tuple[str, float, float]]:
    """Return who speaks when, of rows and their voices."""
    return [
        (f"voice-{voice}", at.start, at.end)
        for segment, voice in zip(segments, voices, strict=True)
        for at, _ in spoken(segment)
    ]


def peer() -> Callable[[Sequence[Floats]], Floats]:
    """Return Resemblyzer's embedding of clips, n x 256: the mean over windows of 1.6 s that overlap by half."""
    import torch  # noqa: PLC0415 - a peer

    file = next(one for one in importlib.metadata.files("resemblyzer") or () if one.name == "pretrained.pt")
    weights = torch.load(file.locate(), map_location="cpu", weights_only=True)["model_state"]
    layers, last = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    for module, prefix in ((layers, "lstm."), (last, "linear.")):
        module.load_state_dict({key.removeprefix(prefix): x for key, x in weights.items() if key.startswith(prefix)})

    @torch.no_grad()
    def one(clip: Floats) -> Floats:
        power = picture(clip)
        starts = range(0, max(1, len(power) - 160 + 80), 80)
        parts = [torch.from_numpy(power[min(k, max(0, len(power) - 160)) :][:160])[None] for k in starts]
        said = [torch.relu(last(layers(part)[1][0][-1]))[0] for part in parts]
        return np.asarray(torch.stack([x / x.norm() for x in said]).mean(0).numpy())

    return lambda clips: np.stack([one(clip) for clip in clips])


def ours(hearing: Hearing) -> Callable[[Sequence[Floats]], Floats]:
    """Return the embedding of `speech.speaker`."""
    return lambda parts: hearing.embedder.embedded(np.stack([one.sum(0) for one in hearing.embedder.rows(list(parts))]))


def measured(made: Sequence[Talk], answers: Sequence[Rows], seed: int, name: str) -> dict[str, dict[str, float]]:
    """Return the metrics of talks."""
    found = {}
    for collar, title in ((COLLAR, "DER, collar 0.25 s"), (0.0, "DER, no collar")):
        each = [errors(talk.truth, answer, collar) for talk, answer in zip(made, answers, strict=True)]
        parts = np.array([[one.spoken, one.missed, one.extra, one.confused] for one in each])
        found[f"{title}, {name}"] = interval(lambda k, p=parts: float(p[k, 1:].sum() / p[k, 0].sum()), len(parts), seed)
        if collar:
            for k, what in enumerate(("missed", "false alarm", "confusion"), 1):
                found[f"{what}, {name}"] = interval(
                    lambda rows, p=parts, k=k: float(p[rows, k].sum() / p[rows, 0].sum()), len(parts), seed
                )
    return found


def equal_errors(pools: Mapping[str, Sequence[Clip]], embed: Callable[[Sequence[Floats]], Floats]) -> dict[str, float]:
    """Return the equal error rates, the mean over corpora."""
    found: dict[str, list[float]] = {}
    for pool in pools.values():
        for seconds in (1.5, 3.0):
            own = [clip for clip in pool if len(clip.samples) >= (seconds - 0.4) * RATE][:400]
            x = embed([clip.samples[: int(seconds * RATE)] for clip in own])
            alike = (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (x / np.linalg.norm(x, axis=1, keepdims=True)).T
            one, other = np.triu_indices(len(own), 1)
            same = np.array([own[i].speaker == own[j].speaker for i, j in zip(one, other, strict=True)])
            felt = np.array([own[i].emotion == own[j].emotion for i, j in zip(one, other, strict=True)])
            for name, rows in (("one", felt), ("across", ~felt)):
                if min((same & rows).sum(), (~same & rows).sum()) >= 20:
                    rate = _equal(alike[one, other][same & rows], alike[one, other][~same & rows])
                    found.setdefault(f"EER, {seconds:g} s, {name}", []).append(rate)
    return {name: float(np.mean(rates)) for name, rates in found.items()}


def _equal(own: np.ndarray, others: np.ndarray) -> float:
    edges = np.sort(np.concatenate([own, others]))
    missed = np.searchsorted(np.sort(own), edges) / len(own)
    taken = 1 - np.searchsorted(np.sort(others), edges) / len(others)
    best = int(np.abs(missed - taken).argmin())
    return float(missed[best] + taken[best]) / 2


def fitted(embed: Callable[[Sequence[Floats]], Floats], seed: int) -> tuple[Telling, Floats]:
    """Return the numbers of the clustering that suit an embedding best on talks of other speakers, and its mean."""
    out = unheard()
    pools = {}
    for corpus in out:
        names = {str(record.meta["speaker"]) for record in load(corpus).read("all")} - set(out[corpus])
        pools[corpus] = clips(corpus, sorted(names), 40, seed)
    cases = []
    for talk in talks(pools, 24, seed + 1):
        turns = sorted(talk.truth, key=lambda turn: turn[1])
        x = embed([talk.samples[int(a * RATE) : int(b * RATE)] for _, a, b in turns])
        cases.append(([who for who, _, _ in turns], x, np.array([b - a for _, a, b in turns])))
    mean = np.concatenate([x for _, x, _ in cases]).mean(0)
    tried = {
        (alike, trust): np.mean(
            [confusion(who, told_apart(x - mean, long, Telling(alike, trust)), long) for who, x, long in cases]
        )
        for alike in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
        for trust in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
    }
    return Telling(*min(tried, key=lambda key: tried[key])), mean


def main() -> None:
    """Measure and write."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--talks", type=int, default=36)
    ask.add_argument("--seed", type=int, default=11)
    ask.add_argument("--peers", action="store_true")
    ask.add_argument("--dry", action="store_true")
    given = ask.parse_args()
    hearing: Hearing = load("speech.speaker")
    pools = {corpus: clips(corpus, speakers, 60, given.seed) for corpus, speakers in unheard().items()}
    makers = {"speech.speaker": (ours(hearing), hearing.embedder.telling, 0.0)}
    if given.peers:
        makers["resemblyzer"] = (peer(), *fitted(peer(), given.seed))
    for model, (embed, telling, mean) in makers.items():
        metrics: dict[str, dict[str, float]] = {}
        spent = heard = 0.0
        for condition, noise in (("clean", None), ("15 dB", 15.0)):
            made = talks(pools, given.talks, given.seed, noise)
            answers: dict[str, list[Rows]] = {condition: [], f"{condition}, known number": []}
            for talk in made:
                began = time.perf_counter()
                segments = cut(spells_of(talk), hearing.embedder, Listening())
                x = embed([segment.clip for segment in segments]) - mean
                seconds = np.array([segment.at.length for segment in segments])
                answers[condition].append(labelled(segments, told_apart(x, seconds, telling)))
                spent, heard = spent + time.perf_counter() - began, heard + len(talk.samples) / RATE
                how = replace(telling, speakers=len({who for who, _, _ in talk.truth}))
                answers[f"{condition}, known number"].append(labelled(segments, told_apart(x, seconds, how)))
            for name, said in answers.items():
                metrics |= measured(made, said, given.seed, name)
            for corpus in pools:
                rows = [k for k, talk in enumerate(made) if talk.corpus == corpus]
                some = measured([made[k] for k in rows], [answers[condition][k] for k in rows], given.seed, corpus)
                metrics[f"DER, collar 0.25 s, {condition}, {corpus}"] = some[f"DER, collar 0.25 s, {corpus}"]
        metrics |= {name: {"value": rate} for name, rate in equal_errors(pools, embed).items()}
        for name, value in metrics.items():
            print(f"{model}: {name}: {value['value']:.3f}", flush=True)
        if not given.dry:
            notes = f"{given.talks} talks a condition, speakers that were never learned from; {telling}"
            save("diarization", model, given.talks, metrics, given.seed, {"times real time": heard / spent}, notes)


if __name__ == "__main__":
    main()
