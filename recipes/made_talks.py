"""Make talks of made people whose truth is known: films of 30 to 40 s, to measure who speaks and what is felt.

    python -m recipes.made_talks --out build/talks/dev [--split dev|test] [--n N] [--seed S] [--first K] [--jobs 1]

Faces are the ICT head in many identities and paints; voices are clips of RAVDESS, several of one actor being one
person's voice; the words of turns are posts of GoEmotions (of the split's own name), whose label is what the words say,
while the voice says one of RAVDESS's two sentences: a recogniser of words hears other words than the subtitles have.
Actors of EmoBox's folds 5 and 6 speak in `dev`, those of folds 1 to 4 in `test`; heads differ as well. `speech.affect`
learned from RAVDESS: its figures here are optimistic, and `meta["lines"]` therefore names corpus, actor, fold and files
of each line, so that a network that has not heard that actor can be asked instead. Calm counts as neutral.

The data folder (AFFETTO_DATA) holds `speech/ravdess`, `text/goemotions` and `face/ict-facekit-light`; drawing needs
numba. About a minute a clip on one core. What is there already is left alone.
"""

import argparse
import csv
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from affetto import api
from affetto.core import catalog
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.core.track import Track
from affetto.datasets.ict_face import Head
from affetto.datasets.made_talks import INDEX, TRUTH
from affetto.datasets.ravdess import FOLDS
from affetto.generate import film, stage
from affetto.generate.acting import Acting, acted
from affetto.generate.talk import RATE, Boxes, Floats, Line, Person, Talk, Utterance, duration, sound, spoken, truth
from recipes.made_sitters import Pixels, Sitter

log = logging.getLogger("talks")
FILM = 25.0
"""Frames a second."""
ACTORS = {"dev": ("5", "6"), "test": ("1", "2", "3", "4")}
"""Folds of EmoBox."""
COUNTS = {"dev": 12, "test": 24}
SEEDS = {"dev": 3_000_000, "test": 4_000_000}
"""The first seed of each split; heads differ by it."""
NAMES = {"female": ("Ann", "Cleo", "Eva", "Gina"), "male": ("Ben", "Dan", "Finn", "Hugo")}
FELT = {"neutral": 0.28, "joy": 0.2, "anger": 0.17, "sadness": 0.15, "surprise": 0.1, "fear": 0.06, "disgust": 0.04}
CONFLICTS = 0.15
"""Share of the lines whose channels are to differ."""
NOISE_DB = {"": 50.0, "noise": 20.0}
"""How far the noise of the room lies below the voices."""


@dataclass(frozen=True)
class Variant:
    """How a clip is cast."""

    name: str
    sides: tuple[str, ...]
    """Of the people; empty for who is only heard."""
    silent: int = 0
    """How many of those who are seen, from the last, say nothing."""
    subtitles: film.Named = "names"
    overlap: float = 0.0
    """Share of the lines that begin before the one before is over."""
    noise: str = ""


TWO = ("left", "right")
VARIANTS = (
    Variant("two-named", TWO),
    Variant("two-plain", TWO, subtitles="plain"),
    Variant("off-screen-named", ("left", "right", "")),
    Variant("interview-plain", ("middle", ""), subtitles="plain"),
    Variant("silent-listener", TWO, silent=1),
    Variant("two-untold", TWO, subtitles="none"),
    Variant("alone", ("middle",)),
    Variant("three-named", ("left", "middle", "right")),
    Variant("two-noise", TWO, subtitles="none", noise="noise"),
    Variant("interview-untold", ("right", ""), subtitles="none"),
    Variant("three-plain", ("left", "middle", "right"), silent=1, subtitles="plain"),
    Variant("two-overlap", TWO, overlap=0.5),
)


def main() -> None:
    """Make the clips."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--split", choices=sorted(COUNTS), default="dev")
    asked.add_argument("--n", type=int)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--jobs", type=int, default=1)
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    maker = Maker(args.split, args.seed, args.out)
    last = args.first + (args.n or COUNTS[args.split])
    plans = [maker.plan(number) for number in range(last)][args.first :]
    missing = [plan for plan in plans if not (args.out / f"{plan.talk.id}.mp4").exists()]
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            for path in pool.map(Maker(args.split, args.seed, args.out), missing):
                log.info("%s", path)
    else:
        for plan in missing:
            log.info("%s", maker(plan))
    listed(args.out)


def listed(folder: Path) -> None:
    """Write `talks.csv`: what films lie in a folder."""
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["id", "duration", "variant", "subtitles"])
        for path in sorted(folder.glob("*.mp4")):
            meta = json.loads(path.with_suffix(TRUTH).read_text("utf-8"))["meta"]
            lines.writerow([path.stem, meta["duration"], meta["variant"], meta["subtitles"]])


@dataclass(frozen=True)
class Plan:
    """A talk that is to be made."""

    talk: Talk
    variant: Variant
    actors: Mapping[str, str]
    """Who lends a voice to whom."""
    seed: int
    rng: np.random.Generator
    """What is drawn by lot from here on."""


@dataclass(frozen=True)
class Maker:
    """Plans and makes clips. Plans are made from the first on, since no two of them have words in common."""

    split: str
    seed: int
    out: Path

    def plan(self, number: int) -> Plan:
        """Return who says what in the clip of a number."""
        variant = VARIANTS[number % len(VARIANTS)]
        seed = SEEDS[self.split] + 1000 * self.seed + number
        rng = np.random.default_rng(seed)
        cast, actors = self._cast(variant, rng)
        id = f"{self.split}-{number:02}-{variant.name}"
        return Plan(Talk(id, cast, self._lines(variant, cast, rng)), variant, actors, seed, rng)

    def __call__(self, plan: Plan) -> Path:
        """Make a clip; return the film's path."""
        talk, actors, variant, seed, rng = plan.talk, plan.actors, plan.variant, plan.seed, plan.rng
        wait = iter([self._said(line, actors[line.speaker], rng) for line in talk.lines])
        lines = spoken(talk, lambda line: next(wait))
        seconds = duration(talk, lines)
        acting = acted(talk, lines, seconds, FILM, seed)
        boxes = stage.empty(acting)
        facts = {
            "split": self.split, "variant": variant.name, "subtitles": variant.subtitles, "seed": seed, "rate": FILM,
            "size": [stage.WIDE, stage.HIGH], "duration": seconds,
        }  # fmt: skip
        return film.write(
            self.out / f"{talk.id}.mp4", self._drawn(talk, acting, boxes, seed), FILM,
            _roomy(sound(lines, seconds), variant, rng), lambda: truth(talk, lines, boxes, seconds, **facts),
            variant.subtitles,
        )  # fmt: skip

    def _cast(self, variant: Variant, rng: np.random.Generator) -> tuple[tuple[Person, ...], dict[str, str]]:
        actors = [str(one) for one in rng.permutation([a for fold in ACTORS[self.split] for a in FOLDS[fold]])]
        cast, voices, free = [], {}, {sex: list(rng.permutation(names)) for sex, names in NAMES.items()}
        for side, actor in zip(variant.sides, actors, strict=False):
            name = str(free["male" if int(actor) % 2 else "female"].pop())
            cast.append(Person(name, side))  # type: ignore[arg-type]
            voices[name] = actor
        return tuple(cast), voices

    def _lines(self, variant: Variant, cast: Sequence[Person], rng: np.random.Generator) -> tuple[Line, ...]:
        seen = [person.name for person in cast if person.side]
        mute = set(seen[len(seen) - variant.silent :]) if variant.silent else set()
        speakers = [person.name for person in cast if person.name not in mute]
        lines: list[Line] = []
        last = ""
        for k in range(9 if len(speakers) > 1 else 8):
            others = [name for name in speakers if name != last] or speakers
            speaker = speakers[k] if k < len(speakers) else str(rng.choice(others if rng.random() < 0.85 else speakers))
            visible = speaker in seen
            feeling, face, voice, words = _feelings(rng, visible)
            post = self.posts.take(words, rng)
            pause = -0.9 if lines and speaker != last and rng.random() < variant.overlap else rng.uniform(0.25, 1.1)
            moved = {name: _moved(feeling, rng) for name in seen if name != speaker}
            lines.append(Line(speaker, post, feeling, face, voice, words, float(pause),
                              {name: label for name, label in moved.items() if label != "neutral"}))  # fmt: skip
            last = speaker
        return tuple(lines)

    @cached_property
    def posts(self) -> "Posts":
        """The words."""
        return Posts(self.split)

    @cached_property
    def voices(self) -> dict[tuple[str, str], list[Record]]:
        """Clips by actor and emotion."""
        found: dict[tuple[str, str], list[Record]] = {}
        for record in catalog.load("ravdess").read("all"):
            said = record.tracks[0].top()
            label = "neutral" if said is None or said.name == "calm" else said.name
            found.setdefault((record.meta["speaker"], label), []).append(record)
        return found

    def _said(self, line: Line, actor: str, rng: np.random.Generator) -> Utterance:
        """Return a line in an actor's voice: two clips one after the other, for a short text one."""
        own = self.voices[actor, line.shown("voice")]
        count = 1 if len(line.text.split()) < 6 else 2
        chosen = [own[int(k)] for k in rng.permutation(len(own))[:count]]
        gap = np.zeros(round(rng.uniform(0.1, 0.22) * RATE), np.float32)
        parts: list[Floats] = []
        for record in chosen:
            parts += [gap] * bool(parts) + [_trimmed(_heard(record))]
        heard = np.concatenate(parts) * np.float32(self.gain(actor))
        heard = heard / np.float32(max(1.0, float(np.abs(heard).max()) / 0.95))
        meta = {
            "corpus": "ravdess", "actor": actor, "fold": chosen[0].meta["fold"],
            "files": [record.id for record in chosen], "intensity": [record.meta["intensity"] for record in chosen],
        }  # fmt: skip
        return Utterance(heard, mouth(heard), meta)

    def gain(self, actor: str) -> float:
        """Return by how much an actor's clips are made louder: neutral ones come to a level of 0.05."""
        parts = [_trimmed(_heard(record)) for record in self.voices[actor, "neutral"][:3]]
        return float(0.05 / np.sqrt(np.mean(np.concatenate(parts) ** 2)))

    def _drawn(
        self, talk: Talk, acting: Mapping[str, Acting], boxes: Mapping[str, Boxes], seed: int
    ) -> Iterator[Pixels]:
        head = Head.read(Path(os.environ["AFFETTO_DATA"]) / "face" / "ict-facekit-light")
        rng = np.random.default_rng([seed, 9])
        room, few = stage.wall(rng), len(talk.seen) < 3
        size, across = (92.0, stage.ACROSS) if few else (74.0, stage.ACROSS_3)
        sitters = [Sitter(head, seed * 10 + k, size * rng.uniform(0.92, 1.05), seed) for k in range(len(talk.seen))]
        seats = {}
        for person, sitter in zip(talk.seen, sitters, strict=True):
            x = stage.WIDE * across[person.side] + rng.uniform(-12, 12)
            seats[person.name] = stage.Seat(sitter, (x, stage.HIGH * rng.uniform(0.5, 0.56)))
        return stage.frames(acting, seats, room, boxes, seed)


class Posts:
    """Short posts with one label, each given out once."""

    def __init__(self, split: str) -> None:
        self.free: dict[str, list[str]] = {}
        for record in catalog.load("goemotions").read(split):
            text, said = record.text or "", record.tracks[0]
            if said.values[0].sum() != 1 or not 3 <= len(text.split()) <= 14 or not _plain(text):
                continue
            label = _ekman(said)
            self.free.setdefault(label, []).append(text)

    def take(self, label: str, rng: np.random.Generator) -> str:
        """Return a post with a label that nobody has had yet."""
        return self.free[label].pop(int(rng.integers(len(self.free[label]))))


_RUDE = ("fuck", "shit", "bitch", "ass", "dick", "cunt", "sex", "rape", "kill", "porn", "reddit", "nazi", "cum", "gay")


def _plain(text: str) -> bool:
    low = text.lower()
    return (
        text.isascii() and not any(sign in text for sign in "[]/\\<>*_^#@:") and not any(word in low for word in _RUDE)
    )


def _ekman(track: Track) -> str:
    top = api.translate(track, "ekman-7").top()
    return "neutral" if top is None else top.name


def _feelings(rng: np.random.Generator, visible: bool) -> tuple[str, str, str, str]:
    """Return what is felt, and what face, voice and words show."""
    felt = str(rng.choice(list(FELT), p=list(FELT.values())))
    if rng.random() >= CONFLICTS:
        return felt, felt, felt, felt
    felt = str(rng.choice(["anger", "sadness", "fear"], p=[0.5, 0.4, 0.1]))
    kinds = [("joy", felt, "joy"), ("joy", felt, felt), (felt, felt, "joy"), ("neutral", felt, "joy")]
    face, voice, words = kinds[int(rng.integers(4))] if visible else (felt, felt, "joy")
    return felt, face, voice, words


def _moved(feeling: str, rng: np.random.Generator) -> str:
    """Return how a listener's face takes a feeling."""
    likely = {"joy": "joy", "sadness": "sadness", "anger": str(rng.choice(["surprise", "anger", "sadness"])),
              "surprise": "surprise", "fear": "surprise"}  # fmt: skip
    return likely.get(feeling, "neutral") if rng.random() < 0.4 else "neutral"


def _heard(record: Record) -> Floats:
    audio = record.signals[0]
    assert isinstance(audio, Audio)
    return np.concatenate([block.reshape(len(block), -1)[:, 0] for block in audio.blocks(10)])


def _trimmed(samples: Floats) -> Floats:
    """Return a sound without the silence around it, and with soft edges."""
    loud = _loudness(samples)
    there = np.flatnonzero(loud > loud.max() - 32)
    first, last = max(0, there[0] - 6) * RATE // 100, min(len(loud), there[-1] + 8) * RATE // 100
    part = samples[first:last].copy()
    fade = np.linspace(0, 1, 320, dtype=np.float32)
    part[:320] *= fade
    part[-320:] *= fade[::-1]
    return part


def _loudness(samples: Floats) -> Floats:
    """Return dB of each 10 ms, over 25 ms."""
    power = np.convolve(samples**2, np.ones(400) / 400, "same")
    return (10 * np.log10(power[80 :: RATE // 100] + 1e-10)).astype(np.float32)


def mouth(samples: Floats) -> Floats:
    """Return what a mouth does that says this, n x 3 in 0..1, 100 rows a second: open, round, wide.

    Open where it is loud below 1.2 kHz, round where what is above 900 Hz is weak, wide where 1.8 to 3 kHz is strong.
    """
    count = len(samples) * 100 // RATE
    padded = np.pad(samples, 256)
    frames = np.stack([padded[k * RATE // 100 : k * RATE // 100 + 512] for k in range(count)]) * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    at = np.fft.rfftfreq(512, 1 / RATE)
    low, mid, wide, high = (power[:, (at >= a) & (at < b)].sum(1) + 1e-9
                            for a, b in ((200, 900), (900, 1600), (1800, 3000), (3500, 8000)))  # fmt: skip
    voiced = low + mid
    loud = 10 * np.log10(voiced)
    level = np.clip((loud - np.percentile(loud, 95) + 26) / 26, 0, 1)
    opened = level * np.clip(1.2 - high / (voiced + high), 0, 1)
    round_ = level * np.clip(0.55 - 2.5 * (mid + wide) / (low + mid + wide), 0, 0.55) / 0.55
    spread = level * np.clip(2.5 * wide / voiced, 0, 1)
    rows = np.stack([opened, round_, spread], 1)
    smooth = np.hanning(9) / np.hanning(9).sum()
    return np.stack([np.convolve(rows[:, k], smooth, "same") for k in range(3)], 1).astype(np.float32)


def _roomy(samples: Floats, variant: Variant, rng: np.random.Generator) -> Floats:
    """Return a sound with the noise of a room."""
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-NOISE_DB[variant.noise] / 20)
    noise = np.convolve(rng.normal(0, 1, len(samples) + 7), np.ones(8) / np.sqrt(8), "valid")
    return np.clip(samples + (level * noise).astype(np.float32), -1, 1).astype(np.float32)


if __name__ == "__main__":
    main()
