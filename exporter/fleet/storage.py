"""What lies in a fleet's storage: a folder `machine=<name>/` for each machine,
and below it what that machine's root publishes, path by path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exporter.contracts.datasets import Dataset

VARIABLE = "OPS_ATOMIC_FLEET"
PREFIX = "machine="
# Where machines publish their marts, below their folders.
MARTS = "g/analytics/marts"


class FleetNotFound(ValueError):
    """OPS_ATOMIC_FLEET names no storage, or OPS_ATOMIC_FLEET_MARTS no place that
    marts may have."""


@dataclass(frozen=True, slots=True)
class File:
    """An export's file of a machine and day; its path is relative to the storage."""

    machine: str
    dataset: str
    day: date
    path: str


def folder_named(text: str, variable: str | None = None) -> Path:
    """A folder as users name it. Raises FleetNotFound where that is none."""
    if "://" in text:
        shown = f"{text} ({variable})" if variable else text
        raise FleetNotFound(
            f"{shown} is no folder: mount that store, or sync it into a folder "
            "(docs/fleet.md)"
        )
    return Path(text).expanduser().resolve()


# Folders that cannot be listed, relative to the storage, and why.
Closed = dict[str, str]
BROKEN = "it is a broken link"


def machine_folders(storage: Path, closed: Closed) -> list[str]:
    """The names of all machines, in order."""
    names = []
    with os.scandir(storage) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX):
                continue
            # Else a machine whose folder lies elsewhere would be gone unnoticed.
            if is_broken := _is_broken(entry):
                closed[entry.name] = BROKEN
            if is_broken or entry.is_dir():
                names.append(entry.name[len(PREFIX) :])
    return sorted(names)


def export_files(
    storage: Path,
    machines: Iterable[str],
    datasets: Iterable[Dataset],
    closed: Closed,
) -> Iterator[File]:
    """Every file in the place of an export's, whole or not.

    What has another name is no file of ours: what a sync is still writing, or a
    machine keeps beside.
    """
    datasets = list(datasets)
    for machine in machines:
        for dataset in datasets:
            top = f"{PREFIX}{machine}/{dataset.folder}"
            nested = "/" in dataset.path[len(dataset.folder) + 1 :]
            for folder, name in _names(storage, top, nested, closed):
                match = dataset.name_pattern.fullmatch(name)
                day = _day(match[1]) if match else None
                if day is None:
                    continue
                path = f"{PREFIX}{machine}/{dataset.file(day)}"
                if path == f"{folder}/{name}":
                    yield File(machine, dataset.name, day, path)


def mart_files(storage: Path, machine: str, closed: Closed) -> list[str]:
    """The marts that a machine publishes: each of one file, and of each of one
    file a day the newest. Paths relative to the storage."""
    top = f"{PREFIX}{machine}/{MARTS}"
    newest: dict[str, str] = {}
    for folder, name in _names(storage, top, True, closed):
        if name.endswith(".parquet") and not name.startswith("."):
            mart = re.sub(r"_\d{8}$", "", name.removesuffix(".parquet"))
            newest[mart] = max(newest.get(mart, ""), f"{folder}/{name}")
    return sorted(newest.values())


def _names(
    storage: Path, top: str, nested: bool, closed: Closed
) -> Iterator[tuple[str, str]]:
    """(folder relative to the storage, name) of what lies in a folder. Folders
    whose names begin with a point are those of a sync at work."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            entries = os.scandir(storage / folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            closed[_topmost(storage, folder)] = str(error.strerror)
            continue
        with entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                is_broken = _is_broken(entry)
                if is_broken and nested and "." not in entry.name:
                    closed[path] = BROKEN
                elif is_broken or not entry.is_dir():
                    yield folder, entry.name
                elif nested and not entry.name.startswith("."):
                    waiting.append(path)


def _is_broken(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link that leads nowhere, or in a circle."""
    return entry.is_symlink() and not os.path.exists(entry.path)


def _topmost(storage: Path, folder: str) -> str:
    """Which of a folder and those above it does not let this user in."""
    parts = folder.split("/")
    above = ("/".join(parts[:number]) for number in range(1, len(parts)))
    shut = (path for path in above if not os.access(storage / path, os.X_OK))
    return next(shut, folder)


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
