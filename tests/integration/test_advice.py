"""Index advice from two generators that write reports of one name."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests import faults

RECENT = "g/reports/index_advisor_report.json"
CLASSIC = "knowledge/optimize/index_advisor_report.json"
MART = "g/analytics/marts/index_advice_lifecycle.parquet"


def report(at: str, *tables: str) -> str:
    advice = [{"table": table, "index": f"idx_{table}"} for table in tables]
    return json.dumps({"timestamp": at, "recommendations": advice})


def leave(root: Path, path: str, text: str, is_rotated: bool) -> None:
    faults.write(root / path, text)
    if is_rotated:
        number = len(list(root.glob("g/reports/archive/*")))
        faults.rotate(root, [path], f"20251101_{number:06}")


@pytest.mark.parametrize("is_rotated", [False, True])
def test_a_report_closes_the_advice_of_its_own_generator_alone(
    is_rotated: bool, tmp_path: Path
) -> None:
    leave(tmp_path, CLASSIC, report("2025-10-20T04:00:00Z", "a", "b"), is_rotated)
    leave(tmp_path, RECENT, report("2025-10-21T01:00:00Z"), is_rotated)
    faults.export(tmp_path)
    life = f"select recommended_index, is_open, closed_at::varchar from '{MART}'"
    with duckdb.connect() as db:
        db.execute(f"set file_search_path = '{tmp_path}'")
        assert db.execute(f"{life} order by all").fetchall() == [
            ("idx_a", True, None),
            ("idx_b", True, None),
        ]
        leave(tmp_path, CLASSIC, report("2025-10-22T04:00:00Z", "b"), is_rotated)
        faults.export(tmp_path)
        assert db.execute(f"{life} order by all").fetchall() == [
            ("idx_a", False, "2025-10-22 04:00:00"),
            ("idx_b", True, None),
        ]
