"""Counts of what stands in rejected_records and schema_drift, kept by the ledger.

So that the summary and `validate` need not read these files every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from exporter.contracts.datasets import day_in
from exporter.publish.ledger import Ledger, PublishedFile
from ingest.root import Root

# Where the ledger keeps counts of a dataset's rows, and by which columns.
FINDINGS = {
    "rejected_records": ("rejects", "dataset, reason"),
    "schema_drift": ("drift", "source, kind, name"),
}


def count_findings(
    db: Any, root: Root, ledger: Ledger, files: Sequence[tuple[str, PublishedFile]]
) -> None:
    """Count the rows of those of some files, by relative path, that are findings.

    `db` is a DuckDB connection.
    """
    for dataset, (table, cells) in FINDINGS.items():
        counted = {
            path: file
            for path, file in files
            if PurePosixPath(path).parent.name == dataset
        }
        if not counted:
            continue
        full = [
            str(root.path / path) for path, file in counted.items() if file.row_count
        ]
        rows = []
        if full:
            rows = db.execute(
                f"select date_partition::varchar, {cells}, count(*) "
                "from read_parquet(?, hive_partitioning = false) group by all",
                [full],
            ).fetchall()
        ledger.put_findings(table, [day_in(path) for path in counted], rows)
