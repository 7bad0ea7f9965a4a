"""Speech classifiers of the `transformers` library as Models, by a card alone: from the hub, or from a folder.

wav2vec 2.0, HuBERT, WavLM, data2vec-audio, and the encoder of Whisper, with a head of the library's own or the one that
`Dense` describes. Such a card needs no code. It says, besides what all cards say and what `outputs` lists:

    load = "affetto.models.speech.transformer:load"
    hub = "owner/name"              or a folder, from the root or from where the card lies
    revision = "..."                the commit of the hub: the same card is the same model
    network = true                  whether the hub may be asked, where AFFETTO_NETWORK=1 allows it
    head = "dense"                  where the head is not the library's own
    [labels]                        the network's labels in the words of the space; left out where they are the same
    hap = "joy"                     "" for a label that the space does not have

Nothing is fetched unless it is asked for, weights are safetensors and never pickles, code of others is never run, and a
network whose file lacks weights is refused: it would answer with random ones. Knows sound as numbers; `listening` finds
the voice in a Record and turns answers into Tracks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.errors import CatalogError, MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.speech.listening import Answer, Listening, read
from affetto.models.speech.mel import RATE
from affetto.models.speech.outputs import Meaning, facts_of, meaning
from affetto.models.weights import checksum, first_line, folder_of

SAFE = ("*.json", "*.txt", "*.safetensors")
"""The files of a hub that are fetched: no pickles, and no code."""
WEIGHTS = "model.safetensors"
UNUSED = ("masked_spec_embed",)
"""Weights that only training looks at: old files lack them."""
BATCH = 60.0
"""Seconds of sound that are computed at once."""

Floats = npt.NDArray[np.float32]
Head = Literal["own", "dense"]


@dataclass(frozen=True)
class Facts:
    """What a card says of a classifier, besides the meaning of its labels."""

    hub: str
    revision: str = ""
    network: bool = False
    head: Head = "own"
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Dense:
    """A head of two layers over the mean of the frames: tanh(x A + a) B + b.

    So Wagner et al. 2023 (Dawn of the transformer era in speech emotion recognition, IEEE TPAMI 45(9)) describe theirs.
    """

    encoder: Any
    layers: tuple[Any, Any, Any, Any]
    """A, a, B, b, as torch has them: outputs x inputs."""

    def __call__(self, features: Any) -> Any:
        """Return the outputs of features, n x labels."""
        first, bias, second, offset = self.layers
        mean = self.encoder(features).last_hidden_state.mean(1)
        return (mean @ first.T + bias).tanh() @ second.T + offset


@dataclass(frozen=True)
class Own:
    """A classifier with the head of the library."""

    network: Any

    def __call__(self, features: Any) -> Any:
        """Return the outputs of features, n x labels."""
        return self.network(features).logits


@dataclass(frozen=True)
class Transformer:
    """A Model over a speech classifier of `transformers`."""

    card: Card
    facts: Facts
    meaning: Meaning
    extractor: Any
    classifier: Dense | Own
    listening: Listening = field(default_factory=Listening)

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each voice of each Record; without confidence, since none is calibrated."""
        return read(records, self.answer, self.card, self.listening)

    def answer(self, clips: Sequence[Floats]) -> list[Answer]:
        """Answer clips of one voice, each samples at 16 kHz."""
        return self.meaning.answer(clips, self.outputs)

    def outputs(self, clips: Sequence[Floats]) -> Floats:
        """Return the outputs of the network for n clips, n x labels.

        Only what is of one length is computed together: padding would change the answers of networks that normalise
        over time, with a mask or without.
        """
        import torch  # noqa: PLC0415 - an extra, and loaded already

        features = [self._features(clip) for clip in clips]
        alike: dict[tuple[int, ...], list[int]] = {}
        for i, one in enumerate(features):
            alike.setdefault(one.shape, []).append(i)
        out = np.zeros((len(clips), len(self.meaning.columns)), np.float32)
        for rows in alike.values():
            size = max(1, int(BATCH * RATE / max(len(clips[i]) for i in rows)))
            for part in (rows[at : at + size] for at in range(0, len(rows), size)):
                with torch.inference_mode():
                    given = self.classifier(torch.from_numpy(np.stack([features[i] for i in part])))
                out[part] = given.numpy()
        return out

    def _features(self, clip: Floats) -> Floats:
        """Return what the network looks at: normalised samples, or a log-mel picture."""
        given = self.extractor(np.asarray(clip, np.float32), sampling_rate=RATE, return_tensors="np")
        return np.asarray(given[self.extractor.model_input_names[0]][0], np.float32)


def load(card: Card, network: bool = False) -> Transformer:
    """Load the classifier that a card names.

    Args:
        card: says what the module's first lines list.
        network: whether the hub may be asked, even where AFFETTO_NETWORK is not 1; the card has to allow it too.

    Raises:
        CatalogError: the card lacks a fact, or does not fit the classifier.
        MissingExtraError: torch or transformers is not installed.
        UnreadableError: the classifier is not on this machine, or is none that is read here.
    """
    facts = _facts(card)
    meaning(card, ())  # before anything is fetched
    try:
        import torch  # noqa: F401, PLC0415 - an extra, loaded where it is needed
        import transformers  # noqa: F401, PLC0415
    except ImportError:
        raise MissingExtraError(card.id, "hub") from None
    folder = folder_of(card.id, facts.hub, facts.revision, SAFE, facts.network, network, card.path)
    if card.sha256 and not ((folder / WEIGHTS).is_file() and checksum(folder / WEIGHTS) == card.sha256):
        raise CatalogError(f"the weights of {card.id} are not what its card says: {folder / WEIGHTS} differs")
    try:
        extractor, classifier, config = _loaded(folder, facts.head)
    except UnreadableError:
        raise
    except Exception as error:  # transformers raises whatever its parts raise
        raise UnreadableError(f"{facts.hub} is no classifier that {card.id} can read: {first_line(error)}") from None
    if extractor.sampling_rate != RATE:
        raise CatalogError(f"{card.id}: {facts.hub} hears {extractor.sampling_rate} samples a second, not {RATE}")
    labels = [config.id2label[i] for i in range(len(config.id2label))]
    meant = meaning(card, _words(card, facts, labels))
    limit = getattr(extractor, "chunk_length", meant.longest)
    if meant.longest > limit:
        raise CatalogError(f"{card.id}: longest is {meant.longest} seconds, but {facts.hub} hears {limit} at most")
    return Transformer(card, facts, meant, extractor, classifier)


def whole(network: tuple[Any, Mapping[str, Any]], name: str) -> Any:
    """Return a network that was loaded with its loading report, without dropout and in float32.

    Raises:
        UnreadableError: its file lacks weights, or they are of another shape.
    """
    loaded, report = network
    lacks = {str(key) for key in report["missing_keys"]} | {str(key[0]) for key in report["mismatched_keys"]}
    lacks = {key for key in lacks if key.rsplit(".", 1)[-1] not in UNUSED}
    if lacks:
        raise UnreadableError(
            f"{name} lacks {len(lacks)} weights of a {type(loaded).__name__}, such as {min(lacks)}, and would answer"
            " with random ones; its head may be of another kind (head = 'dense')"
        )
    return loaded.float().eval()


def _loaded(folder: Path, head: Head) -> tuple[Any, Dense | Own, Any]:
    """Return what makes features of sound, the classifier, and its configuration."""
    import transformers  # noqa: PLC0415

    how: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    reader: Any = transformers.AutoFeatureExtractor  # untyped
    extractor = reader.from_pretrained(folder, **how)
    how |= {"use_safetensors": True, "output_loading_info": True}
    if head == "own":
        own = whole(transformers.AutoModelForAudioClassification.from_pretrained(folder, **how), folder.name)
        return extractor, Own(own), own.config
    encoder = whole(transformers.AutoModel.from_pretrained(folder, **how), folder.name)
    return extractor, Dense(encoder, _layers(folder)), encoder.config


def _layers(folder: Path) -> tuple[Any, Any, Any, Any]:
    from safetensors import safe_open  # noqa: PLC0415 - comes with transformers

    names = [f"classifier.{layer}.{part}" for layer in ("dense", "out_proj") for part in ("weight", "bias")]
    with safe_open(folder / WEIGHTS, "pt") as file:
        lacks = sorted(set(names) - set(file.keys()))
        if lacks:
            raise UnreadableError(f"{folder.name} has no dense head: {', '.join(lacks)} is not in {WEIGHTS}")
        first, bias, second, offset = (file.get_tensor(name).float() for name in names)
    return first, bias, second, offset


def _facts(card: Card) -> Facts:
    """Return the facts of a card, checked."""
    kinds: dict[str, type | tuple[type, ...]] = {"hub": str, "revision": str, "network": bool, "head": str}
    kinds |= {"labels": Mapping}
    facts = Facts(**facts_of(card, kinds, ("hub",)))
    if facts.head not in get_args(Head):
        raise CatalogError(f"{card.id}: head is {' or '.join(get_args(Head))}, not {facts.head!r}")
    return facts


def _words(card: Card, facts: Facts, labels: Sequence[str]) -> list[str]:
    named = dict(facts.labels) if facts.labels is not None else {label: label for label in labels}
    if set(named) != set(labels):
        odd = sorted(set(named) ^ set(labels))
        raise CatalogError(f"{card.id}: its labels and those of {facts.hub} differ in {', '.join(odd)}")
    return [named[label] for label in labels]
