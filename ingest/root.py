"""The root: the folder that holds the reports, and where things lie below it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EXAMPLE_ROOT = PROJECT / "examples" / "02luka"


class RootNotFound(ValueError):
    """A root was named that is not a folder, or not one to work in."""


@dataclass(frozen=True)
class Root:
    """A root and the paths below it.

    `is_example` is true when nothing was configured and the bundled example
    is used instead.
    """

    path: Path
    is_example: bool = False

    @property
    def state(self) -> Path:
        return self.path / "g" / "analytics" / "state"

    @property
    def landing(self) -> Path:
        return self.state / "landing"

    @property
    def staging(self) -> Path:
        """Where files are made before they are moved into place."""
        return self.state / "staging"

    @property
    def reports(self) -> Path:
        return self.path / "g" / "reports"

    @property
    def logs(self) -> Path:
        return self.path / "g" / "logs"

    def relative(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def find_root(named: str | None = None) -> Root:
    """The root that is named, else the configured one, else the example.

    The order is: `named` (the flag `--root`), `OPS_ATOMIC_ROOT`, `~/02luka`
    when it exists, the project's example. Raises RootNotFound when a root is
    named that is not a folder.
    """
    origin = "--root" if named else "OPS_ATOMIC_ROOT"
    named = named or os.environ.get("OPS_ATOMIC_ROOT")
    if named:
        path = Path(named).expanduser()
        if not path.is_dir():
            raise RootNotFound(
                f"the root {named} ({origin}) is not a folder: create it, or name "
                "the folder that holds g/reports"
            )
        return Root(_usable(path.resolve()))
    home = Path(os.path.expanduser("~")) / "02luka"
    if home.is_dir():
        return Root(_usable(home.resolve()))
    return Root(EXAMPLE_ROOT, is_example=True)


def _usable(path: Path) -> Path:
    if "\\" in str(path):
        raise RootNotFound(
            f"the root {path} has a backslash in its path, where DuckDB sees a "
            "folder's end: rename that folder"
        )
    return path
