"""Published files: found by their names, whole or damaged."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from exporter.published import (
    looks_whole,
    read_footers,
    read_published,
    unreadable_files,
)
from ingest.ledger import Ledger
from ingest.root import Root

METADATA = {"source_fingerprint": "x", "landed_records": "3"}


def parquet(path: Path, rows: int = 3, key: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute(
            f"copy (select 'value ' || range as a from range({rows})) to '{path}' "
            f"(format parquet, kv_metadata {{source_fingerprint: '{key}', "
            "landed_records: '3'})"
        )
    return path


@pytest.mark.parametrize(
    "data", [b"", b"PAR1PAR1", b"PAR1" + b"\xff" * 8 + b"PAR1", b"x" * 50]
)
def test_what_does_not_look_like_parquet(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert not looks_whole(tmp_path / "a")
    assert not looks_whole(tmp_path / "nothing")
    assert looks_whole(parquet(tmp_path / "b"))


def test_one_junk_footer_spoils_no_other(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "a.parquet")
    data = bytearray(whole.read_bytes())
    data[-60:-10] = b"\xff" * 50
    (tmp_path / "b.parquet").write_bytes(data)
    found = read_footers(Root(tmp_path), ["a.parquet", "b.parquet", "c.parquet"])
    assert list(found) == ["a.parquet"]
    assert found["a.parquet"].metadata == METADATA
    assert found["a.parquet"].row_count == 3
    assert not read_footers(Root(tmp_path), [])


def test_the_same_making_must_have_the_same_bytes(tmp_path: Path) -> None:
    root, ledger = Root(tmp_path), Ledger(None)
    path = parquet(tmp_path / "a.parquet")
    first = read_published(root, ledger, ["a.parquet", "nothing.parquet"])
    assert list(first) == ["a.parquet"]
    path.touch()
    assert read_published(root, ledger, ["a.parquet"])["a.parquet"], "only touched"

    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    assert read_published(root, ledger, ["a.parquet"]) == {"a.parquet": None}

    parquet(path, key="another making")
    assert read_published(root, ledger, ["a.parquet"])["a.parquet"]


def test_a_file_nobody_knows_is_read_to_its_end(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", rows=1000)
    good = parquet(tmp_path / "b.parquet")
    data = bytearray(path.read_bytes())
    data[40:900] = b"\xff" * 860
    path.write_bytes(data)
    assert unreadable_files(Root(tmp_path), [path.name, good.name]) == {path.name}
    assert not unreadable_files(Root(tmp_path), [])
    found = read_published(Root(tmp_path), Ledger(None), [path.name, good.name])
    assert found[path.name] is None
    assert found[good.name]
