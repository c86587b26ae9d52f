"""A real Redis server on a free port of this machine."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests import support


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def redis_server(
    folder: Path, *arguments: str, port: int = 0, waits: bool = True
) -> Iterator[int]:
    """Its port, for as long as the block runs; skips the test without Redis."""
    program = support.require_tool("redis-server")
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
        "--save", "", "--appendonly", "no", *arguments,
    ]  # fmt: skip
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while waits and not _answers(port):
            assert process.poll() is None, (folder / "redis.log").read_text()
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
