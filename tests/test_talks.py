"""`affetto converse` from end to end: files in, turns answered, replies or a notice out, at a terminal and in files."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from affetto import answers, replies, talks
from affetto.core.errors import AffettoError, CatalogError, MalformedError, UnknownNameError
from affetto.core.record import Record, Turn
from affetto.formats import jsonl
from affetto.serve.cli import page

CHAT = Path(__file__).resolve().parents[1] / "examples" / "chat.txt"
DANGER = Record(
    "danger",
    turns=(
        Turn("Ann", None, "I can't do this any more. I want to kill myself."),
        Turn("Bo", None, "Please talk to me."),
        Turn("Ann", None, "There is nothing to talk about."),
    ),
)


@pytest.fixture(scope="module")
def chat() -> Record:
    (record,) = talks.read(CHAT)
    answered = talks.converse(record)
    assert isinstance(answered, Record)
    return answered


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(page, ["converse", *words], prog_name="affetto")
    return done.exit_code, done.stdout, done.stderr


def test_every_turn_with_words_has_its_feeling(chat):
    said = {who: [turn.text for turn in chat.turns if turn.speaker == who] for who in ("Mira", "Jonas")}
    feelings = {track.subject: track for track in chat.tracks if track.source.startswith("dialogue.erc@")}
    assert {who: len(track) for who, track in feelings.items()} == {who: len(texts) for who, texts in said.items()}
    furious = next(k for k, text in enumerate(said["Mira"]) if "furious" in text)
    assert feelings["Mira"].top(furious).name in ("anger", "disgust")


def test_what_caused_it_how_it_moved_and_what_may_come_are_there(chat):
    spaces = {track.space.id for track in chat.tracks}
    assert {"ekman-7", "shift", "cause", "strategy-8", "epitome-3"} <= spaces
    for track in chat.tracks:
        if track.space.id == "cause":
            assert track.about is not None and all(span is not None for span in track.about)
    ahead = [t for t in chat.tracks if t.source.startswith("dialogue.transition")]
    assert ahead[0].unit == "s" or ahead[0].start[0] >= len(chat.turns)


def test_only_a_talk_of_support_is_asked_for_skills(chat):
    assert "therapist-4" not in {track.space.id for track in chat.tracks}
    people = {"Mira": {"role": "seeker"}, "Jonas": {"role": "supporter"}}
    helped = talks.converse(Record(chat.id, turns=chat.turns, people=people))
    assert {"therapist-4", "trouble"} <= {track.space.id for track in helped.tracks}


def test_replies_have_reasons_and_a_crisis_gets_a_notice_instead(chat):
    offered = answers.offers(3)(chat)
    assert len(offered.meta["replies"]) == 3 and "notice" not in offered.meta
    for one in offered.meta["replies"]:
        assert one["text"] and one["reasons"]
    told = answers.offers(3, country="GB")(talks.converse(DANGER))
    assert told.meta["replies"] == []
    assert "116 123" in told.meta["notice"] and "999" in told.meta["notice"]


def test_what_is_only_denied_is_shown_and_answered():
    said = Turn("Ann", None, "It was a hard week, but I would never kill myself."), Turn("Bo", None, "I am glad.")
    answered = talks.converse(Record("denied", turns=(*said, Turn("Ann", None, "Thanks for asking."))))
    assert "care" in {track.space.id for track in answered.tracks}
    offered = answers.offers(2)(answered)
    assert offered.meta["replies"] and "notice" not in offered.meta


def test_a_language_model_writes_or_is_told_of(chat):
    offered = answers.offers(2, llm="fake.language")(chat)
    first = offered.meta["replies"][0]
    assert first["text"] and any("fake" in word for word in (first["source"], *first["reasons"]))
    assert answers.offers(2, llm="fake.language")(talks.converse(DANGER)).meta["replies"] == []
    with pytest.raises(AffettoError):
        answers.offers(2, llm="no.such.model")


def test_an_index_is_made_of_own_talks_and_chosen_from(chat, tmp_path):
    index = tmp_path / "mine.npz"
    assert replies.gather([str(CHAT)], index) > 3
    offered = answers.offers(5, replies=index)(chat)
    assert len(offered.meta["replies"]) == 5
    with pytest.raises(CatalogError, match="no reply"):
        replies.gather([], index)
    with pytest.raises(UnknownNameError):
        replies.gather(["no-such-corpus"], index)
    index.write_bytes(b"nothing")
    with pytest.raises(AffettoError, match=r"mine\.npz"):
        answers.offers(5, replies=index)


def test_what_is_no_talk_is_refused_in_a_sentence():
    with pytest.raises(MalformedError, match="no turns"):
        talks.converse(Record("post"))
    with pytest.raises(MalformedError, match="wants a Record"):
        talks.converse("hello")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="daily"):
        talks.Asked("backwards")


def test_a_file_of_talks_is_stopped_and_goes_on(tmp_path):
    lines = [{"id": f"t{k}", "turns": [{"speaker": "a", "text": f"I am so happy, {k}!"}]} for k in range(600)]
    source, out = tmp_path / "talks.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)))

    def stops(state):
        if state.rows > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        talks.converse_file(source, out, progress=stops)
    with pytest.raises(AffettoError, match="resume"):
        talks.converse_file(source, out)
    state = talks.converse_file(source, out, resume=True)
    assert (state.rows, state.errors) == (600, 0) and state.resumed > 0
    assert [record.id for record in jsonl.read(out)] == [f"t{k}" for k in range(600)]


def test_it_is_shown_in_80_columns_in_a_pipe():
    code, out, _ = run(str(CHAT))
    assert code == 0 and "Mira" in out and "[joy" in out and "because of turn" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def no_such(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize("more", [[], ["--llm", "fake.language"]], ids=["small models", "a language model"])
def test_json_holds_the_replies(more):
    code, out, _ = run(str(CHAT), "--json", "--reply", "2", *more)
    assert code == 0
    (said,) = (json.loads(line, parse_constant=no_such) for line in out.splitlines())
    assert len(said["meta"]["replies"]) == 2


def test_a_page_and_a_picture(tmp_path):
    page_file, picture = tmp_path / "chat.html", tmp_path / "chat.svg"
    pytest.importorskip("matplotlib")
    code, out, told = run(str(CHAT), "--report", str(page_file), "--plot", str(picture), "--reply")
    assert code == 0 and out == "" and "page in" in told
    text = page_file.read_text("utf-8")
    assert "furious" in text and not re.search(r'(?:src|href)="https?://', text)
    assert picture.stat().st_size > 1000
    code, _, told = run(str(CHAT), "--report", str(page_file))
    assert code == 2 and "--overwrite" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such.txt"], "no-such.txt"),
        ([str(CHAT), "--country", "GB"], "--country wants --reply"),
        ([str(CHAT), "--resume"], "--resume wants --out"),
        ([str(CHAT), "--layout", "smoke"], "smoke"),
        ([str(CHAT), "--also", "text.nobody"], "text.nobody"),
        ([str(CHAT), "--out", "x.nothing"], ".nothing"),
    ],
)
def test_wrong_usage_is_one_sentence(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, told = run(*words)
    assert code == 2 and said in told and "Traceback" not in told
