"""What is held in memory is bounded in bytes, whatever an input looks like."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests import faults

MEGABYTE = 1 << 20
HEADER = faults.HEADER.strip()
RECORD = "2025-10-21T00:00:00Z,h,SELECT,1.5,1,2,true,docs,i"

INPUTS = {
    "query_perf_daily_20251021.csv": lambda: "\n".join(
        [f"{HEADER},note", *[f"{RECORD},{'x' * 900_000}"] * 30]
    ),
    "query_perf_daily_20251022.csv": lambda: "\n".join(
        [HEADER, *['"' + "x" * 500_000] * 30]
    ),
    "query_perf_daily_20251021.json": lambda: (
        '{"patterns":[[' + "[[]]," * (MEGABYTE // 4) + "1]]}"
    ),
    "optimization_summary_20251021.txt": lambda: "x\n" * (MEGABYTE // 2),
    "index_advisor_report.json": lambda: (
        '{"recommendations":[' + "[[]]," * (2 * MEGABYTE // 3) + "1]}"
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_no_shape_takes_much_more_than_it_must(name: str, tmp_path: Path) -> None:
    faults.write(tmp_path / "g/reports" / name, INPUTS[name]())
    tracemalloc.start()
    try:
        assert faults.run("ingest", tmp_path).code == 0
        assert tracemalloc.get_traced_memory()[1] < 48 * MEGABYTE
    finally:
        tracemalloc.stop()
