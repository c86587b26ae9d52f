"""The daily summary: `g/reports/parquet/parquet_export_summary_YYYYMMDD.md`.

Every run of a UTC day rewrites it. It shows what the last run did, what all
runs of the day did, and what is stored.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from exporter.datasets import ALWAYS, load_datasets
from exporter.history import one_line, runs_of
from exporter.results import FileResult, RunResult
from exporter.screen import kilobytes
from exporter.state import Stored, take_state
from ingest import files
from ingest.documents import utc_now
from ingest.root import Root

MARKS = {"ok": "✅", "partial": "⚠️", "failed": "❌"}
MOST_LISTED = 20


def summary_path(root: Root, day: date) -> Any:
    return root.reports / "parquet" / f"parquet_export_summary_{day:%Y%m%d}.md"


def write_summary(root: Root, result: RunResult) -> None:
    """Write the summary of the day on which a run ended."""
    day = utc_now().date()
    path = summary_path(root, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = render(root, result, take_state(root), day)
    files.write_text(path, root.staging, text)
    files.remove_tree(root.staging)


def render(root: Root, result: RunResult, stored: Stored, day: date) -> str:
    """The summary as Markdown."""
    blocks = [
        f"# Parquet export {day}",
        _head(result),
        *_list("Errors", result.errors),
        *_list("Warnings", result.warnings),
        "## Datasets",
        _datasets(result),
        "## Rejects",
        _rejects(stored),
        "## Schema",
        _schema(stored),
        "## Sources",
        _sources(stored),
        "## Storage",
        _storage(stored),
        f"## Runs on {day}",
        _runs(runs_of(root, day)),
        "*Written by ops-atomic; all times are UTC.*",
    ]
    return "\n\n".join(blocks) + "\n"


def _head(result: RunResult) -> str:
    exported = result.with_status("exported")
    lines = [
        f"**Status:** {MARKS[result.status]} {result.status}",
        f"**Run:** {result.started:%Y-%m-%d %H:%M:%S}, {result.duration_s:.1f} s",
        f"**Landed:** {result.landed_records:,} new record(s)",
        f"**Written:** {len(exported):,} file(s), "
        f"{sum(file.rows for file in exported):,} row(s)",
    ]
    return "  \n".join(lines)


def _list(title: str, texts: list[str]) -> list[str]:
    if not texts:
        return []
    lines = [f"- {_plain(text)}" for text in texts[:MOST_LISTED]]
    if len(texts) > MOST_LISTED:
        lines.append(f"- … and {len(texts) - MOST_LISTED:,} more")
    return [f"## {title}", "\n".join(lines)]


def _datasets(result: RunResult) -> str:
    names = sorted({file.dataset for file in result.files})
    if not names:
        return "No day has been landed yet."
    rows = []
    for name in names:
        mine = [file for file in result.files if file.dataset == name]
        counts = Counter(file.status for file in mine)
        source = sum(file.source_bytes for file in mine)
        parquet = sum(file.parquet_bytes for file in mine)
        whole = FileResult(name, "", "", "", 0, 0, source, parquet)
        reduction = "–" if whole.reduction is None else f"{whole.reduction:.1f}%"
        is_data = name not in ALWAYS
        rows.append(
            [
                name,
                f"{counts['exported']:,}",
                f"{counts['skipped']:,}",
                f"{counts['failed']:,}",
                f"{sum(file.rows for file in mine):,}",
                f"{sum(file.rejected_rows for file in mine):,}" if is_data else "–",
                kilobytes(source) if is_data else "–",
                kilobytes(parquet),
                reduction if is_data else "–",
            ]
        )
    header = (
        "Dataset|Written|Skipped|Failed|Rows|Rejects|Source|Parquet|Reduction"
    ).split("|")
    return table(header, rows)


def _rejects(stored: Stored) -> str:
    if not stored.rejects:
        return "None."
    rows = []
    for dataset, reasons in sorted(stored.rejects.items()):
        common = reasons.most_common(3)
        said = "; ".join(f"{_plain(reason)} ({n:,})" for reason, n in common)
        rows.append([dataset, f"{sum(reasons.values()):,}", said])
    return table(["Dataset", "Rejects", "Most common reasons"], rows)


def _schema(stored: Stored) -> str:
    versions = ", ".join(
        f"{name} v{dataset.schema_version}"
        for name, dataset in sorted(load_datasets().items())
    )
    lines = [f"Versions: {versions}."]
    if stored.drift:
        lines.append("")
        for (source, kind, name), number in stored.drift.most_common(MOST_LISTED):
            lines.append(
                f"- {source}: {kind} `{_plain(name)}` in {number:,} file(s)"
            )
    else:
        lines.append("No drift.")
    return "\n".join(lines)


def _sources(stored: Stored) -> str:
    rows = [
        [source, str(newest), f"{age} day(s) ago" if age else "today"]
        for source, newest, age in stored.newest
    ]
    if not rows:
        return "Nothing has been landed yet."
    return table(["Source", "Newest day", "Age"], rows)


def _storage(stored: Stored) -> str:
    return table(
        ["What", "Files", "Size"],
        [
            ["Parquet", f"{stored.parquet_files:,}", kilobytes(stored.parquet_bytes)],
            ["Landing", f"{stored.landing_files:,}", kilobytes(stored.landing_bytes)],
        ],
    )


def _runs(runs: list[dict[str, Any]]) -> str:
    rows = [
        [
            run["started_at"][11:19],
            f"{MARKS.get(run['status'], '')} {run['status']}",
            f"{run['duration_s']:.1f} s",
            f"{run['exported_files']:,}",
            f"{run['skipped_files']:,}",
            f"{run['failed_files']:,}",
            f"{len(run['warnings']):,}",
        ]
        for run in runs
    ]
    if not rows:
        return "None."
    header = ["Started", "Status", "Took", "Written", "Skipped", "Failed", "Warnings"]
    return table(header, rows)


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the cells hold no Markdown of their own."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text: str) -> str:
    """A text that stays in its line and cell and is read as it is."""
    flat = one_line(text)
    for char in "\\`*_[]<>|#":
        flat = flat.replace(char, "\\" + char)
    return flat
