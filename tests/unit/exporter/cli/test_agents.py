"""The commands of `ops-atomic agents`: words, exit codes, and the seam below."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from exporter.agents.errors import AgentError
from exporter.agents.jobs import ALL_LABELS, LABELS, MONITOR
from exporter.agents.system import Loaded
from exporter.cli.agents import agents
from tests.job_manager import Memory, beat, call, put_in_place

LABEL = LABELS[1]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return put_in_place(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "02luka" / "g").mkdir(parents=True)
    return tmp_path / "02luka"


def test_install_and_uninstall_say_what_was_done(system: Memory, root: Path) -> None:
    system.advice = ["mind this"]
    first = call("install", "--root", root)
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines() == [
        "✓ Installed com.02luka.analytics.parquet (02:30, memory)",
        "✓ Installed com.02luka.parquet_export (05:00, memory)",
        f"  root {root}",
        f"  logs {root}/g/logs",
    ]
    assert first.stderr == "note: mind this\n"
    again = call("install", "--root", root).stdout.splitlines()
    assert (
        again[1] == "⊘ Nothing to change for com.02luka.parquet_export (05:00, memory)"
    )
    assert call("uninstall").stdout.splitlines() == [
        f"✓ Removed {label}" for label in LABELS
    ]
    assert call("uninstall").stdout.splitlines() == [
        f"⊘ Not installed: {label}" for label in LABELS
    ]


def test_a_machine_that_is_no_name_is_wrong_usage(
    system: Memory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "mac-1")
    assert call("install", "--root", root).exit_code == 0
    assert system.read_environment(LABEL)["OPS_ATOMIC_MACHINE"] == "mac-1"
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "my mac")
    result = call("install", "--root", root)
    assert result.exit_code == 2
    assert "OPS_ATOMIC_MACHINE is 'my mac'" in result.output
    assert system.read_environment(LABEL)["OPS_ATOMIC_MACHINE"] == "mac-1"


def test_the_variables_of_the_environment_are_handed_on(
    system: Memory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://secret")
    result = call("install", "--root", root)
    assert system.read_environment(LABEL)["OPS_ATOMIC_NOTIFY"] == "json://secret"
    assert "secret" not in result.output + call("status").output


def test_an_example_root_is_said_to_be_one(
    system: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    result = call("render", "--output", tmp_path / "out")
    assert result.exit_code == 0
    assert "no root is configured, so the example" in result.stderr


def test_render_names_what_it_wrote(system: Memory, root: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = call("render", "--output", output, "--root", root)
    assert result.stdout.splitlines() == [
        f"✓ Wrote {output}/{label}.{kind}"
        for label in ALL_LABELS
        for kind in ("plist", "service", "timer")
        if (label, kind) != (MONITOR.label, "timer")
    ]
    assert not system.folder.exists()
    assert list(root.iterdir()) == [root / "g"]


def test_agents_are_not_installed_for_a_folder_that_is_no_root(
    system: Memory, tmp_path: Path
) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    result = call("install", "--root", folder)
    assert result.exit_code == 2
    assert "has neither g nor knowledge/optimize in it" in result.stderr
    assert f": run mkdir -p {folder}/g/reports" in result.stderr
    assert list(folder.iterdir()) == []
    assert not system.loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ("install", "--root", "/nowhere/at/all"),
        ("render", "--output", "out", "--root", "/nowhere/at/all"),
        ("render",),
        ("nonsense",),
        ("run",),
    ],
)
def test_wrong_usage_is_2(system: Memory, arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2


def test_a_wrong_label_is_2_with_a_hint_that_names_the_labels(system: Memory) -> None:
    result = call("run", "com.02luka.other")
    assert result.exit_code == 2
    assert all(label in result.stderr for label in LABELS)


def test_run_starts_what_is_loaded(system: Memory, root: Path) -> None:
    missing = call("run", LABEL)
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"Error: {LABEL} is not loaded\n",
    )
    call("install", "--root", root)
    assert f"✓ Started {LABEL}" in call("run", LABEL).stdout
    system.loaded[LABEL] = Loaded("here", True, True, "run", "05:00", pid=7)
    assert call("run", LABEL).stdout == f"⊘ {LABEL} is running already\n"


def test_other_times_are_kept_by_later_installs(system: Memory, root: Path) -> None:
    call("install", "--root", root)
    moved = call("install", "--root", root, "--at", "parquet=3:15", "--every", "20m")
    assert moved.stdout.splitlines()[:3] == [
        "✓ Updated com.02luka.analytics.parquet (03:15, memory)",
        "⊘ Nothing to change for com.02luka.parquet_export (05:00, memory)",
        "✓ Installed com.02luka.parquet_refresh (*:00,20,40, memory)",
    ]
    again = call("install", "--root", root, "--at", "export=06:00")
    assert [
        line.split("(")[1].split(",")[0] for line in again.stdout.splitlines()[:3]
    ] == ["03:15", "06:00", "*:00"]
    shown = call("status")
    assert shown.exit_code == 0, shown.output
    assert "com.02luka.parquet_refresh  *:00,20,40" in shown.stdout
    assert shown.stdout.count("next start: ") == 3
    assert call("run", "com.02luka.parquet_refresh").exit_code == 0
    off = call("install", "--root", root, "--every", "off").stdout.splitlines()
    assert off[0] == "✓ Removed com.02luka.parquet_refresh"
    assert len([line for line in off if line.startswith("⊘ Nothing to change")]) == 2
    assert "refresh" not in call("status").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--at", "02:30"),
        ("--at", "night=02:30"),
        ("--at", "export=25:00"),
        ("--at", "export"),
        ("--every", "7m"),
        ("--every", "0"),
        ("--every", "soon"),
    ],
)
def test_a_wrong_time_is_2_and_changes_nothing(
    system: Memory, root: Path, arguments: tuple[str, ...]
) -> None:
    result = call("install", "--root", root, *arguments)
    assert result.exit_code == 2
    assert not system.folder.exists()


@pytest.mark.parametrize("error", [AgentError("why"), PermissionError(13, "why")])
def test_a_failure_is_1_without_a_traceback(
    system: Memory, root: Path, error: Exception
) -> None:
    system.failure = error
    result = call("install", "--root", root)
    assert result.exit_code == 1
    assert "why" in result.stderr
    assert "Traceback" not in result.stderr


def test_another_system_is_said_to_have_no_agents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "macOS and Linux only" in call("status").stderr
    result = call("status", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["status"], told["agents"]) == ("failed", [])
    assert "macOS and Linux only" in told["errors"][0]


def test_every_command_has_help() -> None:
    for name, command in agents.commands.items():
        assert command.help, name
        assert call(name, "--help").exit_code == 0


def test_the_monitor_is_installed_where_no_other_writes(
    system: Memory, root: Path
) -> None:
    bare = call("install", "--root", root, "--monitor")
    assert bare.exit_code == 2
    assert "the monitor has no settings: run " in bare.stderr
    (root / "g/analytics/settings").mkdir(parents=True)
    (root / "g/analytics/settings/monitor.toml").write_text("interval_s = 60\n")
    beat(root, 60, signed=False)
    other = call("install", "--root", root, "--monitor")
    assert other.exit_code == 2
    assert "another monitor writes heartbeats (heartbeat_" in other.stderr
    assert not system.loaded
    forced = call("install", "--root", root, "--monitor", "--force")
    line = "✓ Installed com.02luka.ops_atomic_monitor.loop (always, memory)"
    assert line in forced.stdout.splitlines()
    # What is installed stays, whatever else is asked for later.
    again = call("install", "--root", root)
    assert f"⊘ Nothing to change for {MONITOR.label}" in again.stdout
