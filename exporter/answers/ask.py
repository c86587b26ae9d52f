"""Ask the marts: each answer is the SQL beside this module, of the same name."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from exporter.answers.kept_days import KeptDays
from exporter.answers.settings import show_windows
from exporter.answers.tables import published, show_only_file
from exporter.publish.landing_views import quote
from exporter.runtime.present import present
from ingest import files
from ingest.root import Root

HERE = Path(__file__).parent
PREPARED = HERE / "prepared"
# Of DuckDB: the pages' answers take less, unless a file is very large.
MEMORY = "128MiB"
READ = re.compile(r"\b(?:from|join) (\w+)")

Row = dict[str, Any]


@functools.cache
def answer_names() -> tuple[str, ...]:
    """All that can be asked for."""
    return tuple(sorted(path.stem for path in HERE.glob("*.sql")))


class Answers:
    """The answers of a root's marts, each reckoned once and when it is asked for.

    `as_of` is the present moment that the marts were made for, naive and in UTC;
    of a root without marts it is now.
    """

    def __init__(self, root: Root) -> None:
        self.root = root
        # What a very large file makes of them goes to the disk.
        self.spilled = root.staging / f"answers-{os.getpid()}"
        # One thread: to divide so little takes longer than it saves.
        self.db = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
        self.db.execute(f"set temp_directory = {quote(str(self.spilled))}")
        with contextlib.suppress(OSError):  # of a root that is only to be read
            files.make_private_folder(self.spilled)
        self._rows: dict[str, list[Row]] = {}
        self._shown: set[str] = set()
        self.as_of: datetime = self._as_of()
        moment = self.as_of.isoformat(sep=" ")
        self.db.execute(f"set variable as_of = timestamp '{moment}'")

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.db.close()
        if self.spilled.exists():
            files.remove_tree(self.spilled)
            with contextlib.suppress(OSError):  # others make something there, too
                self.root.staging.rmdir()

    def rows(self, name: str) -> list[Row]:
        """The rows of an answer; times are naive and in UTC.

        Raises duckdb.Error where a published file cannot be read, and
        BrokenContract.
        """
        if name not in self._rows:
            sql = (HERE / f"{name}.sql").read_text("utf-8")
            try:
                self._rows[name] = self._ask(sql)
            except duckdb.OutOfMemoryException:
                self.db.execute("reset memory_limit")  # too little, or no disk for it
                self._rows[name] = self._ask(sql)
        return self._rows[name]

    def columns(self, name: str) -> dict[str, str]:
        """The columns of an answer with their types in DuckDB."""
        sql = (HERE / f"{name}.sql").read_text(encoding="utf-8")
        self._show_what_is_read(sql)
        described = self.db.execute(f"describe {sql}").fetchall()
        return {column: kind for column, kind, *_ in described}

    def _ask(self, sql: str) -> list[Row]:
        self._show_what_is_read(sql)
        found = self.db.execute(sql)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def _as_of(self) -> datetime:
        sql = (PREPARED / "made_at.sql").read_text("utf-8")
        (row,) = self._ask(sql)
        return row["made_at"] or present()

    def _show_what_is_read(self, sql: str) -> None:
        """Make the tables and views that some SQL reads, and those that they read."""
        for name in READ.findall(sql):
            if name in self._shown:
                continue
            prepared = PREPARED / f"{name}.sql"
            daily = HERE / "daily" / f"{name}.sql"
            if prepared.exists():
                text = prepared.read_text(encoding="utf-8")
                self._show_what_is_read(text)
                self.db.execute(f"create temp table {name} as {text}")
            elif daily.exists():
                self._load_daily(name, daily.read_text(encoding="utf-8"))
            elif name == "maintenance_windows":
                show_windows(self.db, self.root)
            elif of := published(name):
                show_only_file(self.db, of, self.root)
            self._shown.add(name)

    def _load_daily(self, name: str, sql: str) -> None:
        (source,) = filter(None, map(published, READ.findall(sql)))
        KeptDays(name, sql, source, self.root).load(self.db)
