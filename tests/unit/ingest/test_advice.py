"""Advice is a command that works when it is pasted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.runtime.redact import redact
from ingest import advice
from ingest.root import Root

BIN = Path(sys.prefix) / "bin"


def paste(line: str, home: Path, path: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line, in a folder that is no one's."""
    environment = {"PATH": path, "HOME": str(home)}
    return subprocess.run(
        ["/bin/sh", "-c", line], env=environment, cwd="/", text=True,
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = (tmp_path / "ho me").resolve()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return home


@pytest.mark.parametrize("name", ["02 luka", "it's", "$HOME; echo", "a\nb"])
@pytest.mark.parametrize("is_at_home", [True, False])
def test_any_root_can_be_pasted(
    tmp_path: Path, home: Path, name: str, is_at_home: bool
) -> None:
    root = Root((home if is_at_home else tmp_path.resolve()) / name)
    (root.path / "g").mkdir(parents=True)
    line = advice.command(root, "validate", "--json")
    # As messages show it: the home folder is `~` there.
    done = paste(redact(line) if is_at_home else line, home, "/usr/bin:/bin")
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert "nothing to validate" in said["errors"][0]
    assert name in said["errors"][0]


def test_the_root_that_is_taken_anyway_is_not_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "02luka").mkdir()
    root = Root(home / "02luka")
    assert "--root" not in advice.command(root, "export")
    monkeypatch.setenv("OPS_ATOMIC_ROOT", str(root.path))
    assert "--root" not in advice.command(root, "export")
    monkeypatch.setenv("OPS_ATOMIC_ROOT", str(home))
    assert advice.command(root, "export").endswith(" export --root ~/02luka")


def test_the_program_is_named_by_its_path_where_no_shell_would_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_path = f"{advice.path(BIN / 'ops-atomic')} doctor"
    assert advice.command(None, "doctor") == by_path
    # So does an agent's PATH begin, which no shell has.
    monkeypatch.setenv("PATH", f"{BIN}:/usr/bin:/bin")
    assert advice.command(None, "doctor") == by_path
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert advice.command(None, "doctor") == "ops-atomic doctor"
    monkeypatch.delenv("VIRTUAL_ENV")
    links = tmp_path / "links"
    links.mkdir()
    monkeypatch.setenv("PATH", f"{links}:/usr/bin:/bin")
    os.symlink(BIN / "ops-atomic", links / "ops-atomic")
    assert advice.command(None, "doctor") == "ops-atomic doctor"
    (links / "ops-atomic").unlink()
    (links / "ops-atomic").write_text("#!/bin/sh\n")
    (links / "ops-atomic").chmod(0o755)
    assert advice.command(None, "doctor") == by_path, "another program"


def test_words_are_quoted() -> None:
    line = advice.run("x: broken", None, "export", "--date", "a b")
    assert line.endswith("/ops-atomic export --date 'a b'")
    assert line.startswith("x: broken: run ")
