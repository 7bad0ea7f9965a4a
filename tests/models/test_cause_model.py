"""Which turn caused what another shows, and which words of it did."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.bench import causes
from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.metrics.cause import entailment_f1
from affetto.models.dialogue import pairs, spans
from affetto.models.dialogue.cause import Cause, Heads
from recipes import corpora

SEVEN = catalog.load("ekman-7")
LINES = (
    ("Ada", "Good morning . Did you sleep well ?", "neutral"),
    ("Bo", "No . The neighbours had a party until four , and I missed my train .", "anger"),
    ("Ada", "<Media omitted>", "neutral"),
    ("Ada", "Oh dear . But look , we won the prize !", "joy"),
    ("Bo", "Really ? We won ? That is wonderful !", "joy"),
)


@pytest.fixture(scope="module")
def model() -> Cause:
    found: Cause = catalog.load("dialogue.cause")
    return found


def talk(lines: tuple[tuple[str, str, str], ...] = LINES, timed: bool = False, id: str = "t") -> Record:
    tracks = []
    at = [Span(3 * k, 3 * k + 2) if timed else Span(k, k + 1, "turn") for k in range(len(lines))]
    for who in dict.fromkeys(name for name, *_ in lines):
        mine = [k for k, line in enumerate(lines) if line[0] == who]
        values = np.eye(7)[[SEVEN.index(lines[k][2]) for k in mine]]
        start, end = ([getattr(at[k], side) for k in mine] for side in ("start", "end"))
        tracks.append(Track(SEVEN, start, end, values, unit=at[0].unit, subject=who, source="raters"))
    turns = tuple(Turn(name, at[k] if timed else None, text) for k, (name, text, _) in enumerate(lines))
    return Record(id, turns=turns, tracks=tuple(tracks))


def found(tracks: tuple[Track, ...]) -> dict[tuple[float, float], tuple[float, str]]:
    return {
        (about.start, start): (float(values[0]), note)
        for track in tracks
        for start, about, values, note in zip(track.start, track.about, track.values, track.note, strict=True)
    }


TEXT = st.text(st.sampled_from("ab .,!?;é\n'"), max_size=40)


@given(TEXT)
def test_clauses_hold_every_word_once(text: str) -> None:
    parts = spans.clauses(text)
    assert " ".join(parts).split() == text.split() and all(parts)


def test_clauses_are_cut_at_signs_and_openers() -> None:
    assert spans.clauses("I left because it rained, hard. Why?") == ["I left", "because it rained,", "hard.", "Why?"]
    assert spans.clauses("Wait ! ! !") == ["Wait ! ! !"]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=7))
def test_the_best_run_is_the_best_of_all(parts: list[tuple[float, int]]) -> None:
    inside, sizes = (np.array(column) for column in zip(*parts, strict=True))
    start, end = spans.best_run(inside.tolist(), sizes.tolist())

    def expected(a: int, b: int) -> float:
        return 2 * (inside * sizes)[a:b].sum() / (sizes[a:b].sum() + (inside * sizes).sum())

    runs = [(a, b) for a in range(len(parts)) for b in range(a + 1, len(parts) + 1)]
    assert expected(start, end) == pytest.approx(max(expected(*run) for run in runs))


def test_no_clauses_have_no_run() -> None:
    with pytest.raises(ValueError, match="no run"):
        spans.best_run([], [])


def known(n: int, seed: int = 0) -> pairs.Heard:
    rng = np.random.default_rng(seed)
    shown = rng.dirichlet(np.ones(7), n).astype(np.float32)
    texts = [f"Is it number {k} , my friend ?" for k in range(n)]
    return pairs.heard(["AB"[k % 2] for k in range(n)], texts, rng.normal(size=(n, 64)).astype(np.float32), shown)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.data())
def test_only_turns_up_to_the_one_that_feels_are_looked_at(n: int, data: st.DataObject) -> None:
    talk_, turn = known(n), data.draw(st.integers(0, n - 1))
    rows = pairs.described(talk_, turn, 3)
    assert len(rows) == min(turn, pairs.REACH) + 1 and np.isfinite(rows).all()
    cut = pairs.Heard(*(part[: turn + 1] for part in vars(talk_).values()))
    np.testing.assert_array_equal(rows, pairs.described(cut, turn, 3))


def test_a_cause_is_a_row_on_its_turn_about_the_turn_that_feels(model: Cause) -> None:
    tracks = model([talk()])[0]
    assert [track.subject for track in tracks] == ["Bo", "Ada"]
    rows = found(tracks)
    assert rows and {turn for turn, _ in rows} <= {1, 3, 4} and all(cause <= turn for turn, cause in rows)
    for track in tracks:
        assert track.space.id == "cause" and track.source == str(model.card) and track.channel == "text"
        np.testing.assert_array_equal(track.confidence, track.values[:, 0])
    cut = model.heads.facts["cut"]
    assert all(sure >= cut for sure, _ in rows.values())
    for (_, cause), (_, words) in rows.items():
        assert words and words in LINES[int(cause)][1]
    assert any(words != LINES[int(cause)][1] for (_, cause), (_, words) in rows.items())


def test_the_cut_decides_and_a_placeholder_is_never_a_cause(model: Cause) -> None:
    everything = found(model.asking(cut=0.0)([talk()])[0])
    assert set(everything) == {(turn, cause) for turn in (1, 3, 4) for cause in range(turn + 1) if cause != 2}
    assert model.asking(cut=1.1)([talk()]) == [()]


def test_the_label_of_another_turn_only_says_whether_that_is_asked_about(model: Cause) -> None:
    everything = model.asking(cut=0.0)
    other = tuple((who, text, "sadness" if k == 0 else label) for k, (who, text, label) in enumerate(LINES))
    one, two = (found(everything([talk(lines)])[0]) for lines in (LINES, other))
    assert set(two) - set(one) == {(0, 0)}
    for pair, (sure, _) in one.items():
        assert two[pair][0] == pytest.approx(sure, abs=1e-5)


def test_what_is_felt_changes_what_caused_it(model: Cause) -> None:
    everything = model.asking(cut=0.0)
    other = (*LINES[:4], (*LINES[4][:2], "anger"))
    joy, anger = (found(everything([talk(lines)])[0])[4, 3][0] for lines in (LINES, other))
    assert joy > anger + 0.05


def test_turns_in_seconds_have_causes_in_seconds(model: Cause) -> None:
    plain, timed = (found(model([talk(timed=timed)])[0]) for timed in (False, True))
    assert set(timed) == {(3 * turn, 3 * cause) for turn, cause in plain}


def test_nobody_feels_and_nobody_speaks(model: Cause) -> None:
    dull = tuple((who, text, "neutral") for who, text, _ in LINES)
    assert model([talk(dull), Record("empty"), replace(talk(), turns=(), tracks=())]) == [(), (), ()]
    assert model([]) == []


def test_a_talk_without_feelings_is_shown_to_the_reader_of_the_card(model: Cause) -> None:
    asked = model.asking(erc="text.affect-en", cut=0.0)
    assert (4, 4) in found(asked([talk().blind()])[0])
    assert asked.options.erc != model.options.erc == model.card.facts["erc"]
    assert asked.asking(least=1.0)([talk().blind()]) == [()]


def test_a_long_talk_has_near_causes(model: Cause) -> None:
    long = tuple(LINES[k % 5] for k in range(1000))
    rows = found(model([talk(long)])[0])
    assert len(rows) > 200 and max(turn - cause for turn, cause in rows) <= pairs.REACH


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(b"no")
    with pytest.raises(UnreadableError, match=r"w\.npz holds no causes"):
        Heads.open(path)


def test_what_is_saved_opens_the_same(model: Cause, tmp_path: Path) -> None:
    model.heads.save(tmp_path / "w.npz")
    again = replace(model, heads=Heads.open(tmp_path / "w.npz"))
    assert found(again([talk()])[0]) == found(model([talk()])[0])


@pytest.mark.corpus
def test_it_finds_causes_in_talks_it_did_not_see(model: Cause, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFETTO_DATA", str(corpora.DATA))
    records = list(catalog.load("reccon").read("dev"))[:20]
    answers = model([causes.asked(record) for record in records])
    truth, said = [], []
    for record, tracks in zip(records, answers, strict=True):
        questions = causes.samples(record)
        truth += [bool(one.words) for one in questions]
        said += [bool(words) for words in causes.said(record, tracks, questions)]
    assert np.mean([entailment_f1(truth, said, side) for side in (True, False)]) > 0.72
