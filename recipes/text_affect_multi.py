"""Train `text.affect-multi`: six emotions in the 28 languages of BRIGHTER track A, from hashed n-grams.

    python -m recipes.text_affect_multi --work build/text-affect-multi [--seed 20] [--out FILE]

Two halves answer. Each language has weights of its own n-grams (`recipes.own_tables`); and small networks read one
table of n-grams that all languages share, and learn as well from GoEmotions and from XED's subtitles in 24 languages.
Both are trained in three folds, so that what blends them, calibrates them and sets the thresholds has not seen the text
before (training texts out of fold, and dev). A third table tells the languages apart. Every stage is kept in `--work`
and is not repeated when the command is run again. Writes the package's file, its card and, from test, its results.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from affetto.models.text.bags import Bags, bags
from affetto.models.text.hashing import Grams
from affetto.models.text.ngrams import Ngrams
from affetto.train.packed import tightened
from recipes import cards, corpora, own_tables, tongues
from recipes.blends import Blend, blend
from recipes.brighter_scores import measure
from recipes.hashed import Hashed, HashedOptions, fit, logits, rounded

log = logging.getLogger("text.affect-multi")
HOME = Path(__file__).resolve().parents[1]
WEIGHTS = HOME / "src/affetto/models/text/weights/text.affect-multi.npz"
LANGUAGES = corpora.BRIGHTER_LANGUAGES
GRAMS = Grams(1, 4)
SUBTITLES = "ar bg br cn cs da de en es fr hr id is it nl no pl pt ro ru sk sl sr sv tw zh".split()
BITS, WIDTH, HIDDEN = 16, 24, 48
ROOM = 800_000
"""N-grams that the languages' own tables may hold in all."""
EPOCHS = (1.0, 0.5, 0.2, 0.0)
"""Share of the texts from elsewhere that each epoch sees, beside all of BRIGHTER's."""
ELSEWHERE = 0.3
"""Weight of a text from elsewhere."""


@dataclass(frozen=True)
class Lesson:
    """Training texts of all sources as bags, with truth (n x 6) and the number of their group."""

    data: Bags
    truth: np.ndarray
    groups: np.ndarray
    """0 to 27 by language; above, the other sources; -1 less language for dev."""
    folds: np.ndarray


def lesson(work: Path, seed: int) -> Lesson:
    """Read all texts that something is learnt from, without any that stands in a dev or test part."""
    path = work / "lesson.npz"
    if path.exists():
        kept = np.load(path)
        return Lesson(Bags(kept["numbers"], kept["offsets"]), kept["truth"], kept["groups"], kept["folds"])
    held_out = {
        corpora.plain(text)
        for code in LANGUAGES
        for split in ("dev", "test")
        for text in corpora.brighter("a", code, split).texts
    }
    texts: list[str] = []
    truth, groups = [], []
    go = corpora.goemotions("train")
    sixes = ((go.truth @ corpora.ekman_of_goemotions())[:, :6] > 0).astype(np.float32)
    elsewhere = [corpora.Rows(go.texts, sixes), *map(corpora.xed, SUBTITLES)]
    for number, rows in enumerate([*map(corpora.brighter_train, LANGUAGES), *elsewhere]):
        kept = [
            i for i, text in enumerate(rows.texts) if number < len(LANGUAGES) or corpora.plain(text) not in held_out
        ]
        texts += [rows.texts[i] for i in kept]
        truth.append(rows.truth[kept])
        groups.append(np.full(len(kept), number))
    for number, code in enumerate(LANGUAGES):
        rows = corpora.brighter("a", code, "dev")
        texts += rows.texts
        truth.append(rows.truth)
        groups.append(np.full(len(rows), -1 - number))
    folds = np.random.default_rng(seed).integers(0, own_tables.FOLDS, len(texts))
    made = Lesson(bags(texts, GRAMS), np.concatenate(truth), np.concatenate(groups), folds)
    np.savez(
        path,
        numbers=made.data.numbers,
        offsets=made.data.offsets,
        truth=made.truth,
        groups=made.groups,
        folds=made.folds,
    )
    return made


def own_lines(taught: Lesson, work: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Fit each language's own weights; return the tables and the unseen answers to all rows (train and dev; n x 6)."""
    path = work / "own.npz"
    if not path.exists():
        unseen = np.zeros(taught.truth.shape)
        lines = []
        for number, code in enumerate(LANGUAGES):
            rows, dev = np.flatnonzero(taught.groups == number), np.flatnonzero(taught.groups == -1 - number)
            one = own_tables.learn(taught.data.part(rows), taught.truth[rows], taught.folds[rows])
            unseen[rows] = one.unseen
            unseen[dev] = one.features(taught.data.part(dev)) @ one.weights + one.offset
            lines.append(one)
            log.info("own weights of %s: %d n-grams", code, len(one.vocabulary))
        offset = np.array([one.offset for one in lines])
        np.savez(path, unseen=unseen, offset=offset, **own_tables.tables(lines, ROOM))
    kept = dict(np.load(path))
    return kept, kept.pop("unseen")


def networks(taught: Lesson, work: Path, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Train a network a fold; return their arrays side by side and the unseen answers to all rows (n x 6)."""
    unseen = np.zeros(taught.truth.shape, np.float32)
    dev = np.flatnonzero(taught.groups < 0)
    count = len(LANGUAGES)
    main = np.flatnonzero((taught.groups >= 0) & (taught.groups < count))
    other = np.flatnonzero(taught.groups >= count)
    parts: dict[str, list[np.ndarray]] = {}
    for fold in range(own_tables.FOLDS):
        torch.manual_seed(seed + fold)
        module = Hashed(BITS, WIDTH, HIDDEN, 6, int(taught.groups.max()) + 1)
        path = work / f"network-{fold}.pt"
        if not path.exists():
            rng = np.random.default_rng(seed + fold)
            seen = main[taught.folds[main] != fold]
            epochs = [np.concatenate([seen, rng.choice(other, int(s * len(other)), False)]) for s in EPOCHS]
            fit(module, taught.data, taught.groups, epochs, _loss(taught), HashedOptions(), seed + fold)
            torch.save(module.state_dict(), path)
        module.load_state_dict(torch.load(path))
        for rows in (main[taught.folds[main] == fold], dev):
            groups = np.where(taught.groups[rows] < 0, -1 - taught.groups[rows], taught.groups[rows])
            share = 1 if rows is not dev else 1 / own_tables.FOLDS
            unseen[rows] += share * logits(module, taught.data.part(rows), groups)
        for name, value in module.state_dict().items():
            parts.setdefault(name, []).append(value.numpy())
    table, scale = rounded(np.concatenate(parts["table.weight"], 1), spread=6)
    folds = own_tables.FOLDS
    hidden = np.zeros((folds * WIDTH, folds * HIDDEN), np.float32)
    for fold, weight in enumerate(parts["hidden.weight"]):
        hidden[fold * WIDTH : (fold + 1) * WIDTH, fold * HIDDEN : (fold + 1) * HIDDEN] = weight.T
        arrays = {
            "table": table,
            "table_scale": scale,
            "hidden_weight": hidden,
            "hidden_bias": np.concatenate([bias[:count] for bias in parts["hidden_bias.weight"]], 1),
            "out_weight": np.concatenate([weight.T for weight in parts["out.weight"]]) / folds,
        }
    arrays["out_bias"] = np.mean([bias[:count] for bias in parts["out_bias.weight"]], 0)
    return arrays, unseen


def _loss(taught: Lesson) -> Callable[[torch.Tensor, np.ndarray], torch.Tensor]:
    known = torch.from_numpy((~np.isnan(taught.truth)).astype(np.float32))
    truth = torch.from_numpy(np.nan_to_num(taught.truth))
    weight = torch.from_numpy(np.where(taught.groups < len(LANGUAGES), 1, ELSEWHERE).astype(np.float32))[:, None]

    def loss(x: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        values = torch.nn.functional.binary_cross_entropy_with_logits(x, truth[rows], reduction="none")
        return (values * known[rows] * weight[rows]).mean()

    return loss


def assembled(
    own: dict[str, np.ndarray], network: dict[str, np.ndarray], mixed: Blend, told: dict[str, np.ndarray]
) -> Ngrams:
    """Put all arrays into one model."""
    count = len(LANGUAGES)
    asked = np.stack([~np.isnan(corpora.brighter("a", code, "dev").truth[0]) for code in LANGUAGES])
    constants = np.concatenate([own.pop("offset"), network.pop("out_bias")], 1)
    shift = mixed.shift + np.matmul(constants[:, None], mixed.weights)[:, 0]
    facts = {
        "grams": np.array([GRAMS.shortest, GRAMS.longest, GRAMS.pairs], np.int64),
        "head_names": np.array(["six"]),
        "head_kinds": np.array(["any"]),
        "head_sizes": np.array([6]),
        "languages": np.array(LANGUAGES),
        "slope": np.ones((count, 6), np.float32),
        "shift": shift.astype(np.float32),
        "mix": mixed.weights.astype(np.float32),
        "thresholds": mixed.thresholds.astype(np.float32),
        "asked": asked,
        "low": np.zeros(6, np.float32),
        "high": np.ones(6, np.float32),
    }
    return Ngrams(own | network | told | facts)


def main() -> None:
    """Run the stages that are not yet in the work folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.work.mkdir(parents=True, exist_ok=True)
    taught = lesson(options.work, options.seed)
    log.info("%d texts, %d n-grams", len(taught.data), len(taught.data.numbers))
    own, first = own_lines(taught, options.work)
    network, second = networks(taught, options.work, options.seed)
    rows = np.flatnonzero(taught.groups < len(LANGUAGES))
    groups = np.where(taught.groups < 0, -1 - taught.groups, taught.groups)[rows]
    np.savez(options.work / "unseen.npz", x=np.concatenate([first, second], 1)[rows], y=taught.truth[rows], g=groups)
    mixed = blend(np.concatenate([first, second], 1)[rows], taught.truth[rows], groups, len(LANGUAGES), options.seed)
    told = tongues.learn(LANGUAGES, options.work / "tongues.npz", options.seed)
    model = assembled(own, network, mixed, told)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    model.save(options.out)
    tightened(options.out)
    log.info("%s: %.2f MB", options.out, options.out.stat().st_size / 1e6)
    measure(Ngrams.load(options.out), options.seed)
    cards.update("text.affect-multi", options.out, ["brighter-a"])


if __name__ == "__main__":
    main()
