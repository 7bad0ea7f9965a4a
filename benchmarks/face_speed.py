"""How fast faces are answered: frames in memory, many faces in a picture, and an hour of film; peers in the same run.

    AFFETTO_DATA=DATA python -m benchmarks.face_speed [--parts frames crowd hour] [--runs 3] [--frames 240]
        [--peer-python PYTHON mediapipe-mesh] [--peer-python PYTHON fer] [--dry]

- frames: one face, 640 x 480, decoded and in memory, as a film of 30 frames a second of which each is looked at.
  `face.mesh` is following and mesh; `face.expression` that and the expression; `face` everything. Each system runs in a
  process of its own, all in turn, as many times as there are runs; medians, after the first frames.
- crowd: twenty faces in one picture of 1280 x 960; seconds a picture.
- hour: a clip looped to so many minutes without encoding it again, `affetto perceive FILM --channel face --rate 5`, the
  whole process: seconds, times real time, peak memory.

A peer runs in the interpreter named before it (see `benchmarks.face_peers`), on the same frames. The parts that are not
run keep the numbers that were kept before. Results in `benchmarks/results/face-speed`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.results import HOME, RESULTS, save

CLIP = "pexels_wolfgang_langer_cry.mp4"
CLIPS = (CLIP, "pyfeat_single_face.mp4", "emoface_angry_actor.mov")
PARTS = ("frames", "crowd", "hour")
MODELS = ("face.mesh", "face.expression", "face")
RATE, HEIGHT, WIDTH = 30, 480, 640
CROWD = (4, 5)
"""Rows and columns of faces."""
WARM = 20
"""Frames that are answered before the clock starts."""


def folder() -> Path:
    """Return where the clips lie."""
    return Path(os.environ["AFFETTO_DATA"]) / "video" / "face-samples"


def decoded(path: Path, count: int, wide: int, tall: int) -> np.ndarray:
    """Return the first frames of a film, n x tall x wide x 3: cut to that shape about the middle, and scaled."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            part = min(frame.width / wide, frame.height / tall)
            across, down = int(part * wide), int(part * tall)
            left, top = (frame.width - across) // 2, (frame.height - down) // 2
            whole = frame.to_ndarray(format="rgb24")[top : top + down, left : left + across]
            scaled = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), "rgb24").reformat(wide, tall)
            found.append(scaled.to_ndarray(format="rgb24"))
            if len(found) == count:
                break
    return np.stack(found)


def crowd() -> np.ndarray:
    """Return one picture of twenty faces, 1 x 960 x 1280 x 3: frames of three clips beside each other."""
    rows, columns = CROWD
    side = 1280 // columns
    tiles = [decoded(folder() / name, 1 + 8 * rows * columns, side, side) for name in CLIPS]
    picture = np.zeros((960, 1280, 3), np.uint8)
    for k in range(rows * columns):
        own = tiles[k % len(tiles)]
        row, column = divmod(k, columns)
        tall = 960 // rows
        cut = own[(8 * k) % len(own)][(side - tall) // 2 :][:tall]
        picture[row * tall : row * tall + tall, column * side : column * side + side] = cut
    return picture[None]


def looped(path: Path, minutes: float, out: Path) -> Path:
    """Write a film that repeats another one, packet by packet, without its sound."""
    with av.open(str(out), "w") as container:
        made, at = None, 0
        while True:
            with av.open(str(path)) as source:
                stream = source.streams.video[0]
                made = made or container.add_stream_from_template(stream)
                packets = [packet for packet in source.demux(stream) if packet.dts is not None]
                first = min(packet.dts for packet in packets)
                length = max(packet.pts + (packet.duration or 1) for packet in packets) - first
                tick = stream.time_base
                for packet in packets:
                    packet.dts, packet.pts = packet.dts - first + at, packet.pts - first + at
                    packet.stream = made
                    container.mux(packet)
                at += length
            if float(at * tick) >= minutes * 60:
                return out


def ours(model: str, frames: Path, answer: Path, still: bool) -> None:
    """Answer frames of a file with a model and write the seconds, as a peer does (in a process of its own)."""
    from affetto.core.catalog import load  # noqa: PLC0415 - only in the process that is measured
    from affetto.core.record import Record  # noqa: PLC0415
    from affetto.core.signal import Frames, Image  # noqa: PLC0415

    held = np.load(frames)
    began = time.perf_counter()
    asked = load(model)

    def record(few: np.ndarray) -> Record:
        if still:
            return Record("picture", (Image(few[0]),))
        size = few.shape[2], few.shape[1]
        parts = [few[k : k + 2 * RATE] for k in range(0, len(few), 2 * RATE)]
        return Record("film", (Frames("film", RATE, len(few) / RATE, lambda seconds: iter(parts), size),))

    asked([record(held[:WARM])])
    loaded = time.perf_counter()
    (tracks,) = asked([record(held)])
    took = time.perf_counter() - loaded
    people = len({track.subject for track in tracks if not np.isnan(track.values).all()})
    plain = {"people": people, "load_seconds": loaded - began, "seconds": took}
    answer.write_text(json.dumps(plain), "utf-8")


def measured(command: list[str], answer: Path) -> dict[str, float]:
    """Run a process that answers frames; return what it said, and the peak of its memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=HOME)
    error = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} left with {process.returncode}:\n{error.decode()[-2000:]}")
    return {**json.loads(answer.read_text("utf-8")), "peak_mb": usage.ru_maxrss / 1024}


def in_turn(
    frames: np.ndarray, systems: dict[str, list[str]], runs: int, still: bool, most: int
) -> dict[str, dict[str, float]]:
    """Let all systems answer the same frames in turn, several times; return the medians of each."""
    with tempfile.TemporaryDirectory() as home:
        path, answer = Path(home, "frames.npy"), Path(home, "answer.json")
        np.save(path, frames)
        said: dict[str, list[dict[str, Any]]] = {name: [] for name in systems}
        for _ in range(runs):
            for name, command in systems.items():
                more = ["--still"] if still and command[1] == "-m" else []
                more += ["--most", str(most)] if command[1] != "-m" else []
                said[name].append(measured([*command, str(path), str(answer), *more], answer))
    return {
        name: {
            "seconds": statistics.median(one["seconds"] for one in own),
            "peak_mb": statistics.median(one["peak_mb"] for one in own),
            "people": own[0].get("people", len(own[0]["boxes"][0]) if "boxes" in own[0] else 0),
        }
        for name, own in said.items()
    }


def an_hour(minutes: float) -> dict[str, float]:
    """Return what a film of so many minutes takes."""
    with tempfile.TemporaryDirectory() as home:
        film = looped(folder() / CLIP, minutes, Path(home, "film.mp4"))
        code = "from affetto.serve.cli import main; main()"
        out = ["--channel", "face", "--rate", "5", "--quiet", "--out", str(Path(home, "faces.csv"))]
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", code, "perceive", str(film), *out])
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"affetto perceive left with {process.returncode}")
    what = f"film of {minutes:g} minutes at 5 pictures a second"
    return {
        f"{what}, seconds": took,
        f"{what}, times real time": minutes * 60 / took,
        f"{what}, peak memory, MB": usage.ru_maxrss / 1024,
    }


def main() -> None:
    """Measure, print, keep."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--parts", nargs="+", choices=PARTS, default=["frames", "crowd"])
    ask.add_argument("--models", nargs="*", default=list(MODELS))
    ask.add_argument("--peer-python", nargs=2, action="append", default=[], metavar=("PYTHON", "PEER"))
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--frames", type=int, default=240)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--dry", action="store_true", help="keep nothing")
    ask.add_argument("--answer", nargs=3, metavar=("MODEL", "FRAMES", "ANSWER"), help=argparse.SUPPRESS)
    ask.add_argument("--still", action="store_true", help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.answer:
        ours(given.answer[0], Path(given.answer[1]), Path(given.answer[2]), given.still)
        return
    systems = {name: [sys.executable, "-m", "benchmarks.face_speed", "--answer", name] for name in given.models}
    script = str(HOME / "benchmarks" / "face_peers.py")
    systems |= {f"peer.{peer}": [python, script, peer] for python, peer in given.peer_python}
    found: dict[str, dict[str, float]] = {name: {} for name in systems}
    if "frames" in given.parts:
        frames = decoded(folder() / CLIP, given.frames, WIDTH, HEIGHT)
        for name, own in in_turn(frames, systems, given.runs, still=False, most=1).items():
            found[name]["one face, 640x480, frames a second"] = len(frames) / own["seconds"]
            found[name]["one face, peak memory, MB"] = own["peak_mb"]
    if "crowd" in given.parts:
        for name, own in in_turn(crowd(), systems, given.runs, still=True, most=20).items():
            found[name]["twenty faces in 1280x960, seconds a picture"] = own["seconds"]
            found[name]["of twenty faces, found"] = own["people"]
    if "hour" in given.parts and "face" in found:
        found["face"] |= an_hour(given.minutes)
    _keep(found, given)


def _keep(found: dict[str, dict[str, float]], given: argparse.Namespace) -> None:
    fast = "one face, 640x480, frames a second"
    for name, speed in found.items():
        for other, theirs in found.items():
            if not name.startswith("peer.") and other.startswith("peer.") and fast in speed and fast in theirs:
                speed[f"one face, times as fast as {other}"] = speed[fast] / theirs[fast]
        print(name)
        for what, value in speed.items():
            print(f"  {what}: {value:.3g}", flush=True)
        if not given.dry and speed:
            path = RESULTS / "face-speed" / f"{name}.json"
            before = json.loads(path.read_text("utf-8"))["speed"] if path.exists() else {}
            notes = f"medians of {given.runs} runs in turn, each in its own process; {given.frames} frames of {CLIP}"
            save("face-speed", name, given.frames, {}, None, before | speed, notes)


if __name__ == "__main__":
    main()
