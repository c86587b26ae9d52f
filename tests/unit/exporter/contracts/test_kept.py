"""Contracts that are kept: only for the files that they were read from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exporter.contracts import kept
from exporter.contracts.datasets import BrokenContract, load_datasets
from exporter.contracts.kept import TABLES, files, load_tables
from exporter.contracts.lineage import Code
from exporter.contracts.marts import load_marts
from exporter.runtime.kept import fingerprint
from exporter.runtime.kept_values import Kept
from ingest.root import PROJECT
from tests.support import clean_environment, copy_project


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("read again")


def test_what_is_kept_is_what_would_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TABLES.keep(tmp_path)
    read = load_datasets(), load_marts()
    monkeypatch.setattr(kept, "load_datasets", refuse)
    assert TABLES.take(tmp_path) == read
    # A mart stands behind those that it reads.
    assert list(TABLES.take(tmp_path)[1]) == list(read[1])


def test_a_process_goes_on_with_the_contracts_that_it_began_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = load_tables()
    monkeypatch.setattr(Kept, "take", refuse)
    assert load_tables() is began


def test_a_model_that_reads_what_is_not_there_is_a_broken_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_project(tmp_path / "project")
    model = project / "models" / "staging" / "telemetry" / "stg_telemetry.sql"
    text = model.read_text("utf-8")
    read = "source('landing', 'telemetry')"
    assert read in text
    model.write_text(text.replace(read, "ref('x')"), "utf-8")
    monkeypatch.setattr(kept, "Code", lambda: Code(project))
    with pytest.raises(BrokenContract, match="there is no model x"):
        TABLES.take(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml", "macros/typing.sql", "seeds/masks.csv",
        "seeds/slo_targets.yml", "models/marts/exports/ops_atomic.yml",
        "models/staging/heartbeats/stg_heartbeats.sql",
        "ingest/sources/heartbeats.py", "exporter/contracts/lineage.py",
    ],
)  # fmt: skip
def test_they_are_read_again_when_a_file_has_changed(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    assert (project / name).is_file()
    before = fingerprint(files(project))
    assert fingerprint(files(project)) == before
    with (project / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert fingerprint(files(project)) != before


# In a process in which nothing was read yet.
TELL = """
import os, sys
from pathlib import Path
from exporter.contracts import kept
opened = []
def listen(event, args):
    if event == "open" and isinstance(args[0], (str, os.PathLike)):
        opened.append(os.fspath(args[0]))
sys.addaudithook(listen)
kept._read_tables()
print(*opened, sep="\\n")
"""


def test_every_file_that_is_read_is_held_against(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=PROJECT, env=clean_environment(tmp_path),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    opened = {Path(line) for line in done.stdout.splitlines()}
    ours = {path for path in opened if path.is_relative_to(PROJECT)}
    ours = {p for p in ours if not {".venv", "__pycache__"} & {*p.parts}}
    assert len(ours) > 100
    assert ours - {*files()} == set()
