"""What is made of very large inputs, in little memory, is what is made of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.publish import batches, work
from ingest.root import EXAMPLE_ROOT
from tests import faults
from tests.support import copy_root


def test_a_heavy_day_has_the_bytes_of_a_light_one(
    exported_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.cli.main import dbtRunner

    told: list[list[str]] = []
    sorts: list[int] = []
    invoke, cut = dbtRunner.invoke, batches.begins_of_slices

    def told_to_invoke(runner: dbtRunner, arguments: list[str]) -> Any:
        told.append(arguments)
        return invoke(runner, arguments)

    def counted(*arguments: Any) -> list[object]:
        found = cut(*arguments)
        sorts.append(len(found) + 1)
        return found

    monkeypatch.setattr(dbtRunner, "invoke", told_to_invoke)
    monkeypatch.setattr(batches, "begins_of_slices", counted)
    monkeypatch.setattr(batches, "HEAVY", 0)
    monkeypatch.setattr(work, "HEAVY", 0)
    monkeypatch.setattr(batches, "SLICE", 2_000)
    root = copy_root(EXAMPLE_ROOT, tmp_path / "02luka")
    faults.export(root)
    assert [arguments[-2:] for arguments in told] == [["--threads", "1"]]
    assert max(sorts) > 3
    made, usual = faults.published(root), faults.published(exported_once)
    assert faults.contents(made) == faults.contents(usual)
