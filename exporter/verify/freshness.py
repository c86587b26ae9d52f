"""Checks of what the machine reports: how old it is, and how the machine is.

Reckoned from published records with times that have been: a record dated ahead
says nothing of now.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import duckdb

from exporter.contracts.datasets import Dataset
from exporter.publish.ledger import Ledger, open_ledger
from exporter.publish.published import published_files
from exporter.reporting.history import runs_since
from exporter.reporting.results import OK
from exporter.reporting.stored import newest_days
from exporter.reporting.thresholds import Thresholds
from exporter.verify.checks import (
    COMPONENT,
    FAIL,
    METRIC,
    NOT_HERE,
    PASS,
    PENDING,
    Check,
    passed,
)
from ingest import advice
from ingest.bundles import why_unproven
from ingest.registry import nightly
from ingest.root import Root

BUNDLE = re.compile(r"reports_(\d{8}_\d{6})\.tar\.gz", re.ASCII)
# The rotation comes every hour and takes what is older than a day.
ROTATION_AGE = timedelta(hours=26)
# Bundles are named on the machine's clock: a zone is less than a day ahead.
AHEAD = timedelta(days=1)
LEAST_SUCCESS = 0.9
DAYS_OF_RUNS = 7
NOT_EXPECTED = "not expected: never seen here"
EXAMPLE = "the example's, which is meant to be old"


def check_heartbeats(
    root: Root, datasets: Mapping[str, Dataset], now: datetime
) -> Iterator[Check]:
    """The newest heartbeat: its age, and the state that it tells of."""
    limit = Thresholds.from_environment(os.environ).stale_heartbeat_minutes
    age_name, state_name = "Age of the newest heartbeat", "State of the machine"
    target = f"at most {limit:g} minutes"
    ledger = open_ledger(root, dry_run=True)
    try:
        newest = _newest_heartbeat(root, datasets["ops_atomic"], ledger, now)
        are_landed = "heartbeats" in newest_days(ledger, now)
    finally:
        ledger.close()
    if newest is None and are_landed:
        shown, mend = "what came tells of none", advice.command(root, "rejects")
        yield Check(METRIC, age_name, target, shown, FAIL, mend)
        return
    if newest is None:
        mend = advice.command(root, "export")
        yield Check(METRIC, age_name, target, "none published yet", PENDING, mend)
        return
    filename, at, status = newest
    shown = f"{age_of(now - at)}, {filename}"
    found = next(iter(sorted(root.reports.rglob(filename))), None)
    if root.is_example:
        yield Check(METRIC, age_name, target, EXAMPLE, NOT_HERE)
    else:
        is_young = now - at <= timedelta(minutes=limit)
        mend = "" if is_young else _look_for_monitor(root, found)
        yield Check(METRIC, age_name, target, shown, passed(is_young), mend)
    is_well = status in ("ok", "warn")
    read = f"cat {advice.path(found)}" if found else advice.command(root, "verify")
    yield Check(
        COMPONENT, state_name, "ok or warn", f"{status}, {filename}", passed(is_well),
        "" if is_well else read,
    )  # fmt: skip


def _look_for_monitor(root: Root, newest: Path | None) -> str:
    """What shows whether heartbeats still arrive where the newest one lies."""
    folder = newest.parent if newest else root.reports
    return f"ls -lt {advice.path(folder)} | head"


def _newest_heartbeat(
    root: Root, dataset: Dataset, ledger: Ledger, now: datetime
) -> tuple[str, datetime, str] | None:
    """(filename, time, status) of the newest heartbeat that is not ahead.

    A day of rejects only has a file without rows: those are not opened.
    """
    days = sorted(published_files(root, dataset), reverse=True)
    known = ledger.published()
    empty = {path for path, file in known.items() if not file.row_count}
    been = [path for day, path in days if day <= now.date() and path not in empty]
    with duckdb.connect() as db:
        for path in been:
            try:
                row = db.execute(
                    "select filename, timestamp, status "
                    "from read_parquet(?, hive_partitioning = false) "
                    "where timestamp <= ? "
                    "order by timestamp desc, filename desc limit 1",
                    [str(root.path / path), now],
                ).fetchone()
            except duckdb.Error:
                continue  # validate says what is wrong with it
            if row:
                return row[0], row[1], row[2]
    return None


def check_sources(root: Root, now: datetime) -> Iterator[Check]:
    """The sources that nightly jobs write, where this machine has them."""
    hours = Thresholds.from_environment(os.environ).stale_csv_hours
    ledger = open_ledger(root, dry_run=True)
    try:
        newest = newest_days(ledger, now)
    finally:
        ledger.close()
    for shown, sources in nightly().items():
        name, target = f"Source {shown}", f"at most {hours:g} hours old"
        if not newest.keys() & set(sources):
            yield Check(METRIC, name, target, NOT_EXPECTED, NOT_HERE)
            continue
        if root.is_example:
            yield Check(METRIC, name, target, EXAMPLE, NOT_HERE)
            continue
        days = [day for source in sources if (day := newest.get(source))]
        last = max(days, default=None)
        is_young = last is not None and _end_of(last) >= now - timedelta(hours=hours)
        shown = f"newest day {last}" if last else "all that came was rejected"
        yield Check(
            METRIC, name, target, shown, passed(is_young),
            "" if is_young else f"ls -lt {advice.path(root.reports)} | head",
        )  # fmt: skip


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)


def check_rotation(root: Root, now: datetime) -> Check:
    """The newest bundle that is whole is no older than the rotation lets it be."""
    name = "Rotation"
    target = f"a bundle within {ROTATION_AGE // timedelta(hours=1)} hours"
    folder = root.reports / "archive"
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    bundles = sorted(name for name in names if BUNDLE.fullmatch(name))
    if not bundles:
        return Check(COMPONENT, name, target, "not expected: no bundles", NOT_HERE)
    if root.is_example:
        return Check(COMPONENT, name, target, EXAMPLE, NOT_HERE)
    timed = [(at, bundle) for bundle in bundles if (at := _time_of(bundle))]
    been = [(at, bundle) for at, bundle in timed if at <= now + AHEAD]
    if not been:
        return Check(
            COMPONENT, name, target, f"{bundles[-1]} is no time that has been", FAIL,
            f"ls -lt {advice.path(folder)} | head",
        )  # fmt: skip
    been.sort(reverse=True)
    damaged = [*takewhile(lambda bundle: not _is_whole(folder / bundle[1]), been)]
    said = [f"{bundle} is damaged" for _, bundle in damaged[:1]]
    if damaged == been:
        mend = f"gzip -t {advice.path(folder / been[0][1])}"
        return Check(COMPONENT, name, target, said[0], FAIL, mend)
    at, newest = been[len(damaged)]
    is_young = now - at <= ROTATION_AGE
    actual = ", ".join([age_of(now - at), newest, *said])
    return Check(
        COMPONENT, name, target, actual, passed(is_young),
        "" if is_young else f"ls -lt {advice.path(folder)} | head",
    )  # fmt: skip


def _is_whole(bundle: Path) -> bool:
    """Whether a bundle can be read to its end: half a rotation is none."""
    try:
        return why_unproven(bundle) is None
    except OSError:
        return False


def _time_of(bundle: str) -> datetime | None:
    """The time in a bundle's name, where it is one."""
    try:
        return datetime.strptime(bundle, "reports_%Y%m%d_%H%M%S.tar.gz")
    except ValueError:
        return None


def check_success(root: Root, now: datetime) -> Check:
    """The share of runs of the last days that went well."""
    name = f"Runs that went well, {DAYS_OF_RUNS} days"
    target = f"at least {LEAST_SUCCESS:.0%}"
    runs = runs_since(root, now - timedelta(days=DAYS_OF_RUNS))
    if not runs:
        mend = advice.command(root, "export")
        return Check(METRIC, name, target, "no run yet", PENDING, mend)
    well = sum(run["status"] == OK for run in runs)
    share = well / len(runs)
    is_well = share >= LEAST_SUCCESS
    log = advice.path(root.logs / "parquet_export.log")
    return Check(
        METRIC, name, target, f"{share:.0%}, {well:,} of {len(runs):,}",
        PASS if is_well else FAIL, "" if is_well else f"grep ERROR {log} | tail",
    )  # fmt: skip


def age_of(age: timedelta) -> str:
    """An age in the unit in which people would say it."""
    minutes = max(age.total_seconds(), 0) / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes old"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} hours old"
    return f"{minutes / 1440:,.0f} days old"
