"""From settings to the checks of a heartbeat, in its order."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from monitor.checks.database import check_database
from monitor.checks.endpoint import check_endpoint
from monitor.checks.local import check_command, check_disk, check_file
from monitor.checks.redis_server import check_redis, find_password
from monitor.checks.result import Failed
from monitor.checks.service import check_service
from monitor.redaction import redact
from monitor.runner import Planned
from monitor.settings import Redis, Settings

SECRET = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key)")
# Shorter ones would mask half of what is said.
LEAST_CHARS = 6


def plan_checks(settings: Settings, root: Path) -> list[Planned]:
    """The checks that the settings ask for, by group."""
    planned = []
    if redis := settings.redis:
        probe = partial(_check_redis, redis, root)
        planned.append(
            Planned("Redis", "Status", redis.severity, redis.timeout_s, probe)
        )
    if database := settings.database:
        probe = partial(check_database, database, root)
        planned.append(
            Planned("Database", "Status", database.severity, database.timeout_s, probe)
        )
    for endpoint in settings.endpoints:
        probe = partial(check_endpoint, endpoint)
        planned.append(
            Planned(
                "API Endpoints", endpoint.name, endpoint.severity, endpoint.timeout_s,
                probe,
            )
        )  # fmt: skip
    for service in settings.services:
        probe = partial(check_service, service, root)
        planned.append(
            Planned(
                "LaunchAgents", service.name, service.severity, service.timeout_s, probe
            )
        )
    for disk in settings.disks:
        probe = partial(check_disk, disk, root)
        name = redact(disk.path)
        planned.append(Planned("Disks", name, disk.severity, disk.timeout_s, probe))
    for file in settings.files:
        probe = partial(check_file, file, root)
        name = redact(file.path)
        planned.append(Planned("Files", name, file.severity, file.timeout_s, probe))
    for command in settings.commands:
        probe = partial(check_command, command, root)
        planned.append(
            Planned(
                "Commands", command.name, command.severity, command.timeout_s, probe
            )
        )
    return planned


def secrets_of_environment() -> list[str]:
    """What must not be shown, whoever says it: a command's output, an error."""
    return [
        value
        for name, value in os.environ.items()
        if SECRET.search(name) and len(value) >= LEAST_CHARS
    ]


def _check_redis(redis: Redis, root: Path) -> str:
    password = find_password(redis, root)
    try:
        return check_redis(redis, password)
    except Failed as failed:
        raise Failed(redact(str(failed), [password])) from None
