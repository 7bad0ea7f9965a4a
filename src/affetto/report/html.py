"""One Record as one HTML file that needs no network: player, ribbons, valence and arousal, words, evidence, limits.

The file is whole: its style, its script, the numbers and, where wanted, the recording are in it, and its policy forbids
it to fetch anything. What a reader of paper or of no script needs (summary, transcript, limits) stands in its HTML; the
script draws the rest from one block of JSON. Style and script lie in `page/`, to be read and changed as they are.
Knows how the file is put together; `page_people` knows who is on it, `page_parts` and `page_data` what it says.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.report import page_parts
from affetto.report.page_data import Options, Stills, data
from affetto.report.page_labels import Labels
from affetto.report.page_people import gather, peaks

__all__ = ["Options", "Player", "Stills", "page"]

_HOME = Path(__file__).parent / "page"
_SCRIPTS = ("numbers", "paint", "clock", "lanes", "timeline", "circumplex", "transcript", "evidence", "page")
"""The parts of the script, in this order within one function."""
_MIME = re.compile(r"(video|audio|image)/[\w.+-]+")
_ABROAD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|//|\\\\|(data|blob|file|javascript):", re.IGNORECASE)


@dataclass(frozen=True)
class Player:
    """The recording that the page plays: within the page, or a file beside it.

    >>> Player("video/mp4", url="interview.mp4").kind
    'video'
    """

    mime: str
    """Such as `video/mp4`, `audio/wav`, or `image/jpeg` for a still picture."""
    data: bytes | None = None
    """The file itself; a third longer in the page."""
    url: str = ""
    """Where it lies, as a path relative to the page; used where there are no data."""

    def __post_init__(self) -> None:
        """Refuse what no page can play, or what wants a network."""
        if not _MIME.fullmatch(self.mime):
            raise MalformedError(f"a Player's mime is video/..., audio/... or image/..., not {self.mime!r}")
        if self.data is None and (not self.url or _ABROAD.match(self.url)):
            raise MalformedError(f"a Player wants data, or a path relative to the page, not {self.url!r}")

    @property
    def kind(self) -> str:
        """`video`, `audio` or `image`."""
        return self.mime.partition("/")[0]


def page(
    record: Record, player: Player | None = None, stills: Stills | None = None, options: Options | None = None
) -> str:
    """Return a Record as a complete HTML document, the same bytes for the same Record, date and version.

    Args:
        record: with Tracks in seconds, in turns or of one moment; also with none at all.
        player: the recording; without it the page has a clock of its own.
        stills: of a subject, seconds and the small picture at each as a JPEG.
        options: title, date, how much.

    Raises:
        MalformedError: a still is no JPEG.

    >>> page(Record("nothing"), options=Options(made=date(2026, 1, 1)))[:15]
    '<!doctype html>'
    """
    how = options or Options()
    stills = stills or {}
    _check(stills)
    cast = gather(record)
    labels = Labels()
    found, others = page_parts.sources(record)
    title = how.title or Path(str(record.meta.get("path", ""))).name or record.id
    parts = {
        "facts": page_parts.facts(cast, found, others, (how.made or date.today()).isoformat()),
        "glance": page_parts.glance(cast, labels),
        "transcript": page_parts.transcript(cast, labels),
        "turns": str(len(cast.turns)),
        "timeline": "Timeline" if cast.end else "What was seen",
        "peaks": page_parts.peaks(cast, stills, labels, how),
        "links": page_parts.links(cast),
        "cards": page_parts.cards(found, others),
        "left": _left(cast.left, record),
    }
    plain = data(cast, labels, how, player.kind if player else "")
    plain["title"] = title
    plain["cards"] = {full: page_parts.anchor(full) for full in found}
    plain["mime"] = player.mime if player else ""
    plain["url"] = quote(player.url, safe="/") if player and player.data is None else ""
    style = read_part("page.css") + inks(labels)
    script = '(() => {\n"use strict";\n' + "\n".join(read_part(f"{name}.js") for name in _SCRIPTS) + "\n})();"
    return Template(read_part("page.html")).substitute(
        parts,
        head=head(title, script, style, player),
        title=page_parts.escape(title),
        version=page_parts.escape(version()),
        script=script,
        data=_json(plain),
        media=base64.b64encode(player.data).decode("ascii") if player and player.data is not None else "",
        classes=" ".join(_classes(plain)),
    )


def head(title: str, script: str, style: str, player: Player | None = None) -> str:
    """Return the head of a page, with a policy that allows its own script, style and recording, and nothing else."""
    return Template(read_part("head.html").rstrip("\n")).substitute(
        title=page_parts.escape(title),
        version=page_parts.escape(version()),
        policy=_policy(script, style, player),
        style=style,
    )


def inks(labels: Labels) -> str:
    """Return the rules that give each label its colour, and the ink that is read on it."""
    return "".join(f".f{i}{{--f:{look.colour};--fi:{_ink(look.colour)}}}" for i, look in enumerate(labels.looks))


def moments(record: Record, options: Options | None = None) -> dict[str, list[float]]:
    """Return the seconds of each person's peaks, as the page tells them: those that stills are wanted of."""
    cast, most = gather(record), (options or Options()).peaks
    told = {person.name: peaks(person.main, most, cast.end / 20) for person in cast.people if person.main is not None}
    return {name: [peak.at for peak in some] for name, some in told.items()}


def _check(stills: Mapping[str, Sequence[tuple[float, bytes]]]) -> None:
    for subject, shots in stills.items():
        for second, jpeg in shots:
            if not bytes(jpeg[:2]) == b"\xff\xd8":
                raise MalformedError(f"the still of {subject!r} at {second} wants to be a JPEG")


def _classes(plain: Mapping[str, Any]) -> list[str]:
    """Return what the style wants to know of the record."""
    media = [plain["media"] or "silent"]
    return [*media, *([] if plain["end"] else ["still"]), *([] if plain["turns"] else ["wordless"])]


def _left(spaces: Sequence[str], record: Record) -> str:
    """Return the sentence about Tracks that are not drawn."""
    if not spaces:
        return ""
    named = ", ".join(page_parts.escape(space) for space in sorted(set(spaces)))
    count = len(record.tracks)
    return f"<p>The record holds {count} Tracks; those in the following spaces are not drawn here: {named}.</p>"


def _policy(script: str, style: str, player: Player | None) -> str:
    """Return the Content-Security-Policy: this script, this style, pictures and sound in the page, nothing else."""
    beside = player is not None and player.data is None
    rules = {
        "default-src": "'none'",
        "script-src": f"'sha256-{_sha(script)}'",
        "style-src": f"'sha256-{_sha(style)}'",
        "img-src": "data: blob:" + (" 'self' file:" if beside else ""),
        "media-src": "data: blob:" + (" 'self' file:" if beside else ""),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{key} {value}" for key, value in rules.items())


def _sha(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json(plain: object) -> str:
    """Return JSON that can stand in a script block: nothing in it ends the block or opens another."""
    text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _ink(colour: str) -> str:
    """Return black or white, whichever is read better on a colour."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    bright = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]  # WCAG 2.2, relative luminance
    return "#111" if (bright + 0.05) / 0.0556 >= 1.05 / (bright + 0.05) else "#FFF"


def read_part(name: str) -> str:
    return (_HOME / name).read_text("utf-8")


def version() -> str:
    try:
        return metadata.version("affetto")
    except metadata.PackageNotFoundError:
        return ""
