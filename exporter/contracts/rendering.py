"""The project's SQL without dbt: models and macros rendered in milliseconds.

Only what the models themselves use is there: `ref`, `source`, `var`, and the
macros that shape rows.
"""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import jinja2

from exporter.contracts.yml import project_variables
from ingest.root import PROJECT

# Those of the other files are for the materializations and for tests.
MACROS = (
    "typing", "text", "checks", "marts/moment", "marts/times", "marts/statistics",
    "marts/days", "marts/counted_time", "marts/states", "marts/forecast",
)  # fmt: skip
ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined, cache_size=0)


class DoesNotCompile(Exception):
    """A macro refused what it was given."""


class _Adapter:
    """Finds a macro for an engine: `spark__x` where there is one, or `default__x`."""

    macros: Mapping[str, Any]

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def dispatch(self, name: str, _: str) -> Callable[..., str]:
        default = self.macros[f"default__{name}"]
        found: Callable[..., str] = self.macros.get(f"{self.engine}__{name}", default)
        return found


class _Exceptions:
    def raise_compiler_error(self, message: str) -> NoReturn:
        raise DoesNotCompile(message)


class Renderer:
    """Renders texts with the project's macros at hand.

    `variables` stand in the place of the vars of dbt_project.yml; `ref` gives the
    relation of a model or seed, by default its name, and `files` are those of the
    macros that are needed.
    """

    def __init__(
        self,
        variables: Mapping[str, Any] | None = None,
        ref: Callable[[str], str] = str,
        engine: str = "duckdb",
        files: tuple[str, ...] = MACROS,
    ) -> None:
        adapter = _Adapter(engine)
        self.variables = {**_variables(), **(variables or {})}
        self.context = {
            "adapter": adapter,
            "env_var": os.environ.get,
            "exceptions": _Exceptions(),
            "modules": SimpleNamespace(datetime=datetime),
            "ref": ref,
            "run_started_at": datetime.datetime.now(datetime.UTC),
            # What is rendered without dbt is of one machine.
            "target": SimpleNamespace(name="dev"),
            "source": lambda schema, table: f"{schema}.{table}",
            "var": self.variables.get,
        }
        adapter.macros = vars(_macros(files).make_module(self.context))
        self.context |= {
            name: macro
            for name, macro in adapter.macros.items()
            if not name.startswith("_")
        }

    def sql(self, text: str) -> str:
        """A text as DuckDB, or the other engine, would be told it."""
        return ENVIRONMENT.from_string(text).render(self.context)


@functools.cache
def _macros(files: tuple[str, ...]) -> jinja2.Template:
    folder = PROJECT / "macros"
    texts = [Path(folder, f"{name}.sql").read_text("utf-8") for name in files]
    return ENVIRONMENT.from_string("".join(texts))


@functools.cache
def _variables() -> dict[str, Any]:
    return project_variables(PROJECT)
