"""Benchmarks of sound: their cards, folds and labels, the systems that listen, and the conditions they listen under."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.bench import conditions, runs, systems
from affetto.bench import rows as aligned
from affetto.bench.baselines import Majority, TfidfLogistic
from affetto.bench.hearing import CepstralSvm, EgemapsSvm, cepstra, samples_of
from affetto.bench.protocol import load, named
from affetto.bench.teaching import taught
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Text
from affetto.core.track import Track
from tests.voices import noise, phrase, save, tone

CARDS = [id for id, card in catalog.cards("benchmark").items() if card.channel == "voice"]
EMOVO = {"rab": 260, "tri": 110}
"""Codes of EMOVO -> the pitch they are said with here."""


def audio(samples: np.ndarray, path: str = "x.wav") -> Audio:
    def blocks(seconds: float):
        size = round(seconds * 16000)
        yield from (samples[at : at + size, None] for at in range(0, len(samples), size))

    return Audio(path, 16000.0, len(samples) / 16000, blocks)


def clip(
    id: str, label: str, samples: np.ndarray, space: str = "emodb-7", speaker: str = "03", **meta: object
) -> Record:
    axes = catalog.load(space)
    row = [[float(name == label) for name in axes.names]]
    sound = audio(np.asarray(samples, np.float32), id)
    track = Track(axes, [0], [sound.duration], row, subject="speaker", channel="voice", source="intended")
    return Record(
        id, (sound,), people={"speaker": {"group": speaker}}, tracks=(track,), meta={"speaker": speaker} | meta
    )


def bench(**facts: object):
    said = {"corpus": "emo-db", "split": "all", "truth": "emodb-7", "space": "emodb-7", "metrics": ["uar"]} | facts
    return load(Card("b.v1", "benchmark", "1", "B", channel="voice", facts=said))


def answer(record: Record, values: dict[str, float], space: str, end: float | None = None, **what: object) -> Track:
    axes = catalog.load(space)
    row = [[values.get(name, 0.0) for name in axes.names]]
    end = float(record.tracks[0].end[0]) if end is None else end
    return Track(axes, [0], [end], row, **({"subject": "speaker", "channel": "voice"} | what))


@pytest.fixture
def emovo(tmp_path: Path) -> Path:
    """Return EMOVO as two pitches tell it, of three speakers."""
    for k, who in enumerate(("f1", "f2", "m1")):
        (tmp_path / who).mkdir()
        for code, pitch in EMOVO.items():
            for n in range(4):
                voice = phrase(pitch * (1 + 0.05 * k), 0.6, seed=10 * k + n)
                save(tmp_path / who / f"{code}-{who}-b{n}.wav", voice + noise(0.6, 0.001, seed=n))
    (tmp_path / "f1" / "rab-f1-b0.wav").rename(tmp_path / "f1" / "dis-f1-b1.wav")
    save(tmp_path / "m1" / "dis-m1-b1.wav", phrase(170, 0.6))
    return tmp_path


@pytest.mark.parametrize("id", CARDS)
def test_the_cards_know_their_corpus_labels_and_folds(id: str) -> None:
    benchmark = catalog.load(id)
    corpus = catalog.find(benchmark.corpus, "dataset")
    assert benchmark.heard and benchmark.metrics[0] == "uar" and benchmark.fold and benchmark.group == "speaker"
    assert benchmark.truth in corpus.spaces and set(benchmark.parts) <= set(corpus.facts.get("parts", ()))
    assert set(benchmark.labels) <= set(catalog.load(benchmark.space).names)


def test_some_labels_only_are_read_and_only_they_count() -> None:
    some = bench(labels=["anger", "sadness"])
    records = [clip("a", "anger", tone(200)), clip("b", "boredom", tone(200)), clip("s", "sadness", tone(200))]
    rows = aligned.truth_rows(some, records)
    assert [place.record for place in rows.places] == [0, 2]
    answers = [(answer(r, {"anger": 0.2, "sadness": 0.1, "boredom": 0.7}, "emodb-7"),) for r in records]
    said = aligned.said_rows(some, rows, answers)
    values = aligned.answered(some, said, said.values)
    assert values[0, [0, 1]] == pytest.approx([2 / 3, 0]) and values.sum(1) == pytest.approx([1, 1])


def test_an_answer_of_only_other_labels_says_nothing() -> None:
    some, record = bench(labels=["anger", "sadness"]), clip("a", "anger", tone(200))
    rows = aligned.truth_rows(some, [record])
    said = aligned.said_rows(some, rows, [(answer(record, {"joy": 1.0}, "emodb-7"),)])
    assert np.isnan(aligned.answered(some, said, said.values)).all()


def test_a_space_with_the_same_names_needs_no_bridge() -> None:
    some, record = bench(labels=["anger", "joy", "neutral", "sadness"]), clip("a", "anger", tone(200))
    rows = aligned.truth_rows(some, [record])
    said = aligned.said_rows(
        some, rows, [(answer(record, {"anger": 0.3, "calm": 0.4, "joy": 0.1, "fear": 0.2}, "ravdess-8"),)]
    )
    assert said.way == aligned.NAMES
    values = aligned.answered(some, said, said.values)[0]
    assert values[catalog.load("emodb-7").index("anger")] == pytest.approx(0.75) and values.sum() == pytest.approx(1)
    whole = bench()
    assert aligned.said_rows(whole, rows, [(answer(record, {"anger": 1.0}, "ravdess-8"),)]).way == "none"


def test_labels_want_the_truth_in_their_space() -> None:
    with pytest.raises(CatalogError, match="emodb-7"):
        bench(labels=["anger"], truth="ekman-7")


@pytest.mark.parametrize(("length", "end", "there"), [(1.0, 1.05, True), (1.0, 1.5, False), (0.0, 1.5, True)])
def test_an_answer_may_end_a_little_after_its_clip(length: float, end: float, there: bool) -> None:
    record = clip("a", "anger", np.zeros(int(16000 * length)))
    rows = aligned.truth_rows(bench(), [record])
    values = aligned.said_rows(bench(), rows, [(answer(record, {"anger": 1.0}, "emodb-7", end),)]).values
    assert np.isnan(values).all() != there


def test_seconds_cut_what_everybody_hears(emovo: Path) -> None:
    card = catalog.find("emodb-loso-7.v1")
    assert card.facts["seconds"] == 2.0
    short = load(
        Card(
            "s.v1",
            "benchmark",
            "1",
            "S",
            channel="voice",
            facts={**catalog.find("emovo-loso.v1").facts, "seconds": 0.25},
        )
    )
    sounds = [record.signals[0] for record in systems.records_of(short, "all", str(emovo))]
    assert all(isinstance(s, Audio) and s.duration == 0.25 and len(samples_of(s)) == 4000 for s in sounds)


def test_a_run_leaves_each_speaker_out_and_stored_predictions_score_alike(emovo: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    options = runs.RunOptions(folder=str(emovo), keep=out, out=out, resamples=50)
    seen: list[list[str]] = []
    what = runs.benchmark("emovo-loso")
    ran = runs.run(what, ["cepstral-svm"], options, lambda sides: seen.append(sorted(sides)) or [])
    (result,) = ran.results
    assert seen == [["fold f1", "fold f2", "fold m1"]]
    assert result["n"] == 25 and result["groups"] == 3 and result["metrics"]["accuracy"]["value"] > 0.8
    assert "folds by speaker" in result["notes"]
    path = out / "emovo-loso.v1" / "baseline.cepstral-svm.all.jsonl.gz"
    ids, answers = systems.predictions(path)
    plain = tmp_path / "mine.jsonl"
    from affetto.core import plain as writer

    lines = [json.dumps(writer.from_record(Record(id, tracks=t))) for id, t in zip(ids, answers, strict=True)]
    plain.write_text("\n".join(reversed(lines)) + "\n", "utf-8")
    again = runs.rescore(what, {"mine": plain}, options, lambda sides: []).results[0]
    assert again["metrics"] == result["metrics"]
    plain.write_text("\n".join(lines[1:]) + "\n", "utf-8")
    with pytest.raises(UnreadableError, match="other Records"):
        runs.rescore(what, {"mine": plain}, options, lambda sides: [])


def test_a_condition_has_results_of_its_own(emovo: Path, tmp_path: Path) -> None:
    options = runs.RunOptions(folder=str(emovo), keep=tmp_path / "r", out=tmp_path / "r", resamples=20)
    ran = runs.run(runs.benchmark("emovo-loso@pink-5"), ["majority"], options, lambda sides: [])
    assert ran.results[0]["benchmark"] == "emovo-loso.v1@pink-5" and "under pink-5" in ran.results[0]["notes"]
    assert (tmp_path / "r" / "emovo-loso.v1@pink-5" / "baseline.majority.json").is_file()


def test_an_unknown_condition_or_benchmark_names_the_known() -> None:
    with pytest.raises(UnknownNameError, match="white-20"):
        conditions.under("rain-3", Record("a"), 1)
    with pytest.raises(UnknownNameError, match="emovo-loso"):
        named("emovo-losso@white-10")
    with pytest.raises(UnknownNameError, match="telephone"):
        named("emovo-loso@phone")
    with pytest.raises(MalformedError, match="to be read"):
        named("goemotions@telephone")
    under = named("emovo-loso@white-10")
    assert under.id == "emovo-loso.v1@white-10" and under.card.title.endswith("heard under white-10")


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([20, 10, 5, 0]), st.booleans(), st.integers(400, 9000))
def test_noise_has_the_power_asked_for_and_is_the_same_again(decibels: int, pink: bool, n: int) -> None:
    sound = np.asarray(phrase(150, n / 16000 + 0.01)[:n, None], np.float64)
    drawn = [conditions.noise(sound, decibels, np.random.default_rng(3), pink) for _ in range(2)]
    assert np.array_equal(*drawn)
    assert 10 * np.log10((sound**2).mean() / (drawn[0] ** 2).mean()) == pytest.approx(decibels, abs=1e-6)


def test_pink_noise_falls_three_decibels_an_octave() -> None:
    made = conditions.noise(np.ones((1 << 16, 1)), 0, np.random.default_rng(1), pink=True)[:, 0]
    power = np.abs(np.fft.rfft(made)) ** 2
    octaves = [10 * np.log10(power[1 << k : 1 << (k + 1)].mean()) for k in range(7, 15)]
    assert np.diff(octaves) == pytest.approx(-3.01, abs=0.9)


def test_a_telephone_keeps_its_band_and_little_else() -> None:
    def level(pitch: float) -> float:
        return float(np.std(conditions.telephone(tone(pitch)[:, None].astype(np.float64), 16000.0)))

    assert level(1000) == pytest.approx(np.std(tone(1000)), rel=0.05)
    assert level(100) < 0.01 and level(5000) < 0.01


@pytest.mark.parametrize("condition", conditions.KNOWN)
def test_conditions_change_sound_and_nothing_else(condition: str) -> None:
    record = clip("a", "anger", phrase(150, 1.2))
    changed = conditions.under(condition, record, 20)
    first, second = (samples_of(one.signals[0]) for one in (changed, conditions.under(condition, record, 20)))
    assert np.array_equal(first, second) and np.abs(first).max() <= 1
    assert changed.tracks == record.tracks and changed.id == record.id
    assert len(first) / 16000 == changed.signals[0].duration
    other = clip("b", "anger", phrase(150, 1.2))
    if condition.startswith(("white", "pink")):
        assert not np.array_equal(first, samples_of(conditions.under(condition, other, 20).signals[0]))
    if condition == "middle-0.5":
        assert np.allclose(first, phrase(150, 1.2)[5600:13600])


def test_cepstra_tell_vowels_and_leave_silence_out() -> None:
    voice = phrase(150, 0.5).astype(np.float64)
    quiet = np.concatenate([np.zeros(16000), voice, np.zeros(16000)])
    assert cepstra(quiet).mean(0)[1:] == pytest.approx(cepstra(voice).mean(0)[1:], abs=0.8)
    assert len(cepstra(np.zeros(8000))) == 0 and len(cepstra(np.zeros(3))) == 0


def test_a_machine_learns_pitch_is_sure_as_it_should_be_and_needs_sound() -> None:
    train = [
        clip(f"{who}{n}{label}", label, phrase(pitch, 0.4, seed=n + 7 * who), speaker=str(who))
        for who in range(3)
        for n in range(4)
        for label, pitch in (("anger", 250), ("sadness", 100))
    ]
    system = taught("baseline.cepstral-svm", bench(), train, 20)
    fresh = [clip("x", "anger", phrase(245, 0.4, seed=99)), clip("y", "sadness", phrase(104, 0.4, seed=98))]
    answers = system([*aligned.blind(fresh), Record("text", (Text("no sound"),))])
    assert [tracks[0].top().name for tracks in answers[:2]] == ["anger", "sadness"] and answers[2] == ()
    assert answers[0][0].values.sum() == pytest.approx(1, abs=1e-5) and answers[0][0].channel == "voice"
    with pytest.raises(MalformedError, match="16000"):
        samples_of(Audio("a", 8000.0, 1.0, lambda seconds: iter(())))


def test_who_reads_cannot_listen_and_the_other_way_round() -> None:
    with pytest.raises(MalformedError, match="voice"):
        TfidfLogistic("emodb-7", channel="voice")
    with pytest.raises(MalformedError, match="text"):
        CepstralSvm("emodb-7")
    always = Majority("emodb-7", channel="voice")
    record = clip("a", "anger", tone(200))
    assert always.fit([record], [record.tracks[0]])([record])[0][0].top().name == "anger"
    with pytest.raises(MalformedError, match="with sound"):
        Majority("emodb-7", channel="voice").fit([Record("t", (Text("x"),))], [record.tracks[0]])


def test_egemaps_are_asked_of_the_model_over_the_whole_clip() -> None:
    if EgemapsSvm.model not in catalog.cards("model"):
        pytest.skip("there is no model of prosody")
    made = EgemapsSvm("emodb-7", channel="voice")
    high, low = (made.numbers(audio(phrase(pitch, 1.0))) for pitch in (240, 110))
    names = catalog.load(EgemapsSvm.answer).names
    assert high.shape == (88,) and len(names) == 88
    pitch = next(k for k, name in enumerate(names) if "pitch" in name and "mean" in name)
    assert high[pitch] - low[pitch] == pytest.approx(12 * np.log2(240 / 110), abs=4)
