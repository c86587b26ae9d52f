"""The root: the folder that holds the reports, and where things lie below it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VARIABLE = "OPS_ATOMIC_ROOT"
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
    def settings(self) -> Path:
        """Where the operator's own settings lie."""
        return self.path / "g" / "analytics" / "settings"

    @property
    def reports(self) -> Path:
        return self.path / "g" / "reports"

    @property
    def logs(self) -> Path:
        return self.path / "g" / "logs"

    @property
    def looks_wrong(self) -> bool:
        """Whether nothing in it is of a root: then it is almost certainly none."""
        tops = (self.path / "g", self.path / "knowledge" / "optimize")
        return not any(top.is_dir() for top in tops)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def find_root(
    named: str | None = None, environ: Mapping[str, str] = os.environ
) -> Root:
    """The root that is named, else the configured one, else the example.

    The order is: `named` (the flag `--root`), `OPS_ATOMIC_ROOT`, `~/02luka`
    when it exists, the project's example. Raises RootNotFound when a root is
    named that is not a folder, or is named as nothing.
    """
    origin = "--root" if named is not None else VARIABLE
    named = named if named is not None else environ.get(VARIABLE)
    if named is not None:
        if not named.strip():
            raise RootNotFound(
                f"the root ({origin}) is set to nothing: name the folder that holds "
                "g/reports, or leave it out"
            )
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
