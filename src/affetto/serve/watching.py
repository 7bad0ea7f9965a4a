"""Options of those commands that go through recordings as a whole. Decides nothing."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from affetto.timeline import Watching

Command = TypeVar("Command", bound=Callable[..., Any])
NAMES = ("fusion", "baseline", "recognizer")
"""The options that change how a recording is gone through."""


def recording_options(command: Command) -> Command:
    """Give a command the options of recordings."""
    for option in reversed(
        (
            click.option(
                "--report", "report", metavar="FILE", help="Of one recording: a page to look at and to send (.html)."
            ),
            click.option(
                "--transcript",
                metavar="FILE",
                help="Of one recording: its words with their times (.srt .vtt .csv .json .TextGrid .eaf .rttm)  "
                "[default: subtitles beside it or inside it]",
            ),
            click.option(
                "--recognizer", metavar="ID", help="Who writes down the words where there are none: hub.faster-whisper."
            ),
            click.option(
                "--fusion",
                type=click.Choice(["late", "attention", "none"]),
                default="late",
                show_default=True,
                help="Of recordings: how face, voice and words are brought together.",
            ),
            click.option(
                "--baseline", is_flag=True, help="Of recordings: add deviations from each person's own usual."
            ),
        )
    ):
        command = option(command)
    return command


def watching(reading: Mapping[str, Any]) -> "Watching | None":
    """Return how recordings are to be gone through; None where nothing unusual was said."""
    said = {name: reading[name] for name in NAMES}
    if said == {"fusion": "late", "baseline": False, "recognizer": None}:
        return None
    from affetto.timeline import Watching  # noqa: PLC0415 - words need none of this

    fusion = "" if said["fusion"] == "none" else said["fusion"]
    return Watching(fusion=fusion, baseline=said["baseline"], recognizer=said["recognizer"] or "")
