"""The landing store as DuckDB views: typed, partitioned by day, maybe empty."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from ingest.landing import CSV_SOURCES, MANIFEST
from ingest.root import Root

CHECKS = "struct(check_group varchar, check_name varchar, text varchar)[]"
TEXT = "varchar"

# Column types per source, in the order in which ingest writes CSV.
COLUMNS: dict[str, dict[str, str]] = {
    "heartbeats": {
        "filename": TEXT, "at": "timestamp", "status_text": TEXT,
        "duration_text": TEXT, "fields": "varchar[]", "checks": CHECKS,
        "raw": TEXT, "problem": TEXT,
    },
    "query_rows": {
        **dict.fromkeys(
            (
                "timestamp", "query_hash", "query_type", "execution_time_ms",
                "rows_examined", "rows_returned", "cache_hit", "table_name",
                "index_used", "cpu_time_ms", "io_wait_ms", "extra_columns",
                "source_file",
            ),
            TEXT,
        ),
        "line_number": "bigint", "problem": TEXT, "raw": TEXT,
    },
    "query_patterns": {
        **dict.fromkeys(
            (
                "pattern", "samples", "avg_ms", "p50_ms", "p95_ms", "p99_ms",
                "slow_flag", "extra_columns", "source_file",
            ),
            TEXT,
        ),
        "line_number": "bigint", "problem": TEXT, "raw": TEXT,
    },
    "query_log": {
        "at": "timestamp", "query": TEXT, "duration_ms": TEXT, "total_ms": TEXT,
        "cache_hit": TEXT, "result_count": TEXT, "source_file": TEXT,
        "line_number": "bigint", "problem": TEXT, "raw": TEXT,
    },
    "telemetry": {
        "at": "timestamp", "metric": TEXT, "value": TEXT, "source_file": TEXT,
        "line_number": "bigint", "problem": TEXT, "raw": TEXT,
    },
    "index_advisor": {
        "at": "timestamp", "report": TEXT, "source_file": TEXT, "problem": TEXT,
        "raw": TEXT,
    },
    "optimization_summary": {
        "at": "timestamp", "shape": TEXT, "event_type": TEXT, "metric_name": TEXT,
        "metric_value": TEXT, "metadata": TEXT, "source_file": TEXT,
        "line_number": "bigint", "problem": TEXT, "raw": TEXT,
    },
    "observed_columns": {"source": TEXT, "source_file": TEXT, "name": TEXT},
}  # fmt: skip

LANDED_DAYS = {
    "source": TEXT, "day": "date", "dataset": TEXT, "landed_records": "bigint",
    "source_fingerprint": TEXT,
}  # fmt: skip

# A whole heartbeat stands in one line of JSON, escaped.
MAX_LINE_BYTES = 32 << 20


def quote(text: str) -> str:
    """A text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def literal_path(path: str) -> str:
    """A path in which no character acts as a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def create(db: DuckDBPyConnection, root: Root) -> None:
    """Create schema `landing` and a view per source, and `landed_days`."""
    db.execute("create schema if not exists landing")
    for source, columns in COLUMNS.items():
        folder = root.landing / source
        shown = list(columns)
        if any(folder.glob("day=*/*.gz")):
            query = (
                f"select {', '.join(quoted(shown))}, day from {_reader(root, source)}"
            )
        else:
            query = _nothing({**columns, "day": "date"})
        db.execute(f"create or replace view landing.{source} as {query}")
    manifest = root.landing / MANIFEST
    if manifest.exists():
        query = f"from {_csv(literal_path(str(manifest)), LANDED_DAYS, False)}"
    else:
        query = _nothing(LANDED_DAYS)
    db.execute(f"create or replace view landing.landed_days as {query}")


def quoted(names: list[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _nothing(columns: dict[str, str]) -> str:
    cells = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    return f"select {cells} where false"


def _reader(root: Root, source: str) -> str:
    folder = literal_path(str(root.landing / source))
    if source in CSV_SOURCES:
        return _csv(f"{folder}/day=*/*.csv.gz", COLUMNS[source], True)
    return f"""read_json(
        {quote(f"{folder}/day=*/*.ndjson.gz")},
        format = 'newline_delimited',
        columns = {_struct(COLUMNS[source])},
        auto_detect = false,
        maximum_object_size = {MAX_LINE_BYTES},
        hive_partitioning = true,
        hive_types = {{'day': date}}
    )"""


def _csv(pattern: str, columns: dict[str, str], by_day: bool) -> str:
    hive = "hive_partitioning = true, hive_types = {'day': date}"
    return f"""read_csv(
        {quote(pattern)},
        columns = {_struct(columns)},
        auto_detect = false, header = true,
        delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '',
        max_line_size = {MAX_LINE_BYTES},
        {hive if by_day else "hive_partitioning = false"}
    )"""


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"{quote(n)}: {quote(t)}" for n, t in columns.items()) + "}"
