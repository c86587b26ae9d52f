"""What lies on this machine: room on disks, the age of files, commands."""

from __future__ import annotations

import os
import time
from pathlib import Path

from monitor.checks.programs import run_program
from monitor.checks.result import Failed
from monitor.settings import Command, Disk, File

UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def check_disk(disk: Disk, root: Path) -> str:
    """Raises Failed when less is free than asked for."""
    try:
        held = os.statvfs(root / Path(disk.path).expanduser())
    except OSError as error:
        raise Failed(f"Disk cannot be looked at: {error.strerror}") from error
    free = held.f_bavail * held.f_frsize
    percent = 100 * held.f_bavail / held.f_blocks if held.f_blocks else 0.0
    said = f"{_size(free)} ({percent:.1f}%) free"
    if disk.free_bytes is not None and free < disk.free_bytes:
        raise Failed(f"Disk low: {said}, expected {_size(disk.free_bytes)}")
    if disk.free_percent is not None and percent < disk.free_percent:
        raise Failed(f"Disk low: {said}, expected {disk.free_percent:g}%")
    return f"Disk {said}"


def check_file(file: File, root: Path) -> str:
    """Raises Failed when it is missing or older than it may be."""
    try:
        modified = (root / Path(file.path).expanduser()).stat().st_mtime
    except FileNotFoundError as error:
        raise Failed("File is missing") from error
    except OSError as error:
        raise Failed(f"File cannot be looked at: {error.strerror}") from error
    age = max(time.time() - modified, 0)
    if age > file.max_age_s:
        raise Failed(
            f"File is {_age(age)} old, expected at most {_age(file.max_age_s)}"
        )
    return "File is fresh"


def check_command(command: Command, root: Path) -> str:
    """Raises Failed when it ends with another code than 0."""
    try:
        outcome = run_program(command.command, command.timeout_s * 0.9, root)
    except Failed as failed:
        raise Failed(f"Command {failed}") from failed
    if outcome.code:
        lines = outcome.out.strip().splitlines()
        how = f"exit code {outcome.code}" if outcome.code > 0 else "a signal"
        raise Failed(f"Command ended with {how}{': ' + lines[-1] if lines else ''}")
    return "Command succeeded"


def _size(count: int) -> str:
    for size, unit in UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
