"""A process that leaves its memory as it is ends like any other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROCESS = """
import atexit, sys
atexit.register(sys.stderr.write, "the last word")
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
    assert done.stderr.endswith("the last word")


def without_reader(*command: str) -> subprocess.CompletedProcess[str]:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as nobody:
        return subprocess.run(
            [sys.executable, "-c", *command],
            stdout=nobody, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip


def test_a_command_without_a_reader_ends_as_click_lets_it() -> None:
    done = without_reader(PROCESS, "--help")
    assert (done.returncode, done.stderr) == (1, "the last word")


def test_what_nobody_reads_is_told_as_python_tells_it() -> None:
    printed = "import sys; print('unread');"
    ours = without_reader(
        f"{printed} from exporter.runtime.process_end import end; end(0)"
    )
    pythons = without_reader(f"{printed} sys.exit(0)")
    assert (ours.returncode, ours.stderr) == (pythons.returncode, pythons.stderr)
    assert "BrokenPipeError" in ours.stderr


def test_memory_is_left_as_it_is_and_what_still_works_is_waited_for() -> None:
    ends = "from exporter.runtime.process_end import end; end(3)"
    kept = "class Kept:\n def __del__(self): print('taken apart')\nkept = Kept();"
    works = (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(1), print('worked'))).start();"
    )
    for before, said in ((kept, ""), (works, "worked\n")):
        code = f"{before} {ends}"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (3, said)
