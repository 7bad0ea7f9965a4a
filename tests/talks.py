"""A made conversation with every Track that the models of talk give, by hand: a talk of support, and odd ones."""

from dataclasses import replace

import numpy as np

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.space import Space
from affetto.core.span import Span
from affetto.core.track import Track

SAID = (
    ("Tom", "Hey Mia, how did the interview go?", "neutral", 0.81),
    ("Mia", "Not well. I froze, and they cut it short after ten minutes.", "sadness", 0.74),
    ("Tom", "Oh no, I'm so sorry. What happened?", "sadness", 0.52),
    ("Mia", "My old boss was on the panel. He laughed at my first answer.", "anger", 0.66),
    ("Tom", "He laughed at you? That is outrageous.", "anger", 0.79),
    ("Mia", "Now I am scared I will never find anything.", "fear", 0.83),
    ("Tom", "It sounds as if it shook your trust in yourself.", "neutral", 0.58),
    ("Mia", "Sometimes I think nobody would miss me if I just disappeared.", "sadness", 0.77),
    ("Tom", "I would miss you, and I am glad you said it. Are you safe right now?", "neutral", 0.44),
    ("Mia", "Yes. I just needed to say it out loud. Thank you for listening.", "neutral", 0.61),
    ("Tom", "When I failed my exam, a walk and a second try helped. Shall we practise tomorrow?", "joy", 0.4),
    ("Mia", "That would be great! I feel a bit lighter already.", "joy", 0.86),
)
"""Who says what, and what it shows, how surely."""
CAUSES = (
    (1, 1, "they cut it short after ten minutes", 0.88),
    (2, 1, "I froze", 0.61),
    (3, 3, "He laughed at my first answer", 0.93),
    (4, 3, "He laughed at my first answer", 0.9),
    (5, 3, "My old boss was on the panel", 0.57),
    (11, 10, "Shall we practise tomorrow", 0.79),
)
"""Turn that shows a feeling, turn that caused it, the words that did, how surely."""
STRATEGIES = (
    (0, "question", 0.9), (2, "reflection of feelings", 0.5), (4, "affirmation and reassurance", 0.42),
    (6, "restatement or paraphrasing", 0.48), (8, "question", 0.71), (10, "self-disclosure", 0.66),
)  # fmt: skip
SKILLS = (
    (0, "question"), (2, "question"), (4, "reflection"), (6, "reflection"), (8, "question"), (10, "therapist input"),
)  # fmt: skip
CHANGES = ((1, "neutral"), (3, "sustain"), (5, "sustain"), (7, "sustain"), (9, "neutral"), (11, "change"))
EMPATHY = (
    (2, (1.8, 0.1, 1.7), "emotional reactions: I'm so sorry; explorations: What happened?"),
    (4, (1.1, 0.6, 0.0), "emotional reactions: That is outrageous"),
    (6, (0.1, 1.6, 0.0), "interpretations: it shook your trust in yourself"),
    (8, (1.7, 0.2, 1.4), "emotional reactions: I would miss you; explorations: Are you safe right now?"),
    (10, (0.2, 0.9, 0.1), "interpretations: When I failed my exam"),
)
PEOPLE = {"Tom": {"role": "supporter"}, "Mia": {"role": "seeker", "personality": {"openness": 0.6}}}


def one(space: Space, label: str, sure: float) -> list[float]:
    """Return the probabilities of a row, what is left over shared by the other labels."""
    rest = (1 - sure) / (len(space.axes) - 1)
    return [sure if name == label else rest for name in space.names]


def rows(space: Space, who: str, given: dict[int, list[float]], source: str, **columns) -> Track:
    """Return a Track of the turns given by number."""
    turns = np.array(list(given), float)
    values = list(given.values())
    return Track(space, turns, turns + 1, values, unit="turn", subject=who, source=f"{source}@1.0.0", **columns)


def talk() -> Record:
    """Return the conversation of `SAID` with all its Tracks."""
    turns = tuple(Turn(who, None, text) for who, text, _, _ in SAID)
    return Record("interview", (), turns, PEOPLE, (*_feelings(), *_links(), *_support(), *_ahead()))


def _feelings() -> list[Track]:
    ekman, shift, va = (catalog.load(id) for id in ("ekman-7", "shift", "va"))
    tracks = []
    for who in ("Tom", "Mia"):
        mine = {k: one(ekman, label, sure) for k, (said, _, label, sure) in enumerate(SAID) if said == who}
        sure = [SAID[k][3] for k in mine]
        tracks.append(rows(ekman, who, mine, "dialogue.erc", confidence=sure))
        valence = {k: float(ekman.weighed(va, np.array([row], np.float32))[0, 0]) for k, row in mine.items()}
        pairs = list(zip(list(mine)[:-1], list(mine)[1:], strict=True))
        change = {b: [1 - float(np.dot(mine[a], mine[b])), valence[b] - valence[a]] for a, b in pairs}
        note = [SAID[b][2] if SAID[a][2] == SAID[b][2] else f"{SAID[a][2]} → {SAID[b][2]}" for a, b in pairs]
        about = [Span(a, a + 1, "turn") for a, _ in pairs]
        tracks.append(rows(shift, who, change, "dialogue.shift", about=about, note=note))
    return tracks


def _links() -> list[Track]:
    tracks = []
    for who in ("Mia", "Tom"):
        mine = [cause for cause in CAUSES if SAID[cause[0]][0] == who]
        start = np.array([cause for _, cause, _, _ in mine], float)
        sure = [value for *_, value in mine]
        tracks.append(
            Track(
                catalog.load("cause"),
                start,
                start + 1,
                [[value] for value in sure],
                unit="turn",
                subject=who,
                source="dialogue.cause@1.0.0",
                confidence=sure,
                note=[words for _, _, words, _ in mine],
                about=[Span(felt, felt + 1, "turn") for felt, *_ in mine],
            )
        )
    return tracks


def _support() -> list[Track]:
    strategy, therapist, client, empathy = (
        catalog.load(id) for id in ("strategy-8", "therapist-4", "client-talk-3", "epitome-3")
    )
    importance = catalog.load("importance")
    text = SAID[2][1]
    marks = [(text.index("I'm so sorry"), len("I'm so sorry")), (text.index("What happened?"), len("What happened?"))]
    return [
        rows(
            strategy, "Tom", {k: one(strategy, label, sure) for k, label, sure in STRATEGIES}, "dialogue.strategy",
            confidence=[sure for *_, sure in STRATEGIES],
        ),
        rows(therapist, "Tom", {k: one(therapist, label, 0.7) for k, label in SKILLS}, "dialogue.skills"),
        rows(client, "Mia", {k: one(client, label, 0.6) for k, label in CHANGES}, "dialogue.skills"),
        rows(
            empathy, "Tom", {k: list(values) for k, values, _ in EMPATHY}, "dialogue.empathy",
            note=[note for *_, note in EMPATHY],
        ),
        Track(
            importance, [a for a, _ in marks], [a + n for a, n in marks], [[0.9], [0.8]], unit="char", subject="Tom",
            source="rationale(dialogue.empathy@1.0.0, epitome-3: emotional reactions)",
            about=[Span(2, 3, "turn")] * 2, note=[text[a : a + n] for a, n in marks],
        ),
    ]  # fmt: skip


def _ahead() -> list[Track]:
    ekman = catalog.load("ekman-7")
    trouble, care = catalog.load("trouble"), catalog.load("care")
    first = [0.93] + [0.02] * (len(care.axes) - 1)
    return [
        rows(ekman, "Tom", {12: one(ekman, "joy", 0.64)}, "dialogue.transition", confidence=[0.64], note=["expected"]),
        rows(trouble, "Mia", {1: [4.2], 11: [2.3]}, "dialogue.relief"),
        rows(care, "Mia", {7: first}, "dialogue.care", note=["nobody would miss me; disappeared"]),
    ]


def timed() -> Record:
    """Return the same conversation with seconds: turns of three seconds, a second between."""
    record = talk()
    turns = tuple(replace(turn, span=Span(4.0 * k, 4.0 * k + 3, "s")) for k, turn in enumerate(record.turns))

    def place(span: Span | None) -> Span | None:
        return span and Span(4 * span.start, 4 * span.start + 3, "s")

    tracks = []
    for track in record.tracks:
        if track.unit == "turn":
            about = track.about and tuple(place(span) for span in track.about)
            track = replace(track, start=4 * track.start, end=4 * track.start + 3, unit="s", about=about)  # noqa: PLW2901
        tracks.append(track)
    return replace(record, id="interview in seconds", turns=turns, tracks=tuple(tracks))


def long(turns: int, seed: int = 1) -> Record:
    """Return a talk of so many turns with feelings and causes."""
    ekman, cause, random = catalog.load("ekman-7"), catalog.load("cause"), np.random.default_rng(seed)
    said = tuple(Turn(("Ann", "Bo", "Cy")[k % 3], None, f"{SAID[k % 12][1]} ({k})") for k in range(turns))
    tracks = []
    for i, who in enumerate(("Ann", "Bo", "Cy")):
        mine = np.arange(i, turns, 3)
        values = random.dirichlet([0.4] * 7, len(mine))
        tracks.append(
            Track(ekman, mine, mine + 1, values, unit="turn", subject=who, source="dialogue.erc@1.0.0",
                  confidence=values.max(1))
        )  # fmt: skip
        back = np.maximum(mine - 2, 0)
        tracks.append(
            Track(cause, back, back + 1, np.full((len(mine), 1), 0.7), unit="turn", subject=who,
                  source="dialogue.cause@1.0.0", about=[Span(k, k + 1, "turn") for k in mine],
                  note=["cut it short"] * len(mine))
        )  # fmt: skip
    return Record("long", (), said, {}, tuple(tracks))


def odd() -> Record:
    """Return a talk of strange turns: empty ones, placeholders, emoji, right to left, control codes, no names."""
    said = (
        ("", "no name"), ("Ann", ""), ("Ann", "<Media omitted>"), ("דנה", "שלום, מה שלומך היום?"),
        ("Ann", "👩‍👩‍👧‍👦 😭😭"), ("Bo\x1b[31m", "red \x1b[31m and \u202e turned"),
        ("Ann", "<script>alert(1)</script>"),
        ("Ann", "word" * 300), ("سارة", "أنا حزينة جدا"), ("李", "我今天很难过,因为下雨了。" * 9),
    )  # fmt: skip
    ekman = catalog.load("ekman-7")
    nothing = [[np.nan] * 7]
    silent = Track(ekman, [1], [2], nothing, unit="turn", subject="Ann", source="dialogue.erc@1.0.0")
    sad = Track(ekman, [3], [4], [one(ekman, "sadness", 0.7)], unit="turn", subject="דנה", source="dialogue.erc@1.0.0")
    return Record("odd", (), tuple(Turn(who, None, text) for who, text in said), {}, (silent, sad))
