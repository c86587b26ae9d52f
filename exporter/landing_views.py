"""The landing store as DuckDB views: typed, partitioned by day, maybe empty."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from exporter.landing_columns import landing_columns
from ingest.landing import CSV_SOURCES, MANIFEST, SOURCES
from ingest.root import Root

# A whole heartbeat stands in one line of JSON, escaped.
MAX_LINE_BYTES = 32 << 20


def quote(text: str) -> str:
    """A text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal_path(path: str) -> str:
    """A path in which no character acts as a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def create(
    db: DuckDBPyConnection, root: Root, days: Collection[date] | None = None
) -> None:
    """Create schema `landing` and a view per source, and `landed_days`.

    The sources' views show all days or only some: to look through the folders
    of a long history takes longer than to read one day. A connection narrows
    its own view of a source by the variable `landing_<source>`, a list of
    patterns.
    """
    db.execute("create schema if not exists landing")
    columns = landing_columns()
    for source in SOURCES:
        shown = ", ".join(quoted(list(columns[source])))
        if days is None:
            patterns = [_pattern(root, source)] if any(folders(root, source)) else []
        else:
            patterns = [pattern for _, pattern in folders(root, source, days)]
        if patterns:
            found = f"coalesce(getvariable('landing_{source}'), {_list(patterns)})"
            query = f"select {shown} from {_reader(source, found)}"
        else:
            query = _nothing(columns[source])
        db.execute(f"create or replace view landing.{source} as {query}")
    manifest = root.landing / MANIFEST
    if manifest.exists():
        found = _list([literal_path(str(manifest))])
        query = f"from {_csv(found, columns['landed_days'], False)}"
    else:
        query = _nothing(columns["landed_days"])
    db.execute(f"create or replace view landing.landed_days as {query}")


def folders(
    root: Root, source: str, days: Collection[date] | None = None
) -> Iterator[tuple[str, str]]:
    """(day, a pattern that finds a source's parts of it), where there is one."""
    top = root.landing / source
    if days is None:
        names = sorted(os.listdir(top)) if top.is_dir() else []
    else:
        names = [f"day={day}" for day in sorted(days)]
    end = _ending(source)
    for name in names:
        if name.startswith("day=") and _holds(top / name, end):
            yield name[4:], _pattern(root, source, name)


def _holds(folder: Path, end: str) -> bool:
    try:
        return any(name.endswith(end) for name in os.listdir(folder))
    except OSError:
        return False


def _ending(source: str) -> str:
    return ".csv.gz" if source in CSV_SOURCES else ".ndjson.gz"


def _pattern(root: Root, source: str, folder: str = "day=*") -> str:
    top = literal_path(f"{root.landing / source}/")
    return f"{top}{folder}/*{_ending(source)}"


def quoted(names: list[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _nothing(columns: dict[str, str]) -> str:
    cells = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    return f"select {cells} where false"


def _reader(source: str, found: str) -> str:
    columns = dict(landing_columns()[source])
    del columns["day"]  # it stands in the path
    if source in CSV_SOURCES:
        return _csv(found, columns, True)
    return f"""read_json(
        {found},
        format = 'newline_delimited',
        -- Not by name: to DuckDB a ? in a path ends it.
        compression = 'gzip',
        columns = {_struct(columns)},
        auto_detect = false,
        maximum_object_size = {MAX_LINE_BYTES},
        hive_partitioning = true,
        hive_types = {{'day': date}}
    )"""


def _list(patterns: list[str]) -> str:
    return f"[{', '.join(map(quote, patterns))}]"


def _csv(found: str, columns: dict[str, str], by_day: bool) -> str:
    hive = "hive_partitioning = true, hive_types = {'day': date}"
    return f"""read_csv(
        {found},
        columns = {_struct(columns)},
        auto_detect = false, header = true,
        delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '',
        max_line_size = {MAX_LINE_BYTES},
        compression = '{"gzip" if by_day else "none"}',
        {hive if by_day else "hive_partitioning = false"}
    )"""


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"{quote(n)}: {quote(t)}" for n, t in columns.items()) + "}"
