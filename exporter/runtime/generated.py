"""What libraries generate from texts while they run, kept from process to process.

Python keeps what it has compiled of a file (`__pycache__`). What a library makes
itself, such as the methods of a dataclass, is put together and compiled anew in each
process: the same each time. Here it is kept in the same way, and found by the text
that it is made from: what is not known is made, as ever.

Where it lies, and why, says kept.py; set_up.py leaves it there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import marshal
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType
from typing import Any

from exporter.runtime.environment import KEPT
from exporter.runtime.kept import fingerprint, keep, read_kept

# Who makes it, and the text from which.
Key = tuple[str, str]
DATACLASSES = "dataclasses"
# Of all that the command imports but for dbt.
COMMAND = KEPT / "generated_for_command.marshal"


class Generated:
    """Code and plain data, by who makes it and from which text.

    `asked` is what this process had a use for, and has not packed yet.
    """

    def __init__(self) -> None:
        self.known: dict[Key, Any] = {}
        self.asked: set[Key] = set()

    def read(self, place: Path, packages: Iterable[str] = ()) -> bool:
        """Take what is kept at a place for this Python and these versions of
        packages; whether there is anything."""
        kept = read_kept(place, fingerprint((), packages))
        if kept is not None:
            self.unpack(kept)
        return kept is not None

    def keep(self, place: Path, packages: Iterable[str] = ()) -> None:
        """Keep what this process had a use for, and nothing else."""
        keep(place, fingerprint((), packages), self.pack())

    def pack(self) -> bytes:
        """What this process had a use for: of this Python, and for no other."""
        packed = {}
        for key in sorted(self.asked):
            # Of other data than plain, each process makes its own.
            with contextlib.suppress(ValueError):
                marshal.dumps(self.known[key])
                packed[key] = self.known[key]
        self.asked.clear()
        return marshal.dumps(packed)

    def unpack(self, packed: bytes) -> None:
        self.known |= marshal.loads(packed)

    def take(self, by: str, text: str, make: Callable[[], Any]) -> Any:
        """What is made from a text: only where it is not known, it is made."""
        key = by, text
        made = self.known.get(key)
        if made is None:
            made = self.known[key] = make()
        self.asked.add(key)
        return made

    def execute(self, text: str, names: dict[str, Any], into: dict[str, Any]) -> None:
        """Execute a text as `exec` does: what dataclasses do with their methods."""

        def make() -> CodeType:
            return compile(text, "<string>", "exec", dont_inherit=True)

        exec(self.take(DATACLASSES, text, make), names, into)


# That of this process.
GENERATED = Generated()


def take_dataclasses() -> None:
    """Let the methods of all dataclasses to come be taken from what is known."""
    # It stands in for the builtin in that module.
    dataclasses.exec = GENERATED.execute  # type: ignore[attr-defined]
