"""A language model that follows a script: for tests, demos and dry runs, and to measure what is built around one.

What it says is planned, and so are its faults: refusals, silence, nothing, nonsense, prose around JSON, each in a known
share of its calls. The same seed and prompt get the same answer, whatever was asked before. Knows nothing of feelings.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from affetto.core.card import Card
from affetto.core.errors import MalformedError
from affetto.core.language import PLAIN, Floats, Message, NoAnswerError, Sampling

Script = Callable[[str], str]
"""Takes all that was said (messages, an empty line between) and returns the answer."""
KINDS = ("refusal", "silence", "nothing", "nonsense", "prose")
REFUSAL = "I'm sorry, but I can't help with that."
_PROSE = "Sure, let me think about this.\n```json\n{}\n```\nI hope that helps!"
_SYLLABLES = "ba ke lo mi nu pra sto vel quo zim".split()
_WIDTH, _LAYERS = 8, 3


@dataclass(frozen=True)
class Faults:
    """In which share of the calls something goes wrong; at most 1 together."""

    refusal: float = 0.0
    """It says that it cannot help."""
    silence: float = 0.0
    """It does not answer in time: `NoAnswerError`."""
    nothing: float = 0.0
    """The answer is empty."""
    nonsense: float = 0.0
    """The answer is made of syllables."""
    prose: float = 0.0
    """The answer is right, but in JSON with prose around it."""

    def __post_init__(self) -> None:
        """Refuse what are no shares."""
        shares = [getattr(self, kind) for kind in KINDS]
        if min(shares) < 0 or sum(shares) > 1:
            raise MalformedError("Faults are shares of all calls, each 0 or more, and at most 1 together")


@dataclass(frozen=True)
class ScriptedModel:
    r"""A LanguageModel that follows a script.

    >>> model = ScriptedModel(rules=((r"sad", "I am sorry."), (r"my (\w+)", r"What of your \1?")))
    >>> model.generate([Message("user", "It is about my dog.")])
    'What of your dog?'
    """

    rules: tuple[tuple[str, str], ...] = ()
    """Regular expressions and answers, whose \\1 are what they found; the first that is found anywhere counts."""
    script: Script | None = None
    """Instead of rules, or where none fits."""
    otherwise: str = "I see."
    """What is said where nothing else is."""
    faults: Faults = Faults()
    seed: int = 0
    name: str = "fake.language"
    card: Card | None = None
    likely: Mapping[str, float] = field(default_factory=dict)
    """Log-likelihoods of continuations that are known; of others it counts words that the prompt lacks."""

    def generate(self, messages: Sequence[Message], sampling: Sampling = PLAIN) -> str:
        """Return the scripted answer, or its fault; of `sampling` nothing is looked at but the length in words."""
        said = "\n\n".join(message.text for message in messages)
        rng = _random(self.seed, said)
        fault = _drawn(rng, self.faults)
        if fault == "silence":
            raise NoAnswerError(f"{self.name} did not answer in time, as its script says")
        if fault == "refusal":
            return REFUSAL
        if fault == "nothing":
            return ""
        if fault == "nonsense":
            return " ".join(_SYLLABLES[k] for k in rng.integers(0, len(_SYLLABLES), 6))
        answer = self._answer(said)
        if fault == "prose":
            bare = answer.replace("\\", "").replace('"', "'")
            return _PROSE.format(f'{{"answer": "{bare}", "sure": true}}')
        return " ".join(answer.split(" ")[: sampling.most_tokens])

    def score(self, prompt: str, continuation: str) -> float:
        """Return the known log-likelihood, or -1 - 4 x (share of the continuation's words that the prompt lacks)."""
        if continuation in self.likely:
            return float(self.likely[continuation])
        words, known = re.findall(r"\w+", continuation.casefold()), set(re.findall(r"\w+", prompt.casefold()))
        if not words:
            raise NoAnswerError("a continuation without words has no likelihood; give it some")
        return -1.0 - 4.0 * sum(word not in known for word in words) / len(words)

    def hidden(self, text: str) -> Floats:
        """Return states of the words, from their letters: 3 layers x words x 8."""
        words = text.split() or [""]
        rows = [_random(self.seed, word).standard_normal((_LAYERS, _WIDTH)) for word in words]
        return np.stack(rows, 1).astype(np.float32)

    def _answer(self, said: str) -> str:
        for pattern, answer in self.rules:
            match = re.search(pattern, said, re.IGNORECASE)
            if match:
                return match.expand(answer)
        return self.script(said) if self.script else self.otherwise


@dataclass(frozen=True)
class Confused:
    """A script that knows what is true, and errs in a known way: asked to choose, it confuses labels as a matrix says.

    Which labels it may choose from it reads in the line that begins with `Choices:`. Its leaning towards each label is
    drawn once (log of the matrix' row, and noise whose highest sum is a draw from the row: Gumbel-max), so that asked
    again with fewer choices it is the same mind. Where it may say `none of these` it does so in a known share of cases.
    """

    truth: str
    names: tuple[str, ...]
    matrix: npt.NDArray[np.float64]
    """n x n, rows truth, columns what is said, each row summing to 1."""
    key: str = ""
    """What the noise is drawn from, besides the seed: the dialogue's id."""
    misses: float = 0.5
    """Share of cases in which it does not notice that the truth is not among the choices."""
    doubts: float = 0.1
    """Share of cases in which it says `none of these` though the truth is among them."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no matrix of confusion."""
        n = len(self.names)
        if self.truth not in self.names or np.shape(self.matrix) != (n, n) or not np.allclose(self.matrix.sum(1), 1):
            raise MalformedError(
                f"Confused wants a truth among its {n} names and a {n} x {n} matrix whose rows sum to 1"
            )

    def __call__(self, said: str) -> str:
        """Return one of the choices, or `none of these`, or `I see.` where nothing is to be chosen."""
        offered = choices_in(said)
        known = [name for name in offered if name in self.names]
        if not known:
            return "I see."
        rng = _random(self.seed, f"{self.key}\n{self.truth}")
        noise, doubt, miss = rng.gumbel(size=len(self.names)), rng.random(), rng.random()
        if "none of these" in offered:
            rejected = doubt < self.doubts if self.truth in known else miss >= self.misses
            if rejected:
                return "none of these"
        with np.errstate(divide="ignore"):
            leaning = np.log(self.matrix[self.names.index(self.truth)]) + noise
        return max(known, key=lambda name: leaning[self.names.index(name)])


def choices_in(said: str) -> list[str]:
    r"""Return what the last line that begins with `Choices:` offers.

    >>> choices_in("What is it?\nChoices: sad, angry, none of these")
    ['sad', 'angry', 'none of these']
    """
    lines = [line for line in said.splitlines() if line.startswith("Choices:")]
    return [name.strip() for name in lines[-1].removeprefix("Choices:").split(",")] if lines else []


def load(card: Card) -> ScriptedModel:
    """Load the one whose rules (pairs of pattern and answer) a card has."""
    rules = tuple((str(pattern), str(answer)) for pattern, answer in card.facts.get("rules", ()))
    return ScriptedModel(rules, script=_first_choice, name=card.id, card=card)


def _first_choice(said: str) -> str:
    """Return the first of the choices, where there are any."""
    return (choices_in(said) or ["I see."])[0]


def _random(seed: int, words: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{words}".encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(np.frombuffer(digest[:16], np.uint32))


def _drawn(rng: np.random.Generator, faults: Faults) -> str:
    """Return the fault of this call, or nothing."""
    left = rng.random()
    for kind in KINDS:
        left -= getattr(faults, kind)
        if left < 0:
            return kind
    return ""
