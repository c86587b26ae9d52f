"""The ledger: sealed rows, damage, disks that are full."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from ingest.store import sealed
from ingest.store.ledger import Ledger, Part, SeenInput

PART = Part(
    "s", "2025-10-27", "p", 1, 2, 3, "f", "x", {"d": 4}, 5, 6, ("a", "b"), ["k", "l"],
    "2031-05-05",
)  # fmt: skip
INPUT = SeenInput("t", 1, 2)


def filled(path: Path) -> Ledger:
    ledger = Ledger(path)
    ledger.put_part(PART)
    ledger.put_input("g/x", SeenInput("s", 1, 2, {"offset": 3}, {"s": ["2025-10-27"]}))
    ledger.put_input("g/y", INPUT)
    ledger.doubt("2025-10-27")
    ledger.commit()
    return ledger


def test_what_is_put_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    ledger = Ledger(path)
    assert not ledger.is_new
    assert list(ledger.parts()) == list(ledger.parts("s")) == [PART]
    assert ledger.part("s", "2025-10-27", "p") == PART
    assert ledger.part("s", "2025-10-28", "p") is None
    assert list(ledger.keys("s")) == [("2025-10-27", ["k", "l"])]
    assert ledger.parts_to_recheck("2031-05-05") == [PART]
    assert ledger.parts_to_recheck("2031-05-04") == []
    assert list(ledger.part_stats()) == [("s", "2025-10-27", "p", 1, 2, 3)]
    assert ledger.inputs()["g/x"].position == {"offset": 3}
    assert ledger.inputs()["g/x"].feeds == {"s": ["2025-10-27"]}
    assert ledger.doubted() == ["2025-10-27"]
    ledger.forget_doubts()
    assert not ledger.doubted()
    ledger.roll_back()
    assert ledger.doubted()
    ledger.forget_inputs_behind({("s", "2025-10-27")})
    assert list(ledger.inputs()) == ["g/y"]
    ledger.forget_inputs(["g/y"])
    ledger.forget_part("s", "2025-10-27", "p")
    assert not ledger.inputs()
    assert not list(ledger.parts())


@pytest.mark.parametrize(
    "change",
    [
        "update parts set counts = '{\"d\": 5}'",
        "update inputs set bytes = 2",
        "update doubted set day = '2025-10-28'",
        "pragma user_version = 77",
    ],
)
def test_a_changed_cell_makes_it_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    with sqlite3.connect(path) as db:
        db.execute(change)
    db.close()
    copy = Ledger.copy_in_memory(path)
    assert copy.was_damaged
    assert copy.is_new
    ledger = Ledger(path)
    assert ledger.was_damaged
    assert ledger.is_new
    assert not ledger.inputs()
    assert path.stat().st_mode & 0o777 == 0o600
    ledger.close()
    assert not Ledger(path).was_damaged


def test_what_was_found_sound_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    looks: list[tuple[object, ...]] = []
    seal = sealed._seal

    def looked(cells: tuple[object, ...]) -> int:
        looks.append(cells)
        return seal(cells)

    monkeypatch.setattr(sealed, "_seal", looked)

    def look() -> int:
        looks.clear()
        Ledger(path).close()
        Ledger.copy_in_memory(path).close()
        return len(looks)

    assert (look(), look()) == (4, 0)
    monkeypatch.setattr(Ledger, "TABLES", Ledger.TABLES | {"breaks": ("x", "x")})
    assert (look(), look()) == (4, 0)
    ledger = Ledger(path)
    ledger.doubt("2025-10-28")
    ledger.close()
    assert (look(), look()) == (5, 0)


def test_the_note_of_a_sound_ledger_hides_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    Ledger(path).close()
    data = path.read_bytes()
    assert data.count(b"2025-10-27") > 1
    path.write_bytes(data.replace(b"2025-10-27", b"2025-10-26", 1))
    assert Ledger.copy_in_memory(path).was_damaged
    assert Ledger(path).was_damaged
    assert not Ledger(path).was_damaged
    path.unlink()
    path.touch()
    assert Ledger(path).is_new
    Ledger(path).doubt("2025-10-28")


def test_an_older_layout_is_no_damage_to_worry_about(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("create table parts (x)")
        db.execute(f"pragma user_version = {Ledger.LAYOUT - 1}")
    db.close()
    assert Ledger(path).is_new


def test_a_copy_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    before = path.read_bytes()
    copy = Ledger.copy_in_memory(path)
    assert not copy.is_new
    copy.forget_inputs(["g/x"])
    copy.close()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_copy_of_a_ledger_whose_writer_was_killed(tmp_path: Path) -> None:
    path, kept = tmp_path / "ledger.sqlite", tmp_path / "kept"
    ledger = filled(path)
    ledger.db.execute("pragma cache_size = 1")
    ledger.begin()
    for number in range(3000):
        ledger.put_input(f"{number}", INPUT)
    # As it lies on disk in the middle of a transaction.
    kept.mkdir()
    for name in (path.name, f"{path.name}-journal"):
        (kept / name).write_bytes((tmp_path / name).read_bytes())
    copy = Ledger.copy_in_memory(kept / path.name)
    assert not copy.was_damaged
    assert list(copy.inputs()) == ["g/x", "g/y"]
    assert (kept / f"{path.name}-journal").exists()
    assert list(Ledger(kept / path.name).inputs()) == ["g/x", "g/y"]


def test_a_full_disk_is_told_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = filled(path)
    ledger.db.execute("pragma max_page_count = 20")

    def fill() -> None:
        for number in range(3000):
            ledger.put_input(f"{number}" * 100, INPUT)

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))


def test_a_ledger_that_cannot_be_opened_is_not_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.mkdir()
    with pytest.raises(OSError, match="not a regular file"):
        Ledger(path)
    assert path.is_dir()
