"""The query log and telemetry: files with one JSON object a line."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources import query_log, telemetry
from ingest.sources.lines import UNKNOWN_KIND, Parsed, read_lines

NOW = datetime(2025, 10, 28, 12)
FALLBACK = datetime(2025, 10, 20, 1, 2, 3)
MASKS = load_masks()
SAMPLES = PROJECT.parent / "shared" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")


def log(text: str) -> Parsed:
    return query_log.parse_line(text, 7, "query_perf.jsonl", FALLBACK, NOW, MASKS)


def metrics(text: str) -> Parsed:
    return telemetry.parse_line(text, 7, "rollup.ndjson", FALLBACK, NOW, MASKS)


def test_a_query_with_all_it_can_have() -> None:
    text = (
        '{"ts": "2025-10-28T03:00:00+07:00", "query": "phase 7.2 --k=5", "mode": "x",'
        ' "duration_ms": 12.50, "resultCount": 10,'
        ' "timings": {"total_ms": 433.778583, "cache_hit": false}}'
    )
    parsed = log(text)
    assert parsed.records == [
        {
            "at": "2025-10-27 20:00:00.000000",
            "query": "phase 7.2 --k=5",
            "duration_ms": "12.50",
            "total_ms": "433.778583",
            "cache_hit": "false",
            "result_count": "10",
            "source_file": "query_perf.jsonl",
            "line_number": 7,
            "problem": None,
            "raw": text,
        }
    ]
    assert parsed.time == datetime(2025, 10, 27, 20)
    assert parsed.keys == (
        "ts",
        "query",
        "mode",
        "duration_ms",
        "resultCount",
        "timings",
        "timings.total_ms",
        "timings.cache_hit",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"query": "select 1", "duration_ms": 45}', "no ts"),
        ('{"ts": null, "query": "select 1"}', "no ts"),
        ('{"ts": "soon", "query": "select 1"}', "ts is not a time"),
        ('{"ts": 1761600000, "query": "select 1"}', "ts is not a time"),
        ('{"ts": "1999-01-01", "query": "select 1"}', "dated before 2000"),
        ('{"ts": "2025-10-30", "query": ""}', "dated more than a day ahead"),
        ('{"ts": "2025-10-28"}', f"no query{UNKNOWN_KIND}"),
        ('{"event": "restart"}', f"no query{UNKNOWN_KIND}"),
        ('{"ts": "soon", "event": "restart"}', "ts is not a time"),
        ('{"ts": "2025-10-28", "query": " \\n"}', "query is empty"),
        ('{"ts": "2025-10-28", "query": "x"', "not JSON"),
        ("[1]", "not an object"),
        ("[" * 1000, "nested too deeply"),
    ],
)
def test_queries_that_are_rejects(text: str, problem: str) -> None:
    [record] = log(text).records
    assert record["problem"] == problem
    assert record["raw"] == text
    is_timed = '"ts": "' in text and problem not in ("ts is not a time", "not JSON")
    assert (record["at"] is not None) == is_timed


def test_timings_may_be_anything() -> None:
    [record] = log('{"ts": "2025-10-28", "query": "x", "timings": [1]}').records
    assert (record["problem"], record["total_ms"]) == (None, None)


def test_secrets_in_queries_are_masked() -> None:
    text = '{"ts": "2025-10-28", "query": "x token=s3cr3t", "api_key": "s3cr3t"}'
    assert "s3cr3t" not in str(log(text))
    assert "s3cr3t" not in str(log(text[:-1]))


def test_a_metric() -> None:
    text = '{"ts":"2025-10-22T09:00:00.000Z","metric":"hit_rate","value":0.650}'
    parsed = metrics(text)
    assert parsed.records == [
        {
            "at": "2025-10-22 09:00:00.000000",
            "metric": "hit_rate",
            "value": "0.650",
            "source_file": "rollup.ndjson",
            "line_number": 7,
            "problem": None,
            "raw": text,
        }
    ]
    assert parsed.keys == ("ts", "metric", "value")


def test_a_metric_without_a_time_has_that_of_its_file() -> None:
    parsed = metrics('{"metric": "x", "value": 1}')
    assert parsed.time is None
    assert parsed.records[0]["at"] == "2025-10-20 01:02:03.000000"
    assert parsed.records[0]["problem"] is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"ts": "soon", "metric": "x", "value": 1}', "ts is not a time"),
        ('{"ts": "2099-01-01", "metric": "x"}', "dated more than a day ahead"),
        ('{"ts": "2025-10-22", "alert": "x"}', f"no metric{UNKNOWN_KIND}"),
        ('{"alert": "x"}', f"no metric{UNKNOWN_KIND}"),
        ('{"metric": "x"', "not JSON"),
        ("null", "not an object"),
    ],
)
def test_metrics_that_are_rejects(text: str, problem: str) -> None:
    [record] = metrics(text).records
    assert record["problem"] == problem
    is_timed = '"ts": "20' in text
    assert (record["at"] is not None) == is_timed


@given(
    st.fixed_dictionaries(
        {},
        optional={
            key: st.sampled_from(
                ["1", '"2025-10-28"', "null", "[]", '"\\ud800"', "1e999"]
            )
            for key in ("ts", "query", "timings", "metric", "value", "resultCount")
        },
    )
)
@settings(deadline=None)
def test_any_value_under_any_key_is_one_record(values: dict[str, str]) -> None:
    text = "{" + ",".join(f'"{key}":{value}' for key, value in values.items()) + "}"
    for parsed in (log(text), metrics(text)):
        [record] = parsed.records
        assert all(
            cell is None or isinstance(cell, str | int) for cell in record.values()
        )


@needs_samples
def test_samples() -> None:
    with (SAMPLES / "g/reports/query_perf.jsonl").open("rb") as stream:
        problems = [log(line.text).records[0]["problem"] for line in read_lines(stream)]
    assert problems == ["no ts"] * 6 + [None] * 2
    with (SAMPLES / "g/telemetry/rollup_daily.ndjson").open("rb") as stream:
        records: list[dict[str, Any]] = [
            metrics(line.text).records[0] for line in read_lines(stream)
        ]
    assert len(records) == 42
    assert {record["problem"] for record in records} == {None}


@needs_samples
def test_no_changed_byte_of_a_sample_raises() -> None:
    line = (SAMPLES / "g/reports/query_perf.jsonl").read_bytes().splitlines()[-1]
    for position in range(len(line)):
        for byte in b'\xff\0"{[9':
            text = (line[:position] + bytes([byte]) + line[position + 1 :]).decode(
                "utf-8", "replace"
            )
            assert len(log(text).records) == len(metrics(text).records) == 1
