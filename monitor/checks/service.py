"""A service: what launchd or systemd says of it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from monitor.checks.programs import Outcome, run_program
from monitor.checks.result import Doubtful, Failed, Skipped
from monitor.settings import Service

PROPERTIES = "--property=LoadState,ActiveState,Result"
# A unit that another one starts may rest, and be well.
SUFFIXES = (".timer", ".service")
KNOWN_SUFFIX = re.compile(r".+\.(?:service|timer|socket|path|target|mount)")


def check_service(service: Service, root: Path) -> str:
    """Raises Failed, Doubtful for one whose last run failed, and Skipped."""
    if launchctl := shutil.which("launchctl"):
        return _ask_launchd(launchctl, service, root)
    if systemctl := shutil.which("systemctl"):
        return _ask_systemd(systemctl, service, root)
    raise Skipped("no launchd or systemd on this machine")


def _ask_launchd(launchctl: str, service: Service, root: Path) -> str:
    uid = os.getuid()
    for domain in (f"gui/{uid}", f"user/{uid}", "system"):
        command = (launchctl, "print", f"{domain}/{service.name}")
        printed = run_program(command, service.timeout_s * 0.3, root)
        if printed.code == 0:
            # Only what is one tab deep is of the service itself.
            code = re.search(r"^\tlast exit code = (\d+)", printed.out, re.MULTILINE)
            if code and code[1] != "0":
                raise Doubtful(f"LaunchAgent loaded, its last run exited {code[1]}")
            return "LaunchAgent loaded"
    raise Failed("LaunchAgent not loaded")


def _ask_systemd(systemctl: str, service: Service, root: Path) -> str:
    units = [service.name]
    if not KNOWN_SUFFIX.fullmatch(service.name):
        units = [f"{service.name}{suffix}" for suffix in SUFFIXES]
    has_answered = False
    for scope in ("--user", "--system"):
        states = []
        for unit in units:
            command = (systemctl, scope, "--no-pager", "show", PROPERTIES, unit)
            shown = run_program(command, service.timeout_s * 0.2, root)
            if shown.code == 0:
                states.append(_properties(shown))
        has_answered |= bool(states)
        loaded = [state for state in states if state.get("LoadState") == "loaded"]
        if not loaded:
            continue
        for state in loaded:
            if state.get("ActiveState") == "failed":
                raise Failed(f"Service failed ({state.get('Result')})")
        if any(state.get("ActiveState") != "inactive" for state in loaded):
            return "Service loaded"
        raise Failed("Service not active")
    if not has_answered:
        raise Skipped("systemd does not answer on this machine")
    raise Failed("Service not loaded")


def _properties(shown: Outcome) -> dict[str, str]:
    return dict(line.split("=", 1) for line in shown.out.splitlines() if "=" in line)
