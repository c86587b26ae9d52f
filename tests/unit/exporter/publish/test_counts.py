"""What the ledger keeps of published files: when each source was heard of."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from exporter.publish.counts import SOURCES_HEARD, count_findings
from exporter.publish.ledger import Ledger, PublishedFile
from ingest.root import Root

UNTIL = datetime(2025, 12, 1)


def published(root: Path, name: str, rows: str) -> tuple[str, PublishedFile]:
    with duckdb.connect() as db:
        db.execute(f"copy ({rows}) to '{root / name}' (format parquet)")
    return name, PublishedFile(1, 1, 1, 1, {}, "")


def heard(root: Path, *files: tuple[str, PublishedFile]) -> dict[str, datetime]:
    ledger = Ledger(None)
    with duckdb.connect() as db:
        count_findings(db, Root(root), ledger, files)
    return ledger.heard(UNTIL)


def test_an_advisor_is_heard_by_its_reports_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    report = published(
        tmp_path,
        "advisor_reports_20251028.parquet",
        "select timestamp '2025-10-28 02:00' as timestamp, 'f' as source_file, "
        "0::bigint as recommendations, date '2025-10-28' as date_partition",
    )
    patterns = published(
        tmp_path,
        "query_patterns_20251030.parquet",
        "select 'advisor' as period, date '2025-10-30' as date_partition",
    )
    assert "index_advisor" in SOURCES_HEARD
    assert heard(tmp_path, report, patterns) == {
        "index_advisor": datetime(2025, 10, 28, 2)
    }


def test_a_file_with_other_columns_says_nothing_and_hides_no_other(
    tmp_path: Path,
) -> None:
    day = "ops_atomic_202510{}.parquet".format
    odd = published(tmp_path, day(27), "select date '2025-10-27' as date_partition")
    good = published(
        tmp_path, day(28),
        "select timestamp '2025-10-28 08:00' as timestamp, "
        "date '2025-10-28' as date_partition",
    )  # fmt: skip
    for files in ((odd, good), (good, odd)):
        assert heard(tmp_path, *files) == {"heartbeats": datetime(2025, 10, 28, 8)}
    assert heard(tmp_path, odd) == {}


def test_what_is_kept_goes_by_the_real_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-01T00:00:00Z")
    file = published(
        tmp_path,
        "ops_atomic_20251028.parquet",
        "select timestamp '2025-10-28 08:00' as timestamp, "
        "date '2025-10-28' as date_partition",
    )
    assert heard(tmp_path, file) == {"heartbeats": datetime(2025, 10, 28, 8)}


def test_a_day_that_went_on_was_heard_at_the_present() -> None:
    ledger = Ledger(None)
    ledger.put_heard(
        "ops_atomic",
        ["2025-10-28"],
        [
            ("2025-10-27", "heartbeats", "2025-10-27 23:55:00"),
            ("2025-10-28", "heartbeats", "2025-10-28 20:00:00.5"),
        ],
    )
    for now, at in (
        (datetime(2025, 10, 27, 8), datetime(2025, 10, 27, 8)),
        (datetime(2025, 10, 28), datetime(2025, 10, 28)),
        (datetime(2025, 10, 28, 9), datetime(2025, 10, 28, 9)),
        (datetime(2025, 10, 28, 21), datetime(2025, 10, 28, 20, 0, 0, 500_000)),
        (datetime(2025, 10, 30), datetime(2025, 10, 28, 20, 0, 0, 500_000)),
    ):
        assert ledger.heard(now) == {"heartbeats": at}
    assert ledger.heard(datetime(2025, 10, 26)) == {}
