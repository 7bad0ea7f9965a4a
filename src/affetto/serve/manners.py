"""How every command behaves: its exit codes, errors as one sentence, quiet pipes, options that all of them share.

Knows click; knows no command.
"""

import contextlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import click

from affetto.core.errors import AffettoError, CatalogError, MissingExtraError

OK, SOME_FAILED, BAD_INPUT, MISSING_PART, OWN_FAULT, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 3, 4, 130, 141
Command = TypeVar("Command", bound=Callable[..., Any])


class Entry(click.Command):
    """A command whose help keeps the lines of its examples as they are written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = as_written(self.help)


class Page(click.Group):
    """A group of commands that return their exit code, and whose errors are one sentence each."""

    command_class = Entry

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = as_written(self.help)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and leave with its exit code."""
        try:
            _safe_streams()
            code = super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            _say("stopped")
            code = INTERRUPTED
        except BrokenPipeError:
            code = _close_quietly()
        except Exception as error:
            if ctx.find_root().params.get("debug"):
                traceback.print_exc()
            code = _tell(error)
        ctx.exit(code if isinstance(code, int) else OK)


def as_written(help: str | None) -> str | None:
    """Mark examples and exit codes so that click does not fill their lines."""
    return help and re.sub(r"\n\n(?=(Examples?|Exit codes):\n)", "\n\n\b\n", inspect.cleandoc(help))


_OPTIONS = (
    (r"\b(?:say|run with) (overwrite|resume)\b(?:=True)?", r"add --\1"),
    (r"\bor overwrite\b", "or --overwrite"),
    (r"\bsay suffix='\.(\w+)'", r"add --as \1"),
    (r"\bsay column=\.\.\., one of", "add --column NAME, one of"),
    (r"\bsay layout=\.\.\., one of", "add --layout NAME, one of"),
    (r"\bread it a line at a time\b", "add --lines"),
    (r"\bname its encoding\b", "add --encoding NAME"),
    (r"\bwrite with shape='long'", "write with --long"),
)
"""How the rooms name a way out in Python, and how the command line does."""


def in_options(words: str) -> str:
    """Return an error's words with the ways out as options.

    >>> in_options("'a.csv' is already there; say overwrite, or name another file")
    "'a.csv' is already there; add --overwrite, or name another file"
    """
    for python, option in _OPTIONS:
        words = re.sub(python, option, words)
    return words


def _tell(error: Exception) -> int:
    """Say an error in one sentence; return the exit code."""
    words = in_options(" ".join(str(error).split()))
    if isinstance(error, AffettoError):
        _say(words)
        return MISSING_PART if isinstance(error, MissingExtraError | CatalogError) else BAD_INPUT
    if isinstance(error, OSError):
        _say(f"{error.strerror or words}{f': {error.filename}' if error.filename else ''}")
        return BAD_INPUT
    if isinstance(error, MemoryError):
        _say("there is not enough memory for this")
        return OWN_FAULT
    _say(f"a fault of Affetto's own: {type(error).__name__}: {words}; --debug tells where. Please report it")
    return OWN_FAULT


def _say(words: str) -> None:
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    click.echo(f"{click.style('affetto:', fg='red') if colour else 'affetto:'} {words}", err=True)


def _safe_streams() -> None:
    """Let no character stop the output: pipes speak UTF-8, and what cannot be written stands as its code."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def _close_quietly() -> int:
    """Whoever read our output has gone: write the rest nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().params["debug"] = True


def _columns(_: click.Context, __: click.Parameter, said: tuple[str, ...]) -> str | tuple[str, ...] | None:
    """Return the one column, or the several, each once; None where nobody said one."""
    names = tuple(dict.fromkeys(said))
    return names if len(names) > 1 else next(iter(names), None)


def _channels(_: click.Context, __: click.Parameter, said: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channels asked for, each once, whether said one by one or with commas."""
    return tuple(dict.fromkeys(name.strip().lower() for one in said for name in one.split(",") if name.strip()))


def shared(command: Command) -> Command:
    """Give a command the options that all have."""
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_debug, help="On an error, show where it came from."
    )(command)


def input_options(command: Command) -> Command:
    """Give a command the argument and the options that say what to read, and with which model."""
    for option in reversed(
        (
            click.argument("what", nargs=-1, metavar="[TEXT | FILE | FOLDER | -]"),
            click.option("--text", "as_text", is_flag=True, help="Take it as a text, even if it looks like a file."),
            click.option(
                "--column",
                "-c",
                multiple=True,
                callback=_columns,
                metavar="NAME",
                help="Column of a table that holds the words; said more than once, each is read on its own.",
            ),
            click.option(
                "--id-column", metavar="NAME", help="Column that names the rows  [default: id, or the number]"
            ),
            click.option("--lines", is_flag=True, help="Of a .txt or a pipe: each line is a text of its own."),
            click.option(
                "--as", "suffix", metavar="SUFFIX", help="Read the file or pipe as csv, tsv, jsonl, srt, txt ..."
            ),
            click.option("--encoding", metavar="NAME", help="How the characters are written  [default: UTF-8]"),
            click.option(
                "--model",
                "-m",
                "models",
                multiple=True,
                metavar="ID",
                help="Who answers; may be said more than once  [default: by what it is, and by language]",
            ),
            click.option(
                "--channel",
                "channels",
                multiple=True,
                callback=_channels,
                metavar="NAME",
                help="Only text, voice or face: ask no models of other channels; face,voice asks both.",
            ),
            click.option(
                "--rate",
                type=click.FloatRange(0, 120),
                default=0.0,
                metavar="HZ",
                help="Of a recording: answers a second, of voices a curve, of films the frames that are looked at  "
                "[default: one for each stretch of voice; 5 frames]",
            ),
            click.option(
                "--speakers",
                metavar="NAMES",
                help="Of a recording: each channel is a speaker of its own: 'channels', or their names: agent,customer",
            ),
            click.option("--language", "-l", metavar="CODE", help="Language of the words, such as en, de, pt-BR."),
        )
    ):
        command = option(command)
    return command
