"""EmoSet-118K: pictures from the web with the one of eight emotions that they stir in people, and what is seen in them.

What else is annotated (brightness, colorfulness, scene, objects, faces, actions) is in `meta`, where its file is there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, picture, said_of_clip
from affetto.datasets.corpus import RATERS, Corpus, Split, text_of

ATTRIBUTES = ("brightness", "colorfulness", "scene", "object", "facial_expression", "human_action")


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("mikels-8")
    listed, info = split.files
    known = set(json.loads(text_of(info))["emotion"]["label2idx"])
    if known != set(space.names):
        raise ValueError(f"{info.name} has other emotions than the eight: {', '.join(sorted(known))}")
    for emotion, id, image, annotation in json.loads(text_of(listed)):
        path = split.folder / annotation
        seen = json.loads(text_of(path)) if path.is_file() else {}
        more = {name: seen[name] for name in ATTRIBUTES if seen.get(name) not in (None, "", [])}
        what: dict[str, Any] = {"subject": "viewer", "perspective": "evoked", "channel": "scene"}
        track = said_of_clip(space, emotion, source=RATERS, **what)
        yield clip(id, [picture(split.folder, image)], [track], file=image, **more)


def _fake(folder: Path) -> None:
    words = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
    index = {word: i for i, word in enumerate(words)}
    (folder / "info.json").write_text(json.dumps({"emotion": {"label2idx": index}}), "utf-8")
    for n, name in enumerate(("train", "val", "test")):
        rows = []
        for word in words[:3]:
            id = f"{word}_{n:05}"
            paths = [f"image/{word}/{id}.jpg", f"annotation/{word}/{id}.json"]
            (folder / "annotation" / word).mkdir(parents=True, exist_ok=True)
            seen = {
                "image_id": id,
                "emotion": word,
                "brightness": 0.5,
                "object": ["Caf\N{LATIN SMALL LETTER E WITH ACUTE}"],
            }
            (folder / paths[1]).write_text(json.dumps(seen), "utf-8")
            rows.append([word, id, *paths])
        (folder / f"{name}.json").write_text(json.dumps(rows), "utf-8")
