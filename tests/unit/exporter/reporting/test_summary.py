from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import markdown

from exporter.reporting.history import run_record
from exporter.reporting.markdown import plain
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from exporter.reporting.summary import render, seconds, summary_path, write_summary
from ingest.root import Root

STARTED = datetime(2025, 10, 28, 2, 30)


def a_run(**changes: Any) -> RunResult:
    files = [
        FileResult(
            "query_perf", "2025-10-27", "", "exported", 1000, 10, 100_000, 20_000
        ),
        FileResult("query_perf", "2025-10-26", "", "skipped", 500, 0, 50_000, 10_000),
        FileResult("schema_drift", "2025-10-27", "", "exported", 0, 0, 0, 300),
    ]
    usual: dict[str, Any] = {
        "started": STARTED, "duration_s": 4.25, "files": files, "is_whole": True,
        "schema_versions": {"query_perf": 1, "schema_drift": 1},
    }  # fmt: skip
    return RunResult(**usual | changes)


def cells(text: str, first: str) -> list[str]:
    """The cells of the table row that begins with `first`."""
    (line,) = [line for line in text.split("\n") if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("| ").split(" | ")]


def test_the_glance_says_how_it_stands() -> None:
    text = render(a_run(), Stored(parquet_bytes=2048, landing_bytes=1024), [])
    assert cells(text, "Status")[1] == "✅ **ok**"
    assert cells(text, "Last run")[1] == "02:30:00, took 4.2 s"
    assert cells(text, "Files")[1] == "2 written, 1 skipped, 0 failed"
    assert cells(text, "Storage used")[1] == "3 KB"
    assert cells(text, "Stale sources")[1] == "none"


def test_a_dataset_shows_files_rows_rejects_and_sizes() -> None:
    earlier = run_record(a_run(), Stored())
    text = render(a_run(), Stored(), [earlier, earlier])
    assert cells(text, "`query_perf`") == [
        "`query_perf`", "v1", "1", "2", "1", "0", "1,500", "10", "146 KB", "29 KB",
        "80.0%",
    ]  # fmt: skip
    assert cells(text, "`schema_drift`")[7:9] == ["–", "–"]


def test_all_runs_of_the_day_are_shown() -> None:
    runs = [
        run_record(a_run(), Stored()),
        run_record(a_run(started=datetime(2025, 10, 28, 5), errors=["bad"]), Stored()),
    ]
    text = render(a_run(), Stored(), runs)
    assert cells(text, "02:30:00")[1] == "✅ ok"
    assert cells(text, "05:00:00")[1] == "⚠️ partial"


def test_records_of_older_versions_are_shown_too() -> None:
    old = run_record(a_run(), Stored())
    del old["datasets"]
    assert "02:30:00" in render(a_run(), Stored(), [old])


def test_rejects_show_their_three_most_common_reasons() -> None:
    reasons = Counter({"no ts": 5, "not JSON": 9, "a|b": 3, "rare": 1})
    text = render(a_run(), Stored(rejects={"query_perf": reasons}), [])
    assert "| `query_perf` | 18 | not JSON (9); no ts (5); a\\|b (3) |" in text


def test_drift_and_stale_sources_stand_out() -> None:
    stored = Stored(
        drift=Counter(
            {("query_rows", "added", f"column {n}"): n for n in range(1, 23)}
        ),
        newest=[
            ("heartbeats", date(2025, 10, 27), 1),
            ("telemetry", date(2025, 10, 28), 0),
        ],
    )
    text = render(a_run(findings={"stale:heartbeats": "no heartbeat"}), stored, [])
    assert cells(text, "Schema drift")[1] == "⚠️ 22 columns"
    assert "| `query_rows` | added | column 22 | 22 |" in text
    assert "… and 2 more: see `schema_drift`." in text
    assert "| `heartbeats` | 2025-10-27 | 1 day ago | ⚠️ stale |" in text
    assert "| `telemetry` | 2025-10-28 | today |  |" in text


def test_errors_and_warnings_are_read_as_they_are() -> None:
    many = [f"g/w{n}: empty" for n in range(25)]
    odd = a_run(errors=["<b>bad</b> `x` | y"], warnings=many)
    text = render(odd, Stored(), [])
    html = markdown.markdown(text, extensions=["tables"])
    assert "<td>&lt;b&gt;bad&lt;/b&gt; `x` | y</td>" in html
    assert "… and 6 more" in text


def test_a_finding_of_the_day_stays_with_its_times_when_it_is_over() -> None:
    kept = "g/a_20251028.parquet: kept, because the landing now holds 3 records"
    other = kept.replace("28", "27")
    night = a_run(warnings=[kept, other], errors=["no heartbeat for 61 minutes"])
    morning = a_run(
        started=datetime(2025, 10, 28, 5), warnings=["no heartbeat for 3 hours", kept]
    )
    evening = a_run(
        started=datetime(2025, 10, 28, 22), warnings=[kept.replace(" 3 ", " 2 ")]
    )
    runs = [run_record(run, Stored()) for run in (night, morning, evening)]
    text = render(evening, Stored(), runs)
    now = ("holds** |", "over |")
    assert [line for line in text.split("\n") if line.endswith(now)] == [
        f"| ⚠️ | {plain(evening.warnings[0])} | 02:30:00 | 22:00:00 | **holds** |",
        "| ❌ | no heartbeat for 61 minutes | 02:30:00 | 02:30:00 | over |",
        f"| ⚠️ | {plain(other)} | 02:30:00 | 02:30:00 | over |",
        "| ⚠️ | no heartbeat for 3 hours | 05:00:00 | 05:00:00 | over |",
    ]


def test_a_run_that_did_not_look_at_all_ends_no_finding() -> None:
    night = a_run(warnings=["g/a.csv: cut short"], errors=["no space"])
    later = [a_run(started=datetime(2025, 10, 28, hour)) for hour in (5, 6)]
    later[0].is_whole = False
    runs = [run_record(run, Stored()) for run in (night, *later)]
    text = render(later[0], Stored(), runs[:2])
    assert "| no space | 02:30:00 | 02:30:00 | **holds** |" in text
    assert "| g/a.csv: cut short | 02:30:00 | 02:30:00 | **holds** |" in text
    text = render(later[1], Stored(), runs)
    assert "**holds**" not in text
    assert text.count("| over |") == 2


def test_a_root_without_anything_has_a_summary() -> None:
    text = render(RunResult(STARTED), Stored(), [])
    assert "No day has been landed yet." in text
    assert "Nothing has been landed yet." in text


def test_every_table_row_has_as_many_cells_as_its_header() -> None:
    record = run_record(a_run(), Stored())
    html = markdown.markdown(render(a_run(), Stored(), [record]), extensions=["tables"])
    assert html.count("<table>") >= 4
    assert "| ---" not in html


def test_it_is_written_on_the_day_the_run_began(empty_root: Path) -> None:
    root = Root(empty_root)
    write_summary(root, a_run(), Stored())
    path = summary_path(root, STARTED.date())
    assert path.name == "parquet_export_summary_20251028.md"
    assert path.read_text().startswith("# Parquet export 2025-10-28\n")


def test_short_times_have_more_digits() -> None:
    assert (seconds(0.034), seconds(12.34)) == ("0.03 s", "12.3 s")
