"""Roots are put back as they were."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench import process, roots


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_day_is_laid_over_and_taken_away(tmp_path: Path) -> None:
    sample = roots.make(tmp_path, 2)
    before = {p: (sample.path / p).read_bytes() for p in roots.files_below(sample.path)}
    roots.add_day(sample)
    more = set(roots.files_below(sample.path))
    assert more > set(before)
    roots.take_day_away(sample)
    after = {p: (sample.path / p).read_bytes() for p in roots.files_below(sample.path)}
    assert after == before


def test_a_root_is_made_once(tmp_path: Path) -> None:
    sample = roots.make(tmp_path, 1)
    assert sample.input_bytes == roots.input_bytes(sample.path)
    (tmp_path / "live-1.json").write_text(json.dumps([5, 6]), encoding="utf-8")
    assert roots.make(tmp_path, 1).input_bytes == 5


def test_outputs_are_restored_even_if_written_to(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", tmp_path / "kept"
    ledger = root / "g/analytics/state/ledger.sqlite"
    part = root / "g/analytics/state/landing/a.gz"
    for path in (ledger, part):
        write(path, "old")
    write(root / "g/reports/input.csv", "input")
    roots.keep(root, kept)
    ledger.write_text("new", encoding="utf-8")
    part.unlink()
    write(root / "g/logs/new.log", "line")
    roots.restore(root, kept)
    assert ledger.read_text(encoding="utf-8") == "old"
    assert part.read_text(encoding="utf-8") == "old"
    assert not (root / "g/logs").exists()
    assert (root / "g/reports/input.csv").exists()


def test_a_process_is_measured_and_its_failure_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    cost = process.run([sys.executable, "-c", "print('x')"], tmp_path, {}, log)
    assert cost.seconds > 0
    assert cost.peak_bytes > 1 << 20
    with pytest.raises(RuntimeError, match="ended with 3"):
        process.run([sys.executable, "-c", "exit(3)"], tmp_path, {}, log)


def test_a_few_heartbeats_are_all_that_is_there(tmp_path: Path) -> None:
    root = roots.make_few_heartbeats(tmp_path)
    names = [Path(path).name for path in roots.files_below(root)]
    assert len(names) == roots.FEW_HEARTBEATS
    assert all(name.startswith("heartbeat_") for name in names)
    assert roots.make_few_heartbeats(tmp_path) == root
