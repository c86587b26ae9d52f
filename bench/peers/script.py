"""The straightforward script: Python parses, DuckDB copies daily Parquet.

python -m bench.peers.script ROOT OUT
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import duckdb

from bench.peers.heartbeats import flatten

QUERIES = Path(__file__).with_name("queries.sql")
TYPES = {"timestamp": "timestamp", "duration_ms": "bigint", "date_partition": "date"}


def main(root: str, out: str) -> None:
    """Publish ops_atomic, heartbeat_checks and query_perf, a file per day."""
    flatten(root, out)
    with duckdb.connect() as db:
        for name in ("ops_atomic", "heartbeat_checks"):
            source = f"{out}/{name}.ndjson"
            with open(source, encoding="utf-8") as stream:
                columns = {k: TYPES.get(k, "varchar") for k in json.loads(next(stream))}
            publish(db, name, f"from read_json('{source}', columns = {columns})", out)
            os.remove(source)
        publish(db, "query_perf", query_perf(root), out)


def query_perf(root: str) -> str:
    """The SQL of query_perf, reading below a root."""
    return QUERIES.read_text(encoding="utf-8").replace("$root", root)


def publish(db: duckdb.DuckDBPyConnection, name: str, sql: str, out: str) -> None:
    """Copy a query's rows into one snappy Parquet file per day."""
    os.makedirs(f"{out}/{name}")
    db.execute(
        f"create table {name} as from ({sql}) order by date_partition, timestamp"
    )
    days = db.execute(f"select distinct date_partition from {name}").fetchall()
    for (day,) in days:
        db.execute(
            f"copy (from {name} where date_partition = '{day}') "
            f"to '{out}/{name}/{name}_{day:%Y%m%d}.parquet' "
            "(format parquet, compression snappy)"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
