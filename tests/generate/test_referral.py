"""The notice that stands in place of a reply: never empty, never a diagnosis, always somebody to call."""

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from affetto.core import catalog
from affetto.core.track import Track
from affetto.generate import referral
from affetto.generate.referral import OTHER, notice, noticed

FAMILIES = ("self-harm", "abuse", "danger-to-others", "emergency")
HELP = tomllib.loads(Path(referral.__file__).with_name("helplines.toml").read_text("utf-8"))
CONDITIONS = re.compile(
    r"depress|disorder|bipolar|psycho|schizo|borderline|ptsd|trauma|anxi|illness|\bill\b|symptom|diagnos|suicidal|patient",
    re.I,
)
"""Words that would say what somebody has."""
SETS = [c for n in range(5) for c in itertools.combinations(FAMILIES, n)]


@pytest.mark.parametrize("families", SETS)
@pytest.mark.parametrize("other", [False, True])
def test_every_notice_says_that_a_program_cannot_help_and_whom_to_call(families, other):
    for country in ("GB", "us", "", "Atlantis"):
        said = notice(families, country, other=other)
        assert "cannot help in a crisis" in said
        assert re.search(r"\b(999|911|112)\b", said)
        assert "findahelpline.com" in said
        assert not CONDITIONS.search(said)
        assert len(said) < 1200


def test_the_numbers_are_those_of_the_country():
    assert "116 123" in notice(["self-harm"], "GB") and "999" in notice(["self-harm"], "GB")
    assert "988" in notice(["self-harm"], "US")
    assert "0808 2000 247" in notice(["abuse"], "GB") and "116 123" not in notice(["abuse"], "GB")
    both = notice(["abuse", "self-harm"], "GB")
    assert "0808 2000 247" in both and "116 123" in both


def test_an_emergency_is_told_to_call_now_and_first():
    said = notice(["self-harm", "emergency"], "FR")
    assert "Call 112 now" in said
    assert said.index("life may be in danger") < said.index("hurting yourself")


def test_an_unknown_country_gets_the_directory_and_both_numbers():
    said = notice(["self-harm"], "Atlantis")
    assert "112" in said and "911" in said and "iasp.info" in said
    assert "To talk to somebody" not in said


@pytest.mark.parametrize("country", ["gb", " GB ", "United Kingdom", "uk", "en-GB", "en_GB.UTF-8", "SCOTLAND"])
def test_a_country_is_known_by_code_name_and_locale(country):
    assert "Samaritans" in notice(["self-harm"], country)


def test_a_country_without_a_line_for_violence_gets_the_crisis_line():
    assert HELP["countries"]["MX"]["violence"] == []
    assert "800 911 2000" in notice(["abuse"], "MX")


def test_somebody_else_is_not_told_that_they_are_meant():
    own, of_another = notice(["self-harm"], "GB"), notice(["self-harm"], "GB", other=True)
    assert "hurting yourself" in own and "yourself" not in of_another
    assert "somebody may be thinking of dying" in of_another and "do not leave them alone" in of_another


def test_another_language_gets_english_and_no_error():
    assert notice(["abuse"], "DE", language="de") == notice(["abuse"], "DE")
    assert notice(["no such family"], "DE")


def test_every_country_is_complete_and_sourced():
    assert len(HELP["countries"]) >= 25
    assert "verify before deploying" in HELP["checked"]
    for code, entry in HELP["countries"].items():
        assert re.fullmatch("[A-Z]{2}", code) and entry["names"] and re.search(r"\d{3}", entry["emergency"])
        assert entry["crisis"], code
        for line in (*entry["crisis"], *entry["violence"]):
            assert set(line) == {"name", "number", "source"} and line["source"].startswith("https://")
            assert re.search(r"\d\d|see \w", line["number"]), line
    names = [name.casefold() for entry in HELP["countries"].values() for name in entry["names"]]
    assert len(names) == len(set(names))


def track(values, note, start=0):
    rows = np.arange(start, start + len(values))
    return Track(
        catalog.load("care"),
        rows,
        rows + 1,
        values,
        unit="turn",
        subject="Ada",
        note=note,
        source="dialogue.care@1.0.0",
    )


def test_what_is_noticed_is_what_reaches_the_threshold():
    low, high = [0.3, 0, 0, 0], [0.9, 0, 0, 0.95]
    assert noticed([]) is None
    assert noticed([track([low], ("never",))]) is None
    found = noticed([track([low, high], ("never", "I took them"))])
    assert found == referral.Noticed(("emergency", "self-harm"), False, ("I took them",))
    assert noticed([track([high], ("x",))], since=1.0) is None
    assert noticed([track([high], (OTHER + "wants to die",))]) == referral.Noticed(
        ("emergency", "self-harm"), True, ("wants to die",)
    )


def test_tracks_of_other_spaces_are_passed_over():
    other = Track(catalog.load("va"), [0], [1], [[0.9, 0.9]], unit="turn")
    assert noticed([other]) is None
