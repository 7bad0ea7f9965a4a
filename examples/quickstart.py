"""Affetto in five minutes: python examples/quickstart.py [model]."""
# ruff: noqa: T201

import sys
import tempfile
from pathlib import Path

import affetto

HERE = Path(__file__).parent
MODEL = sys.argv[1] if len(sys.argv) > 1 else None  # None: the one that reads the language

# One text. What comes back is the text with Tracks: whose feeling, from which side, in which space, how sure.
record = affetto.perceive("I got the job! I can't stop grinning.", model=MODEL)
for track in record.tracks:
    said = sorted(zip(track.values[0], track.space.names, strict=True), reverse=True)[:3]
    words = ", ".join(f"{name} {value:.2f}" for value, name in said)
    print(f"{track.subject} {track.perspective} {track.space.id}: {words}")

# A talk: each speaker has Tracks of their own, a row a turn, in seconds.
(talk,) = affetto.perceive(HERE / "conversation.srt", model=MODEL)
for track in talk.tracks:
    if "valence" in track.space.names and track.subject != "reader":
        print(track.subject, [f"{value:+.2f}" for value in track.column("valence")])

# A table: one Record a row, in order; a row that could not be read says why.
posts = affetto.perceive(HERE / "posts.csv", model=MODEL, column="text")
for post in posts[:3]:
    feeling = next(track for track in post.tracks if track.space.kind == "one")
    print(post.id, feeling.top().name, f"{feeling.confidence[0]:.2f}")
print([post.meta["error"] for post in posts if "error" in post.meta])

# Which words carried an answer, and the same answer in another space.
for answer, reasons in affetto.explain("not bad at all, actually kind of loved it", model=MODEL, space="ekman-7"):
    for reason in reasons:
        weights = zip(reason.note, reason.column("importance"), strict=True)
        print(answer.top().name, "because of", " ".join(f"{word}({weight:+.2f})" for word, weight in weights))
print(affetto.translate(record, "sentiment-3").tracks[0].source)

# Kept in a file, and read again without loss.
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "answers.jsonl"
    affetto.write(posts, file)
    assert [post.id for post in affetto.read(file)] == [post.id for post in posts]
