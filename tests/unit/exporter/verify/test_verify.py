"""Checks that need a machine in another state than the one tests run on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exporter.agents.errors import AgentError
from exporter.agents.jobs import JOBS, LABELS, Agent, Installation
from exporter.agents.schedule import Schedule
from exporter.agents.system import Loaded
from exporter.contracts.datasets import load_datasets
from exporter.notify import outbox
from exporter.notify.outbox import Notice
from exporter.reporting.history import append_run
from exporter.reporting.logs import log_path
from exporter.reporting.results import RunResult
from exporter.reporting.stored import Stored
from exporter.runtime.lock import Locked
from exporter.runtime.stop import Stopped
from exporter.verify import installation, outputs, run
from exporter.verify.checks import Check, verdict
from exporter.verify.settings import check_settings
from ingest import advice
from ingest.inputs import utc_now
from ingest.root import Root

WELL = Loaded("gui/501", False, True, "run_export.sh", "02:30", 0)


@dataclass
class FakeSystem:
    """A manager of jobs with agents as it is told."""

    root: str
    folder: Path
    loaded: Loaded | None = WELL
    error: str = ""
    name: str = "launchd"
    files: dict[Path, bytes] = field(default_factory=dict)

    def check(self, place: Installation) -> None:
        pass

    def paths(self, label: str) -> tuple[Path, ...]:
        return (self.folder / f"{label}.plist",)

    def render(self, agent: Agent) -> dict[Path, bytes]:
        return {}

    def read_environment(self, label: str) -> Mapping[str, str]:
        return {"OPS_ATOMIC_ROOT": self.root}

    def read_schedule(self, label: str) -> Schedule | None:
        return next((job.times for job in JOBS if job.label == label), None)

    def find(self, label: str) -> Loaded | None:
        if self.error:
            raise AgentError(self.error)
        if self.loaded is None:
            return None
        (job,) = (job for job in JOBS if job.label == label)
        return replace(self.loaded, schedule=job.schedule)

    def is_loaded_as(self, agent: Agent) -> bool:
        raise NotImplementedError

    def load(self, label: str) -> None:
        raise NotImplementedError

    def unload(self, label: str) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        raise NotImplementedError

    def start(self, label: str) -> bool:
        raise NotImplementedError

    def advise(self) -> list[str]:
        return []


@pytest.fixture
def root(empty_root: Path) -> Root:
    (empty_root / "g" / "logs").mkdir(parents=True)
    return Root(empty_root)


@pytest.fixture
def system(root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    for label in LABELS:
        (tmp_path / f"{label}.plist").touch()
    # As on a Mac, so that there is no row about there being no launchd.
    monkeypatch.setattr("sys.platform", "darwin")
    return FakeSystem(str(root.path), tmp_path)


def agents(root: Root, system: FakeSystem) -> list[Check]:
    return list(installation.check_agents(root, system))


def test_agents_that_are_loaded_and_ended_well_pass(
    root: Root, system: FakeSystem
) -> None:
    found = agents(root, system)
    assert [(check.name, check.status) for check in found] == [
        (label, "pass") for label in LABELS
    ]
    assert re.fullmatch(
        r"launchd, 05:00, last exit 0, next start \d{4}-\d\d-\d\d 05:00 \S+, "
        r"no success yet, due",
        found[1].actual,
    )


def test_agents_that_never_ran_are_pending(root: Root, system: FakeSystem) -> None:
    system.loaded = replace(WELL, last_exit_code=None)
    for check in agents(root, system):
        assert check.status == "pending"
        assert ", not run yet, next start " in check.actual
        assert check.mend == advice.command(None, "agents", "run", check.name)


@pytest.mark.parametrize(
    ("loaded", "mend"),
    [
        (None, "/ops-atomic agents install --root "),
        (replace(WELL, is_enabled=False), "/ops-atomic agents install --root "),
        (replace(WELL, last_signal="9"), "/ops-atomic agents run "),
        (replace(WELL, last_exit_code=1), "tail "),
    ],
)
def test_agents_with_problems_fail(
    root: Root, system: FakeSystem, loaded: Loaded | None, mend: str
) -> None:
    system.loaded = loaded
    for check in agents(root, system):
        assert check.status == "fail"
        assert mend in check.mend
        assert advice.RUN not in check.actual


def test_agents_that_are_not_installed_are_advised_once(
    root: Root, system: FakeSystem
) -> None:
    system.root, system.loaded = "", None
    for path in system.folder.glob("*.plist"):
        path.unlink()
    for check in agents(root, system):
        assert check.actual == "not installed"
        assert check.mend == advice.command(root, "agents", "install")


def test_agents_of_another_root_fail(root: Root, system: FakeSystem) -> None:
    system.root = "/another"
    (first, _) = agents(root, system)
    assert first.status == "fail"
    assert first.actual == "exports another root, /another"
    assert first.mend == advice.command(root, "agents", "install")


def test_a_mac_without_launchd_fails(root: Root, system: FakeSystem) -> None:
    system.error = "launchctl cannot be run"
    found = agents(root, system)
    assert {check.status for check in found} == {"fail"}
    status = advice.command(None, "agents", "status")
    assert {check.mend for check in found} == {status}


def test_linux_without_a_user_manager_is_not_applicable(
    root: Root, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    system.error = "no user manager"
    found = agents(root, system)
    assert [check.name for check in found] == ["launchd", *LABELS]
    assert {check.status for check in found} == {"n/a"}


def test_a_root_that_no_plist_can_hold_fails(empty_root: Path) -> None:
    odd = empty_root / "odd\x01name"
    odd.mkdir()
    check = installation.check_plists(Root(odd))
    assert check.status == "fail"
    assert "control character" in check.actual


def test_plists_of_other_agents_fail(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "ALL_LABELS", ("another",))
    check = installation.check_plists(root)
    assert (check.status, check.mend) == ("fail", installation.MAKE_VENV)


def test_a_command_that_is_not_there_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "PROJECT", tmp_path)
    for check in (installation.check_version(), installation.check_wrapper()):
        assert check.status == "fail"
        assert check.actual.startswith("exit 127")
        assert check.mend.endswith("venv")


def test_a_folder_that_is_read_only_fails(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    found = {check.name: check for check in installation.check_folders(root)}
    assert found["Folder g/logs"].actual == "read-only"
    assert found["Folder g/logs"].mend == f"chmod u+rwx {root.logs}"
    assert found["Folder g/analytics"].mend == advice.command(root, "export")


@pytest.mark.parametrize(("hours", "status"), [(25, "pass"), (27, "fail")])
def test_a_log_is_fresh_for_a_day_and_a_bit(
    root: Root, hours: int, status: str
) -> None:
    log_path(root).touch()
    os.utime(log_path(root), (0, 0))
    now = datetime(1970, 1, 1) + timedelta(hours=hours)
    check = installation.check_log(root, now)
    assert (check.status, check.actual) == (status, f"{hours}.0 hours ago")


def test_notices_that_wait_are_to_be_sent(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY", raising=False)
    assert installation.check_notices(root).status == "n/a"
    outbox.put(root, Notice("2025", "failure", "title", "text"))
    check = installation.check_notices(root)
    assert check.status == "fail"
    assert check.mend.startswith("grep -A 12 '^## Notices' ")
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://h")
    check = installation.check_notices(root)
    assert check.mend == advice.command(root, "notify")


@pytest.mark.parametrize(
    ("changes", "status", "duration"),
    [
        ({"duration_s": 600.0}, "pass", "pass"),
        ({"duration_s": 601.0}, "pass", "fail"),
        ({"errors": ["bad"]}, "fail", "pass"),
    ],
)
def test_the_last_run_is_judged(
    root: Root, changes: dict[str, Any], status: str, duration: str
) -> None:
    append_run(root, RunResult(utc_now(), **changes), Stored())
    assert [check.status for check in outputs.check_last_run(root)] == [
        status,
        duration,
    ]


def test_yesterdays_files_are_to_be_there(root: Root) -> None:
    now = utc_now()
    day = now - timedelta(days=1)
    csv = root.reports / f"query_perf_daily_{day:%Y%m%d}.csv"
    csv.parent.mkdir(parents=True)
    csv.write_text(
        "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
        "rows_returned,cache_hit,table_name,index_used\n"
        f"{day:%Y-%m-%d}T00:00:00Z,abc,SELECT,1.5,1,1,false,t,i\n"
    )
    dry_run, check, _ = outputs.check_dry_run(root, load_datasets(), now)
    assert (dry_run.status, dry_run.actual) == ("pass", "4 files to make")
    assert check.status == "fail"
    missing = "landed_counts, query_perf, rejected_records, schema_drift"
    assert check.actual == f"0 of 4, not {missing}"
    assert check.mend == advice.command(root, "export")
    assert not root.state.exists()
    other_day = now + timedelta(days=9)
    _, check, _ = outputs.check_dry_run(root, load_datasets(), other_day)
    assert check.status == "n/a"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Locked("another run holds the lock"), "another run holds the lock"),
        (Stopped(1, "stopped after 600 seconds"), "stopped after 600 seconds"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_a_triggered_export_may_fail(
    root: Root, error: BaseException, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(run, "export", fail)
    check = run.trigger_export(root)
    assert check.status == "fail"
    assert said in check.actual


def test_who_interrupts_a_triggered_export_interrupts_it_all(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise Stopped(130, "stopped by SIGINT")

    monkeypatch.setattr(run, "export", fail)
    with pytest.raises(Stopped):
        run.trigger_export(root)


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (["pass", "n/a"], "full"),
        (["pass", "pending"], "pending"),
        (["pending", "fail"], "partial"),
        ([], "full"),
    ],
)
def test_the_verdict_is_as_good_as_the_worst(statuses: list[str], said: str) -> None:
    checks = [Check("component", "", "", "", status) for status in statuses]
    assert verdict(checks) == said


def test_what_is_not_read_is_named_with_what_to_do(root: Root) -> None:
    odd = root.reports / "heartbeat_latest.md"
    odd.parent.mkdir(parents=True, exist_ok=True)
    odd.touch()
    found = list(outputs.check_dry_run(root, load_datasets(), utc_now()))
    [check] = [check for check in found if check.name.startswith("Not read")]
    assert check.status == "n/a"
    assert "g/reports/heartbeat_latest.md: name each heartbeat_" in check.actual
    odd.unlink()
    found = list(outputs.check_dry_run(root, load_datasets(), utc_now()))
    assert [c.status for c in found if c.name == "What is not read"] == ["pass"]


def test_the_doctor_names_settings_and_what_is_wrong_in_them(tmp_path: Path) -> None:
    root = Root(tmp_path)
    assert check_settings(root).status == "n/a"
    root.settings.mkdir(parents=True)
    (root.settings / "masks.csv").write_text("name,trigger,pattern,replacement\n")
    own = root.settings / "slo_targets.csv"
    own.write_text("check_key,target\nredis,1\n")
    found = check_settings(root)
    assert found.status == "pass"
    assert found.actual == f"{root.relative(own)}, g/analytics/settings/masks.csv"
    own.write_text("check_key,target\nredis,2\nredis,3\n")
    found = check_settings(root)
    assert found.status == "fail"
    assert found.actual.startswith(f"{root.relative(own)}, line 2, column target")
    assert found.actual.endswith("(and 1 more)")
    assert found.mend == f"cat -n {own}"
