"""Folders that macOS privacy rules keep from launchd jobs.

A job that nobody sees has no window to ask for consent in, so opening a file
there fails with "Operation not permitted", at night and for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from exporter.agents.errors import AgentRefused
from exporter.agents.jobs import Installation
from ingest import advice

IN_HOME = {
    "Documents": "Documents",
    "Desktop": "Desktop",
    "Downloads": "Downloads",
    "Library/Mobile Documents": "iCloud Drive",
    "Library/CloudStorage": "cloud storage",
}
VOLUMES = PurePosixPath("/Volumes")
# Where macOS mounts what `/` shows: another spelling of the same folders.
DATA_VOLUME = PurePosixPath("/System/Volumes/Data")
# What a run touches, each of which may be a link that leads elsewhere.
USED_OF_ROOT = (
    ".",
    "g",
    "g/analytics",
    "g/logs",
    "g/reports",
    "g/reports/archive",
    "g/telemetry",
    "knowledge",
    "knowledge/optimize",
)
USED_OF_PROJECT = (".", ".venv", ".venv/bin/python", "launchagents")


def refuse_protected(place: Installation, home: Path) -> None:
    """Raise AgentRefused, with the way out, if a job could not read its files."""
    for path, real, kind in _find_protected(place.root, USED_OF_ROOT, home):
        raise AgentRefused(
            f"{_describe(path, real, kind)}. Move the reports elsewhere, for "
            "example to ~/02luka, and then: run "
            f"{advice.command(None, 'agents', 'install')} --root ~/02luka"
        )
    for path, real, kind in _find_protected(place.project, USED_OF_PROJECT, home):
        raise AgentRefused(
            f"{_describe(path, real, kind)}. Move the project elsewhere, for example "
            "to ~/ops-atomic, and then: run cd ~/ops-atomic && make venv && "
            ".venv/bin/ops-atomic agents install"
        )


def name_protected(path: Path, home: Path) -> str | None:
    """What kind of protected folder a real path lies in, if it does."""
    folders = {VOLUMES: "an external volume"}
    for base in {home, home.resolve()}:
        folders |= {PurePosixPath(base, below): kind for below, kind in IN_HOME.items()}
    spelled = _same_spelling(PurePosixPath(path))
    return next(
        (
            kind
            for folder, kind in folders.items()
            if spelled.is_relative_to(_same_spelling(folder))
        ),
        None,
    )


def _find_protected(
    base: Path, used: tuple[str, ...], home: Path
) -> Iterator[tuple[Path, Path, str]]:
    for below in used:
        path = base / below
        real = path.resolve()
        if kind := name_protected(real, home):
            yield path, real, kind


def _same_spelling(path: PurePosixPath) -> PurePosixPath:
    # A Mac's file system takes Documents and documents for the same.
    folded = PurePosixPath(str(path).casefold())
    data_volume = PurePosixPath(str(DATA_VOLUME).casefold())
    if folded.is_relative_to(data_volume):
        return PurePosixPath("/", folded.relative_to(data_volume))
    return folded


def _describe(path: Path, real: Path, kind: str) -> str:
    where = f"{path}" if path == real else f"{path} (really {real})"
    return (
        f"{where} lies in a protected folder ({kind}): macOS privacy rules keep it "
        "from jobs that launchd starts"
    )
