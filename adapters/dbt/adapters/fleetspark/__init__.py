"""dbt's adapter of the target `spark`: dbt-spark, and a way to publish with it.

dbt-spark runs no Python of a project, and Spark's SQL can neither read a Parquet
footer nor move a file. So this adapter has one method more, `publish`, which the
`fleet_parquet` materialization calls once per mart: it runs the mart's SQL in a
session of its own, in which the inputs are temporary views. Hence no relation has
a schema, and dbt finds none to make or list.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.base.meta import available
from dbt.adapters.base.relation import Policy
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from exporter.contracts.datasets import BrokenContract
from exporter.fleet.build import BrokenMart, Build, start_build
from exporter.fleet.spark_marts import make_mart, start_session
from exporter.fleet.storage import FleetNotFound
from exporter.runtime.errors import describe
from exporter.runtime.present import BadPresent

try:
    from dbt.adapters.spark import (
        SparkAdapter,
        SparkConnectionManager,
        SparkCredentials,
    )
    from dbt.adapters.spark.connections import SparkConnectionMethod
    from dbt.adapters.spark.relation import SparkRelation
    from pyspark.errors import PySparkException
except ModuleNotFoundError as error:
    said = "Spark is not here: `make fleet`, then .venv-fleet/bin/dbt (docs/fleet.md)"
    raise DbtRuntimeError(said) from error

# dbt derives it from the class of the adapter, too.
NAME = "fleetspark"
logger = AdapterLogger("ops-atomic")


class FleetConnectionManager(SparkConnectionManager):
    TYPE = NAME


@dataclass
class FleetCredentials(SparkCredentials):
    """A session in this process; its configuration says where Spark is."""

    host: str | None = "session"
    method: SparkConnectionMethod = SparkConnectionMethod.SESSION

    def __post_init__(self) -> None:
        super().__post_init__()
        # dbt-spark turns it off; but what cannot be reckoned is to be an error.
        self.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    @property
    def type(self) -> str:
        return NAME


@dataclass(frozen=True, eq=False, repr=False)
class View(SparkRelation):
    include_policy: Policy = field(
        default_factory=lambda: Policy(database=False, schema=False, identifier=True)
    )


class FleetSparkAdapter(SparkAdapter):
    """See the module. Thread-safe: dbt may run models side by side."""

    ConnectionManager = FleetConnectionManager
    Relation = View
    starting = threading.Lock()

    @available.parse_none
    def publish(self, mart: str, sql: str) -> int:
        """Make a mart, or what is stale of it, and move it into its place. Returns
        how many files it now has that it had not."""
        try:
            with self.starting:
                build, session = self.build, self.session
            return make_mart(build, session, build.recipes[mart], sql)
        except OSError as error:
            raise DbtRuntimeError(describe(error)) from error
        except (
            FleetNotFound, BadPresent, BrokenContract, BrokenMart, PySparkException,
        ) as error:  # fmt: skip
            raise DbtRuntimeError(str(error)) from error

    @cached_property
    def build(self) -> Build:
        build = start_build()
        for said in build.warnings():
            logger.warning(said)
        return build

    @cached_property
    def session(self) -> Any:
        return start_session(self.config.credentials.server_side_parameters)

    def list_schemas(self, database: str | None) -> list[str]:  # noqa: ARG002
        return []

    def create_schema(self, relation: Any) -> None:
        """There are none."""

    def list_relations_without_caching(self, schema_relation: Any) -> list[Any]:  # noqa: ARG002
        return []


Plugin = AdapterPlugin(
    adapter=FleetSparkAdapter,  # type: ignore[arg-type]
    credentials=FleetCredentials,
    include_path=str(Path(__file__).parent),
    dependencies=["spark"],
)
