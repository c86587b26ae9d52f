"""The dbt models as DuckDB views, rendered without dbt: in milliseconds.

Only what the models themselves use is there: `ref`, `source` and the macros that
shape rows.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

import jinja2
from duckdb import DuckDBPyConnection

from exporter.contracts.landing_columns import landing_columns
from ingest.root import PROJECT

# Those of the other files are for the materialization and for tests.
MACROS = ("typing", "text", "checks")


class DoesNotCompile(Exception):
    """A macro refused what it was given."""


class _Exceptions:
    def raise_compiler_error(self, message: str) -> NoReturn:
        raise DoesNotCompile(message)


def render(template: str, **context: Any) -> str:
    """A text with the project's macros at hand."""
    return _environment().from_string(template).render(context)


@functools.cache
def _environment() -> jinja2.Environment:
    """One that knows the macros by their names, as dbt's does."""
    texts = [(PROJECT / "macros" / f"{name}.sql").read_text("utf-8") for name in MACROS]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals["exceptions"] = _Exceptions()
    module = environment.from_string("".join(texts)).module
    environment.globals.update(
        {name: value for name, value in vars(module).items() if name[0] != "_"}
    )
    return environment


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
        self, db: DuckDBPyConnection, texts: dict[str, str] | None = None
    ) -> None:
        self.db = db
        self.texts = texts or model_texts()
        self.made: set[str] = set()
        db.execute("create schema landing")
        for source, columns in landing_columns().items():
            cells = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            db.execute(f"create table landing.{source} ({cells})")

    def view(self, name: str) -> str:
        """The name of a model or seed, once it can be read."""
        if name not in self.made:
            if name in self.texts:
                self.db.execute(f"create view {name} as {self.rendered(name)}")
            else:
                path = PROJECT / "seeds" / f"{name}.csv"
                self.db.read_csv(str(path), all_varchar=True).create(name)
            self.made.add(name)
        return name

    def rendered(self, name: str) -> str:
        """A model's SQL, as dbt would run it."""
        return render(
            self.texts[name],
            ref=self.view,
            source=lambda schema, table: f"{schema}.{table}",
        )
