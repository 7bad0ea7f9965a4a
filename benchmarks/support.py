"""Which skills of supporters go with relief in ESConv, as `affetto study support` says it, kept as results.

    python -m benchmarks.support [--model dialogue.strategy ...]

One file for each way to ask: all talks with errors by problem, the same with each talk alone, and without the talks
that failed; and with `--model` the talks that no model of ours learned from, the skills labelled by it. Needs the data
folder (AFFETTO_DATA).
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from click.testing import CliRunner

from affetto.serve.studies import study
from benchmarks.results import save

BENCHMARK = "esconv-support"
KEPT = ("--split", "train", "--split", "dev", "--split", "test")
UNSEEN = ("--split", "dev", "--split", "test", "--split", "failed")
WAYS: dict[str, tuple[str, ...]] = {
    "supporters": (),
    "supporters-each-talk": ("--cluster", "none"),
    "supporters-without-failed": KEPT,
}


def asked(options: Sequence[str]) -> dict[str, Any]:
    """Return what the command says, as JSON."""
    said = CliRunner().invoke(study, ["support", "esconv", "--json", *options])
    if said.exit_code:
        raise SystemExit(said.output)
    found: dict[str, Any] = json.loads(said.output)
    return found


def metrics(found: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return every estimate with its interval, and what is said of it without one."""
    made: dict[str, dict[str, float]] = {}
    for one in found["effects"]:
        name, pairs = one["skill"], one["matching"]
        made[f"relief a SD, {name}"] = _ends(one["alone"])
        made[f"p by Holm, {name}"] = {"value": one["p_holm"]}
        if one["together"]:
            made[f"relief a SD beside the others, {name}"] = _ends(one["together"])
        if pairs:
            made[f"naive difference, {name}"] = _ends(pairs["naive"])
            made[f"matched difference, {name}"] = _ends(pairs["effect"])
            for key, words in _PLAIN.items():
                made[f"{words}, {name}"] = {"value": float(pairs[key])}
    return made


_PLAIN = {
    "p_holm": "p by Holm of matched",
    "pairs": "pairs",
    "before": "largest SMD before",
    "after": "largest SMD matched",
    "e_value": "E-value",
    "e_limit": "E-value of the interval",
}


def _ends(one: Mapping[str, float]) -> dict[str, float]:
    return {key: one[key] for key in ("value", "low", "high")}


def main() -> None:
    """Ask in each way, and keep the answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[])
    models = parser.parse_args().model
    ways = dict(WAYS)
    if models:
        ways["-".join(models)] = (*UNSEEN, *(part for id in models for part in ("--model", id)))
    for name, options in ways.items():
        found = asked(options)
        whose = f"errors by {found['clusters']}, {found['groups']} of them" if found["clusters"] else "each talk alone"
        command = " ".join(("affetto study support esconv", *options))
        notes = f"{command}; {whose}; {' '.join(found['limits'])}"
        path = save(BENCHMARK, name, found["n"], metrics(found), None, {}, notes)
        print(f"{path.name}: {found['n']:,} talks, relief {found['relief']:.2f}")


if __name__ == "__main__":
    main()
