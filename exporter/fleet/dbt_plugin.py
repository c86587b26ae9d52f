"""The dbt-duckdb plugin of the target `fleet`: a fleet's marts on DuckDB.

On every connection it shows the exports of all machines that count, under their
names and with `machine` as their first column, and the marts that are made. The
`fleet_parquet` materialization calls `store` once per mart.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import BrokenContract
from exporter.fleet.build import BrokenMart, Build, start_build
from exporter.fleet.recipes import Recipe
from exporter.fleet.storage import FleetNotFound
from exporter.fleet.views import Narrow, show_exports, show_mart
from exporter.publish.landing_views import quote
from exporter.publish.settings_tables import show_settings
from exporter.runtime.errors import describe
from exporter.runtime.present import BadPresent

logger = AdapterLogger("ops-atomic")


class Plugin(BasePlugin):
    """See the module. Thread-safe: dbt may run models side by side."""

    build: Build

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002
        self.its_own = threading.local()

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        try:
            self.build = start_build()
        except OSError as error:
            raise DbtRuntimeError(describe(error)) from error
        except (FleetNotFound, BadPresent, BrokenContract) as error:
            raise DbtRuntimeError(str(error)) from error
        self.conn = conn
        self.narrow = Narrow(self.build)
        self.schema = self.creds.schema if self.creds else "main"
        for said in self.build.warnings():
            # The adapter's logger puts nothing in by `%`.
            logger.warning(said)
        conn.execute("create schema if not exists publishing")
        conn.execute(
            "create or replace macro publishing.as_of() as "
            f"timestamp '{self.build.now:%Y-%m-%d %H:%M:%S.%f}'"
        )
        show_settings(conn, self.build.settings)
        show_exports(conn, self.build, self.schema)
        for mart in self.build.recipes.values():
            show_mart(conn, self.build, mart, self.schema)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        self.its_own.cursor = cursor

    def store(self, target_config: TargetConfig) -> None:
        """Make a mart, or what is stale of it, and move it into its place.

        The configuration has its SQL.
        """
        assert target_config.relation is not None
        mart = self.build.recipes[str(target_config.relation.identifier)]
        sql = target_config.config["sql"]
        try:
            if mart.is_daily:
                self._make_days(mart, sql)
            else:
                self._make(mart, sql, None)
        except OSError as error:
            raise DbtRuntimeError(describe(error)) from error
        except BrokenMart as error:
            raise DbtRuntimeError(str(error)) from error
        show_mart(self.its_own.cursor, self.build, mart, self.schema)

    def _make_days(self, mart: Recipe, sql: str) -> None:
        build, cursor = self.build, self.its_own.cursor
        build.remove_left_over(mart.name)
        days = [*build.stale(mart.name)]
        if not days:
            return
        cursor.execute("set variable publishing_days = $days", {"days": days})
        self.narrow.to(cursor, build.reads(mart.name, days))
        try:
            self._make(mart, sql, days)
        finally:
            cursor.execute("reset variable publishing_days")
            self.narrow.widen(cursor)

    def _make(self, mart: Recipe, sql: str, days: list[date] | None) -> None:
        """Make a mart as a whole, or some days of it; the first day that breaks
        its contract leaves all as it was."""
        build, cursor = self.build, self.its_own.cursor
        rows = f'temp."{mart.name}_rows"'
        order = [*mart.order_by, *(c.name for c in mart.columns)]
        names = ", ".join(f'"{name}"' for name in dict.fromkeys(order))
        cursor.execute(
            f"create or replace temp table {rows} as select * from ({sql}) "
            f"order by {'date_partition, ' if days else ''}{names}"
        )
        self._audit(mart, rows)
        staging = build.marts.staged(mart.name)
        written = [f'"{c.name}"' for c in mart.columns]
        if days is not None:
            written.remove('"date_partition"')
        parts: Sequence[date | None] = [None] if days is None else days
        for day in parts:
            where = f"where date_partition = date '{day}'" if day else ""
            path = staging / f"{day or mart.name}.parquet"
            (count,) = cursor.execute(
                f"copy (select {', '.join(written)} from {rows} {where}) to "
                f"{quote(str(path))} (format parquet, compression snappy, "
                "parquet_version v1)"
            ).fetchone()
            build.put(mart.name, day, path, count)
        if days is not None:
            build.marts.record(mart.name, build.made[mart.name], staging)
        build.marts.clear(staging)
        cursor.execute(f"drop table {rows}")

    def _audit(self, mart: Recipe, rows: str) -> None:
        """Raise what breaks the contract: a key that is not unique, a NULL."""
        if not mart.key:
            return
        key = ", ".join(f'"{name}"' for name in mart.key)
        (broken,) = self.its_own.cursor.execute(
            f"select count(*) from (select {key} from {rows} group by all "
            "having count(*) > 1)"
        ).fetchone()
        if broken:
            raise BrokenMart(f"{mart.name}: {key} is not unique {broken} time(s)")
