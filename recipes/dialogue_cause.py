"""Train and publish `dialogue.cause`: which turn caused the feeling of another, and which of its words.

    python -m recipes.dialogue_cause --work build/dialogue-cause [--seed 29]

Small layers on what `text.affect-en` knows of turns, which is kept in `--work`; about ten minutes on one core.

1. A projection to few numbers (traits), and what a turn shows, read with the turn before it: learned from the train of
   DailyDialog, then its upper layers also from that of RECCON. Talks of RECCON's dev and test, and those that share two
   longer turns with them, are left out of all training.
2. Pairs of RECCON's train: a turn that is not neutral in truth, and each turn up to it. The truth of no other turn is
   looked at; what those show is estimated, for talks of train by layers that did not learn from them (five folds).
3. Clauses of turns that are a cause: the share of their words that is within the words that raters named.

The cut, and the calibration of what is said, come from dev and from the folds of train; of test only the words are
read, to leave out what leaks. `python -m benchmarks.cause` then measures, and writes the scores into the card.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.datasets.nearness import plain
from affetto.metrics.calibration import ece
from affetto.metrics.cause import squad_f1
from affetto.models.dialogue import pairs, spans
from affetto.models.dialogue.cause import Heads, known
from affetto.models.dialogue.readout import Readout
from affetto.models.dialogue.words import encoder
from recipes import cards

log = logging.getLogger("dialogue.cause")
FEELING, TOPIC = 40, 24
"""Traits of a turn that say best what it shows, and those that say most of what is known of it."""
FOLDS = 5
PAIR, CLAUSE = (64, 18, 3), (32, 6, 2)
"""Hidden numbers of a network, times that it sees the rows, and networks whose mean answers."""
WEIGHTS = cards.HOME / "src/affetto/models/dialogue/weights/dialogue.cause.npz"
Net = torch.nn.Module


@dataclass
class Talk:
    """A talk with its truth."""

    id: str
    speakers: list[str]
    texts: list[str]
    feelings: np.ndarray
    """n: the number of the label, -1 where nobody was asked."""
    causes: dict[tuple[int, int], list[str]]
    """Of (turn that feels, turn that caused) the words that did, of each rater's mark."""
    known: np.ndarray
    """n x 815 of the encoder."""


def talk_of(record: Record) -> Talk:
    """Return the truth of a record."""
    feelings, causes = np.full(len(record.turns), -1), {}
    for track in record.tracks:
        for row, start in enumerate(track.start):
            if track.space.id == "cause":
                causes.setdefault((int(track.about[row].start), int(start)), []).append(track.note[row])
            elif not np.isnan(track.values[row]).any():
                feelings[int(start)] = track.values[row].argmax()
    return Talk(
        record.id,
        [turn.speaker for turn in record.turns],
        [turn.text for turn in record.turns],
        feelings,
        causes,
        np.zeros((0, 0)),
    )


def longer(talk: Talk) -> set[str]:
    """Return the turns of five words or more, plain."""
    return {bare for text in talk.texts if len((bare := plain(text)).split()) >= 5}


def read_talks(work: Path) -> dict[str, list[Talk]]:
    """Return the talks of RECCON's train and dev, and of DailyDialog's train, without what leaks."""
    reccon, daily = load("reccon"), load("dailydialog")
    talks = {split: [talk_of(record) for record in reccon.read(split)] for split in ("train", "dev", "test")}
    holders: dict[str, list[str]] = {}
    for talk in talks["dev"] + talks.pop("test"):
        for text in longer(talk):
            holders.setdefault(text, []).append(talk.id)

    def leaks(talk: Talk) -> bool:
        shared = [id for text in longer(talk) for id in holders.get(text, ())]
        return any(shared.count(id) >= 2 for id in set(shared))

    talks["daily"] = [talk_of(record) for record in daily.read("train", part="en")]
    for split in ("train", "daily"):
        whole = len(talks[split])
        talks[split] = [talk for talk in talks[split] if not leaks(talk)]
        log.info("%s: %d of %d talks", split, len(talks[split]), whole)
    seen = {plain("\n".join(talk.texts)) for talk in talks["train"]}
    talks["daily"] = [talk for talk in talks["daily"] if plain("\n".join(talk.texts)) not in seen]
    asked = encoder(find("dialogue.cause"))
    work.mkdir(parents=True, exist_ok=True)
    for split, some in talks.items():
        path = work / f"{split}.npy"
        if not path.exists():
            np.save(path, known(asked, [text for talk in some for text in talk.texts]).astype(np.float16))
        cuts = np.cumsum([len(talk.texts) for talk in some])[:-1]
        for talk, part in zip(some, np.split(np.load(path), cuts), strict=True):
            talk.known = part.astype(np.float32)
    return talks


def layers(sizes: Sequence[int], drop: float) -> Net:
    """Return linear layers with a GELU between them."""
    parts: list[Net] = []
    for k in range(len(sizes) - 1):
        parts += [torch.nn.Linear(sizes[k], sizes[k + 1]), torch.nn.GELU(), torch.nn.Dropout(drop)]
    return torch.nn.Sequential(*parts[:-2])


def fit(net: Net, loss: Callable[[torch.Tensor], torch.Tensor], n: int, epochs: int, rate: float, seed: int) -> None:
    """Train a network on n rows: `loss` takes their numbers."""
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.05)
    steps = epochs * -(-n // 256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps)
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(n).split(256):
            optimiser.zero_grad()
            loss(rows).backward()
            optimiser.step()
            schedule.step()
    net.eval()


def readout(*nets: Net, mean: np.ndarray | None = None, spread: np.ndarray | None = None) -> Readout:
    """Return the mean of networks of one hidden layer as one wider one; `mean` and `spread` go into the first layer."""
    linears = [[part for part in net.modules() if isinstance(part, torch.nn.Linear)] for net in nets]
    weights = [[(one.weight.detach().numpy().T, one.bias.detach().numpy()) for one in own] for own in linears]
    first = [np.concatenate([own[0][part] for own in weights], part - 1) for part in (0, 1)]
    first = [np.concatenate([own[0][0] for own in weights], 1), np.concatenate([own[0][1] for own in weights])]
    if mean is not None and spread is not None:
        first[0] = first[0] / spread[:, None]
        first[1] = first[1] - mean @ first[0]
    found = [tuple(first)]
    if len(weights[0]) > 1:
        last = np.concatenate([own[1][0] for own in weights]) / len(nets)
        found.append((last, np.mean([own[1][1] for own in weights], 0)))
    return Readout(tuple(tuple(part.astype(np.float16).astype(np.float32) for part in layer) for layer in found))


def turns_of(talks: Sequence[Talk]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is known of all turns, whether each begins a talk, and its label."""
    first = [k == 0 for talk in talks for k in range(len(talk.texts))]
    return np.concatenate([t.known for t in talks]), np.array(first), np.concatenate([t.feelings for t in talks])


def with_before(traits: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the traits of turns beside those of the turn before, as `Heads.read` does."""
    before = np.where(first[:, None], 0, np.roll(traits, 1, 0))
    return np.concatenate([traits, before, first[:, None]], 1).astype(np.float32)


def train_traits(daily: Sequence[Talk], seed: int) -> Readout:
    """Learn from DailyDialog the few numbers that say best what a turn shows, and those that vary most."""
    known_, first, labels = turns_of(daily)
    mean, spread = known_.mean(0), known_.std(0) + 1e-3
    x = torch.tensor((known_ - mean) / spread)
    before = torch.roll(x, 1, 0) * torch.tensor(~first)[:, None]
    opens = torch.tensor(first, dtype=torch.float32)[:, None]
    rows, y = torch.tensor(np.flatnonzero(labels >= 0)), torch.tensor(labels)
    torch.manual_seed(seed)
    project, upper = torch.nn.Linear(x.shape[1], FEELING), layers([2 * FEELING + 1, 64, 7], 0.2)
    net = torch.nn.ModuleList([project, torch.nn.Dropout(0.2), upper])

    def loss(picked: torch.Tensor) -> torch.Tensor:
        at = rows[picked]
        both = torch.cat([net[1](project(x[at])), net[1](project(before[at])), opens[at]], 1)
        return torch.nn.functional.cross_entropy(upper(both), y[at])

    fit(net, loss, len(rows), 4, 2e-3, seed)
    some = known_[np.random.default_rng(seed).choice(len(known_), min(20_000, len(known_)), replace=False)]
    centre = some.mean(0)
    _, length, axes = np.linalg.svd(some - centre, full_matrices=False)
    topics = axes[:TOPIC].T / (length[:TOPIC] / np.sqrt(len(some)))
    ((weight, bias),) = readout(project, mean=mean, spread=spread).layers
    return Readout(((np.hstack([weight, topics]), np.concatenate([bias, -centre @ topics])),))


def train_shown(traits: Readout, daily: Sequence[Talk], own: Sequence[Talk], seed: int) -> Readout:
    """Learn what a turn shows from the traits of turns of both corpora; those of RECCON count thrice as much."""
    parts = []
    for some, weight in ((daily, 0.3), (own, 1.0)):
        known_, first, labels = turns_of(some)
        x = with_before(traits(known_), first)[labels >= 0]
        parts.append((x, labels[labels >= 0], np.full(len(x), weight, np.float32)))
    x, y, weight = (torch.tensor(np.concatenate(column)) for column in zip(*parts, strict=True))
    mean, spread = x.mean(0).numpy(), x.std(0).numpy() + 1e-3
    x = (x - torch.tensor(mean)) / torch.tensor(spread)
    torch.manual_seed(seed)
    net = layers([x.shape[1], 80, 7], 0.2)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        losses = torch.nn.functional.cross_entropy(net(x[rows]), y[rows], reduction="none")
        return (losses * weight[rows]).mean()

    fit(net, loss, len(x), 4, 3e-3, seed)
    return readout(net, mean=mean, spread=spread)


def hears(traits: Readout, shown: Readout, talks: Sequence[Talk]) -> list[pairs.Heard]:
    """Return what is known of talks."""
    empty = Readout(())
    heads, found = Heads(traits, shown, empty, empty, {}), []
    for talk in talks:
        first = np.arange(len(talk.texts)) == 0
        found.append(pairs.heard(talk.speakers, talk.texts, *heads.read(talk.known, first)))
    return found


@dataclass
class PairRows:
    """Pairs of turns: the number of the talk, the turn that feels, the one that may have caused."""

    at: np.ndarray
    described: np.ndarray
    truth: np.ndarray


def pair_rows(talks: Sequence[Talk], heard: Sequence[pairs.Heard]) -> PairRows:
    """Return all pairs within reach of the turns that are not neutral in truth."""
    at, described, truth = [], [], []
    for number, (talk, known_) in enumerate(zip(talks, heard, strict=True)):
        for turn in np.flatnonzero((talk.feelings >= 0) & (talk.feelings != pairs.NEUTRAL)):
            found = pairs.candidates(turn)
            at += [(number, turn, cause) for cause in found]
            truth += [(turn, cause) in talk.causes for cause in found]
            described.append(pairs.described(known_, turn, talk.feelings[turn]))
    return PairRows(np.array(at), np.concatenate(described), np.array(truth))


def train_binary(x: np.ndarray, y: np.ndarray, hidden: int, epochs: int, members: int, seed: int) -> Readout:
    """Learn to tell 1 from 0 (or a share), the mean of a few networks."""
    mean, spread = x.mean(0), x.std(0) + 1e-2
    inputs, truth = torch.tensor((x - mean) / spread), torch.tensor(y, dtype=torch.float32)
    nets = []
    for member in range(members):
        torch.manual_seed(seed + member)
        net = layers([x.shape[1], hidden, 1], 0.5)
        ins = torch.nn.Dropout(0.1)

        def loss(rows: torch.Tensor, net: Net = net, ins: Net = ins) -> torch.Tensor:
            return torch.nn.functional.binary_cross_entropy_with_logits(net(ins(inputs[rows]))[:, 0], truth[rows])

        fit(net, loss, len(x), epochs, 2e-3, seed + member)
        nets.append(net)
    return readout(*nets, mean=mean, spread=spread)


def macro(truth: np.ndarray, said: np.ndarray) -> float:
    """Return the mean F1 of the pairs that are a cause and of those that are none."""
    return float(np.mean([2 * (a & b).sum() / max(a.sum() + b.sum(), 1) for a, b in ((truth, said), (~truth, ~said))]))


def calibrated(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the slope and intercept of the best likelihood, by Newton's steps."""
    design, w = np.stack([logits, np.ones_like(logits)], 1).astype(np.float64), np.array([1.0, 0.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ w))
        w -= np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (p - truth))
    return {"slope": float(w[0]), "intercept": float(w[1])}


def clause_rows(
    talks: Sequence[Talk], heard: Sequence[pairs.Heard], rows: PairRows, p: np.ndarray, read: Callable[..., Any]
) -> tuple[list[np.ndarray], list[np.ndarray], list[tuple[list[str], list[str]]]]:
    """Return for each cause of several clauses what is known of them, the share of each inside, and the truth."""
    sure = {tuple(at): value for at, value in zip(rows.at.tolist(), p, strict=True)}
    chosen = [(*at, talks[at[0]].causes[at[1:]]) for at in sure if at[1:] in talks[at[0]].causes]
    texts = list(dict.fromkeys(talks[number].texts[cause] for number, _, cause, _ in chosen))
    cut = {text: spans.clauses(text) for text in texts}
    several = list(dict.fromkeys(part for parts in cut.values() for part in parts))
    place, (traits, shown) = {part: k for k, part in enumerate(several)}, read(several)
    described, inside, truth = [], [], []
    for number, turn, cause, marks in chosen:
        text = talks[number].texts[cause]
        parts = cut[text]
        at, sizes = [place[part] for part in parts], [len(part.split()) for part in parts]
        pair = spans.paired(heard[number], turn, cause, float(sure[number, turn, cause]))
        described.append(spans.described(traits[at], shown[at], sizes, pair, talks[number].feelings[turn]))
        inside.append(np.mean([shares(parts, text, mark) for mark in marks], 0))
        truth.append((parts, marks))
    return described, inside, truth


def shares(parts: Sequence[str], text: str, mark: str) -> list[float]:
    """Return the share of the letters of each clause that lie within what a rater marked in the text."""
    start = text.find(mark)
    found, at = [], 0
    for part in parts:
        words = part.split()
        at = text.index(words[0], at)
        end = at
        for word in words:
            end = text.index(word, end) + len(word)
        found.append(max(0, min(end, start + len(mark)) - max(at, start)) / (end - at) if start >= 0 else 1.0)
        at = end
    return found


def span_score(span: Readout, described: Sequence[np.ndarray], truth: Sequence[tuple[list[str], list[str]]]) -> float:
    """Return the F1 of words (SQuAD's) of the best runs, over all marks."""
    asked, said = [], []
    for rows, (parts, marks) in zip(described, truth, strict=True):
        sizes = [len(part.split()) for part in parts]
        start, end = spans.best_run((1 / (1 + np.exp(-span(rows)[:, 0]))).tolist(), sizes)
        asked += marks
        said += [" ".join(parts[start:end])] * len(marks)
    return squad_f1(asked, said)


def main() -> None:
    """Train, choose the cut, publish."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=29)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    seed, talks = options.seed, read_talks(options.work)
    learn, dev, daily = talks["train"], talks["dev"], talks["daily"]
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(learn))
    traits = train_traits(daily, seed)

    log.info("what turns show, in %d folds", FOLDS)
    heard: list[pairs.Heard] = [None] * len(learn)  # type: ignore[list-item]
    for number in range(FOLDS):
        others = train_shown(traits, daily, [talk for talk, k in zip(learn, fold, strict=True) if k != number], seed)
        mine = np.flatnonzero(fold == number)
        for place, known_ in zip(mine, hears(traits, others, [learn[i] for i in mine]), strict=True):
            heard[place] = known_
    shown = train_shown(traits, daily, learn, seed)
    heard_dev = hears(traits, shown, dev)
    for name, some, known_ in (("train, by folds", learn, heard), ("dev", dev, heard_dev)):
        right = [k.shown.argmax(1) == t.feelings for t, k in zip(some, known_, strict=True)]
        log.info("%s: %.4f of turns show what is estimated", name, np.concatenate(right).mean())

    rows, rows_dev = pair_rows(learn, heard), pair_rows(dev, heard_dev)
    log.info("pairs: %s of train, %s of dev", rows.described.shape, rows_dev.described.shape)
    fold_of, logits = fold[rows.at[:, 0]], np.zeros(len(rows.truth), np.float32)
    for number in range(FOLDS):
        mine = fold_of == number
        net = train_binary(rows.described[~mine], rows.truth[~mine], *PAIR, seed)
        logits[mine] = net(rows.described[mine])[:, 0]
    pair = train_binary(rows.described, rows.truth, *PAIR, seed)
    logits_dev = pair(rows_dev.described)[:, 0]
    facts: dict[str, Any] = calibrated(
        np.concatenate([logits, logits_dev]), np.concatenate([rows.truth, rows_dev.truth])
    )
    p, p_dev = (1 / (1 + np.exp(-(facts["slope"] * x + facts["intercept"]))) for x in (logits, logits_dev))
    both, truth = np.concatenate([p, p_dev]), np.concatenate([rows.truth, rows_dev.truth])
    facts["cut"] = float(max(np.arange(0.2, 0.6, 0.01), key=lambda cut: macro(truth, both >= cut)).round(2))
    for name, own, said in (("train, by folds", rows.truth, p), ("dev", rows_dev.truth, p_dev)):
        log.info("%s: macro-F1 %.4f, ECE %.4f", name, macro(own, said >= facts["cut"]), ece(own, said))

    asked, empty = encoder(find("dialogue.cause")), Readout(())

    def read(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return Heads(traits, shown, empty, empty, {}).read(known(asked, texts), np.ones(len(texts), bool))

    told, inside, _ = clause_rows(learn, heard, rows, p, read)
    told_dev, _, truth_dev = clause_rows(dev, heard_dev, rows_dev, p_dev, read)
    kept = [k for k, one in enumerate(told) if len(one) > 1]
    span = train_binary(
        np.concatenate([told[k] for k in kept]), np.concatenate([inside[k] for k in kept]), *CLAUSE, seed
    )
    log.info("words of dev's causes: F1 %.4f", span_score(span, told_dev, truth_dev))
    WEIGHTS.parent.mkdir(exist_ok=True)
    Heads(traits, shown, pair, span, facts).save(WEIGHTS)
    log.info("%s: %.1f kB, cut %.2f", WEIGHTS.name, WEIGHTS.stat().st_size / 1e3, facts["cut"])
    cards.update("dialogue.cause", WEIGHTS, [], find("text.affect-en").sha256, "dialogue")


if __name__ == "__main__":
    main()
