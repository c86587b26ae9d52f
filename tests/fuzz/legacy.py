"""Parquet of the system's first exporter: written, and read as simply as can be."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import duckdb

from tests.fuzz.readings import Claim, Reading
from tests.fuzz.snapshots import Snapshot

PLACE = re.compile(r"(g/analytics/ops_atomic_\d{8}\.parquet)(?:(?:\.\d+)?\.legacy)?")
COLUMNS = (
    "filename", "report_type", "timestamp", "status", "duration_ms", "redis_status",
    "database_status", "api_status", "launchagent_optimizer", "launchagent_digest",
)  # fmt: skip
STATUSES = {"✅  HEALTHY": "ok", "⚠️  WARNINGS": "warn"}


def made(rows: list[tuple[str, datetime, str, int]]) -> bytes:
    """A file of (name, time, status, duration in ms) of heartbeats."""
    cells = ", ".join(
        f"('{name}', 'heartbeat', '{at:%Y-%m-%dT%H:%M:%S}Z', '{status}', {took}, 'ok', "
        "'ok', 'warn', 'loaded', 'loaded')"
        for name, at, status, took in rows
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        path = Path(folder) / "made.parquet"
        db.execute(
            f"copy (from (values {cells}) as t({', '.join(COLUMNS)})) to '{path}' "
            "(format parquet)"
        )
        return path.read_bytes()


def legacy_in(snapshot: Snapshot) -> Iterator[tuple[str, Reading]]:
    """(path in which it was written, what it says), adopted by now or not."""
    for path, (data, mtime_ns, _, _) in sorted(snapshot.items()):
        match = PLACE.fullmatch(path)
        if match and data is not None:
            digest = hashlib.sha256(data).hexdigest()
            if claims := _claims(digest, data):
                name = match[1].rpartition("/")[2]
                text = " ".join([digest, *(claim.file for claim in claims)])
                modified = mtime_ns // 10**9
                yield match[1], Reading(name, "legacy", text, modified, claims)


@lru_cache(maxsize=1_000)
def _claims(_digest: str, data: bytes) -> tuple[Claim, ...]:
    """The rows of a file of another program; of one of ours, none."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy, duckdb.connect() as db:
        copy.write(data)
        copy.flush()
        try:
            keys = db.execute(
                "select key::varchar from parquet_kv_metadata(?)", [copy.name]
            ).fetchall()
            if ("source_fingerprint",) in keys:
                return ()
            rows = db.execute(
                "select filename, timestamp::timestamp, status, duration_ms "
                "from read_parquet(?, hive_partitioning = false)", [copy.name],
            ).fetchall()  # fmt: skip
        except duckdb.Error:
            return ()
    return tuple(
        Claim(
            name, frozenset({name}), "ops_atomic",
            (("timestamp", at), ("status", STATUSES[status]), ("duration_ms", took),
             ("api_status", "warn"), ("launchagent_digest", "ok"),
             ("date_partition", at.date())),
            at=at,
        )
        for name, at, status, took in rows
    )  # fmt: skip
