"""What all loaders share: the landing, the masks, the clock and the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ingest import advice
from ingest.inputs import InputFile
from ingest.masking.masks import Masks
from ingest.store.contents import columns_content
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from ingest.store.merge import merge_columns
from ingest.store.part_files import Json
from ingest.text.numbers import count


@dataclass(frozen=True)
class ReadInput:
    """What was read of an input: so many of a unit, and the input's bytes.

    `name` is the input's, masked; none stands for all of its source.
    """

    source: str
    number: int
    unit: str
    name: str
    size_bytes: int

    def __str__(self) -> str:
        said = count(self.number, self.unit)
        return f"{said} from {self.name}" if self.name else said


@dataclass
class LandingReport:
    """What an ingest did; `records` are those that were not landed before.

    `ignored` are, by what they are, the files that look like inputs and are not
    read.
    """

    records: int = 0
    inputs: int = 0
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    ignored: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: LandingReport) -> None:
        """Take over what another pass did; what both say is said once."""
        self.records += other.records
        self.inputs += other.inputs
        self.days |= other.days
        self.warnings = [*dict.fromkeys([*self.warnings, *other.warnings])]
        self.errors = [*dict.fromkeys([*self.errors, *other.errors])]
        self.ignored = other.ignored or self.ignored

    def as_json(self, dry_run: bool) -> dict[str, Any]:
        return {
            "status": "partial" if self.errors else "ok",
            "dry_run": dry_run,
            "records": self.records,
            "inputs": self.inputs,
            "days": sorted(self.days),
            "warnings": self.warnings,
            "errors": self.errors,
            "ignored": self.ignored,
        }


class Loader:
    """Lands the inputs of the sources that are known by one kind of identity."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def add(self, input_file: InputFile) -> None:
        """Read one input. Raises OSError."""
        raise NotImplementedError

    def read_again(self) -> None:
        """Take landed texts apart anew, if another parser did it before."""

    def flush(self) -> None:
        """Write what was read into the landing."""

    def choose_newest(self) -> None:
        """Let the newest of all versions count where --force asks for it."""


@dataclass
class Context:
    """`now` is the time of landing, `clock` tells that of reading; both naive
    and in UTC. `forces` says of a dataset and day whether the newest content
    counts there though it holds less than an older one. `fed` are the days, by
    source, whose parts hold what the input that is being read says."""

    landing: Landing
    masks: Masks
    clock: Callable[[], datetime]
    now: datetime
    report: LandingReport
    say: Callable[[ReadInput], None]
    forces: Callable[[str, str], bool]
    columns: dict[str, list[Json]] = field(default_factory=dict)
    forgotten: set[tuple[str, str, str]] = field(default_factory=set)
    fed: dict[str, set[str]] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.landing.ledger

    def lets_newest_count(self, said: str, day: str) -> str:
        """What to do where the newest content does not count, as it holds less."""
        root = self.landing.root
        said += "; to let the newest count"
        return advice.run(said, root, "export", "--force", "--date", day)

    def was_cut_short(self, key: str, shown: str) -> None:
        """Tell of a live file of which more is landed, as long as it lies there."""
        self.report.warnings.append(
            f"{shown}: was cut short: what is left of it begins what is landed as a "
            "whole, which counts; the next run looks at it again"
        )
        self.ledger.forget_inputs([key])

    def landed(self, day: str, records: int) -> None:
        """Note that a part of a day now holds so many records more."""
        self.report.records += records
        self.report.days.add(day)

    def feeds(self, source: str, days: Iterable[str]) -> None:
        """Note that the input that is being read lands on these days."""
        self.fed.setdefault(source, set()).update(days)

    def know(self, record: Json, text: str) -> None:
        """Note what a record of this text is known by, where it is not the text."""
        known = self.masks.identity(text)
        if known != text:
            record["known_as"] = known
        else:
            record.pop("known_as", None)

    def saw_columns(
        self,
        source: str,
        file: str,
        days: Iterable[date | str],
        names: Iterable[str],
        is_whole: bool = False,
    ) -> None:
        """Remember the columns or keys of a file; written by `flush_columns`.

        `is_whole` says that the file now has these columns and no others.
        """
        names = list(names)
        for day in days:
            self.columns.setdefault(str(day), []).extend(
                {
                    "source": source,
                    "source_file": file,
                    "name": self.masks.text(name),
                    "is_whole": is_whole,
                }
                for name in names
            )

    def forget_columns(self, source: str, day: str, files: Collection[str]) -> None:
        """Forget the columns of files of which nothing is left on a day."""
        kept = [
            c
            for c in self.columns.pop(day, [])
            if c["source"] != source or c["source_file"] not in files
        ]
        if kept:
            self.columns[day] = kept
        self.forgotten.update((day, source, file) for file in files)

    def flush_columns(self) -> None:
        """Land the columns that were seen."""
        part = "observed_columns.ndjson.gz"
        for day in sorted(self.columns.keys() | {day for day, *_ in self.forgotten}):
            before = self.landing.records("observed_columns", day, part)
            stayed = [
                c
                for c in before
                if (day, c["source"], c["source_file"]) not in self.forgotten
            ]
            after = merge_columns(stayed, self.columns.get(day, []))
            known = self.ledger.part("observed_columns", day, part)
            if after != before or (known is None and day in self.columns):
                self.landing.write_records(
                    "observed_columns", day, part, after, columns_content(after)
                )
        self.columns.clear()
        self.forgotten.clear()
