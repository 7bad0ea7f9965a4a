"""Channels on one grid, and what they say together: the laws of fusion, golden numbers, and what nobody should send."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError
from affetto.core.record import Record
from affetto.core.roles import Model
from affetto.core.signal import Text
from affetto.core.space import vector_space
from affetto.core.track import Track
from affetto.models.fusion import fusing, late
from affetto.models.fusion.fusing import fuse, fusion, only_there
from affetto.models.fusion.grid import gridded
from affetto.models.fusion.late import Reliabilities
from affetto.spaces.bridges import translate

SPACE, DEGREES = catalog.load("ekman-7"), catalog.load("va")
JOY, ANGER = SPACE.index("joy"), SPACE.index("anger")
WAYS = pytest.mark.parametrize("how", fusing.WAYS)


def leaning(label: int, share: float) -> np.ndarray:
    """Return a distribution with so much on one label and the rest even."""
    row = np.full(7, (1 - share) / 6)
    row[label] = share
    return row


def said(channel: str, rows: list, step: float = 1.0, sure: float | None = None, subject: str = "ann") -> Track:
    """Return a Track of rows of a step each, None for nothing."""
    values = np.array([np.full(7, np.nan) if row is None else row for row in rows])
    start = np.arange(len(rows)) * step
    confidence = None if sure is None else np.full(len(rows), sure)
    return Track(
        SPACE, start, start + step, values, channel=channel, subject=subject, source="x@1", confidence=confidence
    )


def labels(tracks: tuple[Track, ...]) -> Track:
    return next(track for track in tracks if track.space.id == "ekman-7")


def tops(track: Track) -> list[str | None]:
    return [axis and axis.name for axis in map(track.top, range(len(track)))]


@st.composite
def talks(draw: st.DrawFn) -> list[Track]:
    """Return Tracks of one person in some channels, each row said or not."""
    found = []
    steps = draw(st.integers(1, 30))
    for channel in draw(st.lists(st.sampled_from(["face", "text", "voice", "music"]), min_size=1, unique=True)):
        seed = draw(st.integers(0, 10_000))
        rng = np.random.default_rng(seed)
        rows = [rng.dirichlet(np.full(7, 0.4)) if rng.random() < 0.7 else None for _ in range(steps)]
        found.append(said(channel, rows, sure=float(rng.uniform(0.2, 1))))
    return found


@WAYS
@given(tracks=talks(), data=st.data())
def test_the_order_of_channels_does_not_matter(how, tracks, data):
    assert fuse(tracks, only_there, how) == fuse(data.draw(st.permutations(tracks)), only_there, how)


@WAYS
@given(tracks=talks())
def test_a_channel_that_says_nothing_is_as_one_that_is_not_there(how, tracks):
    silent = Track(SPACE, [0], [3], np.full((1, 7), np.nan), channel="body", subject="ann")
    for one, other in zip(fuse(tracks, only_there, how), fuse([*tracks, silent], only_there, how), strict=True):
        np.testing.assert_array_equal(one.values, other.values[: len(one)])
        np.testing.assert_array_equal(one.confidence, other.confidence[: len(one)])


@WAYS
@given(tracks=talks())
def test_probabilities_sum_to_one_and_gaps_are_gaps(how, tracks):
    there = ~np.isnan([track.values[:, 0] for track in tracks if how == "late" or track.channel != "music"])
    if not there.any():
        assert fuse(tracks, only_there, how) == ()
        return
    fused = labels(fuse(tracks, only_there, how))
    np.testing.assert_array_equal(np.isnan(fused.values[:, 0]), ~there.any(0))
    np.testing.assert_allclose(fused.values[there.any(0)].sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(np.isnan(fused.confidence), ~there.any(0))
    if fused.note is not None:
        assert [note == "not said" for note in fused.note] == (~there.any(0)).tolist()


@given(
    row=st.lists(st.floats(0.01, 1), min_size=7, max_size=7, unique=True), channel=st.sampled_from(["face", "music"])
)
def test_one_channel_alone_passes_through(row, channel):
    p = np.array(row) / np.sum(row)
    fused = labels(fuse([said(channel, [p])], only_there))
    np.testing.assert_allclose(fused.values[0], p, atol=1e-3)


@given(low=st.floats(0.3, 0.9), more=st.floats(0.01, 0.09), channel=st.sampled_from(["text", "voice"]))
def test_surer_channels_that_agree_raise_confidence(low, more, channel):
    def fused(share: float) -> Track:
        face = said("face", [leaning(JOY, 0.6)], sure=0.6)
        return labels(fuse([face, said(channel, [leaning(JOY, share)], sure=share)], only_there))

    assert fused(low + more).confidence[0] > fused(low).confidence[0]
    assert fused(low + more).values[0, JOY] > fused(low).values[0, JOY]


def test_two_channels_that_agree_are_surer_than_each_alone():
    tracks = [said(channel, [leaning(ANGER, 0.6)], sure=0.6) for channel in ("face", "voice")]
    both = labels(fuse(tracks, only_there))
    for alone in tracks:
        assert both.values[0, ANGER] > 0.6
        assert both.confidence[0] > labels(fuse([alone], only_there)).confidence[0]


def test_the_surer_of_two_that_differ_wins():
    face = said("face", [leaning(JOY, 0.95), leaning(JOY, 0.4)], sure=0.9)
    voice = said("voice", [leaning(ANGER, 0.3), leaning(ANGER, 0.9)], sure=0.5)
    assert tops(labels(fuse([face, voice], only_there))) == ["joy", "anger"]


def test_late_fusion_of_known_numbers_is_what_its_formula_says():
    plain = {
        "power": 1.0, "dependence": 0.5, "company": 0.0, "quarrel": 0.0, "own": 0.0,
        "channels": {
            "face": {"reliability": 1.0, "prior": [1] * 7, "spread": [1, 1], "trust": [0, 1]},
            "other": {"reliability": 1.0, "prior": [1] * 7, "spread": [3, 3], "trust": [0, 1]},
        },
    }  # fmt: skip
    pool = late.Late(catalog.find("fusion.late"), Reliabilities.from_plain(plain))
    p, q = leaning(JOY, 0.6), leaning(ANGER, 0.3)
    seen = gridded(
        [
            said("face", [p], sure=0.8),
            said("voice", [q], sure=0.4),
            *(Track(DEGREES, [0], [1], [[v, 0.5]], channel=c, subject="ann") for c, v in (("face", 1), ("voice", -1))),
        ],
        only_there,
    )
    wanted = (p * q**0.5) ** (1 / 1.5**0.5)
    pooled = pool(seen)
    np.testing.assert_allclose(pooled.labels[0], wanted / wanted.sum(), rtol=1e-5)
    np.testing.assert_allclose(pooled.confidence[0], (wanted / wanted.sum()).max(), rtol=1e-5)
    np.testing.assert_allclose(pooled.va[0], [0.5, 0.5], rtol=1e-6)
    with pytest.raises(CatalogError, match="lacks numbers"):
        Reliabilities.from_plain({"channels": {}})


def test_rows_count_by_how_much_of_them_lies_in_a_step():
    p, q = leaning(JOY, 0.9), leaning(ANGER, 0.9)
    track = Track(SPACE, [0, 0.75, 3], [0.75, 2.5, 3.5], [p, q, p], channel="face", confidence=[0.5, 0.9, np.nan])
    seen = gridded([track], only_there, until=5)
    np.testing.assert_allclose(seen.share[:, 0], [1, 1, 0.5, 0.5, 0])
    np.testing.assert_allclose(np.exp(seen.logs[0, 0]), 0.75 * p + 0.25 * q, rtol=1e-5)
    np.testing.assert_allclose(np.exp(seen.logs[2, 0]), q, rtol=1e-5)
    np.testing.assert_allclose(seen.confidence[:, 0], [0.6, 0.9, 0.9, np.nan, np.nan], rtol=1e-6)
    assert not seen.said[4, 0]
    assert seen.end[-1] == 5


@given(st.data())
def test_the_grid_is_what_looking_at_each_row_and_step_gives(data):
    n = data.draw(st.integers(1, 12))
    rng = np.random.default_rng(data.draw(st.integers(0, 9999)))
    step = data.draw(st.sampled_from([0.25, 0.4, 1.0, 2.0]))
    start = rng.uniform(0, 8, n)
    end = start + rng.uniform(0.01, 5, n)
    values = rng.dirichlet(np.ones(7), n)
    seen = gridded([Track(SPACE, start, end, values, channel="voice")], only_there, step)
    edges = np.arange(len(seen.logs)) * step
    inside = np.minimum(end[:, None], edges + step) - np.maximum(start[:, None], edges)
    inside = np.where(inside > 1e-3 * step, inside, 0)
    for k in np.flatnonzero(inside.sum(0) > 2e-3 * step):
        wanted = np.clip((inside[:, k] @ values) / inside[:, k].sum(), 1e-4, 1)
        np.testing.assert_allclose(np.exp(seen.logs[k, 0]), wanted, atol=5e-3)


def test_of_a_channel_the_track_with_the_fewest_bridges_counts():
    posts = catalog.load("goemotions-28")
    many = np.zeros((1, 28))
    many[0, posts.index("anger")] = 0.99
    tracks = [
        Track(posts, [0], [1], many, channel="text", source="t@1"),
        Track(SPACE, [0], [1], [leaning(JOY, 0.7)], channel="text", source="t@1"),
    ]
    np.testing.assert_allclose(np.exp(gridded(tracks, translate).logs[0, 0]), leaning(JOY, 0.7), atol=1e-5)
    over = gridded(tracks[:1], translate)
    assert over.logs[0, 0].argmax() == ANGER
    assert over.va[0, 0, 0] < 0


def test_what_cannot_count_is_named():
    tracks = [
        said("face", [leaning(JOY, 0.7)]),
        Track(vector_space(4, "mood"), [0], [1], np.zeros((1, 4)), channel="voice", source="v@1"),
        Track(SPACE, [0], [9], [leaning(ANGER, 0.9)], unit="char", channel="text"),
        Track(SPACE, [0], [9], [leaning(ANGER, 0.9)], perspective="evoked", subject="reader", channel="text"),
        Track(SPACE, [0], [9], [leaning(ANGER, 0.9)], channel="fused", source="fusion.late@1"),
    ]
    seen = gridded(tracks, translate)
    assert seen.channels == ("face",)
    assert seen.left_out == (
        "fused in ekman-7 by fusion.late@1: it is fused already",
        "text in ekman-7 by nobody: it is the feeling of whoever reads or watches",
        "text in ekman-7 by nobody: its rows are chars, not seconds",
        "voice in mood by v@1: no bridge leads to ekman-7 or va",
    )


def test_everybody_gets_their_own_rows_on_one_grid():
    tracks = [said("face", [leaning(JOY, 0.8)] * 3, subject="ann"), said("voice", [leaning(ANGER, 0.8)], subject="bo")]
    fused = fuse(tracks, only_there)
    assert [(track.subject, len(track), track.channel, track.source) for track in fused] == [
        ("ann", 3, "fused", str(catalog.find("fusion.late"))),
        ("bo", 3, "fused", str(catalog.find("fusion.late"))),
    ]
    assert fused[1].note == ("", "not said", "not said")
    assert fused[0].note is None
    np.testing.assert_array_equal(fused[0].start, [0, 1, 2])


def test_valence_and_arousal_may_come_alone():
    heart = Track(DEGREES, [0], [2], [[0.5, -0.25]], channel="physiology", subject="ann", confidence=[0.7])
    (fused,) = fuse([heart], only_there)
    assert fused.space.id == "va"
    np.testing.assert_allclose(fused.values, [[0.5, -0.25]] * 2)
    both = fuse([heart, said("face", [leaning(JOY, 0.8)])], only_there)
    assert [track.space.id for track in both] == ["ekman-7", "va"]


@WAYS
@pytest.mark.parametrize(
    "tracks",
    [
        [],
        [Track(SPACE, [], [], np.zeros((0, 7)))],
        [Track(SPACE, [0], [9], np.full((1, 7), np.nan), channel="face")],
        [Track(vector_space(3, "mood"), [0], [1], np.zeros((1, 3)))],
        [Track(SPACE, [0], [9], [leaning(JOY, 0.9)], unit="turn")],
    ],
    ids=["none", "empty", "all NaN", "no bridge", "turns"],
)
def test_of_nothing_nothing_is_said(how, tracks):
    assert fuse(tracks, translate, how) == ()


@WAYS
def test_one_moment_rows_upon_rows_and_certainty_are_answered(how):
    moment = Track(SPACE, [0], [0], [leaning(JOY, 0.9)], channel="face")
    assert tops(labels(fuse([moment], only_there, how))) == ["joy"]
    n = 5000
    heap = Track(SPACE, np.zeros(n), np.full(n, 40.0), np.tile(leaning(ANGER, 0.8), (n, 1)), channel="voice")
    fused = labels(fuse([heap], only_there, how))
    assert len(fused) == 40
    assert set(tops(fused)) == {"anger"}
    sure = said("face", [np.eye(7)[JOY]] * 2, sure=1.0), said("voice", [np.eye(7)[ANGER]] * 2, sure=0.0)
    assert np.isfinite(labels(fuse(sure, only_there, how)).values).all()


def test_a_grid_without_end_is_refused():
    far = Track(SPACE, [1e12], [2e12], [leaning(JOY, 0.9)], channel="face")
    with pytest.raises(MalformedError, match="more than 1,000,000"):
        fuse([far], only_there)
    assert len(fuse([far, said("voice", [leaning(JOY, 0.9)])], only_there, until=3)[0]) == 3
    for step in (0, -1, np.nan, np.inf):
        with pytest.raises(MalformedError, match="a step and an end above 0"):
            gridded([], only_there, step)


def test_hours_of_faces_take_no_time_to_speak_of():
    rng = np.random.default_rng(1)
    n = 54_000
    start = np.arange(n) / 5
    values = rng.dirichlet(np.ones(7), n)
    face = Track(SPACE, start, start + 0.2, values, channel="face", subject="ann")
    talk = Track(SPACE, start[::20], start[::20] + 3, values[::20], channel="voice", subject="ann")
    assert len(fuse([face, talk], only_there)[0]) == 10_800


def test_no_other_way_is_known():
    with pytest.raises(UnknownNameError, match="attention, late"):
        fuse([], only_there, "early")
    with pytest.raises(UnknownNameError):
        fusion([], only_there, "early")


class _Saying:
    """A Model that says one Track of every Record."""

    card = catalog.find("fake")

    def __init__(self, track: Track) -> None:
        self.track = track

    def __call__(self, records):
        assert not any(record.tracks for record in records), "it peeked"
        return [(self.track,) for _ in records]


@WAYS
def test_fusion_is_a_model_over_models(how):
    face, voice = said("face", [leaning(JOY, 0.8)]), said("voice", [leaning(JOY, 0.8)])
    model = fusion([_Saying(face), _Saying(voice)], only_there, how)
    assert isinstance(model, Model)
    assert str(model.card).startswith(f"fusion.{how}@")
    assert model([]) == []
    found = model([Record("1", tracks=(said("text", [leaning(ANGER, 0.9)]),)), Record("2")])
    assert [tracks[:2] for tracks in found] == [(face, voice)] * 2
    assert found[0][2:] == found[1][2:] == fuse([face, voice], only_there, how)


@WAYS
def test_the_card_loads_a_model_of_the_tracks_that_are_there(how):
    model = catalog.load(f"fusion.{how}")
    face = said("face", [leaning(JOY, 0.8)])
    assert model([Record("1", tracks=(face,)), Record("2", (Text("Hello"),))]) == [fuse([face], only_there, how), ()]


def test_attention_hears_what_is_around():
    weak = [leaning(JOY, 0.9)] * 4 + [leaning(ANGER, 0.35)] + [leaning(JOY, 0.9)] * 4
    face = said("face", weak, sure=0.8)
    late, heard = (labels(fuse([face], only_there, how)) for how in ("late", "attention"))
    assert late.top(4).name == "anger"
    assert heard.top(4).name == "joy"
    assert heard.values[4, ANGER] < late.values[4, ANGER] / 2


@WAYS
def test_three_channels_of_one_mind_say_what_they_say(how):
    golden = {"late": GOLDEN_LATE, "attention": GOLDEN_ATTENTION}[how]
    tracks = [said(channel, [leaning(ANGER, share)] * 6, sure=share) for channel, share in GOLDEN_TRACKS]
    fused = labels(fuse(tracks, only_there, how))
    assert set(tops(fused)) == {"anger"}
    np.testing.assert_allclose([fused.values[3, ANGER], fused.confidence[3]], golden, atol=5e-3)


GOLDEN_TRACKS = (("face", 0.6), ("text", 0.5), ("voice", 0.4))
GOLDEN_LATE = (0.561, 0.845)
GOLDEN_ATTENTION = (0.979, 0.977)
