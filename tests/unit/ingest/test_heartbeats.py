import json
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masks import load_masks
from ingest.sources.heartbeats import (
    day_of,
    parse_heartbeat,
    read_heartbeat,
    time_in_name,
)
from ingest.text import MAX_HEARTBEAT_BYTES, RAW_LIMIT
from ingest.times import BEFORE_2000, TOO_FAR_AHEAD

NAME = "heartbeat_2025-10-27_17-52-10.md"
NOW = datetime(2025, 10, 28, 12)
MODIFIED = datetime(2025, 10, 26)
MASKS = load_masks()
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.md"))
SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "samples"
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


@given(st.text(alphabet="#-* \n\r:`aStatus\u2028\0") | st.text())
@settings(deadline=None)
def test_no_text_raises(text: str) -> None:
    record = parse_heartbeat(NAME, text, NOW)
    assert record["raw"] == text
    for check in record["checks"]:
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
    assert len(glued["checks"]) == len(quiet["checks"]) == 1


@needs_samples
def test_samples_are_read_whole() -> None:
    paths = sorted(SAMPLES.glob("g/reports/**/heartbeat_*.md"))
    assert paths
    for path in paths:
        record = read_heartbeat(path.name, path.read_bytes(), NOW, MASKS)
        assert record["problem"] is None
        assert record["fields"] == ["Timestamp", "Status", "Duration"]
        groups = [check["check_group"] for check in record["checks"]]
        assert set(groups) == {"Redis", "Database", "API Endpoints", "LaunchAgents"}


@needs_samples
def test_no_changed_byte_of_a_sample_raises() -> None:
    data = (SAMPLES / f"g/reports/ops_atomic/{NAME}").read_bytes()
    for position in range(len(data)):
        for byte in b"\xff\0\n#-":
            changed = data[:position] + bytes([byte]) + data[position + 1 :]
            read_heartbeat(NAME, changed, NOW, MASKS)
        read_heartbeat(NAME, data[:position], NOW, MASKS)
