"""What `status` says now is what the marts would say, were they made now."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result

from exporter.status.reckon import Reckoning, reckon
from ingest.root import Root
from tests import faults
from tests.faults import heartbeat, write
from tests.marts import publish_marts

Cli = Callable[..., Result]
FIRST = datetime(2025, 10, 20, 22)
PUBLISHED = datetime(2025, 10, 27, 2, 30)
NOW = datetime(2025, 10, 28, 12, 1)
SETTINGS = "g/analytics/settings"
ERROR = ("❌ CRITICAL", "- **Disk:** ❌ full\n")
WARN = ("⚠️ WARNINGS", "- **Disk:** ⚠️ 91% used\n")
WELL = ("✅ HEALTHY", "- **Disk:** ✅ free\n")
# From when on heartbeats say what, and None: there are none.
STORY = [
    (FIRST, WELL),
    (datetime(2025, 10, 21, 3), ERROR),
    (datetime(2025, 10, 21, 4, 7), WELL),
    (datetime(2025, 10, 22), None),  # two silent days
    (datetime(2025, 10, 24, 5), ERROR),
    (datetime(2025, 10, 24, 5, 30), ("✅ HEALTHY", "")),  # Disk is named no more
    (datetime(2025, 10, 26, 21), WARN),
    (datetime(2025, 10, 27, 23, 50), None),  # a gap over midnight, not published yet
    (datetime(2025, 10, 28, 0, 20), WELL),
    (datetime(2025, 10, 28, 6), ERROR),  # in maintenance at first
    (datetime(2025, 10, 28, 9), WELL),
    (datetime(2025, 10, 28, 11, 30), ERROR),
]


def beats(since: datetime, until: datetime) -> Iterator[tuple[datetime, str, str]]:
    at = FIRST
    while at < until:
        (said,) = [said for start, said in STORY if start <= at][-1:]
        if said and at >= since:
            yield at, *said
        at += timedelta(minutes=20 if at.day == 25 else 5)


def add_beats(root: Path, since: datetime, until: datetime) -> None:
    for at, status, checks in beats(since, until):
        name = f"heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
        text = heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}", status, checks)
        write(root / "g/reports/ops_atomic" / name, text)


def export(root: Path, now: datetime) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPS_ATOMIC_AS_OF", f"{now.isoformat()}Z")
        patched.setenv("OPS_ATOMIC_MACHINE", "m")
        faults.export(root)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root whose marts are a day old, and whose heartbeats went on."""
    root = tmp_path_factory.mktemp("status") / "root"
    add_beats(root, FIRST, PUBLISHED)
    write(
        root / SETTINGS / "maintenance_windows.csv",
        "check_key,started_at,ended_at,reason\n"
        "*,2025-10-28T05:55:00Z,2025-10-28T06:30:00Z,new disk\n"
        "redis/disk,2025-10-24T05:10:00Z,2025-10-24T05:15:00Z,\n",
    )
    write(root / SETTINGS / "slo_targets.csv", "check_key,target\nredis/disk,0.9\n")
    export(root, PUBLISHED)
    add_beats(root, PUBLISHED, datetime(2025, 10, 28, 12))
    return root


@pytest.fixture(scope="module")
def exported(once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same root, all of it published, as of NOW."""
    root = tmp_path_factory.mktemp("exported") / "root"
    shutil.copytree(once, root)
    export(root, NOW)
    return root


@pytest.fixture
def root(once: Path, tmp_path: Path) -> Path:
    shutil.copytree(once, tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    def be(now: datetime) -> None:
        monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"{now.isoformat()}Z")

    be(NOW)
    return be


def mart(root: Path, name: str) -> list[dict[str, Any]]:
    with duckdb.connect() as db:
        path = root / f"g/analytics/marts/{name}.parquet"
        found = db.execute("select * from read_parquet($1) order by all", [str(path)])
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def reckoned(found: Reckoning, name: str) -> list[dict[str, Any]]:
    return found.rows(f"select * from {name} order by all")


def test_status_is_what_an_export_makes_of_it_now(once: Path, exported: Path) -> None:
    found = reckon(Root(once), "m", NOW, NOW)
    assert reckoned(found, "incidents") == mart(exported, "incidents")
    assert reckoned(found, "slo_status") == mart(exported, "slo_status")
    assert any(row["is_open"] for row in mart(exported, "incidents"))
    found.db.close()


@pytest.mark.parametrize(
    "now",
    [
        NOW,  # an incident is open
        datetime(2025, 10, 28, 9, 3),  # it is over
        datetime(2025, 10, 28, 9),  # a heartbeat of just this moment ends it
        datetime(2025, 10, 28, 0, 20),  # and a gap
        datetime(2025, 10, 28, 11, 35),  # or opens one
        datetime(2025, 10, 28, 6, 10),  # in maintenance
        datetime(2025, 10, 28, 0, 10),  # in a gap
        datetime(2025, 11, 1, 7),  # after silent days
        datetime(2025, 10, 27, 1),  # before what is published
        datetime(2025, 10, 23, 8),  # in a silence that is over
        datetime(2025, 10, 20, 23),  # on the first day
    ],
    ids=str,
)
def test_status_is_what_the_marts_would_say(
    once: Path, exported: Path, now: datetime, cli: Cli, present: Any
) -> None:
    publish_marts(exported, now, "incidents", "slo_status", "check_states")
    for root in (once, exported):
        found = reckon(Root(root), "m", now, NOW)
        assert reckoned(found, "incidents") == mart(exported, "incidents")
        assert reckoned(found, "slo_status") == mart(exported, "slo_status")
        found.db.close()
    present(now)
    said = json.loads(cli("status", once, "--json").stdout)
    slo = {
        (row["check_key"], row["period"]): row for row in mart(exported, "slo_status")
    }
    assert len(said["slo"]) == len(slo)
    for row in said["slo"]:
        of_mart = slo[row["check_key"], row["period"]]
        assert row.items() <= {**of_mart}.items()
    for period in ("7d", "30d"):
        of_mart = slo["overall", period]
        for name in ("uptime_observed", "uptime_strict", "coverage"):
            expected = of_mart[name] and pytest.approx(of_mart[name], abs=1e-12)
            assert said["uptime"][period][name] == expected
    open_ones = [row for row in mart(exported, "incidents") if row["is_open"]]
    assert {row["check_key"] for row in said["incidents"]} == {
        row["check_key"] for row in open_ones
    }


@pytest.mark.parametrize(
    "made",
    [datetime(2025, 10, 29), datetime(2025, 10, 27, 9), datetime(2025, 10, 20)],
    ids=str,
)
def test_sources_are_as_old_as_the_mart_would_say(
    made: datetime, example_root: Path, cli: Cli, present: Any
) -> None:
    """Whenever the marts were made, before or after the moment that is asked for."""
    at = "2025-10-27T09:00:00Z"
    write(
        example_root / "g/telemetry/x.jsonl",
        f'{{"ts": "{at}", "event": "a", "metric": "m", "value": 1}}\n',
    )
    export(example_root, made)
    later = example_root.with_name("later")
    shutil.copytree(example_root, later)
    told = []
    for now in (
        datetime(2025, 10, 19), datetime(2025, 10, 27, 9), datetime(2025, 10, 27, 21),
        datetime(2025, 10, 28, 3), datetime(2025, 10, 28, 21), datetime(2025, 11, 3),
    ):  # fmt: skip
        publish_marts(later, now, "dataset_freshness")
        present(now)
        said = json.loads(cli("status", example_root, "--json").stdout)
        told.append({row["source"]: row["last_record_at"] for row in said["sources"]})
        for row, of_mart in zip(
            said["sources"], mart(later, "dataset_freshness"), strict=True
        ):
            assert row["source"] == of_mart["source"]
            last = of_mart["last_record_at"]
            assert row["last_record_at"] == (last and f"{last:%Y-%m-%dT%H:%M:%SZ}"), now
            assert row["age_s"] == of_mart["age_s"], now
            assert row["status"] == of_mart["status"], now
    assert not any(told[0].values())
    assert len({row["index_advisor"] for row in told}) > 1


def test_what_is_down_is_said_first(root: Path, cli: Cli, present: Any) -> None:
    before = contents(root)
    done = cli("status", root)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("✗ m: Down: redis/disk")
    assert lines[0].endswith("2025-10-28 12:01 UTC")
    assert max(map(len, lines)) <= 80
    assert "  Heartbeat   6 min ago" in lines
    assert "              ✗ redis/disk down since 11:30 (31 min): full" in lines
    assert "\x1b" not in done.stdout
    after = contents(root)
    assert after == before, "it writes nothing"


def test_what_is_well_ends_well(root: Path, cli: Cli, present: Any) -> None:
    present(datetime(2025, 10, 28, 9, 40))
    done = cli("status", root)
    assert done.exit_code == 0, done.stdout
    assert done.stdout.startswith("▲ m: Up, target missed "), "it was down before"
    present(datetime(2025, 10, 27, 10))
    done = cli("status", root)
    assert done.exit_code == 0, done.stdout
    assert done.stdout.startswith("▲ m: Up, with warnings")
    assert (
        "▲ redis/disk degraded since 2025-10-26 21:00 (13 h): 91% used" in done.stdout
    )
    present(datetime(2025, 10, 28, 6, 20))
    said = json.loads(cli("status", root, "--json").stdout)
    assert said["status"] == "maintenance"


def test_what_is_old_is_no_good_news(root: Path, cli: Cli, present: Any) -> None:
    present(datetime(2025, 11, 3))
    done = cli("status", root)
    assert done.exit_code == 1
    (root / "g/reports/ops_atomic/heartbeat_2025-11-02_23-59-00.md").write_text(
        heartbeat("2025-11-02T23:59:00Z", *WELL)
    )
    assert cli("status", root).exit_code == 0
    shutil.rmtree(root / "g/reports/ops_atomic")
    said = json.loads(cli("status", root, "--json").stdout)
    assert said["status"] in ("stale", "down")
    (monitor,) = [row for row in said["incidents"] if row["check_key"] == "monitor"]
    assert monitor["started_at"] == "2025-10-28T06:30:00Z", "after the maintenance"
    (source,) = [row for row in said["sources"] if row["source"] == "heartbeats"]
    assert source["is_stale"]
    assert source["last_record_at"] == "2025-10-27T02:25:00Z"


def test_a_fresh_root_says_how_to_begin(
    empty_root: Path, tmp_path: Path, cli: Cli, present: Any
) -> None:
    done = cli("status", empty_root)
    assert done.exit_code == 0
    assert done.stdout.startswith("… ")
    assert "No readable heartbeat yet" in done.stdout
    assert f"ops-atomic export --root {empty_root}" in done.stdout
    assert sorted(path.name for path in empty_root.rglob("*")) == ["g"]
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    # Where a line ends hangs on the length of the folder's name.
    assert "hardly the folder" in " ".join(cli("status", wrong).stdout.split())


def test_after_a_run_without_heartbeats_no_further_run_is_advised(
    empty_root: Path, cli: Cli, present: Any
) -> None:
    assert cli("export", empty_root).exit_code == 0
    said = cli("status", empty_root).stdout
    assert "no run has found a heartbeat yet" in said
    assert f"ops-atomic monitor --init --root {empty_root}" in said
    assert "export --root" not in said


def test_heartbeats_that_were_all_rejected_are_told(
    empty_root: Path, cli: Cli, present: Any
) -> None:
    for minute in (0, 5):
        name = f"heartbeat_2025-10-28_10-{minute:02}-00.md"
        write(empty_root / "g/reports/ops_atomic" / name, "# Without a status\n")
    assert cli("export", empty_root).exit_code == 0
    said = cli("status", empty_root).stdout
    assert "No readable heartbeat yet" in said
    assert "Heartbeat   none readable yet" in said
    assert "2 heartbeats found and rejected, none published" in said
    assert f"ops-atomic rejects --root {empty_root}" in said
    assert "monitor --init" not in said


def test_heartbeats_without_an_export_tell_of_now(
    empty_root: Path, cli: Cli, present: Any
) -> None:
    add_beats(empty_root, datetime(2025, 10, 28, 11), datetime(2025, 10, 28, 12))
    done = cli("status", empty_root)
    assert done.exit_code == 1
    assert "Down: redis/disk" in done.stdout
    assert "uptime and targets are not reckoned yet" in done.stdout
    said = json.loads(cli("status", empty_root, "--json").stdout)
    assert said["uptime"] == {}
    assert said["slo"] == []


def a_junk_file(path: Path) -> None:
    path.write_bytes(b"PAR1 no more")


@pytest.mark.parametrize("damage", [a_junk_file, Path.touch, os.mkfifo])
def test_a_damaged_file_is_named_and_left_out(
    damage: Callable[[Path], None], root: Path, cli: Cli, present: Any
) -> None:
    marts = root / "g/analytics/marts"
    for name in ("check_states/check_states_20251021.parquet", "incidents.parquet"):
        (marts / name).unlink()
        damage(marts / name)
    done = cli("status", root)
    assert done.exit_code == 1
    said = " ".join(done.stdout.split())
    assert "check_states_20251021.parquet cannot be read" in said
    assert "marts/incidents.parquet cannot be read" in said
    assert "redis/disk down since 11:30" in done.stdout


def test_wrong_usage_and_a_run_at_work(
    root: Path, cli: Cli, present: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.loads(cli("status", root, "--json").stdout)
    assert said["notes"] == []
    monkeypatch.setattr(
        "exporter.status.report.find_running", lambda _: "ops-atomic export"
    )
    said = json.loads(cli("status", root, "--json").stdout)
    assert said["notes"] == ["a run is at work: ops-atomic export"]
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "soon")
    assert cli("status", root).exit_code == 2


def test_heartbeats_of_one_name_count_once(root: Path, cli: Cli, present: Any) -> None:
    """And those that are still written, or dated ahead, not at all."""
    folder = root / "g/reports/elsewhere/2025.10"
    name = "heartbeat_2025-10-28_12-00-00"
    beat = {"timestamp": "2025-10-28T12:00:00Z", "status": "ok", "checks": []}
    write(folder / f"{name}.md", heartbeat("2025-10-28T12:00:00Z", *ERROR))
    write(folder / f"{name}.json", json.dumps(beat))
    write(folder / "heartbeat_2025-10-28_12-00-30.md", "# half")
    later = heartbeat("2025-10-28T12:30:00Z", *ERROR)
    write(folder / "heartbeat_2025-10-28_12-30-00.md", later)
    said = json.loads(cli("status", root, "--json").stdout)
    assert said["last_heartbeat"] == {
        "filename": f"{name}.json",
        "at": "2025-10-28T12:00:00Z",
        "status": "ok",
    }
