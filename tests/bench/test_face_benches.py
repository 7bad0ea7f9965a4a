"""Benchmarks of pictures: cards, what they are seen under, what is learned from them, and faces that are found."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affetto.bench import evaluate as scoring
from affetto.bench import places, runs, seeing, systems
from affetto.bench import rows as aligned
from affetto.bench.looking import Cascade, HogLogistic, gradients
from affetto.bench.protocol import Benchmark, load, named
from affetto.bench.scores import Case, scores
from affetto.bench.teaching import taught
from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError
from affetto.core.record import Record
from affetto.core.signal import Image, Text
from affetto.core.track import Track
from affetto.metrics import distribution

CARDS = [id for id, card in catalog.cards("benchmark").items() if card.channel == "face"]
EIGHT = catalog.load("ekman-8")


def bench(**facts: object) -> Benchmark:
    said = {"corpus": "ferplus", "split": "test", "truth": "ekman-8", "space": "ekman-8", "metrics": ["accuracy"]}
    return load(Card("b.v1", "benchmark", "1", "B", channel="face", facts=said | facts))


def drawn(kind: str, seed: int = 0) -> np.ndarray:
    """Return stripes that stand or lie, with noise."""
    rng = np.random.default_rng(seed)
    waves = 128 + 90 * np.sin(np.arange(48) / 2 + rng.uniform(0, 6))
    grey = np.tile(waves, (48, 1)) + rng.normal(0, 12, (48, 48))
    grey = grey if kind == "joy" else grey.T
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, 2)


def face(id: str, shares: dict[str, float], pixels: np.ndarray | None = None, **meta: object) -> Record:
    row = [[shares.get(name, 0.0) for name in EIGHT.names]]
    track = Track(EIGHT, [0], [0], row, subject="speaker", channel="face", source="raters")
    return Record(id, (Image(drawn("joy") if pixels is None else pixels, id),), tracks=(track,), meta=meta)


def answer(shares: dict[str, float], subject: str = "person-1", box: list[float] | None = None) -> Track:
    row = [[shares.get(name, np.nan if not shares else 0.0) for name in EIGHT.names]]
    boxes = None if box is None else [box]
    return Track(EIGHT, [0], [0], row, subject=subject, channel="face", source="m@1", box=boxes)


@pytest.mark.parametrize("id", CARDS)
def test_the_cards_know_their_corpus_and_what_may_be_learned_from(id: str) -> None:
    benchmark = catalog.load(id)
    corpus = catalog.find(benchmark.corpus, "dataset")
    assert benchmark.seen and not benchmark.heard and benchmark.truth in corpus.spaces
    assert benchmark.split in corpus.facts["splits"]
    assert benchmark.places or benchmark.train or benchmark.split == "test"


def test_the_majority_is_right_and_the_votes_are_what_kl_is_to() -> None:
    one = bench(majority=True, metrics=["accuracy", "kl"])
    records = [face("a", {"joy": 0.6, "neutral": 0.4}), face("b", {"anger": 0.5, "joy": 0.3, "fear": 0.2})]
    rows = aligned.truth_rows(one, records)
    p = np.array([[0.0, 0, 0, 0.4, 0, 0, 0.6, 0], [0.7, 0, 0.2, 0.1, 0, 0, 0, 0]])
    case = scoring.case(one, rows, p)
    found = {name: float(s.finish(s.adds.sum(0, keepdims=True))[0]) for name, s in scores("one", case).items()}
    assert found["accuracy"] == 0.5
    kept = [EIGHT.index(name) for name in case.names]
    wanted = distribution.kl(rows.values, p + 1e-300, epsilon=1e-6)
    assert set(kept) == {EIGHT.index("joy"), EIGHT.index("anger")}
    whole = Case(np.eye(8)[[6, 0]], np.eye(8)[[6, 0]], p, EIGHT.names, rows.values)
    score = scores("one", whole)["kl"]
    assert float(score.finish(score.adds.sum(0, keepdims=True))[0]) == pytest.approx(wanted.mean(), abs=1e-9)
    lenient = scoring.case(bench(), rows, p)
    assert lenient.shares is None and "kl" not in scores("one", lenient)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1 << 30))
def test_kl_is_that_of_the_metrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares, p = rng.dirichlet(np.ones(5), 20), rng.dirichlet(np.full(5, 0.3), 20)
    truth = np.eye(5)[shares.argmax(1)]
    score = scores("one", Case(truth, np.eye(5)[p.argmax(1)], p, tuple("abcde"), shares))["kl"]
    mean = float(score.finish(score.adds.sum(0, keepdims=True))[0])
    assert mean == pytest.approx(distribution.kl(shares, p).mean(), abs=1e-9) and mean >= -1e-5


def test_degrees_have_a_mean_and_a_median_over_their_axes() -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(80, 3))
    said = truth + rng.normal(size=(80, 3)) * [0.1, 0.5, 3.0]
    made = scores("graded", Case(truth, said, said, ("a", "b", "c")))
    found = {name: float(s.finish(s.adds.sum(0, keepdims=True))[0]) for name, s in made.items()}
    each = [np.corrcoef(truth[:, k], said[:, k])[0, 1] for k in range(3)]
    assert found["pearson"] == pytest.approx(np.mean(each)) and found["median_pearson"] == pytest.approx(each[1])
    assert found["mae"] == pytest.approx(np.abs(truth - said).mean())


def test_marked_records_are_neither_scored_nor_learned_from(tmp_path: Path) -> None:
    catalog.load("ferplus").faker(tmp_path)
    whole, strict = bench(train="train"), bench(train="train", without=["no_majority"])
    assert len(systems.records_of(whole, "test", str(tmp_path))) == 3
    for split in ("test", "train"):
        records = systems.records_of(strict, split, str(tmp_path))
        assert records and not any("no_majority" in record.meta for record in records)


def test_conditions_of_a_card_are_its_parts_and_those_of_a_name(tmp_path: Path) -> None:
    catalog.load("fer2013").faker(tmp_path)
    facts = {"corpus": "fer2013", "truth": "ekman-7", "space": "ekman-7"}
    many, one = bench(conditions=["hidden-25", "dark-4"], **facts), bench(**facts)
    asked = systems.questions(many, "test", str(tmp_path), 20)
    assert [record.meta["part"] for record in asked] == ["hidden-25"] * 3 + ["dark-4"] * 3
    assert len({record.id for record in asked}) == 6
    for record, plain in zip(asked, systems.records_of(one, "test", str(tmp_path)) * 2, strict=True):
        alone = seeing.under(record.meta["part"], plain, 20)
        assert np.array_equal(record.signals[0].pixels, alone.signals[0].pixels) and record.tracks == plain.tracks
    with pytest.raises(CatalogError, match="telephone"):
        bench(conditions=["telephone"])


def test_conditions_are_drawn_alike_in_the_bootstrap() -> None:
    many = bench(conditions=["dark-4", "dark-16"], majority=True)
    rng = np.random.default_rng(1)
    right = rng.random(200) < 0.7
    records = [face(f"{k}@{c}", {"joy": 1.0} if k % 2 else {"anger": 1.0}, part=c)
               for c in many.conditions for k in range(200)]  # fmt: skip
    rows = aligned.truth_rows(many, records)
    said = np.where(np.tile(right, 2)[:, None], rows.values, np.roll(rows.values, 1, axis=1))
    outcome = scoring.evaluate(many, rows, {"m": scoring.case(many, rows, said)}, 20, 400)["m"].metrics
    alone, mean = outcome["accuracy_dark-4"], outcome["accuracy"]
    assert mean.value == pytest.approx(alone.value) and mean.high - mean.low == pytest.approx(alone.high - alone.low)


def test_names_of_conditions_are_of_what_is_seen() -> None:
    under = named("ferplus@turned-30")
    assert under.id == "ferplus.v1@turned-30" and under.card.title.endswith("seen under turned-30")
    with pytest.raises(UnknownNameError, match="hidden-25"):
        named("ferplus@telephone")
    with pytest.raises(UnknownNameError, match="hidden-25"):
        seeing.under("rain", face("a", {"joy": 1}), 1)
    with pytest.raises(MalformedError, match="already"):
        named("fer-occlusion@dark-4")
    with pytest.raises(MalformedError, match="to be read"):
        named("goemotions@dark-4")


@pytest.mark.parametrize("condition", seeing.KNOWN)
@pytest.mark.parametrize("size", [(48, 48), (31, 90), (3, 1)])
def test_conditions_change_pictures_and_nothing_else(condition: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(30, 220, (*size, 3), np.uint8)
    record = face("a", {"joy": 1.0}, pixels)
    changed = seeing.under(condition, record, 20)
    first, again = changed.signals[0].pixels, seeing.under(condition, record, 20).signals[0].pixels
    assert np.array_equal(first, again) and np.array_equal(first, changed.signals[0].pixels)
    assert first.shape == pixels.shape and first.dtype == np.uint8 and changed.tracks == record.tracks
    assert np.array_equal(record.signals[0].pixels, pixels)
    if size == (48, 48):
        assert not np.array_equal(first, pixels)
        drawn_anew = seeing.under(condition, face("b", {"joy": 1.0}, pixels), 20).signals[0].pixels
        if condition.startswith(("hidden-1", "hidden-2", "dark")):
            assert not np.array_equal(first, drawn_anew)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_square_hides_its_share(share: float) -> None:
    seen = seeing.hidden(np.full((200, 200, 3), 255, np.uint8), share, np.random.default_rng(2))
    assert (seen[:, :, 0] != 255).mean() == pytest.approx(share, abs=0.01)


def test_bands_turns_light_and_size_are_what_they_say() -> None:
    y, x = np.mgrid[:48, :48]
    ramp = np.repeat((y * 4 + x)[:, :, None], 3, 2).astype(np.uint8)
    eyes = seeing.band(ramp, *seeing.BANDS["eyes"])
    assert {int(row) for row in np.flatnonzero((eyes != ramp).any((1, 2)))} == set(range(10, 23))
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[8:13, 48:53] = 255
    turned = seeing.turned(dot, 45)[:, :, 0].astype(float)
    middle = [(turned * grid).sum() / turned.sum() for grid in np.mgrid[:101, :101]]
    assert middle == pytest.approx([50 - 40 / 2**0.5, 50 + 40 / 2**0.5], abs=0.5)
    dark = seeing.dark(np.full((64, 64, 3), 200, np.uint8), 1 / 4, np.random.default_rng(1))
    assert dark.mean() == pytest.approx(200 * 0.25 ** (1 / 2.2), abs=1) and dark.std() > 1
    board = np.repeat(((y // 2 + x // 2) % 2 * 255)[:, :, None], 3, 2).astype(np.uint8)
    assert seeing.small(board, 16).std() < 0.4 * board.std() and seeing.small(board, 48) is board


def test_edges_tell_stripes_and_learn_the_shares_of_raters() -> None:
    train = [
        face(f"{kind}{k}", {kind: 0.8, "neutral": 0.2}, drawn(kind, k)) for k in range(15) for kind in ("joy", "fear")
    ]
    one = bench(train="train", majority=True)
    system = taught("baseline.hog", one, train, 20)
    fresh = [face("x", {"joy": 1}, drawn("joy", 99)), face("y", {"fear": 1}, drawn("fear", 98))]
    said = system([*aligned.blind(fresh), Record("words", (Text("no picture"),))])
    assert [tracks[0].top().name for tracks in said[:2]] == ["joy", "fear"] and said[2] == ()
    assert said[0][0].column("neutral")[0] == pytest.approx(0.2, abs=0.06) and said[0][0].channel == "face"
    assert gradients([fresh[0].signals[0]]).shape == (1, 900)
    with pytest.raises(MalformedError, match="text"):
        HogLogistic("ekman-8")
    with pytest.raises(MalformedError, match="a picture"):
        HogLogistic("ekman-8", channel="face").learn([""], np.eye(8)[:1])


def test_a_picture_that_is_only_named_says_nothing() -> None:
    system = taught("baseline.majority", bench(), [face("a", {"joy": 1.0})], 20)
    (tracks,) = system([Record("n", (Image(None, "gone.png"),))])
    assert np.isnan(tracks[0].values).all()


def test_faces_are_found_once_by_their_middle_and_size() -> None:
    truth = np.array([[0.0, 0, 40, 40], [100, 0, 140, 40]])

    def found(*said: list[float]) -> list[bool]:
        return places.found(truth, np.array(said, float).reshape(-1, 4)).tolist()

    assert found([5, 5, 45, 45]) == [True, False] and found() == [False, False]
    assert found([30, 0, 70, 40]) == [False, False] and found([0, 0, 85, 85]) == [False, False]
    assert found([0, 0, 40, 40], [2, 2, 42, 42]) == [True, False]
    assert found([101, 1, 141, 41], [-2, 0, 38, 40]) == [True, True]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(8, 90)), max_size=6), st.randoms())
def test_finding_does_not_mind_the_order_and_never_finds_more_than_was_said(squares, random) -> None:
    truth = np.array([[x, y, x + s, y + s] for x, y, s in squares], float).reshape(-1, 4)
    assert places.found(truth, truth).all()
    said = truth[: len(truth) // 2] + 1
    mixed = list(said)
    random.shuffle(mixed)
    hits = places.found(truth, said)
    assert hits.sum() <= len(said) and hits.sum() == places.found(truth, np.array(mixed).reshape(-1, 4)).sum()


def test_recall_and_false_alarms_count_pictures_and_kinds() -> None:
    one = bench(corpus="detection-composites", places=True, metrics=["recall", "false_alarms"])
    box, far = [0.0, 0, 40, 40], [200.0, 200, 240, 240]

    def truth(id: str, *kinds: str) -> Record:
        tracks = [answer({"joy": 1.0}, f"person-{k}", [0.0 + 60 * k, 0, 40 + 60 * k, 40]) for k in range(len(kinds))]
        return Record(
            id, (Image(drawn("joy"), id),), tracks=tuple(tracks), meta={"faces": [{"size": k} for k in kinds]}
        )

    records = [truth("a", "small"), truth("b", "small", "large"), truth("c"), truth("d")]
    said = [
        (answer({"joy": 1.0}, box=box), answer({"fear": 1.0}, "person-2", far)),
        (answer({"joy": 1.0}, box=[60.0, 0, 100, 40]), answer({"joy": 1.0}, "person-9", [60.0, 0, 100, 40])),
        (answer({}, "person", box),),
        (answer({"joy": 1.0}, box=far),),
    ]
    outcome = places.evaluate(one, records, {"m": said, "none": [()] * 4}, 20, 50)
    value = {name: metric.value for name, metric in outcome["m"].metrics.items()}
    assert value == pytest.approx({
        "recall": 2 / 3, "precision": 0.5, "false_alarms": 0.5, "false_alarms_empty": 0.5, "false_pictures": 0.5,
        "recall_size_small": 0.5, "recall_size_large": 1.0,
    })  # fmt: skip
    assert outcome["m"].n == 3 and outcome["m"].groups == 4 and outcome["none"].metrics["recall"].value == 0
    assert outcome["m"].paired[0].difference == pytest.approx(2 / 3)
    with pytest.raises(MalformedError, match="no box"):
        places.chosen(one, [(answer({"joy": 1.0}),)])


def test_a_run_of_places_is_stored_and_scores_alike_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, home = catalog.load("detection-composites"), tmp_path / "data"
    home.mkdir()
    corpus.faker(home)
    from affetto.datasets import detection_composites

    monkeypatch.setitem(detection_composites.PICTURES, "test", 12)
    what = runs.benchmark("detection-composites")
    records = systems.records_of(what, "test", str(home))
    said = [tuple(answer({"joy": 1.0}, t.subject, list(map(float, t.box[0]))) for t in r.tracks) for r in records]
    path = systems.keep(what, records, said, tmp_path / "mine.test.jsonl.gz")
    options = runs.RunOptions(folder=str(home), keep=tmp_path / "r", out=tmp_path / "r", resamples=30)
    (result,) = runs.rescore(what, {"mine": path}, options, lambda sides: []).results
    assert result["metrics"]["recall"]["value"] == 1 and result["metrics"]["false_alarms"]["value"] == 0
    assert result["n"] == sum(len(record.tracks) for record in records) and result["groups"] == 12


def test_the_cascade_of_opencv_is_asked_without_learning() -> None:
    made = Cascade("ekman-8")
    grey = Record("g", (Image(np.full((80, 80, 3), 90, np.uint8)),))
    assert made([grey, Record("t", (Text("x"),))]) == [(), ()] and made.card.limits
    assert systems.baselines(bench(places=True)) == ("baseline.cascade",) and not systems.learns("baseline.cascade")
    assert systems.named("cascade") == "baseline.cascade" and systems.named("hog") == "baseline.hog"
