"""Checks of what was made: runs, days, files, and how DuckDB reads them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import duckdb

from exporter.contracts.datasets import Dataset
from exporter.contracts.kept import load_tables
from exporter.publish.ledger import open_ledger
from exporter.publish.plan import Selection
from exporter.publish.published import published_files
from exporter.publish.stale_days import plan_days
from exporter.reporting.history import last_run
from exporter.reporting.ignored import Ignored, Lines, named, unread_lines
from exporter.reporting.results import OK
from exporter.reporting.screen import kilobytes
from exporter.reporting.stored import count_stored
from exporter.reporting.summary import seconds
from exporter.reporting.thresholds import GB, MB, Thresholds
from exporter.runtime.errors import describe
from exporter.runtime.redact import redact
from exporter.verify.checks import (
    COMPONENT,
    FAIL,
    METRIC,
    NOT_HERE,
    PASS,
    PENDING,
    TEST,
    Check,
    passed,
)
from exporter.verify.validate import validate
from ingest import advice
from ingest.root import Root
from ingest.run import land

# What the wrapper gives a run before it stops it.
RUN_LIMIT_S = 600
QUERY_LIMIT_S = 1
EXAMPLE_QUERY = """
    select status, count(*) as heartbeats, avg(duration_ms) as duration_ms
    from read_parquet(?, hive_partitioning = false)
    group by all
    order by heartbeats desc
"""


def check_last_run(root: Root) -> Iterator[Check]:
    """How the last run went, and how long it took."""
    run = last_run(root)
    mend = advice.command(root, "export")
    if run is None:
        yield Check(COMPONENT, "Last run", OK, "no run yet", PENDING, mend)
        return
    is_well = run["status"] == OK
    actual = f"{run['status']}, {run['started_at']}"
    yield Check(
        COMPONENT, "Last run", OK, actual, passed(is_well), "" if is_well else mend
    )
    took = float(run["duration_s"])
    is_quick = took <= RUN_LIMIT_S
    yield Check(
        METRIC, "Duration of the last run", f"at most {RUN_LIMIT_S} s", seconds(took),
        passed(is_quick),
        "" if is_quick else advice.command(root, "export", "--verbose"),
    )  # fmt: skip


def check_dry_run(
    root: Root, datasets: Mapping[str, Dataset], now: datetime
) -> Iterator[Check]:
    """What a run would do now: it could, and yesterday's files are all made.

    What lies under the root and was not landed yet is looked at too, without
    leaving a trace.
    """
    name = "Dry run"
    ledger = open_ledger(root, dry_run=True)
    try:
        report = land(root, ledger, dry_run=True)
        plan = plan_days(root, ledger, datasets, Selection())
        lines = unread_lines(ledger)
    except OSError as error:
        mend = advice.command(root, "export", "--dry-run")
        yield Check(TEST, name, "ends well", redact(describe(error)), FAIL, mend)
        return
    finally:
        ledger.close()
    actual, mend = f"{len(plan.stale):,} files to make", ""
    if report.errors:
        actual, mend = advice.parted(report.errors[0])
        mend = mend or advice.command(root, "export", "--dry-run")
    yield Check(TEST, name, "ends well", actual, passed(not report.errors), mend)
    day = (now - timedelta(days=1)).date()
    missing = sorted({target.dataset for target in plan.stale if target.day == day})
    made = sum(1 for _, its_day, _ in plan.current if its_day == day)
    yield _yesterday(root, day, made, missing)
    yield from _not_read(root, report.ignored, lines)


def _not_read(root: Root, ignored: Ignored, lines: Lines) -> Iterator[Check]:
    """What looks like an input: no failure, for nobody may want it read."""
    if not ignored and not lines:
        yield Check(COMPONENT, "What is not read", "none", "none", PASS)
    for what, said in named(root, ignored, lines):
        yield Check(COMPONENT, f"Not read: {what}", "none", said, NOT_HERE)


def _yesterday(root: Root, day: date, made: int, missing: list[str]) -> Check:
    name, target = f"Files of {day}", "all that have input"
    wanted = made + len(missing)
    if not wanted:
        return Check(COMPONENT, name, target, "no input of that day", NOT_HERE)
    actual = f"{made:,} of {wanted:,}"
    if missing:
        actual += f", not {', '.join(missing)}"
    return Check(
        COMPONENT, name, target, actual, passed(not missing),
        advice.command(root, "export") if missing else "",
    )  # fmt: skip


def check_files(root: Root, datasets: Mapping[str, Dataset]) -> Iterator[Check]:
    """Every published file against its contract, as `validate` has it."""
    found = validate(root, datasets, load_tables()[1])
    if found.is_empty:
        nothing = "nothing published yet"
        mend = advice.command(root, "export")
        yield Check(METRIC, "Rows", "1 or more", nothing, PENDING, mend)
        return
    actual, mend = f"{len(found.errors):,} errors", ""
    if found.errors:
        first, mend = advice.parted(found.errors[0])
        actual += f", such as {first}"
        mend = mend or advice.command(root, "export")
    yield Check(
        COMPONENT, "Validation", "0 errors", actual, passed(not found.errors), mend
    )
    mend = advice.command(root, "validate")
    if not found.files:
        return
    codecs = ", ".join(sorted(found.codecs))
    is_snappy = found.codecs == {"snappy"}
    yield Check(
        COMPONENT, "Compression", "snappy", codecs, passed(is_snappy),
        "" if is_snappy else advice.command(root, "export", "--force"),
    )  # fmt: skip
    yield Check(
        METRIC, "Rows", "1 or more", f"{found.rows:,} in {found.files:,} files",
        passed(found.rows > 0), "" if found.rows else mend,
    )  # fmt: skip
    limits = Thresholds.from_environment(os.environ)
    largest = max(
        (
            (root.path / path).stat().st_size
            for dataset in datasets.values()
            for _, path in published_files(root, dataset)
        ),
        default=0,
    )
    is_small = largest <= limits.max_day_mb * MB
    yield Check(
        METRIC, "Largest file", f"at most {limits.max_day_mb:g} MB", kilobytes(largest),
        passed(is_small), "" if is_small else mend,
    )  # fmt: skip


def check_storage(root: Root) -> Check:
    """What Parquet and landing take."""
    limit = Thresholds.from_environment(os.environ).max_storage_gb
    with contextlib.closing(open_ledger(root, dry_run=True)) as ledger:
        used = count_stored(ledger).bytes
    is_well = used <= limit * GB
    return Check(
        METRIC, "Storage used", f"at most {limit:g} GB", kilobytes(used),
        passed(is_well), "" if is_well else f"du -sh {advice.path(root.state)}",
    )  # fmt: skip


def check_reading(root: Root, datasets: Mapping[str, Dataset]) -> Iterator[Check]:
    """DuckDB opens all files of a dataset, and they have its columns."""
    with duckdb.connect() as db:
        for name, dataset in datasets.items():
            paths = _files(root, dataset)
            if not paths:
                actual = "nothing published"
                yield Check(TEST, f"DuckDB opens {name}", "opens", actual, NOT_HERE)
                continue
            yield _check_reading(root, db, dataset, paths)


def _check_reading(
    root: Root, db: duckdb.DuckDBPyConnection, dataset: Dataset, paths: list[str]
) -> Check:
    name, target = f"DuckDB opens {dataset.name}", f"schema v{dataset.schema_version}"
    try:
        relation = db.sql(
            "select * from read_parquet(?, hive_partitioning = false)", params=[paths]
        )
        columns = list(zip(relation.columns, map(str, relation.types), strict=True))
        rows = relation.aggregate("count(*)").fetchall()[0][0]
    except duckdb.Error as error:
        mend = advice.command(root, "export")
        return Check(TEST, name, target, str(error).split("\n")[0], FAIL, mend)
    is_well = columns == [(column.name, column.type) for column in dataset.columns]
    said = f"schema v{dataset.schema_version}" if is_well else "other columns"
    return Check(
        TEST, name, target, f"{said}, {rows:,} rows in {len(paths):,} files",
        passed(is_well), "" if is_well else advice.command(root, "export", "--force"),
    )  # fmt: skip


def check_query(root: Root, datasets: Mapping[str, Dataset]) -> Check:
    """An example query over all heartbeats, in time."""
    name, target = "Example query", f"at most {QUERY_LIMIT_S} s"
    paths = _files(root, datasets["ops_atomic"])
    if not paths:
        return Check(METRIC, name, target, "no heartbeats published", NOT_HERE)
    begun = time.monotonic()
    try:
        with duckdb.connect() as db:
            db.execute(EXAMPLE_QUERY, [paths]).fetchall()
    except duckdb.Error as error:
        mend = advice.command(root, "export")
        return Check(METRIC, name, target, str(error).split("\n")[0], FAIL, mend)
    took = time.monotonic() - begun
    is_quick = took <= QUERY_LIMIT_S
    # A busy machine is slow at this; many or large files hardly are.
    mend = "" if is_quick else "uptime"
    return Check(METRIC, name, target, seconds(took), passed(is_quick), mend)


def _files(root: Root, dataset: Dataset) -> list[str]:
    return [str(root.path / path) for _, path in published_files(root, dataset)]
