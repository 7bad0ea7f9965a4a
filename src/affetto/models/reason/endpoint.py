"""A language model behind an address: any endpoint that speaks as OpenAI's does, asked with the standard library alone.

`/chat/completions` writes; `/completions` with `echo` and `logprobs` scores, where the server can. An address is never
a default: whoever names one asks for the network. The key comes from an environment variable and goes nowhere but to
that address: not into messages, not along to where a server points, in the clear only to this machine, past any proxy.
What comes back is hostile until parsed: limited in time over all tries, in size, in kind.
"""

import ipaddress
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from queue import Empty, SimpleQueue
from typing import IO, Any
from urllib.parse import urlsplit

from affetto.core.card import Card
from affetto.core.errors import CatalogError
from affetto.core.language import PLAIN, Floats, Message, NoAnswerError, Sampling

AGAIN = frozenset({429, 500, 502, 503, 504})
"""What a server says that may be over soon."""
_PIECE = 1 << 16
_SHOWN = 200
"""Characters of what a server says that a message shows."""


@dataclass(frozen=True)
class EndpointOptions:
    """Whom to ask, and how patiently."""

    url: str
    """Where the endpoint's paths begin, such as `http://localhost:8000/v1`."""
    model: str = ""
    """The model's name at the endpoint; some have one only and want none."""
    key: str = ""
    """The environment variable that holds the key; empty: none is sent."""
    patience: float = 60.0
    """Seconds for one answer, all tries and waits together."""
    tries: int = 3
    """How often one thing is asked, where the server says that it may be over soon."""
    pause: float = 0.5
    """Seconds before the second try, twice as many before the third; or what the server asks for."""
    most_bytes: int = 4_000_000
    """Of an answer."""

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that tells secrets."""
        try:
            parts = urlsplit(self.url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host or not self.url.isprintable() or " " in self.url:
            raise CatalogError("an endpoint is named as http://host:port/v1 or https://host/v1, and as nothing else")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise CatalogError("an endpoint's address has no user, password or query: name a key by its variable")
        if self.key and parts.scheme == "http" and not _here(host):
            raise CatalogError(f"a key is sent by https, or to this machine: {host} is named by http")
        if not (self.patience > 0 and self.tries >= 1 and self.pause >= 0 and self.most_bytes > 0):
            raise CatalogError("an endpoint wants patience, at least one try, a pause of 0 or more, and some bytes")


@dataclass(frozen=True)
class EndpointModel:
    """A LanguageModel at an address."""

    options: EndpointOptions
    card: Card | None = None

    @property
    def name(self) -> str:
        """The model and its host."""
        return f"{self.options.model or 'model'}@{urlsplit(self.options.url).netloc}"

    def generate(self, messages: Sequence[Message], sampling: Sampling = PLAIN) -> str:
        """Return what the endpoint wrote.

        Raises:
            NoAnswerError: not reached, too slow, refused, or not an answer.
        """
        asked: dict[str, Any] = {
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "max_tokens": sampling.most_tokens,
            "temperature": sampling.temperature,
        }
        if sampling.temperature:
            asked["seed"] = sampling.seed
        choice = self._choice("chat/completions", asked)
        said = choice.get("message")
        said = said if isinstance(said, Mapping) else {}
        refusal, content = said.get("refusal"), said.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        if isinstance(content, str) and content.strip():
            return content
        if refusal or choice.get("finish_reason") == "content_filter":
            raise NoAnswerError(f"{self.name} refused: {_shown(refusal or 'its filter stopped the answer')}")
        if content is None or isinstance(content, str):
            return ""
        raise NoAnswerError(f"{self.name} answered without words")

    def score(self, prompt: str, continuation: str) -> float:
        """Return the mean log-likelihood of the continuation's tokens; one that lies across its start counts.

        Raises:
            NoAnswerError: as above, or the server gives no likelihoods.
        """
        asked = {"prompt": prompt + continuation, "max_tokens": 0, "echo": True, "logprobs": 1, "temperature": 0}
        found = self._choice("completions", asked).get("logprobs")
        table = found if isinstance(found, Mapping) else {}
        starts, values = table.get("text_offset"), table.get("token_logprobs")
        if not (isinstance(starts, list) and isinstance(values, list) and len(starts) == len(values)):
            raise NoAnswerError(f"{self.name} gives no likelihoods of a text; score with a local model")
        ends = [*starts[1:], len(prompt) + len(continuation)]
        try:
            own = [
                float(value)
                for start, end, value in zip(starts, ends, values, strict=True)
                if value is not None and end > len(prompt) and start < len(prompt) + len(continuation)
            ]
        except (TypeError, ValueError):
            raise NoAnswerError(f"{self.name} gives likelihoods that are no numbers") from None
        if not own:
            raise NoAnswerError(f"{self.name} gives no likelihood of {_shown(continuation)!r}")
        return sum(own) / len(own)

    def hidden(self, text: str) -> Floats:
        """Refuse: no endpoint shows its states."""
        raise NoAnswerError(f"{self.name} shows no hidden states; ask a local model")

    def _choice(self, path: str, asked: dict[str, Any]) -> Mapping[str, Any]:
        """Return the first choice of an answer."""
        if self.options.model:
            asked["model"] = self.options.model
        body = self._patiently(path, json.dumps(asked).encode())
        try:
            choice = json.loads(body)["choices"][0]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NoAnswerError(f"{self.name} answered with something else than the JSON of {path}") from None
        if not isinstance(choice, Mapping):
            raise NoAnswerError(f"{self.name} answered with something else than the JSON of {path}")
        return choice

    def _patiently(self, path: str, body: bytes) -> bytes:
        """Ask, and again where that may help, until patience or tries end."""
        request = urllib.request.Request(f"{self.options.url.rstrip('/')}/{path}", body, self._headers())  # noqa: S310
        end = time.monotonic() + self.options.patience
        for number in range(1, self.options.tries + 1):
            said = self._within(request, end)
            if isinstance(said, bytes):
                return said
            wait = max(self.options.pause * 2 ** (number - 1), said.wait)
            if number == self.options.tries or not said.again or time.monotonic() + wait >= end:
                raise NoAnswerError(f"{self.name} {said.why}")
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "affetto"}
        if self.options.key:
            secret = os.environ.get(self.options.key, "").strip()
            if not secret or not secret.isascii() or not secret.isprintable():
                raise NoAnswerError(f"{self.name} wants a key: set the environment variable {self.options.key} to it")
            headers["Authorization"] = f"Bearer {secret}"
        return headers

    def _within(self, request: urllib.request.Request, end: float) -> "bytes | _Failed":
        """Ask once, in a thread that is left behind where even the headers only drip."""
        answers: SimpleQueue[bytes | _Failed] = SimpleQueue()
        threading.Thread(
            target=lambda: answers.put(_exchange(request, end, self.options.most_bytes)), daemon=True
        ).start()
        try:
            return answers.get(timeout=max(0.0, end - time.monotonic()) + 0.05)
        except Empty:
            return _Failed(f"did not answer within {self.options.patience:g} s")


@dataclass(frozen=True)
class _Failed:
    """Why one try failed, and whether another may help."""

    why: str
    again: bool = False
    wait: float = 0.0


class _Staying(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: whoever named an address did not name the next one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return nothing, so that being sent on is an error."""


def _exchange(request: urllib.request.Request, end: float, most: int) -> bytes | _Failed:
    """Send one request and read its answer, whole, in time and not too long."""
    left = end - time.monotonic()
    if left <= 0:
        return _Failed("did not answer in time")
    straight = [urllib.request.ProxyHandler({})] if _here(urlsplit(request.full_url).hostname or "") else []
    try:
        with urllib.request.build_opener(_Staying, *straight).open(request, timeout=left) as answer:
            parts, size = [], 0
            while piece := answer.read1(_PIECE):
                size += len(piece)
                if size > most:
                    return _Failed(f"answered with more than {most:,} bytes")
                if time.monotonic() > end:
                    return _Failed("did not finish its answer in time")
                parts.append(piece)
            wanted = answer.headers.get("Content-Length", "")
            if wanted.isdigit() and int(wanted) != size:
                return _Failed("broke off in the middle of its answer", again=True)
            return b"".join(parts)
    except urllib.error.HTTPError as error:
        with error:
            return _refused(error)
    except TimeoutError:
        return _Failed("did not answer in time")
    except (OSError, HTTPException, ValueError) as error:  # what urllib, http and addresses raise
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return _Failed("did not answer in time")
        return _Failed(
            f"was not reached: {_shown(reason) or type(reason).__name__}", isinstance(error, ConnectionError)
        )


def _refused(error: urllib.error.HTTPError) -> _Failed:
    """Return what a server's refusal says."""
    try:
        plain = json.loads(error.read(_PIECE))["error"]
        said = plain["message"] if isinstance(plain, Mapping) else plain
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError):
        said = ""
    if error.code in (301, 302, 303, 307, 308):
        said = "it has moved; name its new address"
    asked = error.headers.get("Retry-After", "") if error.headers else ""
    wait = float(asked) if asked.isdigit() and len(asked) < 6 else 0.0
    return _Failed(f"answered {error.code}{': ' if said else ''}{_shown(said)}", error.code in AGAIN, wait)


def _shown(said: object) -> str:
    """Return the beginning of what somebody said, on one line, without signs that steer a terminal."""
    plain = " ".join(str(said).split())[:_SHOWN]
    return "".join(sign for sign in plain if sign.isprintable())


def _here(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load(card: Card) -> EndpointModel:
    """Load the one that a card names by `url`, and may name by `model`, `key` (a variable's name), `patience`.

    Raises:
        CatalogError: the card names no address, or a fact that is none.
    """
    facts = {name: card.facts[name] for name in ("url", "model", "key", "patience", "tries") if name in card.facts}
    kinds: dict[str, type | tuple[type, ...]] = {"patience": (int, float), "tries": int}
    wrong = [name for name, value in facts.items() if not isinstance(value, kinds.get(name, str))]
    if wrong or "url" not in facts:
        raise CatalogError(f"the card {card.id} wants a url, and {', '.join(wrong) or 'it'} as its documentation says")
    return EndpointModel(EndpointOptions(**facts), card)
