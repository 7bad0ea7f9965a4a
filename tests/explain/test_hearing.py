"""Explanations of voices: the seconds and the qualities that carry an answer, on made models and made voices."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import affetto
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.explain import hearing
from affetto.serve.reasons import show
from tests.voices import noise, phrase, silence, vowel

RATE = 16000
MOOD = Space("mood-2", "one", (Axis("calm"), Axis("anger")))
TENSE = Space("tense", "graded", (Axis("tension", low=-1.0, high=1.0),))
PROSODY = catalog.load("prosody")
SURROGATE = {
    "axes": ["pitch", "loudness", "rate"],
    "median": [180.0, -30.0, 4.0],
    "spread": [2.0, 3.0, 1.0],
    "weights": {"anger": [0.2, 0.3, -0.1], "calm": [0.0, -0.3, 0.0]},
    "fidelity": {"anger": 0.42, "calm": 0.01},
}


class Loud:
    """Hears as much anger as a stretch has energy; nothing in silence."""

    card = Card("loud", "model", "1", "", "tests:Loud", spaces=("mood-2", "tense"))

    def __init__(self):
        self.asked = []

    def __call__(self, records):
        self.asked.append(len(records))
        return [self.answer(record) for record in records]

    def answer(self, record):
        audio = next(s for s in record.signals if isinstance(s, Audio))
        sound = np.concatenate([block.mean(1) for block in audio.blocks()])
        turns = record.turns or (Turn("speaker", Span(0, len(sound) / RATE), ""),)
        tracks = []
        for subject in dict.fromkeys(turn.speaker for turn in turns):
            spans = [turn.span for turn in turns if turn.speaker == subject]
            parts = [sound[round(span.start * RATE) : round(span.end * RATE)] for span in spans]
            heard = [min(1.0, 50 * float(np.square(part).sum()) / RATE) for part in parts]
            values = [[1 - x, x] if x > 0.001 else [np.nan] * 2 for x in heard]
            start, end = [span.start for span in spans], [span.end for span in spans]
            for space, rows in ((MOOD, values), (TENSE, [[2 * x - 1] for x in heard])):
                tracks.append(Track(space, start, end, rows, subject=subject, channel="voice", source="loud@1"))
        return tuple(tracks)


def spoken(samples, turns=(), **meta):
    wide = np.atleast_2d(np.asarray(samples, np.float32).T).T

    def blocks(seconds):
        size = int(seconds * RATE)
        return (wide[at : at + size] for at in range(0, len(wide), size))

    return Record("talk", (Audio("", RATE, len(wide) / RATE, blocks, wide.shape[1]),), turns, meta=meta)


def burst(at, seconds=3.0, level=0.9):
    sound = noise(seconds, 0.02)
    sound[round(at * RATE) : round((at + 0.2) * RATE)] += vowel(140, 0.2, level=level)
    return np.clip(sound, -1, 1)


def why(record, space="mood-2", row=0, subject="speaker", **how):
    model = Loud()
    track = next(t for t in model([record])[0] if t.space.id == space and t.subject == subject)
    return hearing.seconds(model, record, track, how.pop("axis", None), row, **how)


def heaviest(part):
    at = int(part.values[:, 0].argmax())
    return (part.start[at] + part.end[at]) / 2, part.note[at]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 14))
def test_the_telling_second_is_found(tenth):
    at = 0.2 * tenth
    (part,) = why(spoken(burst(at)))
    assert abs(heaviest(part)[0] - (at + 0.1)) < 0.2
    far = (part.end < at - 0.3) | (part.start > at + 0.5)
    assert abs(part.values[far]).max(initial=0) < 0.15
    assert part.values.max() > 0.3


def test_what_the_seconds_look_like():
    (part,) = why(spoken(burst(1.2)))
    assert part.space is hearing.IMPORTANCE and part.unit == "s" and part.channel == "voice"
    assert part.source == "silencing(loud@1, mood-2: anger)"
    assert part.note[0] == "0.0 to 0.1 s" and part.note[8] == "1.0 to 1.1 s" and len(part) == 24
    assert part.start[0] == 0 and part.end[-1] == pytest.approx(3) and set(part.about) == {Span(0, 3.0, "s")}
    assert np.allclose(part.start[1:], part.end[:-1])


def test_a_moment_counts_the_mean_of_the_windows_over_it():
    (part,) = why(spoken(noise(3.0, 0.05)))
    weights = part.values[:, 0]
    assert np.allclose(weights[1:-1], weights[5], rtol=0.15)
    assert weights[0] == pytest.approx(0.75 * weights[5], rel=0.15)
    assert weights[-1] == pytest.approx(0.75 * weights[5], rel=0.15)


def test_another_axis_may_be_asked_for_and_graded_ones_count_by_their_range():
    (calm,), (anger,) = (why(spoken(burst(1.2)), axis=axis) for axis in ("calm", "anger"))
    assert np.allclose(calm.values, -anger.values, atol=1e-6)
    (tension,) = why(spoken(burst(1.2)), "tense")
    assert np.allclose(tension.values, anger.values, atol=1e-6) and "tense: tension" in tension.source


def test_a_long_row_is_explained_in_few_asks_at_once():
    model, record = Loud(), spoken(burst(14.0, 20.0))
    track = model([record])[0][0]
    (part,) = hearing.seconds(model, record, track)
    assert model.asked == [1, 40] and len(part) == 38
    assert heaviest(part)[0] == pytest.approx(14.1, abs=0.6)
    assert len(hearing.seconds(model, record, track, options=hearing.HearingOptions(most_asks=12))[0]) == 10


def test_a_row_lies_where_its_turn_lies():
    turns = (Turn("a", Span(0.5, 2.0), "No."), Turn("b", Span(12.0, 15.0), "Yes!"))
    sound = np.concatenate([noise(10, 0.02), burst(3.4, 6.0)])
    (part,) = why(spoken(sound, turns), subject="b")
    assert part.start[0] == 12 and part.end[-1] == 15 and part.subject == "b"
    assert abs(heaviest(part)[0] - 13.5) < 0.2 and part.about[0] == Span(12.0, 15.0, "s")


def test_of_two_channels_the_speaker_has_their_own():
    record = spoken(np.stack([burst(0.4), burst(2.2)], 1), speakers=["anna", "ben"])
    for subject, at in (("anna", 0.5), ("ben", 2.3)):
        track = Track(MOOD, [0], [3], [[0.1, 0.9]], subject=subject, channel="voice")
        (part,) = hearing.seconds(Loud(), record, track)
        assert abs(heaviest(part)[0] - at) < 0.2


def test_what_is_not_said_or_not_there_has_no_seconds():
    assert why(spoken(silence(2.0))) == ()
    late = Track(MOOD, [5], [6], [[0.1, 0.9]], channel="voice")
    assert hearing.seconds(Loud(), spoken(burst(1.0)), late) == ()


def test_errors_say_what_is_wrong():
    track = Track(MOOD, [0], [1], [[0.1, 0.9]], channel="voice")
    with pytest.raises(MalformedError, match="'words' has no sound"):
        hearing.seconds(Loud(), Record("words", (Text("Hi"),)), track)
    with pytest.raises(MalformedError, match="in seconds"):
        hearing.seconds(Loud(), spoken(burst(1.0)), replace(track, unit="turn"))
    with pytest.raises(MalformedError, match="loud gives no other-2 track"):
        hearing.seconds(Loud(), spoken(burst(1.0)), replace(track, space=replace(MOOD, id="other-2")))


def test_silencing_leaves_a_thousandth_and_touches_nothing_else():
    left = hearing.silenced(np.ones(RATE, np.float32), RATE, [(0.25, 0.5)])
    at = np.arange(RATE) / RATE
    assert np.allclose(left[(at >= 0.25) & (at <= 0.5)], 1e-3)
    assert (left[(at < 0.239) | (at > 0.511)] == 1).all()
    assert (hearing.silenced(left, RATE, ()) == left).all()


def prosody(rows, subject="speaker"):
    values = np.full((len(rows), len(PROSODY.axes)), np.nan)
    values[:, [PROSODY.index(name) for name in SURROGATE["axes"]]] = rows
    start = np.arange(len(rows), dtype=float)
    return Track(PROSODY, start, start + 1, values, subject=subject, channel="voice")


def answers(rows, subject="speaker"):
    start = np.arange(rows, dtype=float)
    return Track(MOOD, start, start + 1, [[0.2, 0.8]] * rows, subject=subject, channel="voice", source="loud@1")


def test_qualities_are_said_in_words_with_units():
    told = prosody([[120, -30, 4.0], [182, -21, 4.0], [110, -31, 4.2], [120, -30, 2.8]])
    (part,) = hearing.cues(answers(4), [told], SURROGATE, 1)
    assert part.note == (
        "loudness 9 dB above this speaker's median",
        "pitch 62 Hz above this speaker's median",
    )
    weights = np.array([0.3 * 3, 0.2 * 3])  # 7.2 semitones are 3.6 spreads and count as 3
    assert np.allclose(part.values[:, 0], weights / weights.sum())
    assert part.source == "cues(loud@1, R2 0.42, mood-2: anger)" and part.space is hearing.IMPORTANCE
    assert (part.start == 1).all() and (part.end == 2).all() and set(part.about) == {Span(1, 2, "s")}
    (part,) = hearing.cues(answers(4), [told], SURROGATE, 3)
    assert part.note == ("speaks 1.2 syllables a second slower than this speaker's median",)
    assert part.values[0, 0] == pytest.approx(0.12)


def test_with_few_rows_the_lessons_are_the_reference_and_loudness_is_no_news():
    (part,) = hearing.cues(answers(1), [prosody([[142, -10, 4.0]])], SURROGATE)
    assert part.note == ("pitch 38 Hz below the median of the training clips",)
    assert part.values[0, 0] == pytest.approx(-0.2 * 12 * np.log2(180 / 142) / 2)


def test_each_speaker_has_their_own_median():
    low = [[100.0, -30, 4], [110, -30, 4], [120, -30, 4]]
    high = [[200.0, -30, 4], [210, -30, 4], [250, -30, 4]]
    told = [prosody(low, "a"), prosody(high, "b")]
    assert hearing.cues(answers(3, "a"), told, SURROGATE, 2)[0].note == ("pitch 10 Hz above this speaker's median",)
    assert hearing.cues(answers(3, "b"), told, SURROGATE, 2)[0].note == ("pitch 40 Hz above this speaker's median",)


def test_what_was_not_measured_is_left_out():
    rows = [[100.0, -30, 4], [110, -30, 4], [np.nan, -24, np.nan], [120, -30, 4]]
    assert hearing.cues(answers(4), [prosody(rows)], SURROGATE, 2)[0].note == (
        "loudness 6 dB above this speaker's median",
    )
    assert hearing.cues(answers(4), [prosody([[np.nan] * 3] * 4)], SURROGATE, 2) == ()
    assert hearing.cues(answers(4), [prosody(rows[:2])], SURROGATE, 3) == ()
    assert hearing.cues(answers(4), [], SURROGATE, 3) == ()
    unsaid = replace(answers(4), values=np.full((4, 2), np.nan))
    assert hearing.cues(unsaid, [prosody(rows)], SURROGATE, 2) == ()


def test_a_line_that_explains_too_little_says_nothing():
    told = [prosody([[100.0, -30, 4], [110, -20, 4], [120, -30, 4]])]
    assert hearing.cues(answers(3), told, SURROGATE, 1, "calm") == ()
    assert hearing.cues(answers(3), told, SURROGATE | {"fidelity": {}}, 1) == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.floats(55, 1000), st.floats(-100, 0), st.floats(0, 30)]), min_size=1, max_size=8))
def test_contributions_sum_to_at_most_one_and_fall(rows):
    for row in range(len(rows)):
        for part in hearing.cues(answers(len(rows)), [prosody(rows)], SURROGATE, row):
            sizes = np.abs(part.values[:, 0])
            assert sizes.sum() <= 1 + 1e-5 and (np.diff(sizes) <= 1e-6).all()


@pytest.mark.parametrize(
    ("name", "off", "said"),
    [
        ("pitch", -62.4, "pitch 62 Hz below"),
        ("pitch-range", 2.13, "pitch range 2.1 semitones wider than"),
        ("loudness", 9.04, "loudness 9 dB above"),
        ("loudness-range", -12.4, "loudness range 12 dB narrower than"),
        ("rate", 1.24, "speaks 1.2 syllables a second faster than"),
        ("jitter", 0.421, "jitter 0.42 percentage points above"),
        ("shimmer", -0.2, "shimmer 0.2 dB below"),
        ("harmonicity", 3.0, "harmonicity 3 dB above"),
        ("balance", -4.26, "spectral balance 4.3 dB darker than"),
        ("voiced", 0.123, "voiced share 12 percentage points above"),
        ("pitch", 0.001, "pitch at"),
        ("pitch", 100.0, "pitch 100 Hz above"),
    ],
)
def test_every_descriptor_has_its_sentence(name, off, said):
    assert hearing.sentence(PROSODY[name], off) == f"{said} this speaker's median"


def test_reasons_measure_what_the_model_answered():
    spans = [Span(0, 1.0), Span(1.0, 2.0), Span(2.0, 3.0), Span(3.0, 4.0)]
    sound = np.concatenate([phrase(120, 1.0, level=level) for level in (0.1, 0.1, 0.4)] + [silence(1.0)])
    record = spoken(sound, tuple(Turn("a", span, "") for span in spans))
    model = Loud()
    track = model([record])[0][0]
    plain = hearing.reasons(model, record, track, "anger")
    assert [len(parts) for _, parts in plain] == [1, 1, 1, 0]
    assert [answer.spans[0] for answer, _ in plain] == spans
    model.cues = SURROGATE
    told = [parts[-1].note for _, parts in hearing.reasons(model, record, track, "anger")[:3]]
    assert told[2][0] == "loudness 12 dB above this speaker's median"
    assert not any(note.startswith("loudness") for note in told[0])
    assert hearing.measured(record, replace(track, values=np.full((4, 2), np.nan))) == ()


def test_what_is_measured_has_no_reasons():
    record = spoken(phrase(120, 1.0), (Turn("a", Span(0, 1.0), ""),))
    model = catalog.load("speech.prosody")
    for track in model([record])[0]:
        assert hearing.reasons(model, record, track) == []


def lessons(voices=8, clips=40, seed=20):
    """Make voices of their own pitch whose anger hangs on pitch (3 log-odds a spread) and a little on speed."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(voices * clips, len(PROSODY.axes)))
    speakers = np.repeat([f"v{i}" for i in range(voices)], clips)
    off = values[:, PROSODY.index("pitch")].copy()
    anger = 3 * off - 0.5 * values[:, PROSODY.index("rate")] + rng.normal(size=len(off))
    values[:, PROSODY.index("pitch")] = 2 ** (off / 6) * np.repeat(rng.uniform(100, 250, voices), clips)
    values[rng.random(values.shape) < 0.02] = np.nan
    return values, np.stack([np.zeros(len(off)), anger], 1), list(speakers)


def test_the_line_finds_what_answers_hang_on_whoever_speaks():
    pytest.importorskip("sklearn")
    from recipes.speech_cues import fit

    values, logits, speakers = lessons()
    line = fit(values, logits, ("calm", "anger"), speakers)
    weights = dict(zip(line["axes"], line["weights"]["anger"], strict=True))
    assert weights["pitch"] == pytest.approx(3, abs=0.3) and weights["rate"] == pytest.approx(-0.5, abs=0.2)
    assert max(abs(weight) for name, weight in weights.items() if name not in ("pitch", "rate")) < 0.25
    assert 0.8 < line["fidelity"]["anger"] < 0.95
    assert np.allclose(line["weights"]["calm"], -np.array(line["weights"]["anger"]), atol=1e-3)
    assert line["spread"][0] == pytest.approx(2, rel=0.15)
    told = prosody([[200, -30, 4.0], [200, -30, 4.0], [240, -30, 4.0]])
    (part,) = hearing.cues(answers(3), [told], line, 2)
    assert part.note[0] == "pitch 40 Hz above this speaker's median" and part.values[0, 0] > 0.9


def test_chance_has_no_fidelity_and_one_voice_no_line():
    pytest.importorskip("sklearn")
    from recipes.speech_cues import chosen, fit

    values, logits, speakers = lessons()
    logits = np.random.default_rng(3).normal(size=logits.shape)
    assert max(fit(values, logits, ("calm", "anger"), speakers)["fidelity"].values()) < hearing.LEAST_FIDELITY
    with pytest.raises(MalformedError, match="two speakers with 3 measured clips each, not 1"):
        fit(values[:40], logits[:40], ("calm", "anger"), speakers[:40])
    rows = chosen(speakers, 5, seed=1)
    assert rows == sorted(rows) == chosen(speakers, 5, seed=1) and len(rows) == 40


def test_the_verb_takes_voices_as_it_takes_words(capsys):
    record = spoken(burst(1.2), (Turn("a", Span(0, 3.0), "Now!"),))
    found = affetto.explain(record, Loud())
    assert [answer.space.id for answer, _ in found] == ["mood-2", "tense"]
    ((answer, (part,)),) = affetto.explain(record, Loud(), space="mood-2", axis="calm")
    assert answer.spans == (Span(0, 3.0),) and part.source == "silencing(loud@1, mood-2: calm)"
    show([record], {"model": Loud(), "space": "mood-2"}, as_json=False)
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 25 and lines[10][:5] == ["talk", "0:00.0", "1.12", "1.25", "1.1 to 1.2 s"]
