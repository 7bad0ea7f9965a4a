"""What becomes of a recording that was perceived: a page, small pictures of its peaks, and one made to try it all on.

Ties media, study, report and generate together; decides nothing itself.
"""

import mimetypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.signal import Audio, Frames

MOST = 24_000_000
"""Bytes of a film or sound that a page holds itself; a larger one stays beside it."""
Stills = dict[str, list[tuple[float, bytes]]]


def report(record: Record, out: str | Path, media: str | Path | None = None) -> Path:
    """Write the page of a perceived recording: one file that holds all it needs.

    Args:
        record: with Tracks.
        out: the .html file to make.
        media: the recording itself; by default where `meta["path"]` says it lies. Where it is gone, the page does
            without; one that would take more than 24 MB even when made small is linked, not held.

    Returns:
        The path of the page.
    """
    from affetto.report.html import Player, moments, page  # noqa: PLC0415 - templates are not for every day

    out, path = Path(out), _media(record, media)
    player = None
    if path is not None:
        from affetto.media.proxy import proxy  # noqa: PLC0415 - words need no PyAV

        small = proxy(path, MOST)
        if small is None:
            kind = mimetypes.guess_type(path.name)[0] or "video/mp4"
            player = Player(kind, None, Path(os.path.relpath(path, out.parent)).as_posix())
        else:
            player = Player(small[1], small[0])
    stills = _pictures(moments(record), path) if path is not None and _is_film(record) else {}
    text = page(record, player, stills)
    fresh = out.with_name(out.name + ".part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(out)
    return out


def stills(record: Record, folder: str | Path, media: str | Path | None = None) -> Iterator[Path]:
    """Write a small picture of each person's peaks into a folder, and yield each path.

    Raises:
        UnreadableError: there is no film.
    """
    path = _media(record, media)
    if path is None or not _is_film(record):
        raise UnreadableError(f"record {record.id!r} has no film at hand to take pictures from; name it as the media")
    from affetto.study.course import summarize  # noqa: PLC0415

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    peaks = {one.subject: [peak.at for peak in one.peaks] for one in summarize(record).people}
    for subject, shots in _pictures(peaks, path).items():
        for second, picture in shots:
            safe = "".join(letter if letter.isalnum() else "-" for letter in subject)
            file = folder / f"{safe}-{second:.1f}s.jpg"
            file.write_bytes(picture)
            yield file


def demo_film(folder: str | Path) -> Path:
    """Draw and speak a short film of two people into a folder, with its subtitles and its truth; return its path."""
    from affetto.generate import demo  # noqa: PLC0415

    return demo.make(Path(folder))


def _media(record: Record, media: str | Path | None) -> Path | None:
    """Return where a recording lies; None where nobody knows, or it is gone.

    Raises:
        UnreadableError: somebody named it, and there is no such file.
    """
    if media is not None:
        if not Path(media).is_file():
            raise UnreadableError(f"there is no file {str(media)!r}; name the recording that was perceived")
        return Path(media)
    moving = any(isinstance(signal, Audio | Frames) for signal in record.signals)
    said = record.meta.get("path")
    return Path(str(said)) if moving and said and Path(str(said)).is_file() else None


def _is_film(record: Record) -> bool:
    return any(isinstance(signal, Frames) for signal in record.signals)


def _pictures(moments: Mapping[str, list[float]], path: Path) -> Stills:
    """Return a small picture of each moment of each person of a film."""
    from affetto.media.proxy import still  # noqa: PLC0415 - words need no PyAV

    found = [(subject, second) for subject, seconds in moments.items() for second in seconds]
    pictures: Stills = {}
    for (subject, second), picture in zip(found, still(path, [second for _, second in found]), strict=True):
        pictures.setdefault(subject, []).append((second, picture))
    return pictures
