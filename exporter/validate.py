"""Checks every published file against its contract, without starting dbt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from exporter.bookkeeping import open_ledger
from exporter.datasets import ALWAYS, Dataset
from exporter.published import looks_whole, published_days, read_footers
from exporter.staleness import landed_per_day
from ingest import files
from ingest.ledger import Ledger, PublishedFile
from ingest.root import Root
from ingest.stock import check_landing

MAX_DAY_BYTES = 5_000_000
# Files that are looked into at once: what bounds the size of a query.
FILES_PER_QUERY = 2000
# Here a section of the contract lets several records become one row.
COLLAPSING = ("query_patterns", "optimization_summary")


@dataclass
class Validation:
    """What was checked, and what is wrong; bytes are those of Parquet."""

    files: int = 0
    rows: int = 0
    bytes: int = 0
    codecs: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "failed" if self.errors else "ok"

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "files": self.files,
            "rows": self.rows,
            "bytes": self.bytes,
            "warnings": self.warnings,
            "errors": self.errors,
        }


def validate(
    root: Root, datasets: Mapping[str, Dataset], day: date | None = None
) -> Validation:
    """Check all published files, or those of one day, and all of the landing.

    Readable, of the contract's columns and types, snappy, and as many rows
    and rejects as were landed. Writes nothing.
    """
    result = Validation()
    ledger = open_ledger(root, dry_run=True)
    found: dict[str, dict[str, date]] = {}
    for name, dataset in datasets.items():
        days = published_days(root, dataset)
        found[name] = {path: d for d, path in days if day is None or d == day}
    with duckdb.connect() as db:
        footers: dict[str, PublishedFile] = {}
        for name, dataset in datasets.items():
            footers |= _check_dataset(
                _Checked(db, root, ledger, result), dataset, list(found[name])
            )
        _check_counts(root, ledger, datasets, found, footers, result)
    if not ledger.is_new:
        result.errors += [
            f"{problem}: run ops-atomic export"
            for problem in check_landing(root, ledger)
        ]
    result.files = len(footers)
    result.rows = sum(footer.row_count for footer in footers.values())
    result.bytes = sum(footer.bytes for footer in footers.values())
    for path, footer in footers.items():
        if footer.bytes > MAX_DAY_BYTES:
            result.warnings.append(
                f"{path}: {footer.bytes / 1e6:.1f} MB, more than 5 MB for a day"
            )
    return result


@dataclass
class _Checked:
    db: duckdb.DuckDBPyConnection
    root: Root
    ledger: Ledger
    result: Validation


def _check_dataset(
    at: _Checked, dataset: Dataset, paths: list[str]
) -> dict[str, PublishedFile]:
    """Check the files of one dataset; returns the footers of the good ones."""
    known = at.ledger.published()
    whole = []
    for path in paths:
        mine = known.get(path)
        if not looks_whole(at.root.path / path):
            at.result.errors.append(_damaged(path, "not a Parquet file"))
        elif mine and files.checksum(at.root.path / path) == mine.checksum:
            whole.append(path)
        elif _reads(at, path):
            whole.append(path)
        else:
            at.result.errors.append(_damaged(path, "cannot be read to its end"))
    footers = read_footers(at.root, whole)
    for path in whole:
        if path in footers and path in known:
            if (
                footers[path].metadata == known[path].metadata
                and footers[path].checksum != known[path].checksum
            ):
                at.result.errors.append(_damaged(path, "its bytes have changed"))
                footers.pop(path)
        if path in footers and "source_fingerprint" not in footers[path].metadata:
            at.result.errors.append(_damaged(path, "not a file of ours"))
            footers.pop(path)
    for batch in _batches([path for path in whole if path in footers]):
        _check_columns(at, dataset, batch)
        _check_codec(at, batch)
    return footers


def _damaged(path: str, why: str) -> str:
    return f"{path}: {why}: run ops-atomic export to make it again"


def _reads(at: _Checked, path: str) -> bool:
    """Whether every value can be read: for a file we have no checksum of."""
    try:
        at.db.execute(
            "select count(columns(*)) from read_parquet(?, hive_partitioning = false)",
            [str(at.root.path / path)],
        ).fetchall()
    except duckdb.Error:
        return False
    return True


def _batches(paths: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(paths), FILES_PER_QUERY):
        yield paths[start : start + FILES_PER_QUERY]


def _check_columns(at: _Checked, dataset: Dataset, paths: list[str]) -> None:
    """Names, order and types, as DuckDB's reader would give them."""
    full = {str(at.root.path / path): path for path in paths}
    rows = at.db.execute(
        """
        select file_name, list(name order by column_id), list(duckdb_type order by column_id)
        from parquet_schema($paths)
        where column_id > 0
        group by file_name
        """,
        {"paths": list(full)},
    ).fetchall()
    names = [column.name for column in dataset.columns]
    types = [column.type for column in dataset.columns]
    for file_name, found_names, found_types in rows:
        if found_names != names:
            at.result.errors.append(
                f"{full[file_name]}: columns are {', '.join(found_names)}, not "
                f"{', '.join(names)}: run ops-atomic export --force"
            )
        elif found_types != types:
            wrong = [
                f"{name} is {found}, not {wanted}"
                for name, found, wanted in zip(names, found_types, types, strict=True)
                if found != wanted
            ]
            at.result.errors.append(
                f"{full[file_name]}: {'; '.join(wrong)}: run ops-atomic export --force"
            )


def _check_codec(at: _Checked, paths: list[str]) -> None:
    full = {str(at.root.path / path): path for path in paths}
    rows = at.db.execute(
        """
        select file_name, list(distinct compression)
        from parquet_metadata($paths)
        group by file_name
        """,
        {"paths": list(full)},
    ).fetchall()
    for file_name, codecs in rows:
        at.result.codecs |= {codec.lower() for codec in codecs}
        if codecs != ["SNAPPY"]:
            at.result.errors.append(
                f"{full[file_name]}: compressed with {', '.join(sorted(codecs))}, not "
                "snappy: run ops-atomic export --force"
            )


def _check_counts(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    found: Mapping[str, Mapping[str, date]],
    footers: Mapping[str, PublishedFile],
    result: Validation,
) -> None:
    """Rows and rejects of a file against the records it was made from."""
    if ledger.is_new:
        return
    rejects: Counter[tuple[str, str]] = Counter()
    for day, dataset, _, records in ledger.rejects():
        rejects[dataset, day] += records
    landed = landed_per_day(ledger, datasets)
    for name, paths in found.items():
        if name in ALWAYS:
            continue
        for path, day in paths.items():
            footer = footers.get(path)
            if footer is None:
                continue
            made_from = int(footer.metadata.get("landed_records", 0))
            told = footer.row_count + rejects[name, day.isoformat()]
            exact = name not in COLLAPSING
            if told > made_from or (exact and told < made_from):
                result.errors.append(
                    f"{path}: {footer.row_count:,} rows and "
                    f"{told - footer.row_count:,} rejects, but {made_from:,} records "
                    "were landed: run ops-atomic export --force"
                )
            now = landed.get((name, day))
            if now is not None and now < made_from:
                result.warnings.append(
                    f"{path}: made from {made_from:,} records, but the landing holds "
                    f"{now:,} now"
                )
