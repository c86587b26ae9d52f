"""What the ledger keeps of what stands in published files.

Counts of rejected_records and schema_drift, and when each source was last heard
of: so that the summary and `validate` need not read these files every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from exporter.contracts.datasets import day_in
from exporter.publish.ledger import Ledger, PublishedFile
from ingest.inputs import utc_now
from ingest.registry import ENTRIES
from ingest.root import Root

# Where the ledger keeps counts of a dataset's rows, by which columns, and what more.
FINDINGS = {
    "rejected_records": ("rejects", "dataset, reason", "count(*)"),
    "schema_drift": ("drift", "source, kind, name", "count(*), min(source_file)"),
}

# When a source was heard of, by the rows of a dataset: the source, and the time;
# a row without one tells nothing. An advisor's report may be well and recommend
# nothing: it is heard by the row that each report has.
HEARD = (
    ("ops_atomic", "'heartbeats'", "timestamp"),
    (
        "query_perf",
        "if(source_file like '%.csv', 'query_rows', 'query_log')",
        "date_partition::timestamp",
    ),
    (
        "query_patterns",
        "'query_patterns'",
        "if(period != 'advisor', date_partition::timestamp, null)",
    ),
    (
        "optimization_summary",
        "if(event_type = 'telemetry_rollup', 'telemetry', 'optimization_summary')",
        "date_partition::timestamp",
    ),
    ("advisor_reports", "'index_advisor'", "timestamp"),
    ("report_checks", "'reports'", "timestamp"),
)
SOURCES_HEARD = {source.name for source in ENTRIES if source.is_heard}


def count_findings(
    db: Any, root: Root, ledger: Ledger, files: Sequence[tuple[str, PublishedFile]]
) -> None:
    """Count the rows of those of some files, by relative path, that are findings.

    Notes as well when their sources were heard of; what is dated ahead says
    nothing of that. What is kept goes by the real clock. `db` is a DuckDB
    connection.
    """
    for dataset, source, at in HEARD:
        days, full = _files_of(dataset, root, files)
        rows = _counted(
            db,
            f"select date_partition::varchar, {source}, max({at})::varchar "
            "from read_parquet(?, hive_partitioning = false) "
            f"where {at} <= ? group by all",
            full,
            utc_now(),
        )
        if days:
            ledger.put_heard(dataset, days, rows)
    for dataset, (table, cells, counts) in FINDINGS.items():
        days, full = _files_of(dataset, root, files)
        rows = _counted(
            db,
            f"select date_partition::varchar, {cells}, {counts} "
            "from read_parquet(?, hive_partitioning = false) group by all",
            full,
        )
        if days:
            ledger.put_findings(table, days, rows)


def _counted(db: Any, query: str, full: list[str], *more: Any) -> list[Any]:
    """What a query finds in some files. One with other columns says nothing."""
    import duckdb

    if not full:
        return []
    try:
        return list(db.execute(query, [full, *more]).fetchall())
    except (duckdb.ProgrammingError, duckdb.DataError):
        if len(full) == 1:
            return []
        return [row for path in full for row in _counted(db, query, [path], *more)]


def _files_of(
    dataset: str, root: Root, files: Sequence[tuple[str, PublishedFile]]
) -> tuple[list[str], list[str]]:
    """The days of a dataset among some files, and its files that hold rows."""
    its_files = [
        (path, file) for path, file in files if PurePosixPath(path).stem[:-9] == dataset
    ]
    return (
        [day_in(path) for path, _ in its_files],
        [str(root.path / path) for path, file in its_files if file.row_count],
    )
