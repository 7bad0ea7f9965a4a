"""The networks of `speech.affect` and `speech.bursts`: a speech encoder as it came, and a small network on top of it.

The encoder is that of Whisper tiny (Radford et al. 2022, MIT), as Smart Turn 3.2 (Daily, BSD-2-Clause) trained it
further to hear from words and melody whether somebody has finished; `pip install --no-deps pipecat-ai==1.14.0` brings
its weights, as whole numbers. Its first two layers stay as they are: mean and deviation of their states over a clip go
to a hidden layer. That learns in seconds, from clips that were changed in five ways beforehand.
"""

import importlib.metadata
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import nn

from affetto.models.speech.affect import as_seen
from affetto.models.speech.mel import FINE_BANDS
from recipes.speech_augment import AugmentOptions, changed
from recipes.speech_lessons import Lesson

log = logging.getLogger("speech")
Floats = npt.NDArray[np.float32]
WIDTH, HEADS, LAYERS = 384, 6, 2
LONGEST = 800
"""Frames of a lesson, at most: 8 s."""
REMEMBERED = 2 * WIDTH * LAYERS
VERSIONS = 6
"""How often each clip is heard: as it is, and changed."""
AT_ONCE = 64
LEVELS = 16
"""Numbers that a weight of a hidden layer may be, each side of 0: fewer than int8 has, so that files pack smaller."""
_FILE = "smart-turn-v3.2-cpu.onnx"


class Layer(nn.Module):
    """A layer of a transformer that first normalises (Vaswani et al. 2017; Xiong et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, states: torch.Tensor, there: torch.Tensor | None) -> torch.Tensor:
        """Return the next states, n x t x 384; `there` (n x t) says which count, None: all."""
        n, t, _ = states.shape
        x = self.before(states)
        query, key, value = (
            one(x).view(n, t, HEADS, WIDTH // HEADS).transpose(1, 2) for one in (self.query, self.key, self.value)
        )
        match = query @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5
        if there is not None:
            match = match.masked_fill(~there[:, None, None], -1e9)
        states = states + self.out((match.softmax(3) @ value).transpose(1, 2).reshape(n, t, WIDTH))
        return states + self.narrow(nn.functional.gelu(self.wide(self.between(states))))


class SpeechNetwork(nn.Module):
    """Pictures of clips to logits: mean and deviation of each layer of the encoder, and the mean of small networks.

    Args:
        labels: how many logits.
        hidden: width of the hidden layer of each small network.
        heads: how many small networks.
    """

    def __init__(self, labels: int, hidden: int, heads: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv1d(FINE_BANDS, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.mean, self.spread = nn.Buffer(torch.zeros(REMEMBERED)), nn.Buffer(torch.ones(REMEMBERED))
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Dropout(0.2), nn.Linear(REMEMBERED, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, labels)
            )
            for _ in range(heads)
        )
        self.load_state_dict(pretrained(), strict=False)

    def remembered(self, mel: torch.Tensor, frames: torch.Tensor | None = None) -> torch.Tensor:
        """Return what is remembered, n x 1536, of pictures n x t x 80, t even, of which `frames` (n) count."""
        states = nn.functional.gelu(self.first(mel.transpose(1, 2)))
        states = nn.functional.gelu(self.second(states)).transpose(1, 2)
        places = torch.arange(states.shape[1])
        turns = places[:, None] * torch.exp(torch.arange(WIDTH // 2) * (-math.log(10_000) / (WIDTH // 2 - 1)))
        states = states + torch.cat([turns.sin(), turns.cos()], 1)
        there = None if frames is None else places[None] < torch.div(frames, 2, rounding_mode="floor")[:, None]
        share = torch.ones(states.shape[:2]) if there is None else there.float()
        share = (share / share.sum(1, keepdim=True))[..., None]
        found = []
        for layer in self.layers:
            states = layer(states, there)
            mean = (states * share).sum(1)
            found += [mean, ((states - mean[:, None]) ** 2 * share).sum(1).clamp_min(1e-8).sqrt()]
        return torch.cat(found, 1)

    def both(self, remembered: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits, n x labels, and what is known of each clip, n x heads * hidden, from what is remembered."""
        x = (remembered - self.mean) / self.spread
        known = [head[:3](x) for head in self.heads]
        said = [head[3:](one).log_softmax(1) for head, one in zip(self.heads, known, strict=True)]
        return torch.stack(said).mean(0), torch.cat(known, 1)


def pretrained() -> dict[str, torch.Tensor]:
    """Return the weights of the encoder as `SpeechNetwork` calls them, from whole numbers in the installed package."""
    file = next(f for f in importlib.metadata.files("pipecat-ai") or () if f.name == _FILE)
    made = onnx.load(str(file.locate()))
    held = {one.name: onnx.numpy_helper.to_array(one) for one in made.graph.initializer}
    for node in made.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in held:
            whole, scale, zero = (held[name].astype(np.float32) for name in node.input)
            if scale.size > 1:
                axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
                scale, zero = (np.expand_dims(x, [k for k in range(whole.ndim) if k != axis]) for x in (scale, zero))
            held[node.output[0]] = (whole - zero) * scale
    tables = [held[name].T for node in made.graph.node if node.op_type == "MatMul" for name in node.input
              if name in held]  # fmt: skip
    inner = "inner.encoder."
    found = {}
    for ours, theirs in (("first", "conv1"), ("second", "conv2")):
        found[f"{ours}.weight"] = held[f"{inner}{theirs}.weight_DequantizeLinear_Output"]
        found[f"{ours}.bias"] = held[f"{inner}{theirs}.bias"]
    named = {"query": "self_attn.q_proj", "value": "self_attn.v_proj", "out": "self_attn.out_proj", "wide": "fc1",
             "narrow": "fc2", "before": "self_attn_layer_norm", "between": "final_layer_norm"}  # fmt: skip
    for k in range(LAYERS):
        for ours, theirs in named.items():
            found[f"layers.{k}.{ours}.bias"] = held[f"{inner}layers.{k}.{theirs}.bias"]
        for ours in ("before", "between"):
            found[f"layers.{k}.{ours}.weight"] = held[f"{inner}layers.{k}.{named[ours]}.weight"]
        order = ("key", "query", "value", "out", "wide", "narrow")
        for ours, table in zip(order, tables[6 * k : 6 * k + 6], strict=True):
            found[f"layers.{k}.{ours}.weight"] = table
    return {name: torch.from_numpy(np.array(x, np.float32)) for name, x in found.items()}


@dataclass(frozen=True)
class Schooling:
    """How the small network is taught."""

    epochs: int = 50
    rate: float = 7e-4
    decay: float = 1.0
    hidden: int = 512
    heads: int = 1
    """How many small networks learn, each from another seed."""
    smoothing: float = 0.1
    mixed: float = 0.4
    """Share of the batches whose clips are mixed two and two (mixup)."""
    share: Mapping[str, float] = field(default_factory=dict)
    """Corpus -> how much its clips count; 1 for the others."""
    seed: int = 20


@torch.no_grad()
def remembered(clips: Sequence[Lesson], work: Path, seed: int) -> npt.NDArray[np.float16]:
    """Return what the encoder remembers of each version of each clip, versions x n x 1536; kept in `work`."""
    path = work / f"remembered-{seed}.npy"
    if path.exists():
        return np.load(path, mmap_mode="r")
    net = SpeechNetwork(1, 1).eval()
    order = np.argsort([len(clip.mel) for clip in clips])
    mels = [clip.mel for clip in clips]
    out = np.zeros((VERSIONS, len(clips), REMEMBERED), np.float16)
    for version in range(VERSIONS):
        rng = np.random.default_rng((seed, version))
        for start in range(0, len(order), AT_ONCE):
            rows = order[start : start + AT_ONCE]
            logs = [mels[i].astype(np.float32) for i in rows]
            powers = [changed(mel, mels, rng, AugmentOptions(gaps=1)) if version else np.exp(mel) for mel in logs]
            with torch.autocast("cpu", torch.bfloat16):
                out[version, rows] = net.remembered(*batch_of(powers)).float().numpy()
        log.info("version %d of %d of what the encoder remembers", version + 1, VERSIONS)
    np.save(path, out)
    return out


def batch_of(powers: Sequence[Floats]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mel powers of clips as the encoder sees them, n x t x 80, and how many frames count; of long ones 8 s."""
    parts = []
    for power in powers:
        start = max(0, len(power) - LONGEST) // 2
        parts.append(as_seen(power[start : start + min(LONGEST, len(power) // 2 * 2)]))
    mel = np.zeros((len(parts), max(map(len, parts)), FINE_BANDS), np.float32)
    for row, part in zip(mel, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(mel), torch.tensor([len(part) for part in parts])


def taught(
    known: npt.NDArray[np.float16], clips: Sequence[Lesson], rows: npt.NDArray[np.int64], labels: Sequence[str],
    asked: Mapping[str, Sequence[str]], how: Schooling,
) -> SpeechNetwork:  # fmt: skip
    """Return a network whose small part has learned some lessons.

    Args:
        known: versions x n x 1536, as `remembered` gives it.
        clips: n.
        rows: the clips to learn from.
        labels: of all corpora; the order of the logits.
        asked: corpus -> the labels that it asked for; the logits of others are neither rewarded nor punished there.
        how: see `Schooling`.
    """
    torch.manual_seed(how.seed)
    net = SpeechNetwork(len(labels), how.hidden, how.heads)
    plain = torch.from_numpy(np.asarray(known[0][rows], np.float32))
    net.mean.copy_(plain.mean(0))
    net.spread.copy_(plain.std(0) + 1e-3)
    truth = torch.tensor([list(labels).index(clips[i].label) for i in rows])
    open = torch.tensor([[label in asked[clips[i].corpus] for label in labels] for i in rows])
    weight = np.array([how.share.get(clips[i].corpus, 1.0) for i in rows])
    for number, head in enumerate(net.heads):
        rng = np.random.default_rng((how.seed, number))
        steps = int(how.epochs * weight.sum() / AT_ONCE)
        solver = torch.optim.AdamW(head.parameters(), lr=how.rate, weight_decay=how.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(solver, how.rate, total_steps=steps)
        for _ in range(steps):
            at = rng.choice(len(rows), AT_ONCE, p=weight / weight.sum())
            x = torch.from_numpy(np.asarray(known[rng.integers(VERSIONS)][rows[at]], np.float32))
            x, may = (x - net.mean) / net.spread, open[at]
            goal = smoothed(truth[at], may, how.smoothing)
            if rng.random() < how.mixed:
                other = torch.from_numpy(rng.permutation(AT_ONCE))
                part = float(max(lot := rng.beta(0.4, 0.4), 1 - lot))
                x, goal = part * x + (1 - part) * x[other], part * goal + (1 - part) * goal[other]
                may = may | may[other]
            loss = -(goal * head(x).masked_fill(~may, -1e4).log_softmax(1)).sum(1).mean()
            solver.zero_grad()
            torch.autograd.backward(loss)
            solver.step()
            schedule.step()
        table = head[1].weight.data
        step = table.abs().amax(1, keepdim=True) / LEVELS
        table.copy_((table / step).round() * step)
    return net.eval()


def smoothed(right: torch.Tensor, may: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Return goals, n x labels, of right labels by number (n), a share spread over the labels that may be."""
    goal = nn.functional.one_hot(right, may.shape[1]) * (1 - smoothing)
    return goal + smoothing * may / may.sum(1, keepdim=True)


@torch.no_grad()
def said(net: SpeechNetwork, remembered: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return logits (n x labels) and what is known (n x hidden) of clips, from what is remembered of them."""
    logits, known = net.both(torch.from_numpy(np.asarray(remembered, np.float32)))
    return logits.numpy(), known.numpy()
