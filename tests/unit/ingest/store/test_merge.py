"""When two records are the same one, and which of them counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.merge import (
    REPLACED,
    SummaryVersion,
    merge_columns,
    merge_heartbeats,
    merge_reports,
    merge_summaries,
    number_equal_lines,
)
from ingest.text.times import TOO_FAR_AHEAD


def beat(raw: str, modified: int, **more: Any) -> dict[str, Any]:
    made = {"filename": "a.md", "raw": raw, "modified": modified, "problem": None}
    groups = [{"check_group": "Redis", "checks": [{"check_name": "n", "text": "✅"}]}]
    return {**made, "check_groups": groups, "day": "2025-10-27", **more}


def merge(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    def read_again(record: dict[str, Any]) -> dict[str, Any]:
        return beat(record["raw"], record["modified"])

    return merge_heartbeats(records, read_again)


def counts(records: Iterable[dict[str, Any]]) -> list[str]:
    """What counts of one name; each of them is whole."""
    found = [record for record in records if record["problem"] is None]
    assert all(record["check_groups"] for record in found)
    return [record["raw"] for record in found]


def test_equal_heartbeats_count_once() -> None:
    merged = merge([beat("x", 1), beat("x", 2), beat("x", 0)])
    assert [record["modified"] for record in merged] == [2]


def test_a_moment_of_reading_stays_what_it_was() -> None:
    first = beat("x", -100)
    for again in (-50, -200, 200):
        assert merge([first, beat("x", again)]) == [first]
    assert merge([beat("x", 50), beat("x", -100)]) == [beat("x", 50)]
    assert counts(merge([first, beat("y", 90), beat("x", -200)])) == ["x"]
    assert counts(merge([first, beat("y", 150), beat("x", -200)])) == ["y"]


def test_the_newer_heartbeat_counts_and_the_other_is_a_reject() -> None:
    merged = merge([beat("new", 2), beat("old", 1)])
    assert [(r["raw"], r["problem"]) for r in merged] == [
        ("new", None),
        ("old", REPLACED),
    ]
    assert merge(merged) == merged
    assert merge([*merged, beat("old", 1)]) == merged
    back = merge([*merged, beat("third", 3)])
    assert [r["raw"] for r in back if r["problem"] is None] == ["third"]
    assert len(back) == 3
    # What was a reject counts again: it was put back.
    assert counts(merge([*merged, beat("old", 3)])) == ["old"]


@pytest.mark.parametrize("half", ["", "# He", "# He\ufffd", "# He\n", "# Heartbeat"])
def test_a_half_written_heartbeat_is_no_version_whatever_its_time(half: str) -> None:
    for modified in (0, 1, 9):
        for pair in ([beat(half, modified), beat("# Heartbeat\n", 1)],) * 2:
            merged = merge(pair)
            assert [record["raw"] for record in merged] == ["# Heartbeat\n"]
            pair.reverse()


READINGS = st.lists(
    st.tuples(st.text("ab\n\ufffd", max_size=4), st.integers(0, 3)), max_size=8
)


@given(READINGS, st.randoms(), st.integers(0, 8))
def test_reading_order_of_heartbeats_is_no_matter(
    seen: list[tuple[str, int]], random: Any, cut: int
) -> None:
    records = [beat(raw, modified) for raw, modified in seen]
    at_once = merge(records)
    assert merge(at_once) == at_once
    assert merge([*at_once, *records]) == at_once, "nor is reading again"
    assert len(counts(at_once)) == bool(records)
    random.shuffle(records)
    assert merge(records) == at_once
    # In several runs, from wherever each of them was read.
    assert merge([*merge(records[:cut]), *records[cut:]]) == at_once


def test_equal_lines_are_told_apart_by_their_ordinal() -> None:
    records = [{"raw": "a"}, {"raw": "b"}, {"raw": "a"}]
    seen: Counter[bytes] = Counter()
    numbered = number_equal_lines(records, seen)
    assert [record["ordinal"] for record in numbered] == [1, 1, 2]
    later = number_equal_lines([{"raw": "a"}], seen)
    assert later[0]["ordinal"] == 3


def report(at: str, text: str, modified: int, **more: Any) -> dict[str, Any]:
    made = {"at": at, "report": text, "raw": None, "modified": modified}
    made |= {"source_file": "g/reports/report.json", "problem": None}
    counts = {"recommendations": 0, "slow_queries": 0}
    return {**made, **counts, "has_timestamp": True, **more}


def test_a_newer_report_of_a_time_stamp_replaces_the_older() -> None:
    old, new = report("t", "a", 1), report("t", "b", 2)
    for records in ([old, new], [new, old]):
        merged, replaced = merge_reports(records)
        assert (merged, replaced) == ([new], [old])
    assert merge_reports([old, old]) == ([old], [])


def test_no_report_shrinks_unless_it_is_forced() -> None:
    large, small = report("t", "a", 1, recommendations=3), report("t", "b", 2)
    broken = report("t", "", 3, report=None, raw="c", problem="odd")
    for records in ([large, small, broken], [broken, small, large]):
        assert merge_reports(records)[0] == [large]
    [chosen], _ = merge_reports([large, small], is_forced=True)
    assert chosen == {**small, "chosen_since": 2}
    [still], _ = merge_reports([chosen, large])
    assert still == chosen, "what is older is read again"
    newer = report("t", "d", 3, recommendations=1)
    [after], _ = merge_reports([chosen, newer])
    assert after == {**newer, "chosen_since": 2}
    assert merge_reports([after, large])[0] == [after]


VERSIONS = st.lists(
    st.builds(
        lambda size, text, modified, file: report(
            "t", f"{size}{text}", modified, recommendations=size, source_file=file
        ),
        st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 3),
        st.sampled_from(["g/reports/r.json", "knowledge/optimize/r.json", "r.json"]),
    ),
    max_size=6,
)  # fmt: skip


@given(VERSIONS, st.randoms(), st.integers(0, 6))
def test_reading_order_of_reports_is_no_matter(
    records: list[dict[str, Any]], random: Any, cut: int
) -> None:
    at_once, _ = merge_reports(records)
    assert merge_reports([*at_once, *records])[0] == at_once
    random.shuffle(records)
    first, _ = merge_reports(records[:cut])
    assert merge_reports([*first, *records[cut:]])[0] == at_once


def test_reports_without_time_stamp_are_known_by_their_content() -> None:
    one = report("t1", "a", 1, has_timestamp=False)
    again = report("t2", "a", 2, has_timestamp=False)
    other = report("t2", "b", 2, has_timestamp=False)
    assert merge_reports([one, again, other]) == ([one, other], [])


@pytest.mark.parametrize("first", [0, 1])
def test_what_was_too_far_ahead_stays_so(first: int) -> None:
    fine = report("t", "a", 1)
    ahead = report("t", "", 1, report=None, raw="a", problem=TOO_FAR_AHEAD)
    pair = [fine, ahead] if first == 0 else [ahead, fine]
    assert merge_reports(pair) == ([pair[0]], [])


def test_summaries_are_merged_by_place() -> None:
    def at(line_number: int, place: int, file: str = "a") -> dict[str, Any]:
        where = {"line_number": line_number, "place": place}
        return {"version": "v", **where, "source_file": file, "at": None}

    whole = [at(1, 0), at(1, 1), at(2, 0)]
    assert merge_summaries([at(2, 0), at(1, 1), at(1, 0), at(2, 0)]) == whole
    copy = [at(1, 0, "b"), at(1, 1, "b"), at(2, 0, "b")]
    assert merge_summaries([*whole, *copy]) == whole
    assert merge_summaries([*copy, *whole]) == whole, "whichever was read first"


@pytest.mark.parametrize(
    ("one", "other", "is_copy"),
    [
        (("a", "2025-10-27", "undated"), ("a", "2025-10-27", "dated"), True),
        (("a", "2025-10-27", "undated"), ("a", "2025-10-26", "dated"), True),
        (("a", "2025-10-31", "undated"), ("a", "2025-11-01", "dated"), True),
        (("a", "2025-10-27", "undated"), ("a", "2025-10-29", "dated"), False),
        (("a", "2025-10-27", "undated"), ("b", "2025-10-27", "dated"), False),
        (("a", "2025-10-27", "undated"), ("a", "2025-10-27", "undated"), False),
        (("a", "2025-10-27", "undated"), ("a", "2025-10-26", "undated"), False),
        (("a", "2025-10-27", "dated"), ("a", "2025-10-27", "undated"), False),
        (("a", "2025-10-27", "read"), ("a", "2025-10-20", "undated"), True),
        (("a", "2025-10-27", "read"), ("a", "2025-10-20", "dated"), True),
        (("a", "2025-10-27", "undated"), ("a", "2025-10-20", "read"), True),
    ],
)
def test_a_copy_says_no_night_that_is_not_said_better(
    one: tuple[str, str, str], other: tuple[str, str, str], is_copy: bool
) -> None:
    first, second = SummaryVersion(*one), SummaryVersion(*other)
    assert first.is_copy_of(second) == is_copy
    assert SummaryVersion.of(str(first), "2000-01-01") == first


def test_columns_of_a_whole_file_replace_its_old_ones() -> None:
    def column(file: str, name: str, is_whole: bool) -> dict[str, Any]:
        return {
            "source": "s", "source_file": file, "name": name, "is_whole": is_whole,
        }  # fmt: skip

    old = merge_columns([], [column("a", "x", True), column("b", "y", False)])
    after = merge_columns(old, [column("a", "z", True), column("b", "w", False)])
    assert [(c["source_file"], c["name"]) for c in after] == [
        ("a", "z"),
        ("b", "w"),
        ("b", "y"),
    ]
