"""The network of `fusion.attention`: tokens are steps times channels, and one more a step that gathers what is said.

Two layers of attention over a window, each pair of tokens with a bias by how many steps they lie apart and by which
channels they are. At the end the gathering token of a step opens a gate to every token around it, and what comes
through, the channels' own log-probabilities, is added up: the network begins as a pool and learns when to trust whom.
What is hidden or missing is never looked at. Knows tensors.
"""

import torch
from torch import nn
from torch.nn import functional

from affetto.models.fusion.attention import CHANNELS, FEATURES, WIDTH

SIZE, HEADS, INNER, LAYERS = 48, 4, 96, 2
KINDS = len(CHANNELS) + 1
LABELS = 7
FAR = 8
"""Steps apart from which on all are as far."""


class Layer(nn.Module):
    """Attention and what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(SIZE), nn.LayerNorm(SIZE)
        self.asked, self.out = nn.Linear(SIZE, 3 * SIZE), nn.Linear(SIZE, SIZE)
        self.inner = nn.Sequential(nn.Linear(SIZE, INNER), nn.GELU(), nn.Dropout(0.1), nn.Linear(INNER, SIZE))
        self.near = nn.Parameter(torch.zeros(HEADS, 2 * FAR + 1, KINDS, KINDS))

    def forward(self, x: torch.Tensor, hidden: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return tokens n x m x SIZE; `hidden` is n x 1 x 1 x m, 0 or very negative; `places` m x m into `near`."""
        n, m, _ = x.shape
        q, k, v = self.asked(self.before(x)).reshape(n, m, 3, HEADS, SIZE // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(2, 3) / (SIZE // HEADS) ** 0.5 + biases(self.near, places) + hidden
        x = x + self.out((scores.softmax(3) @ v).transpose(1, 2).reshape(n, m, SIZE))
        return x + self.inner(self.after(x))


class FusionNetwork(nn.Module):
    """What `affetto.models.fusion.attention.features` gives, n x WIDTH x 3 x 13, to logits, n x WIDTH x 7."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = nn.Linear(FEATURES, SIZE)
        self.kinds = nn.Parameter(torch.randn(KINDS, SIZE) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.last = nn.LayerNorm(SIZE)
        self.ask, self.answer = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE)
        self.open = nn.Parameter(torch.full((1, 2 * FAR + 1, KINDS, KINDS), -4.0))
        self.head = nn.Linear(SIZE, LABELS)
        with torch.no_grad():
            self.open[:, FAR] = 0.5
        step = torch.arange(WIDTH).repeat_interleave(KINDS)
        kind = torch.arange(KINDS).repeat(WIDTH)
        apart = (step[None] - step[:, None]).clamp(-FAR, FAR) + FAR
        self.places = nn.Buffer(((apart * KINDS + kind[:, None]) * KINDS + kind[None]).int(), persistent=False)

    def forward(self, shown: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        n = shown.shape[0]
        said = torch.cat([shown[..., -1:], torch.ones_like(shown[:, :, :1, -1:])], 2)
        x = torch.cat([self.begin(shown), torch.zeros_like(self.begin(shown[:, :, :1]))], 2) + self.kinds
        x = x.reshape(n, WIDTH * KINDS, SIZE)
        hidden = (said.reshape(n, 1, 1, WIDTH * KINDS) - 1) * 1e4
        for layer in self.layers:
            x = layer(x, hidden, self.places)
        x = self.last(x)
        gather = x.reshape(n, WIDTH, KINDS, SIZE)[:, :, -1]
        rows = torch.arange(WIDTH) * KINDS + KINDS - 1
        gates = self.ask(gather) @ self.answer(x).transpose(1, 2) / SIZE**0.5
        gates = functional.softplus(gates + biases(self.open, self.places[rows])[0])
        logs = functional.pad(shown[..., :LABELS], (0, 0, 0, 1)).reshape(n, WIDTH * KINDS, LABELS)
        return gates @ logs + self.head(gather)


def biases(table: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return h x q x m of a table h x ..., by the places of each pair in it."""
    return table.reshape(table.shape[0], -1)[:, places]
