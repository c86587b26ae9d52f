"""Redis: an authenticated PING, and whether it takes what is written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from monitor.checks.result import Doubtful, Failed
from monitor.settings import Redis

SECURITY = "/usr/bin/security"


def find_password(redis: Redis, root: Path) -> str:
    """The password from where the settings say it is; empty for none.

    Raises Failed when that place does not have one.
    """
    if redis.password_file:
        path = root / Path(redis.password_file).expanduser()
        try:
            return path.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "not UTF-8"
            raise Failed(f"Redis not asked: password_file: {said}") from error
    if redis.keychain:
        command = (SECURITY, "find-generic-password", "-w", "-s", redis.keychain)
        try:
            found = subprocess.run(
                command, capture_output=True, check=False, encoding="utf-8",
                errors="replace", stdin=subprocess.DEVNULL, timeout=redis.timeout_s,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed("Redis not asked: the keychain does not answer") from error
        if found.returncode:
            said = f"the keychain has no item {redis.keychain!r}"
            raise Failed(f"Redis not asked: {said}")
        return found.stdout.strip("\r\n")
    return os.environ.get(redis.password_env, "") if redis.password_env else ""


def check_redis(redis: Redis, password: str) -> str:
    """Raises Failed, and Doubtful for a replica that takes no writes."""
    # Here, because it takes longer than a command that needs no Redis.
    from redis import Redis as Client
    from redis import exceptions
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = Client(
        host=redis.host,
        port=redis.port,
        username=redis.username or None,
        password=password or None,
        ssl=redis.tls,
        # Nothing but what is asked for: a user may have the right to PING only.
        protocol=2,
        driver_info=None,
        socket_timeout=redis.timeout_s * 0.8,
        socket_connect_timeout=redis.timeout_s * 0.8,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
        try:
            replication = client.info("replication")
        except exceptions.ResponseError:
            replication = {}  # this user may not ask
    except exceptions.AuthenticationError as error:
        raise Failed(_refusal(str(error))) from error
    except exceptions.BusyLoadingError as error:
        raise Failed("Redis is loading its data (LOADING)") from error
    except exceptions.TimeoutError as error:
        raise Failed("Redis not responding: timed out") from error
    except exceptions.ConnectionError as error:
        raise Failed(f"Redis not responding: {_cause(error)}") from error
    except exceptions.RedisError as error:
        raise Failed(_refusal(str(error))) from error
    finally:
        client.close()
    if replication.get("role") == "slave" and replication.get("slave_read_only", 1):
        raise Doubtful("Redis is a read-only replica")
    return "Redis responding"


def _refusal(said: str) -> str:
    """The client leaves out the code that the server began with."""
    lower = said.lower()
    if "wrongpass" in lower or "invalid username-password" in lower:
        return "Redis refuses this password (WRONGPASS)"
    if "noauth" in lower or "authentication required" in lower:
        return "Redis wants a password (NOAUTH)"
    if "without any password configured" in lower:
        return "Redis has no password, but one is given"
    if "noperm" in lower or "no permissions" in lower:
        return "Redis lets this user not PING (NOPERM)"
    if "read only replica" in lower:
        return "Redis is a read-only replica (READONLY)"
    return f"Redis not responding: {said}"


def _cause(error: BaseException) -> str:
    """Why there is no connection, in the system's own words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, TimeoutError):
            return "timed out"
        cause = cause.__cause__ or cause.__context__
    return str(error)
