"""Disks, files, commands and services of this machine."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from monitor.checks.local import check_command, check_disk, check_file
from monitor.checks.result import Doubtful, Failed, Skipped
from monitor.checks.service import check_service
from monitor.settings import Command, Disk, File, Service


def test_room_is_held_to_percent_or_bytes(tmp_path: Path) -> None:
    assert " free" in check_disk(Disk("warn", 5, ".", 0, None), tmp_path)
    with pytest.raises(Failed, match=r"Disk low: .* free, expected 100%"):
        check_disk(Disk("warn", 5, ".", 100, None), tmp_path)
    with pytest.raises(Failed, match=r"expected \d+\.0 GB"):
        check_disk(Disk("warn", 5, ".", None, 1 << 60), tmp_path)
    with pytest.raises(Failed, match="cannot be looked at"):
        check_disk(Disk("warn", 5, "gone", 1, None), tmp_path)


def test_a_file_has_an_age(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="File is missing"):
        check_file(File("warn", 5, "backup", 3600), tmp_path)
    (tmp_path / "backup").touch()
    assert check_file(File("warn", 5, "backup", 3600), tmp_path) == "File is fresh"
    three_hours_ago = time.time() - 3 * 3600
    os.utime(tmp_path / "backup", (three_hours_ago, three_hours_ago))
    with pytest.raises(Failed, match="3 hours old, expected at most 60 minutes"):
        check_file(File("warn", 5, "backup", 3600), tmp_path)


def run(root: Path, *words: str, timeout_s: float = 5) -> str:
    return check_command(Command("error", timeout_s, "mine", words), root)


def test_a_command_is_no_shell_and_has_an_end(tmp_path: Path) -> None:
    assert run(tmp_path, "true") == "Command succeeded"
    assert run(tmp_path, "mkdir", "$(id)") == "Command succeeded"
    assert os.listdir(tmp_path) == ["$(id)"]
    with pytest.raises(Failed, match="Command ended with exit code 3: at last"):
        run(tmp_path, sys.executable, "-c", "print('first\\nat last'); exit(3)")
    with pytest.raises(Failed, match="Command cannot be started"):
        run(tmp_path, "/no/such/program")


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="did not end within"):
        run(tmp_path, "sh", "-c", "sleep 60 & echo $! > pid; wait", timeout_s=1)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        # One that has ended and was taken up by nobody is as good as gone.
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and ") Z " in stat.read_text():
            break
        time.sleep(0.01)
    else:
        pytest.fail("it still runs")


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def service(root: Path, name: str = "com.02luka.digest") -> str:
    return check_service(Service("warn", 5, name), root)


def test_what_launchd_says_of_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    label = f"gui/{os.getuid()}/com.02luka.digest"
    said = "printf 'x = {\\n\\tlast exit code = %s\\n\\t\\tlast exit code = 9\\n}' "
    program(
        tmp_path / "bin", "launchctl",
        f'[ "$*" = "print {label}" ] && {said} "$(cat code)" && exit\nexit 113',
    )  # fmt: skip
    (tmp_path / "code").write_text("0")
    assert service(tmp_path) == "LaunchAgent loaded"
    (tmp_path / "code").write_text("(never exited)")
    assert service(tmp_path) == "LaunchAgent loaded"
    (tmp_path / "code").write_text("78")
    with pytest.raises(Doubtful, match="its last run exited 78"):
        service(tmp_path)
    with pytest.raises(Failed, match="LaunchAgent not loaded"):
        service(tmp_path, "com.02luka.other")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timed", "Service loaded"),
        ("resting", "Service not active"),
        ("broken", r"Service failed \(exit-code\)"),
        ("gone", "Service not loaded"),
        ("system.service", "Service loaded"),
    ],
)
def test_what_systemd_says_of_a_service(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr(
        "monitor.checks.service.shutil.which",
        lambda name: {"systemctl": f"{tmp_path}/bin/systemctl"}.get(name),
    )
    program(
        tmp_path / "bin", "systemctl",
        "l=loaded a=inactive r=success\n"
        'case "$1 $5" in\n'
        '"--user timed.timer") a=active ;;\n'
        '"--user timed.service" | "--user resting.service") ;;\n'
        '"--user broken.service") a=failed r=exit-code ;;\n'
        '"--system system.service") a=active ;;\n'
        "*) l=not-found ;;\nesac\n"
        "printf 'LoadState=%s\\nActiveState=%s\\nResult=%s\\n' $l $a $r",
    )  # fmt: skip
    if said == "Service loaded":
        assert service(tmp_path, name) == said
    else:
        with pytest.raises(Failed, match=said):
            service(tmp_path, name)


def test_without_a_manager_a_service_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Skipped, match="no launchd or systemd"):
        service(tmp_path)
    program(tmp_path, "systemctl", "exit 1")
    with pytest.raises(Skipped, match="does not answer"):
        service(tmp_path)
