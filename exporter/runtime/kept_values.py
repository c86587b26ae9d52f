"""Values that are made of the project's own files, kept until one of these changes."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from exporter.runtime.environment import KEPT
from exporter.runtime.kept import fingerprint, keep, read_kept

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value under a name: `make` makes it of `files`, the code that does included."""

    name: str
    files: Callable[[], Iterable[Path]]
    make: Callable[[], T]

    def key(self) -> bytes:
        """Stands for all files. Raises OSError."""
        return fingerprint(self.files())

    def take(self, place: Path = KEPT) -> T:
        """What is kept, or what the files say. Raises what `make` does."""
        with contextlib.suppress(Exception):  # of what was kept, nothing is an error
            pickled = read_kept(place / self.name, self.key())
            if pickled is not None:
                found: T = pickle.loads(pickled)
                return found
        return self.make()

    def keep(self, place: Path = KEPT) -> None:
        """Make it, and keep it for the files that it was made of.

        Only the set-up does, at once: in a process that has gone on for long, other
        code may be at work than lies in those files now. Raises what `make` does, and
        OSError.
        """
        key = self.key()
        pickled = pickle.dumps(self.make(), protocol=pickle.HIGHEST_PROTOCOL)
        if self.key() == key:  # nobody has changed them meanwhile
            keep(place / self.name, key, pickled)
