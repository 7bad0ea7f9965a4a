"""Train and publish `dialogue.erc`: what each turn of a talk expresses, from its words and the turns before it.

    python -m recipes.dialogue_erc --work build/dialogue-erc --start build/text-affect-en [--seed 1]
    python -m recipes.dialogue_erc --scores      (after `affetto bench run` and `benchmarks.dialogue_order`)

`--start` is where `recipes.text_affect_en` kept its final weights, whose two upper layers are the start of the network
of pieces; the states below them, and what the network of turns hears, come from the int8 encoder that ships. Talks are
those of MELD, EmoryNLP and DailyDialog (train), without those that leak; each network learns the three label sets, in
one batch of four also seeing later turns. How much each network counts for each label set, biases, slope and trust are
fitted on dev, the last three with the int8 network that ships. Test is only measured. What was read and trained is kept
in `--work`. About an hour on one core. The network of pieces that ships had learned its second round as the first part
of a longer one, together with a small layer over its turns that was then left out: a new run gives near, not like ones.
"""

import argparse
import copy
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.linear_model import LogisticRegression

from affetto.core.card import Card, read_card
from affetto.core.catalog import find, load
from affetto.models.dialogue.erc import FACTS, Erc, Head, Upper
from affetto.models.dialogue.talk_windows import Reach
from affetto.train.export import halved
from affetto.train.fit import Batch, FitOptions, fit
from affetto.train.packed import save
from recipes import cards
from recipes.dialogue_labels import LABELS, MODELS, score
from recipes.dialogue_lessons import Dialogue, Lesson, batch, cuts, dialogues, heard, lessons, states
from recipes.dialogue_network import HEARD, SPACES, Both, Pieces, Shape, Turns
from recipes.text_affect_en import Encoder

log = logging.getLogger("dialogue.erc")
ROOM = cards.HOME / "src/affetto/models/dialogue"
WEIGHTS = ROOM / "weights/dialogue.erc.onnx.gz"
SCORED = {
    "dialogue.erc": ("meld.v1", "dialogue-order-meld"),
    "dialogue.erc-emorynlp": ("emorynlp.v1", "dialogue-order-emorynlp"),
    "dialogue.erc-daily": ("dailydialog-en.v1",),
    "dialogue.erc-with-future": ("meld.v1",),
}
"""Card -> the results that stand in it."""
PAST, AROUND = Reach(14, 7, 0), Reach(14, 4, 4)
SHARES = {"meld": 1.0, "emorynlp": 0.7, "dailydialog": 0.5}
"""How much a turn of each corpus counts."""
SHARE = {"meld": 0.5, "emorynlp": 0.2, "dailydialog": 0.3}
"""How much the network of turns counts for each head: of tenths the best on dev."""
LEVELS = 40
"""Numbers that a weight may be, each side of 0: fewer than int8 has, so that the file packs smaller."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Loss = Callable[[torch.nn.Module, Batch], torch.Tensor]


@dataclass(frozen=True)
class Round:
    """One rise and fall of the rate."""

    epochs: int
    rate: float
    daily: int
    """Windows of DailyDialog in an epoch."""


PIECES = (Round(5, 2e-4, 1200), Round(1, 1.5e-4, 2000))
"""Of the network of pieces; what it ships with is the mean of the weights after each."""
TURNS = Round(8, 5e-4, 1500)


def loss_of(answers: Callable[[torch.nn.Module, Batch], torch.Tensor], smooth: float) -> Loss:
    """Return the smoothed cross-entropy of what a network answers to a batch, n x c x 21."""

    def loss(module: torch.nn.Module, batch: Batch) -> torch.Tensor:
        total, count = torch.zeros(()), 0.0
        for corpus, logits in zip(SPACES, answers(module, batch).split(list(SPACES.values()), -1), strict=True):
            labels = batch[f"labels_{corpus}"]
            asked = labels >= 0
            value = torch.nn.functional.cross_entropy(
                logits[asked].float(), labels[asked], label_smoothing=smooth, reduction="sum"
            )
            total = total + SHARES[corpus] * value
            count += SHARES[corpus] * int(asked.sum())
        return total / count

    return loss


of_pieces = loss_of(lambda m, b: m(b["states"], b["turn"], b["speaker"], b["who"], b["future"])[0], 0.1)
of_turns = loss_of(lambda m, b: m(b["heard"], b["who"], b["future"])[0], 0.05)


class Deck:
    """The lessons of each epoch: all of MELD and EmoryNLP, and some of DailyDialog, each before any comes again."""

    def __init__(self, some: dict[str, list[Lesson]], daily: int, rng: np.random.Generator) -> None:
        self.always = [*some["meld"], *some["emorynlp"]]
        self.daily, self.count, self.rng = some["dailydialog"], daily, rng
        self.left: list[int] = []

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, one in four with later turns to be seen."""
        while len(self.left) < self.count:
            self.left += self.rng.permutation(len(self.daily)).tolist()
        drawn, self.left = self.left[: self.count], self.left[self.count :]
        pool = [*self.always, *(self.daily[i] for i in drawn)]
        for rows in cuts(pool, 1024, self.rng):
            yield batch([pool[i] for i in rows], self.rng.random() < 0.25)

    @property
    def steps(self) -> int:
        """About how many batches an epoch has."""
        return sum(1 for _ in cuts([*self.always, *self.daily[: self.count]], 1024))


def train(start: Encoder, some: dict[str, list[Lesson]], seed: int, work: Path) -> tuple[Pieces, Turns]:
    """Train both networks, keeping what each leaves."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    pieces: torch.nn.Module = Pieces(start.body.encoder.layer, Shape())
    left = []
    for one in PIECES:
        deck = Deck(some, one.daily, rng)
        options = FitOptions(epochs=one.epochs, rate=one.rate, average=0.99, decay=0.05, half=True)
        pieces = fit(pieces, deck.batches, deck.steps, of_pieces, options)
        left.append(copy.deepcopy(pieces.state_dict()))
    pieces.load_state_dict({name: torch.stack([state[name] for state in left]).mean(0) for name in left[0]})
    torch.save(pieces.state_dict(), work / "pieces.pt")
    known = torch.from_numpy(np.concatenate([one.heard for lessons in some.values() for one in lessons]))
    turns: torch.nn.Module = Turns(known.mean(0), known.std(0) + 1e-6, Shape())
    deck = Deck(some, TURNS.daily, rng)
    options = FitOptions(epochs=TURNS.epochs, rate=TURNS.rate, decay=0.1)
    turns = fit(turns, deck.batches, deck.steps, of_turns, options)
    torch.save(turns.state_dict(), work / "turns.pt")
    assert isinstance(pieces, Pieces)
    assert isinstance(turns, Turns)
    return pieces, turns


def export(network: Both, path: Path, facts: dict[str, object]) -> None:
    """Write the network with int8 weights of few levels, one scale a column."""
    network = coarse(network)
    example = {
        "states": torch.zeros(2, 7, 384),
        "turn": torch.tensor([[0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, -1, -1]]),
        "speaker": torch.tensor([[0, 0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0, 0]]),
        "heard": torch.zeros(2, 3, HEARD),
        "who": torch.tensor([[0, 1, 0], [0, 1, -1]]),
        "future": torch.zeros(1),
    }
    axes = {name: {0: "n", 1: "t"} for name in ("states", "turn", "speaker")}
    axes |= {name: {0: "n", 1: "c"} for name in ("heard", "who", "logits", "known")}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, clean, whole = (Path(folder, f"{name}.onnx") for name in ("plain", "clean", "whole"))
        torch.onnx.export(
            network.eval(), tuple(example.values()), str(plain), input_names=list(example),
            output_names=["logits", "known"], dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
        quant_pre_process(str(plain), str(clean), skip_symbolic_shape=True)
        heads = [node.name for node in onnx.load(str(clean)).graph.node if "heads" in node.name]
        quantize_dynamic(str(clean), str(whole), per_channel=True, weight_type=QuantType.QInt8, nodes_to_exclude=heads)
        made = onnx.load(str(whole))
    onnx.helper.set_model_props(made, {FACTS: json.dumps(facts)})
    halved(made)
    save(made, path)


@torch.no_grad()
def coarse(network: Both) -> Both:
    """Return a copy whose matrices hold few levels a column."""
    made = copy.deepcopy(network)
    for module in made.modules():
        if isinstance(module, torch.nn.Linear):
            scale = module.weight.abs().amax(1, keepdim=True).clamp(min=1e-8) / LEVELS
            module.weight.copy_((module.weight / scale).round() * scale)
    return made


def tuned(corpus: str, logits: Floats, truth: Ints, shares: Floats) -> dict[str, object]:
    """Return how a head's logits become an answer, fitted on dev: its biases, its slope and its trust.

    MELD's labels are moved by the logarithm of their shares of train and by one number for neutral, DailyDialog's
    neutral by one number, EmoryNLP's by nothing: of these and of a free bias a label, what was fitted on half of the
    dev dialogues served the other half best so.
    """
    neutral = np.eye(7)[load(LABELS[corpus]).names.index("neutral")]
    strengths = np.linspace(0, 0.8, 9) if corpus == "meld" else np.zeros(1)
    steps = np.zeros(1) if corpus == "emorynlp" else np.linspace(-1.5, 1.5, 31)
    tried = [(step * neutral - a * np.log(shares)).astype(np.float32) for a in strengths for step in steps]
    bias = tried[int(np.argmax([score(corpus, truth, (logits + one).argmax(1)) for one in tried]))]
    slopes = np.linspace(0.5, 2.0, 31)
    rows = np.arange(len(truth))
    likely = [np.log(_softmax((logits + bias) * slope)[rows, truth] + 1e-9).mean() for slope in slopes]
    slope = float(slopes[np.argmax(likely)])
    p = _softmax((logits + bias) * slope)
    top = np.clip(p.max(1), 1e-6, 1 - 1e-6)
    line = LogisticRegression(C=10.0).fit(np.log(top / (1 - top))[:, None], p.argmax(1) == truth)
    best = score(corpus, truth, p.argmax(1))
    log.info("%s: dev %.4f, slope %.2f, biases %s", corpus, best, slope, np.round(bias, 2).tolist())
    return {
        "space": LABELS[corpus],
        "start": list(SPACES).index(corpus) * 7,
        "slope": slope,
        "bias": (bias * slope).tolist(),
        "trust": [float(line.coef_[0, 0]), float(line.intercept_[0])],
    }


def shares(talks: Sequence[Dialogue]) -> Floats:
    """Return how frequent each label is."""
    counts = np.bincount(np.concatenate([talk.labels[talk.labels >= 0] for talk in talks]), minlength=7)
    return np.asarray(counts / counts.sum(), np.float32)


def _softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def facts(heads: dict[str, object]) -> dict[str, object]:
    """Return what the file says of itself."""
    reach = {name: [it.most, it.before, it.after] for name, it in (("past", PAST), ("with-future", AROUND))}
    return {"logits": sum(SPACES.values()), "known": 960, "reach": reach, "heads": heads}


def publish(network: Both, talks: dict[tuple[str, str], list[Dialogue]]) -> None:
    """Write the file, fit its heads on dev with it, write it again with them, and bring the cards to date."""
    WEIGHTS.parent.mkdir(exist_ok=True)
    heads: dict[str, object] = {}
    export(network, WEIGHTS, facts(heads))
    for model, (corpus, future) in MODELS.items():
        cards.update(model, WEIGHTS, [], find("text.affect-en").sha256, "dialogue")
        card = load_again(model)
        asked = Erc(card, Upper(card), Head(load(LABELS[corpus]), 0, 1, (), (1, 0)), AROUND if future else PAST, future)
        dev = talks[corpus, "dev"]
        logits = np.concatenate(asked.logits([talk.record for talk in dev]))
        truth = np.concatenate([talk.labels for talk in dev])
        start = list(SPACES).index(corpus) * 7
        said = truth >= 0
        heads[f"{corpus}-with-future" if future else corpus] = tuned(
            corpus, logits[said, start : start + 7], truth[said], shares(talks[corpus, "train"])
        )
    export(network, WEIGHTS, facts(heads))
    for model in MODELS:
        cards.update(model, WEIGHTS, [], find("text.affect-en").sha256, "dialogue")
    log.info("%s: %.3f MB", WEIGHTS.name, WEIGHTS.stat().st_size / 1e6)


def load_again(model: str) -> Card:
    """Return a card as its file says now."""
    return read_card(Path(find(model).path))


def main() -> None:
    """Read, train, publish."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--scores", action="store_true", help="only bring the scores of the cards to date")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trained", type=Path, help="where pieces.pt and turns.pt lie, to be published as they are")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.scores:
        for model, results in SCORED.items():
            cards.update(model, WEIGHTS, results, room="dialogue")
        return
    if not options.work or not options.start:
        parser.error("training wants --work and --start")
    torch.set_num_threads(1)
    encoder = Encoder()
    encoder.load_state_dict(torch.load(options.start / "final.pt"))
    talks = dialogues()
    if options.trained:
        pieces, turns = (
            Pieces(encoder.body.encoder.layer, Shape()),
            Turns(torch.zeros(HEARD), torch.ones(HEARD), Shape()),
        )
        pieces.load_state_dict(torch.load(options.trained / "pieces.pt"))
        turns.load_state_dict(torch.load(options.trained / "turns.pt"))
    else:
        options.work.mkdir(parents=True, exist_ok=True)
        some = {}
        for corpus in SPACES:
            mine = talks[corpus, "train"]
            read = states(mine, options.work / f"{corpus}.pt")
            some[corpus] = lessons(mine, read, heard(mine, options.work / f"{corpus}.npy"), PAST)
        pieces, turns = train(encoder, some, options.seed, options.work)
    publish(Both(pieces, turns, torch.tensor([SHARE[corpus] for corpus in SPACES for _ in range(7)])), talks)


if __name__ == "__main__":
    main()
