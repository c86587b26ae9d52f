"""What of another program's Parquet cannot be adopted is kept and told all the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests import faults
from tests.faults import export, run
from tests.other_program import (
    SECOND,
    beats,
    kept,
    markdown,
    names,
    other_program,
)

QUERIES = (
    "knowledge/optimize/parquet/query_perf/year=2025/month=10/"
    "query_perf_20251028.parquet"
)


def test_a_row_that_cannot_be_typed_is_a_reject(empty_root: Path) -> None:
    other_program(
        empty_root / SECOND,
        """
        select * from (
            values
            ('heartbeat_2025-10-28_01-00-00.md', '2025-10-28T08:00+07:00', 'ok', '5'),
            ('heartbeat_2025-10-28_02-00-00.md', null, '❌ CRITICAL', '5.0'),
            ('heartbeat_2025-10-28_03-00-00.md', 'soon', 'HEALTHY', 'long'),
            (null, '2025-10-28 04:00:00', 'HEALTHY', '5'),
            ('x.md', 'soon', 'HEALTHY', '5'),
            ('y.md', '2199-10-28 04:00:00', 'HEALTHY', '5'),
            ('z.md', '2025-10-28 04:00:00', null, 'password=hunter2')
        ) as rows ("FileName", timestamp, status, duration_ms)
        """,
    )  # fmt: skip
    export(empty_root)
    found = faults.rows(
        empty_root, faults.BEATS, "filename, timestamp::varchar, status"
    )
    assert sorted(found) == [
        ("heartbeat_2025-10-28_01-00-00.md", "2025-10-28 01:00:00", "ok"),
        ("heartbeat_2025-10-28_02-00-00.md", "2025-10-28 02:00:00", "error"),
    ]
    rejects = faults.rows(
        empty_root, faults.REJECTS, "line_number, reason, source_file"
    )
    assert sorted(rejects) == [
        (3, "duration_ms is not a BIGINT", Path(SECOND).name),
        (4, "filename is empty", Path(SECOND).name),
        (5, "timestamp is not a time", Path(SECOND).name),
        (6, "dated more than a day ahead", Path(SECOND).name),
        (7, "status is empty", Path(SECOND).name),
    ]
    assert b"hunter2" not in b"".join(
        faults.everything(empty_root / faults.STATE).values()
    )
    assert faults.is_valid(empty_root)


def test_rows_of_other_datasets_are_kept_as_rejects(empty_root: Path) -> None:
    sql = "select range as query_hash, 1.5 as execution_time_ms from range(3)"
    checks = "g/analytics/heartbeat_checks/heartbeat_checks_20251028.parquet"
    other_program(empty_root / QUERIES, sql)
    other_program(empty_root / checks, sql)
    originals = (empty_root / QUERIES).read_bytes(), (empty_root / checks).read_bytes()
    export(empty_root)
    assert kept(empty_root) == {
        f"{QUERIES}.legacy": originals[0], f"{checks}.legacy": originals[1]
    }  # fmt: skip
    rejects = faults.rows(empty_root, faults.REJECTS, "dataset, reason, raw")
    reason = "of another program's rows only those of ops_atomic are adopted"
    raw = '{"query_hash": "2", "execution_time_ms": "1.5"}'
    assert Counter(row[:2] for row in rejects) == {
        ("query_perf", reason): 3, ("heartbeat_checks", reason): 3
    }  # fmt: skip
    assert ("query_perf", reason, raw) in rejects
    assert faults.is_valid(empty_root)


def test_ours_that_another_program_wrote_over(root: Path) -> None:
    """The landing makes the day again, with what that program said besides."""
    path = root / faults.BEATS.replace("*", "20251027")
    ours = len(faults.rows(root, faults.BEATS))
    other_program(path, beats(2, "2025-10-27 00:00:01"))
    assert run("validate", root).code == 1
    export(root)
    assert len(faults.rows(root, faults.BEATS)) == ours + 2
    assert len(kept(root)) == 1
    assert faults.is_valid(root)


def test_what_nobody_can_read_is_called_so(empty_root: Path) -> None:
    faults.write(empty_root / SECOND, b"PAR1 nothing PAR1")
    markdown(empty_root, ["heartbeat_2025-10-28_00-00-00.md"])
    done = export(empty_root)
    assert f"{SECOND}: not readable as Parquet; set aside as" in done.warnings
    aside = empty_root / f"{SECOND}.damaged"
    assert aside.read_bytes() == b"PAR1 nothing PAR1"
    assert not kept(empty_root)
    assert len(names(empty_root)) == 1
    assert faults.is_valid(empty_root)
