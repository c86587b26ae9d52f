"""The sources that are expected, as old as they are at the present moment."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

from exporter.contracts.kept import load_tables
from exporter.publish.published import published_files
from exporter.status.reckon import Reckoning, Row
from exporter.status.tables import contract

LONGEST_RUN = timedelta(hours=1)


def sources(found: Reckoning, heartbeat: Row | None) -> list[Row]:
    """One row per source, as `dataset_freshness` would say it now; of heartbeats the
    newest counts, published or not."""
    mart = found.files.only("dataset_freshness")
    found.files.load(found.db, "dataset_freshness", mart)
    counted = found.files.days("landed_counts")
    if mart and counted and not _is_up_to_date(found, mart[0], max(counted)):
        _make_anew(found)
    rows = found.ask("sources")
    for row in rows:
        was_now, last_day = row.pop("was_now"), row.pop("last_day")
        if row["source"] == "heartbeats" and heartbeat:
            row["last_record_at"] = heartbeat["at"]
        elif was_now:
            # Of what tells no time, the end of its day counts once it is over.
            end = datetime.combine(last_day, time()) + timedelta(days=1)
            row["last_record_at"] = min(end, found.now)
        last = row["last_record_at"]
        row["age_s"] = (found.now - last).total_seconds() if last else None
        row["is_stale"] = bool(last) and row["age_s"] > row["allowed_age_s"]
        row["status"] = (
            "stale" if row["is_stale"] else "fresh" if last else "never seen"
        )
    return rows


def _is_up_to_date(found: Reckoning, mart: str, last_day: date) -> bool:
    """Whether the mart was made before now, and of all that is published: one that
    was made for another moment than its own leaves some of that out."""
    (made,) = found.prepared("made_at")
    at: datetime | None = made["made_at"]
    if at is None or at > found.now or last_day > at.date():
        return False
    written = datetime.fromtimestamp(os.stat(mart).st_mtime, UTC).replace(tzinfo=None)
    return written - at < LONGEST_RUN


def _make_anew(found: Reckoning) -> None:
    """Make the mart as of now, where it was made for another moment."""
    found.db.execute("drop table dataset_freshness")
    root, (_, marts) = found.files.root, load_tables()
    for name, reads in marts["dataset_freshness"].reads.items():
        if name == "ops_atomic":
            continue  # its newest rows are there
        back = timedelta(days=reads.last_days) if reads.last_days else timedelta.max
        paths = [
            f"{root.path}/{path}"
            for day, path in published_files(root, contract(name))
            # A file's day and its rows' may differ by some hours.
            if found.today - day <= back and day - found.today <= timedelta(days=1)
        ]
        found.files.load(found.db, name, paths)
    sql = found.statements.sql["dataset_freshness"]
    found.db.execute(f"create table dataset_freshness as {sql}")
