"""MSP-Podcast: turns of podcasts with the label most raters gave, and the mean of valence, arousal and dominance.

Scales 1..7 come in as (x - 4) / 3. Other (O) and no agreement (X) are not said, with the letter in the note.
"""

from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import clip, said_of_clip, sound
from affetto.datasets.corpus import RATERS, Corpus, Split, table_of

EMOTIONS = {
    "A": "anger", "S": "sadness", "H": "joy", "U": "surprise", "F": "fear", "D": "disgust", "C": "contempt",
    "N": "neutral",
}  # fmt: skip
SETS = {"train": "Train", "dev": "Development", "test": "Test1", "test2": "Test2"}
SCALES = {"valence": "EmoVal", "arousal": "EmoAct", "dominance": "EmoDom"}


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    labels, vad = catalog.load("ekman-8"), catalog.load("vad")
    for row in table_of(split.files[0]):
        if row["Split_Set"] != SETS[split.name]:
            continue
        code, file = row["EmoClass"], f"Audios/{row['FileName']}"
        if code not in (*EMOTIONS, "O", "X"):
            raise ValueError(f"{row['FileName']}: no label is called {code!r}")
        audio = sound(split.folder, file, 16000)
        note = None if code in EMOTIONS else (code,)
        scaled = [(float(row[SCALES[name]]) - 4) / 3 for name in vad.names]
        tracks = [
            said_of_clip(labels, EMOTIONS.get(code), audio.duration, RATERS, channel="voice", note=note),
            said_of_clip(vad, scaled, audio.duration, RATERS, channel="voice"),
        ]
        speaker = "" if row["SpkrID"] == "Unknown" else row["SpkrID"]
        gender = row["Gender"].lower()
        about = {"gender": gender} if gender in ("female", "male") else {}
        podcast = "_".join(row["FileName"].split("_")[:2])
        yield clip(Path(file).stem, [audio], tracks, speaker, about, file=file, podcast=podcast)


def _fake(folder: Path) -> None:
    rows = [
        f"MSP-PODCAST_{n:04}_{i:04}.wav,{code},{2 + i},{7 - i},4,{speaker},{gender},{name}"
        for n, name in enumerate(SETS.values(), 1)
        for i, (code, speaker, gender) in enumerate(
            (("N", f"{n}", "Male"), ("X", "Unknown", "Unknown"), ("C", f"{n}", "Female"))
        )
    ]
    (folder / "Labels").mkdir()
    (folder / "Labels" / "labels_consensus.csv").write_text(
        "\n".join(["FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set", *rows]) + "\n", "utf-8"
    )
