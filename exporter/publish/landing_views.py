"""The landing store as DuckDB views: typed, partitioned by day, maybe empty."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Set
from datetime import date
from typing import TYPE_CHECKING

from exporter.contracts.landing_columns import landing_columns
from ingest.registry import CSV_SOURCES, SOURCES
from ingest.root import Root
from ingest.store.ledger import Ledger
from ingest.store.part_files import MANIFEST, LandedPart
from ingest.store.parts import scan_landing

if TYPE_CHECKING:  # a run with nothing to do does without
    from duckdb import DuckDBPyConnection

# Bytes of a day in one input, landed or published, from which on what is made from it
# is made in bounded memory.
HEAVY = 8 << 20

# A whole heartbeat stands in one line of JSON, escaped.
MAX_LINE_BYTES = 32 << 20
# A landed row's cells stand in a record of 1 MiB; beside them, the header, what
# stands around and the raw text take up to 4 MiB each.
MAX_ROW_BYTES = 16 << 20

# To DuckDB, any folder named `name=value` would be a column, which hides ours.
PATH_AS_TEXT = "hive_partitioning = false, filename = 'part_path'"


def quote(text: str) -> str:
    """A text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal_path(path: str) -> str:
    """A path in which no character acts as a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def quote_path(path: str) -> str:
    """A path in SQL, in which no character acts as a pattern."""
    return quote(literal_path(path))


def create(db: DuckDBPyConnection, root: Root, parts: Iterable[LandedPart]) -> None:
    """Create schema `landing` and a view per source, and `landed_days`.

    The sources' views show these parts, each by its path: what lies beside them
    counts for nothing, and no folder is searched. A connection narrows its own
    views by the variable `landing`, which has a list of paths for each source.
    """
    paths: dict[str, list[str]] = {source: [] for source in SOURCES}
    for part in parts:
        paths[part[0]].append(part_path(root, part))
    db.execute("create schema if not exists landing")
    columns = landing_columns()
    for source, shown in paths.items():
        if shown:
            found = f"coalesce(getvariable('landing').{source}, {_list(shown)})"
            query = _reader(source, found)
        else:
            query = _nothing(columns[source])
        db.execute(f"create or replace view landing.{source} as {query}")
    manifest = root.landing / MANIFEST
    if manifest.is_file():
        found = _list([literal_path(str(manifest))])
        query = f"from {_csv(found, columns['landed_days'], 'none')}"
    else:
        query = _nothing(columns["landed_days"])
    db.execute(f"create or replace view landing.landed_days as {query}")


def landed_parts(
    root: Root, ledger: Ledger, days: Set[date] | None = None
) -> list[LandedPart]:
    """The parts that the ledger knows, of all days or some.

    Without a ledger all that have their form. Only those that lie there: one
    that is missing would spoil its source.
    """
    if ledger.is_new or ledger.was_damaged:
        found = scan_landing(root.landing)
        known = [(source, day, part) for source, day, part, _ in found.parts]
    else:
        known = [(source, day, part) for source, day, part, *_ in ledger.part_stats()]
    if days is not None:
        names = set(map(str, days))
        known = [part for part in known if part[1] in names]
    landing = str(root.landing)
    return [
        part
        for part in known
        if os.path.isfile(f"{landing}/{part[0]}/day={part[1]}/{part[2]}")
    ]


def weights(root: Root, parts: Iterable[LandedPart]) -> Counter[str]:
    """How many bytes of parts there are of each day."""
    found: Counter[str] = Counter()
    for source, day, part in parts:
        with contextlib.suppress(OSError):  # gone since
            found[day] += os.stat(f"{root.landing}/{source}/day={day}/{part}").st_size
    return found


class Narrow:
    """Lets a connection's views of the landing show the parts of some days only.

    To pick these out of a long history takes its time. `parts` are those of all
    days that may be asked for.
    """

    def __init__(self, root: Root, parts: Iterable[LandedPart]) -> None:
        self.root = root
        self.paths: dict[str, list[tuple[str, str]]] = {}
        for part in parts:
            source, day, _ = part
            found = self.paths.setdefault(source, [])
            found.append((day, part_path(root, part)))

    def to(self, db: DuckDBPyConnection, days: Iterable[date | None]) -> None:
        names = set(map(str, days))
        shown: dict[str, list[str] | None] = dict.fromkeys(SOURCES)
        for source, paths in self.paths.items():
            found = [path for day, path in paths if day in names]
            # Else one that is of no day of these, and so is not opened.
            shown[source] = found or [path for _, path in paths[:1]]
        db.execute("set variable landing = $shown", {"shown": shown})

    def widen(self, db: DuckDBPyConnection) -> None:
        """Show all days again."""
        db.execute("reset variable landing")


def part_path(root: Root, part: LandedPart) -> str:
    """Where a part lies, as DuckDB takes it."""
    source, day, name = part
    return literal_path(f"{root.landing}/{source}/day={day}/{name}")


def quoted(names: list[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _nothing(columns: dict[str, str]) -> str:
    cells = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    return f"select {cells} where false"


def _reader(source: str, found: str) -> str:
    columns = dict(landing_columns()[source])
    del columns["day"]  # it stands in the path
    if source in CSV_SOURCES:
        rows = _csv(found, columns, "gzip")
    else:
        rows = f"""read_json(
        {found},
        format = 'newline_delimited',
        -- Not by name: to DuckDB a ? in a path ends it.
        compression = 'gzip',
        columns = {_struct(columns)},
        auto_detect = false,
        maximum_object_size = {MAX_LINE_BYTES},
        {PATH_AS_TEXT}
    )"""
    shown = ", ".join(quoted(list(columns)))
    # A condition on it opens no part of another day, as one on the path.
    day = "split_part(part_path, '/day=', -1)[:10]::date as day"
    return f"select {shown}, {day} from {rows}"


def _list(paths: list[str]) -> str:
    return f"[{', '.join(map(quote, paths))}]"


def _csv(found: str, columns: dict[str, str], compression: str) -> str:
    return f"""read_csv(
        {found},
        columns = {_struct(columns)},
        auto_detect = false, header = true,
        delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '',
        max_line_size = {MAX_ROW_BYTES},
        -- Else it is that of sixteen such rows, several times over.
        buffer_size = {MAX_ROW_BYTES + (1 << 20)},
        compression = '{compression}',
        {PATH_AS_TEXT}
    )"""


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"{quote(n)}: {quote(t)}" for n, t in columns.items()) + "}"
