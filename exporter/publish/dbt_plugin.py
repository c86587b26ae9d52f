"""The dbt-duckdb plugin: shows dbt what is landed and published, and publishes.

What a connection is shown stands in `shown.py`, what is to be published in the
work that was handed over (`work.py`).
Under plain dbt it is planned here, on the first connection of a command that
builds. The materializations `daily_parquet` and `mart_parquet` call `store` once
per dataset or mart; a mart is planned for good then, and its inputs show just what
its files are made from.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.factory import get_adapter_by_type
from dbt.exceptions import ContractError
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_started_at
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import BrokenContract, Table, load_datasets
from exporter.contracts.kept import load_tables
from exporter.contracts.marts import load_marts
from exporter.publish import landing_views, published_views
from exporter.publish.batches import (
    Day,
    Narrow,
    Statements,
    bound_memory,
    make_files,
)
from exporter.publish.code_changes import changed_since, code_stats
from exporter.publish.columns import OtherColumns, check_columns
from exporter.publish.counts import count_findings
from exporter.publish.gathered import Gathered
from exporter.publish.ledger import PublishedFile
from exporter.publish.losses import told_of_kept_rows
from exporter.publish.plain_dbt import plan_all, show_only
from exporter.publish.plan import Due
from exporter.publish.published import read_footers
from exporter.publish.shown import blanks, show_files, show_work
from exporter.publish.untested import note_untested
from exporter.publish.work import Done, Work, handed_work
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked
from exporter.runtime.machine import BadMachine
from exporter.runtime.present import BadPresent
from exporter.runtime.rights import FOR_OWNER, keep_dbt_private, users_umask
from ingest import files
from ingest.root import find_root

# The commands of dbt that publish; a retry may be one of either.
BUILDS = ("build", "run", "retry")
# Holds inputs as they were found: for the owner's eyes only.
PRIVATE = ("rejected_records",)
# Files that are flushed to the disk at once: it does so in fewer strokes.
SYNCED_AT_ONCE = 8
CHANGED = "the project's files changed while dbt was at work: run it again"

BY_HAND = (
    "the target nightly is the one that ops-atomic export starts dbt with, for the "
    "days that it has found stale: leave out --target nightly"
)

logger = AdapterLogger("ops-atomic")


class Plugin(BasePlugin):
    """See the module. Thread-safe: dbt may run models side by side."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002
        self.guard = threading.RLock()
        self.handed = handed_work()
        self.umask = users_umask()
        self.changed: bool | None = None
        if self.handed is None:  # a run keeps all in folders of its own
            flags = get_flags()  # type: ignore[no-untyped-call]
            keep_dbt_private(self.creds.path if self.creds else "", flags)

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        flags = get_flags()  # type: ignore[no-untyped-call]
        if self.handed is None and getattr(flags, "TARGET", None) == "nightly":
            raise DbtRuntimeError(BY_HAND)
        self.conn = conn
        try:
            self.work: Work = self.handed or _plan()
            # What does not fit into memory is raw input, too.
            scratch = self.work.root.staging / f"duckdb-{os.getpid()}"
            conn.execute(f"set temp_directory = {landing_views.quote(str(scratch))}")
            if self.work.is_heavy:
                bound_memory(conn)
            elif self.handed and self.work.is_small:
                # Of a query over so little, a third is the threads' own.
                conn.execute("set threads = 1")
            marts = self.work.marts
            self.gathered = Gathered(self.work.root, self.work.tables, marts.files)
            warn = logger.warning if self.handed is None else None
            self.landed = show_work(conn, self.work, self.schema, warn)
            if not (self.handed or self.work.stale or self.work.marts.stale):
                self.work.ledger.give_up()
        except OSError as error:
            raise DbtRuntimeError(describe(error)) from error
        except (BadMachine, BadPresent, Locked, BrokenContract) as error:
            raise DbtRuntimeError(str(error)) from error

    def store(self, target_config: TargetConfig) -> None:
        """Make what is stale of a dataset or mart, and move what passes into place.

        The configuration is the Statements of batches.py.
        """
        assert target_config.relation is not None
        self._refuse_if_stopped()
        name = str(target_config.relation.identifier)
        contract = self.work.tables[name].columns
        statements = Statements(contract, **target_config.config)
        root = self.work.root
        due: Sequence[Due]
        narrow: Narrow
        weights: Mapping[str, int]
        if name in self.work.datasets:
            due = self.work.of(name)
            narrow = landing_views.Narrow(root, self.landed)
            weights = landing_views.weights(root, self.landed)
        else:
            marts = self.work.marts
            with self.guard:
                reads = marts.replan(name)
                due = marts.of(name)
                weights = {str(day): marts.weigh(read) for day, read in reads.items()}
            narrow = published_views.Narrow(
                root, blanks(root), self.work.tables, reads, self.gathered
            )
        days = self._days(due, weights)
        failed: list[Done] = []
        try:
            if days:
                failed = self._publish(name, statements, days, narrow)
            elif self.handed is None:  # what a run leaves was made by the same code
                check_columns(_own_cursor(), statements.yields, contract)
        except OSError as error:
            raise DbtRuntimeError(describe(error)) from error
        except OtherColumns as error:
            columns = (_as_of_dbt(of) for of in (error.due, error.found))
            raise ContractError(*columns) from error  # type: ignore[no-untyped-call]
        # A run tells of them itself, and goes on with what hangs on the others.
        if failed and self.handed is None:
            first = min(failed, key=lambda done: str(done.target.day))
            on = f"{first.target.day}: " if first.target.day else ""
            raise DbtRuntimeError(
                f"{len(failed)} file(s) could not be published: {on}{first.reason}"
            )

    @property
    def schema(self) -> str:
        return self.creds.schema if self.creds else "main"

    @property
    def aside(self) -> Path:
        return self.work.root.staging / f"parquet-{os.getpid()}"

    # Publishing

    def _days(self, due: Sequence[Due], weights: Mapping[str, int]) -> list[Day]:
        parts: dict[str, list[Path]] = {}
        for source, day, part in self.landed:
            path = self.work.root.landing / source / f"day={day}" / part
            parts.setdefault(day, []).append(path)
        return [
            Day(
                target,
                str(self.aside / os.path.basename(target.path)),
                tuple(parts.get(str(target.day), ())),
                weights.get(str(target.day), 0),
                target.keeps_rows,
            )
            for target in due
        ]

    def _publish(
        self, name: str, statements: Statements, days: list[Day], narrow: Narrow
    ) -> list[Done]:
        """Publish files of a dataset or mart, one by one; returns what failed."""
        root = self.work.root
        files.make_private_folder(self.aside)
        reasons = make_files(_own_cursor(), statements, narrow, days)
        self._check_code(name, [day.target for day in days])
        self._refuse_if_stopped()
        failed = [Done(day.target, reason=reason) for day, reason in reasons]
        bad = {done.target.path for done in failed}
        made = [day for day in days if day.target.path not in bad]
        staged = [root.relative(Path(day.staged)) for day in made]
        noting = self.conn.cursor()
        footers = read_footers(root, staged, noting)
        with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
            list(pool.map(files.sync, [root.path / path for path in staged]))
        if made and name in self.work.datasets:
            with self.guard:
                note_untested(root, [day.target.day for day in made if day.target.day])
        moved: list[tuple[Due, PublishedFile]] = []
        try:
            for target, at in zip((d.target for d in made), staged, strict=True):
                self._move(at, target)
                # A file that DuckDB just wrote has a footer.
                moved.append((target, footers[at]))
            for folder in {(root.path / target.path).parent for target, _ in moved}:
                files.sync(folder)
        finally:
            # What has been moved is published, whatever became of the rest.
            with self.guard:
                self.work.done += [Done(target, file) for target, file in moved]
                self.work.done += failed
                self._note(noting, name, moved)
        return failed

    def _refuse_if_stopped(self) -> None:
        if self.work.is_stopped:
            raise DbtRuntimeError("the run was stopped")

    def _has_changed(self) -> bool:
        """Whether a file of the project is another than when the work was planned.

        A run has read all of them when its first file is made; plain dbt reads a
        seed when its turn comes.
        """
        with self.guard:
            if self.changed is None or self.handed is None:
                self.changed = code_stats() != self.work.code
            return self.changed

    def _check_code(self, name: str, due: Sequence[Due]) -> None:
        """Nothing is published under the fingerprint of other code than made it."""
        if not self._has_changed():
            return
        tables: dict[str, Table] = {**load_datasets(), **load_marts()}
        fingerprint = tables[name].model_fingerprint
        for target in due:
            if target.metadata["model_fingerprint"] != fingerprint:
                raise DbtRuntimeError(CHANGED)

    def _move(self, staged: str, target: Due) -> None:
        """Put one finished file, durable by now, into its place."""
        root = self.work.root
        place = root.path / target.path
        hidden = FOR_OWNER if target.dataset in PRIVATE else self.umask
        files.make_folder(place.parent, 0o777 & ~hidden)
        (root.path / staged).chmod(0o666 & ~hidden)
        try:
            os.replace(root.path / staged, place)
        except OSError as error:
            error.filename = str(place)  # it names the staged file first
            raise

    def _note(
        self,
        cursor: DuckDBPyConnection,
        name: str,
        moved: list[tuple[Due, PublishedFile]],
    ) -> None:
        """Remember what was published, for later runs and for this one."""
        ledger = self.work.ledger
        for target, file in moved:
            ledger.put_published(target.path, file)
            self.work.marts.publish(name, target.day, file)
        if name in self.work.datasets:
            by_path = [(target.path, file) for target, file in moved]
            count_findings(cursor, self.work.root, ledger, by_path)
        ledger.commit()
        found = [(name, target.day, target.path, file) for target, file in moved]
        paths = published_views.add(cursor, name, found)
        show_files(cursor, self.work, name, paths, self.schema)
        if self.handed is None:  # a command tells of it itself
            for target, file in moved:
                told = told_of_kept_rows(self.work.root, target.path, file.metadata)
                for warning in told:
                    logger.warning(warning)


def _own_cursor() -> Any:
    """This thread's, which is interrupted when a run is told to stop."""
    adapter = get_adapter_by_type("duckdb")  # type: ignore[no-untyped-call]
    return adapter.connections.get_thread_connection().handle.cursor()


def _as_of_dbt(columns: dict[str, str]) -> list[dict[str, str]]:
    """Columns as dbt tells of those that differ from a contract."""
    return [{"name": name, "data_type": kind} for name, kind in columns.items()]


def _plan() -> Work:
    """The work of a dbt that was started by itself. Raises Locked, OSError."""
    flags = get_flags()  # type: ignore[no-untyped-call]
    root = find_root()
    code = code_stats()
    datasets, marts = load_tables()
    # `--empty` builds from nothing: it must not publish nothing.
    if flags.WHICH not in BUILDS or getattr(flags, "EMPTY", False):
        return show_only(root, datasets, marts, code)
    started = get_invocation_started_at().replace(tzinfo=UTC)
    if code != code_stats() or changed_since(code, started.timestamp()):
        raise DbtRuntimeError(CHANGED)
    return plan_all(root, datasets, marts, code, logger.warning)
