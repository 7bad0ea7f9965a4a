"""AnnoMI: counselling talks by motivational interviewing, good and bad, with what each turn of theirs does.

Knows its two tables: one label a turn (simple), and a row for each turn and annotator (full). The former is the Track
of the raters, the latter a Track for each of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record, Turn
from affetto.core.track import Track
from affetto.datasets.corpus import RATERS, Corpus, Split, one_of, table_of

LABELS = {"therapist": ("main_therapist_behaviour", "therapist-4"), "client": ("client_talk_type", "client-talk-3")}
"""For each speaker: the column of the label, and its space."""
Rows = Sequence[Mapping[str, str]]


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    turns: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    rated: dict[str, dict[str, list[Mapping[str, str]]]] = defaultdict(lambda: defaultdict(list))
    full, simple = split.files
    for row in table_of(simple):
        turns[row["transcript_id"]].append(row)
    for row in table_of(full):
        rated[row["transcript_id"]][row["annotator_id"]].append(row)
    for id, said in turns.items():
        tracks = _tracks(said, RATERS)
        for rater in sorted(rated[id]):
            tracks += _tracks(rated[id][rater], f"rater:{rater}")
        first = said[0]
        yield Record(
            id,
            turns=tuple(Turn(row["interlocutor"], None, row["utterance_text"]) for row in said),
            tracks=tuple(tracks),
            meta={
                "group": first["video_url"],
                "title": first["video_title"],
                "quality": first["mi_quality"],
                "topic": first["topic"],
                "times": [_seconds(row["timestamp"]) for row in said],
            },
        )


def _tracks(rows: Rows, source: str) -> list[Track]:
    tracks = []
    for speaker, (column, id) in LABELS.items():
        space = catalog.load(id)
        said = [row for row in rows if row["interlocutor"] == speaker]
        if said:
            at = np.array([int(row["utterance_id"]) for row in said])
            values = np.array([one_of(space, row[column].replace("_", " ")) for row in said])
            tracks.append(Track(space, at, at + 1, values, unit="turn", subject=speaker, source=source))
    return tracks


def _seconds(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def _fake(folder: Path) -> None:
    start = 'high,{id},"NEW: ""Ann""",https://video.example/{id},smoking,{turn},{who},00:00:1{turn},"Well, {turn} ö"'
    full = [
        "mi_quality,transcript_id,video_title,video_url,topic,utterance_id,interlocutor,timestamp,utterance_text,"
        "annotator_id,therapist_input_exists,therapist_input_subtype,reflection_exists,reflection_subtype,"
        "question_exists,question_subtype,main_therapist_behaviour,client_talk_type"
    ]
    simple = [
        "transcript_id,mi_quality,video_title,video_url,topic,utterance_id,interlocutor,timestamp,utterance_text,"
        "main_therapist_behaviour,client_talk_type"
    ]
    for id in range(3):
        for turn, who in enumerate(("therapist", "client", "therapist")):
            labels = "n/a,sustain" if turn == 1 else "therapist_input,n/a"
            said = start.format(id=id, turn=turn, who=who)
            simple.append(f"{id},high,{said.split(',', 2)[2]},{labels}")
            full += [f"{said},{rater},n/a,n/a,n/a,n/a,n/a,n/a,{labels}" for rater in range(1 + (id == 0))]
    (folder / "AnnoMI-full.csv").write_text("\n".join(full) + "\n", "utf-8")
    (folder / "AnnoMI-simple.csv").write_text("\n".join(simple) + "\n", "utf-8")
