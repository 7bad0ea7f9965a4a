import itertools

import numpy as np
import pytest

from affetto.models.text import hashing, ngrams
from affetto.models.text.ngrams import Ngrams

ODD = [
    "",
    " ",
    "\x00\x00",
    "a\x00b",
    "I got the job!!! 😂😂 sooooo happy",
    "أنا سعيد جدا اليوم",
    "lone \ud800 surrogate \udfff",
    "今天很开心。你好，世界",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "x" * 3000,
    "Ｆｕｌｌ ﬁ ß İ",
    "ጤና ይስጥልኝ፡ ደህና ነህ።",
]


def made(languages: tuple[str, ...] = ("",), seed: int = 0) -> Ngrams:
    rng = np.random.default_rng(seed)
    count, width, hidden, outputs = len(languages), 8, 6, 5
    arrays = {
        "grams": np.array([1, 4, 1]),
        "head_names": np.array(["six", "mood", "vad"]),
        "head_kinds": np.array(["any", "one", "graded"]),
        "head_sizes": np.array([2, 2, 1]),
        "languages": np.array(languages),
        "table": rng.integers(-127, 128, (1 << 10, width)).astype(np.int8),
        "table_scale": np.full(width, 0.02, np.float32),
        "hidden_weight": rng.normal(size=(width, hidden)).astype(np.float32),
        "hidden_bias": rng.normal(size=(count, hidden)).astype(np.float32),
        "out_weight": rng.normal(size=(hidden, outputs)).astype(np.float32),
        "slope": np.ones((count, outputs), np.float32),
        "shift": np.zeros((count, outputs), np.float32),
        "thresholds": np.full((count, outputs), 0.5, np.float32),
        "asked": np.ones((count, outputs), bool),
        "low": np.full(outputs, -1, np.float32),
        "high": np.full(outputs, 1, np.float32),
    }
    if count > 1:
        arrays |= {
            "own": rng.integers(1, 128, (count * 256 + 1, outputs + 1)).astype(np.int8),
            "own_marks": rng.integers(0, 4, count * 256 + 1).astype(np.uint8) * 60,
            "mix": rng.normal(size=(count, 2 * outputs, outputs)).astype(np.float32),
            "own_bits": np.full(count, 8),
            "own_starts": np.arange(count) * 256,
            "own_scale": np.full((count, outputs + 1), 0.01, np.float32),
            "tongue": rng.integers(-127, 128, (1 << 10, count + 1)).astype(np.int8),
            "tongue_scale": np.full(count + 1, 0.01, np.float32),
            "tongue_bias": np.zeros(count + 1, np.float32),
            "kin": np.eye(count, dtype=np.float32),
            "sure": np.float32(0.1),
        }
    return Ngrams(arrays)


@pytest.mark.parametrize("languages", [("",), ("eng", "ptbr", "ptmz")])
def test_shapes_and_ranges(languages):
    model = made(languages)
    answers = model.answer(ODD, None if len(languages) == 1 else "eng")
    assert answers["six"].shape == (len(ODD), 2) and answers["six"].dtype == np.float32
    assert np.allclose(answers["mood"].sum(1), 1, atol=1e-5)
    assert np.abs(answers["vad"]).max() <= 1
    assert model.thresholds["six"].shape == ((2,) if len(languages) == 1 else (3, 2))


def test_no_texts():
    answers = made().answer([])
    assert answers["six"].shape == (0, 2)
    assert made(("a", "b")).answer([])["language"].shape == (0,)


@pytest.mark.parametrize("languages", [("",), ("eng", "ptbr", "ptmz")])
def test_an_answer_does_not_depend_on_company(languages, monkeypatch):
    model = made(languages)
    together = model.answer(ODD * 3)
    monkeypatch.setattr(hashing, "CHUNK", 50)
    monkeypatch.setattr(ngrams, "BLOCK", 5)
    monkeypatch.setattr(ngrams, "GATHERED", 7)
    apart = model.answer(ODD * 3, threads=2)
    for name, values in together.items():
        if values.dtype == object:
            assert values.tolist() == apart[name].tolist()
        else:
            assert np.allclose(values, apart[name], atol=1e-6, equal_nan=True)


def test_hashes_are_the_same_everywhere():
    read = hashing.tokens([hashing.folded(text) for text in ODD])
    letters, offsets = hashing.letter_grams(read, np.arange(len(read.names)), hashing.Grams(1, 5))
    pairs, by_text = hashing.pair_grams(read)
    assert (len(letters), len(pairs)) == (offsets[-1], by_text[-1])
    assert (int(letters.sum(dtype=np.uint64)), int(pairs.sum(dtype=np.uint64))) == (LETTERS, PAIRS)


LETTERS, PAIRS = 980_871_039_200, 68_410_681_421


def test_n_grams_are_those_one_would_count_by_hand():
    read = hashing.tokens(["abab ab", "ab"])
    numbers, offsets = hashing.letter_grams(read, np.array([0, 1, 2]), hashing.Grams(1, 3))
    # <abab>: a b a b, <a ab ba ab b>, <ab aba bab ab>, and the token itself; <ab>: a b, <a ab b>, <ab ab>, itself
    assert np.diff(offsets).tolist() == [4 + 5 + 4 + 1, 2 + 3 + 2 + 1, 2 + 3 + 2 + 1]
    first, second, third = (set(numbers[a:b].tolist()) for a, b in itertools.pairwise(offsets))
    assert second == third and len(second - first) == 1 and len(first) == 2 + 4 + 4 + 1


def test_tokens():
    texts = ["i'm soooo 100000 ok?!", "😂😂", "你好，世界", ""]
    read = hashing.tokens([hashing.folded(text) for text in texts])
    words = ["".join(map(chr, read.letters[a:b])) for a, b in zip(read.starts, read.ends, strict=True)]
    assert words == ["i'm", "soo", "100000", "ok", "?!", "😂", "😂", "你好", ",", "世界"]
    assert read.offsets.tolist() == [0, 5, 7, 10, 10]


def test_five_million_letters_in_bounded_memory():
    import tracemalloc

    model = made()
    long = "The cat sat on the mat, and was glad of it. " * 114_000
    model.answer(["warm"])
    tracemalloc.start()
    answers = model.answer([long, "short"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(answers["six"]).all()
    assert peak < 120e6
    assert np.allclose(answers["six"][1], model.answer(["short"])["six"][0], atol=1e-6)


def test_languages_told_and_asked():
    model = made(("eng", "ptbr", "ptmz"))
    answers = model.answer(["x"] * 6, ["en", "pt", "pt-BR", "fr", "PTMZ", "en_GB"])
    spoken = answers["language"].tolist()
    assert [spoken[0], *spoken[2:]] == ["eng", "ptbr", None, "ptmz", "eng"]
    assert spoken[1] in ("ptbr", "ptmz")
    assert np.isnan(answers["six"][3]).all() and np.isfinite(answers["six"][[0, 1, 2, 4, 5]]).all()
    unknown = model.answer(["", "12345", "χαίρετε", "日本語です"])
    assert unknown["language"].tolist()[:1] == [None]
    with pytest.raises(ValueError, match="as many languages"):
        model.answer(["a", "b"], ["en"])


def test_files(tmp_path):
    model = made(("eng", "ptbr"))
    model.save(tmp_path / "a.npz")
    again = Ngrams.load(tmp_path / "a.npz")
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    first, second = model.answer(ODD), again.answer(ODD)
    assert np.array_equal(first["six"], second["six"], equal_nan=True)
    with pytest.raises(ValueError, match="need the arrays"):
        Ngrams({"table": np.zeros((2, 2), np.int8)})
