"""What is kept is taken for just the files that it was made of, and if it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.runtime import kept as kept_files
from exporter.runtime import kept_values
from exporter.runtime.kept_values import Kept
from ingest.root import PROJECT


class Words:
    """A value that is made of a file, and how often it was."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "words.txt"
        self.file.write_text("a b")
        self.made = 0
        self.kept = Kept("words.pickle", lambda: [self.file], self.make)

    def make(self) -> list[str]:
        self.made += 1
        return self.file.read_text().split()


@pytest.fixture
def words(tmp_path: Path) -> Words:
    return Words(tmp_path)


def test_it_is_made_once_for_a_file(words: Words, tmp_path: Path) -> None:
    words.kept.keep(tmp_path)
    assert words.kept.take(tmp_path) == ["a", "b"]
    assert words.kept.take(tmp_path) is not words.kept.take(tmp_path)
    assert words.made == 1
    words.file.write_text("a b c")
    assert words.kept.take(tmp_path) == ["a", "b", "c"]
    assert words.made == 2
    words.file.write_text("a b")
    words.kept.take(tmp_path)
    assert words.made == 2


def test_who_takes_it_keeps_nothing(words: Words, tmp_path: Path) -> None:
    assert words.kept.take(tmp_path) == ["a", "b"]
    assert not (tmp_path / "words.pickle").exists()


def test_what_is_damaged_or_of_other_classes_is_made_again(
    words: Words, tmp_path: Path
) -> None:
    words.kept.keep(tmp_path)
    place = tmp_path / "words.pickle"
    data = place.read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:-9] + b"?" + data[-8:]):
        place.write_bytes(damaged)
        assert words.kept.take(tmp_path) == ["a", "b"]
    # cos.gone: a class that is there no more
    kept_files.keep(place, words.kept.key(), b"cos\ngone\n.")
    assert words.kept.take(tmp_path) == ["a", "b"]
    assert words.made == 6


def test_a_file_that_changes_meanwhile_is_not_taken_for_read(
    words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter([b"a" * 32, b"b" * 32])
    monkeypatch.setattr(kept_values, "fingerprint", lambda _: next(keys))
    words.kept.keep(tmp_path)
    assert not (tmp_path / "words.pickle").exists()


def test_nothing_is_kept_in_the_environment_of_another_project_nor_read_from_it(
    words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "environment" / "share"
    monkeypatch.setattr(kept_files, "KEPT", place)
    monkeypatch.setattr(kept_files, "ENVIRONMENT", tmp_path / "environment")
    words.kept.keep(place)
    assert not place.exists()
    monkeypatch.setattr(kept_files, "PROJECT", tmp_path)
    words.kept.keep(place)
    assert kept_files.read_kept(place / "words.pickle", words.kept.key())
    monkeypatch.setattr(kept_files, "PROJECT", PROJECT)
    assert kept_files.read_kept(place / "words.pickle", words.kept.key()) is None


def test_where_nothing_may_be_written_it_is_made_each_time(
    words: Words, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    words.kept.keep(tmp_path / "file" / "folder")
    assert words.kept.take(tmp_path / "file" / "folder") == ["a", "b"]
    assert words.made == 2


def test_what_cannot_be_made_is_told(tmp_path: Path) -> None:
    def fail() -> None:
        raise ValueError("no value")

    kept: Kept[None] = Kept("none.pickle", list, fail)
    with pytest.raises(ValueError, match="no value"):
        kept.take(tmp_path)
