"""Nothing is ignored without a word: a run counts it, and names it if asked to."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from exporter.cli.main import main
from ingest.listing import NO_INPUT
from tests.faults import heartbeat, write


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    beat = heartbeat("2025-10-28T10:00:00Z")
    write(tmp_path / "g/reports/heartbeat_2025-10-28_10-00-00.md", beat)
    write(tmp_path / "g/reports/heartbeat_latest.md", beat)
    write(tmp_path / "reports/heartbeat_2025-10-28_10-05-00.md", beat)
    shown = CliRunner().invoke(main, ["export", "--root", str(tmp_path)]).output
    said = "Not read: heartbeats by other names (1), inputs in other folders (1)"
    assert said in shown
    [summary] = tmp_path.glob("g/reports/parquet/parquet_export_summary_*.md")
    assert said.removeprefix("Not read: ") in summary.read_text(encoding="utf-8")
    again = ["export", "--verbose", "--root", str(tmp_path)]
    shown = CliRunner().invoke(main, again).output
    assert "g/reports/heartbeat_latest.md: name each heartbeat_" in shown
    assert "reports/heartbeat_2025-10-28_10-05-00.md: move each" in shown


def test_log_lines_of_unknown_kinds_are_said_by_each_run(tmp_path: Path) -> None:
    lines = '{"event":"restart"}\n{"ts":"2025-10-28T10:00:00Z","event":"stop"}\n'
    write(tmp_path / "g/reports/query_perf.jsonl", f'{lines}{{"query":"select 1"}}\n')
    write(tmp_path / "g/telemetry/rollup_daily.ndjson", '{"alert":"x"}\n')
    at = ["--root", str(tmp_path)]
    said = "log lines of a kind that is not read (3)"
    for _ in ("first", "again"):
        shown = CliRunner().invoke(main, ["export", *at]).output
        assert f"Not read: {said} (--verbose names them)" in shown
        [summary] = tmp_path.glob("g/reports/parquet/parquet_export_summary_*.md")
        assert f"| Not read | {said} |" in summary.read_text(encoding="utf-8")
    named = "1 for optimization_summary, 2 for query_perf, kept as rejects; to see "
    shown = CliRunner().invoke(main, ["export", "--verbose", *at]).output
    assert f"Not read: {said}: {named}" in shown
    assert named in CliRunner().invoke(main, ["doctor", *at]).output
    shown = CliRunner().invoke(main, ["rejects", *at]).output
    assert "2 × no query: a line of a kind that is not read, such as query_p" in shown


def test_an_ingest_says_it_as_well(tmp_path: Path) -> None:
    write(tmp_path / "g/reports/heartbeat_latest.md", heartbeat("2025-10-28T10:00:00Z"))
    for more in ((), ("--dry-run",)):
        ingest = ["ingest", "--root", str(tmp_path), *more]
        done = CliRunner().invoke(main, ingest)
        assert "Not read: heartbeats by other names (1); to see which: " in done.stdout
        assert "no input was found; looked for heartbeats in g/reports/" in done.stderr
        told = json.loads(CliRunner().invoke(main, [*ingest, "--json"]).stdout)
        assert told["ignored"] == {
            "heartbeats by other names": ["g/reports/heartbeat_latest.md"]
        }
        assert told["warnings"] == [NO_INPUT]
