"""The wrapper that launchd starts, really run, in an environment that is empty."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from ingest.root import PROJECT
from tests import support

WRAPPER = PROJECT / "launchagents" / "run_export.sh"
ENV = shutil.which("env") or "/usr/bin/env"
SHELLS = {
    "sh": ("sh",),
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
    "zsh": ("zsh", "--emulate", "sh"),
}

# Says what it was given, one argument a line, and ends as its first one tells.
FAKE_COMMAND = """\
#!/bin/sh
printf '%s\\n' "$@"
printf 'PATH=%s\\n' "$PATH"
printf 'HOME=%s\\n' "${HOME-unset}"
for last in "$@"; do :; done
case $last in
    exit:*) exit "${last#exit:}" ;;
    hang) trap 'echo stopped; exit 143' TERM
          echo ready
          while :; do sleep 0.05; done ;;
esac
"""


@pytest.fixture(params=["plain", 'with a blank, $HOME & "quotes"'])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / str(request.param)
    command = folder / ".venv" / "bin" / "ops-atomic"
    command.parent.mkdir(parents=True)
    command.write_text(FAKE_COMMAND)
    command.chmod(0o755)
    (folder / "launchagents").mkdir()
    shutil.copy(WRAPPER, folder / "launchagents")
    return folder


def run(
    *command: str | Path, cwd: Path = Path("/"), env: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (ENV, "-i", *env, *command), cwd=cwd, capture_output=True, text=True, timeout=30
    )


def wrapper_of(project: Path) -> Path:
    return project / "launchagents" / "run_export.sh"


def test_the_export_is_started_with_its_waiting_times(project: Path) -> None:
    ended = run(wrapper_of(project))
    *arguments, path, home = ended.stdout.splitlines()
    assert arguments == ["export", "--wait", "600", "--timeout", "600"]
    # Some shells have a default of their own for it.
    assert {"/usr/bin", "/bin"} <= set(path.removeprefix("PATH=").split(":"))
    assert home == "HOME=unset"
    assert (ended.returncode, ended.stderr) == (0, "")


def test_arguments_come_after_its_own_and_whole(project: Path) -> None:
    given = ("--root", "/a b/$HOME", "--wait", "0", "*", "", "a\nb")
    ended = run(wrapper_of(project), *given)
    expected = "\n".join(("export", "--wait", "600", "--timeout", "600", *given))
    assert ended.stdout.startswith(f"{expected}\nPATH=")


@pytest.mark.parametrize("words", [("monitor",), ("monitor", "--once")])
def test_another_job_is_started_by_its_name(
    words: tuple[str, ...], project: Path
) -> None:
    ended = run(wrapper_of(project), *words)
    assert ended.stdout.splitlines()[: len(words)] == list(words)
    assert "export" not in ended.stdout.splitlines()


def test_the_environment_of_the_agent_reaches_the_command(project: Path) -> None:
    ended = run(wrapper_of(project), env=("PATH=/opt/x:/usr/bin:/bin", "HOME=/h"))
    assert "PATH=/opt/x:/usr/bin:/bin\nHOME=/h\n" in ended.stdout


@pytest.mark.parametrize("code", [0, 1, 2, 75, 130, 255])
def test_the_exit_code_is_given_through(project: Path, code: int) -> None:
    assert run(wrapper_of(project), f"exit:{code}").returncode == code


@pytest.mark.parametrize("shell", SHELLS)
def test_any_posix_shell_will_do(project: Path, shell: str) -> None:
    program = shutil.which(SHELLS[shell][0])
    if program is None:
        pytest.skip(f"{shell} is not there")
    ended = run(program, *SHELLS[shell][1:], wrapper_of(project), "exit:3")
    assert (ended.returncode, ended.stderr) == (3, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_the_command_itself(
    project: Path, number: signal.Signals
) -> None:
    started = subprocess.Popen(
        (ENV, "-i", wrapper_of(project), "hang"), stdout=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        while "ready" not in started.stdout.readline():
            assert started.poll() is None
        started.send_signal(number)
        out, _ = started.communicate(timeout=30)
    finally:
        started.kill()
        started.wait()
    if number is signal.SIGTERM:
        assert (started.returncode, out) == (143, "stopped\n")
    else:
        assert started.returncode == -signal.SIGKILL


def test_links_to_it_lead_to_the_project(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where" / "deep"
    elsewhere.mkdir(parents=True)
    absolute = elsewhere / "absolute"
    absolute.symlink_to(wrapper_of(project))
    # A relative link, to a link, in a folder that is itself reached by a link.
    (elsewhere.parent / "relative").symlink_to(Path("deep") / "absolute")
    shortcut = tmp_path / "shortcut"
    shortcut.symlink_to(elsewhere)
    linked_project = tmp_path / "linked project"
    linked_project.symlink_to(project)
    for path in (
        absolute,
        elsewhere.parent / "relative",
        shortcut / "absolute",
        shortcut / ".." / "relative",
        wrapper_of(linked_project),
    ):
        ended = run(path, "exit:3")
        assert (ended.returncode, ended.stderr) == (3, ""), path


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("launchagents", "run_export.sh"),
        ("launchagents", "./run_export.sh"),
        (".", "launchagents/run_export.sh"),
        (".venv", "../launchagents/run_export.sh"),
    ],
)
def test_it_may_be_named_from_where_one_stands(
    project: Path, folder: str, named: str
) -> None:
    ended = run("/bin/sh", named, "exit:3", cwd=project / folder)
    assert (ended.returncode, ended.stderr) == (3, "")


def test_cdpath_does_not_lead_it_astray(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "launchagents").mkdir(parents=True)
    ended = run(
        "/bin/sh",
        "launchagents/run_export.sh",
        "exit:3",
        cwd=project,
        env=(f"CDPATH={other}",),
    )
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_missing_venv_is_said_with_the_command_that_makes_it(project: Path) -> None:
    shutil.rmtree(project / ".venv")
    ended = run(wrapper_of(project))
    assert (ended.returncode, ended.stdout) == (78, "")
    assert f"there is no {project}/.venv/bin/ops-atomic" in ended.stderr
    assert f'make -C "{project}" venv' in ended.stderr


def test_a_venv_whose_python_is_gone_is_said_too(project: Path) -> None:
    (project / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    ended = run(wrapper_of(project))
    assert (ended.returncode, ended.stdout) == (78, "")
    assert f"{project}/.venv is broken, its Python is gone" in ended.stderr
    assert f'make -C "{project}" venv' in ended.stderr


def test_shellcheck_finds_nothing() -> None:
    program = support.require_tool("shellcheck")
    checked = subprocess.run((program, WRAPPER), capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")
