"""The catalog: every card loads, ids are unique, strangers are found, and listing imports nothing heavy."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MissingExtraError, UnknownNameError, UnreadableError

CARD = 'id = "{id}"\nkind = "space"\nversion = "1"\ntitle = "A stranger\'s"\n'
HEAVY = ("torch", "transformers", "onnxruntime", "tokenizers", "ray", "pandas", "sklearn", "click", "rich")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Return a function that makes a stranger's package with cards, and lets the catalog see it."""
    points = []
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == catalog.GROUP else [])

    def add(package, cards, init="raise RuntimeError('listing must not import me')"):
        folder = tmp_path / package.replace(".", "/")
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(init)
        for name, text in cards.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        points.append(importlib.metadata.EntryPoint(package, package, catalog.GROUP))
        forget()

    forget()
    yield add
    forget()


def forget():
    for held in (catalog._points, catalog._brought):
        held.cache_clear()


@pytest.mark.parametrize("id", catalog.cards())
def test_every_card_names_a_file_that_is_there(id):
    card = catalog.find(id)
    assert Path(card.path).is_file()
    assert card.title
    assert card.licence, f"{id} does not say its licence"
    assert not card.title.endswith(".")


@pytest.mark.parametrize("id", catalog.cards("model"))
def test_every_model_says_what_it_is_for_and_what_it_cannot_do(id):
    card = catalog.find(id)
    assert card.limits
    assert card.intended_use
    assert card.spaces
    assert set(card.spaces) <= set(catalog.cards("space"))


def published():
    """Return all ids; of models only those that are out: a card without a checksum waits for its weights."""
    return [id for id, card in catalog.cards().items() if card.sha256 or "weights" not in card.facts]


@pytest.mark.parametrize("id", published())
def test_every_card_loads(id):
    facts = catalog.find(id).facts
    try:
        loaded = catalog.load(id)
    except (MissingExtraError, UnreadableError):
        assert facts.get("extra") or facts.get("network") or facts.get("get")
        pytest.skip("needs what is not installed, or not here")
    assert loaded is catalog.load(id)
    assert getattr(loaded, "card", catalog.find(id)) == catalog.find(id)


def test_cards_come_by_id_in_order_and_by_kind():
    every = catalog.cards()
    assert list(every) == sorted(every)
    assert all(isinstance(card, Card) and card.id == id for id, card in every.items())
    kinds = ("model", "dataset", "space", "benchmark", "detector", "language")
    assert {id for kind in kinds for id in catalog.cards(kind)} == set(every)


def test_an_unknown_id_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"no model is called 'fakee'; did you mean fake.*known: .*fake"):
        catalog.find("fakee", "model")
    with pytest.raises(UnknownNameError, match="no space is called 'fake'"):
        catalog.find("fake", "space")
    with pytest.raises(UnknownNameError, match="no card is called 'nothing'"):
        catalog.load("nothing")


def test_a_stranger_brings_cards_without_being_imported(shelf):
    shelf("stranger", {"stranger-1.toml": CARD.format(id="stranger-1"), "deep/er.toml": CARD.format(id="er")})
    assert {"stranger-1", "er"} <= set(catalog.cards("space"))
    assert "stranger" not in sys.modules
    assert not catalog.broken_strangers()
    with pytest.raises(CatalogError, match="does not say how to load it: load = 'module:function'"):
        catalog.load("stranger-1")


def test_two_cards_of_one_id_are_an_error_that_names_both(shelf):
    shelf("one", {"twin.toml": CARD.format(id="twin")})
    shelf("two", {"twin.toml": CARD.format(id="twin")})
    with pytest.raises(CatalogError, match=r"two cards are called 'twin': .*one.*two.*rename one"):
        catalog.cards()


def test_a_stranger_cannot_take_the_place_of_our_own(shelf):
    shelf("thief", {"fake.toml": CARD.format(id="fake")})
    with pytest.raises(CatalogError, match="two cards are called 'fake'"):
        catalog.cards()
    assert catalog.find("fake").title != "A stranger's"


@pytest.mark.parametrize("broken", ["id = ", CARD.format(id="other")])
def test_a_broken_stranger_stops_nobody_else(shelf, broken):
    shelf("broken", {"it.toml": broken})
    shelf("whole", {"mine.toml": CARD.format(id="mine")})
    assert "mine" in catalog.cards()
    assert "it.toml" in catalog.broken_strangers()["broken"]
    assert "whole" not in catalog.broken_strangers()


def test_a_stranger_that_is_not_there_is_named(shelf):
    shelf("here", {})
    missing = importlib.metadata.EntryPoint("gone", "no_such_package", catalog.GROUP)
    assert catalog._brought(missing) == ((), "no_such_package is not a package")
    parent = importlib.metadata.EntryPoint("child", "here.child", catalog.GROUP)
    assert catalog._brought(parent) == ((), "RuntimeError: listing must not import me")


@pytest.mark.parametrize("load", ["no_such_module:load", "affetto.core.catalog:no_such_function"])
def test_a_card_that_names_no_code_says_so(shelf, load):
    shelf("empty", {"hollow.toml": CARD.format(id="hollow") + f'load = "{load}"\n'})
    with pytest.raises(CatalogError, match=f"'hollow' is loaded by {load}, which cannot be imported: .*no_such"):
        catalog.load("hollow")


def test_listing_imports_nothing_heavy():
    code = f"""
import sys
import affetto
from affetto.core import catalog
assert catalog.cards()
print([name for name in {HEAVY!r} if name in sys.modules], [n for n in sys.modules if n.startswith("affetto.models")])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] []"
