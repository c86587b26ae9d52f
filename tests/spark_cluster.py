"""A real Spark cluster on this machine: a standalone master and its workers."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ingest.root import PROJECT
from tests import support

# Made by `make fleet`.
FLEET = PROJECT / ".venv-fleet"
# What somebody copies who has a cluster.
CONFIGURATION = PROJECT / "docs" / "spark" / "spark-defaults.conf"
# What is stuck fails; what is slow, on a machine with much to do, is not.
PATIENCE_S = 1200


class Cluster:
    """A master, its workers, and drivers that use them, by name; each has a log and
    is the head of a process group with all that it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "conf").mkdir(parents=True)

    @property
    def environment(self) -> dict[str, str]:
        """In which a driver finds the cluster."""
        return {
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
        }

    def start(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str],
        cwd: Path = PROJECT,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, env={**environment, **self.environment}, cwd=cwd,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
            )  # fmt: skip
        return self.processes[name]

    def start_daemon(self, name: str, role: str, *arguments: str) -> None:
        (home,) = FLEET.glob("lib/python*/site-packages/pyspark")
        more = {
            "SPARK_HOME": str(home),
            "SPARK_DAEMON_MEMORY": "256m",
            # It would take a port of all.
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            "SPARK_WORKER_DIR": str(self.folder / "work" / name),
        }
        command: list[str | Path] = [
            home / "bin" / "spark-class", f"org.apache.spark.deploy.{role}",
            "--host", "127.0.0.1", "--port", "0", "--webui-port", "0", *arguments,
        ]  # fmt: skip
        self.start(name, command, {**os.environ, **more}, self.folder)

    def kill(self, name: str) -> None:
        """As a machine that loses its power: with the executors of a worker."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait_for(self, name: str, pattern: str, times: int = 1) -> re.Match[str]:
        """Until a process has said something so often; the first match."""
        self.wait_until(name, lambda: len(re.findall(pattern, self.log(name))) >= times)
        match = re.search(pattern, self.log(name))
        assert match
        return match

    def wait_until(self, name: str, holds: Callable[[], bool]) -> None:
        """Until something holds, while a process works on it."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.processes[name].poll() is None, self.log(name)
            assert time.monotonic() < deadline, self.log(name)
            time.sleep(0.05)


@contextlib.contextmanager
def spark_cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster with workers `worker-1`, …, of one core each, for as long as the
    block runs; skips the test without Java or .venv-fleet."""
    support.require_tool("java")
    support.require_tool(str(FLEET / "bin" / "dbt"))
    cluster = Cluster(folder)
    try:
        cluster.start_daemon("master", "master.Master")
        address = cluster.wait_for("master", r"Starting Spark master at (spark://\S+)")
        for number in range(1, workers + 1):
            cluster.start_daemon(
                f"worker-{number}", "worker.Worker", "--cores", "1",
                "--memory", "512m", str(address[1]),
            )  # fmt: skip
        for number in range(1, workers + 1):
            cluster.wait_for(f"worker-{number}", "Successfully registered with master")
        _configure(cluster, address[1])
        yield cluster
    finally:
        for name in list(cluster.processes):
            cluster.kill(name)


def _configure(cluster: Cluster, address: str) -> None:
    """The project's configuration, with the address and what fits on this machine."""
    target = cluster.folder / "conf" / CONFIGURATION.name
    shutil.copyfile(CONFIGURATION, target)
    lines = {
        "spark.master": address,
        "spark.driver.memory": "1g",
        "spark.executor.memory": "512m",
        "spark.ui.enabled": "false",
        # Minutes are too short for the second compiler, and for much parallel work.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    with target.open("a", encoding="utf-8") as file:
        file.writelines(f"{name} {value}\n" for name, value in lines.items())
