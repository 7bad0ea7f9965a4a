"""The two networks of `dialogue.erc`, whose answers are joined: one looks at word pieces, one at turns.

`Pieces`: the encoder's two upper layers over all turns of a window at once. A turn's word pieces, as the frozen lower
layers of `text.affect-en` leave them, look at the pieces of their own turn and of the turns before it; each head knows
how many turns back a piece lies and whether the same person said it. A turn is its first piece and the mean of all.
`Turns`: two small layers over what `text.affect-en` itself says and knows of each turn, in the same order. A flag opens
both to the turns after. One head a label set. Knows tensors; knows no corpora.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn

WIDTH, HEADS = 384, 12
HEARD = 768 + 47
"""What the encoder knows of a turn, and the logits that it answers."""
SMALL, SMALL_HEADS = 192, 6
"""Width and heads of the network of turns."""
NEAR = 8
"""Turns apart that are told apart, to either side; those further away are alike."""
SPACES = {"meld": 7, "emorynlp": 7, "dailydialog": 7}
"""Corpus -> labels of its head."""
HIDDEN = -1e4


@dataclass(frozen=True)
class Shape:
    """What of the networks may differ."""

    drop: float = 0.3
    """Of what a turn is known by, while pieces are learned."""
    tuned: int = 2
    """Upper layers that are begun from the encoder's."""
    layers: int = 2
    """Layers of the network of turns."""
    rest: float = 0.4
    """Dropout of the network of turns."""


def between(
    turn: torch.Tensor, speaker: torch.Tensor, future: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return for each pair how far apart it lies (0..16), whether one person says both, and what hides it."""
    far = turn[:, :, None] - turn[:, None, :]
    there = (turn[:, None, :] >= 0) & (turn[:, :, None] >= 0) & ((far >= 0) | (future > 0))
    same = (speaker[:, :, None] == speaker[:, None, :]).long()
    return far.clamp(-NEAR, NEAR) + NEAR, same, (~there).to(torch.float32)[:, None] * HIDDEN


class Layer(nn.Module):
    """One layer of BERT whose attention takes a bias a pair of pieces and head."""

    def __init__(self, bert: nn.Module, drop: float = 0.1) -> None:
        super().__init__()
        it = bert.attention.self
        self.query, self.key, self.value = (copy.deepcopy(getattr(it, name)) for name in ("query", "key", "value"))
        self.mixed = copy.deepcopy(bert.attention.output.dense)
        self.norm = copy.deepcopy(bert.attention.output.LayerNorm)
        self.up, self.down = copy.deepcopy(bert.intermediate.dense), copy.deepcopy(bert.output.dense)
        self.last = copy.deepcopy(bert.output.LayerNorm)
        self.drop = nn.Dropout(drop)

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return n x t x 384 of n x t x 384 and a bias n x heads x t x t."""
        n, t, _ = x.shape
        q, k, v = (f(x).view(n, t, HEADS, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        scores = q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5 + bias
        seen = (self.drop(scores.softmax(-1)) @ v).transpose(1, 2).reshape(n, t, WIDTH)
        x = self.norm(x + self.drop(self.mixed(seen)))
        return self.last(x + self.drop(self.down(nn.functional.gelu(self.up(x)))))


class Pieces(nn.Module):
    """States, turn numbers and speakers of a window's pieces in, logits of its turns out."""

    def __init__(self, layers: nn.ModuleList, shape: Shape) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(layer) for layer in list(layers)[-shape.tuned :]])
        self.back = nn.Parameter(torch.zeros(shape.tuned, 2 * NEAR + 1, 2, HEADS))
        self.drop = nn.Dropout(shape.drop)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * WIDTH, size) for name, size in SPACES.items()})

    def forward(
        self, states: torch.Tensor, turn: torch.Tensor, speaker: torch.Tensor, who: torch.Tensor, future: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return n x c x 21 logits and n x c x 768 of what is known of turns.

        Args:
            states: n x t x 384.
            turn: n x t, the number of each piece's turn; -1 behind the end.
            speaker: n x t, the number of who says it.
            who: n x c, who says each turn; -1 behind the end.
            future: one number: 1 where turns also see those after them, else 0.
        """
        place, same, hidden = between(turn, speaker, future)
        x = states
        for layer, back in zip(self.layers, self.back, strict=True):
            x = layer(x, back[place, same].permute(0, 3, 1, 2) + hidden)
        member = (turn[:, None, :] == torch.arange(who.shape[1], device=turn.device)[None, :, None]).to(x.dtype)
        first = torch.cat([torch.ones_like(turn[:, :1], dtype=torch.bool), turn[:, 1:] != turn[:, :-1]], 1)
        begins = member * first[:, None].to(x.dtype)
        mean = member @ x / member.sum(2, keepdim=True).clamp(min=1)
        known = self.drop(torch.cat([begins @ x, mean], -1))
        return torch.cat([head(known) for head in self.heads.values()], -1), known


class Small(nn.Module):
    """One layer in which turns look at turns."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mixed = (nn.Linear(SMALL, SMALL) for _ in range(4))
        self.up, self.down = nn.Linear(SMALL, 2 * SMALL), nn.Linear(2 * SMALL, SMALL)
        self.norm, self.last = nn.LayerNorm(SMALL), nn.LayerNorm(SMALL)
        self.drop = nn.Dropout(drop)

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return n x c x 192 of n x c x 192 and a bias n x heads x c x c."""
        n, c, _ = x.shape
        q, k, v = (f(x).view(n, c, SMALL_HEADS, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        scores = q @ k.transpose(2, 3) / (SMALL // SMALL_HEADS) ** 0.5 + bias
        seen = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, c, SMALL)
        x = self.norm(x + self.drop(self.mixed(seen)))
        return self.last(x + self.drop(self.down(nn.functional.relu(self.up(x)))))


class Turns(nn.Module):
    """What the encoder says and knows of a window's turns in, their logits out."""

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor, shape: Shape) -> None:
        """Take the mean and the spread (815 each) of what is heard."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.enter, self.begin = nn.Linear(HEARD + 1, SMALL), nn.LayerNorm(SMALL)
        self.layers = nn.ModuleList([Small(shape.rest) for _ in range(shape.layers)])
        self.back = nn.Parameter(torch.zeros(shape.layers, 2 * NEAR + 1, 2, SMALL_HEADS))
        self.drop = nn.Dropout(shape.rest)
        self.heads = nn.ModuleDict({name: nn.Linear(SMALL + HEARD, size) for name, size in SPACES.items()})
        for head in self.heads.values():
            nn.init.zeros_(head.weight)

    def forward(
        self, heard: torch.Tensor, who: torch.Tensor, future: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return n x c x 21 logits and n x c x 192 of what is known of turns.

        Args:
            heard: n x c x 815.
            who: n x c, who says each turn; -1 behind the end.
            future: as for `Pieces`.
        """
        number = torch.where(who >= 0, torch.arange(who.shape[1], device=who.device)[None], -1)
        place, same, hidden = between(number, who, future)
        said = ((heard - self.mean) / self.spread).clamp(-4, 4)
        flag = future.expand(said.shape[0], said.shape[1], 1)
        x = self.begin(self.enter(torch.cat([self.drop(said), flag], -1)))
        for layer, back in zip(self.layers, self.back, strict=True):
            x = layer(x, back[place, same].permute(0, 3, 1, 2) + hidden)
        known = torch.cat([self.drop(x), self.drop(said)], -1)
        return torch.cat([head(known) for head in self.heads.values()], -1), x


class Both(nn.Module):
    """The two together: a weighed mean of their logits, and what each knows."""

    def __init__(self, pieces: Pieces, turns: Turns, shares: torch.Tensor) -> None:
        """Take both, and how much of each of the 21 logits is that of the turns (0..1)."""
        super().__init__()
        self.pieces, self.turns = pieces, turns
        self.register_buffer("shares", shares)

    def forward(
        self,
        states: torch.Tensor,
        turn: torch.Tensor,
        speaker: torch.Tensor,
        heard: torch.Tensor,
        who: torch.Tensor,
        future: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return n x c x 21 logits and n x c x 960 of what is known of turns."""
        near, words = self.pieces(states, turn, speaker, who, future)
        far, among = self.turns(heard, who, future)
        return (1 - self.shares) * near + self.shares * far, torch.cat([words, among], -1)
