"""How fast talks are read for their feelings, turn by turn, with context; and how much memory a very long one takes.

    python -m benchmarks.dialogue_speed [--model dialogue.erc] [--dialogues 400] [--long 5000] [--dry]

Turns a second after loading, the text encoder included, over dialogues asked for together (what no encoder remembers:
no two turns are alike), as a talk goes on (one dialogue of ten turns asked for after each turn: milliseconds a turn),
and the peak memory of a process that reads one dialogue of 100 turns and of one that reads one of `--long`. The turns
are the posts of `benchmarks.speed`, always the same ones, said by two or three people in dialogues of ten turns.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.results import RESULTS, save
from benchmarks.speed import posts

SEED = 5
TURNS = 10
INSIDE = """
import json, resource, sys, time
import affetto
from affetto.core import catalog
from affetto.core.record import Record, Turn
model, path = sys.argv[1:]
asked = json.load(open(path, encoding="utf-8"))
def record(lines, id):
    return Record(id, turns=tuple(Turn("ABC"[k % (2 + len(lines) % 2)], None, line) for k, line in enumerate(lines)))
loaded = catalog.load(model)
loaded([record(["Hello there.", "Hi."], "first")])
start = time.perf_counter()
answers = loaded([record(lines, str(i)) for i, lines in enumerate(asked["together"])])
rate = sum(map(len, asked["together"])) / max(1e-9, time.perf_counter() - start)
start, count = time.perf_counter(), 0
for lines in asked["growing"]:
    for k in range(1, len(lines) + 1):
        loaded([record(lines[:k], "growing")])
        count += 1
each = 1000 * (time.perf_counter() - start) / max(1, count)
print(json.dumps([rate, each, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def lines(count: int, skip: int = 0) -> list[str]:
    """Return turns, no two alike."""
    return [f"{post} ({k})" for k, post in enumerate(itertools.islice(posts(), skip, skip + count))]


def asked(model: str, together: list[list[str]], growing: list[list[str]], folder: Path) -> tuple[float, float, float]:
    """Return turns a second, milliseconds a turn of a growing talk, and peak memory in MB, of a process of its own."""
    path = folder / "talks.json"
    path.write_text(json.dumps({"together": together, "growing": growing}), "utf-8")
    command = [sys.executable, "-c", INSIDE, model, str(path)]
    rate, each, peak = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    path.unlink()
    return rate, each, peak


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dialogue.erc")
    parser.add_argument("--dialogues", type=int, default=400)
    parser.add_argument("--long", type=int, default=5000)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    folder = RESULTS.parent
    some = lines(TURNS * options.dialogues)
    together = [some[i : i + TURNS] for i in range(0, len(some), TURNS)]
    rate, _, peak = asked(options.model, together, [], folder)
    _, each, _ = asked(options.model, [], together[:5], folder)
    _, _, short = asked(options.model, [lines(100)], [], folder)
    _, _, whole = asked(options.model, [lines(options.long)], [], folder)
    speed = {
        "dialogues together, encoder included, turns/s": rate,
        "dialogues together, peak memory, MB": peak,
        "a talk of ten turns as it grows, ms a turn": each,
        "one talk of 100 turns, peak memory, MB": short,
        f"one talk of {options.long:,} turns, peak memory, MB": whole,
    }
    for name, value in speed.items():
        print(f"{value:12,.1f}  {name}")
    if not options.dry:
        load = f"load of the machine when it ended {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        notes = f"{options.dialogues:,} dialogues of {TURNS} turns; {load}"
        print(save("dialogue-speed", options.model, len(some), {}, SEED, speed, notes).name)


if __name__ == "__main__":
    main()
