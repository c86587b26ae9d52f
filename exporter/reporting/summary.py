"""The daily summary: `g/reports/parquet/parquet_export_summary_YYYYMMDD.md`.

Every run of a UTC day rewrites it. It shows what the last run did, what all
runs of the day did, and what is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from datetime import date
from pathlib import Path
from typing import Any

from exporter.contracts.datasets import ALWAYS
from exporter.reporting.alerts import stale_sources
from exporter.reporting.history import DayFinding, findings_of, runs_of
from exporter.reporting.ignored import counted
from exporter.reporting.markdown import plain, table
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.screen import kilobytes
from exporter.reporting.stored import Stored
from exporter.runtime.redact import redact
from ingest import files
from ingest.root import Root

MARKS = {"ok": "✅", "partial": "⚠️", "failed": "❌"}
MOST_LISTED = 20
NOTHING = "–"
DATASET_COLUMNS = (
    "Dataset", "Schema", "Written", "Written today", "Skipped", "Failed", "Rows",
    "Rejects", "Source", "Parquet", "Reduction",
)  # fmt: skip

Run = dict[str, Any]


def summary_path(root: Root, day: date) -> Path:
    return root.reports / "parquet" / f"parquet_export_summary_{day:%Y%m%d}.md"


def write_summary(root: Root, result: RunResult, stored: Stored) -> None:
    """Write the summary of the day on which a run began."""
    day = result.started.date()
    path = summary_path(root, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = render(result, stored, runs_of(root, day))
    files.write_text(path, root.staging, text)
    files.remove_tree(root.staging)


def render(result: RunResult, stored: Stored, runs: list[Run]) -> str:
    """The summary as Markdown; `runs` are the records of the day's runs."""
    day = result.started.date()
    blocks = [
        f"# Parquet export {day}",
        _glance(result, stored, runs),
        *_findings(findings_of(runs_so_far(runs, result))),
        "## Datasets",
        _datasets(result, runs),
        "## Rejects",
        _rejects(stored),
        "## Schema",
        _schema(stored),
        "## Sources",
        _sources(stored, result),
        "## Storage",
        _storage(stored),
        f"## Runs of {day}",
        _runs(runs),
        "*Written by ops-atomic. Days and times are UTC.*",
    ]
    return "\n\n".join(blocks) + "\n"


def _glance(result: RunResult, stored: Stored, runs: list[Run]) -> str:
    exported = result.with_status("exported")
    counts = Counter(file.status for file in result.files)
    rejects = sum(reasons.total() for reasons in stored.rejects.values())
    stale = sorted(stale_sources(result.findings))
    rows = [
        ["Status", f"{MARKS[result.status]} **{result.status}**"],
        ["Last run", f"{result.started:%H:%M:%S}, took {seconds(result.duration_s)}"],
        ["Landed", f"{result.landed_records:,} new records"],
        [
            "Files",
            f"{counts['exported']:,} written, {counts['skipped']:,} skipped, "
            f"{counts['failed']:,} failed",
        ],
        ["Rows written", f"{sum(file.rows for file in exported):,}"],
        ["Rejects stored", f"{rejects:,}"],
        ["Schema drift", _alarm(f"{len(stored.drift):,} columns", stored.drift)],
        ["Stale sources", _alarm(", ".join(stale), stale)],
        ["Warnings", _alarm(f"{len(result.warnings):,}", result.warnings)],
        ["Not read", counted(result.ignored, stored.unread_lines) or "nothing"],
        ["Storage used", kilobytes(stored.bytes)],
        ["Runs of the day", f"{len(runs):,}"],
    ]
    return table(["At a glance", ""], rows)


def _alarm(text: str, reason: Sized) -> str:
    return f"⚠️ {text}" if reason else "none"


def seconds(duration_s: float) -> str:
    return f"{duration_s:.1f} s" if duration_s >= 1 else f"{duration_s:.2f} s"


def runs_so_far(runs: list[Run], result: RunResult) -> list[Run]:
    """The day's records with this run's, should it not have been kept."""
    at = f"{result.started:%Y-%m-%dT%H:%M:%SZ}"
    if runs and runs[-1]["started_at"] == at:
        return runs
    said = {
        "is_whole": result.is_whole,
        "errors": result.errors,
        "warnings": result.warnings,
    }
    return [*runs, {"started_at": at, **said}]


def _findings(findings: list[DayFinding]) -> list[str]:
    """What was wrong that day, and whether it still is."""
    if not findings:
        return []
    rows = [
        [
            "❌" if finding.is_error else "⚠️",
            plain(finding.text),
            finding.first_at,
            finding.last_at,
            "**holds**" if finding.holds else "over",
        ]
        for finding in findings[:MOST_LISTED]
    ]
    more = len(findings) - len(rows)
    said = [f"… and {more:,} more: see `g/logs/parquet_export.log`."] if more else []
    header = ["", "What", "First", "Last", "Now"]
    return ["## Errors and warnings of the day", table(header, rows), *said]


def _datasets(result: RunResult, runs: list[Run]) -> str:
    of_the_day: Counter[str] = Counter()
    for run in runs:
        for done in run.get("datasets", []):
            of_the_day[done["dataset"]] += done["exported_files"]
    its_files = result.by_dataset()
    names = sorted(its_files.keys() | of_the_day.keys())
    if not names:
        return "No day has been landed yet."
    versions = result.schema_versions
    rows = [
        [
            f"`{name}`",
            f"v{versions[name]}" if name in versions else NOTHING,
            *_dataset(name, its_files.get(name, []), of_the_day[name]),
        ]
        for name in names
    ]
    said = "Rows and sizes are those of all files, whether this run wrote them or not."
    return table(DATASET_COLUMNS, rows, DATASET_COLUMNS[2:]) + f"\n\n{said}"


def _dataset(name: str, its_files: list[FileResult], of_the_day: int) -> list[str]:
    counts = Counter(file.status for file in its_files)
    source = sum(file.source_bytes for file in its_files)
    parquet = sum(file.parquet_bytes for file in its_files)
    whole = FileResult(name, "", "", "", source_bytes=source, parquet_bytes=parquet)
    # Rejects and drift are no copy of what they come from.
    is_data = name not in ALWAYS
    return [
        f"{counts['exported']:,}",
        f"{of_the_day:,}",
        f"{counts['skipped']:,}",
        f"{counts['failed']:,}",
        f"{sum(file.rows for file in its_files):,}",
        f"{sum(file.rejected_rows for file in its_files):,}" if is_data else NOTHING,
        kilobytes(source) if is_data else NOTHING,
        kilobytes(parquet),
        f"{whole.reduction:.1f}%"
        if is_data and whole.reduction is not None
        else NOTHING,
    ]


def _rejects(stored: Stored) -> str:
    if not stored.rejects:
        return "None."
    rows = []
    for dataset, reasons in sorted(stored.rejects.items()):
        common = reasons.most_common(3)
        said = "; ".join(f"{plain(redact(why))} ({n:,})" for why, n in common)
        rows.append([f"`{dataset}`", f"{reasons.total():,}", said])
    return table(["Dataset", "Rejects", "Most common reasons"], rows, ["Rejects"])


def _schema(stored: Stored) -> str:
    if not stored.drift:
        return "✅ Every source has the columns and keys that are known of it."
    rows = [
        [f"`{source}`", kind, plain(redact(name)), f"{number:,}"]
        for (source, kind, name), number in stored.drift.most_common(MOST_LISTED)
    ]
    more = len(stored.drift) - len(rows)
    said = f"\n\n… and {more:,} more: see `schema_drift`." if more else ""
    return table(["Source", "Drift", "Column or key", "Files"], rows, ["Files"]) + said


def _sources(stored: Stored, result: RunResult) -> str:
    if not stored.newest:
        return "Nothing has been landed yet."
    stale = stale_sources(result.findings)
    rows = [
        [
            f"`{source}`",
            str(newest or "nothing published"),
            _days_ago(age),
            "⚠️ stale" if source in stale else "",
        ]
        for source, newest, age in stored.newest
    ]
    return table(["Source", "Newest day", "Age", ""], rows)


def _days_ago(age: int | None) -> str:
    if age is None:
        return NOTHING
    return f"{age:,} day{'' if age == 1 else 's'} ago" if age else "today"


def _storage(stored: Stored) -> str:
    header = ["What", "Files", "Size"]
    rows = [
        ["Parquet", f"{stored.parquet_files:,}", kilobytes(stored.parquet_bytes)],
        ["Landing", f"{stored.landing_files:,}", kilobytes(stored.landing_bytes)],
        [
            "**Both**",
            f"**{stored.parquet_files + stored.landing_files:,}**",
            f"**{kilobytes(stored.bytes)}**",
        ],
    ]
    return table(header, rows, numbers=header[1:])


def _runs(runs: list[Run]) -> str:
    header = ["Started", "Status", "Took", "Written", "Skipped", "Failed", "Warnings"]
    rows = [
        [
            run["started_at"][11:19],
            f"{MARKS.get(run['status'], '')} {run['status']}",
            seconds(run["duration_s"]),
            f"{run['exported_files']:,}",
            f"{run['skipped_files']:,}",
            f"{run['failed_files']:,}",
            f"{len(run['warnings']):,}",
        ]
        for run in runs
    ]
    return table(header, rows, numbers=header[2:]) if rows else "None."
