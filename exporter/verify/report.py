"""The report of a verification: `g/reports/parquet/verify_…Z.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from exporter import __version__
from exporter.contracts.datasets import Dataset
from exporter.publish.published import published_days, published_files
from exporter.reporting.history import last_run
from exporter.reporting.logs import log_path
from exporter.reporting.markdown import plain, table
from exporter.reporting.screen import kilobytes
from exporter.runtime.redact import redact
from exporter.verify.checks import (
    COMPONENT,
    FAIL,
    FULL,
    METRIC,
    NOT_HERE,
    PARTIAL,
    PASS,
    PENDING,
    TEST,
    Check,
    verdict,
)
from ingest import advice, files
from ingest.root import Root

MARKS = {PASS: "✅ pass", FAIL: "❌ fail", PENDING: "⏳ pending", NOT_HERE: "– n/a"}
HEALTH = {"ok": "✅", "warn": "⚠️", "error": "❌"}
VERDICTS = {
    FULL: "✅ All that can be checked on this system is as it should be.",
    PARTIAL: "❌ See what failed below. What helps is said by",
    PENDING: "⏳ Nothing failed, but some of it has not happened yet.",
}
AWAITING = "⏳ Pending – awaiting first run."


def report_path(root: Root, now: datetime) -> Path:
    return root.reports / "parquet" / f"verify_{now:%Y%m%dT%H%M%SZ}.md"


def write_report(
    root: Root, datasets: Mapping[str, Dataset], checks: Sequence[Check], now: datetime
) -> Path:
    """Write the report; raises OSError where that cannot be done."""
    path = report_path(root, now)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, path.parent, render(root, datasets, checks, now))
    return path


def render(
    root: Root, datasets: Mapping[str, Dataset], checks: Sequence[Check], now: datetime
) -> str:
    """The report as Markdown."""
    said = verdict(checks)
    is_awaiting = said == PENDING and last_run(root) is None
    blocks = [
        f"# Verification {now:%Y-%m-%d %H:%M:%S}",
        f"Root {_cell(str(root.path))}, ops-atomic {__version__}. Times are UTC.",
        "## Verdict",
        f"Verdict: {said}",
        AWAITING if is_awaiting else VERDICTS[said],
        *([f"    {advice.command(root, 'doctor')}"] if said == PARTIAL else []),
        "## Components",
        _checks("Component", checks, COMPONENT),
        "## Operational tests",
        _checks("Test", checks, TEST),
        "## Metrics",
        _checks("Metric", checks, METRIC),
        "## Artefacts",
        table(["File", "Size", "Written"], _artefacts(root, datasets), ["Size"]),
        "## System health",
        _health(root, datasets["ops_atomic"], datasets["heartbeat_checks"], now),
    ]
    return "\n\n".join(blocks) + "\n"


def _cell(text: str) -> str:
    return plain(redact(text))


def _checks(title: str, checks: Sequence[Check], kind: str) -> str:
    rows = [
        [_cell(one.name), _cell(one.target), _cell(one.actual), MARKS[one.status]]
        for one in checks
        if one.kind == kind
    ]
    return table([title, "Target", "Actual", "Status"], rows)


def _artefacts(root: Root, datasets: Mapping[str, Dataset]) -> Iterator[list[str]]:
    """The log, the last summary, and the newest file of every dataset."""
    summaries = sorted((root.reports / "parquet").glob("parquet_export_summary_*.md"))
    paths = [log_path(root), *summaries[-1:]]
    newest = (max(published_days(root, d), default=None) for d in datasets.values())
    paths += [root.path / found[1] for found in newest if found]
    for path in paths:
        shown = _cell(root.relative(path))
        try:
            file_stat = path.stat()
        except OSError:
            yield [shown, "–", "not there"]
            continue
        written = datetime.fromtimestamp(file_stat.st_mtime, UTC)
        yield [shown, kilobytes(file_stat.st_size), f"{written:%Y-%m-%d %H:%M:%S}"]


def _health(root: Root, heartbeats: Dataset, checks: Dataset, now: datetime) -> str:
    """The checks of the last heartbeat that was published and is not ahead."""
    try:
        with duckdb.connect() as db:
            last = _rows(
                db, root, heartbeats,
                "select filename, timestamp, status from them "
                f"where timestamp <= timestamp '{now}' "
                "order by timestamp desc, filename desc limit 1",
            )  # fmt: skip
            found = _rows(
                db, root, checks,
                "select check_group, check_name, status, message, filename from them "
                f"where timestamp <= timestamp '{now}'",
            )  # fmt: skip
    except duckdb.Error as error:
        return f"Cannot be read: {_cell(str(error))}"
    if not last:
        return "No heartbeat has been published."
    filename, at, status = last[0]
    rows = [
        [_cell(group), _cell(name), _status(status), _cell(message or "")]
        for group, name, status, message, source in found
        if source == filename
    ]
    if not rows:
        rows = [["–", "no checks in it", "–", "–"]]
    said = f"{_cell(filename)}, {at:%Y-%m-%d %H:%M:%S}: {_status(status)}"
    return f"{said}\n\n{table(['Group', 'Check', 'Status', 'Message'], rows)}"


def _rows(
    db: duckdb.DuckDBPyConnection, root: Root, dataset: Dataset, query: str
) -> list[tuple[str, ...]]:
    """What a query finds in the newest file of a dataset that has rows."""
    for _, path in sorted(published_files(root, dataset), reverse=True):
        them = db.sql(
            "select * from read_parquet(?, hive_partitioning = false)",
            params=[str(root.path / path)],
        )
        if (found := them.query("them", query)) and (rows := found.fetchall()):
            return rows
    return []


def _status(status: str) -> str:
    return f"{HEALTH.get(status, '❔')} {_cell(status)}"
