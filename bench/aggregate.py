"""One query over files of query_perf, timed inside a process of its own.

python -m bench.aggregate QUERY parquet|csv LIST: prints seconds and a digest
of the result; LIST is a JSON file of paths. The connection is new; importing
DuckDB is not counted, because it is the same on both sides and would hide the
difference.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

import duckdb

QUERIES = {
    "daily": """
        select
            "timestamp"::date as day,
            query_type,
            count(*) as executions,
            round(avg(execution_time_ms), 6) as avg_ms,
            quantile_disc(execution_time_ms, 0.95) as p95_ms,
            sum(rows_examined) as rows_examined,
        from $files
        group by all
        order by all
    """,
    "by_hash": """
        select
            query_hash,
            count(*) as executions,
            round(sum(execution_time_ms), 3) as total_ms,
            max(execution_time_ms) as max_ms,
        from $files
        group by all
        order by all
    """,
}
READERS = {
    # The log's rows stand in no CSV.
    "parquet": "(from read_parquet($paths, hive_partitioning = false) "
    "where source_file like '%.csv')",
    # A cell of some file is no number: the record is a reject of ours.
    "csv": "read_csv($paths, types = {'execution_time_ms': 'DOUBLE'}, "
    "ignore_errors = true)",
}


def measure(query: str, kind: str, paths: list[str]) -> tuple[float, str]:
    """Seconds for the first run of a query, and what it found."""
    sql = QUERIES[query].replace("$files", READERS[kind])
    with duckdb.connect() as db:
        begun = time.perf_counter()
        rows = db.execute(sql, {"paths": paths}).fetchall()
        seconds = time.perf_counter() - begun
    return seconds, hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


if __name__ == "__main__":
    with open(sys.argv[3], encoding="utf-8") as listed:
        files = json.load(listed)
    sys.stdout.write(json.dumps(measure(sys.argv[1], sys.argv[2], files)) + "\n")
