"""Causal language models of the `transformers` library, from a folder or the hub: they write, score and show states.

A card of such a model says, besides what all cards say:

    kind = "language"
    load = "affetto.models.reason.local:load"
    hub = "owner/name"              or a folder, from the root or from where the card lies
    revision = "..."                the commit of the hub: the same card is the same model
    network = true                  whether the hub may be asked, where AFFETTO_NETWORK=1 allows it
    extra = "hub"

Nothing is fetched unless it is asked for, weights are safetensors and never pickles, code of others is never run. What
is longer than the model reads loses its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from affetto.core.card import Card
from affetto.core.errors import CatalogError, MissingExtraError, UnreadableError
from affetto.core.language import PLAIN, Floats, Message, NoAnswerError, Sampling
from affetto.models.weights import first_line, folder_of

SAFE = ("*.json", "*.txt", "*.model", "*.jinja", "*.safetensors")
"""The files of a hub that are fetched: no pickles, and no code."""
_ROOM = 1024
"""Tokens that a model reads whose configuration does not say."""


@dataclass(frozen=True)
class LocalOptions:
    """Which model."""

    hub: str
    """A folder, or `owner/name`."""
    revision: str = ""
    """Of the hub: nothing is fetched without one."""
    network: bool = False
    """Whether the hub may be asked where AFFETTO_NETWORK=1 allows it."""
    beside: str = ""
    """The file that a relative folder lies beside."""


@dataclass(frozen=True, eq=False)
class LocalModel:
    """A LanguageModel on this machine."""

    name: str
    tokenizer: Any
    network: Any
    card: Card | None = None

    @property
    def room(self) -> int:
        """How many tokens it reads at once."""
        return int(getattr(self.network.config, "max_position_embeddings", 0) or _ROOM)

    def generate(self, messages: Sequence[Message], sampling: Sampling = PLAIN) -> str:
        """Return what it wrote, without the messages.

        Raises:
            NoAnswerError: the answer wants more tokens than it reads, or its own library refused.
        """
        import torch  # noqa: PLC0415 - an extra, and loaded already

        most = sampling.most_tokens
        if most >= self.room:
            raise NoAnswerError(f"{self.name} reads {self.room} tokens: ask for an answer of fewer than {most}")
        try:
            ids = torch.tensor([self._ids(self._written(messages))[-(self.room - most) :]])
            drawn: dict[str, Any] = {"do_sample": True, "temperature": sampling.temperature}
            with torch.random.fork_rng(), torch.inference_mode():
                torch.manual_seed(sampling.seed)
                out = self.network.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=most,
                    pad_token_id=_first(self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0),
                    **(drawn if sampling.temperature else {"do_sample": False}),
                )
        except Exception as error:  # transformers raises whatever its parts raise
            raise NoAnswerError(f"{self.name} could not answer: {first_line(error)}") from None
        return str(self.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)).strip()

    def score(self, prompt: str, continuation: str) -> float:
        """Return the mean log-likelihood of the continuation's tokens; one that lies across its start counts.

        Raises:
            NoAnswerError: the continuation has no token, or its own library refused.
        """
        import torch  # noqa: PLC0415 - an extra, and loaded already

        encoded = self.tokenizer(_clean(prompt + continuation), return_offsets_mapping=True, add_special_tokens=False)
        first = _first(self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, 0)
        ids = [first, *encoded["input_ids"]][-self.room :]
        ends = [0, *(end for _, end in encoded["offset_mapping"])][-self.room :]
        own = [k for k in range(1, len(ids)) if ends[k] > len(_clean(prompt))]
        if not own:
            raise NoAnswerError("a continuation without words has no likelihood; give it some")
        try:
            with torch.inference_mode():
                logits = self.network(input_ids=torch.tensor([ids])).logits[0].double()
        except Exception as error:  # transformers raises whatever its parts raise
            raise NoAnswerError(f"{self.name} could not score: {first_line(error)}") from None
        sure = torch.log_softmax(logits, -1).numpy()
        return float(np.mean([sure[k - 1, ids[k]] for k in own]))

    def hidden(self, text: str) -> Floats:
        """Return the states of a text: layers (that of the embeddings first) x tokens x width.

        Raises:
            NoAnswerError: its own library refused.
        """
        import torch  # noqa: PLC0415 - an extra, and loaded already

        ids = torch.tensor([self._ids(text)[-self.room :]])
        try:
            with torch.inference_mode():
                given = self.network(input_ids=ids, output_hidden_states=True)
        except Exception as error:  # transformers raises whatever its parts raise
            raise NoAnswerError(f"{self.name} shows no states: {first_line(error)}") from None
        return np.concatenate([layer.float().numpy() for layer in given.hidden_states]).astype(np.float32)

    def _ids(self, text: str) -> list[int]:
        """Return the tokens of a text, at least one."""
        ids = list(self.tokenizer(_clean(text), add_special_tokens=False)["input_ids"])
        return ids or [_first(self.tokenizer.bos_token_id, self.tokenizer.eos_token_id, 0)]

    def _written(self, messages: Sequence[Message]) -> str:
        """Return the messages as the model was taught to read them, or plainly where it was not."""
        if getattr(self.tokenizer, "chat_template", None):
            plain = [{"role": message.role, "content": message.text} for message in messages]
            return str(self.tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True))
        return "".join(f"{message.role}: {message.text}\n\n" for message in messages) + "assistant:"


def opened(options: LocalOptions, card: Card | None = None) -> LocalModel:
    """Open a model.

    Raises:
        CatalogError: it would have to be fetched, and no revision is named.
        MissingExtraError: torch or transformers is not installed.
        UnreadableError: it is not on this machine, or is none that is read here.
    """
    what = card.id if card else options.hub
    try:
        import torch  # noqa: F401, PLC0415 - an extra, loaded where it is needed
        import transformers  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError(what, "hub") from None
    folder = folder_of(what, options.hub, options.revision, SAFE, options.network, False, options.beside)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        network = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except Exception as error:  # transformers raises whatever its parts raise
        raise UnreadableError(f"{options.hub} is no language model that is read here: {first_line(error)}") from None
    if not tokenizer.is_fast:
        raise UnreadableError(f"{options.hub} has no tokenizer.json, which scoring needs")
    ready: Any = network
    return LocalModel(card.id if card else folder.name, tokenizer, ready.float().eval(), card)


def load(card: Card) -> LocalModel:
    """Load the one that a card names.

    Raises:
        CatalogError: the card lacks `hub`, or a fact is of another kind.
        MissingExtraError: torch or transformers is not installed.
        UnreadableError: the model is not on this machine, or is none that is read here.
    """
    hub, revision, network = (card.facts.get(*pair) for pair in (("hub", ""), ("revision", ""), ("network", False)))
    if not (hub and isinstance(hub, str) and isinstance(revision, str) and isinstance(network, bool)):
        raise CatalogError(f"the card {card.id} wants hub and revision as strings, and network as true or false")
    return opened(LocalOptions(hub, revision, network, card.path), card)


def _clean(text: str) -> str:
    """Make a text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def _first(*numbers: int | None) -> int:
    """Return the first that is there."""
    return next(number for number in numbers if number is not None)
