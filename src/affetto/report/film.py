"""A film with what is seen in its faces burned in (.mp4): boxes, meshes, names, top labels.

It has the frames that were analysed, each as long as it stands for, and no sound. They are read, marked and written one
after the other, so that a film of any length does. Knows PyAV's way to write; `overlay` knows how a face is marked.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from affetto.core.errors import MalformedError, UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Frames
from affetto.core.track import Array
from affetto.report import faces
from affetto.report.overlay import paint

_CODECS = (("libx264", {"crf": "20", "preset": "veryfast"}), ("mpeg4", {"q:v": "4"}))
"""Those that PyAV may have, the better first."""
_TICK = Fraction(1, 1000)
"""Seconds of a tick of its clock; what all of the codecs can count in."""
_LEAST = 16
"""Pixels of the smallest side that an encoder takes."""


def write_film(record: Record, path: Path, largest: int = 1280) -> Path:
    """Draw the answers to a film into its frames; the same Record gives the same pictures.

    Args:
        record: with a film that is open, and Tracks of the channel `face`.
        path: the .mp4 to make; it is there when it is whole.
        largest: pixels of the longer side; a smaller film keeps its size.

    Returns:
        The path.

    Raises:
        MalformedError: the record has no film that is open, or nothing is said of a face in it, or it has no frame.
        UnreadableError: the file cannot be written.
    """
    frames = faces.film(record)
    everybody = faces.people(record)
    if frames is None or not everybody:
        lacks = "no film that is open" if frames is None else "no answers about faces"
        raise MalformedError(f"the Record {record.id!r} has {lacks}, so that nothing can be drawn into {path.name}")
    growing = path.with_name(f".{path.name}.part")
    try:
        count = _encode(_painted(frames, everybody, largest), growing, frames.rate)
        if not count:
            raise MalformedError(f"the film of the Record {record.id!r} has no frame, so that {path.name} is not made")
        growing.replace(path)
    except OSError as error:
        why = error.strerror or "PyAV refuses"
        raise UnreadableError(f"{str(path)!r} cannot be written: {why}; name a folder of yours") from None
    finally:
        growing.unlink(missing_ok=True)
    return path


def _painted(frames: Frames, everybody: list[faces.Person], largest: int) -> Iterator[tuple[float, Array]]:
    for second, frame in faces.moments(frames):
        high, wide = frame.shape[:2]
        scale = max(min(1.0, largest / max(high, wide)), _LEAST / min(high, wide))
        drawn = paint(frame, faces.marks(everybody, second), scale)
        yield second, np.pad(drawn, ((0, drawn.shape[0] % 2), (0, drawn.shape[1] % 2), (0, 0)), mode="edge")


def _encode(pictures: Iterator[tuple[float, Array]], path: Path, rate: float) -> int:
    """Write pictures of one size, each at its second; return how many there were."""
    import av  # noqa: PLC0415 - late, as all that is heavy

    count, last = 0, -1
    stream: Any = None
    with av.open(str(path), "w", format="mp4") as container:
        for second, drawn in pictures:
            if stream is None:
                codec, options = next(one for one in _CODECS if one[0] in av.codecs_available)
                stream = container.add_stream(codec, Fraction(rate).limit_denominator(1001), options=dict(options))
                stream.height, stream.width = drawn.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = _TICK
            if drawn.shape[:2] != (stream.height, stream.width):
                continue  # a film that changes its size in the middle keeps the first
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="rgb24")
            last = max(last + 1, round(second / _TICK))
            frame.pts, frame.time_base = last, _TICK
            container.mux(stream.encode(frame))
            count += 1
        if stream is not None:
            container.mux(stream.encode(None))
    return count
