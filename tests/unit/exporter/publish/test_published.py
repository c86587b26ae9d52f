"""Published files: found by their names, whole or damaged."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

from exporter.contracts.datasets import Dataset
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.published import (
    looks_whole,
    read_footers,
    read_published,
    stands_alone,
    unreadable_files,
)
from ingest.root import Root

METADATA = {"source_fingerprint": "x", "landed_records": "3"}
DAY = date(2025, 10, 27)
NEXT_DAY = date(2025, 10, 28)
DATASET = Dataset(
    "d", "", "{yyyymmdd}.parquet", 1, (), "model", (), ("d",), None, False
)
PATH, NEXT_PATH = "20251027.parquet", "20251028.parquet"


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


def published(root: Path, ledger: Ledger) -> dict[str, PublishedFile | None]:
    return read_published(
        Root(root), ledger, DATASET, [(DAY, PATH), (NEXT_DAY, NEXT_PATH)]
    )  # fmt: skip


def test_what_an_older_ledger_took_for_a_day_is_looked_at(tmp_path: Path) -> None:
    """A file of the next day lies under this one's name, and is known to."""
    ledger = Ledger(None)
    footer = METADATA | {"dataset": "d", "day": "2025-10-28"}
    pairs = ", ".join(f"{key}: '{text}'" for key, text in footer.items())
    path = tmp_path / PATH
    with duckdb.connect() as db:
        db.execute(
            f"copy (select 1 as a) to '{path}' "
            f"(format parquet, kv_metadata {{{pairs}}})"
        )
    look = path.stat()
    file = PublishedFile(look.st_size, look.st_mtime_ns, 0, 1, footer, "")
    ledger.put_published(PATH, file)
    assert published(tmp_path, ledger) == {PATH: None}
    ledger.put_published(NEXT_PATH, file)
    path.rename(tmp_path / NEXT_PATH)
    assert published(tmp_path, ledger) == {NEXT_PATH: file}


def test_the_same_making_must_have_the_same_bytes(tmp_path: Path) -> None:
    ledger = Ledger(None)
    path = parquet(tmp_path / PATH)
    assert list(published(tmp_path, ledger)) == [PATH]
    path.touch()
    assert published(tmp_path, ledger)[PATH], "only touched"

    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    assert published(tmp_path, ledger) == {PATH: None}

    parquet(path, key="another making")
    assert published(tmp_path, ledger)[PATH]


def test_a_file_nobody_knows_is_read_to_its_end(tmp_path: Path) -> None:
    path = parquet(tmp_path / PATH, rows=1000)
    good = parquet(tmp_path / NEXT_PATH)
    data = bytearray(path.read_bytes())
    data[40:900] = b"\xff" * 860
    path.write_bytes(data)
    assert unreadable_files(Root(tmp_path), [path.name, good.name]) == {path.name}
    assert not unreadable_files(Root(tmp_path), [])
    found = published(tmp_path, Ledger(None))
    assert found[PATH] is None
    assert found[NEXT_PATH]


@pytest.mark.parametrize(
    ("said", "rows_of", "is_right"),
    [
        ({"dataset": "d", "day": "2025-10-27"}, "2025-10-27", True),
        ({"dataset": "other", "day": "2025-10-27"}, "2025-10-27", False),
        ({"dataset": "d", "day": "2025-10-28"}, "2025-10-27", False),
        ({"dataset": "d", "day": "2025-10-27"}, "2025-10-28", False),
        ({"x": "made before files said so"}, "2025-10-27", True),
        ({"x": "made before files said so"}, "2025-10-28", False),
    ],
)
def test_a_file_is_what_its_name_says(
    said: dict[str, str], rows_of: str, is_right: bool, tmp_path: Path
) -> None:
    pairs = ", ".join(f"{key}: '{value}'" for key, value in said.items())
    with duckdb.connect() as db:
        db.execute(
            f"copy (select date '{rows_of}' as date_partition) to "
            f"'{tmp_path / PATH}' (format parquet, "
            f"kv_metadata {{source_fingerprint: 'x', {pairs}}})"
        )
    assert bool(published(tmp_path, Ledger(None))[PATH]) == is_right


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / PATH)
    (tmp_path / NEXT_PATH).mkdir()
    assert published(tmp_path, Ledger(None)) == {PATH: None, NEXT_PATH: None}
    assert not read_footers(Root(tmp_path), [PATH])
    assert not stands_alone(Root(tmp_path), DATASET, [NEXT_PATH])
    assert stands_alone(Root(tmp_path), DATASET, [NEXT_PATH, PATH])
