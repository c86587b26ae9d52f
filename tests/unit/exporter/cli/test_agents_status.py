"""`ops-atomic agents status`: what runs, what is wrong, and when it went well last."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from exporter.agents.jobs import LABELS, MONITOR
from exporter.agents.successes import record_success
from exporter.agents.system import Loaded
from ingest import advice
from ingest.root import Root
from tests.job_manager import Memory, beat, call, put_in_place


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return put_in_place(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "02luka" / "g").mkdir(parents=True)
    return tmp_path / "02luka"


def without_next_start(result: Result) -> list[str]:
    return [
        line
        for line in result.stdout.splitlines()
        if "next start: " not in line and "success" not in line
    ]


def test_status_is_0_only_when_all_is_well(system: Memory, root: Path) -> None:
    nothing = call("status")
    assert nothing.exit_code == 1
    assert nothing.stdout.splitlines()[:2] == [
        "✗ com.02luka.analytics.parquet  02:30",
        f"    not installed: run {advice.command(None, 'agents', 'install')}",
    ]
    call("install", "--root", root)
    well = call("status")
    assert well.exit_code == 0, well.stdout
    assert without_next_start(well) == [
        f"✓ {label}  {at}  waiting, last run: never ended  [here]"
        for label, at in zip(LABELS, ("02:30", "05:00"), strict=True)
    ]
    system.loaded = {
        LABELS[0]: Loaded("here", True, True, "run", "02:30", 0, pid=7),
        LABELS[1]: Loaded("here", False, True, "run", "05:00", None, "Killed: 9"),
    }
    assert without_next_start(call("status")) == [
        f"✓ {LABELS[0]}  02:30  running (pid 7), last run: exit 0  [here]",
        f"✗ {LABELS[1]}  05:00  waiting, last run: Killed: 9  [here]",
        "    its last run was ended by a signal (Killed: 9)",
    ]


def test_status_as_json_is_one_object(system: Memory, root: Path) -> None:
    call("install", "--root", root)
    told = json.loads(call("status", "--json").stdout)
    assert (told["status"], told["system"], told["errors"]) == ("ok", "memory", [])
    assert [agent["label"] for agent in told["agents"]] == list(LABELS)
    system.loaded.clear()
    result = call("status", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "failed"


def test_status_tells_of_the_monitors_heartbeats(system: Memory, root: Path) -> None:
    (root / "g/analytics/settings").mkdir(parents=True)
    (root / "g/analytics/settings/monitor.toml").write_text("interval_s = 60\n")
    beat(root, 3_600)
    beat(root, 90_000)
    assert call("install", "--root", root, "--monitor").exit_code == 0
    silent = call("status")
    assert silent.exit_code == 1
    assert "it runs, but writes no heartbeats: run tail " in silent.stdout
    beat(root, 70)
    beat(root, 10)
    shown = call("status")
    assert shown.exit_code == 0, shown.output
    assert f"✓ {MONITOR.label}  always  running (pid 7)" in shown.stdout
    assert "heartbeats of 24 hours: 3 of 1,440 expected, newest 1" in shown.stdout
    (told,) = [
        agent
        for agent in json.loads(call("status", "--json").stdout)["agents"]
        if agent["label"] == MONITOR.label
    ]
    assert told["heartbeats"]["written"] == 3
    assert told["next_start"] is None
    removed = call("uninstall").stdout.splitlines()
    assert f"✓ Removed {MONITOR.label}" in removed


def test_jobs_are_installed_by_choice_and_tell_of_their_success(
    system: Memory, root: Path
) -> None:
    assert call("install", "--root", root, "--jobs", "rotat").exit_code == 2
    made = call("install", "--root", root, "--jobs", "rotate, ")
    label = "com.02luka.reports.rotate"
    assert f"✓ Installed {label} (*:00, memory)" in made.stdout.splitlines()
    assert call("status").stdout.count("no success yet, due") == 3
    record_success(Root(root), "rotate")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    (root / "g/logs/parquet_export.log").write_text(
        f"[{now}] [INFO] export:run status=ok exported=1\n"
        f"[{now}] [ERROR] export:run status=failed exported=0\n"
    )
    shown = call("status").stdout
    assert shown.count("last success: ") == 3
    assert shown.count(", nothing due") == 3
    old = "[2025-10-28T05:00:00Z] [INFO] export:run status=ok exported=1\n"
    (root / "g/logs/parquet_export.log").write_text(old)
    told = json.loads(call("status", "--json").stdout)["agents"]
    assert [(agent["label"] == label, agent["due"]) for agent in told] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert told[0]["last_success"] == "2025-10-28T05:00:00+00:00"
    # Installed, it stays where it is not named again.
    assert label in call("install", "--root", root).stdout
