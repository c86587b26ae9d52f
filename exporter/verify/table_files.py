"""Checks the files of one table: readable, its columns and types, snappy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from exporter.contracts.datasets import Table
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.mart_plan import Day
from exporter.publish.published import (
    is_ours,
    looks_whole,
    misplaced,
    read_footers,
    says_what_it_is,
    unreadable_files,
)
from ingest import advice, files
from ingest.root import Root

# Files that are looked into at once: what bounds the size of a query.
FILES_PER_QUERY = 2000


@dataclass
class Validation:
    """What was checked, and what is wrong; bytes are those of Parquet.

    `missing` counts the files that landed days should have and have not;
    `is_empty` says that there is nothing that could be checked.
    """

    files: int = 0
    missing: int = 0
    is_empty: bool = False
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
            "missing": self.missing,
            "rows": self.rows,
            "bytes": self.bytes,
            "warnings": self.warnings,
            "errors": self.errors,
        }


@dataclass
class Checked:
    """What a check works on, and the result that it adds to."""

    db: duckdb.DuckDBPyConnection
    root: Root
    ledger: Ledger
    result: Validation


def check_table(
    at: Checked, table: Table, days: Mapping[str, Day]
) -> dict[str, PublishedFile]:
    """Check the files of one table; returns the footers of the good ones."""
    paths = list(days)
    known = at.ledger.published()
    footers = {
        path: known[path]
        for path in paths
        if _is_as_left(at, path, known)
        and says_what_it_is(table, days[path], known[path])
    }
    # What has the bytes that we left has the footer that we left.
    changed = [path for path in paths if path not in footers]
    whole = [path for path in changed if looks_whole(f"{at.root.path}/{path}")]
    footers |= read_footers(at.root, whole)
    unreadable = unreadable_files(at.root, [p for p in changed if p in footers])
    elsewhere = misplaced(
        at.root,
        table,
        [(days[p], p, footers[p]) for p in changed if p in footers],
    )
    for path in paths:
        file, known_file = footers.get(path), known.get(path)
        if file is None or path in unreadable:
            why = "cannot be read to its end" if path in whole else "not a Parquet file"
        elif path in elsewhere:
            why = f"holds {elsewhere[path]}"
        elif known_file and file.metadata == known_file.metadata and path in changed:
            why = "its bytes have changed"
        elif not is_ours(file):
            said = f"{path}: made by another program, not adopted yet"
            at.result.errors.append(advice.run(said, at.root, "export"))
            footers.pop(path)
            continue
        else:
            continue
        at.result.errors.append(_damaged(at, path, why, known_file))
        footers.pop(path, None)
    odd = [path for path, file in footers.items() if file.shape not in table.shapes]
    if any(file.shape == table.shape for file in footers.values()):
        at.result.codecs.add("snappy")
    for batch in _batches(odd):
        _check_columns(at, table, batch)
        _check_codec(at, batch)
    return footers


def _is_as_left(at: Checked, path: str, known: Mapping[str, PublishedFile]) -> bool:
    """Whether a file has the very bytes of which the ledger knows the footer."""
    known_file = known.get(path)
    if known_file is None:
        return False
    try:
        return known_file.checksum == files.checksum(f"{at.root.path}/{path}")
    except OSError:
        return False


def _damaged(at: Checked, path: str, why: str, known_file: PublishedFile | None) -> str:
    file_stat = (at.root.path / path).stat()
    # What looks as it was left is not looked into by an export.
    is_hidden = known_file and (file_stat.st_size, file_stat.st_mtime_ns) == (
        known_file.bytes,
        known_file.mtime_ns,
    )
    force = ("--force",) if is_hidden else ()
    return advice.run(f"{path}: {why}", at.root, "export", *force)


def _batches(paths: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(paths), FILES_PER_QUERY):
        yield paths[start : start + FILES_PER_QUERY]


def _check_columns(at: Checked, table: Table, paths: list[str]) -> None:
    """Names, order and types, as DuckDB's reader would give them."""
    full = {str(at.root.path / path): path for path in paths}
    rows = at.db.execute(
        """
        select
            file_name,
            list(name order by column_id),
            list(duckdb_type order by column_id),
        from parquet_schema($paths)
        where column_id > 0
        group by file_name
        """,
        {"paths": list(full)},
    ).fetchall()
    names = [column.name for column in table.columns]
    types = [column.type for column in table.columns]
    for file_name, found_names, found_types in rows:
        if found_names != names:
            _broken(
                at,
                f"{full[file_name]}: columns are {', '.join(found_names)}, not "
                f"{', '.join(names)}",
            )
        elif found_types != types:
            wrong = [
                f"{name} is {found}, not {wanted}"
                for name, found, wanted in zip(names, found_types, types, strict=True)
                if found != wanted
            ]
            _broken(at, f"{full[file_name]}: {'; '.join(wrong)}")


def _check_codec(at: Checked, paths: list[str]) -> None:
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
            _broken(
                at,
                f"{full[file_name]}: compressed with {', '.join(sorted(codecs))}, not "
                "snappy",
            )


def _broken(at: Checked, said: str) -> None:
    """Note an error of a file that no run makes again unasked."""
    at.result.errors.append(advice.run(said, at.root, "export", "--force"))
