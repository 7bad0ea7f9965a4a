"""The public names, and what it costs to import them."""

import importlib
import importlib.metadata
import inspect
import json
import subprocess
import sys

import pytest

import affetto

NAMES = [
    *("AffettoError", "Audio", "Axis", "Card", "Frames", "Image", "MalformedError", "MissingExtraError"),
    *("NoBridgeError", "Record", "Space", "Span", "Text", "Track", "Turn", "UnknownNameError", "UnreadableError"),
    *("Waves", "__version__", "card", "cards", "explain", "load", "perceive", "read", "translate", "write"),
]


def fresh(code: str) -> str:
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_names_are_these_and_no_others() -> None:
    assert sorted(affetto.__all__) == affetto.__all__ == sorted(NAMES)
    assert dir(affetto) == affetto.__all__


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(affetto, name)
    if name == "__version__":
        assert thing == importlib.metadata.version("affetto")
    else:
        assert inspect.getdoc(thing)
        assert thing.__module__.startswith("affetto.")


def test_star_import_gives_them_all() -> None:
    place: dict[str, object] = {}
    exec("from affetto import *", place)
    assert set(NAMES) <= set(place)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'percieve'"):
        _ = affetto.percieve  # type: ignore[attr-defined]


def test_the_verb_explain_is_not_hidden_by_the_room_of_that_name() -> None:
    importlib.import_module("affetto.explain.occlusion")
    importlib.reload(importlib.import_module("affetto.explain.occlusion"))
    assert callable(affetto.explain)
    assert "callable" in fresh(
        "import affetto.explain.occlusion, affetto\nfrom affetto.explain import occlusion\n"
        "from affetto import explain\n"
        "print('callable' if callable(affetto.explain) and callable(explain) else 'hidden')"
    )


def test_import_is_light_and_loads_no_framework() -> None:
    code = (
        "import sys, time, json; before = set(sys.modules); start = time.process_time(); import affetto\n"
        "seconds = time.process_time() - start; new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps([seconds, sorted(new)]))"
    )
    runs = [json.loads(fresh(code)) for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.3
    heavy = {"torch", "onnxruntime", "transformers", "tokenizers", "ray", "pandas", "pyarrow", "click", "rich", "numpy"}
    assert not heavy & set(runs[0][1])


def test_the_nouns_and_verbs_load_no_framework() -> None:
    code = "import sys, affetto, json; [getattr(affetto, name) for name in affetto.__all__]\n"
    code += "print(json.dumps(list(sys.modules)))"
    heavy = {"torch", "onnxruntime", "transformers", "tokenizers", "ray", "pandas", "pyarrow", "rich"}
    assert not heavy & {name.partition(".")[0] for name in json.loads(fresh(code))}


def test_listing_cards_imports_none_of_the_things() -> None:
    code = "import sys, json\nfrom affetto.core import catalog; catalog.cards(); print(json.dumps(list(sys.modules)))"
    loaded = set(json.loads(fresh(code)))
    assert not any(name.startswith(("affetto.models", "affetto.spaces", "onnxruntime", "torch")) for name in loaded)
