"""A process that leaves its memory as it is ends like any other."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESS = """
import atexit, sys
sys.modules["dbt"] = sys  # as if a run had imported it
atexit.register(print, "the last word")
sys.argv = ["ops-atomic", *sys.argv[1:]]
from exporter.__main__ import run
run()
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [("--version", 0, "version"), ("exprot", 2, "No such command")],
)
def test_code_output_and_exit_functions_are_kept(
    arguments: str, code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, *arguments.split()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert done.stdout.endswith("the last word\n")


def test_a_reader_that_went_away_hangs_nothing() -> None:
    command = f"{sys.executable} -c '{PROCESS}' --help | true"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
