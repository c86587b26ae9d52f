from __future__ import annotations

from pathlib import Path

import pytest

from exporter.notify import outbox
from exporter.notify.outbox import Notice
from ingest.root import Root


@pytest.fixture
def root(empty_root: Path) -> Root:
    return Root(empty_root)


def notice(number: int = 0) -> Notice:
    return Notice(f"2025-10-28T02:30:{number:02}Z", "failure", "run failed", "why")


def test_nothing_waits_where_nothing_was_put(root: Root) -> None:
    assert outbox.waiting(root) == []
    with outbox.alone(root) as is_alone:
        assert is_alone
    assert not outbox.folder(root).exists()


def test_notices_wait_in_order_and_for_their_owner_only(root: Root) -> None:
    for number in (2, 1, 1):
        outbox.put(root, notice(number))
    found = outbox.waiting(root)
    assert [kept.at[-3:] for _, kept in found] == ["01Z", "01Z", "02Z"]
    assert {path.stat().st_mode & 0o777 for path, _ in found} == {0o600}
    assert outbox.folder(root).stat().st_mode & 0o777 == 0o700


def test_a_notice_goes_when_every_service_has_taken_it(root: Root) -> None:
    outbox.put(root, notice())
    ((path, kept),) = outbox.waiting(root)
    outbox.flush(path, kept, set(), {"a", "b"})
    outbox.flush(path, kept, {"a"}, {"a", "b"})
    ((path, kept),) = outbox.waiting(root)
    assert kept.taken_by == ["a"]
    outbox.flush(path, kept, {"b"}, {"a", "b"})
    assert outbox.waiting(root) == []


def test_the_oldest_make_room(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    for number in range(5):
        outbox.put(root, notice(number))
    assert [kept.at[-3:-1] for _, kept in outbox.waiting(root)] == ["02", "03", "04"]


def test_damaged_files_are_passed_over(root: Root) -> None:
    outbox.put(root, notice())
    for number, text in enumerate(["", "[]", "{}", '{"at": 1, "odd": 2}']):
        (outbox.folder(root) / f"notice_9_{number}.json").write_text(text)
    assert len(outbox.waiting(root)) == 1


def test_only_one_empties_it(root: Root) -> None:
    outbox.put(root, notice())
    with outbox.alone(root) as first, outbox.alone(root) as second:
        assert (first, second) == (True, False)
    with outbox.alone(root) as again:
        assert again
