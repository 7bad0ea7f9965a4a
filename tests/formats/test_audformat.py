import builtins
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from affetto.core.errors import MalformedError, MissingExtraError, UnreadableError
from affetto.core.record import Record, Turn
from affetto.core.signal import Audio, Text
from affetto.core.span import Span
from affetto.core.track import Track
from affetto.formats import audformat, audformat_opening
from affetto.formats.finding import find_space
from tests import strategies

library = pytest.importorskip("audformat")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")  # of pandas, in the code of audformat
EKMAN, VA = find_space("ekman-7"), find_space("va")
JOY = [0, 0, 0, 0.75, 0.25, 0, 0]


def clip(**changes):
    moods = Track(
        EKMAN, [0, 1.5], [1.5, 2], [JOY, [np.nan] * 7], "s", "Ann", "expressed", "voice", "text.general@1",
        confidence=[0.5, np.nan], note=["", "no voice"],
    )  # fmt: skip
    curve = Track(VA, [0, 1], [1, 2], [[0.1, -1], [np.nan, 0]], "s", "Ann", "felt", "fused", "rater 1")
    turns = (Turn("Ann", Span(0, 1.5), 'he said "NA"'), Turn("שרה", Span(1, 2), "😀"))
    signal = Audio("audio/a.wav", 16000, 7.5)
    return replace(Record("a", (signal,), turns, tracks=(moods, curve), meta={"path": "audio/a.wav"}), **changes)


def test_records_come_back_and_the_library_reads_them(tmp_path):
    path = tmp_path / "x.audformat"
    other = clip(
        id="b", signals=(Text("so"),), turns=(Turn("A", None, "NA"), Turn("B", None, "x\n")), meta={"split": "dev"}
    )
    chars = replace(other.tracks[0], unit="char", start=[0, 3], end=[3, 9])
    records = [clip(), replace(other, tracks=(chars,)), Record("c", meta={"error": "torn\nthing"}), Record("d")]
    audformat.write(records, path)
    back = list(audformat.read(path))
    assert back == [replace(record, signals=()) for record in records]
    db = library.Database.load(str(path))
    assert db.usage == "other" and {id: rater.type for id, rater in db.raters.items()} == {
        "text.general@1": "machine" if "text.general" in _models() else "human",
        "rater 1": "human",
    }
    labels = db["ekman-7.voice.expressed"]["label"].get()
    assert list(labels.cat.categories) == list(EKMAN.names) and labels.iloc[0] == "joy" and pd.isna(labels.iloc[1])
    assert list(labels.index[1]) == ["audio/a.wav", pd.Timedelta("1.5s"), pd.Timedelta("2s")]
    scheme = db.schemes["va.valence"]
    assert (scheme.minimum, scheme.maximum) == (-1, 1)
    assert db["va.fused.felt"]["valence"].get().iloc[0] == 0.1 and db["va.fused.felt"]["valence"].rater_id == "rater 1"
    assert db.splits["dev"].type == "dev" and db["files.dev"].split_id == "dev"
    assert db["files"]["duration"].get().iloc[0] == pd.Timedelta("7.5s")
    again = tmp_path / "y.audformat"
    db.save(str(again), storage_format="csv")
    assert next(audformat.read(again)) == back[0]


def _models():
    from affetto.core import catalog

    return catalog.cards("model")


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(records=st.lists(strategies.records(), max_size=3))
def test_whatever_may_exist_comes_back(tmp_path_factory, records):
    headed = [(t.space.id, t.source, *(x for axis in t.space.axes for x in (axis.name, axis.unit)))
              for record in records for t in record.tracks]  # fmt: skip
    assume(not any("\x85" in word for words in headed for word in words))  # YAML ends a line there
    path = tmp_path_factory.mktemp("aud") / "x.audformat"
    records = [replace(record, meta={}, id=f"r{i}") for i, record in enumerate(records)]
    audformat.write(records, path)
    back = list(audformat.read(path))
    assert [one.id for one in back] == [one.id for one in records]
    for old, new in zip(records, back, strict=True):
        assert [(t.speaker, t.text) for t in new.turns] == [(t.speaker, t.text) for t in old.turns]
        kept = [track for track in old.tracks if len(track)]
        assert [len(track) for track in new.tracks] == [len(track) for track in kept]
        for a, b in zip(kept, new.tracks, strict=True):
            alike(a, b)
    library.Database.load(str(path))


def alike(old, new):
    for name in ("unit", "subject", "perspective", "channel", "source"):
        assert getattr(new, name) == getattr(old, name)
    assert (new.space.id, new.space.kind) == (old.space.id, old.space.kind)
    start, end = (np.round(old.start, 9), np.round(old.end, 9)) if old.unit == "s" else (old.start, old.end)
    sort = np.lexsort((end, start))
    np.testing.assert_allclose(new.start, start[sort])
    np.testing.assert_allclose(new.end, end[sort])
    if old.space.kind != "open":
        assert new.space.names == old.space.names
        assert sorted(map(str, new.values.tolist())) == sorted(map(str, old.values.tolist()))
    for name in new.space.names if old.space.kind == "open" else ():
        np.testing.assert_array_equal(np.sort(new.column(name)), np.sort(old.column(name)))
    assert sorted(filter(None, new.note or ())) == sorted(filter(None, old.note or ()))


def test_one_segment_of_two_subjects_and_one_file_of_two_records(tmp_path):
    path = tmp_path / "x.audformat"
    (moods, _) = clip().tracks
    both = clip(tracks=(moods, replace(moods, subject="Bo")))
    audformat.write([both, clip(id="again")], path)
    (back,) = audformat.read(path)
    assert back.id == "a" and [track.subject for track in back.tracks] == ["Ann", "Bo", "Ann", "Ann"]
    assert len(back.turns) == 4 and back.tracks[:2] == both.tracks
    assert (path / "db.ekman-7.voice.expressed-3.csv").exists()


def test_a_corrected_label_counts(tmp_path):
    path = tmp_path / "x.audformat"
    audformat.write([clip(turns=())], path)
    table = path / "db.ekman-7.voice.expressed.csv"
    table.write_text(table.read_text("utf-8").replace(",joy,", ",anger,"), "utf-8")
    (track, _) = next(audformat.read(path)).tracks
    assert track.top(0).name == "anger" and track.values[0, 0] == 1 and track.confidence is None


def test_a_database_of_somebody_else(tmp_path):
    db = library.Database("emodb", usage="research")
    db.raters["gold"] = library.Rater("human")
    db.schemes["emotion"] = library.Scheme(labels=["anger", "neutral"])
    db.schemes["level"] = library.Scheme("float", minimum=0, maximum=1)
    db.schemes["speaker"] = library.Scheme(labels={3: {"gender": "male"}, 8: {"gender": "female"}})
    db.schemes["transcription"] = library.Scheme("str")
    db["files"] = library.Table(library.filewise_index(["a.wav", "b.wav"]))
    for name, values in (("speaker", [3, 8]), ("emotion", ["anger", None]), ("transcription", ["der Lappen", None])):
        rater = "gold" if name == "emotion" else None
        db["files"][name] = library.Column(scheme_id=name, rater_id=rater)
        db["files"][name].set(values)
    db.splits["test"] = library.Split("test")
    index = library.segmented_index(["b.wav"] * 3, ["0s", "1s", "2s"], ["1s", "2s", pd.NaT])
    db["parts"] = library.Table(index, split_id="test")
    for name in ("valence", "arousal"):
        db["parts"][name] = library.Column(scheme_id="level")
        db["parts"][name].set([0.5, None, 1.0] if name == "valence" else [0.25, None, None])
    path = tmp_path / "emodb"
    db.save(str(path))
    a, b = audformat.read(path)
    (track,) = a.tracks
    assert (track.unit, track.subject, track.source, track.space.names) == ("turn", "3", "gold", ("anger", "neutral"))
    assert track.values.tolist() == [[1, 0]] and a.turns == (Turn("3", None, "der Lappen"),)
    (curve,) = b.tracks
    assert b.meta == {"path": "b.wav", "split": "test"} and curve.space.names == ("valence", "arousal")
    np.testing.assert_array_equal(curve.values, np.float32([[0.5, 0.25], [1, np.nan]]))
    assert curve.spans == (Span(0, 1), Span(2, 2)) and curve.space["valence"].high == 1


BOMB = "name: x\nsource: ''\nusage: other\na: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "header, why",
    [
        (BOMB, "over 2,000,000 values"),
        ("a: " + "[" * 10_000, "nested deeper|no safe YAML"),
        ("x: &x [*x]", "over 2,000,000|no audformat|safe"),
        ("x: !!python/object/apply:os.system ['touch hacked']", "no safe YAML"),
        ("x: [", "no safe YAML"),
        ("just words", "holds no names"),
        ("", "holds no names"),
        ("name: 1\nusage: other", "no audformat"),
        ("name: x\nsource: ''\nusage: stolen", "no audformat"),
        ("name: x\nsource: ''\nusage: other\ntables: {../../x: {type: filewise}}", "its name is a path"),
        ("name: x\nsource: ''\nusage: other\ntables: {t: {type: filewise}}", "'t' of x.audformat cannot be read"),
        ("name: x\nsource: ''\nusage: other\ntables: {t: 7}", "no audformat"),
    ],
)
def test_hostile_headers_are_refused(tmp_path, monkeypatch, header, why):
    path = tmp_path / "x.audformat"
    path.mkdir()
    monkeypatch.chdir(tmp_path)
    (path / "db.yaml").write_text(header)
    with pytest.raises(UnreadableError, match=why) as caught:
        list(audformat.read(path))
    assert "x.audformat" in str(caught.value) and len(str(caught.value)) < 500
    assert not (tmp_path / "hacked").exists()


def test_hostile_tables_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.audformat"
    audformat.write([clip()], path)
    table = path / "db.va.fused.felt.csv"
    good = table.read_text("utf-8")
    header, row, *_ = good.splitlines()
    bad = [
        row.replace("0.1", "7"),
        row.replace("0 days 00:00:01", "-1 days"),
        row.replace("0 days 00:00:01", "soon"),
        row.replace(",Ann,1", ",Ann,1e99"),
        "\0" * 1000,
        "x" * 2_000_000,
    ]
    for line in bad:
        table.write_text(f"{header}\n{line}\n", "utf-8")
        with pytest.raises(UnreadableError, match=r"va\.fused\.felt|makes no Record") as caught:
            list(audformat.read(path))
        assert len(str(caught.value)) < 600
    table.write_text(good, "utf-8")
    monkeypatch.setattr(audformat_opening, "LARGEST_TABLE", 10)
    with pytest.raises(UnreadableError, match="larger than"):
        list(audformat.read(path))
    monkeypatch.setattr(audformat_opening, "LARGEST_HEADER", 10)
    with pytest.raises(UnreadableError, match=r"db.yaml of x.audformat is larger"):
        list(audformat.read(path))
    monkeypatch.undo()
    (path / "db.va.fused.felt.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(UnreadableError, match="pickle"):
        list(audformat.read(path))


def test_folders_are_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.audformat"
    audformat.write([clip()], path)
    before = sorted(path.iterdir())

    def broken():
        yield clip(id="other")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        audformat.write(broken(), path)
    assert sorted(path.iterdir()) == before and [one.name for one in tmp_path.iterdir()] == [path.name]
    audformat.write([], path)
    assert list(audformat.read(path)) == [] and [one.name for one in tmp_path.iterdir()] == [path.name]
    (path / "holiday.jpg").touch()
    with pytest.raises(UnreadableError, match="name another folder"):
        audformat.write([clip()], path)
    with pytest.raises(UnreadableError, match="folder"):
        audformat.write([clip()], tmp_path / "no" / "x.audformat")
    with pytest.raises(UnreadableError, match="nowhere"):
        list(audformat.read(tmp_path / "nowhere.audformat"))
    late = Track(VA, [0], [1e18], [[0, 0]])
    with pytest.raises(MalformedError, match=r"write \.jsonl"):
        audformat.write([Record("x", tracks=(late,))], tmp_path / "y.audformat")


def test_a_batch_ends_in_the_same_folder(tmp_path):
    path, grown, part = tmp_path / "x.audformat", tmp_path / "grown" / "x.audformat", tmp_path / "x.part"
    grown.parent.mkdir()
    audformat.write([clip(), Record("b")], path)
    appender = audformat.appender(())
    appender.open(part, 0, {})
    appender.append([clip(), Record("b")])
    appender.close()
    appender.finish(part, grown)
    assert not part.exists()
    assert [one.name for one in grown.iterdir()] and held(grown) == held(path)


def held(folder):
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_without_the_extra_it_says_how_to_get_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "audformat":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for act in (
        audformat.appender,
        lambda: audformat.write([], tmp_path / "x"),
        lambda: next(audformat.read(tmp_path)),
    ):
        with pytest.raises(MissingExtraError, match=r"affetto\[sound\]"):
            act()
