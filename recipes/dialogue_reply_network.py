"""The network of `dialogue.reply`, its lessons, and how it is taught: eight looks at turns that are read already.

A conversation is the middle states of its last turns, laid end to end, each with a mark of how far back it lies and
whose it is; a reply is those of its own words. Each look weighs all word pieces and takes their mean; the looks and the
largest values go through two layers, other ones for a talk than for a reply, and end in 256 numbers of length 1. Talks
and their replies are brought together, and all others of the batch apart (InfoNCE, van den Oord et al. 2018). In the
second stage the words that talk and reply share count beside the vectors, as they do where the network is used, word
pieces are left out at random, and a teacher is followed: MiniLM, in whose vectors a talk is the weighed mean of its
turns. Knows torch and arrays; `recipes.dialogue_reply` knows the corpora and what is published.
"""

import copy
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix

from affetto.models.dialogue.replying import BACK, BITS, WIDTH
from affetto.models.dialogue.words import PIECES
from affetto.models.text.encoder import Network

log = logging.getLogger("dialogue.reply")
INNER, LOOKS, PART, HIDDEN = 384, 8, 96, 512
"""Width of a state, how many looks, numbers kept of each, and width of the hidden layer."""
Laid = tuple[Sequence[str], Sequence[int]]
"""Texts, and the kind of each."""


class Towers(torch.nn.Module):
    """States (n x t x 384), kinds (n x t) and mask (n x t) in, vectors of length 1 (n x 256) out.

    Kind 0 is a reply's; 1 to 3 a turn of another than who replies, so many turns back; 4 to 6 one of his own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(INNER)
        self.look = torch.nn.Linear(INNER, 64)
        self.weigh = torch.nn.Linear(64, LOOKS, bias=False)
        self.kinds = torch.nn.Embedding(1 + 2 * BACK, LOOKS)
        torch.nn.init.zeros_(self.kinds.weight)
        self.values = torch.nn.Parameter(torch.randn(LOOKS + 1, INNER, PART) / math.sqrt(INNER))
        self.sides = torch.nn.ModuleList(_side((LOOKS + 1) * PART) for _ in range(2))
        torch.nn.init.orthogonal_(self.sides[0]["skip"].weight)
        self.sides[1]["skip"].weight.data.copy_(self.sides[0]["skip"].weight)
        for side in self.sides:
            side["down"].weight.data.mul_(0.1)
        self.drop = torch.nn.Dropout(0.15)
        self.lost = 0.0
        self.scale = torch.nn.Parameter(torch.tensor(math.log(15.0)))
        self.shared = torch.nn.Parameter(torch.tensor([0.05, 0.05, 0.3]))
        self.guess = torch.nn.Linear((LOOKS + 1) * PART, INNER)

    def forward(self, states: torch.Tensor, kinds: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the vectors: replies' where the first kind is 0, else talks'."""
        z = self.looked(states, kinds, mask)
        reply = (kinds[:, :1] == 0).to(z.dtype)
        vectors = reply * self._ended(0, z) + (1 - reply) * self._ended(1, z)
        return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-6)

    def looked(self, states: torch.Tensor, kinds: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return what all looks and the largest values give, n x 864."""
        x = self.norm(states)
        if self.training and self.lost:
            kept = torch.rand(mask.shape) > self.lost
            kept[:, 0] = True
            mask = mask * kept
        hidden = (1 - mask.to(x.dtype)).unsqueeze(-1) * -1e4
        shares = (self.weigh(torch.tanh(self.look(x))) + self.kinds(kinds) + hidden).softmax(1)
        looks = shares.transpose(1, 2) @ x
        largest = (x + hidden).max(1).values - 1.5
        parts = [looks[:, k] @ self.values[k] for k in range(LOOKS)] + [largest @ self.values[LOOKS]]
        z = torch.cat(parts, -1)
        return self.drop(torch.nn.functional.layer_norm(z, ((LOOKS + 1) * PART,)))

    def _ended(self, side: int, z: torch.Tensor) -> torch.Tensor:
        layers = self.sides[side]
        return layers["down"](self.drop(torch.nn.functional.gelu(layers["up"](z)))) + layers["skip"](z)


def _side(width: int) -> torch.nn.ModuleDict:
    return torch.nn.ModuleDict(
        {
            "up": torch.nn.Linear(width, HIDDEN),
            "down": torch.nn.Linear(HIDDEN, WIDTH),
            "skip": torch.nn.Linear(width, WIDTH, bias=False),
        }
    )


class States:
    """The middle states of many texts, half precision, in one file; each text's first pieces only."""

    def __init__(self, path: Path, texts: Sequence[str], network: Network) -> None:
        """Open the file, or read the texts by the network and write it."""
        self.place = {text: k for k, text in enumerate(dict.fromkeys(texts))}
        ends = path.with_suffix(".npy")
        if not ends.exists():
            _write_states(path, list(self.place), network)
        self.ends = np.load(ends)
        assert len(self.ends) == len(self.place) + 1, f"{path} was made of other texts; remove it"
        self.flat = np.memmap(path, np.float16, "r").reshape(-1, INNER)

    def __getitem__(self, text: str) -> np.ndarray:
        """Return the states of a text, t x 384."""
        k = self.place[text]
        return self.flat[self.ends[k] : self.ends[k + 1]]

    def size(self, texts: Sequence[str]) -> int:
        """Return how many word pieces are kept of texts."""
        places = [self.place[text] for text in texts]
        return sum(int(self.ends[k + 1] - self.ends[k]) for k in places)


def _write_states(path: Path, texts: list[str], network: Network, block: int = 4096) -> None:
    ends = [0]
    with path.open("wb") as file:
        for at in range(0, len(texts), block):
            found: dict[int, np.ndarray] = {}
            for rows, _, states, mask in network.states(texts[at : at + block]):
                for row, state, size in zip(rows, states, mask.sum(1), strict=True):
                    found.setdefault(int(row), state[: min(int(size), PIECES)].astype(np.float16))
            for row in range(len(found)):
                file.write(found[row].tobytes())
                ends.append(ends[-1] + len(found[row]))
            log.info("read %d of %d texts", at + len(found), len(texts))
    np.save(path.with_suffix(".npy"), np.array(ends))


@dataclass(frozen=True)
class Pair:
    """What was said, and what was answered."""

    talk: tuple[tuple[str, bool], ...]
    """The last turns, the latest last, and whether each was said by who replies."""
    reply: str
    dialogue: str

    def laid(self) -> Laid:
        """Return the texts of the talk, the latest first, and their kinds."""
        turns = self.talk[::-1][:BACK]
        return [text for text, _ in turns], [1 + k + BACK * own for k, (_, own) in enumerate(turns)]


def padded(states: States, rows: Sequence[Laid]) -> tuple[torch.Tensor, ...]:
    """Return rows as states, kinds and mask."""
    sizes = np.array([states.size(texts) for texts, _ in rows])
    out = np.zeros((len(rows), sizes.max(), INNER), np.float16)
    marks = np.zeros((len(rows), sizes.max()), np.int64)
    for i, (texts, kinds) in enumerate(rows):
        at = 0
        for text, kind in zip(texts, kinds, strict=True):
            found = states[text]
            out[i, at : at + len(found)], marks[i, at : at + len(found)] = found, kind
            at += len(found)
    mask = np.arange(sizes.max()) < sizes[:, None]
    return torch.from_numpy(out).float(), torch.from_numpy(marks), torch.from_numpy(mask).long()


def batches(pairs: Sequence[Pair], states: States, size: int, rng: np.random.Generator) -> Iterator[list[Pair]]:
    """Yield all pairs once, in batches of talks of like length."""
    lengths = np.array([states.size(pair.laid()[0]) for pair in pairs], float)
    order = np.argsort(lengths * rng.uniform(0.8, 1.25, len(lengths)))
    cuts = [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
    for i in rng.permutation(len(cuts)):
        yield [pairs[k] for k in cuts[i]]


class Overlaps:
    """Which words texts share, the rarer the more."""

    def __init__(self, states: States, checksums: Sequence[Sequence[int]], rarity: np.ndarray) -> None:
        """Take the checksums of the words of each text of the states, and how rare each is."""
        ends = np.concatenate([[0], np.cumsum([len(row) for row in checksums])])
        places = np.fromiter((place for row in checksums for place in row), np.int64)
        shape = (len(checksums), 1 << BITS)
        self.bags = csr_matrix((np.ones(len(places), np.float32), places, ends), shape=shape)
        self.place, self.rarity = states.place, rarity

    def __call__(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return, of each talk with each reply: the rarity of what they share, by the root of the reply's, squared."""
        talks = [pair.laid()[0] for pair in pairs]
        owner = np.repeat(np.arange(len(talks)), [len(texts) for texts in talks])
        turns = self.bags[[self.place[text] for texts in talks for text in texts]]
        whole = (
            csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(len(talks), len(owner))) @ turns
        )
        whole.data[:] = 1
        replies = self.bags[[self.place[pair.reply] for pair in pairs]]
        plain = (whole.multiply(self.rarity).tocsr() @ replies.T).toarray()
        squared = (whole.multiply(self.rarity**2).tocsr() @ replies.T).toarray() / 10
        signs = np.stack([plain, plain / np.sqrt(replies @ self.rarity + 1e-6), squared], -1)
        return torch.from_numpy(signs.astype(np.float32))


@dataclass(frozen=True)
class Teacher:
    """What MiniLM says of texts: vectors of length 1 by the places of the states, zeros where it was not asked."""

    vectors: np.ndarray
    trust: float = 0.35
    """Share of the loss that is its own opinion of which replies fit."""
    guess: float = 0.5
    """Weight of guessing its vectors of replies."""
    sharpness: float = 15.0
    turns: tuple[float, ...] = (0.6, 0.25, 0.15)
    """How much each turn of a talk counts, the latest first."""

    def of_replies(self, states: States, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return its vectors of the replies."""
        return torch.from_numpy(self.vectors[[states.place[pair.reply] for pair in pairs]].astype(np.float32))

    def of_talks(self, states: States, pairs: Sequence[Pair]) -> torch.Tensor:
        """Return its vectors of the talks; zeros where the latest turn was not asked for."""
        out = []
        for pair in pairs:
            rows = self.vectors[[states.place[text] for text in pair.laid()[0]]].astype(np.float32)
            mean = (rows * np.array(self.turns[: len(rows)])[:, None]).sum(0)
            out.append(mean / max(np.linalg.norm(mean), 1e-6) * bool(rows[0].any()))
        return torch.from_numpy(np.array(out, np.float32))


@dataclass(frozen=True)
class Class:
    """What is taught from."""

    states: States
    pairs: Sequence[Pair]
    overlaps: Overlaps | None = None
    teacher: Teacher | None = None


def loss(module: Towers, given: Class, pairs: Sequence[Pair]) -> torch.Tensor:
    """Return how badly each talk finds its reply among those of the batch, and each reply its talk."""
    states = given.states
    talks = module(*padded(states, [pair.laid() for pair in pairs]))
    laid = padded(states, [([pair.reply], [0]) for pair in pairs])
    replies = module(*laid)
    logits = module.scale.exp().clamp(max=60) * talks @ replies.T
    if given.overlaps is not None:
        logits = logits + given.overlaps(pairs) @ module.shared
    place = torch.tensor([states.place[pair.reply] for pair in pairs])
    twins = (place[:, None] == place[None]) & ~torch.eye(len(pairs), dtype=torch.bool)
    logits = logits.masked_fill(twins, -1e4)
    truth = torch.arange(len(pairs))
    cross = torch.nn.functional.cross_entropy
    value = 0.7 * cross(logits, truth) + 0.3 * cross(logits.T, truth)
    if given.teacher is None:
        return value
    by, to = given.teacher.of_talks(states, pairs), given.teacher.of_replies(states, pairs)
    asked, told = by.any(1), to.any(1)
    opinion = given.teacher.sharpness * by @ to.T
    rows = opinion.masked_fill(twins | ~told[None], -1e4).softmax(1)
    columns = opinion.T.masked_fill(twins | ~asked[None], -1e4).softmax(1)
    follows = 0.7 * -(rows * logits.log_softmax(1)).sum(1)[asked].mean()
    follows = follows + 0.3 * -(columns * logits.T.log_softmax(1)).sum(1)[told].mean()
    value = (1 - given.teacher.trust) * value + given.teacher.trust * follows
    near = torch.nn.functional.cosine_similarity(module.guess(module.looked(*laid)), to, dim=1)
    return value + given.teacher.guess * (1 - near)[told].mean()


@torch.no_grad()
def vectors(module: Towers, states: States, rows: Sequence[Laid]) -> np.ndarray:
    """Return the vectors of rows, n x 256."""
    module.eval()
    order = np.argsort([states.size(texts) for texts, _ in rows], kind="stable")
    out = np.zeros((len(rows), WIDTH), np.float32)
    for start in range(0, len(order), 128):
        part = order[start : start + 128]
        out[part] = module(*padded(states, [rows[i] for i in part])).numpy()
    return out


@dataclass(frozen=True)
class Lessons:
    """How long and how boldly to teach."""

    epochs: float
    rate: float
    """Peak learning rate: linear warm-up over a twentieth, then linear decay."""
    seed: int
    drop: float
    lost: float = 0.0
    """Share of word pieces that are left out."""
    decay: float = 0.02
    stop: int = 0
    """After how many steps to end, before the plan's end; 0: not before."""
    size: int = 256
    """Pairs of a batch."""
    average: float = 0.998
    """Decay a step of the averaged copy that is kept."""


STAGES = (
    Lessons(epochs=6, rate=1e-3, seed=0, drop=0.15, stop=1000),
    Lessons(epochs=3.5, rate=8e-4, seed=1, drop=0.2, lost=0.12, decay=0.05),
)
"""The first stage was ended early, when it knew its lessons better than dev's."""


def teach(module: Towers, given: Class, how: Lessons, kept: Path) -> Towers:
    """Teach towers, and keep their averaged weights in a file; one that is there is taken instead."""
    if kept.exists():
        module.load_state_dict(torch.load(kept))
        return module.eval()
    torch.manual_seed(how.seed)
    rng = np.random.default_rng(how.seed)
    module.drop.p, module.lost = how.drop, how.lost
    optimizer = torch.optim.AdamW(module.parameters(), lr=how.rate, weight_decay=how.decay)
    slow = copy.deepcopy(module)
    total = int(how.epochs * (len(given.pairs) // how.size))
    step, running, begun = 0, 0.0, time.monotonic()
    while step < (how.stop or total):
        for batch in batches(given.pairs, given.states, how.size, rng):
            step += 1
            module.train()
            for group in optimizer.param_groups:
                group["lr"] = how.rate * min(step / (total / 20), (total - step + 1) / (total * 0.95))
            value = loss(module, given, batch)
            optimizer.zero_grad()
            torch.autograd.backward(value)
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            decay = min(how.average, (step + 1) / (step + 10))
            with torch.no_grad():
                for old, new in zip(slow.parameters(), module.parameters(), strict=True):
                    old.lerp_(new, 1 - decay)
            running = value.item() if step == 1 else 0.98 * running + 0.02 * value.item()
            if step % 50 == 0:
                left = (time.monotonic() - begun) / step * ((how.stop or total) - step)
                log.info("step %d of %d, loss %.4f, %.0f s left", step, how.stop or total, running, left)
            if step >= (how.stop or total):
                break
    torch.save(slow.state_dict(), kept)
    return slow.eval()
