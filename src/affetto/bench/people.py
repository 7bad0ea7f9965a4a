"""Who was there, who spoke when, and whose voice belongs to whose face: recordings with known people beside answers.

A system is given a recording as it is (sound, pictures, the subtitles that lie beside it) and answers with Tracks whose
subjects are people, by any names. Who of them is whom in truth is found for faces by their boxes (the most moments in
which the middle of the box lies in that of the truth) and for voices by the time they share (`metrics.diarization`).

    der missed false_alarm confusion    of all voices of all recordings, without a collar, overlap counted
    link_accuracy_two   of the people who are both seen and heard, in recordings where two or more are seen: the share
                        whose face and voice have one name in the answer; one that was not found is not linked
    link_accuracy       the same, of all recordings
    wrong_faces         of the people who are only heard, the share whose voice was given a face
    wrong_voices        of the people who are only seen, the share whose face was given a voice
    count_right         share of the recordings with as many people as there are
    count_off           how many people too many or too few, as a mean

A recording can be asked for without one of its channels, see `bench.lacking`. Knows Tracks; knows no corpus and no
feeling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from affetto.bench.evaluate import RESAMPLES, Outcome, Part, compared
from affetto.bench.protocol import Benchmark
from affetto.bench.scores import Floats, Score
from affetto.core.errors import MalformedError
from affetto.core.record import Record
from affetto.core.track import Channel, Track
from affetto.metrics import diarization


def kept(tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Return what is scored of an answer: who speaks when, and each face's boxes, in one space."""
    heard = [track for track in tracks if track.space.id == "speaking" and track.unit == "s"]
    seen: dict[str, Track] = {}
    for track in tracks:
        if track.channel == "face" and track.box is not None and track.unit == "s":
            known = seen.get(track.subject)
            if known is None or len(track.space.axes) < len(known.space.axes):
                seen[track.subject] = track
    return tuple(replace(track, note=None) for track in (*heard, *seen.values()))


@dataclass(frozen=True)
class Cast:
    """Who is who in one recording: of people in truth, the names of their face and of their voice in an answer."""

    faces: Mapping[str, str]
    voices: Mapping[str, str]

    def named(self, person: str, channel: Channel) -> str:
        """Return the name that a person goes by in a channel of the answer; the own one, as of subtitles, at worst."""
        face, voice = self.faces.get(person), self.voices.get(person)
        first, second = (voice, face) if channel in ("voice", "text") else (face, voice)
        return first or second or person


def cast(truth: Sequence[Track], said: Sequence[Track]) -> Cast:
    """Return who is who, by boxes and by time."""
    heard = diarization.mapping(diarization.floor(_speaking(truth), _speaking(said)))
    faces = faces_of(truth, said)
    return Cast({person: face for face, person in faces.items()}, {person: voice for voice, person in heard.items()})


def faces_of(truth: Sequence[Track], said: Sequence[Track]) -> dict[str, str]:
    """Return for faces of an answer whose they are: one to one, by the most moments in which the boxes meet.

    Args:
        truth: of them the Tracks of channel face that have boxes count, of each person that with the most rows.
        said: likewise.
    """
    people, faces = (_boxed(tracks) for tracks in (truth, said))
    meets = np.array([[_meetings(person, face) for person in people.values()] for face in faces.values()], np.float64)
    pairs = diarization.best_pairs(meets.reshape(len(faces), len(people)))
    names = list(faces), list(people)
    return {names[0][face]: names[1][person] for face, person in pairs if meets[face, person] > 0}


def evaluate(
    benchmark: Benchmark,
    records: Sequence[Record],
    answers: Mapping[str, Sequence[Sequence[Track]]],
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Outcome]:
    """Score systems on the same recordings and the same draws of recordings.

    Raises:
        MalformedError: nobody speaks in any recording.
    """
    if not any(len(track) for record in records for track in _speaking(record.tracks)):
        raise MalformedError(f"{benchmark.id} wants recordings in which somebody speaks, and the truth has none")
    layouts = {}
    for name, own in answers.items():
        rows = [told(record, tracks) for record, tracks in zip(records, own, strict=True)]
        layouts[name] = [Part("", len(records), _scores(rows))]
    said = {name: float(np.mean([len(tracks) > 0 for tracks in own])) for name, own in answers.items()}
    rights: dict[str, npt.NDArray[np.bool_] | None] = dict.fromkeys(answers)
    return compared(benchmark, layouts, rights, said, (len(records), len(records)), seed, resamples)


Told = dict[str, tuple[float, float]]
"""Of each score of one recording, what is counted, and out of how much."""


def told(record: Record, said: Sequence[Track]) -> Told:
    """Return what each score adds in one recording."""
    both = diarization.floor(_speaking(record.tracks), _speaking(said))
    spent = diarization.seconds(both)
    speech = spent.pop("speech")
    who = cast(record.tracks, said)
    heard = {track.subject for track in _speaking(record.tracks) if len(track)}
    seen = {name for name, facts in record.people.items() if facts.get("visible")}
    linked = [who.faces.get(name) is not None and who.faces.get(name) == who.voices.get(name) for name in heard & seen]
    faces, voices = set(_boxed(said)), {track.subject for track in _speaking(said) if np.nan_to_num(track.values).any()}
    given = [who.voices.get(name) in faces for name in heard - seen]
    taken = [who.faces.get(name) in voices for name in seen - heard]
    people = len(faces | voices), len(heard | seen)
    found = {name: (value, speech) for name, value in spent.items()}
    return found | {
        "der": (sum(spent.values()), speech),
        "link_accuracy": _share(linked),
        "link_accuracy_two": _share(linked) if len(seen) > 1 else (0.0, 0.0),
        "wrong_faces": _share(given),
        "wrong_voices": _share(taken),
        "count_right": (float(people[0] == people[1]), 1.0),
        "count_off": (float(abs(people[0] - people[1])), 1.0),
    }


def _scores(rows: Sequence[Told]) -> dict[str, Score]:
    return {name: Score(np.array([row[name] for row in rows], np.float64), ratio) for name in rows[0]}


def ratio(sums: Floats) -> Floats:
    """Return b shares of b x 2 counted and possible; NaN of nothing."""
    return np.asarray(np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0))


def _share(flags: Sequence[bool]) -> tuple[float, float]:
    return float(sum(flags)), float(len(flags))


def _speaking(tracks: Sequence[Track]) -> list[Track]:
    return [track for track in tracks if track.space.id == "speaking" and track.unit == "s"]


def _boxed(tracks: Sequence[Track]) -> dict[str, Track]:
    """Return of each face the Track with the most rows that have boxes."""
    found: dict[str, Track] = {}
    for track in tracks:
        if track.channel != "face" or track.box is None or track.unit != "s":
            continue
        there = track[np.flatnonzero(~np.isnan(track.box).any(1) & ~np.isnan(track.values).all(1))]
        if len(there) and len(there) > len(found.get(track.subject, ())):
            found[track.subject] = there
    return found


def _meetings(person: Track, face: Track) -> float:
    """Return in how many rows of a face the middle of its box lies in the person's box of that moment."""
    if person.box is None or face.box is None:
        return 0.0
    at = (face.start + face.end) / 2
    row = np.clip(np.searchsorted(person.start, at, side="right") - 1, 0, len(person) - 1)
    middle = (face.box[:, :2] + face.box[:, 2:]) / 2
    box = person.box[row]
    inside = ((middle >= box[:, :2]) & (middle <= box[:, 2:])).all(1)
    return float((inside & (at >= person.start[row]) & (at <= person.end[row] + 0.5)).sum())
