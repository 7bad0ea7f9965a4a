"""Whether it matters in what order turns are said: `dialogue.erc` on test dialogues as they are, shuffled, and alone.

    python -m benchmarks.dialogue_order [--model dialogue.erc] [--times 3] [--seed 20] [--dry]

Asked for each turn of the benchmark's test dialogues: as they were said, with the turns of each dialogue shuffled (the
mean over `--times` orders), and each turn as a dialogue of its own. `lost` is the score as they are less the other,
over the same drawn dialogues. The score is weighted F1; for DailyDialog the micro-F1 without neutral. Intervals are
over dialogues.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import load
from affetto.core.record import Record
from benchmarks.results import interval, save
from recipes.dialogue_labels import LABELS, MODELS, labels, score

Ints = npt.NDArray[np.int64]


def answers(model: str, records: Sequence[Record]) -> list[Ints]:
    """Return the number of each turn's decided label."""
    loaded = load(model)
    return [loaded.head.values(logits).argmax(1) for logits in loaded.logits(records)]


def shuffled(model: str, records: Sequence[Record], seed: int) -> list[Ints]:
    """Return the same of dialogues whose turns were shuffled, in the order in which they were said."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(record.turns)) for record in records]
    moved = [replace(r, turns=tuple(r.turns[k] for k in order)) for r, order in zip(records, orders, strict=True)]
    return [said[np.argsort(order)] for said, order in zip(answers(model, moved), orders, strict=True)]


def alone(model: str, records: Sequence[Record]) -> list[Ints]:
    """Return the same of turns that are dialogues of their own."""
    single = [replace(record, turns=(turn,)) for record in records for turn in record.turns]
    said = np.concatenate(answers(model, single))
    return list(np.split(said, np.cumsum([len(record.turns) for record in records])[:-1]))


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="dialogue.erc", choices=MODELS)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    corpus = MODELS[options.model][0]
    told = list(load(corpus).read("test", "en" if corpus == "dailydialog" else None))
    records = [record.blind() for record in told]
    truth = np.concatenate([labels(record, LABELS[corpus]) for record in told])
    whose = np.repeat(np.arange(len(told)), [len(record.turns) for record in told])[truth >= 0]
    ways = {"as said": [answers(options.model, records)]}
    ways["shuffled"] = [shuffled(options.model, records, options.seed + k) for k in range(options.times)]
    ways["each alone"] = [alone(options.model, records)]
    said = {name: [np.concatenate(one)[truth >= 0] for one in runs] for name, runs in ways.items()}
    truth = truth[truth >= 0]

    def of(name: str, rows: Ints) -> float:
        return float(np.mean([score(corpus, truth[rows], one[rows]) for one in said[name]]))

    found = {name: interval(lambda r, name=name: of(name, r), len(truth), options.seed, whose, 300) for name in said}
    for name in ("shuffled", "each alone"):
        found[f"lost when {name}"] = interval(
            lambda rows, name=name: of("as said", rows) - of(name, rows), len(truth), options.seed, whose, 300
        )
    for name, value in found.items():
        print(f"{value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]  {name}", flush=True)
    if not options.dry:
        kind = "micro-F1 without neutral" if corpus == "dailydialog" else "weighted F1"
        notes = f"{kind}; shuffled: mean over {options.times} orders; intervals over dialogues"
        print(save(f"dialogue-order-{corpus}", options.model, len(truth), found, options.seed, {}, notes).name)


if __name__ == "__main__":
    main()
