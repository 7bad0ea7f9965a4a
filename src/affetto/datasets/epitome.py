"""EPITOME: replies to people who seek support on Reddit, with how much empathy they show in three ways, and where.

Knows its three tables, one a way, whose rows are the same pairs in the same order. Escapes such as `&lt;` are undone.
The words that raters gave as their reason stand in meta: first and last character in the reply, for each way.
"""

import html
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.datasets.corpus import Corpus, Split, said_of_turns, table_of


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("epitome-3")
    seen: dict[str, int] = {}
    for rows in zip(*(table_of(path) for path in split.files), strict=True):
        ids = {(row["sp_id"], row["rp_id"]) for row in rows}
        if len(ids) > 1:
            raise ValueError(f"the tables differ in a row: {ids}")
        row = rows[-1]
        first = f"{row['sp_id']}-{row['rp_id']}"
        seen[first] = seen.get(first, 0) + 1
        words = [html.unescape(row[f"{who}_post"]) for who in ("seeker", "response")]
        said = [[float("nan")] * 3, [float(one["level"]) for one in rows]]
        spans = {name: _spans(one["rationales"], words[1]) for name, one in zip(space.names, rows, strict=True)}
        yield Record(
            first if seen[first] == 1 else f"{first}-{seen[first]}",
            turns=(Turn("seeker", None, words[0]), Turn("supporter", None, words[1])),
            tracks=said_of_turns(["seeker", "supporter"], space, said)[1:],
            meta={"group": row["sp_id"], "rationales": spans} | ({"duplicate_of": first} if seen[first] > 1 else {}),
        )


def _spans(rationales: str, reply: str) -> list[list[int]]:
    """Return where the reasons stand in the reply, whatever white space they lost; those not found are left out."""
    places = [i for i, letter in enumerate(reply) if not letter.isspace()]
    letters = "".join(reply[i] for i in places)
    spans = []
    for reason in rationales.split("|"):
        wanted = "".join(html.unescape(reason).split())
        if wanted and (at := letters.find(wanted)) >= 0:
            spans.append([places[at], places[at + len(wanted) - 1] + 1])
    return spans


def _fake(folder: Path) -> None:
    for name, level in (("emotional-reactions", 1), ("interpretations", 0), ("explorations", 2)):
        lines = ["sp_id,rp_id,seeker_post,response_post,level,rationales"]
        for i in (0, 1, 2, 2):
            reason = "I am sorry &lt;3|" if level else ""
            lines.append(f's{i},r{i},"I can\'t, at all {i}","I am sorry  &lt;3, why ""all""?",{level},{reason}')
        (folder / f"{name}-reddit.csv").write_text("\n".join(lines) + "\n", "utf-8")
