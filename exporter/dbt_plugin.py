"""The dbt-duckdb plugin: shows dbt what is landed and published, and publishes.

On every connection it creates
- `landing.<source>`: views over the landing store, typed, empty if need be;
- a view per published dataset, so that `dbt test` works before any build;
- `publishing.stale_days`, `publishing.landed_parts` (what those days are made
  from) and `publishing.published_days`.

The `daily_parquet` materialization calls `store` with a step's name as path:
`plan` (take the lock, find the stale days), `publish` (move finished files
into place) and `reject` (a day failed its audit).
"""

from __future__ import annotations

import atexit
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.flags import get_flags
from duckdb import DuckDBPyConnection

from exporter import landing_views
from exporter.bookkeeping import open_ledger
from exporter.datasets import Dataset, load_datasets
from exporter.errors import describe
from exporter.findings import count_findings
from exporter.landing_views import quote
from exporter.lock import hold_lock
from exporter.published import read_footers
from exporter.request import Lying, Request
from exporter.rights import FOR_OWNER, keep_dbt_private, users_umask
from exporter.staleness import (
    Selection,
    plan_days,
    published_on,
    set_damaged_aside,
)
from exporter.untested import note_untested
from ingest import files
from ingest.landing import LandedPart
from ingest.ledger import Ledger, PublishedFile
from ingest.root import Root, find_root

TABLES = """
create schema if not exists publishing;
create or replace table publishing.stale_days (
    dataset varchar, day date, path varchar, staged varchar, reason varchar,
    schema_version varchar, source_fingerprint varchar,
    model_fingerprint varchar, landed_records bigint,
);
create or replace table publishing.landed_parts (
    source varchar, day date, path varchar,
);
create or replace table publishing.published_days (
    dataset varchar, day date, path varchar, row_count bigint,
    landed_records bigint, source_fingerprint varchar, parquet_bytes bigint,
);
"""


# Holds inputs as they were found: for the owner's eyes only.
PRIVATE = ("rejected_records",)
# Files that are flushed to the disk at once: it does so in fewer strokes.
SYNCED_AT_ONCE = 8


class Plugin(BasePlugin):
    """See the module. Thread-safe: dbt may run models side by side."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """`scope: run` shows only the files that a run publishes."""
        self.run_only = plugin_config.get("scope") == "run"
        self.guard = threading.RLock()
        self.planned = False
        self.request = Request.from_environment()
        self.umask = users_umask()
        if self.request is None:  # a run keeps all in folders of its own
            flags = get_flags()  # type: ignore[no-untyped-call]
            keep_dbt_private(self.creds.path if self.creds else "", flags)

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        self.conn = conn
        self.root: Root = find_root()
        self.datasets: dict[str, Dataset] = load_datasets()
        self.ledger_path = self.root.state / "ledger.sqlite"
        # What does not fit into memory is raw input, too.
        scratch = quote(str(self.root.staging / f"duckdb-{os.getpid()}"))
        conn.execute(f"set temp_directory = {scratch}")
        conn.execute(TABLES)
        # In a run `plan` says what is shown; before it there is nothing to read.
        landed: list[LandedPart] = []
        lying: list[Lying] = []
        if not self.run_only:
            ledger = open_ledger(self.root, dry_run=True)
            landed = landing_views.landed_parts(self.root, ledger)
            lying = published_on(self.root, ledger, self.datasets)
            ledger.close()
        landing_views.create(conn, self.root, landed)
        self._show_published(conn, lying)

    def store(self, target_config: TargetConfig) -> None:
        """One step of the materialization; see the module."""
        step = target_config.location.path if target_config.location else ""
        with self.guard:
            try:
                self._step(step, self.conn.cursor(), target_config.config)
            except OSError as error:
                raise RuntimeError(describe(error)) from error

    def _step(
        self, step: str, cursor: DuckDBPyConnection, config: dict[str, Any]
    ) -> None:
        if step == "plan":
            self._plan(cursor)
        elif step == "publish":
            self._publish(cursor, config["dataset"])
        elif step == "reject":
            self._record(failed=config["failed"])
        else:
            raise ValueError(f"the publisher knows no step {step!r}")

    # Steps

    def _plan(self, cursor: DuckDBPyConnection) -> None:
        if self.planned:
            return
        request = self.request or self._plan_all()
        days = {str(target.day) for target in request.stale}
        # Another run may have landed more since this one connected.
        landing_views.create(cursor, self.root, request.landed)
        staging = self.root.staging / f"parquet-{os.getpid()}"
        rows = [
            [
                t.dataset, t.day, t.path, str(staging / os.path.basename(t.path)),
                t.reason, t.metadata["schema_version"],
                t.metadata["source_fingerprint"], t.metadata["model_fingerprint"],
                t.landed_records,
            ]
            for t in request.stale
        ]  # fmt: skip
        if rows:
            files.make_private_folder(staging)
        insert(cursor, "publishing.stale_days", rows)
        parts = [
            [part[0], part[1], landing_views.part_path(self.root, part)]
            for part in request.landed
            if part[1] in days
        ]
        insert(cursor, "publishing.landed_parts", parts)
        self._show_published(cursor, request.published)
        self.planned = True
        request.forget()

    def _plan_all(self) -> Request:
        """Under plain dbt: all stale days, and all that is published."""
        hold_lock(self.root, "dbt")
        # What a killed run has left, and what this one leaves.
        files.remove_tree(self.root.staging)
        atexit.register(files.remove_tree, self.root.staging)
        ledger = open_ledger(self.root, dry_run=not self.root.landing.is_dir())
        try:
            plan = plan_days(self.root, ledger, self.datasets, Selection())
            set_damaged_aside(self.root, ledger, plan)
            return Request(
                self.root.staging,
                plan.stale,
                landing_views.landed_parts(self.root, ledger),
                # Another run may have published since this one connected.
                published_on(self.root, ledger, self.datasets),
            )
        finally:
            ledger.close()

    def _publish(self, cursor: DuckDBPyConnection, dataset: str) -> None:
        """Move a dataset's finished files into place, each in one step."""
        rows = cursor.execute(
            "select day, path, staged from publishing.stale_days "
            "where dataset = ? order by day",
            [dataset],
        ).fetchall()
        made = [row for row in rows if os.path.exists(row[2])]
        staged = [self.root.relative(Path(row[2])) for row in made]
        footers = read_footers(self.root, staged)
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(files.sync, [self.root.path / name for name in staged]))
        if made:
            note_untested(self.root, [day for day, _, _ in made])
        done: list[tuple[date, str, PublishedFile]] = []
        try:
            for (day, path, _), name in zip(made, staged, strict=True):
                self._move(name, path, dataset)
                # A file that DuckDB just wrote has a footer.
                done.append((day, path, footers[name]))
            for folder in {(self.root.path / path).parent for _, path, _ in done}:
                files.sync(folder)
        finally:
            # What has been moved is published, whatever became of the rest.
            self._note(cursor, dataset, done)

    def _move(self, staged: str, path: str, dataset: str) -> None:
        """Put one finished file, durable by now, into its place."""
        place = self.root.path / path
        hidden = FOR_OWNER if dataset in PRIVATE else self.umask
        files.make_folder(place.parent, 0o777 & ~hidden)
        (self.root.path / staged).chmod(0o666 & ~hidden)
        try:
            os.replace(self.root.path / staged, place)
        except OSError as error:
            error.filename = str(place)  # it names the staged file first
            raise

    def _note(
        self,
        cursor: DuckDBPyConnection,
        dataset: str,
        done: list[tuple[date, str, PublishedFile]],
    ) -> None:
        """Remember what was published, for later runs and for this one."""
        ledger = Ledger(self.ledger_path)
        for _, path, file in done:
            ledger.put_published(path, file)
        count_findings(
            cursor, self.root, ledger, [(path, file) for _, path, file in done]
        )
        ledger.close()
        self._add_published(cursor, dataset, done)
        for day, path, file in done:
            self._record(
                dataset=dataset, day=day, path=path, rows=file.row_count,
                parquet_bytes=file.bytes,
            )  # fmt: skip
        self._show(cursor, self.datasets[dataset])

    def _record(self, **done: Any) -> None:
        if self.request is not None:
            self.request.record(**done)

    # Showing what is published

    def _show_published(self, cursor: DuckDBPyConnection, lying: list[Lying]) -> None:
        """Create the views of all datasets and the table of their files."""
        for name, dataset in self.datasets.items():
            mine = [(day, path, file) for of, day, path, file in lying if of == name]
            self._add_published(cursor, name, mine)
            self._show(cursor, dataset)

    def _add_published(
        self,
        cursor: DuckDBPyConnection,
        dataset: str,
        done: list[tuple[date, str, PublishedFile]],
    ) -> None:
        days = [day for day, _, _ in done]
        cursor.execute(
            "delete from publishing.published_days "
            "where dataset = ? and list_contains(?::date[], day)",
            [dataset, days],
        )
        rows = [
            [
                dataset, day, path, file.row_count,
                int(file.metadata.get("landed_records", 0)),
                file.metadata.get("source_fingerprint"), file.bytes,
            ]
            for day, path, file in done
        ]  # fmt: skip
        insert(cursor, "publishing.published_days", rows)

    def _show(self, cursor: DuckDBPyConnection, dataset: Dataset) -> None:
        """Create a dataset's view over its whole files; typed, maybe empty."""
        paths = cursor.execute(
            "select path from publishing.published_days where dataset = ? order by day",
            [dataset.name],
        ).fetchall()
        if paths and not self.run_only:
            pattern = landing_views.literal_path(f"{self.root.path}/") + dataset.glob
            try:
                self._create_view(cursor, dataset, quote(pattern))
                return
            except duckdb.Error:
                pass  # a damaged file spoils the pattern: name the whole ones
        full = [
            quote(landing_views.literal_path(f"{self.root.path}/{path}"))
            for (path,) in paths
        ]
        self._create_view(cursor, dataset, f"[{', '.join(full)}]" if full else "")

    def _create_view(
        self, cursor: DuckDBPyConnection, dataset: Dataset, files_sql: str
    ) -> None:
        if files_sql:
            query = f"from read_parquet({files_sql}, hive_partitioning = false)"
        else:
            cells = (f"null::{c.type} as {c.name}" for c in dataset.columns)
            query = f"select {', '.join(cells)} where false"
        schema = self.creds.schema if self.creds else "main"
        cursor.execute(f"create schema if not exists {schema}")
        cursor.execute(f"create or replace view {schema}.{dataset.name} as {query}")


def insert(cursor: DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    """Insert rows by column: one statement, whatever their number."""
    if rows:
        marks = ", ".join("unnest(?)" for _ in rows[0])
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(f"insert into {table} select {marks}", columns)
