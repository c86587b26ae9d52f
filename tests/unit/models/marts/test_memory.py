"""A day of very many queries is reckoned on the disk, in as little memory."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from exporter.contracts.rendering import Renderer
from exporter.publish.batches import bound_memory
from tests.marts import Marts

ROWS = 600_000
TOTAL = Renderer().sql("{{ total_of_places('ranked', ['name'], 'took_ms') }}")
# Each query runs twice, so that there is a value between two.
QUERIES = f"""
    insert into all_query_perf by name select
        timestamp '2026-01-01' + to_milliseconds(i % 80_000_000) as timestamp,
        md5((i // 2)::varchar) as query_hash,
        'SELECT' as query_type,
        (i % 1_000)::double as execution_time_ms,
        md5((i // 2)::varchar) as table_name,
        i % 7 as rows_examined,
        i % 3 as rows_returned,
        date '2026-01-01' as date_partition,
    from range({ROWS}) t(i)
"""


@pytest.mark.parametrize("name", ["query_perf_daily", "workload_daily"])
def test_no_quantile_holds_all_values(name: str, tmp_path: Path) -> None:
    marts = Marts(datetime(2026, 1, 3))
    marts.db.execute(f"set temp_directory = '{tmp_path}/spilled'")
    marts.db.execute(QUERIES)
    made = marts.view(name)
    bound_memory(marts.db, "80MiB")
    marts.db.execute(f"create temp table made as from {made}")
    counted = marts.db.execute("select count(*) from made").fetchall()
    assert counted == [(ROWS // 2,)]


def test_quantiles_of_places_lie_between_the_nearest() -> None:
    marts = Marts(datetime(2026, 1, 3))
    day = {"timestamp": datetime(2026, 1, 1), "date_partition": "2026-01-01"}
    marts.add(
        "query_perf",
        [
            {**day, "query_hash": query, "execution_time_ms": ms}
            for query, times in {"a": [4, 1, 3, 2], "b": [7]}.items()
            for ms in times
        ],
    )
    a, b = marts.rows("query_perf_daily", order="query_hash")
    assert (a["p50_ms"], b["p50_ms"], b["p99_ms"]) == (2.5, 7, 7)
    assert a["p95_ms"] == pytest.approx(3.85)
    assert a["day_p95_ms"] == pytest.approx(6.4)


def ranked(rows: int, spilled: Path) -> duckdb.DuckDBPyConnection:
    """Rows of three groups, in the order of their values; one has no name."""
    db = duckdb.connect(config={"threads": 1, "temp_directory": str(spilled)})
    db.execute(
        """
        create table ranked as
        select
            *,
            row_number() over (partition by name order by took_ms) as place,
            count(*) over (partition by name) as executions,
        from (
            select
                case when i < 10 then 'few' when i % 10 = 0 then 'some' end as name,
                (hash(i) % 10_000_019) / 1e3 as took_ms,
            from range($rows) t(i)
        )
        """,
        {"rows": rows},
    )
    return db


def test_a_total_of_places_is_the_ordered_sum(tmp_path: Path) -> None:
    db = ranked(600_000, tmp_path / "spilled")
    total, ordered = TOTAL, "select name, sum(took_ms order by took_ms) from ranked"
    found = db.execute(f"from ({total}) order by name").fetchall()
    assert found == db.execute(f"{ordered} group by name order by name").fetchall()
    assert len(found) == 3


def test_a_total_takes_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    db = ranked(3_000_000, tmp_path / "spilled")
    db.execute("set memory_limit = '40MiB'")
    assert len(db.execute(TOTAL).fetchall()) == 3
    with pytest.raises(duckdb.OutOfMemoryException):
        db.execute("select sum(took_ms order by took_ms) from ranked")
