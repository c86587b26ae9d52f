"""What was rejected and why, as the published `rejected_records` say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from exporter.contracts.datasets import Dataset
from exporter.publish.published import published_files
from ingest.root import Root


@dataclass(frozen=True)
class Rejects:
    """Records of a dataset that were rejected for one reason.

    `line_number` is that of the newest of them, in `source_file`; None where it
    is all of its file.
    """

    dataset: str
    reason: str
    records: int
    source_file: str
    line_number: int | None


def find_rejects(root: Root, dataset: Dataset, day: date | None) -> list[Rejects]:
    """All rejects, or those of a day, by dataset and how many there are."""
    paths = [
        str(root.path / path)
        for on_day, path in published_files(root, dataset)
        if day in (None, on_day)
    ]
    if not paths:
        return []
    with duckdb.connect() as db:
        rows = db.execute(
            """
            select
                dataset,
                reason,
                count(*) as records,
                max_by(
                    (source_file, line_number),
                    (date_partition, source_file, line_number)
                ) as newest,
            from read_parquet(?, hive_partitioning = false)
            group by dataset, reason
            order by dataset, records desc, reason
            """,
            [paths],
        ).fetchall()
    return [
        Rejects(dataset, reason, records, *newest)
        for dataset, reason, records, newest in rows
    ]
