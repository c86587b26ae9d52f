"""scripts/setup_venv.sh: whole or not there, and honest about what is missing.

A stand-in plays uv, so that nothing is fetched; test_readme.py does it for real.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingest.root import PROJECT

TOOLS = (
    "cat", "chmod", "cksum", "dirname", "mkdir", "mv", "rm", "sed", "sh", "sleep",
    "touch", "uname",
)  # fmt: skip
STAND_IN_UV = """\
#!/bin/sh
# uv venv … FOLDER, then uv pip install … twice
echo "$*" >> uv.log
for last; do :; done
case $1 in
    venv)
        mkdir -p "$last/bin"
        echo "home = $PWD/$last" > "$last/pyvenv.cfg"
        echo "#!$PWD/$last/bin/python" > "$last/bin/tool"
        printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$REAL_PYTHON" > "$last/bin/python"
        chmod +x "$last/bin/python"
        ;;
    pip)
        [ ! -e fail ] || exit 1
        [ ! -e hang ] || { touch hanging; sleep 60; }
        ;;
esac
"""


class Checkout:
    """A copy of what the script works on, with a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a project"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.folder / "scripts").mkdir(parents=True)
        for name in ("pyproject.toml", "requirements.lock", "scripts/setup_venv.sh"):
            shutil.copy2(PROJECT / name, self.folder / name)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    def provide(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def provide_python(self, version: str, name: str = "python3") -> None:
        """A Python that says it is `version`."""
        self.provide(
            name,
            "#!/bin/sh\ncase $2 in *version_info*) echo "
            f'{version};; *) exec "$REAL_PYTHON" "$@";; esac\n',
        )

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "REAL_PYTHON": sys.executable}

    def set_up(self) -> CompletedProcess[str]:
        return subprocess.run(
            ["sh", "scripts/setup_venv.sh"], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    @property
    def calls_of_uv(self) -> int:
        log = self.folder / "uv.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    @property
    def environments(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob(".venv*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def with_uv(checkout: Checkout) -> Checkout:
    checkout.provide("uv", STAND_IN_UV)
    checkout.provide_python("3.12")
    return checkout


def test_it_is_made_once(with_uv: Checkout) -> None:
    done = with_uv.set_up()
    assert done.returncode == 0, done.stderr
    assert with_uv.environments == [".venv"]
    assert with_uv.calls_of_uv == 3

    again = with_uv.set_up()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert with_uv.calls_of_uv == 3


def test_its_scripts_name_the_place_where_it_ends_up(with_uv: Checkout) -> None:
    assert with_uv.set_up().returncode == 0
    venv = with_uv.folder / ".venv"
    assert (venv / "bin" / "tool").read_text() == f"#!{venv}/bin/python\n"
    assert (venv / "pyvenv.cfg").read_text() == f"home = {venv}\n"


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_it_is_made_anew_when_what_it_hangs_on_changes(
    with_uv: Checkout, name: str
) -> None:
    with_uv.set_up()
    with (with_uv.folder / name).open("a") as stream:
        stream.write("# more\n")
    assert with_uv.set_up().returncode == 0
    assert with_uv.calls_of_uv == 6
    assert with_uv.environments == [".venv"]


def test_it_is_made_anew_at_another_place(with_uv: Checkout, tmp_path: Path) -> None:
    with_uv.set_up()
    with_uv.folder = with_uv.folder.rename(tmp_path / "elsewhere")
    assert with_uv.set_up().returncode == 0
    assert with_uv.calls_of_uv == 6


def test_a_failed_one_leaves_the_old_one_in_use(with_uv: Checkout) -> None:
    with_uv.set_up()
    (with_uv.folder / ".venv" / "old").touch()
    (with_uv.folder / "fail").touch()
    (with_uv.folder / "requirements.lock").write_text("# other\n")
    assert with_uv.set_up().returncode != 0
    assert with_uv.environments == [".venv"]
    assert (with_uv.folder / ".venv" / "old").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_one_is_not_taken_for_a_finished_one(
    with_uv: Checkout, number: signal.Signals
) -> None:
    (with_uv.folder / "hang").touch()
    process = subprocess.Popen(
        ["sh", "scripts/setup_venv.sh"], cwd=with_uv.folder, env=with_uv.environment,
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not (with_uv.folder / "hanging").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, number)
    process.wait()
    assert ".venv" not in with_uv.environments

    (with_uv.folder / "hang").unlink()
    assert with_uv.set_up().returncode == 0
    assert with_uv.environments == [".venv"]


def test_without_a_python_it_says_what_is_missing(checkout: Checkout) -> None:
    done = checkout.set_up()
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "no python3 on PATH" in done.stderr
    assert "brew install" in done.stderr or "apt install" in done.stderr
    assert checkout.environments == []


def test_it_says_which_pythons_would_not_do(checkout: Checkout) -> None:
    checkout.provide("python3.12", "#!/bin/sh\necho not found >&2\nexit 127\n")
    checkout.provide_python("3.9")
    done = checkout.set_up()
    assert done.returncode == 1
    assert "python3.12 that does not run, python3 which is 3.9" in done.stderr


def test_a_python_that_dbt_does_not_start_on_will_not_do(checkout: Checkout) -> None:
    checkout.provide_python("3.14")
    assert "python3 which is 3.14" in checkout.set_up().stderr


def test_it_says_when_only_the_venv_module_is_missing(checkout: Checkout) -> None:
    checkout.provide(
        "python3",
        "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; *) echo 3.11;; esac\n",
    )
    done = checkout.set_up()
    assert done.returncode == 1
    assert "python3 without its venv module" in done.stderr


def test_the_newest_fitting_python_is_taken(with_uv: Checkout) -> None:
    with_uv.provide_python("3.13", "python3.13")
    with_uv.provide_python("3.11", "python3.11")
    assert "(python3.13)" in with_uv.set_up().stdout


def test_an_interpreter_can_be_named(with_uv: Checkout, tmp_path: Path) -> None:
    named = tmp_path / "my python"
    with_uv.provide_python("3.11", "python3.11")
    (with_uv.bin / "python3.11").rename(named)
    done = subprocess.run(
        ["sh", "scripts/setup_venv.sh"], cwd=with_uv.folder,
        env={**with_uv.environment, "PYTHON": str(named)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"({named})" in done.stdout, done.stderr
