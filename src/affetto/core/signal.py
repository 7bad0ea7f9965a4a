"""What the senses give. Text is held; sound, film and waves are lazy and come in bounded blocks.

Knows rates, shapes and lengths; reads no file itself: `media` hands it a way to.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnreadableError

Block = npt.NDArray[Any]
Opener = Callable[[float], Iterator[Block]]
"""Takes the seconds of a block and yields the blocks in order, the last one shorter."""


@dataclass(frozen=True)
class Text:
    """Written words, whole."""

    text: str
    language: str = ""
    """BCP 47 code such as `en`; empty where unknown."""

    def __post_init__(self) -> None:
        """Refuse what is no text."""
        if not isinstance(self.text, str):
            raise MalformedError(f"a Text wants a str, not {type(self.text).__name__}")


@dataclass(frozen=True)
class _Lazy:
    """What the lazy signals share: where they lie, how long they are, and how to open them."""

    path: str
    """The file they come from; empty where there is none."""
    rate: float
    """Samples, or frames, a second."""
    duration: float
    """Seconds; NaN where the file does not say."""
    open: Opener | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what has no clock."""
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise MalformedError(f"{type(self).__name__} wants a finite rate > 0, not {self.rate}")
        if self.duration < 0 or math.isinf(self.duration):
            raise MalformedError(f"{type(self).__name__} wants a duration >= 0 or NaN, not {self.duration}")

    def blocks(self, seconds: float = 10.0) -> Iterator[Block]:
        """Yield the signal in order, in arrays of at most `seconds`, so that it never lies in memory whole.

        Raises:
            UnreadableError: it came from JSON and nobody has opened its file yet.
        """
        if not seconds > 0:
            raise MalformedError(f"blocks want seconds > 0, not {seconds}")
        if self.open is None:
            raise UnreadableError(
                f"{self.path or 'this signal'} is only named here, not opened; read it again from its file"
            )
        return self.open(seconds)


@dataclass(frozen=True)
class Audio(_Lazy):
    """Sound; blocks are samples x channels, float32 in -1..1."""

    channels: int = 1


@dataclass(frozen=True)
class Frames(_Lazy):
    """Moving pictures; blocks are frames x height x width x 3, uint8 RGB."""

    size: tuple[int, int] = (0, 0)
    """Width and height in pixels."""


@dataclass(frozen=True)
class Waves(_Lazy):
    """Physiology; blocks are samples x channels, float32, each channel in its own unit."""

    channels: tuple[str, ...] = ()
    """Names such as `eda` or `ecg`."""
    units: tuple[str, ...] = ()
    """A unit for each channel."""


@dataclass(frozen=True, eq=False)
class Image:
    """A still picture: height x width x 3, uint8 RGB."""

    pixels: npt.NDArray[np.uint8]
    path: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no picture."""
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise MalformedError(
                f"an Image wants height x width x 3 uint8, not {self.pixels.shape} {self.pixels.dtype}"
            )

    def __eq__(self, other: object) -> bool:
        """Tell whether the pixels are the same."""
        return isinstance(other, Image) and np.array_equal(self.pixels, other.pixels)

    __hash__ = None  # type: ignore[assignment]


Signal = Text | Audio | Frames | Waves | Image
