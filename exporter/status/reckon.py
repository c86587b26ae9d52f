"""The marts of reliability, reckoned on to the present in a database in memory.

The models themselves are run, as an export would run them now: over published and
unpublished heartbeats for the days that are not complete, and over the published
spans of all days before.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from exporter.contracts.settings import settings_rows, settings_seeds
from exporter.publish.moment import show_moment
from exporter.publish.published_views import insert
from exporter.status.statements import STATEMENTS, Statements
from exporter.status.tables import Files
from exporter.status.unpublished import read_unpublished
from ingest.root import PROJECT, Root

HERE = Path(__file__).parent
# What is asked in the words of the pages.
PREPARED = PROJECT / "exporter" / "answers" / "prepared"
# In this order: each reads those before it.
TABLES = ("int_check_timeline", "incidents", "slo_status")
# As far back as the longest period of slo_status goes.
LONGEST = timedelta(days=91)
# So far may a heartbeat's name and time be apart.
NAMED_APART = timedelta(hours=1)
# Where nothing is published, no heartbeat is older.
UNPUBLISHED = timedelta(days=1)
DAY = timedelta(days=1)
LIVE = {
    "filename": "varchar",
    "at": "timestamp",
    "status_text": "varchar",
    "check_groups": [
        {
            "check_group": "varchar",
            "checks": [{"check_name": "varchar", "text": "varchar"}],
        }
    ],
}
Row = dict[str, Any]


@dataclass
class Reckoning:
    """The tables `int_check_timeline`, `incidents` and `slo_status` in `db`, as of
    `now` (UTC), and which published files there are besides."""

    db: duckdb.DuckDBPyConnection
    now: datetime
    files: Files
    statements: Statements

    @property
    def today(self) -> date:
        return self.now.date()

    def ask(self, name: str) -> list[Row]:
        """The rows of the query of that name beside this module."""
        return self.rows((HERE / f"{name}.sql").read_text("utf-8"))

    def rejected_heartbeats(self) -> int:
        """How many heartbeats no run could publish."""
        paths = self.files.days("rejected_records").values()
        self.files.load(self.db, "rejected_records", paths)
        (found,) = self.rows(
            "select count(*) as records from rejected_records "
            "where dataset = 'ops_atomic'"
        )
        return int(found["records"])

    def prepared(self, name: str) -> list[Row]:
        """The rows of a query that the pages' answers are made of."""
        return self.rows((PREPARED / f"{name}.sql").read_text("utf-8"))

    def rows(self, query: str) -> list[Row]:
        """The rows of a query, in which `$as_of` stands for the present."""
        values = {"as_of": self.now} if "$as_of" in query else {}
        found = self.db.execute(query, values)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def reckon(root: Root, machine: str, now: datetime, clock: datetime) -> Reckoning:
    """Reckon the present, `now`; `clock` is the time at which heartbeats are read.

    Reads only. Raises OSError.
    """
    statements = STATEMENTS.take()
    db = duckdb.connect(config={"threads": 1})
    found = Reckoning(db, now, Files(root), statements)
    show_moment(found.db, now, machine)
    states = _up_to(found.files.days("check_states"), now)
    last_complete = max(states, default=date.max)
    last_heard = _load_exports(found, statements, last_complete)
    made = _load_live(found, statements, root, last_heard, clock)
    made |= {day for day in (last_heard, last_complete) if day and day < date.max}
    _load_settings(found.db, root)
    from_day = min(made, default=date.max)
    since = min(now.date() - LONGEST, _first_open_incident(found))
    earlier = [at for day, at in states.items() if since <= day < from_day]
    found.files.load(found.db, "check_states", earlier)
    found.db.execute("update check_states set machine = ?", [machine])
    if made:
        _thin(found, from_day)
        days = [from_day + n * DAY for n in range((max(made) - from_day).days + 1)]
        _run(found.db, statements, days)
    for name in TABLES:
        found.db.execute(f"create table {name} as {statements.sql[name]}")
    found.db.execute("set variable as_of = $now::timestamp", {"now": now})
    found.db.execute(
        "create view timeline as from int_check_timeline "
        "where started_at <= getvariable('as_of')"
    )
    return found


def _up_to(days: dict[date, str], now: datetime) -> dict[date, str]:
    return {day: path for day, path in days.items() if day <= now.date()}


def _thin(found: Reckoning, from_day: date) -> None:
    """Of the days before keep what each check said last: no more of them counts."""
    values: dict[str, Any] = {"from_day": from_day, "as_of": found.now}
    for statement in (HERE / "thin.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            used = {name: values[name] for name in values if f"${name}" in statement}
            found.db.execute(statement, used)


def _run(
    db: duckdb.DuckDBPyConnection, statements: Statements, days: list[date]
) -> None:
    """Add the spans of the days that are to be made."""
    db.execute("set variable publishing_days = $days", {"days": days})
    db.execute(f"insert into check_states by name {statements.sql['check_states']}")


def _load_exports(
    found: Reckoning, statements: Statements, last_complete: date
) -> date | None:
    """Load what check_states reads to make the last days, and say which day is the
    last with a heartbeat.

    That is, back from the last day with heartbeats before these, as many as a check
    counts without being seen; one day more, because a late heartbeat may be of the
    day before.
    """
    lifetime = timedelta(days=statements.lifetime_days + 1)
    beats = _up_to(found.files.days("ops_atomic"), found.now)
    checks = found.files.days("heartbeat_checks")
    waiting = sorted(beats, reverse=True)
    bound = min([last_complete, *waiting[:1]]) - lifetime if waiting else date.min
    for name in ("ops_atomic", "heartbeat_checks"):
        found.files.load(found.db, name, [])
    while True:
        loaded = [day for day in waiting if day >= bound]
        waiting = waiting[len(loaded) :]
        found.files.add(found.db, "ops_atomic", [beats[day] for day in loaded])
        found.files.add(
            found.db, "heartbeat_checks", [checks[d] for d in loaded if d in checks]
        )
        heard = [
            row["date_partition"]
            for row in found.rows(
                "select distinct date_partition from ops_atomic "
                "where timestamp <= $as_of order by all desc"
            )
        ]
        first = min([last_complete, *heard[:1]]) - DAY
        before = next((day for day in heard if day < first), None)
        if not waiting or (before and before - lifetime >= bound):
            return heard[0] if heard else None
        bound = (before or waiting[0]) - lifetime


def _load_live(
    found: Reckoning,
    statements: Statements,
    root: Root,
    last_heard: date | None,
    clock: datetime,
) -> set[date]:
    """Add the heartbeats that are not published; returns their days."""
    (last,) = found.rows(
        "select max(timestamp) as heard_at from ops_atomic where timestamp <= $as_of"
    )
    since = last["heard_at"] - NAMED_APART if last_heard else found.now - UNPUBLISHED
    known = {row["filename"] for row in found.rows("select filename from ops_atomic")}
    live = [
        {name: heartbeat[name] for name in LIVE}  # type: ignore[literal-required]
        for heartbeat in read_unpublished(root, since, known, clock)
    ]
    if not live:
        return set()
    # What is no character in a file is none here.
    text = json.dumps(live, ensure_ascii=False).encode("utf-8", "replace").decode()
    found.db.execute(
        "create table live_heartbeats as select live.* from ("
        f"select unnest(from_json($1::json, '{json.dumps([LIVE])}')) as live)",
        [text],
    )
    found.db.execute(statements.sql["live"])
    days = 'select distinct "at"::date as day from live_heartbeats where "at" <= $as_of'
    return {row["day"] for row in found.rows(days)}


def _load_settings(db: duckdb.DuckDBPyConnection, root: Root) -> None:
    """The seeds that the models read, settings over them."""
    rows = settings_rows(root)
    for name, seed in settings_seeds().items():
        cells = ", ".join(f"{column} {kind}" for column, kind in seed.columns.items())
        db.execute(f"create table {name} ({cells})")
        texts = [[row[column] for column in seed.columns] for row in rows[name]]
        insert(db, name, texts)
    with (PROJECT / "seeds" / "monitored_checks.csv").open(encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    columns = ", ".join(f"{name} varchar" for name in header)
    db.execute(f"create table monitored_checks ({columns})")
    insert(db, "monitored_checks", lines)


def _first_open_incident(found: Reckoning) -> date:
    """The first day of the incidents that were open when they were published."""
    found.files.load(found.db, "incidents", found.files.only("incidents"))
    (first,) = found.rows(
        "select min(started_at)::date as day from incidents where is_open"
    )
    found.db.execute("drop table incidents")
    return first["day"] or date.max
