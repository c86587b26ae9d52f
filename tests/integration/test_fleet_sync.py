"""The commands of docs/fleet.md that bring a machine's files into a storage."""

from __future__ import annotations

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

from exporter.fleet.check import CheckedFiles, check_files
from exporter.fleet.memory import Memory
from ingest.root import PROJECT
from tests.fleets import Fleet
from tests.support import require_tool

DAY = date(2025, 1, 10)


def test_rsync_brings_what_is_published_and_nothing_else(tmp_path: Path) -> None:
    """Into a storage where nothing of the machine is yet, and what is new."""
    require_tool("rsync")
    made = Fleet(tmp_path / "made")
    for dataset in made.datasets:
        made.publish("atlas", dataset, DAY)
    mart = made.mart("atlas", "atlas")
    root = tmp_path / "02luka"
    (made.path / "machine=atlas").rename(root)
    analytics = root / "g" / "analytics"
    for name in ("state/landing/raw.parquet", "ops_atomic.duckdb", f"{mart.name}.old"):
        (analytics / name).parent.mkdir(parents=True, exist_ok=True)
        (analytics / name).write_bytes(b"raw")
    storage = tmp_path / "fleet"
    storage.mkdir()

    assert sync(root, storage).kept_out == []
    top = storage / "machine=atlas"
    synced = {path.relative_to(top) for path in top.rglob("*") if path.is_file()}
    assert synced == {
        *(Path(made.datasets[name].file(DAY)) for name in made.datasets),
        Path("g/analytics/marts") / mart.name,
    }
    for day in (DAY, DAY + timedelta(days=1)):
        path = made.heartbeat("atlas", day)
        path.replace(root / made.datasets["ops_atomic"].file(day))
    rows = [one.rows for one in sync(root, storage).good]
    assert sorted(rows)[-2:] == [1, 1]
    assert len(rows) == len(made.datasets) + 1


def sync(root: Path, storage: Path) -> CheckedFiles:
    """Run what the documentation says, from another root to another storage."""
    text = (PROJECT / "docs" / "fleet.md").read_text()
    (block,) = re.findall(r"```sh\n(# rsync.*?)```", text, re.DOTALL)
    for said, meant in (("~/02luka", f"'{root}'"), ("server:/fleet", f"'{storage}'")):
        assert said in block
        block = block.replace(said, meant)
    subprocess.run(["sh", "-ec", block], check=True)
    found = Fleet(storage)
    return check_files(Memory(storage), found.datasets, DAY + timedelta(days=1))
