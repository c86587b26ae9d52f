"""The samples hold what `seeds/known_columns.csv` knows: no drift in them."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources import health, query_csv, query_log, telemetry
from ingest.sources.heartbeats import parse_heartbeat
from ingest.sources.index_advisor import parse_report
from ingest.sources.lines import read_lines
from ingest.sources.query_json import read_query_json

ROOT = PROJECT
SAMPLES = ROOT / ".." / "shared" / "samples"
MORE = ROOT / ".." / "shared" / "samples_more"
NOW = datetime(2025, 10, 28, 12)
DAY = date(2025, 10, 28)
MASKS = load_masks()

with (ROOT / "seeds" / "known_columns.csv").open(encoding="utf-8", newline="") as file:
    SEED = list(csv.DictReader(file))


def test_the_seed_is_well_formed() -> None:
    assert len({(row["source"], row["name"]) for row in SEED}) == len(SEED)
    assert {row["requirement"] for row in SEED} == {"required", "expected", "optional"}


@pytest.mark.parametrize("source", ["query_rows", "query_patterns"])
def test_the_seed_agrees_with_the_parser(source: query_csv.Source) -> None:
    rows = [row for row in SEED if row["source"] == source]
    assert [row["name"] for row in rows] == list(query_csv.CELLS[source])
    for requirement, expected in (
        ("required", query_csv.REQUIRED[source]),
        ("optional", query_csv.OPTIONAL[source]),
    ):
        names = [row["name"] for row in rows if row["requirement"] == requirement]
        assert names == list(expected)


def seen() -> Iterator[tuple[str, list[str]]]:
    """Source and names of each file; of files of lines, of each line."""
    for path in SAMPLES.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            stream = io.BytesIO(path.read_bytes())
            found = query_csv.read_query_csv(stream, path.name, DAY, MASKS, NOW)
            yield found.source, found.names
        elif path.name.startswith("query_perf_") and path.suffix == ".json":
            stream = io.BytesIO(path.read_bytes())
            twin = read_query_json(stream, path.name, DAY, MASKS, NOW)
            assert list(twin.lines)  # names are complete behind the last
            yield "query_patterns_json", twin.names
        elif path.suffix == ".json":
            report = parse_report(text, path.name, NOW, NOW, MASKS)
            yield "index_advisor", list(report.keys)
        elif path.name.startswith("heartbeat_"):
            yield "heartbeats", parse_heartbeat(path.name, text, NOW)["fields"] or []
        elif path.suffix in (".jsonl", ".ndjson"):
            is_log = path.suffix == ".jsonl"
            module = query_log if is_log else telemetry
            for line in read_lines(io.BytesIO(path.read_bytes())):
                parsed = module.parse_line(line.text, 1, path.name, NOW, NOW, MASKS)
                yield "query_log" if is_log else "telemetry", list(parsed.keys)
    for path in MORE.rglob("health_*.json"):
        reading = health.read(path.name, path.read_text(encoding="utf-8"))
        if reading.problem is None:
            yield "reports", list(reading.keys)


@pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")
def test_samples_do_not_drift() -> None:
    sources = set()
    for source, names in seen():
        sources.add(source)
        rows = [row for row in SEED if row["source"] == source]
        known = {row["name"] for row in rows}
        due = {row["name"] for row in rows if row["requirement"] != "optional"}
        assert set(names) <= known
        assert due <= set(names)
    unseen = {"optimization_summary", "legacy_parquet"}
    assert sources == {row["source"] for row in SEED} - unseen
