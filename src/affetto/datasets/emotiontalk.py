"""EmotionTalk: 19 Chinese actors talk in pairs; each turn judged from its text, sound, film, and all together.

A Record is one turn. Of each way of judging there is the published label (source "raters") and what each annotator said
("rater:1" and so on: the place in the file, not a person); the channel says which way: fused, text, voice or face. The
published mean of how positive it is, on the makers' scale, is `meta["sentiment"]`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Signal, Text
from affetto.core.space import Space
from affetto.core.track import Channel, Track
from affetto.datasets.clips import clip, files, film, said_of_clip, sound
from affetto.datasets.corpus import RATERS, Corpus, Split, text_of

GROUPS = {"dev": ("G00001", "G00012"), "test": ("G00003", "G00015")}
"""Whose dialogues are dev and test; all others are train."""
WAYS: dict[str, Channel] = {"Multimodal": "fused", "Text": "text", "Audio": "voice", "Video": "face"}
EMOTIONS = {
    "angry": "anger", "anger": "anger", "disgusted": "disgust", "disgust": "disgust", "fearful": "fear", "fear": "fear",
    "happy": "joy", "neutral": "neutral", "sad": "sadness", "surprised": "surprise", "surprise": "surprise",
}  # fmt: skip


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space, home = catalog.load("ekman-7"), split.folder / "Multimodal" / "json"
    apart = {group: name for name, groups in GROUPS.items() for group in groups}
    for path in files(home, "**/*.json"):
        group = path.stem.partition("_")[0]
        if apart.get(group, "train") != split.name:
            continue
        place = path.relative_to(home).with_suffix("")
        seen = {way: _json(split.folder / way / "json" / f"{place}.json") for way in WAYS}
        audio = sound(split.folder, f"Audio/wav/{place.as_posix()}.wav", 44100)
        tracks = [
            track for way, plain in seen.items() if plain for track in _tracks(space, plain, WAYS[way], audio.duration)
        ]
        signals: list[Signal] = [
            audio,
            film(split.folder, f"Multimodal/mp4/{place.as_posix()}.mp4", 25, audio.duration),
        ]
        if words := seen["Text"].get("content"):
            signals.append(Text(words, "zh"))
        sentiment = seen["Multimodal"].get("Continuous label_result")
        more: dict[str, Any] = {} if sentiment is None else {"sentiment": float(sentiment)}
        dialogue = path.stem.rpartition("_")[0]
        yield clip(
            path.stem, signals, tracks, str(seen["Multimodal"]["speaker_id"]), group=group, dialogue=dialogue, **more
        )


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(text_of(path))) if path.is_file() else {}


def _tracks(space: Space, plain: dict[str, Any], way: Channel, duration: float) -> Iterator[Track]:
    words = [plain["emotion_result"], *(_word(one) for one in plain.get("data", ()))]
    for number, word in enumerate(words):
        label = EMOTIONS.get(word.strip().lower()) if word else None
        if word and label is None:
            raise ValueError(f"no emotion is called {word!r}")
        yield said_of_clip(space, label, duration, f"rater:{number}" if number else RATERS, channel=way)


def _word(one: dict[str, Any]) -> str:
    return str(one.get("emotion", one.get("emotion_result", "")) or "")


def _fake(folder: Path) -> None:
    names = ("G00001_01_01_001", "G00002_01_02_001", "G00002_01_02_002", "G00003_01_13_002", "G00015_02_01_001")
    for i, name in enumerate(names):
        group, talk, part, _ = name.split("_")
        for way in WAYS:
            home = folder / way / "json" / group / f"{group}_{talk}" / f"{group}_{talk}_{part}"
            home.mkdir(parents=True, exist_ok=True)
            plain: dict[str, Any] = {
                "data": [{"emotion": word} for word in ("happy", "Surprised", "happy")],
                "speaker_id": f"{i:02}",
                "emotion_result": "happy",
                "file_name": f"{group}/{name}",
            }
            plain |= {"content": "\u4f60\u597d\uff0c\u771f\u7684\u5417\uff1f"} if way == "Text" else {}
            plain |= {"Continuous label_result": 0.6} if way == "Multimodal" else {}
            (home / f"{name}.json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
