"""What is written for an agent: one template, two systems, nothing unescaped."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from exporter.agents.errors import AgentRefused
from exporter.agents.jobs import (
    ALL_JOBS,
    JOBS,
    MONITOR,
    TEMPLATE,
    Agent,
    Installation,
    Job,
    file_mode,
    fill_agent,
    operator_variables,
)
from exporter.agents.launchd import render_plist
from exporter.agents.schedule import as_intervals
from exporter.agents.service import render
from exporter.agents.units import read_environment, render_units
from tests import support

GOLDEN = Path(__file__).parent / "golden"
INSTALLATION = Installation(Path("/Users/ops/ops-atomic"), Path("/Users/ops/02luka"))
HOSTILE = "/srv/a b/<i> & 'q' \"d\"/$HOME ${x} %h %%/~/\\n\\/café;#x"
HOSTILE_URL = "json://u:p%20&<\"'$\\@host/?a=b%h\n\tmailto://x"


def fill(job: Job = JOBS[0], **environ: str) -> Agent:
    return fill_agent(job, INSTALLATION, environ)


def test_the_two_jobs_are_the_ones_that_were_agreed_on() -> None:
    assert [(job.label, job.schedule) for job in JOBS] == [
        ("com.02luka.analytics.parquet", "02:30"),
        ("com.02luka.parquet_export", "05:00"),
    ]


@pytest.mark.parametrize("job", ALL_JOBS, ids=lambda job: job.label)
def test_an_agent_is_rendered_as_its_golden_files(job: Job, tmp_path: Path) -> None:
    files = render_units(fill(job)) | {
        f"{job.label}.plist": render_plist(fill(job)).decode()
    }
    for name, text in files.items():
        assert text == (GOLDEN / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("job", ALL_JOBS, ids=lambda job: job.label)
def test_an_agent_has_all_that_launchd_is_to_know(job: Job) -> None:
    agent = plistlib.loads(render_plist(fill(job)))
    if job == MONITOR:
        assert agent["KeepAlive"] is True
        assert agent["WorkingDirectory"] == "/Users/ops/02luka"
        assert agent["ProgramArguments"][1:] == ["monitor"]
        assert agent["ProcessType"] == "Standard"
        assert not agent.keys() & {"StartCalendarInterval", "Nice", "LowPriorityIO"}
        return
    assert agent == {
        "Label": job.label,
        "ProgramArguments": [
            "/Users/ops/ops-atomic/launchagents/run_export.sh",
            *job.words,
        ],
        "WorkingDirectory": "/Users/ops/ops-atomic",
        "EnvironmentVariables": {
            "PATH": "/Users/ops/ops-atomic/.venv/bin:/opt/homebrew/bin:"
            "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "OPS_ATOMIC_ROOT": "/Users/ops/02luka",
        },
        "StartCalendarInterval": as_intervals(job.times),
        "RunAtLoad": True,
        "LimitLoadToSessionType": ["Aqua", "Background"],
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": 10,
        "ExitTimeOut": 30,
        "StandardOutPath": f"/Users/ops/02luka/g/logs/{job.label}.out.log",
        "StandardErrorPath": f"/Users/ops/02luka/g/logs/{job.label}.err.log",
    }


def test_the_template_is_a_property_list_itself() -> None:
    template = plistlib.loads(TEMPLATE.read_bytes())
    assert "StartInterval" not in template
    secrets = ("OPS_ATOMIC_NOTIFY", "OPS_ATOMIC_PING_URL")
    assert operator_variables()[:2] == secrets


def test_variables_of_the_operator_are_taken_over_only_when_set() -> None:
    held = fill(OPS_ATOMIC_NOTIFY="json://x", OPS_ATOMIC_PING_URL="", HOME="/x")
    assert set(held["EnvironmentVariables"]) == {
        "PATH",
        "OPS_ATOMIC_ROOT",
        "OPS_ATOMIC_NOTIFY",
    }
    assert file_mode(held) == 0o600


def test_the_password_of_redis_is_handed_to_the_monitor_alone() -> None:
    name = "OPS_ATOMIC_REDIS_PASSWORD"
    for job in ALL_JOBS:
        held = fill_agent(job, INSTALLATION, {name: "s3cr3t"})
        assert (name in held["EnvironmentVariables"]) == (job == MONITOR)
        assert file_mode(held) == (0o600 if job == MONITOR else 0o644)
    assert file_mode(fill()) == 0o644


def test_nothing_that_a_path_or_value_holds_is_taken_for_syntax() -> None:
    place = Installation(Path(HOSTILE), Path(HOSTILE) / "{label}")
    agent = fill_agent(JOBS[1], place, {"OPS_ATOMIC_NOTIFY": HOSTILE_URL})
    assert agent["WorkingDirectory"] == HOSTILE
    assert plistlib.loads(render_plist(agent)) == agent

    service = render_units(agent)[f"{JOBS[1].label}.service"]
    assert read_environment(service) == agent["EnvironmentVariables"]
    exec_start = re.search(r'^ExecStart=/bin/sh "(.*)"$', service, re.MULTILINE)
    assert exec_start is not None
    # What systemd makes of it: first specifiers, then quotes, then `$$`.
    unquoted = re.sub(r"\\(.)", r"\1", exec_start[1].replace("%%", "%"))
    assert unquoted.replace("$$", "$") == f"{HOSTILE}/launchagents/run_export.sh"
    assert "$" not in exec_start[1].replace("$$", "")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("relative", "is not absolute"),
        ("~/02luka", "is not absolute"),
        ("/a\nb", "control character"),
        ("/a\x1b", "control character"),
        ("/a ", "ends in a blank"),
        ("/a\\", "ends in a blank or a backslash"),
        ("/a\udcff", "not valid UTF-8"),
    ],
)
def test_a_path_that_cannot_be_written_down_is_refused(path: str, fault: str) -> None:
    for place in (
        Installation(Path(path), INSTALLATION.root),
        Installation(INSTALLATION.project, Path(path)),
    ):
        with pytest.raises(AgentRefused, match=fault):
            fill_agent(JOBS[0], place, {})


@pytest.mark.parametrize("value", ["a\0b", "a\x1bb", "a\rb", "a\udcff"])
def test_a_value_that_cannot_be_written_down_is_refused_unseen(value: str) -> None:
    with pytest.raises(AgentRefused) as refusal:
        fill(OPS_ATOMIC_NOTIFY=f"secret{value}")
    assert "OPS_ATOMIC_NOTIFY" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_render_writes_every_file_and_only_into_that_folder(tmp_path: Path) -> None:
    output = tmp_path / "made" / "here"
    written = render(INSTALLATION, {}, output)
    assert sorted(output.iterdir()) == sorted(written)
    assert {path.name for path in written} == {path.name for path in GOLDEN.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o644}
    assert list(tmp_path.iterdir()) == [tmp_path / "made"]
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in render(INSTALLATION, {}, output)] == before


def test_files_with_notice_urls_are_for_their_owner_only(tmp_path: Path) -> None:
    written = render(INSTALLATION, {"OPS_ATOMIC_PING_URL": "https://x/y"}, tmp_path)
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


def test_another_reader_takes_the_plists_for_valid(tmp_path: Path) -> None:
    plistutil = support.require_tool("plistutil")
    place = Installation(Path(HOSTILE), Path(HOSTILE))
    for path in render(place, {"OPS_ATOMIC_NOTIFY": HOSTILE_URL}, tmp_path):
        if path.suffix != ".plist":
            continue
        read = subprocess.run(
            (plistutil, "-i", path, "-f", "bin", "-o", "-"),
            check=True,
            capture_output=True,
        )
        assert plistlib.loads(read.stdout) == plistlib.loads(path.read_bytes())


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there"
)
@pytest.mark.parametrize("name", ["plain", "a b <i> & 'q' \"d\" $HOME %h \\n x"])
def test_systemd_takes_the_units_for_valid(tmp_path: Path, name: str) -> None:
    project = tmp_path / name
    project.mkdir()
    units = render(
        Installation(project, project),
        {"OPS_ATOMIC_NOTIFY": HOSTILE_URL},
        tmp_path / "units",
    )
    (tmp_path / "runtime").mkdir()
    verified = subprocess.run(
        (
            "systemd-analyze",
            "--user",
            "verify",
            *(path for path in units if path.suffix != ".plist"),
        ),
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        },
        capture_output=True,
        text=True,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
