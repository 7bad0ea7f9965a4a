"""What the readers of text corpora make of labels, escapes and copies, on their own fakes."""

from pathlib import Path

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.datasets.corpus import Corpus
from affetto.datasets.emtract import FOLDS


def corpus(id: str, folder: Path) -> Corpus:
    corpus: Corpus = catalog.load(id)
    corpus.faker(folder)
    return corpus


def labels(track: Track) -> set[str]:
    """Return what the first row says yes to."""
    return {axis.name for axis, value in zip(track.space.axes, track.values[0], strict=True) if value == 1}


def test_copies_in_a_later_split_say_so(tmp_path):
    goemotions = corpus("goemotions", tmp_path)
    copies = {
        name: [r.meta.get("duplicate_of") for r in goemotions.read(name, folder=tmp_path)] for name in goemotions.splits
    }
    assert copies["train"][0] == copies["dev"][0] == "test"
    assert set(copies["train"][1:]) == set(copies["test"]) == {None}


def test_emobank_has_both_sides_and_each_rating(tmp_path):
    record = next(corpus("emobank", tmp_path).read("dev", folder=tmp_path))
    means = {t.subject: t for t in record.tracks if t.source == "raters"}
    assert (means["reader"].perspective, means["writer"].perspective) == ("evoked", "expressed")
    assert means["reader"].values[0] == pytest.approx([0.25, -0.25, 0])
    assert [t.values[0, 0] for t in record.tracks if t.source.startswith("rater:")] == [0, 0.5, 0, 0.5]
    assert record.meta["document"] and record.meta["domain"] == "letters"


def test_brighter_says_nothing_of_what_was_not_asked(tmp_path):
    brighter = corpus("brighter-a", tmp_path)
    for part, unasked in (("eng", "disgust"), ("afr", "surprise")):
        track = next(brighter.read("test", part, tmp_path)).tracks[0]
        assert [a.name for a, v in zip(track.space.axes, track.values[0], strict=True) if np.isnan(v)] == [unasked]


def test_brighter_refuses_a_strength_beyond_three(tmp_path):
    brighter = corpus("brighter-b", tmp_path)
    (tmp_path / "track_b/dev/ron.csv.gz").unlink()
    (tmp_path / "track_b/dev/ron.csv").write_text("id,text,anger\nron_1,Da.,4\n")
    assert any("ron_1" in odd.words for odd in brighter.check(tmp_path) if odd.kind == "broken")


def test_xed_numbers_quotes_and_swallowed_rows(tmp_path):
    xed = corpus("xed", tmp_path)
    english = list(xed.read("all", "en", tmp_path))
    assert [labels(r.tracks[0]) for r in english] == [{"anger"}, {"trust", "anger", "fear"}, set(), set()]
    greek = list(xed.read("projected", "el", tmp_path))
    assert [r.text for r in greek] == ['He said "hm".', "Я тебя ."]
    assert greek[0].tracks[0].source.startswith("silver:")
    assert [r.text for r in xed.read("projected", "tr", tmp_path)] == ["Hadi."]
    assert [r.meta["film"] for r in xed.read("all", "fi", tmp_path) if "film" in r.meta] == ["fi/1965/59037"] * 2


def test_empathetic_dialogues_unescape_and_span_the_speaker(tmp_path):
    record = next(corpus("empatheticdialogues", tmp_path).read("test", folder=tmp_path))
    assert record.turns[0].text == record.meta["situation"] == 'I "heard" it, twice \N{WEARY FACE}'
    assert [turn.speaker for turn in record.turns] == ["speaker", "listener", "speaker"]
    (track,) = record.tracks
    assert (track.perspective, track.subject, track.start[0], track.end[0]) == ("felt", "speaker", 0, 3)


def test_empathetic_intents_keep_gold_and_silver_apart(tmp_path):
    record = next(corpus("empathetic-intents", tmp_path).read("valid", folder=tmp_path))
    gold, *silver = record.tracks
    assert (gold.source, gold.perspective, gold.space.id) == ("speaker", "felt", "empathetic-32")
    assert {t.source for t in silver} == {"silver:empathetic-intents"}
    said = {(t.space.id, t.subject): [a and a.name for a in map(t.top, range(len(t)))] for t in silver}
    assert said["empathetic-intents-9", "listener"] == ["questioning"]
    assert said["empathetic-intents-9", "speaker"] == [None, "neutral"]


def test_meld_mends_apostrophes(tmp_path):
    record = next(corpus("meld", tmp_path).read("test", folder=tmp_path))
    assert record.turns[2].text.startswith("Y’know")
    assert record.meta["times"][0] == [878.127, 879.378]
    assert [t.top(0).name for t in record.tracks if t.subject == "Mark"] == ["surprise", "positive"]


def test_emorynlp_joins_those_who_speak_together(tmp_path):
    record = next(corpus("emorynlp", tmp_path).read("train", folder=tmp_path))
    assert record.id == "s01e01-1"
    assert record.turns[1].speaker == "Monica Geller and Phoebe Buffay"
    assert [t.top(0).name for t in record.tracks] == ["neutral", "joyful"]


def test_dailydialog_flags_copies_and_misaligned_labels(tmp_path):
    dailydialog = corpus("dailydialog", tmp_path)
    for part in ("en", "it", "zh"):
        copy, odd, _ = dailydialog.read("train", part, tmp_path)
        assert copy.meta["duplicate_of"] == "test"
    assert len(odd.turns) == 4 and odd.tracks
    first = next(dailydialog.read("test", "zh", tmp_path))
    assert [t.top(0).name for t in first.tracks] == ["neutral", "joy"]
    assert first.meta["acts"] == ["question", "inform", "directive"] and first.meta["topic"] == "ordinary life"
    _misalign(tmp_path)
    odd = list(dailydialog.read("train", "en", tmp_path))[1]
    assert odd.meta["misaligned"] and odd.turns and not odd.tracks


def _misalign(folder: Path) -> None:
    path = folder / "partial_8096" / "dialogues_emotion.txt"
    path.with_name(path.name + ".gz").unlink()
    path.write_text("0 4 0\n0 0\n3 5 6 0\n")


def test_peld_knows_the_personality(tmp_path):
    record: Record = next(corpus("peld", tmp_path).read("all", folder=tmp_path))
    assert record.people["Chandler"]["personality"]["openness"] == 0.648
    assert [turn.speaker for turn in record.turns] == ["Chandler", "The Interviewer", "Chandler"]


def test_emtract_folds_hold_two_thousand_each():
    digits = FOLDS.read_text("ascii").replace("\n", "")
    assert [digits.count(str(fold)) for fold in range(5)] == [2000] * 5
