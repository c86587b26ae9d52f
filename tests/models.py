"""The dbt models as DuckDB views, rendered without dbt: in milliseconds."""

from __future__ import annotations

from typing import Any

import yaml
from duckdb import DuckDBPyConnection

from exporter.contracts.landing_columns import landing_columns, state_columns
from exporter.contracts.rendering import Renderer
from exporter.publish import published_views, state_views
from exporter.publish.ledger import Ledger
from exporter.publish.moment import show_moment
from ingest.inputs import utc_now
from ingest.root import PROJECT


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
        show_moment(db, utc_now(), "m")
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
        return Renderer(self.variables, ref=self.view).sql(self.texts[name])


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
