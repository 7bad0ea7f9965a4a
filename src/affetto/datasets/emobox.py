"""EmoBox's partitions: which clip of 25 corpora of speech is in train or test of which fold, with its label and length.

Parts are the corpora. A Track is in the space that the corpus's labels fill; labels that no space here holds are open
words; codes whose meaning is not certain (polish, and two stray ones) have no Track. The corpus's own code always is
`meta["emotion"]`. `meta["folds"]` says train or test for each fold, `meta["fold"]` in which fold the clip is tested
(the first, or empty); `meta["speaker"]` who speaks, where the file's name says so.
"""

import csv
import lzma
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.core.space import open_space
from affetto.datasets.clips import clip, said_of_clip
from affetto.datasets.corpus import Corpus, Split, lines_of
from affetto.datasets.naming import speakers

SPACES = {"emodb": "emodb-7", "ravdess": "ravdess-8", "turevdb": "turev-4"}
"""Corpus -> space; ekman-7 where it is in neither this table nor `OPEN`."""
OPEN = ("asvpesd", "emns", "emovdb", "jlcorpus", "pavoque", "resd")
"""Corpora with labels that no space here holds."""
UNSURE = ("polish",)
"""Corpora whose codes are not explained."""
COLUMNS = (
    "dataset",
    "file",
    "emotion",
    "length_s",
    "sample_rate",
    "fold1",
    "fold2",
    "fold3",
    "fold4",
    "fold5",
    "fold6",
)
ANNOTATED = "corpus"
"""Source of its Tracks: the label of the corpus that the clip comes from."""
_WORDS = {
    "anger": "anger", "angry": "anger", "ang": "anger", "an": "anger", "a": "anger", "rab": "anger",
    "disgust": "disgust", "dis": "disgust", "di": "disgust", "d": "disgust",
    "fear": "fear", "fearful": "fear", "fea": "fear", "fe": "fear", "f": "fear", "pau": "fear",
    "happy": "joy", "happiness": "joy", "joy": "joy", "hap": "joy", "ha": "joy", "h": "joy", "gio": "joy",
    "neutral": "neutral", "neutrality": "neutral", "neu": "neutral", "n": "neutral",
    "sad": "sadness", "sadness": "sadness", "sa": "sadness", "s": "sadness", "tri": "sadness",
    "surprise": "surprise", "surprised": "surprise", "su": "surprise", "sor": "surprise", "ps": "surprise",
    "boredem": "boredom", "calm": "calm",
}  # fmt: skip
"""Codes of most corpora, in lower case."""
_FRENCH = {
    "c": "anger", "d": "disgust", "j": "joy", "n": "neutral", "p": "fear", "s": "surprise", "t": "sadness",
}  # fmt: skip
"""Colere, degout, joie, neutre, peur, surprise, tristesse: CaFE and Oreau."""
_ASVP = (
    "boredom", "neutral", "happiness", "sadness", "anger", "fear", "disgust",
    "surprise", "excitement", "pleasure", "pain", "disappointment", "breath",
)  # fmt: skip
"""Numbers of ASVP-ESD, from 01."""


def load(card: Card) -> Corpus:
    """Return the corpus."""
    return Corpus(card, _read, _fake)


def word(corpus: str, code: str) -> str | None:
    """Return what a corpus's own code means, in the words of the spaces here; None where that is not known.

    >>> word("emovo", "gio"), word("cafe", "c"), word("asvpesd", "11"), word("polish", "a")
    ('joy', 'anger', 'pain', None)
    """
    if corpus in UNSURE or (corpus, code) == ("ased", "S"):
        return None
    if corpus == "asvpesd":
        return _ASVP[int(code) - 1] if int(code) <= len(_ASVP) else None
    if corpus in ("cafe", "oreau"):
        return _FRENCH[code.lower()]
    return code.lower() if corpus in OPEN else _WORDS[code.lower()]


def _read(split: Split) -> Iterator[Record]:
    head, *lines = lines_of(split.files[0])
    if tuple(head.split(",")) != COLUMNS:
        raise ValueError(f"the columns are {', '.join(COLUMNS)}, not {head!r:.80}")
    rows = [
        dict(zip(COLUMNS, row, strict=True))
        for row in csv.reader(line for line in lines if line.startswith(f"{split.part},"))
    ]
    closed = None if split.part in OPEN else catalog.load(SPACES.get(split.part, "ekman-7"))
    who = speakers([row["file"] for row in rows], split.part) or [""] * len(rows)
    seen: Counter[str] = Counter()
    for row, speaker in zip(rows, who, strict=True):
        folds = {str(n): row[f"fold{n}"] for n in range(1, 7) if row[f"fold{n}"]}
        seen[row["file"]] += 1
        id = row["file"] + (f"#{seen[row['file']]}" if seen[row["file"]] > 1 else "")
        length = float(row["length_s"])
        audio = Audio(f"{split.part}/{row['file']}", float(row["sample_rate"]), length)
        said = word(split.part, row["emotion"])
        space = closed or open_space((said or "unsaid",))
        tracks = [] if said is None else [said_of_clip(space, said, length, ANNOTATED, channel="voice")]
        tested = next((n for n, side in folds.items() if side == "test"), "")
        yield clip(
            id, [audio], tracks, _whole(split.part, speaker), corpus=split.part,
            emotion=row["emotion"], folds=folds, fold=tested,
        )  # fmt: skip


def _whole(corpus: str, speaker: str) -> str:
    """Return a speaker's name; of TESS, one file cuts OAF to OA."""
    return speaker.removesuffix("F") + "F" if corpus == "tess" and speaker else speaker


def _fake(folder: Path) -> None:
    rows = [
        "aesdd,a01 (1).wav,a,4.149,44100,test,,,,,",
        "ased,S4-04-02-01-29.wav,S,3.5,16000,train,,,,,",
        "asvpesd,03-01-01-01-01-106-02-02-04-11.wav,01,1.934,16000,test,,,,,",
        "cafe,01-C-1-1.wav,c,3.228,48000,test,train,train,,,",
        "casia,201.wav,angry,1.79,16000,train,,test,,,",
        "casia,201.wav,sad,1.5,16000,train,,test,,,",
        "cremad,1001_DFA_ANG_XX.wav,ANG,2.276,16000,train,,,,,",
        "emns,recorded_audio.webm,Sarcastic,3.178,48000,train,,,,,",
        "emodb,03a01Fa.wav,happy,1.898,16000,train,test,,,,",
        "emovdb,amused_1-15_0001.wav,Amused,4.385,44100,train,,,,,",
        "emovo,dis-f1-b1.wav,dis,2.859,48000,train,test,,,,",
        "emozionalmente,1612871026347.wav,neutrality,3.052,16000,test,,,,,",
        "enterface,s10_an_1.avi,an,3.0,48000,test,,,,,",
        "jlcorpus,female1_angry_10a_1.wav,angry,2.75,44100,train,test,,,,",
        "mesd,Anger_C_A_abajo.wav,Anger,0.978,48000,test,,,,,",
        "oreau,07a01Ja.wav,J,2.322,44100,train,,,,,",
        "pavoque,pavoque-neutral.flac,neutral,4.04,44100,train,,,,,",
        "polish,m1.a_nie_1.wav,a,1.082,44100,train,test,,,,",
        "ravdess,03-01-01-01-01-01-01.wav,Neutral,3.303,48000,test,,,,,",
        "resd,01_happiness_anger a_010.wav,anger,3.923,16000,test,,,,,",
        "savee,DC_a01.wav,a,3.648,44100,train,test,,,,",
        "shemo,F01A01.wav,angry,1.513,44100,train,,,,,",
        "subesco,F_01_OISHI_S_10_ANGRY_1.wav,angry,4.017,44100,test,,,,,",
        "tess,OA_bite_neutral.wav,neutral,1.539,24414,train,,,,,",
        "turevdb,1157_hl_acik.wav,Sad,1.0,44100,train,,,,,",
        "urdu,SF10_F1_S01.wav,S,2.0,44100,test,,,,,",
    ]
    text = "\n".join([",".join(COLUMNS), *rows]) + "\n"
    (folder / "emobox_splits.csv.xz").write_bytes(lzma.compress(text.encode()))
