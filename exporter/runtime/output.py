"""What is printed. An output that takes nothing stops no run.

Standard output may be a full disk, a pipe whose reader has gone, or closed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

import click


def hold_streams_open() -> None:
    """Give what is closed of the standard streams a place that takes all.

    Else the next file that is opened, maybe the ledger, would be in its place.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def say(text: str, to_stderr: bool = False) -> str | None:
    """Print a line. Returns why that could not be done, None where it was."""
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is None:
        return "it is closed"
    # None leaves it to click, which looks at the terminal.
    color = False if os.environ.get("NO_COLOR") else None
    try:
        try:
            click.echo(text, err=to_stderr, color=color)
        except UnicodeEncodeError:
            plain = text.encode("ascii", "replace").decode()
            click.echo(plain, err=to_stderr, color=color)
    except OSError as error:
        _let_go(stream)
        return error.strerror or str(error)
    except ValueError:
        return "it is closed"
    return None


def _let_go(stream: TextIO) -> None:
    """What waits in a stream that takes nothing goes nowhere, or the end of the
    process would try to print it once more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
