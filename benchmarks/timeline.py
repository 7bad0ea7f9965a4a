"""Whole recordings read by `timeline`, on made talks: who is who, what each felt, and what is left without a channel.

    python -m benchmarks.timeline --work build/timeline [--folder DIR] [--unheard build/speech] [--seed 20]

The same as `affetto bench made-talks-people timeline` and `affetto bench made-talks-course timeline`, and both with
`@no-voice`, `@no-face` and `@no-text`; only that each recording is read once for both, and what was read is kept in
`--work`, a recording a file. `speech.affect` has learned from the very clips that these people speak with. `--unheard`,
the folder of `recipes.speech_affect`, has its networks that each left a fold of speakers out: the voice of every line
is then told by the one that has not heard its actor, fused anew, and scored as `timeline-unheard` beside `timeline`.
"""

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto import api, measure
from affetto.bench import lacking, runs, systems
from affetto.core import catalog
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.core.track import Track
from affetto.models.fusion import fusing
from affetto.models.speech.affect import Calibration, Network, VoiceModel
from affetto.spaces import bridges
from benchmarks.results import RESULTS

log = logging.getLogger("timeline")
SYSTEM, UNHEARD = "timeline", "timeline-unheard"
BENCHMARKS = ("made-talks-people.v1", "made-talks-course.v1")
Answers = list[tuple[Track, ...]]


def main() -> None:
    """Read, score and write the results."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--folder")
    asked.add_argument("--unheard", type=Path)
    asked.add_argument("--out", type=Path, default=RESULTS)
    asked.add_argument("--seed", type=int, default=20)
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for condition in ("", *lacking.KNOWN):
        mark = f"@{condition}" if condition else ""
        what = runs.benchmark(f"{BENCHMARKS[0]}{mark}")
        records = systems.questions(what, what.split, args.folder, args.seed)
        answers = {SYSTEM: read(records, args.work / (condition or "whole"))}
        if args.unheard and not condition:
            networks = {path.stem: _network(path) for path in sorted(args.unheard.glob("fold-*.onnx"))}
            pairs = zip(records, answers[SYSTEM], strict=True)
            answers[UNHEARD] = [unheard(record, tracks, networks) for record, tracks in pairs]
        for name in BENCHMARKS:
            score(f"{name}{mark}", records, answers, args)


def read(records: Sequence[Record], work: Path) -> Answers:
    """Return what `timeline` says of recordings; what it has said before is read again."""
    work.mkdir(parents=True, exist_ok=True)
    model: Any = None
    for record in records:
        path = work / f"{record.id}.json"
        if path.exists():
            continue
        model = model or catalog.load(SYSTEM)
        began = time.perf_counter()
        (tracks,) = model([lacking.blind(record)])
        api.write(Record(record.id, tracks=tracks), path)
        log.info("%s: %.1f s for %.1f s", record.id, time.perf_counter() - began, record.meta["duration"])
    return [next(iter(api.read(work / f"{record.id}.json"))).tracks for record in records]


def score(name: str, records: Sequence[Record], answers: Mapping[str, Answers], args: argparse.Namespace) -> None:
    """Keep what is scored of the answers to a benchmark, and write its results."""
    what = runs.benchmark(name)
    options = runs.RunOptions(args.folder, args.work / "kept", args.out, args.seed)
    files = {
        system: systems.keep(what, records, said, options.keep / what.id / f"{system}.{what.split}.jsonl.gz")
        for system, said in answers.items()
        if system == SYSTEM or what.talk == "course"
    }
    for result in runs.rescore(what, files, options, measure.shared_rows).results:
        told = {key: result["metrics"][key] for key in what.metrics}
        log.info("%s %s: %s", name, result["model"], "; ".join(f"{key} {_words(one)}" for key, one in told.items()))


def unheard(record: Record, tracks: Sequence[Track], networks: Mapping[str, VoiceModel]) -> tuple[Track, ...]:
    """Return an answer whose voices are told by networks that have not heard them, fused anew.

    Args:
        record: the truth, with sound; `meta["lines"]` says of each line its `start`, its `end` and its `fold`.
        tracks: the answer.
        networks: by `fold-K`, the one that left fold K out.
    """
    sound = next((_samples(signal) for signal in record.signals if isinstance(signal, Audio)), None)
    if sound is None:
        return tuple(tracks)
    voices = [track for track in tracks if track.channel == "voice" and track.space.id == "ravdess-8"]
    fresh = [new for track in voices for new in _told_anew(track, record.meta["lines"], sound, networks)]
    old = {(track.subject, track.space.id) for track in fresh}
    kept = [
        track
        for track in tracks
        if track.channel != "fused" and not (track.channel == "voice" and (track.subject, track.space.id) in old)
    ]
    return (*kept, *fresh, *fusing.fuse([*kept, *fresh], bridges.translate))


def _told_anew(
    track: Track, lines: Sequence[Mapping[str, Any]], sound: npt.NDArray[np.float32], networks: Mapping[str, VoiceModel]
) -> list[Track]:
    """Return a voice's Tracks, in each space of its network, with each row told by the network of its line's fold."""
    rows = np.flatnonzero(~np.isnan(track.values).all(1))
    columns: dict[str, npt.NDArray[np.float32]] = {}
    sure = np.full(len(track), np.nan, np.float32)
    for row in rows:
        start, end = float(track.start[row]), float(track.end[row])
        line = max(lines, key=lambda one: min(end, one["end"]) - max(start, one["start"]))
        for answer in networks[f"fold-{line['fold']}"].answer([sound[round(start * 16000) : round(end * 16000)]]):
            shape = len(track), answer.values.shape[1]
            columns.setdefault(answer.space.id, np.full(shape, np.nan, np.float32))[row] = answer.values[0]
            if answer.space.id == track.space.id and answer.confidence is not None:
                sure[row] = answer.confidence[0]
    return [
        replace(track, space=catalog.load(id), values=values, confidence=sure if id == track.space.id else None)
        for id, values in columns.items()
    ]


def _network(path: Path) -> VoiceModel:
    """Return the network of a fold, whose logits mean what those of the shipped one do."""
    network, shipped = Network(path), catalog.load("speech.affect")
    facts = network.facts | {"meant": shipped.network.facts["meant"]}
    return VoiceModel(shipped.card, network, Calibration.from_plain(facts))


def _samples(audio: Audio) -> npt.NDArray[np.float32]:
    return np.concatenate([block.reshape(len(block), -1)[:, 0] for block in audio.blocks(10)]).astype(np.float32)


def _words(metric: Mapping[str, float | None]) -> str:
    low, high = metric["low"], metric["high"]
    ends = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return "none" if metric["value"] is None else f"{metric['value']:.3f}{ends}"


if __name__ == "__main__":
    main()
