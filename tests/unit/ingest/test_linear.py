"""Twice as long an input costs every parser about twice the work, whatever it is."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, datetime
from unittest import mock

import pytest

from ingest.masking.masks import Masks, load_masks
from ingest.sources import (
    csv_records,
    daily_run,
    health,
    heartbeats,
    index_advisor,
    lines,
    mcp_health,
    optimization_summary,
    query_csv,
    query_json,
    query_log,
    reports,
    telemetry,
)
from ingest.text import json_text, times
from tests.steps import Steps, counting

NOW = datetime(2025, 10, 28, 12)
DAY = date(2025, 10, 28)
CSV = "query_perf_daily_20251028.csv"
SIZE = 150
# Rules of masks look at some hundred characters more, wherever they begin.
MASKED_SIZE = 800
# Twice the work, four times would be quadratic. In between lies what grows only
# up to a limit.
MOST = 3.0

UNITS = [
    *"\r\n\t \"'\\[{(*#:;,=-.`~a0\0",
    "✅", "\r\n", '""', '\\"', "[[],", '{"a":', '{"":{},', '"a":"', "**",
    "- **a:** ✅\n", "### a\n", "---\n", "```\n", "... ", " (", "- a: ✅ b\n",
    "### Phase 1: a — b\n",
    "a='", 'a=" ', "a=1 ", "1.", 'x","', 'x","\n', '"x\n', "a,b\n",
]  # fmt: skip

Parser = Callable[[str, Masks], object]


def each_line(parse: Callable[..., lines.Parsed]) -> Parser:
    def run(text: str, masks: Masks) -> None:
        at = None
        for line in lines.read_lines(io.BytesIO(text.encode())):
            parsed = parse(line.text, line.number, "a.jsonl", NOW, NOW, masks)
            at = lines.time_to_carry(parsed, at, NOW)

    return run


def each_physical_line(text: str, _: Masks) -> None:
    with mock.patch.object(lines, "_CHUNK", 32):  # or all of it would be read at once
        for lone_cr in (True, False):
            stream = io.BytesIO(text.encode())
            for _line in lines.physical_lines(stream, lone_cr=lone_cr):
                pass


def csv_file(text: str, masks: Masks) -> None:
    file = query_csv.read_query_csv(io.BytesIO(text.encode()), CSV, DAY, masks, NOW)
    for _ in file.lines:
        pass


def twin(text: str, masks: Masks) -> None:
    name = CSV.replace("csv", "json")
    file = query_json.read_query_json(io.BytesIO(text.encode()), name, DAY, masks, NOW)
    for _ in file.lines:
        pass


def report(kind: Callable[[str, str], reports.Reading], name: str) -> Parser:
    def run(text: str, masks: Masks) -> None:
        plain = reports.masked(name, text, masks)
        reports.as_record(name, "x", plain, kind(name, plain), NOW)

    return run


BEAT = "heartbeat_2025-10-28_01-00-00.md"
ROWS = ",".join(query_csv.ROW_CELLS) + "\n"
PATTERNS = ",".join(query_csv.PATTERN_CELLS) + "\n"

# The parsers, and what may stand before and behind what is repeated.
PARSERS: dict[str, tuple[Parser, list[tuple[str, str]]]] = {
    "heartbeats": (
        lambda text, masks: heartbeats.read_heartbeat(BEAT, text.encode(), NOW, masks),
        [
            ("", ""),
            ("**Status:** ", " x"),
            ("**Status:** ✅\n---\n### a\n- **b:** ", "\n\nx"),
            ("**Status:** ✅\n---\n### ", "\n- **b:** ✅\n"),
        ],
    ),
    "heartbeats as JSON": (
        lambda text, masks: heartbeats.read_heartbeat(
            BEAT.replace("md", "json"), text.encode(), NOW, masks
        ),
        [
            ("", ""),
            ('{"status":"', '"}'),
            ('{"status":"ok","checks":[', "]}"),
            ('{"status":"ok","checks":[{"group":"', '","name":"x"}]}'),
        ],
    ),
    "csv": (
        csv_file,
        [("", ""), (ROWS, "\n"), (PATTERNS + '"', '"\n'), (ROWS[:-1] + ",", "\n1,2")],
    ),
    "json twin": (
        twin,
        [
            ("", ""),
            ('{"patterns":[', ""),
            ('{"patterns":[{"pattern":"', '"}]}'),
            ('{"a":"', '","patterns":[{"pattern":1}]}'),
        ],
    ),
    "query log": (
        each_line(query_log.parse_line),
        [("", ""), ('{"ts":"2025-10-28","query":"', '"}'), ('{"ts":"', '"}')],
    ),
    "telemetry": (
        each_line(telemetry.parse_line),
        [("", ""), ('{"metric":[', "]}"), ('{"value":', "}")],
    ),
    "summary": (
        each_line(optimization_summary.parse_line),
        [("", ""), ("[2025-10-28] a ", " x"), ("Name: ", "."), ("Name: 1 ", "1")],
    ),
    "index advisor": (
        lambda text, masks: index_advisor.parse_report(text, "x", NOW, NOW, masks),
        [("", ""), ('{"recommendations":[', "]}"), ('{"a":"', '"}')],
    ),
    "health": (
        report(health.read, "health_20251028.json"),
        [("", ""), ('{"checks":[', "]}"), ('{"checks":[{"name":"', '"}]}')],
    ),
    "mcp health": (
        report(mcp_health.read, "20251028_010000.md"),
        [
            ("", ""),
            ("## MCP Health @ 2025-10-28 01:00:00", "x"),
            ("## MCP Health @ 2025-10-28 01:00:00\n### a\n\tstate", " = b\n"),
        ],
    ),
    "daily run": (
        report(daily_run.read, "OPS_ATOMIC_251028_010000.md"),
        [
            ("", ""),
            ("# OPS Atomic Run 2025-10-28T01:00:00Z\n- Status: a", "x"),
            ("# OPS Atomic Run\n### Phase 1: a — b\n", "x\n"),
            ("# OPS Atomic Run\n### Phase 1: a", "\nTesting b"),
            ("# OPS_ATOMIC Report\ndate: ", "x\n## a\n"),
            ("# OPS_ATOMIC Report\n## a\n- ", "x\n"),
        ],
    ),
    "lines": (each_physical_line, [("", ""), ("\ufeff", "x")]),
    "odd quotes": (
        lambda text, _: list(
            csv_records.read_csv(io.BytesIO(b"a,a\n" + 4 * text.encode()), ["a"])[1]
        ),
        [("", ""), ('"', "")],
    ),
    "half of a report": (
        lambda text, _: json_text.compact(text),
        [("", ""), ('"', ""), ('{"a":', "x"), ('{"a":"\\', "")],
    ),
    "times": (
        lambda text, _: (times.parse_time(text), lines.date_in(text, NOW)),
        [("", ""), ("2025-10-28T01:02:03.", "x")],
    ),
}


def work(
    parse: Parser, masks: Masks, steps: Steps, size: int, parts: tuple[str, str, str]
) -> float:
    """The work for twice the size, as a multiple of that for the size."""
    start, unit, end = parts
    counts = []
    for number in (size // len(unit), 2 * size // len(unit)):
        before = steps.count
        parse(start + unit * number + end, masks)
        counts.append(steps.count - before)
    return counts[1] / counts[0]


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_is_linear(name: str) -> None:
    parse, places = PARSERS[name]
    with counting() as steps:
        masks = load_masks()
        ratios = {
            parts: work(parse, masks, steps, SIZE, parts)
            for start, end in places
            for unit in UNITS
            for parts in [(start, unit, end)]
        }
    assert not {parts: ratio for parts, ratio in ratios.items() if ratio > MOST}


@pytest.mark.parametrize("number", range(4))
def test_the_masks_are_linear(number: int) -> None:
    """Each rule where the word that calls for it comes again and again."""
    with counting() as steps:
        masks = load_masks()
        ratios = {
            (rule.name, unit): work(_mask, masks, steps, MASKED_SIZE, ("", unit, ""))
            for rule in masks.rules[number::4]
            for trigger in rule.triggers[:3]
            for unit in (trigger, trigger + "=", trigger + ': "')
        }
    assert not {parts: ratio for parts, ratio in ratios.items() if ratio > MOST}


def _mask(text: str, masks: Masks) -> None:
    masks.text(text)


def test_what_is_not_linear_is_found() -> None:
    def search(text: str, _: Masks) -> None:
        re.compile(r"a.*b").search(text)

    with counting() as steps:
        masks = load_masks()
        assert work(search, masks, steps, SIZE, ("", "a", "")) > 3.5
