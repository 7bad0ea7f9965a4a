"""How all pictures look, and how they come into a file: letters, colours, the same bytes each time. Knows no Record."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affetto.core.errors import UnreadableError
from affetto.report.strips import INK

SUFFIXES = (".png", ".svg", ".pdf")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in our letters and colours, whatever somebody has set, and leave that as it was."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    ours: Any = {
        "font.size": 8.5,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "affetto",
        "pdf.fonttype": 42,
        "axes.edgecolor": "#999999",
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "path.simplify": True,
        "text.parse_math": False,
    }
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # scripts that the font lacks are boxes, and stand in SVG
        mpl.rcdefaults()
        mpl.rcParams.update(ours)
        yield


def save(drawn: Any, path: Path) -> Path:
    """Write a `matplotlib.figure.Figure` to a file, whose suffix is one of `SUFFIXES`; return the path.

    Raises:
        UnreadableError: the file cannot be written.
    """
    kind = path.suffix.lower()[1:]
    facts: dict[str, dict[str, Any]] = {
        "png": {"Software": "affetto"},
        "svg": {"Date": None, "Creator": "affetto"},
        "pdf": {"CreationDate": None, "Creator": "affetto", "Producer": "affetto"},
    }
    try:
        with style():
            drawn.savefig(path, format=kind, metadata=facts[kind])
    except OSError as error:
        raise UnreadableError(f"{str(path)!r} cannot be written: {error.strerror}; name a folder of yours") from None
    return path
