"""Teach `text.affect-multi` to tell its languages apart, and to say when a text is in none of them.

One row of scores for each hashed n-gram of one to three letters, one column a language and one for all others. Some
languages that are not supported are learnt as "another"; some are kept back, to measure what it does with strangers.
"""

import logging
from pathlib import Path

import numpy as np
import torch

from affetto.models.text.bags import Bags, bags
from affetto.models.text.hashing import Grams
from affetto.models.text.ngrams import Ngrams
from recipes import corpora
from recipes.hashed import batch, rounded

log = logging.getLogger(__name__)
GRAMS = Grams(1, 3, pairs=False)
BITS = 14
KIN = (("ptbr", "ptmz"), ("arq", "ary"))
"""Languages too near for the text to decide: together they must be sure, then the likelier one answers."""
SUBTITLES = {
    "de": "deu", "en": "eng", "es": "esp", "br": "ptbr", "pt": "ptbr", "ro": "ron", "ru": "rus", "sv": "swe",
    "cn": "chn", "zh": "chn", "tw": "chn",
}  # fmt: skip
OTHERS = "it pl cs nl hr bg da no et hu fa is he".split()
STRANGERS = "fr fi el ja sl sk sr mk vi id th eu".split()
ROWS = 1500
"""Rows of each language of XED that are learnt from; the next 500 are kept back."""
ACCEPTED = 0.97
"""Share of dev texts (each language counting the same) that must be accepted."""


def learn(languages: tuple[str, ...], path: Path, seed: int) -> dict[str, np.ndarray]:
    """Return the arrays tongue, tongue_scale, tongue_bias, kin and sure of `Ngrams`."""
    kin = np.array(
        [[code in one for code in languages] for one in KIN]
        + [[code == one for code in languages] for one in languages if all(one not in near for near in KIN)],
        np.float32,
    )
    if not path.exists():
        texts, labels = _taught(languages, seed)
        table, bias = _fit(bags(texts, GRAMS), labels, len(languages) + 1, seed)
        np.savez(path, table=table, bias=bias)
    kept = np.load(path)
    table, scale = rounded(kept["table"], spread=8)
    arrays = {"tongue": table, "tongue_scale": scale, "tongue_bias": kept["bias"], "kin": kin}
    return arrays | {"sure": np.float32(_sure(arrays, languages))}


def _taught(languages: tuple[str, ...], seed: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    labels: list[int] = []
    for number, code in enumerate(languages):
        rows = corpora.brighter_train(code).texts
        texts += [_crop(text, rng) for text in rows]
        labels += [number] * len(rows)
    for code in [*SUBTITLES, *OTHERS]:
        rows = corpora.xed(code).texts[:ROWS]
        texts += rows
        labels += [languages.index(SUBTITLES[code]) if code in SUBTITLES else len(languages)] * len(rows)
    return texts, np.array(labels)


def _crop(text: str, rng: np.random.Generator) -> str:
    """Return half of the texts whole (their first 300 letters), of the others some words in a row."""
    if rng.random() < 0.5:
        return text[:300]
    words = text.split()
    if len(words) < 6:
        at = int(rng.integers(0, max(1, len(text) - 20)))
        return text[at : at + int(rng.integers(12, 40))]
    size = int(rng.integers(3, 9))
    at = int(rng.integers(0, max(1, len(words) - size)))
    return " ".join(words[at : at + size])


def _fit(data: Bags, labels: np.ndarray, count: int, seed: int, epochs: int = 3) -> tuple[np.ndarray, np.ndarray]:
    torch.manual_seed(seed)
    table = torch.nn.EmbeddingBag(1 << BITS, count, mode="sum")
    torch.nn.init.zeros_(table.weight)
    bias = torch.nn.Parameter(torch.zeros(count))
    adam = torch.optim.Adam([table.weight, bias], lr=1e-2)
    weight = 1 / np.sqrt(np.bincount(labels, minlength=count))
    weighing = torch.tensor(weight / weight.mean(), dtype=torch.float32)
    rng, target = np.random.default_rng(seed), torch.from_numpy(labels)
    steps, step = epochs * -(-len(labels) // 256), 0
    for epoch in range(epochs):
        order = rng.permutation(len(labels))
        for at in range(0, len(order), 256):
            rows = order[at : at + 256]
            places, starts, counts = batch(data, rows, BITS, 0.7, seed=step)
            x = table(places, starts) / counts.sqrt()[:, None] + bias
            value = torch.nn.functional.cross_entropy(x, target[rows], weighing) + 1e-6 * (table.weight**2).sum()
            for group in adam.param_groups:
                group["lr"] = 1e-2 * (1 - step / steps)
            adam.zero_grad()
            value.backward()
            adam.step()
            step += 1
        log.info("languages told apart, epoch %d: loss %.4f", epoch, float(value.detach()))
    return table.weight.detach().numpy(), bias.detach().numpy()


def surest(likely: np.ndarray, kin: np.ndarray) -> np.ndarray:
    """Return the probability of the likeliest group of kin, n."""
    return (likely @ kin.T).max(1)


def listener(arrays: dict[str, np.ndarray], languages: tuple[str, ...]) -> Ngrams:
    """Return a model that can do nothing but tell languages apart."""
    one = np.ones((len(languages), 1), np.float32)
    nothing = {
        "grams": np.array([1, 1, 0]), "head_names": np.array(["none"]), "head_kinds": np.array(["any"]),
        "head_sizes": np.array([1]), "languages": np.array(languages), "table": np.zeros((2, 1), np.int8),
        "table_scale": np.ones(1), "hidden_weight": one[:1], "hidden_bias": one, "out_weight": one[:1],
        "slope": one, "shift": one, "thresholds": one, "asked": one > 0, "low": one[0], "high": one[0],
    }  # fmt: skip
    return Ngrams(nothing | arrays)


def _sure(arrays: dict[str, np.ndarray], languages: tuple[str, ...]) -> float:
    model = listener(arrays, languages)
    dev = [surest(model.identify(corpora.brighter("a", code, "dev").texts), arrays["kin"]) for code in languages]
    weight = np.concatenate([np.full(len(one), 1 / len(one)) for one in dev])
    values = np.concatenate(dev)
    order = np.argsort(values)
    passed = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(passed, 1 - ACCEPTED)])
