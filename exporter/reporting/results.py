"""What a run did: the record that the console, JSON and summary all show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

OK, PARTIAL, FAILED = "ok", "partial", "failed"


@dataclass
class FileResult:
    """One published file, and what became of it in this run.

    `status` is exported, skipped, would_export or failed; `source_bytes` is
    the size of the inputs behind it, before compression; 0 for a mart, whose `day`
    is None where it is one file.
    """

    dataset: str
    day: str | None
    path: str
    status: str
    rows: int = 0
    rejected_rows: int = 0
    source_bytes: int = 0
    parquet_bytes: int = 0
    reason: str = ""
    is_mart: bool = False

    @property
    def reduction(self) -> float | None:
        """How much smaller than its source, in percent; None where it is not
        smaller, as with a file of a few rows."""
        if self.parquet_bytes <= 0 or self.source_bytes <= self.parquet_bytes:
            return None
        return 100 * (1 - self.parquet_bytes / self.source_bytes)

    def as_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "day": self.day,
            "path": self.path,
            "status": self.status,
            "rows": self.rows,
            "rejected_rows": self.rejected_rows,
            "source_bytes": self.source_bytes,
            "parquet_bytes": self.parquet_bytes,
        }


@dataclass
class RunResult:
    """One run, from start to end.

    `findings` are those of alerts.py; `by_hand` says that someone at the
    keyboard stopped it; `stop_code` is the exit code of a run that was stopped;
    `is_whole` that it was asked for all there is and came to its end;
    `schema_versions` are those of the datasets; `ignored` are, by what they are,
    the files that look like inputs and are not read.
    """

    started: datetime
    dry_run: bool = False
    command: str = "export"
    duration_s: float = 0.0
    stopped: str = ""
    stop_code: int = 0
    by_hand: bool = False
    is_limited: bool = False
    is_whole: bool = False
    landed_records: int = 0
    files: list[FileResult] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    findings: dict[str, str | None] = field(default_factory=dict)
    schema_versions: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, list[str]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """ok; partial when something failed but not all; failed."""
        if not self.errors:
            return OK
        done = any(f.status in ("exported", "skipped") for f in self.files)
        return PARTIAL if done and not self.stopped else FAILED

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return self.stop_code or int(self.status != OK)

    def with_status(self, *statuses: str) -> list[FileResult]:
        return [file for file in self.files if file.status in statuses]

    def by_dataset(self) -> dict[str, list[FileResult]]:
        """The files of each dataset, in the order of their names."""
        found: dict[str, list[FileResult]] = {}
        for file in self.files:
            found.setdefault(file.dataset, []).append(file)
        return dict(sorted(found.items()))

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "dry_run": self.dry_run,
            "duration_s": round(self.duration_s, 3),
            "files": [file.as_json() for file in self.files],
            "warnings": self.warnings,
            "errors": self.errors,
        }
