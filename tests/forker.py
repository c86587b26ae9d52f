"""Commands as processes of their own that need not import everything first.

A server imports once, then forks a process per command: a kill hits the run
itself, not two seconds of imports before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.root import PROJECT

SERVER = """
import contextlib, importlib, io, json, os, sys
__file__ = "server"  # without one DuckDB takes it for a person, and shows progress
sys.path.insert(0, os.getcwd())
with contextlib.redirect_stdout(io.StringIO()):  # as the run itself does it
    import dbt.cli.main, dbt.adapters.duckdb.impl
from exporter.cli.main import main
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        order = json.loads(line)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in (1, "output"), (2, "errors"):
            path = os.path.join(sys.argv[1], name)
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.environ.update(order["environment"])
        if order["prepare"]:
            module, name, arguments = order["prepare"]
            getattr(importlib.import_module(module), name)(**arguments)
        tool = dbt.cli.main.cli if order["tool"] == "dbt" else main
        tool(order["arguments"])
        os._exit(0)
    print("pid", pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print("exit", os.waitstatus_to_exitcode(status), flush=True)
"""

# What a process is told to do first: module, function, arguments by name.
Prepare = tuple[str, str, dict[str, Any]]


class Hangs(Exception):
    """A command that did not end in time; it was killed."""


@dataclass
class Forker:
    """Runs commands, one after the other."""

    server: subprocess.Popen[bytes]
    folder: Path
    pid: int = 0

    def start(
        self,
        *arguments: str,
        tool: str = "ops-atomic",
        environment: dict[str, str] | None = None,
        prepare: Prepare | None = None,
    ) -> int:
        """Start a command; returns its process id."""
        order = {
            "arguments": arguments, "tool": tool,
            "environment": environment or {}, "prepare": prepare,
        }  # fmt: skip
        assert self.server.stdin
        self.server.stdin.write(json.dumps(order).encode() + b"\n")
        self.server.stdin.flush()
        self.pid = self._number("pid")
        return self.pid

    def wait(self, limit_s: float = 600) -> int:
        """The exit code of what was started, -9 of what was killed.

        Raises Hangs.
        """
        if not select.select([self.server.stdout], [], [], limit_s)[0]:
            os.kill(self.pid, signal.SIGKILL)
            self._number("exit")
            raise Hangs(f"not ended after {limit_s:g} s: {self.said()[-2000:]}")
        return self._number("exit")

    def run(self, *arguments: str) -> int:
        """A command to its end."""
        self.start(*arguments)
        return self.wait()

    def output(self) -> str:
        """What the last command wrote to stdout."""
        return self._text("output")

    def errors(self) -> str:
        """What the last command wrote to stderr."""
        return self._text("errors")

    def said(self) -> str:
        """All that the last command wrote."""
        return self.output() + self.errors()

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def _number(self, word: str) -> int:
        """What a line says; never the number of another one, or of none."""
        line = self._line()
        while word == "pid" and line.startswith("exit"):  # of a test that failed
            line = self._line()
        said, number = line.split()
        assert said == word
        return int(number)

    def _line(self) -> str:
        assert self.server.stdout
        return self.server.stdout.readline().decode()


@contextlib.contextmanager
def forker(environment: dict[str, str], project: Path = PROJECT) -> Iterator[Forker]:
    """A server for as long as it is needed, of this project or of a copy of it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", SERVER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Unbuffered: whether a line waits is asked of the pipe.
            bufsize=0,
            cwd=project,
            # What a copy leaves out, tests for one, is taken from here.
            env=environment | {"PYTHONPATH": str(PROJECT)},
        ) as server,
    ):
        made = Forker(server, Path(folder))
        assert made._line() == "ready\n"
        yield made
        assert server.stdin
        server.stdin.close()
