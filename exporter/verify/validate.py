"""Checks every published file against its contract, without starting dbt.

A landed day without its file is an error, and so is a root that holds nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from exporter.contracts.datasets import ALWAYS, Dataset, Table, day_in
from exporter.contracts.marts import Mart
from exporter.publish.existing import named_paths
from exporter.publish.landed import landed_per_day, read_content
from exporter.publish.ledger import Ledger, PublishedFile, open_ledger
from exporter.publish.losses import kept_rows
from exporter.publish.mart_plan import Day, Files, World, mart_days
from exporter.publish.published import (
    is_ours,
    looks_whole,
    misplaced,
    published_days,
    read_footers,
    says_what_it_is,
    unreadable_files,
)
from exporter.reporting.thresholds import MB, Thresholds
from exporter.runtime.errors import describe
from exporter.runtime.lock import find_running
from exporter.runtime.present import Present
from ingest import advice, files
from ingest.loaders.legacy import SOURCE as LEGACY
from ingest.root import Root
from ingest.store.landed_days import landed_days
from ingest.store.parts import look_into
from ingest.store.reconcile import check_manifest, odd_names, unsound_parts

# Files that are looked into at once: what bounds the size of a query.
LANDED_COUNTS = "landed_counts"
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


def validate(
    root: Root,
    datasets: Mapping[str, Dataset],
    marts: Mapping[str, Mart],
    day: date | None = None,
) -> Validation:
    """Check all published files, or those of one day, and all of the landing.

    Readable, of the contract's columns and types, snappy, and as many rows
    and rejects as were landed. Writes nothing. Raises BadPresent.
    """
    result = Validation()
    if running := find_running(root):
        result.warnings.append(
            f"a run is in progress: {running}; what it has not made yet is missing"
        )
    try:
        ledger = open_ledger(root, dry_run=True)
    except OSError as error:
        result.errors.append(describe(error))
        return result
    found: dict[str, dict[str, date]] = {}
    with duckdb.connect() as db:
        at = _Checked(db, root, ledger, result)
        footers: dict[str, PublishedFile] = {}
        for name, dataset in datasets.items():
            days = published_days(root, dataset)
            found[name] = {path: d for d, path in days if day is None or d == day}
            footers |= _check_table(at, dataset, found[name])
        _check_presence(at, datasets, found, day)
        footers |= _check_marts(at, datasets, marts, day)
        _check_counts(root, ledger, datasets, found, footers, result)
    _check_state(root, ledger, result)
    result.files = len(footers)
    result.rows = sum(footer.row_count for footer in footers.values())
    result.bytes = sum(footer.bytes for footer in footers.values())
    limit = Thresholds.from_environment(os.environ).max_day_mb
    for path, footer in footers.items():
        if footer.bytes > limit * MB:
            result.warnings.append(
                f"{path}: {footer.bytes / MB:.1f} MB, more than {limit:g} MB for a day"
            )
    return result


def _check_state(root: Root, ledger: Ledger, result: Validation) -> None:
    """Check what lies below `state`, of whatever day it is."""
    shown = root.relative(root.state / "ledger.sqlite")
    if ledger.was_damaged:
        result.errors.append(advice.run(f"{shown}: damaged", root, "export"))
    elif ledger.is_new:
        if root.landing.is_dir():
            result.errors.append(advice.run(f"{shown}: missing", root, "export"))
        return
    else:
        result.errors += [
            advice.run(part.problem, root, "export", "--historical")
            for part in unsound_parts(root, ledger)
        ]
        result.warnings += odd_names(root, look_into(root.landing))
        errors, warnings = check_manifest(root, ledger)
        result.errors += [advice.run(error, root, "export") for error in errors]
        result.warnings += warnings


@dataclass
class _Checked:
    db: duckdb.DuckDBPyConnection
    root: Root
    ledger: Ledger
    result: Validation


def _check_marts(
    at: _Checked,
    datasets: Mapping[str, Dataset],
    marts: Mapping[str, Mart],
    only: date | None,
) -> dict[str, PublishedFile]:
    """Check the files of the marts, and that each is there that should be."""
    footers: dict[str, PublishedFile] = {}
    tables: dict[str, Table] = {**datasets, **marts}
    known = at.ledger.published()
    files: dict[str, Files] = {
        name: {
            day: known.get(path)
            for day, path in named_paths(at.root, table)
            if os.path.lexists(at.root.path / path)
        }
        for name, table in tables.items()
    }
    world = World(files, {}, "", Present.now())
    for name, mart in marts.items():
        days = {mart.file(day): day for day in files[name] if only in (None, day)}
        footers |= _check_table(at, mart, days)
        if at.result.is_empty:
            continue  # then no run has been here
        wanted = [day for day in mart_days(mart, world) if only in (None, day)]
        _say_missing(at, name, wanted, files[name], "files are not there")
    return footers


def _say_missing(
    at: _Checked, name: str, wanted: Collection[Day], there: Collection[Day], said: str
) -> None:
    missing = [day for day in wanted if day not in there]
    at.result.missing += len(missing)
    if missing:
        said = f"{name}: {len(missing):,} of {len(wanted):,} {said}"
        if missing[0]:
            said += f", such as {missing[0]}"
        at.result.errors.append(advice.run(said, at.root, "export"))


def _check_table(
    at: _Checked, table: Table, days: Mapping[str, Day]
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
    odd = [path for path, file in footers.items() if file.shape != table.shape]
    if len(odd) < len(footers):
        at.result.codecs.add("snappy")
    for batch in _batches(odd):
        _check_columns(at, table, batch)
        _check_codec(at, batch)
    return footers


def _is_as_left(at: _Checked, path: str, known: Mapping[str, PublishedFile]) -> bool:
    """Whether a file has the very bytes of which the ledger knows the footer."""
    known_file = known.get(path)
    full = f"{at.root.path}/{path}"
    try:
        if known_file is None or not os.path.isfile(full):
            return False
        return known_file.checksum == files.checksum(full)
    except OSError:
        return False


def _damaged(
    at: _Checked, path: str, why: str, known_file: PublishedFile | None
) -> str:
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


def _check_columns(at: _Checked, table: Table, paths: list[str]) -> None:
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
            _broken(
                at,
                f"{full[file_name]}: compressed with {', '.join(sorted(codecs))}, not "
                "snappy",
            )


def _broken(at: _Checked, said: str) -> None:
    """Note an error of a file that no run makes again unasked."""
    at.result.errors.append(advice.run(said, at.root, "export", "--force"))


def _check_presence(
    at: _Checked,
    datasets: Mapping[str, Dataset],
    found: Mapping[str, Mapping[str, date]],
    only: date | None,
) -> None:
    """Landed days without a file, and nothing at all."""
    root, ledger, result = at.root, at.ledger, at.result
    landed = {(row.source, date.fromisoformat(row.day)) for row in landed_days(ledger)}
    for name, dataset in datasets.items():
        wanted = {
            day
            for source, day in landed
            if source in dataset.sources and only in (None, day)
        }
        there = [*found[name].values()]
        _say_missing(at, name, sorted(wanted), there, "landed days have no file")
    result.is_empty = not result.missing and not any(found.values())
    if result.is_empty:
        where = f"of {only}" if only else f"below {root.path}"
        said = f"nothing to validate: nothing is landed or published {where}"
        if root.looks_wrong:
            said = f"{said}; {advice.wrong_root(root)}, or make it one"
            result.errors.append(f"{said}{advice.RUN}{advice.make_root(root)}")
        else:
            result.errors.append(advice.run(said, root, "export"))


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
    for on_day, dataset, _, records in ledger.rejects():
        rejects[dataset, on_day] += records
    taken_over = {day_in(p) for p, file in footers.items() if "kept" in file.metadata}
    for path, day in found.get("rejected_records", {}).items():
        # What is kept of records that are landed no more is in no file's count.
        if footer := footers.get(path):
            for of, rows in kept_rows(footer.metadata).items():
                rejects[of, day.isoformat()] -= rows
    landed = landed_per_day(ledger, datasets)
    for name, paths in found.items():
        # A count of what is landed may stand for no record that is.
        if name in ALWAYS or name == LANDED_COUNTS:
            continue
        for path, day in paths.items():
            footer = footers.get(path)
            if footer is None:
                continue
            made_from = int(footer.metadata.get("landed_records", 0))
            told = footer.row_count + rejects[name, day.isoformat()]
            # Another program's rows yield to those that are read from Markdown.
            exact = not datasets[name].collapses and LEGACY not in read_content(
                footer.metadata
            )
            if told > made_from or (exact and told < made_from):
                said = (
                    f"{path}: {footer.row_count:,} rows and "
                    f"{told - footer.row_count:,} rejects, but {made_from:,} records "
                    "were landed"
                )
                if day.isoformat() in taken_over:
                    # --force would drop what the landing has lost.
                    said += ", and rows are kept: put a backup of the landing back"
                    result.errors.append(advice.run(said, root, "export"))
                else:
                    result.errors.append(advice.run(said, root, "export", "--force"))
            now = landed.get((name, day))
            if now is not None and now < made_from:
                result.warnings.append(
                    f"{path}: made from {made_from:,} records, but the landing holds "
                    f"{now:,} now"
                )
