"""Measure how much of the emotions in a corpus of speech a frozen encoder holds: its features, and a linear head.

    python -m recipes.speech_probe --encoder logmel --corpus ravdess
    python -m recipes.speech_probe --encoder facebook/wav2vec2-base --revision COMMIT --corpus emo-db --layer chosen
    python -m recipes.speech_probe --encoder PATH --corpus emovo --cache build/probe --out benchmarks/results

Encoders: `logmel` (mean and standard deviation over time of 64 log-mel bands), `egemaps` (the 88 functionals of
eGeMAPS), and any network of `transformers` that hears 16 kHz (wav2vec 2.0, HuBERT, WavLM, data2vec-audio, Whisper's
encoder), by folder or hub id: the mean over time of each layer. `--layer` takes the last one, one by its number (0 is
what enters the first), the mean of all, or the one `chosen` inside training. The head is a logistic regression on
standardised features; its C (and the layer) is chosen inside the training part, by speakers.

Folds never share a speaker: those that the corpus gives its Records, else one a speaker, or five groups of speakers
where there are more than twelve. Scores are over the answers of all folds together, with 95 % intervals over bootstrap
resamples of the speakers; the mean over folds stands beside them. With `--normalise speaker` each speaker's features
are standardised by that speaker's own clips, unlabelled: what a caller with much sound of one voice can do, and no
stranger. Networks are fetched only where AFFETTO_NETWORK=1.
"""

import argparse
import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from affetto.bench.results import save
from affetto.core import catalog
from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio
from affetto.metrics.classification import chosen, macro_f1, micro_f1, uar
from affetto.models.speech.mel import RATE, log_mel
from benchmarks.results import interval

log = logging.getLogger("speech_probe")
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""C of the logistic regression, from which training chooses."""
INNER = 4
"""Folds inside training, disjoint in speakers."""
GROUPS, MANY = 5, 12
"""Groups of speakers that are folds where there are more speakers than `MANY`."""

Encoder = Callable[[np.ndarray], np.ndarray]
"""Takes samples of one channel at 16 kHz and returns layers x width."""


@dataclass(frozen=True)
class Rows:
    """What is said of n clips."""

    ids: tuple[str, ...]
    labels: np.ndarray
    """n numbers of labels."""
    names: tuple[str, ...]
    """The labels that occur, by their numbers."""
    speakers: np.ndarray
    """n names."""
    folds: np.ndarray
    """n names of the folds in which the clips are tested."""


def rows_of(records: Sequence[Record]) -> Rows:
    """Return labels, speakers and folds of Records with one voice and one label each.

    Raises:
        MalformedError: a Record has no speaker or no label, or a speaker is in several folds.
    """
    labels = []
    for record in records:
        track = next((track for track in record.tracks if track.space.kind == "one" and len(track)), None)
        if track is None or "speaker" not in record.meta:
            raise MalformedError(f"{record.id} has no speaker or no label, so that it cannot be probed")
        labels.append(track.space.names[int(np.argmax(track.values[0]))])
    names = tuple(sorted(set(labels)))
    speakers = np.array([str(record.meta["speaker"]) for record in records])
    given = [record.meta.get("fold") for record in records]
    folds = folds_of(speakers) if None in given or "" in given else np.array([str(fold) for fold in given])
    for speaker in np.unique(speakers):
        if len(np.unique(folds[speakers == speaker])) > 1:
            raise MalformedError(f"speaker {speaker} is in several folds, so that training would hear who is tested")
    return Rows(
        tuple(record.id for record in records), np.array([names.index(x) for x in labels]), names, speakers, folds
    )


def folds_of(speakers: np.ndarray) -> np.ndarray:
    """Return a fold for each clip: its speaker, or one of five groups of speakers where there are more than twelve."""
    known = np.unique(speakers)
    if len(known) <= MANY:
        return speakers
    group = {speaker: str(i % GROUPS + 1) for i, speaker in enumerate(known)}
    return np.array([group[speaker] for speaker in speakers])


def encoder_of(name: str, revision: str = "") -> Encoder:
    """Return an encoder: `logmel`, `egemaps`, or a network of `transformers`, by folder or hub id."""
    if name == "logmel":
        return logmel
    if name == "egemaps":
        from affetto.models.speech.descriptors import descriptors  # noqa: PLC0415
        from affetto.models.speech.functionals import functionals  # noqa: PLC0415

        return lambda samples: np.nan_to_num(functionals(descriptors(samples)))[None]
    return network_of(name, revision)


def logmel(samples: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation over time of the log-mel bands, 1 x 128; zeros of a clip under 25 ms."""
    bands = log_mel(samples)
    return np.concatenate([bands.mean(0), bands.std(0)])[None] if len(bands) else np.zeros((1, 128), np.float32)


def network_of(name: str, revision: str = "") -> Encoder:
    """Return the mean over time of each layer of a frozen network of `transformers`."""
    import torch  # noqa: PLC0415 - an extra
    import transformers  # noqa: PLC0415

    from affetto.models.speech.transformer import SAFE, whole  # noqa: PLC0415
    from affetto.models.weights import folder_of  # noqa: PLC0415

    folder = folder_of("the probe", name, revision, SAFE, True, False)
    how: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, **how)
    how |= {"use_safetensors": True, "output_loading_info": True}
    network = whole(transformers.AutoModel.from_pretrained(folder, **how), name)
    network = network.get_encoder() if network.config.is_encoder_decoder else network
    given = extractor.model_input_names[0]

    def encode(samples: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            features = extractor(samples, sampling_rate=RATE, return_tensors="pt")[given]
            layers = network(features, output_hidden_states=True).hidden_states
        frames = layers[0].shape[1]
        if given == "input_features":  # padded to a fixed length, such as Whisper's 30 s: only what was heard counts
            frames = max(1, round(frames * len(samples) / (extractor.chunk_length * RATE)))
        return np.stack([layer[0, :frames].mean(0).numpy() for layer in layers])

    return encode


def samples_of(record: Record, seconds: float = 0.0) -> np.ndarray:
    """Return the sound of a Record, one channel at 16 kHz; only its first `seconds` where that is not 0."""
    audio = next((signal for signal in record.signals if isinstance(signal, Audio)), None)
    if audio is None or audio.rate != RATE:
        raise UnreadableError(f"{record.id} has no sound of {RATE} samples a second")
    blocks = [block.mean(1) for block in audio.blocks()]
    samples = np.concatenate(blocks).astype(np.float32) if blocks else np.zeros(0, np.float32)
    return samples[: int(seconds * RATE)] if seconds else samples


def features_of(
    records: Iterable[Record], ids: Sequence[str], encode: Encoder, cache: Path | None = None, seconds: float = 0.0
) -> np.ndarray:
    """Return the features of clips, n x layers x width: from the cache where it holds those very clips."""
    if cache is not None and cache.is_file():
        with np.load(cache) as kept:
            if kept["ids"].tolist() == list(ids):
                return np.asarray(kept["features"])
    features = np.stack([encode(samples_of(record, seconds)) for record in records]).astype(np.float32)
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(cache, ids=np.array(ids), features=features)
    return features


def by_speaker(features: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return features with mean 0 and standard deviation 1 for each speaker."""
    out = np.empty_like(features)
    for speaker in np.unique(speakers):
        mine = features[speakers == speaker]
        out[speakers == speaker] = (mine - mine.mean(0)) / (mine.std(0) + 1e-6)
    return out


def candidates(features: np.ndarray, layer: str) -> list[np.ndarray]:
    """Return the tables (n x width) between which training chooses: one, or one a layer.

    Raises:
        MalformedError: there is no such layer.
    """
    count = features.shape[1]
    if layer == "chosen":
        return [features[:, i] for i in range(count)]
    if layer == "mean":
        return [features.mean(1)]
    if layer != "last" and not (layer.isdigit() and int(layer) < count):
        raise MalformedError(f"the layer is last, mean, chosen or a number below {count}, not {layer!r}")
    return [features[:, -1 if layer == "last" else int(layer)]]


def head(strength: float) -> Any:
    """Return an untrained linear head; every label weighs the same."""
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=2000, tol=1e-3)
    )


def choose(tables: Sequence[np.ndarray], labels: np.ndarray, speakers: np.ndarray) -> tuple[int, float]:
    """Return the number of a table and the C whose answers to unheard speakers of the training part are the best."""
    known = np.unique(speakers)
    inner = {speaker: i % INNER for i, speaker in enumerate(known)}
    parts = np.array([inner[speaker] for speaker in speakers])
    k = int(labels.max()) + 1
    best, score = (0, STRENGTHS[0]), -1.0
    for number, table in enumerate(tables):
        for strength in STRENGTHS:
            said = np.full(len(labels), -1)
            for part in np.unique(parts):
                seen = parts != part
                said[~seen] = head(strength).fit(table[seen], labels[seen]).predict(table[~seen])
            found = uar(chosen(labels, k), chosen(said, k))
            if found > score:
                best, score = (number, strength), found
    return best


def probe(tables: Sequence[np.ndarray], rows: Rows) -> tuple[np.ndarray, dict[str, tuple[int, float]]]:
    """Return the label that each clip gets from a head that did not hear its fold, and what was chosen in each fold."""
    said = np.full(len(rows.labels), -1)
    how = {}
    for fold in np.unique(rows.folds):
        seen = rows.folds != fold
        number, strength = choose([table[seen] for table in tables], rows.labels[seen], rows.speakers[seen])
        how[str(fold)] = number, strength
        said[~seen] = head(strength).fit(tables[number][seen], rows.labels[seen]).predict(tables[number][~seen])
        log.info("fold %s: table %d, C %g", fold, number, strength)
    return said, how


def scores(said: np.ndarray, rows: Rows, seed: int) -> dict[str, dict[str, float]]:
    """Return UAR, accuracy (WA) and macro F1 with their intervals, and the mean of UAR over folds."""
    k = len(rows.names)
    truth, estimate = chosen(rows.labels, k), chosen(said, k)
    metrics = {"uar": uar, "accuracy": micro_f1, "macro_f1": macro_f1}
    found = {
        name: interval(lambda at, metric=metric: metric(truth[at], estimate[at]), len(said), seed, rows.speakers)
        for name, metric in metrics.items()
    }
    each = [uar(truth[rows.folds == fold], estimate[rows.folds == fold]) for fold in np.unique(rows.folds)]
    return found | {"uar_folds": {"value": float(np.mean(each)), "low": min(each), "high": max(each)}}


def main() -> None:
    """Measure one encoder on one corpus, and print or keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, help="logmel, egemaps, a folder, or a hub id")
    parser.add_argument("--revision", default="", help="the commit of a hub id")
    parser.add_argument("--corpus", required=True, help="the id of a corpus of voice clips, such as ravdess")
    parser.add_argument("--layer", default="last", help="last, mean, chosen, or a number")
    parser.add_argument(
        "--cut", type=float, default=0.0, help="hear only so many seconds of each clip (EMO-DB here: 2.0)"
    )
    parser.add_argument("--normalise", choices=("none", "speaker"), default="none")
    parser.add_argument(
        "--cache", type=Path, help="folder in which features are kept; empty it when an encoder changes"
    )
    parser.add_argument("--out", type=Path, help="folder below which the result is written")
    parser.add_argument("--seed", type=int, default=20, help="of the bootstrap")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")

    records = list(catalog.load(asked.corpus).read("all"))
    rows = rows_of(records)
    name = re.sub(r"\W+", "-", Path(asked.encoder).name + (f"-{asked.revision[:8]}" if asked.revision else ""))
    corpus = asked.corpus + (f"-{asked.cut:g}s" if asked.cut else "")
    mark = hashlib.sha256(f"{asked.encoder}@{asked.revision}".encode()).hexdigest()[:8]
    cache = asked.cache / f"{corpus}-{name}-{mark}.npz" if asked.cache else None
    began = time.perf_counter()
    features = features_of(records, rows.ids, encoder_of(asked.encoder, asked.revision), cache, asked.cut)
    log.info("features %s in %.1f s", " x ".join(map(str, features.shape)), time.perf_counter() - began)
    if asked.normalise == "speaker":
        features = by_speaker(features, rows.speakers)
    said, how = probe(candidates(features, asked.layer), rows)
    found = scores(said, rows, asked.seed)
    print(json.dumps(found, indent=1))
    if asked.out:
        model = f"probe.{name}" + ("" if asked.normalise == "none" else "-by-speaker")
        notes = (
            f"linear head on frozen features ({features.shape[1]} layers of {features.shape[2]}, layer {asked.layer},"
            f" normalised by {asked.normalise}), {len(how)} speaker-disjoint folds; uar_folds: mean, lowest and highest"
            f" of the folds; python -m recipes.speech_probe --encoder {name} --corpus {asked.corpus}"
            f" --layer {asked.layer} --normalise {asked.normalise} --cut {asked.cut:g}"
        )
        path = save(asked.out, f"{corpus}-probe", model, len(said), found, asked.seed, {}, notes)
        log.info("written to %s", path)


if __name__ == "__main__":
    main()
