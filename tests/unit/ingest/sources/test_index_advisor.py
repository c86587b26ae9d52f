import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources.index_advisor import MAX_REPORT_CHARACTERS, Report, parse_report

NOW = datetime(2025, 10, 28, 12)
MODIFIED = datetime(2025, 10, 26, 5)
MASKS = load_masks()
SAMPLES = PROJECT.parent / "shared" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")


def parse(text: str) -> Report:
    return parse_report(text, "index_advisor_report.json", MODIFIED, NOW, MASKS)


def test_a_report() -> None:
    report = parse(
        '{"timestamp": "2025-10-28T03:00:00+07:00", "slow_queries": [{"p50": 1.50}],'
        ' "recommendations": [{"table": "a"}, {"sql": "b"}, 3], "api_key": "s3cr3t"}'
    )
    assert report.record == {
        "at": "2025-10-27 20:00:00.000000",
        "report": '{"timestamp":"2025-10-28T03:00:00+07:00","slow_queries":'
        '[{"p50":1.50}],"recommendations":[{"table":"a"},{"sql":"b"},3],'
        '"api_key":"***"}',
        "source_file": "index_advisor_report.json",
        "problem": None,
        "raw": None,
    }
    assert (report.recommendations, report.slow_queries) == (3, 1)
    assert report.keys == (
        "timestamp",
        "slow_queries",
        "slow_queries.p50",
        "recommendations",
        "recommendations.table",
        "recommendations.sql",
        "api_key",
    )


@pytest.mark.parametrize("text", ["{}", '{"timestamp": null, "recommendations": null}'])
def test_a_report_without_a_timestamp(text: str) -> None:
    report = parse(text)
    assert report.record["at"] == "2025-10-26 05:00:00.000000"
    assert report.record["problem"] is None
    assert (report.recommendations, report.slow_queries) == (0, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ('{"token": "s3cr3t"', "not JSON"),
        ("[" * 5000, "nested too deeply"),
        ('["token=s3cr3t"]', "not an object"),
        ('{"timestamp": "soon"}', "timestamp is not a time"),
        ('{"timestamp": "1999-01-01"}', "dated before 2000"),
        ('{"recommendations": {}}', "recommendations is not a list"),
        ('{"recommendations": ""}', "recommendations is not a list"),
        ('{"recommendations": [], "slow_queries": 0}', "slow_queries is not a list"),
        ('{"a": "' + "x" * MAX_REPORT_CHARACTERS + '"}', "report is too long"),
    ],
)
def test_reports_that_are_rejects(text: str, problem: str) -> None:
    report = parse(text)
    assert report.record["problem"] == problem
    assert report.record["report"] is None
    assert report.record["raw"] is not None
    assert "s3cr3t" not in str(report)
    is_old = problem == "dated before 2000"
    day = "1999-01-01 00:00" if is_old else "2025-10-26 05:00"
    assert report.record["at"] == f"{day}:00.000000"
    assert (report.recommendations, report.slow_queries) == (0, 0)


def test_a_reject_keeps_its_own_time() -> None:
    record = parse('{"timestamp": "2025-10-28", "recommendations": 1}').record
    assert record["at"] == "2025-10-28 00:00:00.000000"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["timestamp", "recommendations", "slow_queries", "x"]),
                inner,
            )
        ),
    )
)
@settings(deadline=None)
def test_no_json_raises(value: Any) -> None:
    report = parse(json.dumps(value))
    assert (report.record["report"] is None) == (report.record["problem"] is not None)


@needs_samples
def test_samples() -> None:
    name = "index_advisor_report.json"
    first = parse((SAMPLES / "g/reports" / name).read_text(encoding="utf-8"))
    assert (first.recommendations, first.slow_queries) == (0, 4)
    second = parse((SAMPLES / "knowledge/optimize" / name).read_text(encoding="utf-8"))
    assert (second.recommendations, second.slow_queries) == (1, 0)
    assert first.record["problem"] is second.record["problem"] is None
