"""Text classifiers of the `transformers` library as Models, by a card alone: from the hub, or from a folder.

Such a card needs no code. It says, besides what all cards say, with one space of kind `one` or `any`:

    load = "affetto.models.text.transformer:load"
    hub = "owner/name"              or a folder, from the root or from where the card lies
    revision = "..."                the commit of the hub: the same card is the same model
    network = true                  whether the hub may be asked, where AFFETTO_NETWORK=1 allows it
    activation = "sigmoid"          or "softmax"
    max_tokens = 512                word pieces of a window, those at its ends included
    threshold = 0.5                 of kind `any`: from where the note names a label
    [labels]                        the model's labels in the words of the space; left out where they are the same
    LABEL_0 = "joy"

Nothing is fetched unless it is asked for, weights are safetensors and never pickles, code of others is never run.
Knows texts and numbers; `reading` turns them into Tracks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import CatalogError, MissingExtraError, UnreadableError
from affetto.core.record import Record
from affetto.core.space import Space
from affetto.core.track import Track
from affetto.models.text.calibration import sigmoid, softmax
from affetto.models.text.encoder import batches
from affetto.models.text.reading import Answer, decided, read
from affetto.models.weights import checksum, first_line, folder_of

SAFE = ("*.json", "*.txt", "*.model", "*.safetensors")
"""The files of a hub that are fetched: no pickles, and no code."""
WEIGHTS = "model.safetensors"
OVERLAP = 32
"""Word pieces that neighbouring windows share, at most a quarter of a window."""
BATCH = 4096
"""Word pieces that are computed at once."""

Floats = npt.NDArray[np.float32]
Activation = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Facts:
    """What a card says of a classifier."""

    hub: str
    activation: Activation
    max_tokens: int
    revision: str = ""
    network: bool = False
    threshold: float = 0.5
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Transformer:
    """A Model over a sequence classifier of `transformers`."""

    card: Card
    space: Space
    facts: Facts
    columns: tuple[int, ...]
    """For each label of the network, the axis that it stands for."""
    tokenizer: Any
    network: Any

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return a Track for each text, or for each speaker of a talk; without confidence, since none is calibrated."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts; `languages` are not looked at. Labels of one name add up (`one`), or the surest counts."""
        values = np.full((len(texts), len(self.space.axes)), np.nan, np.float32)
        if texts:
            logits = self.logits(texts)
            said = sigmoid(logits) if self.facts.activation == "sigmoid" else softmax(logits)
            for axis in range(len(self.space.axes)):
                mine = said[:, [column == axis for column in self.columns]]
                if self.space.kind == "one":
                    values[:, axis] = mine.sum(1)
                elif mine.size:
                    values[:, axis] = mine.max(1)
        if self.space.kind == "one":
            return [Answer(self.space, values)]
        limits = np.full(len(self.space.axes), self.facts.threshold, np.float32)
        return [Answer(self.space, values, note=decided(values, limits, self.space.names))]

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return the logits of texts, n x labels; a long text's are the mean over its windows, by their length."""
        import torch  # noqa: PLC0415 - an extra, and loaded already

        size = self.facts.max_tokens
        encoded = self.tokenizer(
            [text.encode("utf-8", "replace").decode() for text in texts],
            truncation=True,
            max_length=size,
            stride=min(OVERLAP, size // 4),
            return_overflowing_tokens=True,
        )
        windows, owners = encoded["input_ids"], np.array(encoded["overflow_to_sample_mapping"], np.int64)
        lengths = np.array([len(window) for window in windows], np.float32)
        out = np.zeros((len(texts), len(self.columns)), np.float32)
        for rows, ids, mask in batches(windows, BATCH):
            ids[mask == 0] = self.tokenizer.pad_token_id or 0
            with torch.inference_mode():
                given = self.network(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
            np.add.at(out, owners[rows], given.logits.numpy() * lengths[rows, None])
        return out / np.bincount(owners, lengths, len(texts)).astype(np.float32)[:, None]


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
    facts, space = _facts(card), _space(card)
    if space.kind == "one" and facts.activation != "softmax":
        raise CatalogError(f"{card.id}: in {space.id} one label is right, which wants activation = 'softmax'")
    try:
        import torch  # noqa: F401, PLC0415 - an extra, loaded where it is needed
        import transformers  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError(card.id, "hub") from None
    folder = folder_of(card.id, facts.hub, facts.revision, SAFE, facts.network, network, card.path)
    if card.sha256 and not ((folder / WEIGHTS).is_file() and checksum(folder / WEIGHTS) == card.sha256):
        raise CatalogError(f"the weights of {card.id} are not what its card says: {folder / WEIGHTS} differs")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        classifier = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # transformers raises whatever its parts raise
        raise UnreadableError(f"{facts.hub} is no classifier that {card.id} can read: {first_line(error)}") from None
    if not tokenizer.is_fast:
        raise UnreadableError(f"{facts.hub} has no tokenizer.json, which {card.id} needs to read long texts in windows")
    limit = getattr(classifier.config, "max_position_embeddings", facts.max_tokens)
    if facts.max_tokens > limit:
        raise CatalogError(f"{card.id}: max_tokens is {facts.max_tokens}, but {facts.hub} reads {limit} at most")
    labels = classifier.config.id2label
    columns = _columns(card, facts, space, [labels[i] for i in range(len(labels))])
    return Transformer(card, space, facts, columns, tokenizer, classifier.float().eval())


def _facts(card: Card) -> Facts:
    """Return the facts of a card, checked."""
    kinds: dict[str, type | tuple[type, ...]] = {"hub": str, "activation": str, "max_tokens": int, "revision": str}
    kinds |= {"network": bool, "threshold": (int, float), "labels": Mapping}
    missing = [name for name in ("hub", "activation", "max_tokens") if not card.facts.get(name)]
    if missing:
        raise CatalogError(f"the card {card.id} lacks {', '.join(missing)}")
    said = {name: card.facts[name] for name in kinds if name in card.facts}
    wrong = [name for name, value in said.items() if not isinstance(value, kinds[name])]
    if wrong:
        raise CatalogError(f"in the card {card.id}, {', '.join(wrong)} is not of the kind that a classifier wants")
    facts = Facts(**said)
    if facts.activation not in get_args(Activation):
        raise CatalogError(f"{card.id}: activation is {' or '.join(get_args(Activation))}, not {facts.activation!r}")
    if facts.max_tokens < 8:
        raise CatalogError(f"{card.id}: max_tokens is at least 8, not {facts.max_tokens}")
    return facts


def _space(card: Card) -> Space:
    if len(card.spaces) != 1:
        raise CatalogError(f"{card.id}: a classifier answers in one space, not in {len(card.spaces)}")
    space: Space = load_card(card.spaces[0])
    if space.kind not in ("one", "any"):
        raise CatalogError(f"{card.id}: a classifier answers in labels, and {space.id} is of kind {space.kind!r}")
    return space


def _columns(card: Card, facts: Facts, space: Space, labels: Sequence[str]) -> tuple[int, ...]:
    named = dict(facts.labels) if facts.labels is not None else {label: label for label in labels}
    if set(named) != set(labels):
        odd = sorted(set(named) ^ set(labels))
        raise CatalogError(f"{card.id}: its labels and those of {facts.hub} differ in {', '.join(odd)}")
    return tuple(space.index(named[label]) for label in labels)
