from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.sources.lines import Parsed
from ingest.sources.optimization_summary import (
    MAX_NUMBERS,
    SAID_ONCE,
    is_number,
    parse_line,
)
from ingest.text.clean import MAX_RECORD_BYTES, RAW_LIMIT

NOW = datetime(2025, 10, 28, 12)
FALLBACK = datetime(2025, 10, 20)
UNTIMED = "2025-10-20 00:00:00.000000"
TIMED = "2025-10-28 04:00:00.000000"
T = "[2025-10-28T04:00:00Z]"
MASKS = load_masks()


def parse(text: str) -> Parsed:
    return parse_line(text, 3, "optimization_summary.txt", FALLBACK, NOW, MASKS)


def said(record: dict[str, Any]) -> tuple[Any, ...]:
    names = ("at", "shape", "event_type", "metric_name", "metric_value", "metadata")
    return tuple(record[name] for name in names)


def note(text: str, at: str = UNTIMED) -> tuple[Any, ...]:
    return (at, "note", "note", None, None, '{"text":"' + text + '"}')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("   ", []),
        ("Optimizer run finished", [note("Optimizer run finished")]),
        (
            "Cache hit rate: 65.5 %",
            [(UNTIMED, "metric", "metric", "Cache hit rate", "65.5", '{"unit":"%"}')],
        ),
        ("Indexes: 12", [(UNTIMED, "metric", "metric", "Indexes", "12", None)]),
        ("Drift: -1e3", [(UNTIMED, "metric", "metric", "Drift", "-1e3", None)]),
        (
            "- **Average time:** 12ms",
            [(UNTIMED, "metric", "metric", "Average time", "12", '{"unit":"ms"}')],
        ),
        ("Total: 1,234", [note("Total: 1,234")]),
        ("Total: 1_234", [note("Total: 1_234")]),
        ("Ratio: NaN", [note("Ratio: NaN")]),
        ("Huge: 1e400", [note("Huge: 1e400")]),
        ("Started: 12:30", [note("Started: 12:30")]),
        ("Day: 2025-10-28", [note("Day: 2025-10-28")]),
        ("Version: 1.2.3", [note("Version: 1.2.3")]),
        ("Done: 12 of 30", [note("Done: 12 of 30")]),
        ("at 12:30", [note("at 12:30")]),
        ("12: 30", [note("12: 30")]),
        (
            f"{T} rebuild ms=12.5 rows=10 table=docs why=\"a b\" who='me' x=1,2",
            [
                (
                    TIMED,
                    "event",
                    "rebuild",
                    name,
                    value,
                    '{"table":"docs","why":"a b","who":"me","x":"1,2"}',
                )
                for name, value in (("ms", "12.5"), ("rows", "10"))
            ],
        ),
        (f"{T} rebuild ms=5", [(TIMED, "event", "rebuild", "ms", "5", None)]),
        (
            f"{T} rebuild status=ok",
            [(TIMED, "event", "rebuild", None, None, '{"status":"ok"}')],
        ),
        (
            f"{T} rebuild took long ms=5",
            [(TIMED, "event", "rebuild", "ms", "5", '{"text":"took long"}')],
        ),
        (f"{T} all is well", [note(f"{T} all is well", TIMED)]),
        (f"{T} a=1 b=2", [note(f"{T} a=1 b=2", TIMED)]),
        (f"{T}", [note(f"{T}", TIMED)]),
        ("[INFO] rebuild ms=5", [note("[INFO] rebuild ms=5")]),
        (
            '{"timestamp": "2025-10-28T04:00:00Z", "event_type": "e", "metric_name":'
            ' "M", "metric_value": 1.50, "metadata": {"a": [1.0]}}',
            [(TIMED, "json", "e", "M", "1.50", '{"a":[1.0]}')],
        ),
        ('{"metric_value": "abc"}', [(UNTIMED, "json", None, None, "abc", None)]),
        ('{"other": 1}', [note('{\\"other\\": 1}')]),
        ('{"event_type": 1', [note('{\\"event_type\\": 1')]),
        ("[1, 2]", [note("[1, 2]")]),
    ],
)
def test_shapes(text: str, expected: list[tuple[Any, ...]]) -> None:
    parsed = parse(text)
    once = {name: parsed.records[0][name] for name in SAID_ONCE} if expected else {}
    assert [said(record | once) for record in parsed.records] == expected
    for record in parsed.records:
        assert record["problem"] is None
        assert (record | once)["raw"] == text.strip()
        assert record["line_number"] == 3


def test_only_a_time_in_the_line_is_taken_over() -> None:
    assert parse(f"{T} hello").time == datetime(2025, 10, 28, 4)
    assert parse("[2025-10-28T04:00:00+07:00] e a=1").time == datetime(2025, 10, 27, 21)
    assert parse("hello").time is None


@pytest.mark.parametrize(
    ("text", "problem", "records"),
    [
        ("[1999-01-01] e a=1 b=2", "dated before 2000", 2),
        ("[2099-01-01] note", "dated more than a day ahead", 1),
        ('{"timestamp": "soon", "event_type": "e"}', "timestamp is not a time", 1),
        ("x" * (MAX_RECORD_BYTES + 1), "line is too long", 1),
        ("{" * (MAX_RECORD_BYTES + 1), "line is too long", 1),
    ],
)
def test_rejects(text: str, problem: str, records: int) -> None:
    parsed = parse(text)
    assert len(parsed.records) == records
    is_dated = problem.startswith("dated")
    assert (parsed.time is not None) == is_dated
    for record in parsed.records:
        assert record["problem"] == problem
        assert (record["at"] is not None) == is_dated
    assert parsed.records[0]["raw"] == text[:RAW_LIMIT]


def test_what_all_numbers_of_a_line_share_is_landed_once() -> None:
    first, *others = parse(f"{T} e a=1 b=2 c=3 why=x").records
    assert (first["event_type"], first["metadata"]) == ("e", '{"why":"x"}')
    assert [record["metric_name"] for record in others] == ["b", "c"]
    assert not any(record[name] for record in others for name in SAID_ONCE)


def test_keys_inside_of_metadata_are_free() -> None:
    parsed = parse('{"event_type": "e", "metadata": {"a": 1}, "new": {"b": 1}}')
    assert parsed.keys == ("event_type", "metadata", "new")


def test_a_line_of_very_many_numbers_is_a_note() -> None:
    [record] = parse(f"{T} e " + "a=1 " * (MAX_NUMBERS + 1)).records
    assert record["shape"] == "note"


@pytest.mark.parametrize(
    "text",
    [
        "login with password=s3cr3t",
        f"{T} deploy token=s3cr3t ms=5",
        '{"event_type": "e", "metadata": {"api_key": "s3cr3t"}}',
        '{"api_key": "s3cr3t"}',
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "s3cr3t" not in str(parse(text))


@given(st.text() | st.text(alphabet="[]{}=:\"' 0123456789.eab-").map((T + " ").__add__))
@settings(deadline=None)
def test_every_line_is_a_record(text: str) -> None:
    assert bool(parse(text).records) == bool(text.strip())


@pytest.mark.parametrize("text", ["12.5", "-3", "1e3", "007", "1E-3"])
def test_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "+5", ".5", "5.", "1,234", "1_000", "0x10", "NaN", "inf", "1e400", "٣", "1 "],
)
def test_no_numbers(text: str) -> None:
    assert not is_number(text)
