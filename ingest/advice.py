"""Commands that help, written so that they work when they are pasted.

A message says the command last, after `run `: what follows that is the command.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from ingest.root import VARIABLE, Root, RootNotFound, find_root

PROGRAM = "ops-atomic"
RUN = ": run "


def command(root: Root | None, *words: str) -> str:
    """An `ops-atomic` command of these words, quoted for a shell.

    Names the program by its path unless a shell of the user would find it, and
    the root unless it is the one that is taken anywhere. None is for commands
    that have no root.
    """
    named = [] if root is None or _is_default(root) else ["--root", path(root.path)]
    return " ".join([_program(), *map(shlex.quote, words), *named])


def run(said: str, root: Root | None, *words: str) -> str:
    """What was found wrong, and the command that mends it."""
    return f"{said}{RUN}{command(root, *words)}"


def parted(said: str) -> tuple[str, str]:
    """What was found wrong, and the command that mends it, if one is named."""
    found, _, mend = said.partition(RUN)
    return found, mend


def make_root(root: Root) -> str:
    """The command that makes a root of a folder that looks like none."""
    return f"mkdir -p {path(root.reports)}"


def wrong_root(root: Root) -> str:
    """What is to be said of a root that looks wrong."""
    return (
        f"the root {root.path} has neither g nor knowledge/optimize in it, so it is "
        "hardly the folder that holds the reports: name another one with --root"
    )


def path(place: Path) -> str:
    """A path, quoted for a shell; the home folder is left to the shell.

    Messages show it as `~`, and within quotes that would be no home.
    """
    home = os.path.expanduser("~").rstrip("/")
    text = str(place)
    if home and text == home:
        return "~"
    if home and text.startswith(f"{home}/"):
        return f"~/{shlex.quote(text[len(home) + 1 :])}"
    return shlex.quote(text)


def _program() -> str:
    ours = Path(sys.prefix, "bin", PROGRAM)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if "VIRTUAL_ENV" not in os.environ:
        # An agent's PATH has it; a shell that nobody told has not.
        folders = [folder for folder in folders if Path(folder) != ours.parent]
    found = shutil.which(PROGRAM, path=os.pathsep.join(folders))
    if found and os.path.realpath(found) == os.path.realpath(ours):
        return PROGRAM
    return path(ours)


def _is_default(root: Root) -> bool:
    """Whether a shell in which nothing is set would take this root as well."""
    told = os.environ.get(VARIABLE)
    if told is not None and Path(told) != root.path:
        return False
    try:
        return root.path == find_root(environ={}).path
    except RootNotFound:
        return False
