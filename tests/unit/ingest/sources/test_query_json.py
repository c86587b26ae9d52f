import csv
import io
import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources import query_json
from ingest.sources.query_csv import LANDING_COLUMNS, QueryFile
from ingest.sources.query_json import read_query_json
from ingest.text.clean import MAX_CELL_CHARS, MAX_RECORD_BYTES, RAW_LIMIT

NOW = datetime(2025, 10, 28, 12)
DAY = date(2025, 10, 21)
NAME = "query_perf_daily_20251021.json"
COLUMNS = LANDING_COLUMNS["query_patterns"]
MASKS = load_masks()
SAMPLES = PROJECT.parent / "shared" / "samples" / "g" / "reports"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")


def read(text: str, day: date | None = DAY, encoding: str = "utf-8") -> QueryFile:
    stream = io.BytesIO(text.encode(encoding))
    return read_query_json(stream, NAME, day, MASKS, NOW)


def records(file: QueryFile) -> list[dict[str, str]]:
    csv.field_size_limit(MAX_CELL_CHARS)
    return [
        {name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell}
        for row in csv.reader(io.StringIO("\n".join(file.lines), newline=""))
    ]


def test_a_daily_twin() -> None:
    file = read(
        '{"date": "20251021", "patterns": [{"pattern": "select 1", "samples": 5,'
        ' "avg": 1.50, "p50": 52, "p95": 131.0, "p99": 146.2, "slow": true}]}'
    )
    assert file.source == "query_patterns"
    found = records(file)
    assert file.names[:3] == ["date", "patterns", "patterns.pattern"]
    assert found == [
        {
            "header": '{"date":"20251021"}',
            "pattern": "select 1",
            "samples": "5",
            "avg_ms": "1.50",
            "p50_ms": "52",
            "p95_ms": "131.0",
            "p99_ms": "146.2",
            "slow_flag": "true",
            "source_file": NAME,
            "line_number": "1",
            "raw": '{"pattern":"select 1","samples":5,"avg":1.50,"p50":52,'
            '"p95":131.0,"p99":146.2,"slow":true}',
        }
    ]


def test_a_pattern_too_long_to_be_read_again_is_a_reject() -> None:
    long = {"pattern": "x" * MAX_RECORD_BYTES}
    file = read(json.dumps({"patterns": [long, {"pattern": "y"}]}))
    cut_off, whole = records(file)
    assert cut_off["problem"] == "pattern is too long"
    assert len(cut_off["raw"]) == RAW_LIMIT
    assert whole["pattern"] == "y"


@pytest.mark.parametrize("behind", [" ", "[1]", ', {"pattern": "z"}]}'])
def test_what_is_not_read_is_said(behind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the list ends, too: nothing behind the limit goes without a word."""
    text = '{"patterns": [{"pattern": "x"}, {"pattern": "y"}'
    monkeypatch.setattr(query_json, "MAX_JSON_BYTES", len(text) + 2)
    whole = records(read(f"{text}]}}"))
    assert [record["pattern"] for record in whole] == ["x", "y"]
    *read_ones, last = records(read(f"{text}]}}{behind}"))
    assert [record["pattern"] for record in read_ones] == ["x", "y"]
    assert "was not read" in last["problem"]


def test_a_weekly_twin_and_keys_that_are_new() -> None:
    [record] = records(
        read(
            '{"week": "202543", "patterns": [], "all_patterns": [{"pattern": "x",'
            ' "p50_weekly": 1, "p95_weekly": 2, "p99_ms": 3, "p99": 4, "p50": null,'
            ' "slow_flag": false, "new": [1.0], "avg_ms": null}]}'
        )
    )
    assert (record["p50_ms"], record["p95_ms"], record["p99_ms"]) == ("1", "2", "3")
    assert record["slow_flag"] == "false"
    assert '"p99":4,"p50":null,"slow_flag":false,"new":[1.0]' in record["raw"]
    assert record["header"] == '{"week":"202543","patterns":[]}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"patterns": [', "not JSON"),
        ("[" * 1000, "nested too deeply"),
        ("[]", "no list of patterns"),
        ('{"patterns": {}, "all_patterns": null}', "no list of patterns"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_record(text: str, problem: str) -> None:
    assert records(read(text)) == [
        {"source_file": NAME, "line_number": "1", "problem": problem, "raw": text}
    ]


def test_elements_that_are_no_patterns() -> None:
    first, second = records(read('{"patterns": ["token=s3cr3t", {"pattern": "x"}]}'))
    assert first["problem"] == "pattern is not an object"
    assert first["raw"] == '"token=***"'
    assert (second["pattern"], second["line_number"]) == ("x", "2")


TWIN = {
    "week": "202543",
    "patterns": [
        {"pattern": f'select "{n}", [{{,:\\', "samples": n, "new": {"a": [n]}}
        for n in range(20)
    ],
    "total_samples": 20,
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_large_twin_is_read_entry_by_entry(
    indent: int | None, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(TWIN, indent=indent)
    whole = read(text)
    expected = records(whole), whole.names
    monkeypatch.setattr("ingest.sources.query_json.is_too_long", lambda t: t == text)
    large = read(text, encoding=encoding)
    found = records(large)
    found[0]["header"] = found[0]["header"].replace('"patterns":[],', "")
    assert (found, sorted(large.names)) == (expected[0], sorted(expected[1]))


@pytest.mark.parametrize("indent", [None, 1])
def test_a_torn_twin_loses_one_entry_at_most(indent: int | None) -> None:
    text = json.dumps(TWIN, indent=indent)
    whole = [record["raw"] for record in records(read(text))]
    start = text.index("[") + 2
    for end in range(start, len(text)):
        found = records(read(text[:end]))
        good = [record["raw"] for record in found if "problem" not in record]
        assert len(good) >= len(found) - 1
        assert good == whole[: len(good)]
        assert len(found) <= len(whole)
        # All of it is landed, whatever it is.
        assert text[: start - 1].strip() in found[0].get("header", found[0]["raw"])


def test_a_bad_entry_costs_only_itself() -> None:
    entries = ['{"pattern":"a"}', '{"pattern":"b}', '{"pattern":token=s3cr3t}']
    text = '{"patterns":[\n' + ",\n".join([*entries, *entries]) + "\n]}"
    found = records(read(text))
    assert [record.get("problem") for record in found][2:] == [
        "not JSON", None, "not JSON", "not JSON"
    ]  # fmt: skip
    assert [record.get("pattern") for record in found] == ["a", None, None] * 2
    assert found[2]["raw"] == '{"pattern":token=***}'


@pytest.mark.parametrize("junk", ["\n]", "x", "[[1]]", "\n" + "[" * 5_000])
def test_what_stands_behind_a_twin_costs_no_entry(junk: str) -> None:
    text = '{"patterns": [{"pattern": "a"}, {"pattern": "b"}]}'
    whole = [record["raw"] for record in records(read(text))]
    assert [record["raw"] for record in records(read(text + junk))] == whole


def test_a_day_that_cannot_be_true() -> None:
    text = '{"patterns": [{"pattern": "x"}]}'
    [record] = records(read(text, date(1999, 1, 1)))
    assert record["problem"] == "dated before 2000"


def test_secrets_are_masked() -> None:
    text = '{"patterns": [{"pattern": "token=s3cr3t", "password": "s3cr3t"}]}'
    assert "s3cr3t" not in str(records(read(text)))
    assert "s3cr3t" not in str(records(read(text[:-1])))


VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["patterns", "pattern", "p50", "x"]), inner)
    ),
)


@given(VALUES | st.lists(VALUES).map(lambda found: {"patterns": found}))
@settings(deadline=None)
def test_each_element_is_a_record(value: Any) -> None:
    found = records(read(json.dumps(value)))
    if isinstance(value, dict) and isinstance(value.get("patterns"), list):
        assert len(found) == len(value["patterns"])
    else:
        assert [record["problem"] for record in found] == ["no list of patterns"]


@needs_samples
def test_the_sample_says_what_its_csv_says() -> None:
    found = records(read((SAMPLES / NAME).read_text(encoding="utf-8")))
    csv = (SAMPLES / NAME.replace("json", "csv")).read_text(encoding="utf-8")
    assert len(found) == csv.count("\n") - 1
    for record, line in zip(found, csv.splitlines()[1:], strict=True):
        cells = line.rsplit(",", 6)
        assert record["pattern"] == cells[0].strip('"')
        assert record["samples"] == cells[1]
        assert float(record["p99_ms"]) == float(cells[5])
        assert record["slow_flag"] == cells[6]
