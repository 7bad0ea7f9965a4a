"""How fast a recording is gone through, and in how much memory: `affetto perceive FILM --out FILE`, every channel.

    AFFETTO_DATA=DATA python -m benchmarks.timeline_speed [--parts two hours end] [--runs 3] [--minutes 180] [--dry]

- two: one minute of 1280 x 720 with two real faces side by side all the time (the clips of the data folder), voices of
  several people (Affetto's own) for four fifths of it, at five pictures a second. Each run is a whole
  process, from its start to the file; the median.
- hours: that minute looped to so many minutes without encoding it again: seconds, and the peak of memory.
- end: the last minute of such a film, and all that comes after it, with hours of answers in memory: a run is killed,
  the last window of its journal repeated up to the last minute, and the run resumed; the peak of memory.

Results in `benchmarks/results/timeline-speed`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from affetto.generate import demo
from affetto.generate.film import film
from affetto.media.audio import read_audio
from benchmarks.face_speed import folder
from benchmarks.results import RESULTS, save

CLIPS = ("pexels_wolfgang_langer_cry.mp4", "pyfeat_single_face.mp4")
WIDE, HIGH, RATE, SECONDS = 1280, 720, 25, 60
PARTS = ("two", "hours", "end")


def pictures(path: Path, wide: int, high: int) -> Iterator[np.ndarray]:
    """Yield the frames of a clip over and over, high x wide x 3, cut about the middle, RATE a second."""
    while True:
        with av.open(str(path)) as container:
            step, due = 1 / RATE, 0.0
            for frame in container.decode(video=0):
                if frame.time is None or frame.time < due:
                    continue
                due += step
                part = min(frame.width / wide, frame.height / high)
                across, down = int(part * wide), int(part * high)
                left, top = (frame.width - across) // 2, (frame.height - down) // 2
                whole = frame.to_ndarray(format="rgb24")[top : top + down, left : left + across]
                scaled = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), "rgb24").reformat(wide, high)
                yield scaled.to_ndarray(format="rgb24")


def minute(home: Path) -> Path:
    """Write one minute of two faces and several voices; return its path."""
    made = demo.make(home / "made")
    record = read_audio(made)
    sound = np.concatenate([block[:, 0] for block in record.signals[0].blocks(10.0)])
    sound = np.tile(sound, 1 + SECONDS * 16000 // len(sound))[: SECONDS * 16000]
    clips = [pictures(folder() / name, WIDE // 2, HIGH) for name in CLIPS]
    frames = (np.hstack([next(clip) for clip in clips]) for _ in range(SECONDS * RATE))
    path = home / "two.mp4"
    film(path, frames, RATE, sound)
    return path


def looped(path: Path, minutes: float, out: Path) -> Path:
    """Write a film that repeats another one, packet by packet, sound and pictures."""
    with av.open(str(out), "w") as container:
        streams, at = {}, 0.0
        while at < minutes * 60:
            with av.open(str(path)) as source:
                for stream in source.streams:
                    if stream.index not in streams:
                        streams[stream.index] = container.add_stream_from_template(stream)
                packets = sorted(
                    (packet for packet in source.demux() if packet.dts is not None),
                    key=lambda packet: packet.dts * packet.time_base,
                )
                begin = min(float(packet.dts * packet.time_base) for packet in packets)
                end = max(float((packet.pts + (packet.duration or 0)) * packet.time_base) for packet in packets)
                for packet in packets:
                    shift = round(at / packet.time_base)
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    packet.stream = streams[packet.stream.index]
                    container.mux(packet)
            at += end - min(begin, 0.0)
    return out


def perceived(path: Path, out: Path, *more: str) -> tuple[float, float]:
    """Return the seconds that a whole process takes, and the peak of its memory in MB."""
    code = "from affetto.serve.cli import main; main()"
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, "perceive", str(path), "--quiet", "--out", str(out), *more])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"affetto perceive left with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def resumed(path: Path, minutes: float, out: Path) -> float:
    """Return the peak of memory, in MB, of a run that goes on in the last minute of a film of so many minutes."""
    code = "from affetto.serve.cli import main; main()"
    begun = subprocess.Popen([sys.executable, "-c", code, "perceive", str(path), "--quiet", "--out", str(out)])
    journal = out.with_name(f"{out.name}.{path.stem}.part.jsonl")
    while not (journal.exists() and b'"face until' in journal.read_bytes()):
        time.sleep(1)
    begun.kill()
    begun.wait()
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    with journal.open("a", encoding="utf-8") as file:
        for part in ("face", "voice"):
            last = [line for line in lines if line["meta"].get("part") == part][-1]
            step = SECONDS if part == "face" else SECONDS + 0.1
            for k in range(1, int((60 * (minutes - 1) - last["meta"]["until"]) / step) + 1):
                file.write(json.dumps(_shifted(last, step * k), ensure_ascii=False) + "\n")
    return perceived(path, out, "--resume")[1]


def _shifted(line: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return a line of a journal as it would be so much later."""
    later: dict[str, Any] = json.loads(json.dumps(line))
    for track in later["tracks"]:
        track["start"], track["end"] = ([second + seconds for second in track[edge]] for edge in ("start", "end"))
    later["meta"]["until"] += seconds
    if "until" in later["meta"]["state"]:
        later["meta"]["state"]["until"] += seconds
    return later


def main() -> None:
    """Measure, print, keep."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--parts", nargs="+", choices=PARTS, default=["two"])
    ask.add_argument("--runs", type=int, default=3)
    ask.add_argument("--minutes", type=float, default=180)
    ask.add_argument("--out", default="answers.jsonl", help="the kind of file that is written")
    ask.add_argument("--dry", action="store_true", help="keep nothing")
    given = ask.parse_args()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder_:
        home = Path(folder_)
        path = minute(home)
        if "two" in given.parts:
            runs = [perceived(path, home / f"{k}-{given.out}") for k in range(given.runs)]
            took = statistics.median(seconds for seconds, _ in runs)
            found["two faces, 1280x720, one minute, seconds"] = took
            found["two faces, 1280x720, times real time"] = SECONDS / took
            found["two faces, 1280x720, peak memory, MB"] = statistics.median(peak for _, peak in runs)
        if "hours" in given.parts:
            took, peak = perceived(looped(path, given.minutes, home / "long.mp4"), home / given.out)
            what = f"{given.minutes:g} minutes of two faces, 1280x720"
            found |= {f"{what}, times real time": given.minutes * 60 / took, f"{what}, peak memory, MB": peak}
        if "end" in given.parts:
            peak = resumed(looped(path, given.minutes, home / "end.mp4"), given.minutes, home / f"end-{given.out}")
            found[f"{given.minutes:g} minutes of two faces, its end, peak memory, MB"] = peak
    for what, value in found.items():
        print(f"{what}: {value:.3g}")
    if not given.dry:
        file = RESULTS / "timeline-speed" / "timeline.json"
        before = _before(file)
        notes = f"whole processes; median of {given.runs} runs; clips {', '.join(CLIPS)} side by side, made voices"
        save("timeline-speed", "timeline", SECONDS * RATE, {}, None, before | found, notes)


def _before(file: Path) -> dict[str, float]:
    """Return the numbers that were kept before."""
    return dict(json.loads(file.read_text("utf-8"))["speed"]) if file.exists() else {}


if __name__ == "__main__":
    main()
