"""Another program's Parquet as text, whatever its types are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from exporter.publish.legacy import Foreign, to_adopt
from ingest.loaders.legacy import NotReadable
from ingest.root import Root
from ingest.sources.legacy_parquet import Row
from ingest.text.times import parse_time


def written(path: Path, sql: str) -> list[Row]:
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'Asia/Bangkok'")
        target = str(path).replace("'", "''")
        db.execute(f"copy (select {sql}) to '{target}' (format parquet)")
    return read(path)


def read(path: Path) -> list[Row]:
    root = Root(path.parent)
    [file] = to_adopt([Foreign(root, path.name, "ops_atomic", date(2025, 1, 1))])
    return [row for rows in file.read() for row in rows]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("'✅ HEALTHY'", "✅ HEALTHY"),
        ("153.0::double", "153.0"),
        ("65::utinyint", "65"),
        ("null::integer", None),
        ("'text'::blob", "text"),
        (r"'\xff\x00'::blob", r"\xFF\x00"),
        ("['a', null]", "[a, NULL]"),
    ],
)
def test_a_cell(sql: str, text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "it's [odd]=1.parquet"
    assert written(path, f'{sql} as "the ""cell"""') == [{'the "cell"': text}]


@pytest.mark.parametrize(
    "sql",
    [
        "timestamp '2025-10-28 01:00:00'",
        "timestamptz '2025-10-28 08:00:00+07'",
        "timestamp_ns '2025-10-28 01:00:00'",
        "timestamp_s '2025-10-28 01:00:00'",
    ],
)
def test_a_time_is_in_utc(sql: str, tmp_path: Path) -> None:
    [row] = written(tmp_path / "a.parquet", f"{sql} as said")
    assert str(parse_time(row["said"] or "")) == "2025-10-28 01:00:00"


def test_what_is_cut_short_is_not_readable(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    written(path, "range as a from range(50000)")
    data = path.read_bytes()
    path.write_bytes(
        data[: len(data) // 3] + b"\xff" * 2000 + data[len(data) // 3 + 2000 :]
    )
    with pytest.raises(NotReadable):
        read(path)
