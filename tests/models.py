"""The dbt models as DuckDB views, rendered without dbt: in milliseconds.

Only what the models themselves use is there: `ref`, `source` and the macros that
shape rows.
"""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import jinja2
import yaml
from duckdb import DuckDBPyConnection

from exporter.contracts.landing_columns import landing_columns, state_columns
from exporter.publish import published_views, state_views
from exporter.publish.ledger import Ledger
from ingest.root import PROJECT

# Those of the other files are for the materialization and for tests.
MACROS = (
    "typing", "text", "checks", "marts/moment", "marts/times", "marts/statistics",
    "marts/days", "marts/states", "marts/forecast",
)  # fmt: skip


class DoesNotCompile(Exception):
    """A macro refused what it was given."""


class _Adapter:
    """Finds a macro for an engine: `spark__x` where there is one, or `default__x`."""

    macros: dict[str, Any]

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def dispatch(self, name: str, project: str) -> Callable[..., str]:
        default = self.macros[f"default__{name}"]
        found: Callable[..., str] = self.macros.get(f"{self.engine}__{name}", default)
        return found


class _Exceptions:
    def raise_compiler_error(self, message: str) -> NoReturn:
        raise DoesNotCompile(message)


def render(
    template: str,
    variables: dict[str, Any] | None = None,
    engine: str = "duckdb",
    **context: Any,
) -> str:
    """A text with the project's macros at hand, vars those of the project or given."""
    values = _project()["vars"] | (variables or {})
    adapter = _Adapter(engine)
    context |= {
        "adapter": adapter,
        "env_var": os.environ.get,
        "exceptions": _Exceptions(),
        "modules": SimpleNamespace(datetime=datetime),
        "run_started_at": datetime.datetime.now(datetime.UTC),
        "var": values.get,
    }
    adapter.macros = vars(_macros().make_module(context))
    macros = {k: v for k, v in adapter.macros.items() if not k.startswith("_")}
    return ENVIRONMENT.from_string(template).render(**macros, **context)


ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined)


@functools.cache
def _macros() -> jinja2.Template:
    texts = [(PROJECT / "macros" / f"{name}.sql").read_text("utf-8") for name in MACROS]
    return ENVIRONMENT.from_string("".join(texts))


@functools.cache
def _project() -> dict[str, Any]:
    text = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    project: dict[str, Any] = yaml.safe_load(text)
    return project


def model_texts() -> dict[str, str]:
    """The SQL of each model, by name."""
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((PROJECT / "models").rglob("*.sql"))
    }


class Models:
    """The models of the project, or others by the same names, in a database.

    The sources' tables are there and empty; a model's view is made with all
    that it reads when its name is asked for.
    """

    def __init__(
        self,
        db: DuckDBPyConnection,
        texts: dict[str, str] | None = None,
        variables: dict[str, Any] | None = None,
    ) -> None:
        self.db = db
        self.texts = texts or model_texts()
        self.variables = variables
        self.made: set[str] = set()
        db.execute(published_views.TABLE)
        state_views.show_landed_bytes(db, Ledger(None), ())
        for schema, sources in (
            ("landing", landing_columns()), ("state", state_columns()),
        ):  # fmt: skip
            db.execute(f"create schema {schema}")
            for source, columns in sources.items():
                cells = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                db.execute(f"create table {schema}.{source} ({cells})")

    def view(self, name: str) -> str:
        """The name of a model or seed, once it can be read."""
        if name not in self.made:
            if name in self.texts:
                self.db.execute(f"create view {name} as {self.rendered(name)}")
            else:
                self.db.execute(f"create table {name} as {seed_query(name)}")
            self.made.add(name)
        return name

    def rendered(self, name: str) -> str:
        """A model's SQL, as dbt would run it."""
        return render(
            self.texts[name],
            self.variables,
            ref=self.view,
            source=lambda schema, table: f"{schema}.{table}",
        )


def seed_query(name: str) -> str:
    """Reads a seed, its columns typed as its yml says."""
    path = PROJECT / "seeds" / name
    document = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
    types = document["seeds"][0]["config"]["column_types"]
    cells = ", ".join(
        f'cast("{name}" as {kind}) as "{name}"' for name, kind in types.items()
    )
    return (
        f"select {cells} from read_csv('{path}.csv', header = true, all_varchar = true)"
    )
