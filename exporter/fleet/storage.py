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
# What both engines read from a folder's name as it stands there.
GOOD_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
# Where machines publish their marts, below their folders.
MARTS = "g/analytics/marts"


@dataclass(frozen=True, slots=True)
class File:
    """An export's file of a machine and day; its path is relative to the storage."""

    machine: str
    dataset: str
    day: date
    path: str


def machine_folders(storage: Path) -> list[str]:
    """The names of all machines, in order."""
    with os.scandir(storage) as entries:
        return sorted(
            entry.name[len(PREFIX) :]
            for entry in entries
            if entry.name.startswith(PREFIX) and entry.is_dir()
        )


def export_files(
    storage: Path, machines: Iterable[str], datasets: Iterable[Dataset]
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
            for folder, name in _names(storage, top, nested):
                match = dataset.name_pattern.fullmatch(name)
                day = _day(match[1]) if match else None
                if day is None:
                    continue
                path = f"{PREFIX}{machine}/{dataset.file(day)}"
                if path == f"{folder}/{name}":
                    yield File(machine, dataset.name, day, path)


def mart_files(storage: Path, machine: str) -> list[str]:
    """The marts that a machine publishes: each of one file, and of each of one
    file a day the newest. Paths relative to the storage."""
    top = f"{PREFIX}{machine}/{MARTS}"
    newest: dict[str, str] = {}
    for folder, name in _names(storage, top, nested=True):
        if name.endswith(".parquet") and not name.startswith("."):
            mart = re.sub(r"_\d{8}$", "", name.removesuffix(".parquet"))
            newest[mart] = max(newest.get(mart, ""), f"{folder}/{name}")
    return sorted(newest.values())


def _names(storage: Path, top: str, nested: bool) -> Iterator[tuple[str, str]]:
    """(folder relative to the storage, name) of what lies in a folder."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            entries = os.scandir(storage / folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        with entries:
            for entry in entries:
                if entry.is_dir():
                    if nested:
                        waiting.append(f"{folder}/{entry.name}")
                else:
                    yield folder, entry.name


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
