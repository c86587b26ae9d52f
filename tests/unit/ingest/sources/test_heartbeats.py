import json
import tracemalloc
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.publish.landing_views import MAX_LINE_BYTES
from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources.heartbeats import (
    Heartbeat,
    day_of,
    parse_heartbeat,
    read_heartbeat,
    time_in_name,
)
from ingest.text.clean import MAX_HEARTBEAT_BYTES, RAW_LIMIT
from ingest.text.times import BEFORE_2000, TOO_FAR_AHEAD

NAME = "heartbeat_2025-10-27_17-52-10.md"
NOW = datetime(2025, 10, 28, 12)
MODIFIED = datetime(2025, 10, 26)
MASKS = load_masks()
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.md"))
SAMPLES = PROJECT.parent / "shared" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: str(path.stem))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_golden(path: Path, end: str) -> None:
    text = path.read_text(encoding="utf-8").replace("\n", end)
    record = parse_heartbeat(NAME, text, NOW)
    assert record.pop("raw") == text  # type: ignore[misc]
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert record == expected


def report(**header: str) -> str:
    return "".join(f"**{name}:** {value}\n" for name, value in header.items())


@pytest.mark.parametrize(
    ("name", "written", "at", "problem", "day"),
    [
        (
            NAME,
            "2025-10-28T00:00:00Z",
            "2025-10-28 00:00:00.000000",
            None,
            "2025-10-28",
        ),
        (
            NAME,
            "2025-10-28T03:00:00.5+07:00",
            "2025-10-27 20:00:00.500000",
            None,
            "2025-10-27",
        ),
        (NAME, "soon", "2025-10-27 17:52:10.000000", None, "2025-10-27"),
        (NAME, "", "2025-10-27 17:52:10.000000", None, "2025-10-27"),
        (NAME, "1999-12-31", "1999-12-31 00:00:00.000000", BEFORE_2000, "1999-12-31"),
        (NAME, "2025-10-30", "2025-10-30 00:00:00.000000", TOO_FAR_AHEAD, "2025-10-30"),
        ("heartbeat_2025-02-30_00-00-00.md", "", None, "no time", "2025-10-26"),
        ("heartbeat_2025-10-27_24-00-00.md", "", None, "no time", "2025-10-26"),
        ("other.md", "", None, "no time", "2025-10-26"),
        (
            "heartbeat_1999-10-27_00-00-00.md",
            "",
            "1999-10-27 00:00:00.000000",
            BEFORE_2000,
            "1999-10-27",
        ),
    ],
)
def test_time_and_day(
    name: str, written: str, at: str | None, problem: str | None, day: str
) -> None:
    record = parse_heartbeat(name, report(Timestamp=written, Status="ok"), NOW)
    assert (record["at"], record["problem"]) == (at, problem)
    assert day_of(record, MODIFIED, NOW).isoformat() == day


def test_a_report_without_a_status_line_keeps_its_day() -> None:
    record = parse_heartbeat(NAME, report(Timestamp="2025-10-28T01:00:00Z"), NOW)
    assert record["problem"] == "no Status line"
    assert day_of(record, MODIFIED, NOW) == date(2025, 10, 28)
    assert parse_heartbeat("x.md", "", NOW)["problem"] == "no Status line"


def test_a_modification_time_that_cannot_be_true_is_no_day() -> None:
    record = parse_heartbeat("x.md", "", NOW)
    assert day_of(record, datetime(1970, 1, 1), NOW) == NOW.date()


def test_time_in_name() -> None:
    assert time_in_name(NAME) == datetime(2025, 10, 27, 17, 52, 10)
    assert time_in_name(NAME + ".gz") is None


def test_bytes_are_decoded_and_masked() -> None:
    data = b"\xef\xbb\xbf**Status:** bad \xff\0 token=s3cr3t\r\n"
    record = read_heartbeat(NAME, data, NOW, MASKS)
    assert record["status_text"] == "bad \ufffd\ufffd token=***"
    assert record["raw"] == "**Status:** bad \ufffd\ufffd token=***\r\n"
    assert record["problem"] is None


def test_a_file_that_is_no_heartbeat_by_its_length() -> None:
    data = b"**Status:** ok\n" + b"x" * MAX_HEARTBEAT_BYTES
    record = read_heartbeat(NAME, data, NOW, MASKS)
    assert record["problem"] == "heartbeat is too long"
    assert record["at"] == "2025-10-27 17:52:10.000000"
    assert record["fields"] is None
    assert len(record["raw"]) == RAW_LIMIT
    assert read_heartbeat(NAME, data[:-20], NOW, MASKS)["problem"] is None


def under_one_heading(heading: str, checks: int) -> str:
    return f"**Status:** ok\n---\n### {heading}\n" + "- **a:** ✅\n" * checks


def landed(record: Heartbeat) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_heading_is_landed_once_for_all_its_checks() -> None:
    text = under_one_heading("Redis " * 100, 2_000)
    record = parse_heartbeat(NAME, text, NOW)
    (group,) = record["check_groups"]
    assert len(group["checks"]) == 2_000
    assert len(landed(record)) < 4 * len(text.encode())


def test_checks_that_would_fill_gigabytes_are_a_reject() -> None:
    text = under_one_heading("x" * 200_000, 20_000)
    record = parse_heartbeat(NAME, text, NOW)
    assert record["problem"] == "checks are too large"
    assert record["check_groups"] == []
    assert record["raw"] == text, "for a parser that can do better"


FULL = MAX_HEARTBEAT_BYTES - 100


@pytest.mark.parametrize(
    "data",
    [
        under_one_heading("x" * (FULL // 2), 1).encode() + b"\x01" * (FULL // 2),
        under_one_heading("x", FULL // 12).encode(),
        b"**Status:** ok\n### a\n- **b:** " + b"\x01" * FULL,
        b"**Status:** ok\n### a\n- **b:** " + b"\xff" * FULL,
        b"**Status:** ok\n### a\n- **b:** " + b"pwd=a " * (FULL // 6),
        b"**" + b"\x02" * FULL + b":** ok",
        b"".join(b"**%d:** \n" % n for n in range(FULL // 16)),
        b"### a\n- **b:**\n" * (FULL // 16),
        b"\x03" * FULL * 2,
    ],
    ids=range(9),
)
def test_no_heartbeat_is_landed_as_more_than_can_be_read(data: bytes) -> None:
    record = read_heartbeat(NAME, data, NOW, MASKS)
    assert len(landed(record)) < MAX_LINE_BYTES / 2


def test_what_is_remembered_of_long_reports_takes_little_room() -> None:
    tracemalloc.start()
    try:
        for number in range(3):
            parse_heartbeat(NAME, under_one_heading(f"{number}", 20_000), NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 << 20


@given(st.text(alphabet="#-* \n\r:`aStatus\u2028\0") | st.text())
@settings(deadline=None)
def test_no_text_raises(text: str) -> None:
    record = parse_heartbeat(NAME, text, NOW)
    assert record["raw"] == text
    for group in record["check_groups"]:
        assert group["checks"]
        for check in group["checks"]:
            assert check["text"] == check["text"].strip()


@given(
    st.lists(
        st.sampled_from(
            ["", "### A", "## B", "---", "- **C:** d", "text", "**Status:** x", "  "]
        ),
        max_size=12,
    )
)
@settings(deadline=None)
def test_one_message_line_more_never_makes_more_checks(lines: list[str]) -> None:
    start = ["### Group", "", "- **Check:** message", "its second line"]
    quiet = parse_heartbeat(NAME, "\n".join(start), NOW)
    glued = parse_heartbeat(NAME, "\n".join([*start, *filter(str.strip, lines)]), NOW)
    for record in (glued, quiet):
        (group,) = record["check_groups"]
        assert len(group["checks"]) == 1


@needs_samples
def test_samples_are_read_whole() -> None:
    paths = sorted(SAMPLES.glob("g/reports/**/heartbeat_*.md"))
    assert paths
    for path in paths:
        record = read_heartbeat(path.name, path.read_bytes(), NOW, MASKS)
        assert record["problem"] is None
        assert record["fields"] == ["Timestamp", "Status", "Duration"]
        groups = [group["check_group"] for group in record["check_groups"]]
        assert groups == ["Redis", "Database", "API Endpoints", "LaunchAgents"]


@needs_samples
def test_no_changed_byte_of_a_sample_raises() -> None:
    data = (SAMPLES / f"g/reports/ops_atomic/{NAME}").read_bytes()
    for position in range(len(data)):
        for byte in b"\xff\0\n#-":
            changed = data[:position] + bytes([byte]) + data[position + 1 :]
            read_heartbeat(NAME, changed, NOW, MASKS)
        read_heartbeat(NAME, data[:position], NOW, MASKS)
