"""Words, voice and face of MELD's turns fused by attention across a dialogue, after M2FNet; measured, not published.

    python -m recipes.dialogue_m2fnet --work build/dialogue-erc [--seed 20] [--dry]

There are no clips at hand, and eGeMAPS only of dev and test (`recipes.fusion_meld` reads those). What there is for
train too are words about each clip (`features/meld_opensmile`): how the voice sounds in six graded traits, and how
strong which action units of the face are. They are read back into numbers, 20 of the voice and one a unit of the face.
So the encoders of Chudasama et al. 2022 (a CNN over mel pictures, a dual network over scenes and faces, their triplet
losses) have nothing to learn from here; what is theirs is what follows: a transformer a channel across the turns with a
skip around it, text re-weighed by attention to the voice, then to the face, all joined, and a classifier. Text is what
`text.affect-en` knows of a turn. As nothing tells a turn's place, the order of turns changes no answer. Each is trained
on train and stopped where dev is best; test is only measured: each channel alone, text with each, and all three. `gain`
is how much all three are above text alone, over the same drawn dialogues. Ten minutes on one core.
"""

import argparse
import copy
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from affetto.metrics.classification import chosen, weighted_f1
from benchmarks.results import interval, save
from recipes import corpora
from recipes.dialogue_lessons import Dialogue, dialogues, heard
from recipes.dialogue_network import SMALL, SMALL_HEADS, Small

TRAITS = (
    r"(low|moderate|high)-pitched",
    r"(stable|moderately expressive|highly expressive) speech",
    r"with (low|moderate|high) energy",
    r", (stable|slightly unstable|shaky) voice",
    r", (clear|slightly rough|rough) tone",
    r"and (minimal|moderate|noticeable|high) background",
)
"""What is said of a voice."""
SIGN = re.compile(r"([A-Za-z ]+) \(intensity: ([\d.]+)\)")
CHANNELS = ("text", "voice", "face")
SETS = (("text",), ("voice",), ("face",), ("text", "voice"), ("text", "face"), CHANNELS)
SPLITS = ("train", "dev", "test")
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Talk:
    """One dialogue: of each channel n x d, and n labels."""

    channels: dict[str, Floats]
    truth: Ints


class Fusion(nn.Module):
    """Channels of a dialogue's turns in (1 x n x d each), logits out (1 x n x 7)."""

    def __init__(self, widths: dict[str, int], drop: float = 0.4) -> None:
        super().__init__()
        self.enter = nn.ModuleDict({name: nn.Linear(width, SMALL) for name, width in widths.items()})
        self.across = nn.ModuleDict({name: Small(drop) for name in widths})
        self.seen = nn.ModuleDict(
            {name: nn.MultiheadAttention(SMALL, SMALL_HEADS, batch_first=True) for name in widths if name != "text"}
        )
        self.norm = nn.ModuleDict({name: nn.LayerNorm(SMALL) for name in self.seen})
        self.drop = nn.Dropout(drop)
        self.out = nn.Sequential(
            nn.Linear(SMALL * len(widths), SMALL), nn.ReLU(), nn.Dropout(drop), nn.Linear(SMALL, 7)
        )

    def forward(self, channels: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the logits."""
        n = next(iter(channels.values())).shape[1]
        free = torch.zeros(1, 1, n, n)
        known = {}
        for name, layer in self.enter.items():
            x = layer(self.drop(channels[name]))
            known[name] = x + self.across[name](x, free)
        if "text" in known:
            for name, attention in self.seen.items():
                more, _ = attention(known["text"], known[name], known["text"], need_weights=False)
                known["text"] = self.norm[name](known["text"] + self.drop(more))
        return self.out(torch.cat(list(known.values()), -1))


def described(split: str, kind: str, key: str) -> dict[str, list[str]]:
    """Return what is said of the clips of each dialogue, in the order of its turns."""
    path = corpora.DATA / "features" / "meld_opensmile" / f"{split}_{kind}.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return {number: one[key] for number, one in json.load(file).items()}


def voice_of(words: str) -> Floats:
    """Return 20 numbers: of each trait which grade it has, and whether nothing is said."""
    found: list[float] = []
    for trait in TRAITS:
        grades = trait[trait.index("(") + 1 : trait.index(")")].split("|")
        match = re.search(trait, words)
        found += [float(match is not None and match[1] == grade) for grade in grades]
    return np.array([*found, float(not any(found))], np.float32)


def talks(work: Path) -> dict[str, list[Talk]]:
    """Return the dialogues of each split, those of train that leak left out."""
    every = dialogues()
    faces = {split: described(split, "visual_expressions", "visual_expressions") for split in SPLITS}
    signs = sorted({name.strip() for ones in faces["train"].values() for one in ones for name, _ in SIGN.findall(one)})
    found = {}
    for split in SPLITS:
        mine = every["meld", split]
        text = heard(mine, work / ("meld.npy" if split == "train" else f"meld-{split}.npy"))
        voices, numbers = described(split, "audio_descriptions", "audio_descriptions"), _numbers(faces[split])
        found[split] = [
            Talk({"text": x, **_shown(talk, numbers, voices, faces[split], signs)}, talk.labels)
            for talk, x in zip(mine, text, strict=True)
        ]
    mean, spread = (f(np.concatenate([talk.channels["text"] for talk in found["train"]])) for f in (_mean, _spread))
    for talk in (talk for some in found.values() for talk in some):
        talk.channels["text"] = np.clip((talk.channels["text"] - mean) / spread, -4, 4)
    return found


def _mean(x: Floats) -> Floats:
    return np.asarray(x.mean(0))


def _spread(x: Floats) -> Floats:
    return np.asarray(x.std(0) + 1e-6)


def _numbers(ones: dict[str, list[str]]) -> int:
    """Return the least number of a split's dialogues, which are counted on from split to split."""
    return min(map(int, ones))


def _shown(
    talk: Dialogue, first: int, voices: dict[str, list[str]], faces: dict[str, list[str]], signs: Sequence[str]
) -> dict[str, Floats]:
    """Return voice and face of a dialogue's turns; nothing where the lists are not as long as the dialogue."""
    number = str(int(talk.record.id.rpartition("-")[2]) + first)
    n = len(talk.labels)
    heard, seen = (found.get(number, []) for found in (voices, faces))
    voice = np.stack([voice_of(words) for words in (heard if len(heard) == n else [""] * n)])
    face = np.zeros((n, len(signs) + 1), np.float32)
    for row, words in zip(face, seen if len(seen) == n else [""] * n, strict=True):
        for name, strength in SIGN.findall(words):
            if name.strip() in signs:
                row[signs.index(name.strip())] = float(strength) / 5
        row[-1] = not words
    return {"voice": voice, "face": face}


def trained(some: dict[str, list[Talk]], names: Sequence[str], seed: int, epochs: int = 8) -> Fusion:
    """Train on some channels; of its epochs, return the one that is best on dev."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Fusion({name: some["train"][0].channels[name].shape[1] for name in names})
    steps = epochs * (len(some["train"]) // 16 + 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-4, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-4, total_steps=steps + 1, pct_start=0.15)
    best, kept = -1.0, network
    for _ in range(epochs):
        network.train()
        for rows in np.array_split(rng.permutation(len(some["train"])), len(some["train"]) // 16 + 1):
            losses = [_loss(network, some["train"][i], names) for i in rows]
            torch.autograd.backward(torch.stack(losses).sum() / sum(len(some["train"][i].truth) for i in rows))
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        reached = f1(*_said(network.eval(), some["dev"], names))
        if reached > best:
            best, kept = reached, copy.deepcopy(network)
    print(f"{'+'.join(names)}: dev {best:.4f}", flush=True)
    return kept.eval()


def _loss(network: Fusion, talk: Talk, names: Sequence[str]) -> torch.Tensor:
    logits = network({name: torch.from_numpy(talk.channels[name])[None] for name in names})[0]
    return nn.functional.cross_entropy(logits, torch.from_numpy(talk.truth), label_smoothing=0.05, reduction="sum")


@torch.no_grad()
def _said(network: Fusion, some: Sequence[Talk], names: Sequence[str]) -> tuple[Ints, Ints]:
    """Return truth and answers of all turns, in order."""
    said = []
    for talk in some:
        logits = network({name: torch.from_numpy(talk.channels[name])[None] for name in names})[0]
        said.append(logits.argmax(-1).numpy())
    return np.concatenate([talk.truth for talk in some]), np.concatenate(said)


def f1(truth: Ints, said: Ints) -> float:
    """Return the weighted F1."""
    return weighted_f1(chosen(truth, 7), chosen(said, 7))


def main() -> None:
    """Train each set of channels, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    some = talks(options.work)
    whose = np.repeat(np.arange(len(some["test"])), [len(talk.truth) for talk in some["test"]])
    said: dict[str, Ints] = {}
    for names in SETS:
        network = trained(some, names, options.seed)
        truth, said["+".join(names)] = _said(network, some["test"], names)
    scores = {
        f"weighted_f1, {name}": interval(
            lambda rows, x=x: f1(truth[rows], x[rows]), len(truth), options.seed, whose, 500
        )
        for name, x in said.items()
    }
    both, text = said["+".join(CHANNELS)], said["text"]
    scores["gain over text alone"] = interval(
        lambda rows: f1(truth[rows], both[rows]) - f1(truth[rows], text[rows]), len(truth), options.seed, whose, 500
    )
    for name, score in scores.items():
        print(f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]  {name}")
    if not options.dry:
        notes = "official test; voice and face from words about the clips; intervals over dialogues"
        save("m2fnet-meld", "recipe.dialogue_m2fnet", len(truth), scores, options.seed, {}, notes)


if __name__ == "__main__":
    main()
