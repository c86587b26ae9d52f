"""Agents on macOS, with recorded output: launchctl itself cannot run on Linux."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.jobs import JOBS, LABELS, Installation, fill_agent
from exporter.agents.launchd import Launchd, parse_print
from exporter.agents.processes import Outcome
from exporter.agents.service import install, uninstall
from exporter.agents.status import find_statuses
from tests.launchctl import (
    GUI,
    LABEL,
    USER,
    FakeLaunchctl,
    actions,
    plists,
    recorded,
)


@pytest.mark.parametrize(
    ("name", "is_running", "pid", "code", "signal"),
    [
        ("ended_well", False, None, 0, None),
        ("never_ended", True, 48213, None, None),
        ("running", True, 48213, 0, None),
        ("failed", False, None, 1, None),
        ("not_set_up", False, None, 78, None),
        ("ended_by_signal", False, None, None, "Terminated: 15"),
    ],
)
def test_print_is_read_as_it_was_recorded(
    name: str, is_running: bool, pid: int | None, code: int | None, signal: str | None
) -> None:
    loaded = parse_print(recorded(name), GUI, is_enabled=True)
    assert loaded.is_running is is_running
    assert (loaded.pid, loaded.last_exit_code, loaded.last_signal) == (
        pid,
        code,
        signal,
    )
    assert loaded.program == "/Users/ops/ops-atomic/launchagents/run_export.sh"
    assert loaded.schedule == "05:00"


def test_a_print_in_other_words_is_unknown_not_wrong() -> None:
    loaded = parse_print("gui/501/x = {\n\tnew = words\n}\n", GUI, is_enabled=True)
    assert (loaded.schedule, loaded.program, loaded.pid) == (None, "", None)
    assert not loaded.is_running


def test_names_further_in_are_not_taken_for_the_jobs_own() -> None:
    printed = recorded("ended_well").replace(
        "\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin",
        "\t\tstate = running\n\t\tpid = 7\n\t\tlast exit code = 9",
    )
    loaded = parse_print(printed, GUI, is_enabled=True)
    assert (loaded.is_running, loaded.pid, loaded.last_exit_code) == (False, None, 0)


def test_disabled_jobs_are_recognised(mac: Launchd, launchctl: FakeLaunchctl) -> None:
    launchctl.forced["print"] = [Outcome(0, recorded("ended_well"))] * 2
    launchctl.forced["print-disabled"] = [Outcome(0, recorded("print_disabled"))] * 2
    first, second = (mac.find(label) for label in LABELS)
    assert first is not None
    assert second is not None
    assert (first.is_enabled, second.is_enabled) == (True, False)


def test_install_makes_the_logs_enables_and_bootstraps(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    assert actions(install(mac, place, {})) == ["installed", "installed"]
    assert place.logs.is_dir()
    folder = mac.home / "Library" / "LaunchAgents"
    assert launchctl.asked("enable", "bootstrap", "bootout") == [
        call
        for label in LABELS
        for call in (
            ("enable", f"{GUI}/{label}"),
            ("bootstrap", GUI, str(folder / f"{label}.plist")),
        )
    ]
    assert {name: mode for name, (_, mode, _) in plists(mac).items()} == {
        f"{label}.plist": 0o644 for label in LABELS
    }
    assert mac.advise() == []


def test_installing_twice_changes_nothing(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    environ = {"OPS_ATOMIC_NOTIFY": "json://x"}
    install(mac, place, environ)
    files, loaded = plists(mac), deepcopy(launchctl.loaded)
    launchctl.calls.clear()
    assert actions(install(mac, place, environ)) == ["unchanged", "unchanged"]
    assert plists(mac) == files
    assert launchctl.loaded == loaded
    assert {call[0] for call in launchctl.calls} == {"print", "print-disabled"}


def test_a_print_that_shows_less_does_not_load_the_agents_anew(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {})
    bare = Outcome(0, "gui/501/x = {\n\tstate = not running\n}\n")
    launchctl.forced["print"] = [bare, bare]
    assert actions(install(mac, place, {})) == ["unchanged", "unchanged"]


def test_what_differs_is_booted_out_before_its_file_changes(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation, tmp_path: Path
) -> None:
    install(mac, place, {})
    (tmp_path / "other").mkdir()
    launchctl.calls.clear()
    moved = Installation(place.project, tmp_path / "other")
    assert actions(install(mac, moved, {})) == ["updated", "updated"]
    assert [call[0] for call in launchctl.asked("bootout", "enable", "bootstrap")] == [
        "bootout",
        "enable",
        "bootstrap",
    ] * 2
    environment = mac.read_environment(LABEL)
    assert environment["OPS_ATOMIC_ROOT"] == str(tmp_path / "other")


@pytest.mark.parametrize("wrong", ["mode", "not loaded", "disabled", "schedule"])
def test_whatever_is_not_as_it_should_be_is_mended(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation, wrong: str
) -> None:
    install(mac, place, {})
    (plist,) = mac.paths(LABEL)
    if wrong == "mode":
        plist.chmod(0o666)
    elif wrong == "not loaded":
        del launchctl.loaded[f"{GUI}/{LABEL}"]
    elif wrong == "disabled":
        launchctl.disabled.add(LABEL)
    else:
        launchctl.loaded[f"{GUI}/{LABEL}"]["StartCalendarInterval"]["Hour"] = 6
    assert find_statuses(mac, place.project)[1].problems
    assert actions(install(mac, place, {})) == ["unchanged", "updated"]
    assert find_statuses(mac, place.project)[1].problems == []


def test_notice_urls_are_kept_by_an_install_that_does_not_know_them(
    mac: Launchd, place: Installation
) -> None:
    install(mac, place, {"OPS_ATOMIC_NOTIFY": "json://secret"})
    assert {mode for _, mode, _ in plists(mac).values()} == {0o600}
    assert actions(install(mac, place, {})) == ["unchanged", "unchanged"]
    assert mac.read_environment(LABEL)["OPS_ATOMIC_NOTIFY"] == "json://secret"

    install(mac, place, {"OPS_ATOMIC_NOTIFY": ""})
    assert "OPS_ATOMIC_NOTIFY" not in mac.read_environment(LABEL)
    assert {mode for _, mode, _ in plists(mac).values()} == {0o644}


def test_over_ssh_the_agents_go_into_the_user_domain(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    launchctl.domains = (USER,)
    assert actions(install(mac, place, {})) == ["installed", "installed"]
    assert set(launchctl.loaded) == {f"{USER}/{label}" for label in LABELS}
    assert actions(install(mac, place, {})) == ["unchanged", "unchanged"]
    [advice] = mac.advise()
    assert USER in advice
    found = [status.as_json() for status in find_statuses(mac, place.project)]
    assert [(status["domain"], status["problems"]) for status in found] == [
        (USER, []),
        (USER, []),
    ]


def test_a_screen_session_that_refuses_is_fallen_back_from_too(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    refusal = "Bootstrap failed: 125: Domain does not support specified action\n"
    launchctl.forced["bootstrap"] = [Outcome(125, "", refusal)] * 1
    install(mac, place, {})
    assert set(launchctl.loaded) == {f"{USER}/{LABELS[0]}", f"{GUI}/{LABELS[1]}"}


def test_a_refusal_everywhere_is_reported(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    launchctl.forced["bootstrap"] = [
        Outcome(125, "", "Bootstrap failed: 125: no\n")
    ] * 2
    with pytest.raises(AgentError, match="bootstrap user/501 failed with 125"):
        install(mac, place, {})


def test_no_domain_at_all_is_said_with_the_way_out(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    launchctl.domains = ()
    with pytest.raises(AgentError, match="log in on this Mac"):
        install(mac, place, {})


def test_bootstrap_is_tried_again_while_launchd_clears_away(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    busy = Outcome(5, "", "Bootstrap failed: 5: Input/output error\n")
    launchctl.forced["bootstrap"] = [busy, busy]
    assert actions(install(mac, place, {})) == ["installed", "installed"]


def test_a_bootstrap_that_fails_for_good_says_why(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    busy = Outcome(5, "", "Bootstrap failed: 5: Input/output error\n")
    launchctl.forced["bootstrap"] = [busy] * 3
    with pytest.raises(AgentError, match="5: Bootstrap failed: 5: Input/output error"):
        install(mac, place, {})


def test_a_job_that_does_not_show_after_all_is_an_error(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    launchctl.forced["bootstrap"] = [Outcome(0)]
    with pytest.raises(AgentError, match="does not show it as loaded"):
        install(mac, place, {})


def test_enable_that_fails_is_an_error(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    launchctl.forced["enable"] = [Outcome(1)]
    with pytest.raises(AgentError, match=r"enable .* failed with 1: no message"):
        install(mac, place, {})


def test_bootout_is_waited_for_until_the_job_is_gone(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {})
    del launchctl.loaded[f"{GUI}/{LABELS[1]}"]
    launchctl.lingers = 3
    launchctl.calls.clear()
    mac.unload(LABELS[0])
    assert len(launchctl.asked("bootout")) == 1
    assert launchctl.loaded == {}
    assert launchctl.calls[-1] == ("print", f"{USER}/{LABELS[0]}")


def test_a_job_that_never_goes_is_an_error_in_the_end(
    launchctl: FakeLaunchctl, tmp_path: Path, place: Installation
) -> None:
    now = [0.0]
    mac = Launchd(
        launchctl,
        tmp_path / "home",
        501,
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        clock=lambda: now[0],
    )
    install(mac, place, {})
    launchctl.lingers = 1
    with pytest.raises(AgentError, match="has not ended 45 seconds after bootout"):
        mac.unload(LABEL)
    assert 45 <= now[0] < 46
    assert mac.paths(LABEL)[0].exists()


def test_a_bootout_that_is_refused_is_an_error(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {})
    launchctl.forced["bootout"] = [Outcome(1, "", "Boot-out failed: 1: Not permitted")]
    with pytest.raises(AgentError, match="Not permitted"):
        uninstall(mac)


def test_uninstall_takes_all_away_and_leaves_the_logs(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {})
    # The second copy that logging in on the screen makes of one loaded over SSH.
    launchctl.loaded[f"{USER}/{LABEL}"] = launchctl.loaded[f"{GUI}/{LABEL}"]
    assert actions(uninstall(mac)) == ["removed", "removed"]
    assert (launchctl.loaded, plists(mac)) == ({}, {})
    assert place.logs.is_dir()
    assert actions(uninstall(mac)) == ["absent", "absent"]


def test_a_job_is_removed_even_when_its_file_is_gone(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {})
    mac.paths(LABEL)[0].unlink()
    assert actions(uninstall(mac)) == ["removed", "removed"]
    assert launchctl.loaded == {}


def test_start_kicks_a_loaded_job_and_leaves_a_running_one_alone(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    with pytest.raises(AgentError, match="agents install"):
        mac.start(LABEL)
    install(mac, place, {})
    assert mac.start(LABEL) is True
    assert launchctl.asked("kickstart") == [("kickstart", f"{GUI}/{LABEL}")]
    launchctl.prints = "running"
    assert mac.start(LABEL) is False
    assert len(launchctl.asked("kickstart")) == 1


def test_root_is_told_to_install_as_the_user(
    tmp_path: Path, place: Installation
) -> None:
    with pytest.raises(AgentRefused, match="without sudo"):
        install(Launchd(FakeLaunchctl(), tmp_path, 0), place, {})


def test_a_refused_install_changes_nothing(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    protected = Installation(place.project, mac.home / "Documents" / "02luka")
    protected.root.mkdir(parents=True)
    with pytest.raises(AgentRefused, match="protected folder"):
        install(mac, protected, {})
    assert (launchctl.calls, list(protected.root.iterdir())) == ([], [])
    assert not (mac.home / "Library").exists()


@pytest.mark.parametrize(
    ("missing", "way_out"),
    [("wrapper", "chmod"), ("command", "make -C")],
)
def test_a_project_that_cannot_run_is_refused(
    mac: Launchd, place: Installation, missing: str, way_out: str
) -> None:
    if missing == "wrapper":
        place.wrapper.chmod(0o644)
    else:
        (place.venv / "bin" / "ops-atomic").unlink()
    with pytest.raises(AgentRefused, match=way_out):
        install(mac, place, {})


def test_the_recorded_job_is_the_one_that_is_rendered() -> None:
    place = Installation(Path("/Users/ops/ops-atomic"), Path("/Users/ops/02luka"))
    agent = fill_agent(JOBS[1], place, {})
    printed = recorded("ended_well")
    for value in (agent["StandardOutPath"], agent["StandardErrorPath"]):
        assert f"path = {value}\n" in printed
    assert f"working directory = {agent['WorkingDirectory']}\n" in printed
    for name, value in agent["EnvironmentVariables"].items():
        assert f"\t\t{name} => {value}\n" in printed
