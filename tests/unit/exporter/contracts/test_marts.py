"""The marts' contracts, and what each of them reads."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from exporter.contracts.datasets import BrokenContract, load_datasets
from exporter.contracts.marts import Reads, load_marts, mart_names
from ingest.root import PROJECT


def test_the_marts_come_behind_what_they_read() -> None:
    known = set(load_datasets())
    for name, mart in load_marts().items():
        assert mart.reads.keys() <= known
        known.add(name)
    assert set(mart_names()) == known - load_datasets().keys()


def test_where_a_mart_is_published() -> None:
    marts = load_marts()
    day = date(2025, 1, 2)
    daily, single = marts["uptime_daily"], marts["incidents"]
    assert (
        daily.file(day)
        == "g/analytics/marts/uptime_daily/uptime_daily_20250102.parquet"
    )
    assert single.file(None) == "g/analytics/marts/incidents.parquet"
    assert (daily.is_daily, single.is_daily) == (True, False)
    assert single.folder == "g/analytics/marts"
    assert single.glob == single.path


def test_days_that_are_read_are_numbers_and_vars_added_up() -> None:
    marts = load_marts()
    assert marts["check_states"].reads["ops_atomic"] == Reads(6, skips_silence=True)
    assert marts["query_regressions"].reads["query_perf"] == Reads(last_days=35)
    assert marts["incidents"].reads["check_states"] == Reads()


def test_every_mart_bears_its_machine() -> None:
    for mart in load_marts().values():
        assert (mart.columns[0].name, mart.columns[0].type) == ("machine", "VARCHAR")
        assert "machine" in (mart.key or mart.order_by)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("models", "macros", "seeds", "ingest"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "dbt_project.yml", tmp_path)
    return tmp_path


MARTS = "models/marts"


@pytest.mark.parametrize(
    ("name", "old", "new", "stale"),
    [
        # What an operator sets is an input: of a day only what touches it counts.
        ("seeds/slo_targets.csv", "0.99", "0.9", set()),
        ("seeds/expected_sources.csv", "48", "47", set()),
        ("seeds/monitored_checks.csv", "Status", "state", {"check_states"}),
        # What is published is known by its files.
        ("models/marts/exports/query_perf.sql", "executed_at", "now()", set()),
        (
            f"{MARTS}/performance/query_perf_daily.sql", "95, 99", "95, 98",
            {"query_perf_daily"},
        ),
        (
            f"{MARTS}/reliability/int_check_timeline.sql",
            "vouched_until", "known_until",
            {"incidents", "slo_status", "reliability_summary"},
        ),
        ("dbt_project.yml", "incident_after: 2", "incident_after: 3", {"incidents"}),
        ("dbt_project.yml", "check_ttl_days: 7", "check_ttl_days: 8", {"check_states"}),
        (f"{MARTS}/reliability/incidents.sql", "with\n", "with -- so\n", set()),
    ],
)  # fmt: skip
def test_a_change_makes_stale_what_it_shapes(
    project: Path, name: str, old: str, new: str, stale: set[str]
) -> None:
    before = load_marts(project)
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    after = load_marts(project)
    assert {
        mart
        for mart in before
        if before[mart].model_fingerprint != after[mart].model_fingerprint
    } == stale


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: daily", "kind: weekly", "kind: neither daily nor single"),
        ("ops_atomic: {", "ops: {", "ops: an input that the SQL does not name"),
        ("check_ttl_days, -1", "ttl, -1", "ttl is no var"),
        ("- name: machine", "- name: host", "the first column is not machine"),
    ],
)
def test_a_contract_that_lacks_something_says_what(
    project: Path, old: str, new: str, said: str
) -> None:
    path = project / MARTS / "reliability" / "check_states.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BrokenContract, match=said):
        load_marts(project)
