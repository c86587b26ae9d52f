"""Checks of the machinery: agents, wrapper, version, folders, log, notices."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.parsers.expat import ExpatError

from exporter import __version__
from exporter.agents import service
from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.jobs import ALL_LABELS, JOBS, Installation, Job
from exporter.agents.status import AgentStatus, find_statuses
from exporter.agents.system import System
from exporter.notify import delivery, outbox
from exporter.reporting.logs import log_path
from exporter.runtime import machine
from exporter.verify.checks import (
    COMPONENT,
    FAIL,
    NOT_HERE,
    PASS,
    PENDING,
    TEST,
    Check,
    passed,
)
from ingest import advice
from ingest.root import PROJECT, Root

GUIDE = PROJECT / "docs" / "operations.md"
MAKE_VENV = f"make -C {advice.path(PROJECT)} venv"
# A day, and what a run or a late waking may take on top of it.
LOG_AGE = timedelta(hours=26)
RUN_TIMEOUT_S = 120


def check_agents(root: Root, system: System | None = None) -> Iterator[Check]:
    """The agents of this machine, as its manager of jobs has them."""
    if sys.platform != "darwin":
        yield Check(COMPONENT, "launchd", "macOS", sys.platform, NOT_HERE)
    try:
        system = system or service.this_system()
        system.find(JOBS[0].label)
    except AgentError as error:
        # A Mac always has launchd; elsewhere there may be nothing to ask.
        status = FAIL if sys.platform == "darwin" else NOT_HERE
        for job in JOBS:
            said, mend = advice.parted(str(error))
            mend = mend or advice.command(None, "agents", "status")
            yield Check(
                COMPONENT, job.label, _schedule(job), said, status,
                mend if status == FAIL else "",
            )  # fmt: skip
        return
    for found in find_statuses(system, PROJECT):
        yield _check_agent(root, found, system.name)


def _check_agent(root: Root, found: AgentStatus, system: str) -> Check:
    label, target, loaded = found.job.label, _schedule(found.job), found.loaded
    install = advice.command(root, "agents", "install")
    run = advice.command(None, "agents", "run", label)
    if found.root and Path(found.root) != root.path:
        actual = f"exports another root, {found.root}"
        return Check(COMPONENT, label, target, actual, FAIL, install)
    if found.problems or loaded is None:
        parts = [advice.parted(problem) for problem in found.problems]
        actual = "; ".join(said for said, _ in parts) or "not loaded"
        mends = [mend for _, mend in parts if mend] or [run if loaded else install]
        # Their commands are of the agents' root, if they have any.
        mend = install if " agents install" in mends[0] else mends[0]
        return Check(COMPONENT, label, target, actual, FAIL, mend)
    if found.job.runs_for_ever:
        actual = f"{system}, running (pid {loaded.pid}); {found.beats}"
        return Check(COMPONENT, label, target, actual, PASS)
    code = loaded.last_exit_code
    last = "not run yet" if code is None else f"last exit {code}"
    actual = f"{system}, {loaded.schedule}, {last}"
    if found.next_start:
        actual += f", next start {found.next_start:%Y-%m-%d %H:%M %Z}"
    actual += f", {found.success}"
    if code is None:
        return Check(COMPONENT, label, target, actual, PENDING, run)
    return Check(COMPONENT, label, target, actual, PASS)


def _schedule(job: Job) -> str:
    if job.runs_for_ever:
        return "running, heartbeats arrive"
    return f"loaded, {job.schedule}, last exit 0"


def check_plists(root: Root) -> Check:
    """The agents' files, written aside and read again."""
    name, target = "Plist syntax", f"{len(ALL_LABELS)} valid plists"
    try:
        with tempfile.TemporaryDirectory() as folder:
            service.render(Installation(PROJECT, root.path), os.environ, Path(folder))
            labels = {
                plistlib.loads(path.read_bytes())["Label"]
                for path in Path(folder).glob("*.plist")
            }
    except (AgentRefused, OSError, ValueError, KeyError, ExpatError) as error:
        return Check(
            COMPONENT,
            name,
            target,
            str(error),
            FAIL,
            advice.command(root, "agents", "install"),
        )
    actual = f"{len(labels)} valid plists"
    return Check(
        COMPONENT,
        name,
        target,
        actual,
        passed(labels == set(ALL_LABELS)),
        "" if labels == set(ALL_LABELS) else MAKE_VENV,
    )


def check_wrapper() -> Check:
    """The wrapper that agents start, run with --help in an empty environment."""
    wrapper = Installation(PROJECT, PROJECT).wrapper
    code, said = _run("/usr/bin/env", "-i", str(wrapper), "--help")
    is_well = code == 0 and "Usage:" in said
    actual = "exit 0" if is_well else f"exit {code}: {said[-200:]}"
    return Check(
        TEST, "Wrapper runs in an empty environment", "exit 0", actual, passed(is_well),
        "" if is_well else MAKE_VENV,
    )  # fmt: skip


def check_version() -> Check:
    """The command that the wrapper starts is of this version."""
    command = Installation(PROJECT, PROJECT).venv / "bin" / "ops-atomic"
    code, said = _run(str(command), "--version")
    actual = said.rpartition(" ")[2] if code == 0 else f"exit {code}: {said[-200:]}"
    is_well = actual == __version__
    mend = "" if is_well else MAKE_VENV
    return Check(
        COMPONENT, "Exporter version", __version__, actual, passed(is_well), mend
    )


def check_machine(root: Root) -> Check:
    """The name that stands in every row of the marts."""
    name = machine.machine_name(root)
    return Check(COMPONENT, "Machine", "a name that stays", name, PASS)


def check_folders(root: Root) -> Iterator[Check]:
    """The folders that an export writes to."""
    published = root.path / "knowledge" / "optimize" / "parquet"
    for folder in (
        root.path / "g" / "analytics",
        published,
        root.reports / "parquet",
        root.logs,
    ):
        is_there, may_write = folder.is_dir(), os.access(folder, os.W_OK)
        actual = "missing" if not is_there else "writable" if may_write else "read-only"
        rights = f"chmod u+rwx {advice.path(folder)}"
        mend = rights if is_there else advice.command(root, "export")
        is_well = is_there and may_write
        status = passed(is_well)
        if folder == published and not is_there:
            # It comes with the first file that is published into it.
            actual, status, mend = "nothing published yet", PENDING, ""
        yield Check(
            COMPONENT, f"Folder {root.relative(folder)}", "writable", actual,
            status, "" if is_well else mend,
        )  # fmt: skip


def check_log(root: Root, now: datetime) -> Check:
    """The log is there, and a run has written to it lately."""
    hours = LOG_AGE // timedelta(hours=1)
    name, target = "Log", f"written within {hours} hours"
    try:
        written = log_path(root).stat().st_mtime
    except OSError:
        return Check(
            COMPONENT,
            name,
            target,
            "no log yet",
            PENDING,
            advice.command(root, "export"),
        )
    age = now - datetime.fromtimestamp(written, UTC).replace(tzinfo=None)
    is_well = age <= LOG_AGE
    return Check(
        COMPONENT, name, target, f"{age / timedelta(hours=1):.1f} hours ago",
        passed(is_well), "" if is_well else advice.command(root, "export"),
    )  # fmt: skip


def check_notices(root: Root) -> Check:
    """Nothing waits in the outbox for a service that did not take it."""
    waiting = len(outbox.waiting(root))
    configured = delivery.is_configured()
    if not configured and not waiting:
        actual = f"{delivery.VARIABLE} is not set"
        return Check(COMPONENT, "Notices", "none waiting", actual, NOT_HERE)
    mend = (
        advice.command(root, "notify")
        if configured
        else f"grep -A 12 '^## Notices' {advice.path(GUIDE)}"
    )
    return Check(
        COMPONENT, "Notices", "none waiting", f"{waiting:,} waiting",
        passed(not waiting), mend if waiting else "",
    )  # fmt: skip


def _run(*command: str) -> tuple[int, str]:
    """Exit code and output of a program; 127 where it cannot be run."""
    try:
        ended = subprocess.run(
            command, capture_output=True, check=False, text=True,
            stdin=subprocess.DEVNULL, timeout=RUN_TIMEOUT_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return ended.returncode, (ended.stdout + ended.stderr).strip()
