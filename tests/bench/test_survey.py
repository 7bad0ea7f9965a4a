"""The registry of published results: every file loads, every number stands in its range, marks come last."""

from pathlib import Path

import pytest

from affetto.bench.survey import (
    HEADS,
    METRIC_ALIASES,
    TASK_ALIASES,
    Published,
    published,
    ranked,
    read_results,
    table,
)
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError

ALL = published()
GOOD = """
[[result]]
system = "A"
task = "erc"
corpus = "MELD"
split = "official test"
metric = "weighted_f1"
value = 0.6
source = "somebody/somewhere:README.md"
verified = true
"""


def made(**said):
    plain = {
        "system": "A",
        "task": "erc",
        "corpus": "MELD",
        "split": "official test",
        "metric": "weighted_f1",
        "value": 0.6,
        "source": "page",
        "verified": True,
    }
    return Published(**plain | said)


def written(tmp_path: Path, text: str, name: str = "erc.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_the_registry_has_at_least_250_rows_over_many_tasks():
    assert len(ALL) >= 250
    assert len({row.task for row in ALL}) >= 20


def test_every_row_has_a_source_that_is_no_path_of_a_machine():
    for row in ALL:
        assert row.source and not row.source.startswith(("/", "~")), row
        assert not any(word in row.source + row.doubt for word in ("/work", "/home", "/tmp", "shared/")), row


def test_no_claim_stands_twice_in_the_whole_registry():
    claims = [(row.system, row.corpus, row.split, row.metric, row.value, row.task) for row in ALL]
    assert len(set(claims)) == len(claims)


def test_shares_lie_between_0_and_1_and_a_metric_has_one_direction():
    assert all(0 <= row.value <= 1 for row in ALL if row.unit == "share")
    for metric in {row.metric for row in ALL}:
        same = {row.higher_is_better for row in ALL if row.metric == metric}
        assert len(same) == 1, metric


@pytest.mark.parametrize("metric", ["accuracy", "uar", "macro_f1", "weighted_f1", "roc_auc", "brier"])
def test_the_usual_scores_are_shares(metric):
    assert {row.unit for row in ALL if row.metric == metric} == {"share"}


def test_metrics_are_in_snake_case_and_aliases_lead_to_what_there_is():
    assert all(row.metric == row.metric.lower() and row.metric.replace("_", "").isalnum() for row in ALL)
    assert set(METRIC_ALIASES.values()) <= {row.metric for row in ALL}
    assert set(TASK_ALIASES.values()) <= {row.task for row in ALL}
    assert not set(METRIC_ALIASES) & {row.metric for row in ALL}
    assert not set(TASK_ALIASES) & {row.task for row in ALL}


def test_best_first_within_corpus_split_and_metric_and_marked_rows_last():
    groups: dict[tuple[str, ...], list[Published]] = {}
    for row in ALL:
        groups.setdefault((row.task, row.corpus, row.split, row.metric), []).append(row)
    assert sum(len(rows) > 1 for rows in groups.values()) > 20
    for rows in groups.values():
        marked = [row.leaking or row.implausible for row in rows]
        assert marked == sorted(marked)
        for kind in (False, True):
            values = [row.value for row, mark in zip(rows, marked, strict=True) if mark is kind]
            assert values == sorted(values, reverse=rows[0].higher_is_better)


def test_the_groups_stand_together():
    keys = [(row.task, row.corpus, row.split, row.metric) for row in ALL]
    runs = [key for key, before in zip(keys, [None, *keys], strict=False) if key != before]
    assert len(runs) == len(set(runs))


def test_erc_by_weighted_f1():
    rows = published("erc", "wf1")
    assert {row.task for row in rows} == {"erc"} and {row.metric for row in rows} == {"weighted_f1"}
    meld = [row for row in rows if row.corpus == "MELD" and row.split == "official test, 7 classes"]
    assert [row.system for row in meld][:2] == ["PRC-Emo (8B language model)", "COSMIC"]
    assert meld[-1].system == "always the majority label"


def test_names_are_met_in_other_writings():
    assert published("FER") == published("face-expression") == published("face_expression")
    assert published("speech emotion", "WA") == published("ser", "accuracy")
    assert published("erc", corpus="meld") == [row for row in published("erc") if row.corpus == "MELD"]
    assert {row.system for row in published(system="py-feat v2.5")} == {"Py-Feat v2.5 multi-task"}


def test_a_row_takes_the_name_that_the_registry_uses():
    row = made(task="conversation", metric="weighted-F1")
    assert (row.task, row.metric) == ("erc", "weighted_f1")
    assert made(metric="acc2_non0").metric == "acc_2_non0"


def test_a_corpus_is_asked_for_by_its_whole_name():
    assert {row.corpus for row in published(corpus="DISFA")} == {"DISFA"}


def test_what_leaks_is_marked_and_says_why():
    for corpus in ("CREMA-D", "EMO-DB"):
        rows = [row for row in published("speech-emotion", corpus=corpus) if "EmoBox" in row.split]
        assert rows and all(row.leaking and "speakers" in row.doubt for row in rows)
    speechbrain = published("speech-emotion", corpus="IEMOCAP", system="SpeechBrain")
    assert all(row.leaking for row in speechbrain)
    assert all(row.leaking for row in published(system="emotion2vec+"))
    assert not any(row.leaking for row in published("speech-emotion", corpus="RAVDESS", system="frozen encoder"))


def test_what_cannot_be_right_is_kept_but_marked_and_never_first():
    wild = [row for row in ALL if row.implausible]
    assert {(row.corpus, row.value) for row in wild} == {("FER2013", 0.9647), ("RAF-DB", 0.9923), ("CMU-MOSEI", 0.9787)}
    for row in wild:
        group = [other for other in published(row.task, row.metric, row.corpus) if other.split == row.split]
        assert len(group) > 1 and group[-1] == row


def test_doubtful_rows_say_why():
    assert all(row.doubt for row in ALL if row.marks)
    assert {row.verified for row in ALL} == {True, False}


def test_lower_is_better_where_it_is():
    gaze = published("gaze", corpus="MPIIGaze")
    assert not gaze[0].higher_is_better
    low = [made(metric="mae", unit="points", value=v, higher_is_better=False) for v in (3, 1, 2)]
    assert [row.value for row in ranked(low)] == [1, 2, 3]


def test_ones_own_rows_may_stand_among_published_ones():
    own = made(system="ours", split="official test, 7 classes", value=0.69)
    rows = [row for row in ranked([*published("erc", "wf1", "MELD"), own]) if row.split == own.split]
    assert [row.system for row in rows][1] == "ours"


def test_the_table_is_text_with_heads():
    plain = table(published("speech-emotion", "uar"))
    assert tuple(plain[0]) == HEADS and all(len(row) == len(HEADS) for row in plain)
    assert all(isinstance(cell, str) for row in plain for cell in row)
    cell = dict(zip(HEADS, table([made(unit="dB", value=31.48, verified=False, doubt="x", year=2023)])[1], strict=True))
    assert cell["value"] == "31.48 dB" and cell["marks"] == "unverified" and cell["year"] == "2023"
    assert table([]) == [list(HEADS)]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"task": "ercc"}, "erc"),
        ({"task": "erc", "metric": "bleu"}, "weighted_f1"),
        ({"task": "erc", "metric": "wf1", "corpus": "FER2013"}, "MELD"),
        ({"task": "erc", "system": "nobody"}, "COSMIC"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(asked, named):
    with pytest.raises(UnknownNameError, match=named):
        published(**asked)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"value": 65.2}, "between 0 and 1, not 65.2"),
        ({"value": -1.2, "unit": "coefficient"}, "between -1 and 1"),
        ({"value": float("nan")}, "finite"),
        ({"value": True}, "finite"),
        ({"value": "0.6"}, "finite"),
        ({"source": " "}, "source"),
        ({"system": 3}, "system"),
        ({"verified": "yes"}, "true or false"),
        ({"verified": False}, "unverified"),
        ({"leaking": True}, "leaking"),
        ({"implausible": True}, "implausible"),
        ({"doubt": 3}, "doubt"),
        ({"year": "2024"}, "year"),
        ({"year": 24}, "year"),
    ],
)
def test_a_malformed_result_is_refused(said, message):
    with pytest.raises(MalformedError, match=message):
        made(**said)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "erc.toml cannot be read"),
        ("", r"erc.toml want tables"),
        ("result = 3", r"erc.toml want tables"),
        ("result = [3]", r"erc.toml, row 1 is no table"),
        ("id = 'x'\n" + GOOD, r"nothing else"),
        (GOOD + GOOD, "erc.toml, rows 1 and 2 say the same"),
        (GOOD.replace('source = "somebody/somewhere:README.md"', ""), "erc.toml, row 1 lacks source"),
        (GOOD + GOOD.replace("value = 0.6", "value = 60"), "erc.toml, row 2: weighted_f1 is a share"),
        (GOOD + "vaule = 1\n", "erc.toml, row 1 has a key nobody reads: vaule"),
        (GOOD.replace('"erc"', '"vad"'), "belongs in vad.toml"),
    ],
)
def test_a_broken_file_names_itself_and_its_row(tmp_path, text, message):
    with pytest.raises(CatalogError, match=message):
        read_results(written(tmp_path, text))


def test_a_good_file_is_read(tmp_path):
    assert read_results(written(tmp_path, GOOD)) == [made(source="somebody/somewhere:README.md")]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CatalogError, match=r"erc\.toml cannot be read"):
        read_results(tmp_path / "erc.toml")
