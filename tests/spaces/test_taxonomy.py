"""Every taxonomy loads, keeps the laws, and has the labels its makers gave it."""

import csv
import gzip
import os
from pathlib import Path

import pytest

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, UnknownNameError
from affetto.spaces import taxonomy

IDS = sorted(catalog.cards("space"))
OWN = [id for id in IDS if "affetto/spaces" in catalog.find(id).path.replace(os.sep, "/")]
COUNTS = {
    "ekman-6": 6, "ekman-7": 7, "brighter-6": 6, "intensity-6": 6, "plutchik-8": 8, "plutchik-wheel": 48,
    "goemotions-28": 28, "mikels-8": 8, "parrott": 135, "empathetic-32": 32, "emonet-40": 40, "compound-7": 7,
    "academic-5": 5, "semeval-11": 11, "leia-5": 5, "stocktwits-7": 7, "sentiment-3": 3, "va": 2, "vad": 3,
    "quadrants-4": 4, "importance": 1, "facs-au": 27, "arkit-52": 52, "goemotions-4": 4, "strategy-8": 8,
    "esconv-11": 11, "cause": 1, "plutchik-8-intensity": 8, "empathy-2": 2, "epitome-3": 3, "therapist-4": 4,
    "client-talk-3": 3, "sentiment-score": 1, "open": 1, "emorynlp-7": 7, "empathetic-intents-9": 9, "ekman-8": 8,
    "speaking": 1, "conflict": 4, "care": 4, "shift": 2, "trouble": 1, "answering": 1,
    "emodb-7": 7, "emogator-30": 30, "iemocap-9": 9, "mafw-11": 11, "ravdess-8": 8, "turev-4": 4,
    "prosody": 10, "egemaps-88": 88, "egemaps-lld": 25, "head-pose": 3, "gaze": 4, "face-mesh-478": 1434,
    "face-points-68": 136,
}  # fmt: skip
WITHOUT_POINTS = {
    "va", "vad", "importance", "facs-au", "arkit-52", "goemotions-4", "strategy-8", "cause", "empathy-2", "epitome-3",
    "therapist-4", "client-talk-3", "trouble", "sentiment-score", "open", "empathetic-intents-9", "prosody",
    "egemaps-88", "egemaps-lld", "head-pose", "gaze", "face-mesh-478", "face-points-68",
    "speaking", "conflict", "care", "shift", "answering",
}  # fmt: skip
DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def test_all_are_there():
    assert set(COUNTS) == set(OWN)


@pytest.mark.parametrize("id", OWN)
def test_it_loads_and_is_counted(id):
    space = taxonomy.space(id)
    assert space.id == id
    assert len(space.axes) == COUNTS[id]
    card = catalog.find(id)
    assert card.citation and card.source and card.licence == "MIT"


@pytest.mark.parametrize("id", [id for id in OWN if taxonomy.space(id).kind != "vector"])
def test_every_label_is_explained(id):
    for axis in taxonomy.space(id).axes:
        assert axis.definition.endswith("."), axis.name
        assert axis.name not in axis.synonyms
        assert len(set(axis.synonyms)) == len(axis.synonyms), axis.name


@pytest.mark.parametrize("id", sorted(set(OWN) - WITHOUT_POINTS))
def test_every_emotion_has_polarity_and_sourced_coordinates(id):
    space = taxonomy.space(id)
    assert "Warriner" in space.vad_source
    for axis in space.axes:
        assert axis.vad is not None and axis.polarity is not None, axis.name
        valence = axis.vad[0]
        if abs(valence) > 0.2:
            assert axis.polarity * valence >= 0, f"{axis.name}: polarity {axis.polarity}, valence {valence}"


@pytest.mark.parametrize("id", OWN)
def test_opposites_answer_each_other(id):
    space = taxonomy.space(id)
    for axis in space.axes:
        if axis.opposite:
            assert space[axis.opposite].opposite == axis.name


def test_one_word_has_one_set_of_coordinates_everywhere():
    seen = {}
    for id in set(OWN) - WITHOUT_POINTS:
        for axis in taxonomy.space(id).axes:
            word = axis.facts.get("vad_word", axis.name)
            assert seen.setdefault(word, axis.vad) == axis.vad, word


@pytest.mark.corpus
def test_coordinates_are_the_published_norms():
    path = DATA / "text" / "lexicons" / "warriner_vad" / "Ratings_Warriner_et_al.csv.gz"
    if not path.exists():
        pytest.skip("no data folder")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        norms = {row["Word"]: [float(row[f"{x}.Mean.Sum"]) for x in "VAD"] for row in csv.DictReader(file)}
    for id in set(OWN) - WITHOUT_POINTS:
        for axis in taxonomy.space(id).axes:
            words = axis.facts.get("vad_word", axis.name).split(" + ")
            means = [sum((norms[word][i] - 5) / 4 for word in words) / len(words) for i in range(3)]
            assert axis.vad == pytest.approx(means, abs=0.0051), axis.name


def test_goemotions_stand_in_the_order_of_their_makers():
    assert taxonomy.space("goemotions-28").names == tuple(
        "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
        "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
        "remorse sadness surprise neutral".split()
    )


def test_other_orders():
    assert taxonomy.space("stocktwits-7").names == ("neutral", "happy", "sad", "anger", "disgust", "surprise", "fear")
    assert taxonomy.space("ekman-7").names == ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
    assert taxonomy.space("mikels-8").names[:4] == ("amusement", "awe", "contentment", "excitement")
    arkit = taxonomy.space("arkit-52")
    assert (arkit.names[0], arkit.names[7], arkit.names[-1]) == ("eyeBlinkLeft", "eyeBlinkRight", "tongueOut")
    assert all(axis.facts["live_link"].lower() == axis.name.lower() for axis in arkit.axes)


def test_ranges():
    assert {(a.low, a.high) for a in taxonomy.space("facs-au").axes} == {(0.0, 5.0)}
    assert {(a.low, a.high) for a in taxonomy.space("vad").axes} == {(-1.0, 1.0)}
    assert {(a.low, a.high) for a in taxonomy.space("intensity-6").axes} == {(0.0, 3.0)}
    assert taxonomy.space("facs-au")["AU12"].facts["muscle"] == "zygomaticus major"


def test_a_vector_has_a_width_and_no_names():
    mesh = taxonomy.space("face-mesh-478")
    assert mesh.kind == "vector" and mesh.names[:2] == ("0", "1") and len(mesh.names) == 3 * 478
    ibug = catalog.find("face-mesh-478").facts["ibug_68"]
    assert len(set(ibug)) == 68 and max(ibug) < 478
    assert len(taxonomy.space("face-points-68").names) == 2 * len(ibug)
    with pytest.raises(CatalogError, match="axes"):
        taxonomy.load(Card("mine", "space", "1", "Mine", facts={"space_kind": "vector", "width": 0}))


def test_plutchik_knows_intensities_and_24_dyads():
    wheel = taxonomy.space("plutchik-wheel")
    assert taxonomy.space("plutchik-8")["joy"].facts["intense"] == "ecstasy"
    assert sorted(wheel.children("anger")) == ["annoyance", "rage"]
    tiers = [axis.facts["tier"] for axis in wheel.axes]
    assert [tiers.count(f"{nth} dyad") for nth in ("primary", "secondary", "tertiary")] == [8, 8, 8]
    assert {r.subject: set(r.objects) for r in wheel.relations}["love"] == {"joy", "trust"}
    assert {r.subject: set(r.objects) for r in wheel.relations}["shame"] == {"fear", "disgust"}


def test_parrott_has_three_tiers():
    space = taxonomy.space("parrott")
    assert space.children("") == ("love", "joy", "surprise", "anger", "sadness", "fear")
    assert taxonomy.ancestors(space, "fury") == ("fury", "rage", "anger")
    assert {axis.facts["tier"] for axis in space.axes} == {"primary", "secondary", "tertiary"}


def test_tree_draws_every_label_once():
    space = taxonomy.space("parrott")
    lines = taxonomy.tree(space).splitlines()
    assert [line.lstrip("|`- ").split("  ")[0] for line in lines if line] == sorted(
        space.names, key=[line.lstrip("|`- ").split("  ")[0] for line in lines].index
    )
    assert "|-- bliss  <> agony" in taxonomy.tree(space)


def test_an_unknown_space_names_the_known():
    with pytest.raises(UnknownNameError, match=r"did you mean ekman-[678]"):
        taxonomy.space("ekman-9")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "space_kind"),
        ({"space_kind": "one"}, "axes"),
        ({"space_kind": "maybe", "axes": [{"name": "a"}]}, "maybe"),
        ({"space_kind": "one", "axes": [{"definition": "x"}]}, "wants a name"),
        ({"space_kind": "one", "axes": [{"name": "a", "colour": "red"}]}, "colour"),
        ({"space_kind": "one", "axes": [{"name": "a", "synonyms": "b"}]}, "synonyms"),
        ({"space_kind": "one", "axes": [{"name": "a", "vad": [1, 2]}]}, "vad"),
        ({"space_kind": "one", "axes": [{"name": "a", "vad": ["x"]}]}, "vad"),
        ({"space_kind": "one", "axes": [{"name": "a", "parent": "b"}]}, "b"),
        ({"space_kind": "one", "axes": [{"name": "a"}], "relations": [{"subject": "a", "kind": "is"}]}, "relations"),
    ],
)
def test_a_malformed_card_says_what_is_wrong(facts, said):
    with pytest.raises(CatalogError, match=said):
        taxonomy.load(Card("mine", "space", "1", "Mine", facts=facts))
