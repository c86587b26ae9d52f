"""Which files of a fleet's storage count, and which are kept out, and why.

Files are checked, not machines: that a machine is silent is nothing wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from exporter.contracts.datasets import Dataset
from exporter.contracts.marts import every_day
from exporter.fleet.contents import Contents, Rows, Unreadable
from exporter.fleet.folders import marts_say, odd_folders
from exporter.fleet.kept_out import KeptOut
from exporter.fleet.memory import Memory
from exporter.fleet.storage import PREFIX, Closed, File, export_files, machine_folders


@dataclass(slots=True)
class Machine:
    """What is known of a machine by its files. `days` are those with any file, up
    to the present one; `versions` the schema versions of each dataset, and
    `schemas` how they stand to ours: `current`, `older`, `newer`."""

    name: str
    days: set[date] = field(default_factory=set)
    versions: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    schemas: set[str] = field(default_factory=set)
    files: int = 0
    kept_out: int = 0

    @property
    def newest(self) -> date | None:
        return max(self.days, default=None)

    @property
    def missing(self) -> list[date]:
        """Days between its first and newest one without any file."""
        if not self.days:
            return []
        every = every_day(min(self.days), max(self.days))
        return [day for day in every if day not in self.days]

    def age_days(self, today: date) -> int | None:
        return (today - self.newest).days if self.newest else None

    def as_json(self, today: date) -> dict[str, Any]:
        return {
            "machine": self.name,
            "first_day": str(min(self.days)) if self.days else None,
            "newest_day": str(self.newest) if self.newest else None,
            "age_days": self.age_days(today),
            "missing_days": [str(day) for day in self.missing],
            "schema_versions": {
                dataset: sorted(found)
                for dataset, found in sorted(self.versions.items())
            },
            "files": self.files,
            "kept_out": self.kept_out,
        }


@dataclass(frozen=True, slots=True)
class Good:
    """A file that counts, and what it holds: its rows, and a mark of its content
    that changes with every row and with the code that made it."""

    file: File
    rows: int
    mark: str


@dataclass(slots=True)
class CheckedFiles:
    """All machines by name, the files that count, and what is kept out."""

    machines: dict[str, Machine]
    good: list[Good]
    kept_out: list[KeptOut]

    def as_json(self, today: date) -> dict[str, Any]:
        return {
            "status": "failed" if self.kept_out else "ok",
            "machines": [found.as_json(today) for found in self.machines.values()],
            "files": len(self.good),
            "kept_out": [found.as_json() for found in self.kept_out],
        }


def check_files(
    memory: Memory, datasets: Mapping[str, Dataset], today: date
) -> CheckedFiles:
    """Look at every file of an export, to its end, in a memory's storage; at those
    that it knows, whether they are still the same.

    Raises OSError where the storage itself cannot be listed.
    """
    storage = memory.storage
    closed: Closed = {}
    names = machine_folders(storage, closed)
    machines = {name: Machine(name) for name in names}
    files = list(export_files(storage, names, datasets.values(), closed))
    for file in files:
        if file.day <= today:
            machines[file.machine].days.add(file.day)
    contents = Contents(memory)
    due = [file for file in files if file.day <= today]
    footers = contents.footers(file.path for file in due)
    kept_out = [
        _out(file, "future", f"of {file.day}, a day in the future")
        for file in files
        if file.day > today
    ]
    promising: dict[File, dict[str, str]] = {}
    for file in due:
        footer = footers.get(file.path, {})
        if isinstance(footer, Unreadable):
            kept_out.append(footer.kept_out(file.machine, file.path))
            continue
        if verdict := _footer_problem(file, datasets[file.dataset], footer):
            kept_out.append(_out(file, *verdict))
        else:
            promising[file] = footer
        if (version := _version(footer)) is not None:
            machine = machines[file.machine]
            machine.versions[file.dataset].add(version)
            machine.schemas.add(_schema(version, datasets[file.dataset]))
    says, others = marts_say(contents, storage, names, closed)
    for path, why in closed.items():
        machine_of = path.split("/")[0].removeprefix(PREFIX)
        others.append(KeptOut.closed(machine_of, path, why))
    folders = odd_folders(says, promising)
    kept_out += others + folders
    shut = {found.machine for found in folders}
    good = []
    open_files = {
        file: footer for file, footer in promising.items() if file.machine not in shut
    }
    for file, rows in _read(contents, datasets, open_files):
        if isinstance(rows, Unreadable):
            kept_out.append(rows.kept_out(file.machine, file.path))
        elif verdict := _rows_problem(file, rows):
            kept_out.append(_out(file, *verdict))
        else:
            good.append(Good(file, rows.count, _mark(open_files[file])))
    memory.save()
    for file in files:
        machines[file.machine].files += 1
    for found in others:
        machines[found.machine].files += 1
    for found in kept_out:
        machine = machines[found.machine]
        if found.machine in shut:
            machine.kept_out = machine.files
        else:
            machine.kept_out += 1
    kept_out.sort(key=lambda found: (found.machine, found.path))
    return CheckedFiles(machines, good, kept_out)


def _out(file: File, kind: str, reason: str) -> KeptOut:
    return KeptOut(file.machine, file.path, kind, reason)


def _footer_problem(
    file: File, dataset: Dataset, footer: dict[str, str]
) -> tuple[str, str] | None:
    """(kind, reason) for which a file does not count, by its footer alone."""
    version = _version(footer)
    if version is None or "source_fingerprint" not in footer:
        return "foreign", "made by another program"
    if (schema := _schema(version, dataset)) != "current":
        said = f"schema version {version}, {schema} than {dataset.schema_version}"
        return schema, said
    of, on = footer.get("dataset"), footer.get("day")
    if (of, on) not in ((file.dataset, file.day.isoformat()), (None, None)):
        return "misplaced", f"it holds {of} of {on}"
    return None


def _rows_problem(file: File, rows: Rows) -> tuple[str, str] | None:
    for day in rows.days:
        if day not in (file.day, None):
            return "misplaced", f"it holds rows of {day}"
    return None


def _version(footer: Mapping[str, str]) -> int | None:
    text = footer.get("schema_version", "")
    return int(text) if text.isdecimal() else None


def _schema(version: int, dataset: Dataset) -> str:
    if version == dataset.schema_version:
        return "current"
    return "newer" if version > dataset.schema_version else "older"


def _mark(footer: Mapping[str, str]) -> str:
    return f"{footer['source_fingerprint']} {footer.get('model_fingerprint', '')}"


def _read(
    contents: Contents,
    datasets: Mapping[str, Dataset],
    files: Mapping[File, dict[str, str]],
) -> Iterable[tuple[File, Rows | Unreadable]]:
    by_dataset: dict[str, list[File]] = defaultdict(list)
    for file in files:
        by_dataset[file.dataset].append(file)
    for dataset, group in by_dataset.items():
        footers = {file.path: files[file] for file in group}
        found = contents.rows(datasets[dataset], footers)
        for file in group:
            yield file, found[file.path]
