"""The README's commands, typed by a new user on a fresh copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.root import PROJECT
from tests import faults
from tests.support import HOME, clean_environment, tracked_files, unmeasured

# This test is a part of it.
NOT_RUN_HERE = {"make test"}


def commands() -> list[str]:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    return [
        command
        for block in blocks
        # One per line, unless a quotation runs over several.
        for command in ([block.strip()] if '"' in block else block.splitlines())
    ]


def caches() -> dict[str, str]:
    """Where downloads are kept, so that a test run need not repeat them."""
    kept = {
        "UV_CACHE_DIR": HOME / ".cache" / "uv",
        "PIP_CACHE_DIR": HOME / ".cache" / "pip",
    }
    return {
        name: os.environ.get(name, str(path))
        for name, path in kept.items()
        if path.is_dir()
    }


@pytest.fixture
def fresh_copy(tmp_path: Path) -> Path:
    """What git tracks, in a folder with a space in its name."""
    target = tmp_path / "ops atomic"
    for path in tracked_files():
        copy = target / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
    return target


def snippets() -> list[str]:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    return found


@pytest.mark.parametrize("snippet", snippets())
def test_its_python_runs_as_it_stands(snippet: str, root: Path, tmp_path: Path) -> None:
    """That of tools which are not there, such as pandas, is left out."""
    for name in re.findall(r"^import (\w+)", snippet, re.MULTILINE):
        pytest.importorskip(name)
    faults.export(root)  # it is a copy: the catalogue follows
    code = snippet.replace("/path/to/02luka", str(root))
    assert code != snippet
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_readme_has_the_two_commands() -> None:
    assert commands()[:2] == ["make export", "make test"]


# That it is of just these files: or each run would make it again.
TELL_WHAT_SET_UP_LEFT = """
from exporter.contracts.kept import TABLES
from exporter.contracts.settings import SEEDS
from exporter.publish import dbt_generated, dbt_manifest
from exporter.runtime.environment import KEPT
from exporter.runtime.generated import COMMAND, GENERATED
from exporter.runtime.kept import read_kept
from exporter.status.statements import STATEMENTS
for kept in (TABLES, SEEDS, STATEMENTS):
    assert read_kept(KEPT / kept.name, kept.key()), kept.name
assert read_kept(KEPT / dbt_manifest.MANIFEST, dbt_manifest.fingerprint())
assert GENERATED.read(COMMAND)
assert GENERATED.read(dbt_generated.PLACE, dbt_generated.versions().values())
"""


def test_its_commands_work_on_a_fresh_copy(fresh_copy: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for command in commands():
        if command in NOT_RUN_HERE:
            continue
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=fresh_copy,
            env=unmeasured(clean_environment(home, **caches())),
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-4000:])
        if command == "make export":
            subprocess.run(
                [".venv/bin/python", "-c", TELL_WHAT_SET_UP_LEFT],
                cwd=fresh_copy, env=clean_environment(home), check=True,
            )  # fmt: skip
            assert "using the bundled example" in done.stdout
            assert "✓ Export complete" in done.stdout
        assert "Traceback" not in done.stderr
        assert "leaked" not in done.stderr, "what libraries say when they end"
    root = fresh_copy / "examples" / "02luka"
    assert list(root.glob("g/analytics/ops_atomic_*.parquet"))
    # dbt keeps there whom it reports to, when it does.
    assert not (home / ".dbt").exists()
