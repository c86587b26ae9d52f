"""Published files: which lie under the root, whole or damaged, and from what."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.contracts.datasets import Table, day_in, shape_of
from exporter.publish.counts import count_findings
from exporter.publish.ledger import Ledger, PublishedFile
from ingest import files
from ingest.names import name_before
from ingest.root import Root

if TYPE_CHECKING:  # a run with nothing to do does without
    from duckdb import DuckDBPyConnection

MAGIC = b"PAR1"
# Head, footer length and tail: a shorter file cannot be Parquet.
LEAST_BYTES = 12


@dataclass(frozen=True)
class NamedFiles:
    """The files that have a dataset's names, by day: those in their places, and
    those of another program that are `kept` beside. Paths relative to the root."""

    days: dict[date, str] = field(default_factory=dict)
    kept: list[tuple[date, str]] = field(default_factory=list)


def published_days(root: Root, table: Table) -> Iterator[tuple[date, str]]:
    """(day, path relative to the root) of every file that has a dataset's name."""
    yield from named_files(root, table).days.items()


def published_files(root: Root, table: Table) -> list[tuple[date, str]]:
    """Those of them that are files: to open a pipe would wait for its other end."""
    named = published_days(root, table)
    return [found for found in named if os.path.isfile(f"{root.path}/{found[1]}")]


def named_files(root: Root, table: Table) -> NamedFiles:
    """Look at every name in a dataset's folders."""
    found = NamedFiles()
    top = f"{root.path}/{table.folder}"
    nested = "/" in table.path[len(table.folder) + 1 :]
    walk: Iterable[tuple[str, list[str], list[str]]]
    if not os.path.isdir(top):
        return found
    walk = os.walk(top) if nested else [(top, [], os.listdir(top))]
    above, pattern = len(f"{root.path}/"), table.name_pattern
    for folder, folders, names in walk:
        below = folder[above:]
        folders.sort()
        for name in sorted(names):
            base = name_before(name)
            match = pattern.fullmatch(base)
            if match is None:
                continue
            try:
                day = date.fromisoformat(match[1])
            except ValueError:
                continue
            path = table.file(day)
            if path != f"{below}/{base}":
                continue
            if base == name:
                found.days[day] = path
            else:
                found.kept.append((day, f"{below}/{name}"))
    return found


def stands_alone(root: Root, table: Table, paths: Iterable[str]) -> bool:
    """Whether the pattern of a dataset's files finds these, and nothing else."""
    return set(glob(table.glob, root_dir=root.path)) == set(paths)


def looks_whole(path: str | Path) -> bool:
    """Whether a file has the two ends of a Parquet file: cheap, not proof."""
    if not os.path.isfile(path):
        return False  # to open a pipe would wait for its other end
    try:
        with open(path, "rb") as stream:
            head = stream.read(4)
            size = stream.seek(0, os.SEEK_END)
            if size < LEAST_BYTES:
                return False
            stream.seek(-8, os.SEEK_END)
            tail = stream.read(8)
    except OSError:
        return False
    footer = int.from_bytes(tail[:4], "little")
    return head == MAGIC and tail[4:] == MAGIC and footer + LEAST_BYTES <= size


def is_ours(file: PublishedFile | None) -> bool:
    """Whether a file was made by us, and not by another tool."""
    return file is not None and "source_fingerprint" in file.metadata


def says_what_it_is(table: Table, day: date | None, file: PublishedFile) -> bool:
    """Whether a footer is of a table and day, or was made before footers said."""
    of, on = file.metadata.get("dataset"), file.metadata.get("day")
    return (of, on) in ((table.name, day.isoformat() if day else None), (None, None))


def misplaced(
    root: Root, table: Table, files: Iterable[tuple[date | None, str, PublishedFile]]
) -> dict[str, str]:
    """What those files hold, by path, that are not what their names say.

    A footer that says nothing of it was made before footers did. The rows' days
    count as well. What another program made says nothing of the kind.
    """
    found = {}
    files = list(files)
    for day, path, file in files:
        if is_ours(file) and not says_what_it_is(table, day, file):
            found[path] = (
                f"{file.metadata.get('dataset')} of {file.metadata.get('day')}"
            )
    ours = [
        path for day, path, file in files if day and is_ours(file) and path not in found
    ]
    for path, days in _days_of_rows(root, ours).items():
        if set(days) - {day_in(path)}:
            found[path] = f"rows of {' and '.join(sorted(days))}"
    return found


def read_published(
    root: Root,
    ledger: Ledger,
    table: Table,
    paths: Iterable[tuple[date | None, str]],
) -> dict[str, PublishedFile | None]:
    """What each existing file, given with its day, was made from; None for one that
    is damaged.

    One of another program is found, too, but never entered in the ledger. A file
    that looks as we left it is taken from there, if what that knows of it is of
    this day; an older ledger may have taken any. Any other is read: one whose
    bytes changed though its footer is ours is damaged too, and so is one of
    another day or table.
    """
    known = ledger.published()
    found: dict[str, PublishedFile | None] = {}
    doubtful: dict[str, date | None] = {}
    for day, path in paths:
        try:
            file_stat = os.stat(f"{root.path}/{path}")
        except OSError:
            continue
        known_file = known.get(path)
        if (
            known_file
            and (file_stat.st_size, file_stat.st_mtime_ns)
            == (known_file.bytes, known_file.mtime_ns)
            and says_what_it_is(table, day, known_file)
        ):
            found[path] = known_file
        else:
            doubtful[path] = day
    fresh = read_footers(root, doubtful)
    unreadable = unreadable_files(
        root, [p for p in fresh if p not in known or not is_ours(fresh[p])]
    )
    elsewhere = misplaced(
        root,
        table,
        [(day, path, fresh[path]) for path, day in doubtful.items() if path in fresh],
    )
    news: list[tuple[str, PublishedFile]] = []
    for path in doubtful:
        file = None if path in elsewhere else fresh.get(path)
        known_file = known.get(path)
        # Of the same making: then the bytes must be the same too.
        if file and known_file and known_file.metadata == file.metadata:
            if known_file.checksum != file.checksum:
                file = None
        elif file and path in unreadable:
            file = None
        found[path] = file
        if file and is_ours(file):
            ledger.put_published(path, file)
            news.append((path, file))
    if news:
        import duckdb

        with duckdb.connect() as db:
            count_findings(db, root, ledger, news)
    return found


def read_footers(
    root: Root, paths: Iterable[str], db: DuckDBPyConnection | None = None
) -> dict[str, PublishedFile]:
    """The footers of the files that have a readable one.

    `db` is a connection that is there already: another takes longer than the footer.
    """
    whole = [path for path in paths if looks_whole(f"{root.path}/{path}")]
    if not whole:
        return {}
    import duckdb  # here, because a run with nothing to do does without

    with contextlib.nullcontext(db) if db else duckdb.connect() as reader:
        try:
            rows = _footers(reader, root, whole)
        except duckdb.Error:
            rows = []
            for path in whole:  # one junk file spoils the whole query
                try:
                    rows += _footers(reader, root, [path])
                except duckdb.Error:
                    continue
    found = {}
    for path, row_count, metadata, shape in rows:
        full = f"{root.path}/{path}"
        try:
            file_stat = os.stat(full)
            found[path] = PublishedFile(
                file_stat.st_size, file_stat.st_mtime_ns, files.checksum(full),
                row_count, metadata, shape,
            )  # fmt: skip
        except OSError:
            continue
    return found


def unreadable_of(root: Root, paths: list[str]) -> set[str]:
    """Which of some files that are not as they should be are no Parquet at all."""
    readable = read_footers(root, paths).keys()
    return {*paths} - readable | unreadable_files(root, [*readable])


def unreadable_files(root: Root, paths: list[str]) -> set[str]:
    """Which files cannot be read to their end: for those without a checksum."""
    if not paths:
        return set()
    import duckdb

    with duckdb.connect() as db:

        def reads(some: list[str]) -> bool:
            try:
                db.execute(
                    # A count would be answered from the footer.
                    "select max(hash(columns(*))) from "
                    "read_parquet(?, hive_partitioning = false, union_by_name = true)",
                    [[str(root.path / path) for path in some]],
                ).fetchall()
            except duckdb.Error:
                return False
            return True

        if reads(paths):
            return set()
        return {path for path in paths if not reads([path])}


def _footers(
    db: Any, root: Root, paths: list[str]
) -> list[tuple[str, int, dict[str, str], str]]:
    """(path, rows, metadata, shape)."""
    full = {f"{root.path}/{path}": path for path in paths}
    query = """
        select
            parquet_file_metadata[1].file_name,
            parquet_file_metadata[1].num_rows,
            map_from_entries([
                (decode(pair.key), decode(pair.value))
                for pair in parquet_kv_metadata
                if pair.key is not null
            ]),
            [
                (field.name, field.duckdb_type)
                for field in parquet_schema
                if field.column_id > 0
            ],
            list_distinct([chunk.compression for chunk in parquet_metadata]),
        from parquet_full_metadata($paths)
    """
    rows = db.execute(query, {"paths": list(full)}).fetchall()
    return [
        (full[name], count, dict(metadata or {}), shape_of(columns, codecs))
        for name, count, metadata, columns, codecs in rows
    ]


def _days_of_rows(root: Root, paths: list[str]) -> dict[str, list[str]]:
    """The days that the rows of files have, as far as their footers say."""
    if not paths:
        return {}
    import duckdb

    full = {f"{root.path}/{path}": path for path in paths}
    query = """
        select
            file_name,
            list_distinct(flatten(list([stats_min_value, stats_max_value]))),
        from parquet_metadata($paths)
        where path_in_schema = 'date_partition'
        group by file_name
    """
    with duckdb.connect() as db:
        rows = db.execute(query, {"paths": list(full)}).fetchall()
    return {full[name]: days for name, days in rows}
