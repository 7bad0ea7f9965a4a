"""Reading a card: what it must say, and how a broken one is answered."""

import pytest

from affetto.core.card import Card, read_card
from affetto.core.errors import CatalogError

WHOLE = 'id = "x.y"\nkind = "model"\nversion = "1"\ntitle = "A title"\n'


def write(folder, text, name="x.y.toml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_card_is_read_with_all_it_says(tmp_path):
    path = write(tmp_path, WHOLE + 'spaces = ["va"]\nlimits = ["none known"]\nweights = "x.onnx"\n[scores]\nf1 = 0.5\n')
    card = read_card(path)
    assert card == Card("x.y", "model", "1", "A title", spaces=("va",), limits=("none known",), facts=card.facts)
    assert card.facts == {"weights": "x.onnx", "scores": {"f1": 0.5}}
    assert str(card) == "x.y@1"
    assert card.path == str(path)


@pytest.mark.parametrize("key", ["id", "kind", "version", "title"])
def test_a_card_must_say_what_it_is(tmp_path, key):
    lines = [line for line in WHOLE.splitlines() if not line.startswith(key)]
    with pytest.raises(CatalogError, match=rf"x\.y\.toml lacks {key}"):
        read_card(write(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("id = ", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (WHOLE.replace('"model"', '"robot"'), "one of model, dataset, space, .*, language, not 'robot'"),
        (WHOLE.replace('"x.y"', '"x.z"'), r"names itself 'x.z'; the file wants to be called x.z.toml"),
        (WHOLE.replace('"1"', "1"), "version wants a string"),
        (WHOLE + 'spaces = "va"', "spaces wants a list of strings"),
        (WHOLE + "spaces = [1, 2]", "spaces wants a list of strings"),
        (WHOLE + 'source = ["a"]', "source wants a string"),
        (WHOLE + "load = true", "load wants a string"),
    ],
)
def test_a_broken_card_says_which_and_why(tmp_path, text, wanted):
    with pytest.raises(CatalogError, match=wanted) as error:
        read_card(write(tmp_path, text))
    assert "x.y.toml" in str(error.value)


def test_a_card_that_is_not_there_says_so(tmp_path):
    with pytest.raises(CatalogError, match=r"no\.toml cannot be read"):
        read_card(tmp_path / "no.toml")
