"""What lies beside the data: written once, true, and restored when it changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from ingest.root import PROJECT
from tests import faults

FOLDER = Path("knowledge") / "optimize"
NAMES = ("PARQUET_README.md", "parquet_schema.json", "example_queries.sql")
SQL = re.compile(r"```sql\n(.*?);\n```", re.DOTALL)


def test_the_guide_is_there_and_says_what_lies_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (root / FOLDER / NAMES[0]).read_text(encoding="utf-8")
    schema = json.loads((root / FOLDER / NAMES[1]).read_bytes())
    for dataset in schema["datasets"]:
        assert f"| `{dataset['name']}` |" in text
    monkeypatch.chdir(root)
    with duckdb.connect() as db:
        for pattern in re.findall(r"`([^`]+\.parquet)` \|", text):
            if "/run_log/" in pattern:
                continue  # the next run that writes something tells of the first
            assert db.execute("from glob(?)", [pattern]).fetchall(), pattern
        (query,) = SQL.findall(text)
        assert len(db.execute(query).fetchall()) == 3
    copied = PROJECT / "docs" / NAMES[2]
    assert (root / FOLDER / NAMES[2]).read_bytes() == copied.read_bytes()


def test_it_is_written_when_its_text_is_another_one_and_only_then(root: Path) -> None:
    paths = [root / FOLDER / name for name in NAMES]
    before = [path.stat().st_mtime_ns for path in paths]
    faults.export(root)
    assert [path.stat().st_mtime_ns for path in paths] == before
    text = paths[0].read_bytes()
    paths[0].write_text("scribbled")
    paths[1].unlink()
    faults.export(root, "--dry")
    assert paths[0].read_text() == "scribbled"
    faults.export(root)
    assert paths[0].read_bytes() == text
    assert paths[1].exists()
    assert paths[2].stat().st_mtime_ns == before[2]
