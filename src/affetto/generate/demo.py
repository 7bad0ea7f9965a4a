"""A ready-made talk of about 24 s: two people who are seen, one who is only heard, six feelings, one planned conflict.

All of it is drawn and sung by Affetto itself, so that everything in it is known; nobody real is seen or heard.
"""

from pathlib import Path

import numpy as np

from affetto.generate import film, stage
from affetto.generate.acting import acted
from affetto.generate.face import LOOKS, Head
from affetto.generate.talk import Line, Person, Talk, Utterance, duration, sound, spoken, truth
from affetto.generate.voice import VOICES, say

RATE = 25.0
"""Frames a second."""
FACE = 92.0
"""Pixels from the brows to the chin."""
TALK = Talk(
    "demo",
    (
        Person("Ann", "left", look=0, voice=3),
        Person("Ben", "right", look=1, voice=4),
        Person("Sam", "", voice=2),
    ),
    (
        Line("Ann", "We got the house! They said yes!", "joy", listeners={"Ben": "surprise"}),
        Line("Ben", "What? No way, that is such a surprise!", "surprise", listeners={"Ann": "joy"}),
        Line("Sam", "Your coffee is on the table.", "neutral", pause=0.6),
        Line("Ben", "Thanks. I will miss this place, I am so sad to leave.", "sadness",
             listeners={"Ann": "sadness"}),
        Line("Ann", "We can come back on Sunday.", "neutral"),
        Line("Ben", "Oh great, they blocked the door again. I just love that.", "anger", face="joy",
             words="joy", pause=0.7, listeners={"Ann": "surprise"}),
        Line("Ann", "That makes me so angry! I am calling them now!", "anger"),
        Line("Sam", "I will wait outside.", "neutral"),
    ),
)  # fmt: skip
"""Ben's last line smiles, in face and words, over an angry voice."""


def make(folder: str | Path, talk: Talk = TALK, seed: int = 1) -> Path:
    """Draw and speak a talk: `NAME.mp4`, `NAME.srt` and `NAME.truth.json` in a folder; return the film's path.

    Takes under 20 s on one core, most of it for drawing.

    Args:
        folder: is made where it is not there; files of these names are replaced.
        talk: who says what.
        seed: of all that is drawn by lot.
    """
    voices = {person.name: VOICES[person.voice % len(VOICES)] for person in talk.people}
    number = iter(range(len(talk.lines)))

    def says(line: Line) -> Utterance:
        return say(line.text, line.shown("voice"), voices[line.speaker], 100 * seed + next(number))

    lines = spoken(talk, says)
    seconds = duration(talk, lines)
    acting = acted(talk, lines, seconds, RATE, seed)
    boxes = stage.empty(acting)
    places = stage.ACROSS if len(talk.seen) < 3 else stage.ACROSS_3
    seats = {
        person.name: stage.Seat(
            Head(LOOKS[person.look % len(LOOKS)], FACE if len(talk.seen) < 3 else 0.8 * FACE),
            (stage.WIDE * places[person.side or "middle"], 0.47 * stage.HIGH),
        )
        for person in talk.seen
    }
    pictures = stage.frames(acting, seats, stage.wall(np.random.default_rng(seed)), boxes, seed)
    return film.write(
        Path(folder) / f"{talk.id}.mp4", pictures, RATE, sound(lines, seconds),
        lambda: truth(talk, lines, boxes, seconds, duration=seconds, rate=RATE, seed=seed, variant="demo",
                      subtitles="names"),
    )  # fmt: skip
