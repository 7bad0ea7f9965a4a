"""What the senses give. Text is held; sound, film and waves are lazy and come in bounded blocks; pictures are either.

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
Times = npt.NDArray[np.float64]
Clock = Callable[[float], Iterator[tuple[Times, Block]]]
"""As an `Opener`, and yields the second of each frame before each block."""
Pixels = npt.NDArray[np.uint8]


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
    """Moving pictures; blocks are frames x height x width x 3, uint8 RGB, upright, a few of them at a time.

    A block may be far shorter than asked for, where frames are large: no block takes much memory.
    """

    size: tuple[int, int] = (0, 0)
    """Width and height in pixels."""
    clock: Clock | None = field(default=None, compare=False, repr=False)
    """Opens it with the second of each frame; None where frame k is at k / rate."""

    def timed(self, seconds: float = 10.0) -> Iterator[tuple[Times, Block]]:
        """Yield blocks as `blocks` does, each after the seconds of its frames, float64, from the start of the media.

        Raises:
            UnreadableError: it came from JSON and nobody has opened its file yet.

        >>> film = Frames("", 5.0, 0.4, open=lambda _: iter([np.zeros((2, 4, 4, 3), np.uint8)]))
        >>> [times.tolist() for times, _ in film.timed()]
        [[0.0, 0.2]]
        """
        blocks = self.blocks(seconds)
        return self.clock(seconds) if self.clock is not None else self._ticks(blocks)

    def _ticks(self, blocks: Iterator[Block]) -> Iterator[tuple[Times, Block]]:
        at = 0
        for block in blocks:
            yield np.arange(at, at + len(block)) / self.rate, block
            at += len(block)


@dataclass(frozen=True)
class Waves(_Lazy):
    """Physiology; blocks are samples x channels, float32, each channel in its own unit."""

    channels: tuple[str, ...] = ()
    """Names such as `eda` or `ecg`."""
    units: tuple[str, ...] = ()
    """A unit for each channel."""


class Image:
    """A still picture: height x width x 3, uint8 RGB; held, or decoded anew each time that its pixels are asked for.

    Thousands of pictures can so lie in Records: whoever looks at one takes its `pixels` once.

    Args:
        pixels: the picture, where it is held.
        path: the file it comes from; empty where there is none.
        size: width and height in pixels, where it is not held.
        open: decodes it, where it is not held; None: it is only named here.

    Raises:
        MalformedError: the pixels are no picture, or the size is none.

    >>> Image(np.zeros((2, 3, 3), np.uint8)).size
    (3, 2)
    """

    __slots__ = ("_held", "open", "path", "size")

    def __init__(
        self,
        pixels: Pixels | None = None,
        path: str = "",
        size: tuple[int, int] = (0, 0),
        open: Callable[[], Pixels] | None = None,
    ) -> None:
        """Refuse what is no picture."""
        if pixels is not None and (pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8):
            raise MalformedError(f"an Image wants height x width x 3 uint8, not {pixels.shape} {pixels.dtype}")
        if len(size) != 2 or not all(isinstance(side, int) and side >= 0 for side in size):
            raise MalformedError(f"an Image wants a width and a height in whole pixels >= 0, not {size!r:.60}")
        self._held = pixels
        self.path = path
        self.size = size if pixels is None else (pixels.shape[1], pixels.shape[0])
        self.open = open

    @property
    def pixels(self) -> Pixels:
        """The picture.

        Raises:
            UnreadableError: it came from JSON and nobody has opened its file yet, or its file is gone.
        """
        if self._held is not None:
            return self._held
        if self.open is None:
            raise UnreadableError(
                f"{self.path or 'this picture'} is only named here, not opened; read it again from its file"
            )
        return self.open()

    def __eq__(self, other: object) -> bool:
        """Tell whether the pixels are the same, or, where one of them is not held, path and size."""
        if not isinstance(other, Image):
            return False
        if self._held is None or other._held is None:
            return (self.path, self.size) == (other.path, other.size)
        return np.array_equal(self._held, other._held)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return its path and size."""
        return f"Image(path={self.path!r}, size={self.size})"


Signal = Text | Audio | Frames | Waves | Image
