"""`affetto demo`: a made film of talking people, analysed and told in one page, to see at once what Affetto does.

Parses, calls `api` and `recordings`, and shows; draws nothing itself.
"""

import time
from pathlib import Path

import click

from affetto.core.errors import AffettoError, UnreadableError
from affetto.serve.manners import OK, Entry, shared

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FILES = ("demo.mp4", "demo.srt", "demo.truth.json", "demo.html")
"""What it writes, in this order."""
_WORDS = {
    "demo.mp4": "two people talk, a third is heard; all drawn and spoken by Affetto",
    "demo.srt": "what they say",
    "demo.truth.json": "what is true of it: feelings, turns, places, one planned conflict",
    "demo.html": "what Affetto makes of the film; open it in a browser",
}


@click.command("demo", cls=Entry, context_settings=_HELP, short_help="Make a film of talking people, and analyse it.")
@click.option("--output", "-o", metavar="DIR", default="affetto-demo", show_default=True, help="Where to put it.")
@click.option("--overwrite", is_flag=True, help="Replace the demo that is there.")
@shared
def demo(output: str, overwrite: bool) -> int:
    """Draw a short film of people who talk, analyse it, and write one page that shows the answer beside the film.

    It takes about a minute, needs no network, and nobody real is seen or heard.

    Examples:
      affetto demo
      affetto demo --output talk --overwrite
    """
    folder = Path(output)
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise AffettoError(f"{str(folder / there[0])!r} is already there; say overwrite, or name another folder")
    from affetto import api, recordings  # noqa: PLC0415

    begun = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        film = recordings.demo_film(folder)
    except OSError as error:
        raise UnreadableError(f"{output!r} cannot be written: {error.strerror}; name a folder of yours") from None
    click.echo(f"made {film}, and analyse it ...", err=True)
    (record,) = api.perceive(film)
    recordings.report(record, folder / FILES[-1])
    for name in FILES:
        click.echo(f"{folder / name}\t{_WORDS[name]}")
    click.echo(f"in {time.monotonic() - begun:.0f} s", err=True)
    return OK
