"""How many faces are found, and how much else: on real clips, and on pictures that faces were pasted on.

    AFFETTO_DATA=DATA python -m benchmarks.face_detection [--models face baseline.cascade] [--rate 10]
        [--peer-python PYTHON] [--peers mediapipe-mesh mediapipe-faces] [--pictures 480] [--dry]

- clips: five films of `video/face-samples`, so many frames a second, as films (a model may follow) and as pictures.
  Which seconds show how many faces was looked up by eye, frame by frame at the ends: see `CLIPS`. Recall is the share
  of the faces shown that were found, false alarms are faces said beyond those, a frame. Intervals draw whole seconds.
- composites: `detection-composites`, found by place and size, by `affetto.bench.places`. Intervals draw pictures.

Peers run in another interpreter, which has them (see `benchmarks.face_peers`). Results in
`benchmarks/results/face-detection`.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affetto.bench import places, runs
from affetto.bench.looking import Cascade
from affetto.bench.results import number
from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.core.signal import Frames, Image
from affetto.core.track import Track
from affetto.media.video import frames as film_of
from benchmarks.results import HOME, interval, save

CLIPS: dict[str, tuple[tuple[float, float, int], ...]] = {
    "pexels_wolfgang_langer_cry.mp4": ((0.0, 19.7, 1),),
    "pyfeat_single_face.mp4": ((0.0, 2.5, 1),),
    "pyfeat_face_noface.mov": ((0.0, 2.39, 1), (2.39, 6.5, 0)),
    "pyfeat_no_face.mp4": ((0.0, 4.0, 0),),
    "emoface_angry_actor.mov": ((0.0, 3.4, 1),),
}
"""From which second to which how many faces are seen. `pyfeat_face_noface` shows a man up to the frame at 2.367 s, a
black one at 2.4 s, and then clouds and letters; in `pyfeat_no_face` there are clouds and letters only."""
SEEN = "video/face-samples"
CASCADE = "baseline.cascade"
MOST = 8
"""Faces that a peer may find in a picture."""
Found = list[np.ndarray]
"""Of each picture the boxes of faces, m x 4."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of one film, and how many faces each shows."""

    name: str
    rate: float
    frames: np.ndarray
    shown: np.ndarray


def clips(rate: float) -> list[Clip]:
    """Read the films."""
    folder = Path(os.environ["AFFETTO_DATA"]) / SEEN
    found = []
    for name, stretches in CLIPS.items():
        frames = np.concatenate(list(film_of(folder / name, rate).blocks()))
        at = np.arange(len(frames)) / rate
        shown = np.zeros(len(frames), int)
        for start, end, faces in stretches:
            shown[(at >= start) & (at < end)] = faces
        found.append(Clip(name, rate, frames, shown))
    return found


def as_film(model: Any, clip: Clip) -> Found:
    """Ask a Model about the film as one Record."""
    tall, wide = clip.frames.shape[1:3]
    film = Frames(clip.name, clip.rate, len(clip.frames) / clip.rate, lambda seconds: iter([clip.frames]), (wide, tall))
    tracks = _one_space(model([Record(clip.name, (film,))])[0])
    return [_boxes_at(tracks, k / clip.rate, 0.5 / clip.rate) for k in range(len(clip.frames))]


def as_pictures(model: Any, pictures: Sequence[np.ndarray]) -> Found:
    """Ask a Model about each picture alone."""
    records = [Record(str(k), (Image(picture),)) for k, picture in enumerate(pictures)]
    return [places.boxes(_one_space(tracks)) for tracks in model(records)]


def _one_space(tracks: Sequence[Track]) -> list[Track]:
    """Return the Tracks of that space which has boxes and the fewest axes."""
    boxed = [track for track in tracks if track.box is not None]
    few = min((len(track.space.axes) for track in boxed), default=0)
    ids = {track.space.id for track in boxed if len(track.space.axes) == few}
    return [track for track in boxed if track.space.id == min(ids)]


def _boxes_at(tracks: Sequence[Track], second: float, slack: float) -> np.ndarray:
    return places.boxes([track[np.flatnonzero(np.abs(track.start - second) < slack)] for track in tracks])


def asked(python: str, peer: str, pictures: np.ndarray) -> tuple[Found, dict[str, Any]]:
    """Ask a peer in its interpreter; return the boxes and what else it said."""
    with tempfile.TemporaryDirectory() as folder:
        frames, answer = Path(folder, "frames.npy"), Path(folder, "answer.json")
        np.save(frames, pictures)
        script = str(HOME / "benchmarks" / "face_peers.py")
        command = [python, script, peer, str(frames), str(answer), "--most", str(MOST)]
        subprocess.run(command, check=True, capture_output=True)
        said = json.loads(answer.read_text("utf-8"))
    return [np.array(boxes, float).reshape(-1, 4) for boxes in said["boxes"]], said


def on_clips(given: Sequence[Clip], found: Sequence[Found], seed: int) -> dict[str, dict[str, float]]:
    """Return recall and false alarms of all clips and each, from the boxes of each clip's frames."""
    shown = np.concatenate([clip.shown for clip in given])
    counts = np.concatenate([[len(boxes) for boxes in own] for own in found])
    caught = np.minimum(shown, counts)
    whose = [f"{clip.name} {int(k / clip.rate)}" for clip in given for k in range(len(clip.frames))]
    names = np.concatenate([[clip.name] * len(clip.frames) for clip in given])
    metrics = {}
    for name, rows in {
        "clips": np.arange(len(shown)),
        **{c.name: np.flatnonzero(names == c.name) for c in given},
    }.items():
        own = [whose[row] for row in rows]
        if shown[rows].any():
            metrics[f"recall, {name}"] = interval(_share(caught, shown, rows), len(rows), seed, own)
        metrics[f"false alarms a frame, {name}"] = interval(
            _share(counts - caught, np.ones(len(shown)), rows), len(rows), seed, own
        )
    return metrics


def _share(part: np.ndarray, whole: np.ndarray, rows: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda drawn: float(part[rows[drawn]].sum() / max(1, whole[rows[drawn]].sum()))


def on_composites(records: Sequence[Record], found: Found, seed: int) -> dict[str, dict[str, float | None]]:
    """Return what `detection-composites` measures, from the boxes of each picture."""
    what = runs.benchmark("detection-composites")
    space = load(what.space)
    even = np.full(len(space.axes), 1 / len(space.axes))
    answers = [
        tuple(Track(space, [0], [0], [even], subject=f"person-{k}", box=[box]) for k, box in enumerate(boxes))
        for boxes in found
    ]
    outcome = places.evaluate(what, records, {"one": answers}, seed, 1000)["one"]
    return {
        f"{name}, composites": {end: number(getattr(metric, end)) for end in ("value", "low", "high")}
        for name, metric in outcome.metrics.items()
    }


def main() -> None:
    """Measure, print, keep."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--models", nargs="*", default=["face", CASCADE])
    ask.add_argument("--peer-python", default="", help="an interpreter that has the peers")
    ask.add_argument("--peers", nargs="*", default=["mediapipe-mesh", "mediapipe-mesh-still", "mediapipe-faces"])
    ask.add_argument("--rate", type=float, default=10)
    ask.add_argument("--pictures", type=int, default=480, help="of the composites; 0: none")
    ask.add_argument("--seed", type=int, default=20)
    ask.add_argument("--dry", action="store_true", help="keep nothing")
    given = ask.parse_args()
    films = clips(given.rate)
    records = list(load("detection-composites").read("test"))[: given.pictures] if given.pictures else []
    pictures = [record.signals[0].pixels for record in records]
    n = sum(len(clip.frames) for clip in films) + len(records)
    for name in given.models:
        model = Cascade("ekman-8") if name == CASCADE else load(name)
        metrics: dict[str, Any] = {}
        if name != CASCADE:
            metrics |= {f"{key}, as films": v for key, v in _clips(films, lambda c, m=model: as_film(m, c), given.seed)}
        metrics |= dict(_clips(films, lambda c, m=model: as_pictures(m, c.frames), given.seed))
        metrics |= on_composites(records, as_pictures(model, pictures), given.seed) if records else {}
        _keep(name, n, metrics, given)
    for peer in given.peers if given.peer_python else ():
        metrics = dict(_clips(films, lambda c, p=peer: asked(given.peer_python, p, c.frames)[0], given.seed))
        if records:
            metrics |= on_composites(records, asked(given.peer_python, peer, np.stack(pictures))[0], given.seed)
        _keep(f"peer.{peer}", n, metrics, given)


def _clips(films: Sequence[Clip], find: Callable[[Clip], Found], seed: int) -> Sequence[tuple[str, Any]]:
    return list(on_clips(films, [find(clip) for clip in films], seed).items())


def _keep(name: str, n: int, metrics: dict[str, Any], given: argparse.Namespace) -> None:
    print(name)
    for key, metric in metrics.items():
        print(f"  {key}: {metric['value']} [{metric['low']}, {metric['high']}]", flush=True)
    if not given.dry:
        notes = f"clips of {SEEN} at {given.rate:g} frames a second; {given.pictures} composites"
        save("face-detection", name, n, metrics, given.seed, {}, notes)


if __name__ == "__main__":
    main()
