"""Redis, as a real server: what is wrong with it is told apart."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import redis

from monitor.checks.redis_server import check_redis, find_password
from monitor.checks.result import Doubtful, Failed
from monitor.settings import Redis
from tests.redis_server import free_port, redis_server

PASSWORD = "s3cr3t-of-redis"


def settings(port: int = 6379, **more: object) -> Redis:
    values: dict[str, object] = {
        "severity": "error", "timeout_s": 5.0, "host": "127.0.0.1", "port": port,
        "username": "", "password_env": "", "password_file": "", "keychain": "",
        "tls": False,
    }  # fmt: skip
    return Redis(**(values | more))  # type: ignore[arg-type]


def fault(port: int, password: str = "", **more: object) -> str:
    with pytest.raises(Failed) as failed:
        check_redis(settings(port, **more), password)
    assert PASSWORD not in str(failed.value)
    return str(failed.value)


def test_an_open_server_responds(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        assert check_redis(settings(port), "") == "Redis responding"
        assert "has no password, but one is given" in fault(port, PASSWORD)


def test_a_password_and_a_user_are_given(tmp_path: Path) -> None:
    rules = ("--user", "pinger", "on", f">{PASSWORD}", "resetkeys", "-@all", "+ping")
    users = ("--requirepass", PASSWORD, *rules)
    with redis_server(tmp_path, *users) as port:
        assert check_redis(settings(port), PASSWORD) == "Redis responding"
        pinger = settings(port, username="pinger")
        assert check_redis(pinger, PASSWORD) == "Redis responding"
        assert "WRONGPASS" in fault(port, "another")
        assert "WRONGPASS" in fault(port, PASSWORD, username="nobody")
        assert "NOAUTH" in fault(port)


def test_a_user_without_the_right_is_told(tmp_path: Path) -> None:
    rules = ("--user", "mute", "on", f">{PASSWORD}", "-@all")
    with redis_server(tmp_path, *rules) as port:
        assert "NOPERM" in fault(port, PASSWORD, username="mute")


def test_refused_and_silent_are_told_apart() -> None:
    assert fault(free_port()) == "Redis not responding: connection refused"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert fault(port, timeout_s=0.2) == "Redis not responding: timed out"


def test_loading_is_told(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        client = redis.Redis(port=port)
        client.mset({f"key{number}": "x" * 2000 for number in range(5000)})
        client.save()
        client.close()
    slowly = ("--key-load-delay", "2000", "--loading-process-events-interval-bytes")
    with redis_server(tmp_path, *slowly, "1024") as port:
        assert fault(port) == "Redis is loading its data (LOADING)"


def test_a_read_only_replica_is_told(tmp_path: Path) -> None:
    with redis_server(tmp_path / "main") as main:
        follows = ("--replicaof", f"127.0.0.1 {main}")
        replica = redis_server(tmp_path / "replica", *follows)
        with replica as port, pytest.raises(Doubtful, match="read-only replica"):
            check_redis(settings(port), "")
        with redis_server(
            tmp_path / "writes", *follows, "--replica-read-only", "no"
        ) as port:
            assert check_redis(settings(port), "") == "Redis responding"


def test_the_password_is_found_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_PASSWORD", PASSWORD)
    assert find_password(settings(password_env="A_PASSWORD"), tmp_path) == PASSWORD
    assert find_password(settings(password_env="NOT_SET"), tmp_path) == ""
    (tmp_path / "word").write_text(f"{PASSWORD}\n")
    assert find_password(settings(password_file="word"), tmp_path) == PASSWORD
    with pytest.raises(Failed, match="password_file: No such file"):
        find_password(settings(password_file="gone"), tmp_path)


def test_the_keychain_is_asked_by_its_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "security"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$*" = "find-generic-password -w -s redis" ] && echo {PASSWORD} && exit\n'
        "exit 44\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr("monitor.checks.redis_server.SECURITY", str(program))
    assert find_password(settings(keychain="redis"), tmp_path) == PASSWORD
    with pytest.raises(Failed, match="the keychain has no item 'other'"):
        find_password(settings(keychain="other"), tmp_path)
