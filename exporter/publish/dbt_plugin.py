"""The dbt-duckdb plugin: shows dbt what is landed and published, and publishes.

On every connection it creates
- `landing.<source>`: views over the landing store, typed, empty if need be;
- a view per published dataset, so that `dbt test` works before any build;
- `publishing.landed_parts` (what the stale days are made from),
  `publishing.expected_records` (how many of each source, so that the audit can
  count), `publishing.kept_files` (of which the published rows stay),
  `publishing.compared_days` (of which published rows stay where their record is
  landed no more) and `publishing.landed_files` (whose rows are not among these),
  `publishing.failed_days` and `publishing.published_days`.

The `daily_parquet` materialization calls `store` with a step's name as path:
`plan` (take the lock, find the stale days) and `publish` (make the files of a
dataset and move those that pass the audit into place).
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.adapters.events.logging import AdapterLogger
from dbt.flags import get_flags
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Dataset, load_datasets
from exporter.publish import landing_views, published_views
from exporter.publish.batches import Day, Failed, Statements, make_files
from exporter.publish.code_changes import changed_since, code_looks
from exporter.publish.counts import count_findings
from exporter.publish.landed import file_of, read_content, source_of
from exporter.publish.landing_views import quote
from exporter.publish.ledger import Ledger, PublishedFile, open_ledger
from exporter.publish.losses import told_of_kept_rows
from exporter.publish.plan import (
    Selection,
    Target,
    plan_days,
    published_on,
    set_aside_damaged,
)
from exporter.publish.published import read_footers
from exporter.publish.published_views import insert
from exporter.publish.request import PublishedDay, Request
from exporter.publish.untested import note_untested
from exporter.runtime.errors import describe
from exporter.runtime.lock import hold_lock
from exporter.runtime.rights import FOR_OWNER, keep_dbt_private, users_umask
from ingest import files
from ingest.root import Root, find_root
from ingest.store.landing import LandedPart, Landing
from ingest.store.reconcile import reconcile, unsound_parts

TABLES = """
create schema if not exists publishing;
create or replace table publishing.landed_parts (
    source varchar, day date, path varchar,
);
create or replace table publishing.expected_records (
    dataset varchar, day date, source varchar, landed_records bigint,
);
create or replace table publishing.kept_files (
    dataset varchar, day date, file varchar,
);
create or replace table publishing.compared_days (
    dataset varchar, day date,
);
create or replace table publishing.landed_files (
    dataset varchar, day date, file varchar,
);
create or replace table publishing.failed_days (
    dataset varchar, day date, path varchar, reason varchar,
);
"""
# Holds inputs as they were found: for the owner's eyes only.
PRIVATE = ("rejected_records",)
# Files that are flushed to the disk at once: it does so in fewer strokes.
SYNCED_AT_ONCE = 8
CHANGED = "the project's files changed while dbt was at work: run it again"

logger = AdapterLogger("ops-atomic")


class Plugin(BasePlugin):
    """See the module. Thread-safe: dbt may run models side by side."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """`scope: run` shows only the files that a run publishes."""
        self.run_only = plugin_config.get("scope") == "run"
        self.guard = threading.RLock()
        self.its_days = threading.local()
        self.request = Request.from_environment()
        self.umask = users_umask()
        if self.request is None:  # a run keeps all in folders of its own
            flags = get_flags()  # type: ignore[no-untyped-call]
            keep_dbt_private(self.creds.path if self.creds else "", flags)
        # What is stale, by dataset, once that was found out.
        self.stale: dict[str, list[Target]] | None = None
        self.parts: dict[str, list[str]] = {}

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        self.conn = conn
        self.root: Root = find_root()
        self.part_stats = code_looks()
        self.datasets: dict[str, Dataset] = load_datasets()
        self.ledger_path = self.root.state / "ledger.sqlite"
        # What does not fit into memory is raw input, too.
        scratch = quote(str(self.root.staging / f"duckdb-{os.getpid()}"))
        conn.execute(f"set temp_directory = {scratch}")
        conn.execute(TABLES + published_views.TABLE)
        # In a run `plan` says what is shown; before it there is nothing to read.
        landed: list[LandedPart] = []
        published: list[PublishedDay] = []
        if not self.run_only:
            ledger = open_ledger(self.root, dry_run=True)
            landed = landing_views.landed_parts(self.root, ledger)
            published = published_on(self.root, ledger, self.datasets)
            ledger.close()
        landing_views.create(conn, self.root, landed)
        self._show_published(conn, published)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        # The one that dbt interrupts when it is told to stop.
        self.its_days.cursor = cursor

    def store(self, target_config: TargetConfig) -> None:
        """One step of the materialization; see the module."""
        step = target_config.location.path if target_config.location else ""
        config = target_config.config
        try:
            if step == "plan":
                with self.guard:
                    self._plan(self.conn.cursor(), config["started"])
            elif step == "publish":
                self._publish(config["dataset"], Statements(**config["statements"]))
            else:
                raise ValueError(f"the publisher knows no step {step!r}")
        except OSError as error:
            raise RuntimeError(describe(error)) from error

    # Planning

    def _plan(self, cursor: DuckDBPyConnection, started: datetime) -> None:
        if self.stale is not None:
            return
        if self.request is None and changed_since(self.part_stats, started.timestamp()):
            raise RuntimeError(CHANGED)
        request = self.request or self._plan_all()
        self.stale = {name: [] for name in self.datasets}
        for target in request.stale:
            self.stale[target.dataset].append(target)
        days = {str(target.day) for target in request.stale}
        # Another run may have landed more since this one connected.
        landing_views.create(cursor, self.root, request.landed)
        landed = [part for part in request.landed if part[1] in days]
        rows = []
        for part in landed:
            source, day, name = part
            rows.append([source, day, landing_views.part_path(self.root, part)])
            self.parts.setdefault(day, []).append(f"{source}/day={day}/{name}")
        insert(cursor, "publishing.landed_parts", rows)
        self._expect(cursor, request.stale)
        self._show_published(cursor, request.published)
        request.forget()

    def _expect(self, cursor: DuckDBPyConnection, stale: list[Target]) -> None:
        """Tell the audit what it has to find."""
        expected: list[list[Any]] = []
        kept: list[list[Any]] = []
        compared: list[list[Any]] = []
        landed: list[list[Any]] = []
        for target in stale:
            records: Counter[str] = Counter()
            for name, (number, _) in read_content(target.metadata).items():
                if name not in target.kept:
                    records[source_of(name)] += number
            at = [target.dataset, target.day]
            expected += [[*at, source, number] for source, number in records.items()]
            kept += [[*at, file_of(name)] for name in target.kept]
            if target.keeps_missing:
                compared.append(at)
                names = filter(file_of, read_content(target.metadata))
                landed += [[*at, file_of(name)] for name in names]
        insert(cursor, "publishing.expected_records", expected)
        insert(cursor, "publishing.kept_files", kept)
        insert(cursor, "publishing.compared_days", compared)
        insert(cursor, "publishing.landed_files", landed)

    def _plan_all(self) -> Request:
        """Under plain dbt: all stale days, and all that is published."""
        hold_lock(self.root, "dbt")
        # What a killed run has left, and what this one leaves.
        files.remove_tree(self.root.staging)
        atexit.register(files.remove_tree, self.root.staging)
        is_nothing_landed = not self.root.landing.is_dir()
        ledger = open_ledger(self.root, dry_run=is_nothing_landed)
        landing = Landing(self.root, ledger, dry_run=is_nothing_landed)
        try:
            # What the ledger says of the landing may not be so any more.
            warnings = reconcile(landing)
            landing.commit()
            landing.write_manifest()
            plan = plan_days(self.root, ledger, self.datasets, Selection())
            stale = {target.day.isoformat() for target in plan.stale}
            if unsound := unsound_parts(self.root, ledger, stale):
                # Only its bytes say so. Its inputs are not read again here, so
                # that what it fed is left to the next export.
                warnings += reconcile(landing, thoroughly=True)
                landing.commit()
                landing.write_manifest()
                plan = plan_days(self.root, ledger, self.datasets, Selection())
                lost = {(part.source, part.day) for part in unsound}
                plan.stale = [
                    target
                    for target in plan.stale
                    if lost.isdisjoint(
                        (source, target.day.isoformat())
                        for source in self.datasets[target.dataset].sources
                    )
                ]
            set_aside_damaged(self.root, ledger, plan)
            for warning in (*warnings, *plan.warnings(self.root)):
                logger.warning(warning)
            return Request(
                self.root.staging,
                plan.stale,
                landing_views.landed_parts(self.root, ledger),
                # Another run may have published since this one connected.
                published_on(self.root, ledger, self.datasets),
            )
        finally:
            landing.close()
            ledger.close()

    # Publishing

    def _publish(self, dataset: str, statements: Statements) -> None:
        """Make a dataset's stale days and move them into place, file by file."""
        assert self.stale is not None
        staging = self.root.staging / f"parquet-{os.getpid()}"
        files.make_private_folder(staging)
        days = [
            Day(
                target.day,
                target.path,
                str(staging / os.path.basename(target.path)),
                target.metadata,
                tuple(self.parts.get(str(target.day), ())),
            )
            for target in self.stale[dataset]
        ]
        failed = make_files(self.its_days.cursor, statements, self.root, days)
        self._check_code(dataset)
        wrong = {day.path for day, _ in failed}
        made = [day for day in days if day.path not in wrong]
        staged = [self.root.relative(Path(day.staged)) for day in made]
        footers = read_footers(self.root, staged)
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(files.sync, [self.root.path / name for name in staged]))
        if made:
            with self.guard:
                note_untested(self.root, [day.day for day in made])
        done: list[tuple[date, str, PublishedFile]] = []
        try:
            for day, name in zip(made, staged, strict=True):
                self._move(name, day.path, dataset)
                # A file that DuckDB just wrote has a footer.
                done.append((day.day, day.path, footers[name]))
            for folder in {(self.root.path / path).parent for _, path, _ in done}:
                files.sync(folder)
        finally:
            # What has been moved is published, whatever became of the rest.
            with self.guard:
                self._note(self.conn.cursor(), dataset, done, failed)

    def _check_code(self, dataset: str) -> None:
        """Nothing is published under the fingerprint of other code than made it."""
        assert self.stale is not None
        datasets = load_datasets() if code_looks() != self.part_stats else self.datasets
        fingerprint = datasets[dataset].model_fingerprint
        for target in self.stale[dataset]:
            if target.metadata["model_fingerprint"] != fingerprint:
                raise RuntimeError(CHANGED)

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
        failed: list[Failed],
    ) -> None:
        """Remember what was published, for later runs and for this one."""
        ledger = Ledger(self.ledger_path)
        for _, path, file in done:
            ledger.put_published(path, file)
        count_findings(
            cursor, self.root, ledger, [(path, file) for _, path, file in done]
        )
        ledger.close()
        insert(
            cursor,
            "publishing.failed_days",
            [[dataset, day.day, day.path, reason] for day, reason in failed],
        )
        published_views.add(cursor, dataset, done)
        self._show(cursor, dataset)
        warnings = {
            path: list(told_of_kept_rows(self.root, path, file.metadata))
            for _, path, file in done
        }
        if self.request is None:
            for warning in chain.from_iterable(warnings.values()):
                logger.warning(warning)
            return
        for day, path, file in done:
            self.request.record(
                dataset=dataset, day=day, path=path, rows=file.row_count,
                parquet_bytes=file.bytes, warnings=warnings[path],
            )  # fmt: skip
        for bad, reason in failed:
            self.request.record(dataset=dataset, path=bad.path, failed=reason)

    # Showing what is published

    def _show_published(
        self, cursor: DuckDBPyConnection, published: list[PublishedDay]
    ) -> None:
        """Show all datasets."""
        for name in self.datasets:
            its_days = [
                (day, path, file) for of, day, path, file in published if of == name
            ]
            published_views.add(cursor, name, its_days)
            self._show(cursor, name)

    def _show(self, cursor: DuckDBPyConnection, dataset: str) -> None:
        schema = self.creds.schema if self.creds else "main"
        published_views.show(
            cursor, self.root, self.datasets[dataset], schema, not self.run_only
        )
