"""The name of the machine that a root's data is of.

It stands in every row of the marts, so that it outlives a change of the host's
name: it is what was recorded in the state first, unless the operator names it.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from exporter.runtime.state_folder import make_state_folder
from ingest import files
from ingest.root import Root

VARIABLE = "OPS_ATOMIC_MACHINE"
# It may become the name of a folder: dots alone would be another one.
NAME = re.compile(r"(?!\.+\Z)[A-Za-z0-9._-]+", re.ASCII)
NO_NAME = "localhost"


class BadMachine(ValueError):
    """OPS_ATOMIC_MACHINE holds no name."""


def machine_name(root: Root) -> str:
    """The machine's name: OPS_ATOMIC_MACHINE, else what the state has recorded,
    else the host's short name.

    Writes nothing. Raises BadMachine.
    """
    name = os.environ.get(VARIABLE, "").strip()
    return (name and check_name(name)) or _recorded_name(_place(root)) or _host_name()


def machine_to_tell(root: Root) -> str:
    """The same for a message, which is told even where OPS_ATOMIC_MACHINE is no
    name: that then is passed over."""
    try:
        return machine_name(root)
    except BadMachine:
        return _recorded_name(_place(root)) or _host_name()


def record_machine(root: Root) -> str:
    """The same, and recorded for runs to come. For those who hold the lock.

    Raises BadMachine, OSError.
    """
    name, place = machine_name(root), _place(root)
    if _recorded_name(place) != name:
        make_state_folder(root)
        files.refuse_what_is_no_file(place)
        files.write_exactly(place, f"{name}\n".encode(), 0o600)
    return name


def check_name(text: str) -> str:
    """A machine's name without spaces around it. Raises BadMachine."""
    name = text.strip()
    if not NAME.fullmatch(name):
        raise BadMachine(
            f"{VARIABLE} is {text!r}: set it to letters, digits, `.`, `_` and `-`, "
            "such as mac-mini.office"
        )
    return name


def _place(root: Root) -> Path:
    return root.state / "machine"


def _recorded_name(place: Path) -> str | None:
    """What is recorded; None where nothing is, or what is no name."""
    try:
        text = place.read_text(encoding="ascii") if place.is_file() else ""
    except (OSError, ValueError):
        return None
    return text.strip() if NAME.fullmatch(text.strip()) else None


def _host_name() -> str:
    short = socket.gethostname().partition(".")[0]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", short).strip("-")
    return name if NAME.fullmatch(name) else NO_NAME
