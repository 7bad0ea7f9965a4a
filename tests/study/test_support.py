"""What goes with relief: statistics by known answers, planted talks whose effects are known, and a real corpus."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from affetto import measure
from affetto.core import catalog
from affetto.core.errors import MalformedError
from affetto.core.record import Record, Turn
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.serve.studies import study as command
from affetto.study import statistics
from affetto.study.support import Study, SupportOptions, chat, effects
from recipes import corpora

SKILLS = Space("mi-skills", "one", tuple(map(Axis, ("autonomy", "persuasion", "question", "other"))))
STRENGTH = Space("distress", "graded", (Axis("distress", low=-10, high=20),))
OPTIONS = SupportOptions(outcomes=("distress",), skills=("mi-skills",))
PLANTED = {"autonomy": 0.4, "persuasion": -0.4}


def talk(id: str, before: float, after: float | None, skills: list[int], **meta: str) -> Record:
    """Return a talk in turns: the supporter shows one skill after another, the seeker answers."""
    turns = [Turn(who, None, "so") for _ in skills for who in ("supporter", "seeker")]
    at = np.arange(len(skills)) * 2
    did = Track(SKILLS, at, at + 1, np.eye(4)[skills], unit="turn", subject="supporter", source="raters")
    felt = np.array([[before], [np.nan if after is None else after]])
    ends = [0, len(turns)]
    said = Track(STRENGTH, ends, ends, felt, unit="turn", subject="seeker", perspective="felt", source="seeker")
    return Record(id, turns=tuple(turns), tracks=(did, said), meta=meta)


def planted(n: int = 3000, seed: int = 7, clusters: int = 60) -> list[Record]:
    """Return talks in which supporters pick skills by how bad it is, which changes relief by itself."""
    rng = np.random.default_rng(seed)
    whose = rng.integers(0, clusters, n)
    habit = rng.normal(0, 0.15, clusters)[whose]
    badness = rng.normal(0, 1, n)
    urges = rng.random(n) < 1 / (1 + np.exp(-1.2 * badness))
    leaves = rng.random(n) < 1 / (1 + np.exp(1.2 * badness))
    relief = 1.5 - 0.35 * badness + 0.4 * leaves - 0.4 * urges + habit + rng.normal(0, 0.3, n)
    made = []
    for i in range(n):
        skills = [2, 3, 2, 0 if leaves[i] else 3, 1 if urges[i] else 2]
        before = 3 + 0.5 * badness[i]
        made.append(talk(str(i), before, before - relief[i], skills, supporter=str(whose[i]), problem="work"))
    return made


@pytest.fixture(scope="module")
def found() -> Study:
    return effects(planted(), OPTIONS)


def test_the_planted_effects_are_found_where_the_naive_difference_is_wrong(found: Study) -> None:
    by_name = {one.skill: one for one in found.effects}
    for name, effect in PLANTED.items():
        one = by_name[name].matching
        assert one is not None
        assert abs(one.naive.value - effect) > 0.1
        assert one.effect.value == pytest.approx(effect, abs=0.05)
        assert one.effect.low < effect < one.effect.high and not one.effect.low <= 0 <= one.effect.high
        assert one.before > 0.3 and one.after < 0.1
        assert 1 < one.e_limit < one.e_value and one.p_holm < 0.001
    for kind in ("alone", "together"):
        assert getattr(by_name["autonomy"], kind).low > 0 > getattr(by_name["persuasion"], kind).high
    assert (found.clusters, found.groups, found.n, found.reference) == ("supporter", 60, 3000, "other")


def test_the_limits_are_said(found: Study) -> None:
    words = " ".join(found.limits)
    assert "No causes" in words and "self-selection" in words and "self-report" in words
    unknown = [replace(record, meta={"problem": f"work {i % 5}"}) for i, record in enumerate(planted(200))]
    assert "Who supported is not known" in " ".join(effects(unknown, OPTIONS).limits)
    assert "chosen by their outcome" not in words
    better = [talk(str(i), 4, 1 + i % 3, [0, 1 + i % 3, 3]) for i in range(60)]
    assert "chosen by their outcome" in " ".join(effects(better, OPTIONS).limits)


def test_the_order_of_talks_does_not_matter() -> None:
    talks = planted(400)
    one, other = effects(talks, OPTIONS), effects(talks[::-1], OPTIONS)
    found = {effect.skill: effect for effect in other.effects}
    for a in one.effects:
        b = found[a.skill]
        assert a.alone.value == pytest.approx(b.alone.value) and a.alone.error == pytest.approx(b.alone.error)


def test_nothing_planted_nothing_found() -> None:
    rng = np.random.default_rng(3)
    talks = [
        talk(str(i), 4, float(rng.integers(1, 5)), rng.integers(0, 4, 8).tolist(), supporter=str(i % 40))
        for i in range(600)
    ]
    for one in effects(talks, OPTIONS).effects:
        assert one.p_holm > 0.05 and one.matching and one.matching.p_holm > 0.05


def test_talks_that_say_too_little_are_counted_and_passed_over() -> None:
    whole = planted(100)
    bare = [Record("a"), talk("b", 4, None, [0, 1]), replace(whole[0], tracks=whole[0].tracks[1:])]
    guessed = replace(
        whole[0], tracks=(whole[0].tracks[0], replace(whole[0].tracks[1], source="dialogue.relief@1.0.0"))
    )
    answer = effects([*whole, *bare, guessed], OPTIONS)
    assert (answer.n, answer.passed) == (100, 4)
    with pytest.raises(MalformedError, match="a comparison wants 40 or more"):
        effects(bare, OPTIONS)
    with pytest.raises(MalformedError, match="eased by 2 in all 50"):
        effects([talk(str(i), 4, 2, [0, 1]) for i in range(50)], OPTIONS)


def test_shares_are_of_the_supporter_alone() -> None:
    record = talk("1", 4, 2, [0, 0, 1, 3])
    own = Track(SKILLS, [1], [2], [[0, 0, 1, 0]], unit="turn", subject="seeker", source="raters")
    one = chat(record.add(own), "", OPTIONS)
    assert one is not None and one.relief == 2
    assert one.shares == {"autonomy": 0.5, "persuasion": 0.25, "question": 0.0, "other": 0.25}


def test_errors_of_rows_alone_are_those_of_hc2() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    y = x @ [1, -2] + rng.normal(size=80) * (1 + np.abs(x[:, 0]))
    full = np.hstack([np.ones((80, 1)), x])
    inverse = np.linalg.inv(full.T @ full)
    residuals = y - full @ inverse @ full.T @ y
    meat = full.T * (residuals**2 / (1 - ((full @ inverse) * full).sum(1)))
    errors = np.sqrt(np.diag(inverse @ meat @ full @ inverse))
    answers = statistics.regression(y, x)
    assert [one.error for one in answers] == pytest.approx(errors[1:].tolist())
    assert [one.value for one in answers] == pytest.approx((inverse @ full.T @ y)[1:].tolist())
    assert math.isnan(statistics.regression(y, np.hstack([x, x[:, :1] * 3]))[2].value)


def test_clustered_intervals_hold_what_they_say_where_others_do_not() -> None:
    """Of 100 worlds with 10 clusters and no effect, about five may show one; without clusters far more would."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(10), 6)
    wrong = np.zeros(2)
    for _ in range(100):
        x = (rng.normal(size=10)[group] + rng.normal(size=60))[:, None]
        y = rng.normal(size=10)[group] + rng.normal(size=60)
        for k, clusters in enumerate((group.tolist(), None)):
            wrong[k] += statistics.regression(y, x, clusters)[0].p < 0.05
    assert wrong[0] <= 12 and wrong[1] >= 15


@given(st.floats(0.5, 5000), st.floats(0, 30))
def test_the_t_distribution_is_that_of_scipy(freedom: float, t: float) -> None:
    assert statistics.t_tails(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), abs=1e-6)
    if freedom >= 1:
        assert statistics.t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_only_raise_and_keep_the_order(p: list[float]) -> None:
    for correct in (statistics.holm, statistics.false_discovery):
        raised = correct(p)
        assert (raised >= np.array(p) - 1e-12).all() and (raised <= 1).all()
        order = np.argsort(p)
        assert (np.diff(raised[order]) >= -1e-12).all()
    assert statistics.false_discovery(p) == pytest.approx(stats.false_discovery_control(p))


@given(st.integers(0, 10_000))
def test_pairs_are_near_and_nobody_is_used_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds, treated = rng.normal(size=60), rng.random(60) < 0.4
    a, b = statistics.matched(odds, treated, 0.2)
    assert treated[a].all() and not treated[b].any()
    assert len(set(a)) == len(a) == len(set(b))
    assert (np.abs(odds[a] - odds[b]) <= 0.2 * odds.std() + 1e-12).all()


def test_a_logistic_regression_finds_its_coefficients() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 2))
    odds = 0.5 + x @ [1.0, -0.7]
    treated = rng.random(20_000) < 1 / (1 + np.exp(-odds))
    assert np.abs(statistics.propensity(x, treated, ridge=0) - odds).max() < 0.3
    assert np.isfinite(statistics.propensity(x[:, :1], x[:, 0] > 0)).all()  # perfectly told apart


@pytest.mark.corpus
def test_a_model_labels_in_place_of_the_raters_and_sees_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (corpora.DATA / "text" / "esconv").is_dir():
        pytest.skip("no data folder")
    monkeypatch.setenv("AFFETTO_DATA", str(corpora.DATA))
    space = catalog.load("strategy-8")

    def asks(records: list[Record]) -> list[tuple[Track, ...]]:
        """Find a question in every turn of the supporter that has a question mark."""
        answers = []
        for record in records:
            assert not record.tracks and record.people["supporter"] == {"role": "supporter"}
            at = [k for k, turn in enumerate(record.turns) if turn.speaker == "supporter"]
            chosen = [space.index("question" if "?" in record.turns[k].text else "others") for k in at]
            start, rows = np.array(at), np.eye(len(space.axes))[chosen]
            answers.append((Track(space, start, start + 1, rows, unit="turn", subject="supporter", source="asks@1"),))
        return answers

    monkeypatch.setattr("affetto.api.load", lambda _: asks)
    said = CliRunner().invoke(command, ["support", "--split", "dev", "--model", "asks", "--json"])
    assert said.exit_code == 0, said.output
    plain = json.loads(said.output)
    assert {one["skill"] for one in plain["effects"]} == {"question", "others"}
    assert plain["limits"][0] == "Skills are labelled by asks, whose errors bend what goes with them."


@pytest.mark.corpus
def test_esconv_answers_in_the_terminal_and_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (corpora.DATA / "text" / "esconv").is_dir():
        pytest.skip("no data folder")
    monkeypatch.setenv("AFFETTO_DATA", str(corpora.DATA))
    said = CliRunner().invoke(command, ["support", "--json"])
    assert said.exit_code == 0, said.output
    plain = json.loads(said.output)
    assert (plain["n"], plain["passed"], plain["clusters"], plain["groups"]) == (1292, 204, "problem", 13)
    assert len(plain["effects"]) == 8 and all(one["matching"]["after"] < 0.1 for one in plain["effects"])
    shown = CliRunner().invoke(command, ["support", "--split", "dev", "--cluster", "none"])
    assert shown.exit_code == 0, shown.output
    assert "What this does not show" in shown.output and "chosen by their outcome" in shown.output
    assert measure.corpus("esconv").card.limits[0] in shown.output
