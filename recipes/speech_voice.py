"""Train the small network that hears where there is voice: `models/speech/weights/voice.onnx`.

    python -m recipes.speech_voice --work FOLDER [--streams 24] [--minutes 1] [--seed 4]

Streams of 30 s are made of clean clips (see `voice_truth`) with pauses. They meet the noises of `mixing`, rooms,
telephones, microphones and levels anew in every round, as powers of mel bands: sounds that know nothing of each other
add up in power, and that is quick. The network reads log-mel, two frames at a time, and says of each pair, 80 ms
later, whether it is voice. FOLDER keeps the streams, so that a second run only trains. One thread, about 2 minutes of
processor time in all. Needs `affetto[train,oracles,dev]` and the data folder.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.metrics import roc_auc_score

from affetto.models.speech.mel import BANDS, FLOOR, HOP, RATE, log_mel
from affetto.models.speech.voice import DELAY, HIDDEN
from recipes.mixing import KINDS, Floats, Rng, made
from recipes.voice_truth import SECONDS, clips, joined

OUT = Path(__file__).resolve().parents[1] / "src/affetto/models/speech/weights/voice.onnx"
LENGTH = 125
"""Pairs of frames in a step of training: 2.5 s; the state goes on from step to step."""
LANES = 16
"""Streams that are heard side by side."""
WIDE = 64
CENTRE, SPREAD = -6.0, 5.0
"""Of log-mel, about."""
CENTRES = 700 * (
    10 ** (np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7600.0]) / 700)), BANDS + 2)[1:-1] / 2595) - 1
)
"""Hz in the middle of each band of `log_mel`."""
RATE_OF_LEARNING = 4e-3
COUNTS = {"emodb": 280, "emogator": 200, "ravdess": 120, "emovo": 70, "tess": 60, "turev-db": 90}
"""Training clips of each corpus."""


class Network(torch.nn.Module):
    """Pairs of frames through a dense layer and two recurrent ones (GRU, Cho et al. 2014) to one logit each."""

    def __init__(self) -> None:
        """Make it with random weights."""
        super().__init__()
        self.inward = torch.nn.Linear(2 * BANDS, WIDE)
        self.first = torch.nn.GRU(WIDE, HIDDEN, batch_first=True)
        self.second = torch.nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.outward = torch.nn.Linear(HIDDEN, 1)

    def forward(self, frames: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits n x t and the state after, from log-mel n x 2t x 64 and a state 2 x n x HIDDEN."""
        pairs = ((frames - CENTRE) / SPREAD).reshape(len(frames), -1, 2 * BANDS)
        x, a = self.first(torch.relu(self.inward(pairs)), state[:1].contiguous())
        x, b = self.second(x, state[1:].contiguous())
        return self.outward(x)[..., 0], torch.cat([a, b])


def streams(work: Path, part: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clean streams, from the folder where it has them: log-mel and truth of voice, and log-mel of noises."""
    kept = work / f"voice-{part}-{count}-{seed}-clean.npz"
    if not kept.exists():
        share = 1.0 if part == "train" else 0.2
        pool = [c for name, k in COUNTS.items() for c in clips(name, int(k * share), part, seed)]
        print(f"{part}: {len(pool)} clips, {sum(len(c.samples) for c in pool) / RATE / 60:.0f} minutes", flush=True)
        pairs = [joined(pool, np.random.default_rng([seed, i])) for i in range(count)]
        kinds = [kind for kind in KINDS for _ in range(max(1, count // len(KINDS)))]
        noises = [made(kind, SECONDS * RATE, np.random.default_rng([seed, 1, i])) for i, kind in enumerate(kinds)]
        voice, noise = (np.stack([log_mel(x) for x in sounds]) for sounds in ([v for v, _ in pairs], noises))
        truth = np.stack([truth for _, truth in pairs])
        np.savez(kept, voice=voice.astype(np.float16), truth=truth, noise=noise.astype(np.float16))
    with np.load(kept) as found:
        return found["voice"], found["truth"], found["noise"]


def mixed(voice: np.ndarray, truth: np.ndarray, noise: np.ndarray, rng: Rng) -> tuple[Floats, Floats]:
    """Return the log-mel of streams as microphones may have them, and their truth; one in eight has lost its voice."""
    n, t, _ = voice.shape
    silent = rng.uniform(size=n) < 0.125
    sound = np.exp(voice.astype(np.float32))
    sound[silent] = 0
    for i in np.flatnonzero(rng.uniform(size=n) < 0.3):
        sound[i] += _tail(sound[i], rng)
    ratio = np.where(silent, 0.0, rng.uniform(-5, 35, n))
    for share in (1.0, 0.35):
        other = np.stack([np.roll(noise[rng.integers(len(noise))], rng.integers(t), axis=0) for _ in range(n)])
        ratio = ratio + np.where(share == 1, 0.0, rng.uniform(-5, 15, n))
        gain = -ratio[:, None] / 10 + _swells(n, t, rng)
        gain[rng.uniform(size=n) >= share] = -10
        sound += np.exp(other.astype(np.float32) + np.log(10) * gain[..., None].astype(np.float32))
    sound += 10 ** rng.uniform(-7, -4, (n, 1, 1))
    colour = np.stack(
        [np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), rng.uniform(-8, 8, 6)) for _ in range(n)]
    )
    colour *= rng.uniform(size=(n, 1)) < 0.4
    low, high = rng.uniform(200, 350, (n, 1)), rng.uniform(3000, 3700, (n, 1))
    phone = rng.uniform(size=(n, 1)) < 0.2
    colour -= 45.0 * phone * ((low > CENTRES) | (high < CENTRES))
    sound *= 10 ** ((colour[:, None] + rng.uniform(-50, -8, (n, 1, 1))) / 10)
    return np.log(np.maximum(sound, FLOOR)).astype(np.float32), np.where(silent[:, None], 0, truth).astype(np.float32)


def _tail(power: np.ndarray, rng: Rng) -> np.ndarray:
    """Return what a room adds to the power of each frame: a tail that falls by 60 dB in 0.15 to 0.9 s."""
    fall = 10 ** (-6 * HOP / RATE / rng.uniform(0.15, 0.9))
    out = np.zeros_like(power)
    for k in range(1, len(power)):
        out[k] = fall * (out[k - 1] + power[k - 1])
    return out * (1 - fall) / fall * 10 ** (rng.uniform(-12, 2) / 10)


def _swells(n: int, t: int, rng: Rng) -> np.ndarray:
    """Return how much louder each noise is at each frame, in powers of ten: always as loud, or gone for a while."""
    out = np.zeros((n, t))
    for i in np.flatnonzero(rng.uniform(size=n) < 0.4):
        out[i] = np.interp(np.arange(t), np.sort(rng.uniform(0, t, 6)), rng.choice([0.0, -1.0, -6.0], 6))
    return out


def by_pairs(truth: np.ndarray) -> np.ndarray:
    """Return the truth of each pair of frames, as late as the network answers; NaN where the frames differ."""
    pairs = truth[:, : truth.shape[1] // 2 * 2].reshape(len(truth), -1, 2)
    value = np.where(pairs[..., 0] == pairs[..., 1], pairs[..., 0], np.nan)
    return np.pad(value, ((0, 0), (DELAY, 0)), constant_values=np.nan)[:, : value.shape[1]]


def train(lessons: tuple[np.ndarray, np.ndarray, np.ndarray], minutes: float, seed: int) -> Network:
    """Train for so many minutes of processor time; return the mean of the weights over the last steps."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    voice, truth, noise = lessons
    network = Network()
    mean = copy.deepcopy(network)
    solver = torch.optim.AdamW(network.parameters(), RATE_OF_LEARNING, weight_decay=1e-3)
    start, rounds, losses = time.process_time(), 0, []
    while (gone := (time.process_time() - start) / 60 / minutes) < 1:
        for group in solver.param_groups:
            group["lr"] = RATE_OF_LEARNING * max(0.01, np.cos(np.pi / 2 * gone))
        lanes = rng.choice(len(voice), min(LANES, len(voice)), replace=False)
        frames, said = mixed(voice[lanes], truth[lanes], noise, rng)
        wanted, state = by_pairs(said), torch.zeros(2, len(lanes), HIDDEN)
        for at in range(0, wanted.shape[1] - LENGTH + 1, LENGTH):
            x = torch.tensor(frames[:, 2 * at : 2 * (at + LENGTH)])
            y = torch.tensor(wanted[:, at : at + LENGTH], dtype=torch.float32)
            logits, state = network(x, state.detach())
            known = ~torch.isnan(y)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[known], y[known])
            solver.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            solver.step()
            losses.append(loss.item())
            with torch.no_grad():
                for slow, fast in zip(mean.parameters(), network.parameters(), strict=True):
                    slow.lerp_(fast, 0.02)
        rounds += 1
        if rounds % 10 == 0:
            print(f"round {rounds}, {gone:.0%}: loss {np.mean(losses[-100:]):.4f}", flush=True)
    return mean.eval()


def measure(network: Network, frames: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return AUROC, and where misses and false alarms stand at a few thresholds."""
    with torch.no_grad():
        x = torch.tensor(frames, dtype=torch.float32)[:, : truth.shape[1] // 2 * 2]
        logits, _ = network(x, torch.zeros(2, len(x), HIDDEN))
    wanted = by_pairs(truth)
    known = ~np.isnan(wanted)
    chance, y = torch.sigmoid(logits).numpy()[known], wanted[known]
    found = {"AUROC": float(roc_auc_score(y, chance)), "voice": float(y.mean())}
    for at in (0.3, 0.4, 0.5, 0.6, 0.7):
        found |= {
            f"missed at {at}": float((chance[y == 1] < at).mean()),
            f"false at {at}": float((chance[y == 0] >= at).mean()),
        }
    return found


def export(network: Network, path: Path, facts: dict[str, str]) -> None:
    """Write the network as ONNX: frames (t x 64) and state (2 x 1 x HIDDEN) in; chances (t / 2) and state out."""
    helper, weight = onnx.helper, {k: v.detach().numpy() for k, v in network.named_parameters()}
    inward = weight["inward.weight"].T / SPREAD
    constants = {
        "two frames": np.array([-1, 1, 2 * BANDS], np.int64),
        "inward": inward,
        "inward bias": weight["inward.bias"] - CENTRE * inward.sum(0),
        "outward": weight["outward.weight"].T,
        "outward bias": weight["outward.bias"],
        "one": np.array([1], np.int64),
        "flat": np.array([-1], np.int64),
    }
    nodes = [
        helper.make_node("Reshape", ["frames", "two frames"], ["pairs"]),
        helper.make_node("MatMul", ["pairs", "inward"], ["drawn"]),
        helper.make_node("Add", ["drawn", "inward bias"], ["moved"]),
        helper.make_node("Relu", ["moved"], ["layer 0"]),
        helper.make_node("Split", ["state"], ["state 1", "state 2"], axis=0, num_outputs=2),
    ]
    for number, name in enumerate(("first", "second"), 1):
        for kind in ("weight_ih", "weight_hh"):
            constants[f"{name} {kind}"] = _gates(weight[f"{name}.{kind}_l0"])[None]
        both = [_gates(weight[f"{name}.{kind}_l0"]) for kind in ("bias_ih", "bias_hh")]
        constants[f"{name} bias"] = np.concatenate(both)[None]
        given = [f"layer {number - 1}", f"{name} weight_ih", f"{name} weight_hh", f"{name} bias", "", f"state {number}"]
        outputs = [f"wide {number}", f"after {number}"]
        nodes += [
            helper.make_node("GRU", given, outputs, hidden_size=HIDDEN, linear_before_reset=1),
            helper.make_node("Squeeze", [f"wide {number}", "one"], [f"layer {number}"]),
        ]
    nodes += [
        helper.make_node("Concat", ["after 1", "after 2"], ["state after"], axis=0),
        helper.make_node("MatMul", ["layer 2", "outward"], ["drawn out"]),
        helper.make_node("Add", ["drawn out", "outward bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["wide chances"]),
        helper.make_node("Reshape", ["wide chances", "flat"], ["chances"]),
    ]
    number, floats = onnx.TensorProto.FLOAT, helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "voice",
        [floats("frames", number, ["t", BANDS]), floats("state", number, [2, 1, HIDDEN])],
        [floats("chances", number, ["pairs"]), floats("state after", number, [2, 1, HIDDEN])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, str(path))


def _gates(rows: np.ndarray) -> np.ndarray:
    """Return torch's gates (reset, update, new) in the order of ONNX (update, reset, new)."""
    reset, update, new = np.split(rows, 3)
    return np.concatenate([update, reset, new])


def main() -> None:
    """Make the lessons, train, measure on held-out speakers, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--streams", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    network = train(streams(options.work, "train", options.streams, options.seed), options.minutes, options.seed)
    export(network, options.out, {"made by": "recipes/speech_voice.py", "seed": str(options.seed)})
    dev = mixed(*streams(options.work, "dev", 10, options.seed), np.random.default_rng(options.seed))
    for name, value in measure(network, *dev).items():
        print(f"{value:8.4f}  {name}")
    print(f"{sum(p.numel() for p in network.parameters()):,} weights")


if __name__ == "__main__":
    main()
