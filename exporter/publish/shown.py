"""What dbt is shown on each connection, besides what it makes itself:

- `landing.<source>`: views over the landing store, typed, empty if need be;
- a view per published dataset and mart, so that `dbt test` works before any build;
- `publishing.published_days`, the files that these views show;
- what the audit and the models go by in `publishing`: `expected_records` (how
  many landed records of each source have to be found), `kept_inputs` (of which
  the published rows stay), `compared_days` (of which published rows stay where
  their record is landed no more) and `landed_files` (whose rows are not among
  these);
- `publishing.as_of()` and `publishing.machine()`, which marts go by;
- `state.runs` and `publishing.landed_bytes`, which are published, not landed;
- `settings.<seed>`, the rows of seeds with the operator's own over them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from exporter.contracts.marts import helper_columns
from exporter.contracts.settings import read_settings
from exporter.publish import landing_views, published_views, state_views
from exporter.publish.existing import published_on
from exporter.publish.landed import file_of, read_content
from exporter.publish.losses import input_of_rows
from exporter.publish.moment import show_moment
from exporter.publish.published_views import insert
from exporter.publish.run_records import RUN_LOG
from exporter.publish.settings_tables import show_settings
from exporter.publish.work import Work
from ingest.root import Root
from ingest.store.part_files import LandedPart

TABLES = """
create schema if not exists publishing;
create or replace table publishing.expected_records (
    dataset varchar, day date, source varchar, landed_records bigint,
);
create or replace table publishing.kept_inputs (
    dataset varchar, day date, input varchar,
);
create or replace table publishing.compared_days (
    dataset varchar, day date,
);
create or replace table publishing.landed_files (
    dataset varchar, day date, input varchar,
);
"""


def show_work(
    db: DuckDBPyConnection,
    work: Work,
    schema: str,
    warn: Callable[[str], None] | None,
) -> list[LandedPart]:
    """Show all of it; returns the landed parts of the days that are to be made.

    Published tables are shown in `schema`. Plain dbt has `warn`, which is told of
    settings that are wrong, and is shown stand-ins of marts' helpers for its unit
    tests; a run tells of settings itself, and has no unit tests. Raises OSError.
    """
    db.execute(TABLES)
    show_moment(db, work.marts.present.at, work.marts.machine)
    landed = landing_views.landed_parts(work.root, work.ledger, work.days)
    landing_views.create(db, work.root, landed)
    _expect(db, work)
    _show_state(db, work)
    settings = read_settings(work.root)
    show_settings(db, settings)
    _show_published(db, work, schema)
    if warn is not None:
        for problem in settings.problems:
            warn(str(problem))
        for name, columns in helper_columns().items():
            published_views.stand_in(db, name, columns, schema)
    days = {str(target.day) for target in work.stale}
    return [part for part in landed if part[1] in days]


def show_files(
    db: DuckDBPyConnection, work: Work, name: str, paths: Sequence[str], schema: str
) -> None:
    """Show files of a dataset or mart."""
    blanks_of_run = None if work.days is None else blanks(work.root)
    table = work.tables[name]
    published_views.show(db, work.root, table, paths, schema, blanks_of_run)


def blanks(root: Root) -> Path:
    """The folder of the files that stand in where nothing is shown of a table."""
    return root.staging / f"blank-{os.getpid()}"


def _expect(db: DuckDBPyConnection, work: Work) -> None:
    """Tell the audit what it has to find."""
    expected: list[list[Any]] = []
    kept: list[list[Any]] = []
    compared: list[list[Any]] = []
    landed: list[list[Any]] = []
    for target in work.stale:
        at = [target.dataset, target.day]
        expected += [[*at, *found] for found in target.expected_records().items()]
        of = work.datasets[target.dataset]
        kept += [[*at, name] for name in {input_of_rows(of, n) for n in target.kept}]
        if target.keeps_missing:
            compared.append(at)
            names = filter(file_of, read_content(target.metadata))
            landed += [[*at, file_of(name)] for name in names]
    insert(db, "publishing.expected_records", expected)
    insert(db, "publishing.kept_inputs", kept)
    insert(db, "publishing.compared_days", compared)
    insert(db, "publishing.landed_files", landed)


def _show_state(db: DuckDBPyConnection, work: Work) -> None:
    """Show what is not landed, but published all the same."""
    runs = {target.day for target in work.of(RUN_LOG)}
    state_views.show_runs(db, work.root, runs)
    days = {target.day for target in work.stale}
    state_views.show_landed_bytes(db, work.ledger, days)


def _show_published(db: DuckDBPyConnection, work: Work, schema: str) -> None:
    db.execute(f"{published_views.TABLE}; create schema if not exists {schema}")
    tables = work.tables
    published = published_on(work.root, work.ledger, tables.values(), work.days)
    work.ledger.commit()
    published_views.fill(db, published)
    paths: dict[str, list[str]] = {name: [] for name in tables}
    for name, _, path, _ in sorted(published, key=lambda file: str(file[1])):
        paths[name].append(path)
    for name, its_paths in paths.items():
        show_files(db, work, name, its_paths, schema)
