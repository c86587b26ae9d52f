"""Checks of how old it is what the machine reports."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from exporter.verify.checks import FAIL, NOT_HERE, PASS
from exporter.verify.freshness import check_rotation
from ingest.root import Root

NOW = datetime(2025, 10, 28, 8)
BUNDLE = gzip.compress(bytes(10240))


@pytest.mark.parametrize(
    ("times", "status", "shown"),
    [
        ([], NOT_HERE, "not expected"),
        (["20251028_070000"], PASS, "60 minutes old, reports_20251028_070000"),
        (["20251028_220000"], PASS, "0 minutes old"),  # a zone ahead
        (["20251001_000000", "20991231_000000"], FAIL, "27 days old"),
        (["20251028_070000", "20991231_000000"], PASS, "60 minutes old"),
        (["20251028_070000", "20251399_000000"], PASS, "60 minutes old"),
        (["20991231_000000"], FAIL, "reports_20991231_000000.tar.gz is no time"),
        (["20251399_000000"], FAIL, "reports_20251399_000000.tar.gz is no time"),
    ],
)
def test_the_newest_bundle_is_one_that_has_been(
    empty_root: Path, times: list[str], status: str, shown: str
) -> None:
    root = Root(empty_root)
    folder = root.reports / "archive"
    folder.mkdir(parents=True)
    for time in times:
        (folder / f"reports_{time}.tar.gz").write_bytes(BUNDLE)
    check = check_rotation(root, NOW)
    assert check.status == status
    assert shown in check.actual


def test_a_bundle_may_be_as_old_as_the_rotation_lets_it_be(empty_root: Path) -> None:
    root = Root(empty_root)
    folder = root.reports / "archive"
    folder.mkdir(parents=True)
    (folder / "reports_20251027_060000.tar.gz").write_bytes(BUNDLE)
    assert check_rotation(root, NOW).status == PASS
    assert check_rotation(root, NOW + timedelta(seconds=1)).status == FAIL


def test_half_a_bundle_is_no_rotation(empty_root: Path) -> None:
    root = Root(empty_root)
    folder = root.reports / "archive"
    folder.mkdir(parents=True)
    (folder / "reports_20251028_070000.tar.gz").write_bytes(BUNDLE[:-9])
    check = check_rotation(root, NOW)
    assert check.status == FAIL
    assert check.actual == "reports_20251028_070000.tar.gz is damaged"
    assert check.mend.startswith("gzip -t ")
    (folder / "reports_20251026_070000.tar.gz").write_bytes(BUNDLE)
    check = check_rotation(root, NOW)
    assert check.status == FAIL
    assert "reports_20251026_070000.tar.gz, reports_20251028" in check.actual
    (folder / "reports_20251028_060000.tar.gz").write_bytes(BUNDLE)
    assert check_rotation(root, NOW).status == PASS
