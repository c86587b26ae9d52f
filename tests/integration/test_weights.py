"""What weighs too much: a reject at most, and never more than its own record."""

from __future__ import annotations

from pathlib import Path

from tests import faults

HEAVY = "g/reports/ops_atomic/heartbeat_2025-10-27_00-00-00.md"
LIGHT = "g/reports/ops_atomic/heartbeat_2025-10-27_00-05-00.md"


def heavy(heading: int, checks: int) -> str:
    """A heartbeat with one long heading over many checks."""
    return (
        "**Timestamp:** 2025-10-27T00:00:00Z\n**Status:** ✅ HEALTHY\n---\n"
        f"### {'x' * heading}\n" + "- **a:** ✅\n" * checks
    )


def test_a_heavy_heartbeat_stops_nothing(tmp_path: Path) -> None:
    """One of 414 KB was a line of 100 MB in the landing, which nothing read."""
    faults.write(tmp_path / LIGHT, faults.heartbeat("2025-10-27T00:05:00Z"))
    text = heavy(5_000, 38_000)
    assert len(text) > 400_000
    faults.write(tmp_path / HEAVY, text)
    faults.export(tmp_path)
    assert faults.is_valid(tmp_path)
    assert not faults.conservation(tmp_path)
    assert len(faults.rows(tmp_path, faults.BEATS)) == 1
    (reject,) = faults.rows(tmp_path, faults.REJECTS, "dataset, source_file, reason")
    assert reject == ("ops_atomic", Path(HEAVY).name, "checks are too large")


def test_many_checks_below_a_short_heading_are_checks(tmp_path: Path) -> None:
    faults.write(tmp_path / HEAVY, heavy(10, 34_000))
    faults.export(tmp_path)
    assert len(faults.rows(tmp_path, faults.CHECKS)) == 34_000
