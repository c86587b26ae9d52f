"""Files that are either whole or not there, and for whose eyes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ingest import files


def test_what_is_made_aside_is_gone_unless_it_is_moved(tmp_path: Path) -> None:
    with files.write_aside(tmp_path / "staging", "a") as made:
        made.write_text("x")
        files.move_into_place(made, tmp_path / "a")
    assert (tmp_path / "a").read_text() == "x"
    with files.write_aside(tmp_path / "staging", "b") as made:
        made.write_text("x")
    assert not list((tmp_path / "staging").iterdir())


def test_errors_of_writing_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full") as full, files.blamed_on(tmp_path):
        raise OSError(errno.ENOSPC, "full")
    assert full.value.filename == str(tmp_path)
    with pytest.raises(OSError, match="broken") as broken, files.blamed_on(tmp_path):
        raise OSError(errno.EIO, "broken")
    assert broken.value.filename is None, "perhaps the fault of what is read"


def test_write_text_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text in ("one", "zwei ✅"):
        files.write_text(path, tmp_path / "staging", text, mode=0o600)
        assert path.read_text("utf-8") == text
        assert path.stat().st_mode & 0o777 == 0o600


def test_private_folders(tmp_path: Path) -> None:
    top = tmp_path / "a"
    files.make_private_folder(top / "b")
    files.make_private_folder(top / "b")
    assert top.stat().st_mode & 0o777 == 0o700
    (top / "b" / "file").touch(0o644)
    (top / "b").chmod(0o755)
    (top / "link").symlink_to("/etc/hosts")
    files.keep_private(top)
    assert (top / "b").stat().st_mode & 0o777 == 0o700
    assert (top / "b" / "file").stat().st_mode & 0o777 == 0o600
    assert Path("/etc/hosts").stat().st_mode & 0o044


def test_setting_aside_keeps_what_was_set_aside_before(tmp_path: Path) -> None:
    names = []
    for text in ("one", "two", "three"):
        (tmp_path / "f").write_text(text)
        names.append(files.set_aside(tmp_path / "f").name)
    assert names == ["f.damaged", "f.2.damaged", "f.3.damaged"]
    assert [(tmp_path / name).read_text() for name in names] == ["one", "two", "three"]


def test_removing_a_tree_that_is_not_there(tmp_path: Path) -> None:
    files.remove_tree(tmp_path / "nothing")


def test_write_exactly_heeds_no_umask(tmp_path: Path) -> None:
    place = tmp_path / "job.plist"
    before = os.umask(0o077)
    try:
        for data in (b"one", b"two"):
            files.write_exactly(place, data, 0o644)
            assert place.read_bytes() == data
            assert place.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == [place]
