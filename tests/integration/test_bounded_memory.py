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


def peak_of_ingest(root: Path, rows: int) -> int:
    """Bytes that were held at most while a CSV of so many rows was landed."""
    lines = [f"2025-10-21T00:00:00Z,{row:032x},SELECT,1.5,1,2,true,docs,i"
             for row in range(rows)]  # fmt: skip
    text = "\n".join([HEADER, *lines])
    faults.write(root / "g/reports/query_perf_daily_20251021.csv", text)
    del lines, text
    tracemalloc.start()
    try:
        assert faults.run("ingest", root).code == 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_more_rows_take_no_more_memory(tmp_path: Path) -> None:
    """Both are too large to be held as a whole before they are compressed."""
    peak_of_ingest(tmp_path / "first", 10)  # what is imported stays
    few = peak_of_ingest(tmp_path / "few", 120_000)
    # As text alone, the other rows are 16 MB.
    assert peak_of_ingest(tmp_path / "many", 320_000) < few + 3 * MEGABYTE


@pytest.mark.parametrize("name", INPUTS)
def test_no_shape_takes_much_more_than_it_must(name: str, tmp_path: Path) -> None:
    faults.write(tmp_path / "g/reports" / name, INPUTS[name]())
    tracemalloc.start()
    try:
        assert faults.run("ingest", tmp_path).code == 0
        assert tracemalloc.get_traced_memory()[1] < 48 * MEGABYTE
    finally:
        tracemalloc.stop()
