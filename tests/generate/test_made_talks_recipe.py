"""The recipe of made talks: whose voices are in which split, what mouths do to a sound, how often channels part."""

from pathlib import Path

import numpy as np
import pytest

from affetto.datasets.ravdess import FOLDS
from recipes.made_talks import ACTORS, VARIANTS, Maker, _feelings, mouth

T = np.arange(16000) / 16000


def test_nobody_speaks_in_both_splits() -> None:
    actors = {split: {actor for fold in folds for actor in FOLDS[fold]} for split, folds in ACTORS.items()}
    assert not actors["dev"] & actors["test"] and len(actors["dev"] | actors["test"]) == 24


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_cast_has_its_sides_and_voices_of_its_own(variant: object) -> None:
    cast, voices = Maker("dev", 0, Path())._cast(variant, np.random.default_rng(3))
    assert tuple(person.side for person in cast) == variant.sides
    assert len(set(voices.values())) == len(cast) == len({person.name for person in cast})


def test_mouths_open_to_vowels_and_not_to_hiss_or_silence() -> None:
    vowel = sum(np.sin(2 * np.pi * 120 * k * T) / (1 + abs(120 * k - 700) / 150) for k in range(1, 25))
    hiss = np.diff(np.random.default_rng(0).normal(size=16001), 1) * 0.2
    parts = np.concatenate([0.1 * vowel, np.zeros(16000), 0.1 * hiss]).astype(np.float32)
    rows = mouth(parts)
    opened = [rows[k * 100 + 20 : k * 100 + 80, 0].mean() for k in range(3)]
    assert rows.shape == (300, 3) and 0 <= rows.min() <= rows.max() <= 1
    assert opened[0] > 0.6 and opened[1] < 0.05 and opened[2] < 0.5 * opened[0]


def test_about_one_line_in_seven_parts_the_channels() -> None:
    rng = np.random.default_rng(1)
    drawn = [_feelings(rng, True) for _ in range(2000)]
    parted = [one for one in drawn if len(set(one)) > 1]
    assert 0.12 < len(parted) / len(drawn) < 0.18
    assert all(one[0] != "joy" for one in parted)
    assert all(face == voice for felt, face, voice, words in (_feelings(rng, False) for _ in range(300)))
