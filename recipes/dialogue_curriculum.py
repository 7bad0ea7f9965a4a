"""Whether an order from easy to hard, and the nearest labelled turns, help to recognise emotions in talk: an ablation.

    python -m recipes.dialogue_curriculum [--corpora meld emorynlp] [--seeds 5]

Parts of PRC-Emo (Li et al. 2026) on a small network of our own: what `text.affect-en` knows of each turn, a layer to
128 numbers, a causal transformer layer over the talk that sees how far back a turn is and whether its speaker is the
same. Four arms with the same seeds and epochs: plain; with the curriculum (two buckets by `study.difficulty`, one added
an epoch, then all); with the shares of the 16 nearest training turns as further features (never of the same talk); with
both. The epoch is chosen on dev, in each run. Training talks that share two or more longer turns with a talk of dev or
test are left out. Intervals are over talks, of the mean over seeds; so are those of the differences from plain.
Writes benchmarks/results/<corpus>-curriculum/<arm>.json.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.metrics.classification import weighted_f1
from affetto.models.dialogue.nearest import Nearest
from affetto.study.difficulty import ShiftOptions, difficulties, labels_of
from affetto.train.curriculum import epochs
from benchmarks.results import interval, save

log = logging.getLogger("dialogue.curriculum")
SPACES = {"meld": "ekman-7", "emorynlp": "emorynlp-7"}
ARMS = {"plain": (False, False), "curriculum": (True, False), "nearest": (False, True), "both": (True, True)}
EPOCHS, BATCH, RATE, DECAY = 10, 32, 1e-3, 0.05
WIDTH, HEADS, LAYERS, DROP, FAR = 128, 4, 1, 0.4, 16
NEIGHBOURS = 16
SHORT = 5
"""Words below which a turn is said twice by chance."""


@dataclass(frozen=True)
class Part:
    """Talks of a split, as arrays."""

    known: list[np.ndarray]
    """Of each talk, turns x features."""
    same: list[np.ndarray]
    """Of each talk, turns x turns, whether their speakers are the same."""
    labels: list[np.ndarray]


class Talks(torch.nn.Module):
    """Features of turns (b x t x d) and who speaks (b x t x t) in, logits (b x t x k) out; no turn sees a later one."""

    def __init__(self, size: int, labels: int) -> None:
        super().__init__()
        self.inward = torch.nn.Sequential(torch.nn.Dropout(DROP), torch.nn.Linear(size, WIDTH), torch.nn.GELU())
        self.bias = torch.nn.Parameter(torch.zeros(HEADS, 2, FAR + 1))
        self.layers = torch.nn.ModuleList(
            torch.nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, DROP, "gelu", batch_first=True, norm_first=True)
            for _ in range(LAYERS)
        )
        self.outward = torch.nn.Sequential(
            torch.nn.LayerNorm(2 * WIDTH), torch.nn.Dropout(DROP), torch.nn.Linear(2 * WIDTH, labels)
        )

    def forward(self, known: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        size = known.shape[1]
        back = (torch.arange(size)[:, None] - torch.arange(size)[None]).clamp(-1, FAR)
        bias = self.bias[:, same.long(), back.clamp(min=0)].permute(1, 0, 2, 3)
        mask = bias.masked_fill(back < 0, -1e4).reshape(-1, size, size)
        inner = turns = self.inward(known)
        for layer in self.layers:
            turns = layer(turns, src_mask=mask)
        return self.outward(torch.cat([inner, turns], -1))


def batch(part: Part, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return talks as padded tensors; labels of nothing are -1."""
    size = max(len(part.labels[i]) for i in rows)
    known = torch.zeros(len(rows), size, part.known[0].shape[1])
    same = torch.zeros(len(rows), size, size)
    labels = torch.full((len(rows), size), -1)
    for k, i in enumerate(rows):
        n = len(part.labels[i])
        known[k, :n] = torch.from_numpy(part.known[i])
        same[k, :n, :n] = torch.from_numpy(part.same[i])
        labels[k, :n] = torch.from_numpy(part.labels[i])
    return known, same, labels


@torch.no_grad()
def answers(module: Talks, part: Part) -> list[np.ndarray]:
    """Return the chosen label of each turn of each talk."""
    module.eval()
    found: list[np.ndarray] = [np.zeros(0, np.int64)] * len(part.labels)
    order = np.argsort([len(labels) for labels in part.labels], kind="stable")
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        known, same, _ = batch(part, rows)
        best = module(known, same).argmax(-1).numpy()
        for k, i in enumerate(rows):
            found[i] = best[k, : len(part.labels[i])]
    return found


def f1(truth: Sequence[np.ndarray], said: Sequence[np.ndarray], labels: int) -> float:
    """Return the weighted F1 over labelled turns."""
    true, chosen = np.concatenate(truth), np.concatenate(said)
    there = true >= 0
    return weighted_f1(np.eye(labels)[true[there]], np.eye(labels)[chosen[there]])


def run(parts: Mapping[str, Part], hard: np.ndarray | None, labels: int, seed: int) -> dict[str, list[np.ndarray]]:
    """Train once; return what is said of dev and test at the epoch that is best on dev."""
    torch.manual_seed(seed)
    learn = parts["train"]
    module = Talks(learn.known[0].shape[1], labels)
    steps = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=DECAY)
    order = np.zeros(len(learn.labels)) if hard is None else hard
    best, kept = -1.0, {}
    for number, rows in enumerate(epochs(order, EPOCHS, 1 if hard is None else 2, seed)):
        module.train()
        for group in steps.param_groups:
            group["lr"] = RATE * (1 - number / EPOCHS)
        for start in range(0, len(rows), BATCH):
            known, same, truth = batch(learn, rows[start : start + BATCH])
            loss = torch.nn.functional.cross_entropy(
                module(known, same).flatten(0, 1), truth.flatten(), ignore_index=-1
            )
            steps.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            steps.step()
        said = answers(module, parts["dev"])
        score = f1(parts["dev"].labels, said, labels)
        if score > best:
            best, kept = score, {"dev": said, "test": answers(module, parts["test"])}
    log.info("seed %d, dev %.4f", seed, best)
    return kept


def longer(record: Record) -> set[str]:
    """Return the longer turns of a talk, in small letters and digits only."""
    plain = ("".join(c if c.isalnum() or c.isspace() else "" for c in turn.text.casefold()) for turn in record.turns)
    return {" ".join(text.split()) for text in plain if len(text.split()) >= SHORT}


def without_leaks(train: Sequence[Record], held: Sequence[Record]) -> list[Record]:
    """Return the talks that share fewer than two longer turns with every talk that is held out."""
    owner: dict[str, set[int]] = {}
    for number, record in enumerate(held):
        for text in longer(record):
            owner.setdefault(text, set()).add(number)
    kept = []
    for record in train:
        shared = [number for text in longer(record) for number in owner.get(text, ())]
        if not shared or max(np.bincount(shared)) < 2:
            kept.append(record)
    return kept


def parts_of(records: Mapping[str, Sequence[Record]], space: Space) -> tuple[dict[str, Part], dict[str, Part]]:
    """Return the splits as arrays, without and with the nearest turns' labels."""
    encoder = load("text.affect-en").network
    known, talks, labels = {}, {}, {}
    for split, mine in records.items():
        texts = [turn.text for record in mine for turn in record.turns]
        logits, state = encoder.heard(texts, ("logits", "known"))
        known[split] = np.concatenate([state, logits], 1).astype(np.float32)
        talks[split] = [f"{split}:{record.id}" for record in mine for _ in record.turns]
        labels[split] = np.array([label for record in mine for label in labels_of(record, space)])
    mean, spread = known["train"].mean(0), known["train"].std(0) + 1e-6
    width = known["train"].shape[1] - logits.shape[1]
    there = labels["train"] >= 0
    store = Nearest.of(
        known["train"][there, :width],
        labels["train"][there],
        ["train"] * int(there.sum()),
        [talk for talk, yes in zip(talks["train"], there, strict=True) if yes],
    )
    plain, near = {}, {}
    for split, mine in records.items():
        shares = store.shares(known[split][:, :width], len(space.axes), NEIGHBOURS, talks[split])
        scaled = (known[split] - mean) / spread
        cuts = np.cumsum([len(record.turns) for record in mine])[:-1]
        same = [np.array([[a.speaker == b.speaker for b in r.turns] for a in r.turns], np.float32) for r in mine]
        truth = np.split(labels[split], cuts)
        plain[split] = Part(np.split(scaled, cuts), same, truth)
        near[split] = Part(np.split(np.concatenate([scaled, 4 * shares], 1), cuts), same, truth)
    return plain, near


def ablation(corpus: str, seeds: int) -> None:
    """Train all arms on a corpus, and keep what they reach."""
    space = load(SPACES[corpus])
    records = {split: list(load(corpus).read(split)) for split in ("train", "dev", "test")}
    everything = len(records["train"])
    records["train"] = without_leaks(records["train"], [*records["dev"], *records["test"]])
    log.info("%s: %d of %d training talks left", corpus, len(records["train"]), everything)
    options = ShiftOptions(own_points=corpus != "meld")
    hard = np.array([one.value for one in difficulties(records["train"], space, options)])
    plain, near = parts_of(records, space)
    said: dict[str, list[dict[str, list[np.ndarray]]]] = {}
    for arm, (ordered, looked) in ARMS.items():
        log.info("%s, %s", corpus, arm)
        parts = near if looked else plain
        said[arm] = [run(parts, hard if ordered else None, len(space.axes), seed) for seed in range(seeds)]
    for arm, runs in said.items():
        metrics = {}
        for split in ("dev", "test"):
            truth = plain[split].labels

            def score(rows: np.ndarray, split: str = split, runs: list = runs, truth: list = truth) -> float:
                true = [truth[i] for i in rows]
                return float(np.mean([f1(true, [one[split][i] for i in rows], len(space.axes)) for one in runs]))

            metrics[f"weighted F1, {split}"] = interval(score, len(truth), 7, resamples=400)
            if arm != "plain":
                base = said["plain"]
                metrics[f"weighted F1 over plain, {split}"] = interval(
                    lambda rows, score=score, base=base: score(rows) - score(rows, runs=base), len(truth), 7, None, 400
                )
            each = [f1(truth, one[split], len(space.axes)) for one in runs]
            spread = float(np.std(each))
            metrics[f"standard deviation over seeds, {split}"] = {"value": spread, "low": np.nan, "high": np.nan}
        notes = (
            f"{seeds} seeds, {EPOCHS} epochs, the best of them by dev; {len(records['train'])} of {everything} "
            "training talks (the others share two or more longer turns with dev or test); intervals over talks"
        )
        n = sum(len(labels) for labels in plain["test"].labels)
        print(save(f"{corpus}-curriculum", arm, n, metrics, 7, {}, notes))
        print(arm, {name: round(one["value"], 4) for name, one in metrics.items()})


def main() -> None:
    """Run the ablation on each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", default=["meld", "emorynlp"], choices=sorted(SPACES))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # it reads no mask that differs from head to head
    for corpus in options.corpora:
        ablation(corpus, options.seeds)


if __name__ == "__main__":
    main()
