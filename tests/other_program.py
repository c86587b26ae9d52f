"""Parquet at our paths, as another program wrote it: the system's first exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import duckdb

from tests import faults

FIRST = "g/analytics/ops_atomic_20251027.parquet"
SECOND = "g/analytics/ops_atomic_20251028.parquet"


def other_program(path: Path, sql: str) -> Path:
    """A Parquet file that the query of another program made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        target = str(path).replace("'", "''")
        db.execute("set TimeZone = 'UTC'")
        db.execute(f"copy ({sql}) to '{target}' (format parquet)")
    return path


def beats(count: int, start: str = "2025-10-27 00:00:00") -> str:
    """So many heartbeats, each five minutes after the one before, as the system's
    first exporter wrote them."""
    return f"""
        select
            strftime(said_at, 'heartbeat_%Y-%m-%d_%H-%M-%S.md') as filename,
            'heartbeat' as report_type,
            strftime(said_at, '%Y-%m-%dT%H:%M:%S.000Z') as timestamp,
            '⚠️  WARNINGS' as status,
            7::bigint as duration_ms,
            'ok' as redis_status,
            'unknown' as database_status,
            'warn' as api_status,
            'loaded' as launchagent_optimizer,
            'loaded' as launchagent_digest,
        from (
            select timestamp '{start}' + to_minutes(5 * range) as said_at
            from range({count})
        )
        order by said_at
    """


def markdown(root: Path, names: Iterable[str]) -> None:
    for name in names:
        day, time = name.removesuffix(".md").split("_")[1:]
        text = faults.heartbeat(f"{day}T{time.replace('-', ':')}Z")
        faults.write(root / "g/reports/ops_atomic" / name, text)


def names(root: Path) -> Counter[str]:
    return Counter(name for (name,) in faults.rows(root, faults.BEATS, "filename"))


def kept(root: Path) -> dict[str, bytes]:
    found = sorted(root.rglob("*.legacy*"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
