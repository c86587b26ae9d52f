"""The same with pandas and pyarrow.

python -m bench.peers.pandas_script ROOT OUT
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.peers.heartbeats import read_all

VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE"}
QUERY_TYPES = {
    "query_hash": "str",
    "query_type": "str",
    "execution_time_ms": "float64",
    "rows_examined": "Int64",
    "rows_returned": "Int64",
    "cache_hit": "boolean",
    "table_name": "str",
    "index_used": "str",
}
# What stands where a number should; lines without one are left out.
NO_NUMBER = ["", "n/a"]


def main(root: str, out: str) -> None:
    """Publish ops_atomic, heartbeat_checks and query_perf, a file per day."""
    heartbeats: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    for row, rows in read_all(root):
        heartbeats.append(row)
        checks += rows
    publish(pd.DataFrame(heartbeats), "ops_atomic", out)
    del heartbeats
    publish(pd.DataFrame(checks), "heartbeat_checks", out)
    del checks
    publish_queries(root, out)


def publish(table: pd.DataFrame, name: str, out: str) -> None:
    """Write one snappy Parquet file per day."""
    os.makedirs(f"{out}/{name}", exist_ok=True)
    table["timestamp"] = pd.to_datetime(table["timestamp"], format="ISO8601")
    table["date_partition"] = pd.to_datetime(table["date_partition"]).dt.date
    for day, rows in table.groupby("date_partition"):
        write(rows.sort_values("timestamp"), name, day, out)


def write(rows: pd.DataFrame, name: str, day: Hashable, out: str) -> None:
    made = pa.Table.from_pandas(rows, preserve_index=False)
    path = f"{out}/{name}/{name}_{str(day).replace('-', '')}.parquet"
    pq.write_table(made, path, compression="snappy")


def publish_queries(root: str, out: str) -> None:
    """CSV by CSV, each with its day's lines of the log."""
    logged = dict(list(read_log(root).groupby("date_partition")))
    os.makedirs(f"{out}/query_perf")
    for path in sorted(Path(root, "g", "reports").glob("query_perf_daily_*.csv")):
        day = pd.to_datetime(path.stem[-8:], format="%Y%m%d").date()
        rows = pd.read_csv(
            path,
            usecols=["timestamp", *QUERY_TYPES],
            dtype=QUERY_TYPES,
            keep_default_na=False,
            na_values=NO_NUMBER,
        ).dropna(subset=["execution_time_ms"])
        rows["timestamp"] = pd.to_datetime(rows["timestamp"], format="ISO8601")
        rows["timestamp"] = rows["timestamp"].dt.tz_localize(None)
        rows["date_partition"] = day
        rows["source_file"] = path.name
        log = logged.get(day)
        day_rows = rows if log is None else pd.concat([rows, log])
        for column in ("cpu_time_ms", "io_wait_ms"):
            day_rows[column] = pd.array([None] * len(day_rows), dtype="Float64")
        write(day_rows.sort_values("timestamp"), "query_perf", day, out)


def read_log(root: str) -> pd.DataFrame:
    lines = Path(root, "g", "reports", "query_perf.jsonl").read_text().splitlines()
    rows = []
    for line in map(json.loads, lines):
        if "ts" not in line:
            continue  # our files leave these out, too
        query = " ".join(line["query"].split())
        verb = query.split(" ")[0].upper()
        rows.append(
            {
                "timestamp": line["ts"],
                "query_hash": hashlib.md5(query.lower().encode()).hexdigest()[:12],
                "query_type": verb if verb in VERBS else "SEARCH",
                "execution_time_ms": float(line["timings"]["total_ms"]),
                "rows_returned": line["resultCount"],
                "cache_hit": line["timings"]["cache_hit"],
                "source_file": "query_perf.jsonl",
            }
        )
    log = pd.DataFrame(rows)
    log["timestamp"] = pd.to_datetime(log["timestamp"], format="ISO8601")
    log["timestamp"] = log["timestamp"].dt.tz_localize(None)
    log["date_partition"] = log["timestamp"].dt.date
    return log.astype({"rows_returned": "Int64", "cache_hit": "boolean"})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
