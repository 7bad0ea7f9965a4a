"""Acted speech of five corpora in the four emotions that all of them have: to learn from some and be tested on another.

Each corpus is a part, read by its own reader from its folder below the data folder, in the packed layout. Calm, which
RAVDESS has beside neutral and TurEV-DB in its place, counts as neutral; clips of other emotions are left out, and with
them all that EMO-DB holds only in part. Speakers carry the name of their corpus: `emodb-03` is not `ravdess-03`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.datasets.clips import SPEAKER, said_of_clip
from affetto.datasets.corpus import Corpus, Split
from affetto.datasets.packed_clips import fake_pack

CORPORA = {"ravdess": "ravdess", "tess": "tess", "emodb": "emo-db", "emovo": "emovo", "turev-db": "turev-db"}
"""The part, which also is the folder -> the card of the corpus."""
SHARED = {"anger": "anger", "joy": "joy", "neutral": "neutral", "calm": "neutral", "sadness": "sadness"}
"""The label of a corpus -> what it counts as here."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def _read(split: Split) -> Iterator[Record]:
    space = catalog.load("ekman-7")
    corpus: Corpus = catalog.load(CORPORA[split.part])
    for record in corpus.read("all", folder=split.folder / split.part):
        own = record.tracks[0]
        label = own.space.names[int(own.values[0].argmax())]
        if label in SHARED:
            track = said_of_clip(space, SHARED[label], float(own.end[0]), channel="voice")
            speaker = f"{split.part}-{record.meta['speaker']}"
            people = {SPEAKER: {**record.people[SPEAKER], "group": speaker}}
            meta = {**record.meta, "speaker": speaker, "label": label}
            yield replace(record, people=people, tracks=(track,), meta=meta)


def _fake(folder: Path) -> None:
    zips = {id: catalog.find(id, "dataset").facts["packed"]["all"]["files"][1] for id in CORPORA.values()}
    names = {
        "ravdess": ("03-01-01-01-01-01-01.wav", "03-01-02-01-01-01-02.wav", "03-01-06-01-01-01-02.wav"),
        "tess": ("OAF_back_angry.wav", "YAF_dog_sad.wav"),
        "emodb": ("03a01Fa.wav", "08a02Wb.wav"),
        "emovo": ("gio-f2-b1.wav", "neu-f3-n1.wav"),
        "turev-db": ("Angry/1157_kz_acik.wav", "Calm/6783_sk_acik.wav"),
    }
    for part, id in CORPORA.items():
        fake_pack(folder / part, zips[id], dict.fromkeys(names[part], "0.1"))
