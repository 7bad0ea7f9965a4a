"""What our models say of real faces, voices and words that they did not learn from, for whatever joins channels.

    python -m recipes.fusion_items --work build/fusion --speech build/speech [--most 0]

Writes `items.npz` into `--work`, and `README.txt` beside it, each made elsewhere and then renamed. `--speech` is the
folder that `recipes.speech_affect` worked in: its six pairs of networks each answer the speakers of the fold that they
left out. `--most` takes only so many rows of each split of a corpus, to try it. About four minutes on one core.

For each channel c of `face`, `voice` and `text` there are arrays of one length:

    c_native        n x k       what the model says, in its own space, in the order of `c_native_names`
    c_ekman7        n x 7       the same over the bridge to ekman-7, in the order of `names`; of text its own answer
    c_va            n x 2       valence and arousal, -1..1
    c_confidence    n           the model's own, calibrated
    c_label         n           the number of the true label in `names`
    c_split         n           fit, dev or test; nobody who speaks or writes is in two
    c_corpus        n           ferplus; ravdess, emo-db, emovo, turev-db; goemotions, meld
    c_id            n           the Record's
    c_group         n           who speaks, or the dialogue; where nobody is known, the id itself
    text_text       n           the words

- face: FER+, the label that most raters saw; PublicTest is fit and dev, PrivateTest is test, both without pictures
  whose very pixels stand in Training or in the other. `face.expression` learned from Training; its temperature and
  trust were fitted on PublicTest.
- voice: actors, each answered by networks that had not heard them. Calm counts as neutral; what was asked for as
  boredom has no label here and is left out. Speakers are parted, not clips.
- text: GoEmotions with exactly one label, dev is fit and dev, test is test: `text.affect-en` learned from train, its
  calibration was fitted on dev. MELD, its train, dev and test as fit, dev and test: `text.affect-en` never saw it, and
  reads each turn alone.

Knows no way of joining channels.
"""

import argparse
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.affect import Calibration, Network, as_seen
from affetto.spaces.bridges import translate
from recipes.speech_lessons import Lesson, lessons

log = logging.getLogger("fusion")
GOAL = "ekman-7"
CHANNELS = ("face", "voice", "text")
VOICES = ("ravdess", "emo-db", "emovo", "turev-db")
COUNTED_AS = {"calm": "neutral"}
DEV_SHARE = 1 / 3
"""Of what is both fit and dev, by the hash of its id."""
SPEAKERS = {"fit": 0.5, "dev": 0.17, "test": 0.33}
"""Shares of the speakers of each corpus of voices."""
AT_ONCE = 256


@dataclass(frozen=True)
class Item:
    """What one row will say; the answer comes later."""

    id: str
    group: str
    corpus: str
    split: str
    label: str
    text: str = ""


@dataclass(frozen=True, eq=False)
class Answered:
    """The columns of one channel."""

    items: Sequence[Item]
    native: Track
    """n rows, in the space of the model."""
    va: npt.NDArray[np.float32]

    def columns(self, channel: str) -> dict[str, npt.NDArray]:
        """Return the arrays of the file."""
        names = load(GOAL).names
        words = {"id": "id", "group": "group", "corpus": "corpus", "split": "split"}
        found = {key: np.array([getattr(item, name) for item in self.items]) for key, name in words.items()}
        found["label"] = np.array([names.index(item.label) for item in self.items])
        found |= {"native": self.native.values, "native_names": np.array(self.native.space.names), "va": self.va}
        found |= {"ekman7": translate(self.native, GOAL).values, "confidence": self.native.confidence}
        if channel == "text":
            found["text"] = np.array([item.text for item in self.items])
        return {f"{channel}_{key}": column for key, column in found.items()}


def faces(most: int) -> Answered:
    """Return the faces."""
    found: list[tuple[Item, Record]] = []
    for name in ("dev", "test"):
        picked = 0
        for record in load("ferplus").read(name):
            if {"no_majority", "seen_in", "duplicate_of", "blank"} & set(record.meta) or (most and picked >= most):
                continue
            picked += 1
            label = translate(_only_top(record.tracks[0]), GOAL).top().name
            split = "test" if name == "test" else _fit_or_dev(record.id)
            found.append((Item(record.id, record.id, "ferplus", split, label), record.blind()))
    items, records = zip(*found, strict=True)
    return _asked("face.expression", "ekman-8", items, records)


def words(most: int) -> Answered:
    """Return the posts and the turns of talk."""
    found: list[tuple[Item, Record]] = []
    for name in ("dev", "test"):
        single = (record for record in load("goemotions").read(name) if record.tracks[0].values.sum() == 1)
        for record in islice((record for record in single if "duplicate_of" not in record.meta), most or None):
            label = translate(_only_top(record.tracks[0]), GOAL).top().name
            split = "test" if name == "test" else _fit_or_dev(record.id)
            found.append((Item(record.id, record.id, "goemotions", split, label, record.text), record.blind()))
    for name, split in (("train", "fit"), ("dev", "dev"), ("test", "test")):
        found += islice(_turns(name, split), most or None)
    items, records = zip(*found, strict=True)
    return _asked("text.affect-en", GOAL, items, records)


def _turns(name: str, split: str) -> Iterator[tuple[Item, Record]]:
    """Yield each turn of MELD with a Record of its own."""
    for record in load("meld").read(name):
        labels = {
            int(track.start[k]): track.top(k).name
            for track in record.tracks
            if track.space.id == GOAL
            for k in range(len(track))
        }
        for k, turn in enumerate(record.turns):
            id = f"{record.id}-{record.meta['utterances'][k]}"
            yield (
                Item(id, record.id, "meld", split, labels[k], turn.text),
                Record(id, turns=(replace(turn, span=None),)),
            )


def _asked(model: str, space: str, items: Sequence[Item], records: Sequence[Record]) -> Answered:
    """Ask a model; leave out of what it says nothing."""
    ask = load(model)
    answers: list[tuple[Track, ...]] = []
    for start in range(0, len(records), AT_ONCE):
        answers += ask(records[start : start + AT_ONCE])
        log.info("%s: %d of %d", model, len(answers), len(records))
    native = [next(track for track in tracks if track.space.id == space) for tracks in answers]
    kept = [k for k, track in enumerate(native) if len(track) == 1 and not np.isnan(track.values).any()]
    degrees = [next(t for t in answers[k] if t.space.id in ("va", "vad") and t.subject != "reader") for k in kept]
    values, sure = (np.concatenate([getattr(native[k], name) for k in kept]) for name in ("values", "confidence"))
    whole = Track(load(space), np.arange(len(kept)), np.arange(len(kept)) + 1, values, confidence=sure)
    return Answered([items[k] for k in kept], whole, np.concatenate([track.values[:, :2] for track in degrees]))


def voices(speech: Path, most: int) -> Answered:
    """Return the voices: each clip by the networks of the fold that its speaker is in."""
    space, goal = load("ravdess-8"), load(GOAL)
    clips = [c for c in lessons(VOICES, speech) if COUNTED_AS.get(c.label, c.label) in goal.names]
    splits = {corpus: _parted([c.speaker for c in clips if c.corpus == corpus]) for corpus in VOICES}
    if most:
        clips = [c for corpus in VOICES for c in [c for c in clips if c.corpus == corpus][:: len(clips) // most or 1]]
    values, sure = np.zeros((len(clips), len(space.axes)), np.float32), np.zeros(len(clips), np.float32)
    for fold in sorted({clip.fold for clip in clips}):
        network = Network(speech / f"fold-{fold}.onnx")
        from recipes.speech_affect import COURSE  # noqa: PLC0415 - it wants torch, and whoever reads items does not

        calibration = Calibration.from_plain(network.facts | {"meant": COURSE.meant(space.names)})
        for k in [k for k, clip in enumerate(clips) if clip.fold == fold]:
            logits, known = network.session.run(["logits", "known"], {"mel": _picture(clips[k])[None]})
            values[k : k + 1] = calibration.probabilities(logits)
            sure[k] = calibration.confidence(values[k : k + 1], known)[0]
        log.info("fold %d is done", fold)
    items = [
        Item(c.id, f"{c.corpus} {c.speaker}", c.corpus, splits[c.corpus][c.speaker], COUNTED_AS.get(c.label, c.label))
        for c in clips
    ]
    native = Track(space, np.arange(len(clips)), np.arange(len(clips)) + 1, values, confidence=sure, channel="voice")
    return Answered(items, native, space.weighed(load("va"), values))


def _picture(clip: Lesson) -> npt.NDArray[np.float32]:
    """Return a clip as the network takes it, as `models.speech.affect.picture` does of sound."""
    power = np.exp(clip.mel.astype(np.float32))
    return as_seen(power[: len(power) // 2 * 2])


def _parted(speakers: Sequence[str]) -> dict[str, str]:
    """Return speaker -> split, in an order that a hash gives."""
    order = sorted(set(speakers), key=_hashed)
    test = round(SPEAKERS["test"] * len(order))
    dev = max(1, round(SPEAKERS["dev"] * len(order)))
    names = ["test"] * test + ["dev"] * dev
    return dict(zip(order, [*names, *["fit"] * (len(order) - len(names))], strict=True))


def _fit_or_dev(id: str) -> str:
    return "dev" if _hashed(id) < DEV_SHARE else "fit"


def _hashed(word: str) -> float:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) / 2**32


def _only_top(track: Track) -> Track:
    """Return a rater's row with all of it on the label that most saw."""
    values = np.zeros_like(track.values)
    values[np.arange(len(track)), track.values.argmax(1)] = 1
    return replace(track, values=values)


def read_items(path: Path) -> dict[str, npt.NDArray]:
    """Return the arrays of the file, by name."""
    with np.load(path) as held:
        return {name: held[name] for name in held.files}


def main() -> None:
    """Ask all models and write the file."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--speech", type=Path, required=True)
    ask.add_argument("--most", type=int, default=0)
    said = ask.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    said.work.mkdir(parents=True, exist_ok=True)
    found = {"names": np.array(load(GOAL).names)}
    told = [str(find(id)) for id in ("face.expression", "speech.affect", "text.affect-en")]
    for channel, answered in (
        ("voice", voices(said.speech, said.most)), ("text", words(said.most)), ("face", faces(said.most))
    ):  # fmt: skip
        found |= answered.columns(channel)
    lines = [__doc__, f"Made with {', '.join(told)}. Rows, and how often ekman-7's top label is right:\n"]
    for channel in CHANNELS:
        right = found[f"{channel}_ekman7"].argmax(1) == found[f"{channel}_label"]
        for split in ("fit", "dev", "test"):
            rows = found[f"{channel}_split"] == split
            by_corpus = {str(c): round(float(right[rows & (found[f"{channel}_corpus"] == c)].mean()), 3)
                         for c in np.unique(found[f"{channel}_corpus"][rows])}  # fmt: skip
            lines.append(f"    {channel:6}{split:5}{rows.sum():6}  {by_corpus}")
    _write(said.work, found, "\n".join(lines) + "\n")
    log.info("%s", "\n".join(lines[1:]))


def _write(folder: Path, found: dict[str, npt.NDArray], words: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        np.savez_compressed(Path(place, "items.npz"), **found)
        Path(place, "README.txt").write_text(words, "utf-8")
        for name in ("README.txt", "items.npz"):
            Path(place, name).replace(folder / name)


if __name__ == "__main__":
    main()
