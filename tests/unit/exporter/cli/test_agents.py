"""The commands of `ops-atomic agents`: words, exit codes, and the seam below."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exporter.agents import processes, service
from exporter.agents.errors import AgentError
from exporter.agents.jobs import ALL_LABELS, LABELS, MONITOR, Agent, Installation
from exporter.agents.launchd import Launchd
from exporter.agents.processes import Outcome, run_program
from exporter.agents.schedule import Schedule, as_text, from_intervals
from exporter.agents.successes import record_success
from exporter.agents.system import Loaded, System
from exporter.agents.systemd import Systemd
from exporter.cli import agents as cli
from exporter.cli.agents import agents
from ingest import advice
from ingest.root import Root

LABEL = LABELS[1]


@dataclass
class Memory:
    """A manager of jobs that only remembers."""

    folder: Path
    name: str = "memory"
    loaded: dict[str, Loaded] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def check(self, place: Installation) -> None:
        if self.failure:
            raise self.failure

    def paths(self, label: str) -> tuple[Path, ...]:
        return (self.folder / label,)

    def render(self, agent: Agent) -> dict[Path, bytes]:
        return {self.folder / agent["Label"]: json.dumps(agent).encode()}

    def read_environment(self, label: str) -> Mapping[str, str]:
        path = self.folder / label
        if not path.exists():
            return {}
        environment: Mapping[str, str] = json.loads(path.read_bytes())[
            "EnvironmentVariables"
        ]
        return environment

    def read_schedule(self, label: str) -> Schedule | None:
        path = self.folder / label
        if not path.exists():
            return None
        agent = json.loads(path.read_bytes())
        times = agent.get("StartCalendarInterval")
        return from_intervals(times) if times else None

    def find(self, label: str) -> Loaded | None:
        return self.loaded.get(label)

    def is_loaded_as(self, agent: Agent) -> bool:
        times = agent.get("StartCalendarInterval")
        wanted = as_text(from_intervals(times)) if times else None
        loaded = self.loaded.get(agent["Label"])
        return loaded is not None and loaded.schedule == wanted

    def load(self, label: str) -> None:
        times = self.read_schedule(label)
        shown = as_text(times) if times else None
        pid = None if times else 7
        self.loaded[label] = Loaded("here", not times, True, "run", shown, pid=pid)

    def unload(self, label: str) -> None:
        self.loaded.pop(label, None)

    def forget(self) -> None:
        pass

    def start(self, label: str) -> bool:
        if label not in self.loaded:
            raise AgentError(f"{label} is not loaded")
        return not self.loaded[label].is_running

    def advise(self) -> list[str]:
        return self.advice


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memory:
    system = Memory(tmp_path / "agents")
    project = tmp_path / "project"
    for program in ("launchagents/run_export.sh", ".venv/bin/ops-atomic"):
        (project / program).parent.mkdir(parents=True)
        (project / program).touch(0o755)
    monkeypatch.setattr(cli, "PROJECT", project)

    def this_system() -> System:
        return system

    monkeypatch.setattr(service, "this_system", this_system)
    for name in ("OPS_ATOMIC_ROOT", "OPS_ATOMIC_NOTIFY", "OPS_ATOMIC_PING_URL"):
        monkeypatch.delenv(name, raising=False)
    return system


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "02luka" / "g").mkdir(parents=True)
    return tmp_path / "02luka"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(agents, [str(argument) for argument in arguments])


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


def test_the_system_is_chosen_by_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    mac = service.this_system()
    assert isinstance(mac, Launchd)
    assert mac.paths(LABEL) == (tmp_path / f"Library/LaunchAgents/{LABEL}.plist",)
    monkeypatch.setattr(sys, "platform", "linux")
    linux = service.this_system()
    assert isinstance(linux, Systemd)
    assert linux.folder == tmp_path / ".config" / "systemd" / "user"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg-of-user")
    assert service.this_system().paths(LABEL)[0].parent == Path(
        "/etc/xdg-of-user/systemd/user"
    )


def test_every_command_has_help() -> None:
    for name, command in agents.commands.items():
        assert command.help, name
        assert call(name, "--help").exit_code == 0


def test_a_program_is_run_to_its_end() -> None:
    ended = run_program(("sh", "-c", "echo out; echo err >&2; echo $LC_ALL; exit 3"))
    assert ended == Outcome(3, "out\nC\n", "err\n")


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AgentError, match="cannot be run: No such file"):
        run_program(("/nowhere/launchctl", "print"))


def test_a_program_that_does_not_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "TIMEOUT_S", 0.1)
    with pytest.raises(AgentError, match="sleep 5 did not end within"):
        run_program(("sleep", "5"))


def beat(root: Path, age_s: int, signed: bool = True) -> None:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    folder = root / "g/reports/ops_atomic"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
    by = "ops-atomic monitor" if signed else "ops_atomic_monitor.cjs"
    path.write_text(f"x\n\n*Generated by {by}*\n")


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
