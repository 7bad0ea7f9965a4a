"""What a language model is asked, and what whoever asks may rely on: one Protocol for all of them.

Knows messages, answers and the error of getting none; knows no vendor, no network and no prompt. Real ones, and a
scripted one that is part of the product, are in `models.reason`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

from affetto.core.errors import AffettoError, MalformedError

Role = Literal["system", "user", "assistant"]
Floats = npt.NDArray[np.float32]


class NoAnswerError(AffettoError):
    """A language model gave no answer: it was not reached, too slow, refused to serve, or cannot do what was asked."""


@dataclass(frozen=True)
class Message:
    """One contribution to a conversation with a language model."""

    role: Role
    """`system` (what it is to do), `user` (who asks) or `assistant` (what it said before)."""
    text: str

    def __post_init__(self) -> None:
        """Refuse what is no message."""
        if self.role not in get_args(Role) or not isinstance(self.text, str):
            raise MalformedError(f"a Message wants a role of {', '.join(get_args(Role))} and a text, not {self!r:.80}")


@dataclass(frozen=True)
class Sampling:
    """How an answer is to be written."""

    most_tokens: int = 256
    """Length of the answer, in the model's own word pieces."""
    temperature: float = 0.0
    """0: always the likeliest word; above, the more varied the higher."""
    seed: int = 0
    """Of whatever is random."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.most_tokens < 1 or not 0 <= self.temperature <= 5:
            raise MalformedError("Sampling wants most_tokens of at least 1 and a temperature in 0..5")


PLAIN = Sampling()
"""The likeliest words, not many."""


@runtime_checkable
class LanguageModel(Protocol):
    """Writes on, and says how likely words are.

    Each method raises `NoAnswerError`, and nothing else, where there is no answer or the model cannot do it.
    """

    @property
    def name(self) -> str:
        """Who it is, as it stands beside what it wrote."""
        ...

    def generate(self, messages: Sequence[Message], sampling: Sampling = PLAIN) -> str:
        """Return what comes after the messages, as it was written."""
        ...

    def score(self, prompt: str, continuation: str) -> float:
        """Return the mean log-likelihood (natural, at most 0) of the continuation's tokens after the prompt."""
        ...

    def hidden(self, text: str) -> Floats:
        """Return the states of a text: layers (that of the embeddings first) x tokens x width."""
        ...
