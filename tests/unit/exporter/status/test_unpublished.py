"""Which heartbeats `status` looks at: the recent ones, wherever they lie."""

from __future__ import annotations

from pathlib import Path

from exporter.status.unpublished import _live

FIRST = "heartbeat_2025-10-28_00-00-00"
OLD = "heartbeat_2025-10-27_23-59-59.md"
RECENT = "heartbeat_2025-10-28_00-00-00.md"
NEWER = "heartbeat_2025-10-28_00-05-00.json"


def found(top: Path) -> list[str]:
    return sorted(path.relative_to(top).as_posix() for path in _live(top, FIRST))


def test_only_recent_names_count(tmp_path: Path) -> None:
    for name in (
        OLD, RECENT, NEWER, "heartbeat_2025-10-28_00-05-00.txt", "heartbeat_x.md",
        "heartbeat_", "heartbeat_2026.md", "notes.md", "query_perf.csv",
    ):  # fmt: skip
        (tmp_path / name).touch()
    assert found(tmp_path) == [RECENT, NEWER]


def test_every_folder_is_looked_into_whatever_its_name(tmp_path: Path) -> None:
    folders = ("a", "a/b", "heartbeat_2024", "heartbeat_2025-11", "zz", "a/parquet")
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / OLD).touch()
        (tmp_path / folder / RECENT).touch()
    assert found(tmp_path) == sorted(f"{folder}/{RECENT}" for folder in folders)


def test_what_a_run_writes_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / RECENT).touch()
    assert not found(tmp_path)


def test_links_are_followed_once(tmp_path: Path) -> None:
    top, beside = tmp_path / "top", tmp_path / "beside"
    top.mkdir()
    beside.mkdir()
    (beside / RECENT).touch()
    (top / "round").symlink_to(top)
    (top / "one").symlink_to(beside)
    (top / "two").symlink_to(beside)
    (top / "gone").symlink_to(tmp_path / "nowhere")
    assert len(found(top)) == 1


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert not found(tmp_path / "gone")
