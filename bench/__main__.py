"""python -m bench [--quick] [--only NAME …] [--work DIR]."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from bench.chart import svg
from bench.context import FULL, PROJECT, QUICK, Bench
from bench.measures import MEASURES
from bench.report import page, text_table

DOCS = PROJECT / "docs"
LOCK = PROJECT / "bench" / "requirements.lock"
PEERS_VENV = PROJECT / ".venv-bench"


def main() -> int:
    arguments = _parse()
    with tempfile.TemporaryDirectory(prefix="ops-atomic-bench-") as temporary:
        work = (arguments.work or Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        bench = Bench(work, QUICK if arguments.quick else FULL, peers_python(), _say)
        for name in arguments.only or MEASURES:
            _say(f"== {name}")
            try:
                MEASURES[name](bench)
            except (RuntimeError, OSError) as error:
                # One measure that cannot be taken does not cost the others.
                _say(f"{name} was not measured: {error}")
                bench.findings.details.append(f"{name} was not measured.")
    found = bench.findings
    sys.stdout.write(text_table(found.lines) + "\n")
    if arguments.quick or arguments.only:
        sys.stdout.write("\n".join(f"- {detail}" for detail in found.details) + "\n")
        return 0
    DOCS.mkdir(exist_ok=True)
    prose = (PROJECT / "bench" / "notes.md").read_text(encoding="utf-8")
    chart = svg(found.points, "Cost of a run against stored history")
    (DOCS / "benchmarks.svg").write_text(chart, encoding="utf-8")
    (DOCS / "benchmarks.md").write_text(
        page(found, machine(), prose, "benchmarks.svg"), encoding="utf-8"
    )
    _say("wrote docs/benchmarks.md and docs/benchmarks.svg")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small roots, two minutes; docs/ is left alone",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(MEASURES),
        metavar="NAME",
        help=f"only this measure ({', '.join(MEASURES)}); docs/ is left alone",
    )
    parser.add_argument(
        "--work",
        type=Path,
        help="folder for the roots, kept and used again; default: a temporary one",
    )
    return parser.parse_args()


def peers_python() -> Path:
    """The Python of an environment with pandas and pyarrow, made on first use."""
    python = PEERS_VENV / "bin" / "python"
    mark = PEERS_VENV / "requirements.lock"
    wanted = LOCK.read_text(encoding="utf-8")
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        _say("making .venv-bench with pandas and pyarrow")
        subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(PEERS_VENV)], check=True
        )
        subprocess.run(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--disable-pip-version-check",
                "-r",
                str(LOCK),
            ],
            check=True,
        )
        mark.write_text(wanted, encoding="utf-8")
    return python


def machine() -> dict[str, str]:
    """What the figures hang on; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    lock = LOCK.read_text(encoding="utf-8").splitlines()
    peers = [line.split(" ")[0] for line in lock if line.startswith(("pandas", "pya"))]
    return {
        "System": f"{platform.system()} on {platform.machine()}",
        "Processors": str(os.cpu_count()),
        "Memory": f"{memory:.0f} GiB",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "dbt-core", "dbt-duckdb")},
        "Peers": ", ".join(peers),
    }


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
