"""What a recipe writes into a card: the checksum of its weights, and the scores that its run measured."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from affetto.models.weights import checksum

HOME = Path(__file__).resolve().parents[1]
SCORES = "\n# Scores: written by the recipe from benchmarks/results; do not edit by hand.\n"


def update(model: str, weight_file: Path, benchmarks: Sequence[str], base: str = "", room: str = "text") -> None:
    """Bring a card up to date with its weight file, the results of `benchmarks`, and its base's checksum."""
    path = HOME / "src/affetto/models" / room / f"{model}.toml"
    text = path.read_text("utf-8").split(SCORES)[0].rstrip("\n") + "\n"
    text = re.sub(r'^sha256 = ".*"$', f'sha256 = "{checksum(weight_file)}"', text, flags=re.M)
    if base:
        text = re.sub(r'^base_sha256 = ".*"$', f'base_sha256 = "{base}"', text, flags=re.M)
    for benchmark in benchmarks:
        plain = json.loads((HOME / "benchmarks/results" / benchmark / f"{model}.json").read_text("utf-8"))
        for name, score in plain["metrics"].items():
            row = {"benchmark": benchmark, "metric": name, "n": plain["n"]}
            row |= {key: round(score[key], 4) for key in ("value", "low", "high") if score[key] is not None}
            lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items())
            text += f"{SCORES if SCORES not in text else ''}\n[[scores]]\n{lines}"
    path.write_text(text, "utf-8")
