"""python -m bench.fleets [--machines N …] [--days N] [--engine NAME …] [--work DIR].

What the marts of many machines cost, on DuckDB and on Spark, and one new day on top.
Spark is the one that SPARK_CONF_DIR describes, else local on all cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from bench.chart import svg
from bench.context import MIB, PROJECT
from tests.fleet_days import FIRST, MACHINES, publish_day
from tests.fleets import Fleet

ENGINES = {"DuckDB": "fleet", "Spark": "spark"}
FLEET_PYTHON = PROJECT / ".venv-fleet" / "bin" / "python"
STEPS = ("from empty", "one new day", "nothing new")


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, seconds of processors and the largest memory, both of a
    command with all that it starts."""

    seconds: float
    processor_s: float
    peak_bytes: int


def main() -> int:
    arguments = _parse()
    found: dict[str, dict[int, dict[str, Cost]]] = {}
    with tempfile.TemporaryDirectory(prefix="ops-atomic-fleets-") as temporary:
        work = (arguments.work or Path(temporary)).absolute()
        for machines in arguments.machines:
            for engine in arguments.engine or ENGINES:
                costs = measure(work, machines, arguments.days, engine)
                found.setdefault(engine, {})[machines] = costs
                said = {step: asdict(cost) for step, cost in costs.items()}
                line = {"machines": machines, "engine": engine, **said}
                sys.stderr.write(json.dumps(line) + "\n")
    sys.stdout.write(table(found))
    chart = svg(
        {
            f"{engine}, {step}": [
                (machines, costs[step].processor_s) for machines, costs in sizes.items()
            ]
            for engine, sizes in found.items()
            for step in STEPS[:2]
        },
        "Marts of many machines: seconds of processors",
        across="machines",
    )
    (PROJECT / "docs" / "fleet.svg").write_text(chart, encoding="utf-8")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fleets", description=__doc__)
    parser.add_argument("--machines", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--engine", action="append", choices=list(ENGINES))
    parser.add_argument("--work", type=Path, help="default: a temporary folder")
    return parser.parse_args()


def measure(work: Path, machines: int, days: int, engine: str) -> dict[str, Cost]:
    """The costs of each step, on a storage of its own."""
    top = work / f"{machines}-{days}-{engine}"
    shutil.rmtree(top, ignore_errors=True)
    fleet = Fleet(top / "fleet")
    templates = Fleet(work / f"templates-{days}")
    make_templates(templates, days)
    publish(fleet, templates, machines, range(days))
    target = ENGINES[engine]
    costs = {"from empty": build(top, target, days)}
    publish(fleet, templates, machines, [days])
    costs["one new day"] = build(top, target, days + 1)
    costs["nothing new"] = build(top, target, days + 1)
    return costs


def make_templates(templates: Fleet, days: int) -> None:
    """Machines of which no two are alike, and a day more."""
    for machine in MACHINES:
        for number in range(days + 1):
            day = FIRST + timedelta(days=number)
            if not templates.place(machine, "ops_atomic", day).exists():
                publish_day(templates, machine, day)


def publish(
    fleet: Fleet, templates: Fleet, machines: int, numbers: Sequence[int]
) -> None:
    """Days of so many machines, each like a template and with a name of its own."""
    days = {f"{FIRST + timedelta(days=number):%Y%m%d}" for number in numbers}
    for number in range(machines):
        name = f"m{number:05}"
        origin = templates.path / f"machine={MACHINES[number % len(MACHINES)]}"
        for path in origin.rglob("*.parquet"):
            if path.stem[-8:] in days:
                place = fleet.path / f"machine={name}" / path.relative_to(origin)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, place)
        fleet.mart(name, name)


def build(top: Path, target: str, days: int) -> Cost:
    """`dbt build` at the end of the last day."""
    python = FLEET_PYTHON if target == "spark" else Path(sys.executable)
    return run(
        [
            str(python.parent / "dbt"), "--log-path", str(top / "logs"), "build",
            "--target", target, "--target-path", str(top / "target"),
        ],
        {
            "OPS_ATOMIC_FLEET": str(top / "fleet"),
            "OPS_ATOMIC_AS_OF": f"{FIRST + timedelta(days=days)}T00:00:00",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        top / "last.log",
    )  # fmt: skip


def run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end, with a look at its process group twice a second: a
    JVM is no child that anybody waits for. Raises RuntimeError if it fails."""
    begun = time.perf_counter()
    with log.open("wb") as said:
        child = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, process_group=0,
        )  # fmt: skip
        processor_s: dict[int, float] = {}
        peak = 0
        while child.poll() is None:
            now = processes_of(child.pid)
            # A new process is as large as its parent until it runs a program.
            known = [size for pid, (_, size) in now.items() if pid in processor_s]
            peak = max(peak, sum(known))
            processor_s |= {pid: seconds for pid, (seconds, _) in now.items()}
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.5)
    if child.returncode:
        words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended: {words}")
    return Cost(time.perf_counter() - begun, sum(processor_s.values()), peak)


def processes_of(group: int) -> dict[int, tuple[float, int]]:
    """(seconds of processors, bytes in memory) of each process of a group."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,pid=,time=,rss="],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {}
    for line in listed.stdout.splitlines():
        pgid, pid, clock, kibibytes = line.split()
        if int(pgid) == group:
            found[int(pid)] = (seconds_of(clock), int(kibibytes) * 1024)
    return found


def seconds_of(clock: str) -> float:
    """`[DD-]HH:MM:SS` of Linux, `MM:SS.hh` of macOS."""
    days, _, rest = clock.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)


def table(found: Mapping[str, Mapping[int, Mapping[str, Cost]]]) -> str:
    """Markdown: a line for each number of machines, engine and step."""
    lines = [
        "| machines | engine | build | processors | memory |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {machines:,} | {engine} | {step} | {cost.processor_s:.0f} s | "
        f"{cost.peak_bytes / MIB:,.0f} MiB |"
        for engine, sizes in found.items()
        for machines, costs in sizes.items()
        for step, cost in costs.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
