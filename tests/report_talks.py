"""Made talks in the form in which a perceived recording comes: faces, voices, words, fused, conflicts, links."""

import io

import numpy as np

from affetto.core import catalog
from affetto.core.record import Record, Turn
from affetto.core.signal import Text
from affetto.core.space import Axis, Space
from affetto.core.span import Span
from affetto.core.track import Track

EKMAN, FACE, VOICE = (catalog.load(id) for id in ("ekman-7", "ekman-8", "ravdess-8"))
VA, UNITS, PROSODY, CONFLICT, SPEAKING, IMPORTANCE, GO = (
    catalog.load(id) for id in ("va", "facs-au", "prosody", "conflict", "speaking", "importance", "goemotions-28")
)
LINES = (
    ("I got the letter this morning, and I still cannot believe it.", "surprise"),
    ("Show me. Oh, that is wonderful news!", "joy"),
    ("They want me to start in March, far away from here.", "neutral"),
    ("March? You said nothing about leaving.", "anger"),
    ("I was afraid to tell you. I did not know how.", "fear"),
    ("No, no, it is fine. I am so happy for you.", "joy"),
    ("You do not sound happy.", "sadness"),
    ("I am just tired, that is all.", "sadness"),
    ("We could still see each other every second week.", "neutral"),
    ("And the flat? The plan? All of it was for two.", "anger"),
    ("I know. I feel terrible about it.", "sadness"),
    ("Let me make some tea first.", "neutral"),
)
OF_LABEL = {
    "joy": ("AU06", "AU12"),
    "anger": ("AU04", "AU07", "AU23"),
    "sadness": ("AU01", "AU15"),
    "surprise": ("AU02", "AU26"),
    "fear": ("AU01", "AU05", "AU20"),
    "neutral": ("AU17",),
}


def rows(space, labels, sure, seed):
    """Return a row of probabilities a label, peaked as surely as said; a label of None is a row of NaN."""
    n, k = len(labels), len(space.axes)
    noise = np.random.default_rng(seed).gamma(0.4, 1.0, (n, k)) + 1e-3
    sure = np.asarray(sure, float)[:, None]
    values = (1 - sure) * noise / noise.sum(1, keepdims=True)
    said = np.array([label is not None for label in labels])
    at = np.array([space.index(label or "neutral") for label in labels])
    values[np.arange(n), at] += sure[:, 0]
    values[~said] = np.nan
    return (values / values.sum(1, keepdims=True)).astype(np.float32)


def talk(seconds=180.0, names=("Ann", "Ben"), rate=5.0, turn=6.0, seed=1):
    """Return a talk: people take turns of so many seconds; one speaks, all are seen but for some gaps."""
    random = np.random.default_rng(seed)
    turns, felt = [], {name: [] for name in names}
    starts = np.arange(1.0, seconds - 1, turn)
    for k, start in enumerate(starts):
        text, label = LINES[k % len(LINES)]
        end = min(start + turn * random.uniform(0.6, 0.95), seconds)
        turns.append(Turn(names[k % len(names)], Span(float(start), float(end)), text))
        felt[names[k % len(names)]].append((float(start), float(end), label, text))
    tracks = [
        track for k, name in enumerate(names) for track in person(name, felt[name], seconds, rate, seed + 100 * k)
    ]
    people = {
        name: {
            "face": f"person-{k + 1}",
            "voice": f"voice-{k + 1}",
            "linked": 0.93,
            "links": {f"voice-{j + 1}": 0.93 if j == k else 0.04 for j in range(min(2, len(names)))},
        }
        for k, name in enumerate(names)
    }
    return Record("talk", (), tuple(turns), people, tuple(tracks), {"path": "/films/talk.mp4"})


def person(name, felt, seconds, rate, seed):
    """Return the Tracks of one person of a talk."""
    random = np.random.default_rng(seed)

    begins = np.array([start - 1 for start, *_ in felt])

    def shown(time):
        k = int(np.searchsorted(begins, time, "right")) - 1
        return felt[k][2] if k >= 0 and time < felt[k][1] + 2 else "neutral"

    n = int(seconds * rate)
    start = np.arange(n) / rate
    gap = (start >= 0.35 * seconds) & (start < 0.42 * seconds) & (seed % 200 > 50)
    labels = [None if hidden else shown(t) for t, hidden in zip(start, gap, strict=True)]
    sure = 0.55 + 0.35 * np.sin(start / 7 + seed) ** 2
    keep = ~gap
    seen = {"start": start, "end": start + 1 / rate}
    if gap.any():
        first = int(np.argmax(gap))
        keep[first] = True
        seen["end"] = np.where(np.arange(n) == first, start[gap][-1] + 1 / rate, seen["end"])
    note = tuple("no face" if label is None else "" for label in labels)
    kept = np.flatnonzero(keep)

    def face(space, values, source, confidence=None):
        track = Track(space, seen["start"], seen["end"], values, subject=name, channel="face", source=source,
                      confidence=confidence, note=note)  # fmt: skip
        return track[kept]

    nan = np.where(gap, np.nan, 1.0)
    ekman = rows(FACE, labels, sure, seed)
    units = random.gamma(1.2, 0.12, (n, len(UNITS.axes)))
    for i, label in enumerate(labels):
        for unit in OF_LABEL.get(label, ()):
            units[i, UNITS.index(unit)] += 3 * sure[i]
    yield face(FACE, ekman, "face.expression@1.0.0", (sure * nan).astype(np.float32))
    yield face(VA, FACE.weighed(VA, ekman), "face.expression@1.0.0")
    yield face(UNITS, np.clip(units, 0, 5) * nan[:, None], "face.au@1.0.0")
    if felt:
        yield from heard(name, felt, seconds, seed)
        yield from read(name, felt, seed)
    yield from fused(name, shown, seconds, seed)


def heard(name, felt, seconds, seed):
    """Return what a voice says: labels, degrees, prosody, and when it speaks."""
    random = np.random.default_rng(seed + 1)
    spans = [(s, (s + e) / 2, label, text) for s, e, label, text in felt]
    spans += [((s + e) / 2, e, label, "") for s, e, label, _ in felt]
    spans.sort()
    labels = ["anger" if k % 9 == 4 else label for k, (_, _, label, _) in enumerate(spans)]
    start, end = np.array([s for s, *_ in spans]), np.array([e for _, e, *_ in spans])
    last = end[-1]
    start, end, labels = np.append(start, last), np.append(end, max(seconds, last)), [*labels, None]
    sure = random.uniform(0.35, 0.9, len(labels))
    note = ("",) * (len(labels) - 1) + ("no voice",)
    values = rows(VOICE, labels, sure, seed + 2)
    more = {"subject": name, "channel": "voice", "note": note}
    yield Track(
        VOICE,
        start,
        end,
        values,
        source="speech.affect@1.0.0",
        confidence=np.where(np.isnan(values[:, 0]), np.nan, sure),
        **more,
    )
    yield Track(VA, start, end, VOICE.weighed(VA, values), source="speech.affect@1.0.0", **more)
    numbers = np.array(
        [
            [random.normal(120 + seed % 200, 25), 4, random.normal(-24, 4), 9, random.normal(4.5, 1), 1, 1, 8, -5, 0.6]
            for _ in labels
        ]
    )
    numbers[-1] = np.nan
    numbers = np.clip(numbers, [60, 1, -60, 1, 1, 0, 0, 0, -20, 0], [400, 9, -3, 20, 9, 9, 9, 20, 20, 1])
    yield Track(PROSODY, start, end, numbers, source="speech.prosody@1.0.0", **more)
    yield Track(SPEAKING, [s for s, *_ in felt], [e for _, e, *_ in felt], np.full((len(felt), 1), 0.95), subject=name,
                channel="voice", source="speaking@1", note=tuple(text for *_, text in felt))  # fmt: skip


def read(name, felt, seed):
    """Return what the words say, and why."""
    start, end = [s for s, *_ in felt], [e for _, e, *_ in felt]
    labels = [label for _, _, label, _ in felt]
    sure = np.random.default_rng(seed + 3).uniform(0.5, 0.95, len(felt))
    more = {"subject": name, "channel": "text", "source": "text.affect-en@1.0.0"}
    yield Track(EKMAN, start, end, rows(EKMAN, labels, sure, seed + 4), confidence=sure, **more)
    many = np.full((len(felt), len(GO.axes)), 0.01, np.float32)
    many[:, GO.index("annoyance")] = 0.4
    yield Track(GO, start, end, many, **more)
    words = felt[0][3].split()
    at = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1]
    weight = np.linspace(-0.2, 0.8, len(words))[:, None]
    yield Track(IMPORTANCE, at, at + 1, weight, unit="char", subject=name, channel="text",
                source="occlusion(text.affect-en@1.0.0, ekman-7: joy)", note=tuple(words),
                about=(Span(start[0], end[0]),) * len(words))  # fmt: skip


def fused(name, shown, seconds, seed):
    """Return what all channels say together, second by second, and where they differ."""
    start = np.arange(0, seconds, 1.0)
    end = np.minimum(start + 1, seconds)
    labels = [None if 0.38 * seconds < t < 0.4 * seconds else shown(t) for t in start]
    sure = 0.6 + 0.35 * np.cos(start / 9 + seed) ** 2
    values = rows(EKMAN, labels, sure, seed + 5)
    silent = np.isnan(values[:, 0])
    more = {"subject": name, "channel": "fused", "source": "fusion.late@1.0.0"}
    note = tuple("not said" if one else "" for one in silent)
    yield Track(EKMAN, start, end, values, confidence=np.where(silent, np.nan, sure), note=note, **more)
    yield Track(VA, start, end, EKMAN.weighed(VA, values), note=note, **more)
    degree = np.zeros((len(start), 4), np.float32)
    odd = (start % 47 > 31) & (start % 47 < 36)
    degree[odd] = (0.83, 0.1, 0.8, 0.1)
    degree[silent] = np.nan
    yield Track(
        CONFLICT, start, end, degree, note=tuple("words joy, voice anger" if one else "" for one in odd), **more
    )


def words_only():
    """Return a talk without times: its rows lie at the numbers of the turns."""
    turns = tuple(Turn("Ann" if k % 2 else "Ben", None, text) for k, (text, _) in enumerate(LINES))
    tracks = []
    for who in ("Ann", "Ben"):
        mine = [k for k, turn in enumerate(turns) if turn.speaker == who]
        values = rows(EKMAN, [LINES[k][1] for k in mine], np.full(len(mine), 0.7), 3)
        tracks.append(
            Track(EKMAN, mine, np.array(mine) + 1, values, unit="turn", subject=who, source="text.affect-en@1.0.0")
        )
    return Record("words", turns=turns, tracks=tuple(tracks))


def one_moment():
    """Return what a still picture gives: rows without length."""
    values = rows(FACE, ["joy"], [0.8], 5)
    more = {"subject": "person-1", "channel": "face", "source": "face.expression@1.0.0"}
    units = np.zeros((1, len(UNITS.axes)))
    units[0, UNITS.index("AU12")] = 3.5
    tracks = (
        Track(FACE, [0], [0], values, confidence=[0.8], **more),
        Track(VA, [0], [0], FACE.weighed(VA, values), **more),
        Track(UNITS, [0], [0], units, **more),
    )
    return Record("picture", tracks=tracks)


def strange():
    """Return a talk with hostile names and words, right-to-left words, a nameless speaker, and a space nobody knows."""
    bad = '</script><img src=x onerror="window.hit=1">'
    moods = Space("moods", "one", (Axis("</style>wistful"), Axis("joy")))
    turns = (
        Turn(bad, Span(0.0, 2.0), bad + "\u2028\ud800\x00 & <b>bold</b>"),
        Turn("", Span(2.0, 4.0), "أنا سعيد جدا اليوم"),
        Turn("\u202eevil", Span(4.0, 5.0), "${facts} $title"),
    )
    tracks = (
        Track(
            moods,
            [0, 2],
            [2, 4],
            [[0.9, 0.1], [np.nan, np.nan]],
            subject=bad,
            channel="voice",
            source=bad,
            note=("", bad),
        ),
        Track(VA, [0], [2], [[np.nan, np.nan]], subject=bad, channel="voice", source=bad),
    )
    return Record(bad, (Text(bad),), turns, {bad: {"role": bad, "linked": float("nan")}}, tracks)


def jpeg(colour=(200, 120, 60)):
    """Return a small JPEG of one colour."""
    import cv2

    ok, coded = cv2.imencode(".jpg", np.full((48, 64, 3), colour[::-1], np.uint8))
    assert ok
    return io.BytesIO(coded.tobytes()).getvalue()
