"""Whole runs of the command: the figures for Prometheus, and a report, as left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from prometheus_client.parser import text_string_to_metric_families

from exporter.metrics.textfile import metrics_path
from ingest.root import PROJECT, Root
from tests.receivers import http_receiver
from tests.support import clean_environment, require_tool, unmeasured

Command = Callable[..., Result]


def figures(root: Path) -> dict[str, float]:
    text = metrics_path(Root(root)).read_text(encoding="utf-8")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_run_with_nothing_new_tells_of_itself_and_keeps_the_rest(
    root: Path, ops_atomic_bare: Command
) -> None:
    before = figures(root)
    assert before["ops_atomic_last_run_files exported"] > 0
    assert before["ops_atomic_rejected_records query_perf"] == 9
    assert before["ops_atomic_incidents redis"] >= 0

    assert ops_atomic_bare("export", "--root", root).exit_code == 0
    after = figures(root)
    assert after["ops_atomic_last_run_files exported"] == 0
    moved = {name for name in before if before[name] != after.get(name)}
    assert all(name.startswith("ops_atomic_last_") for name in moved)
    assert "ops_atomic_reckoned_timestamp_seconds" in after
    promtool = require_tool("promtool")
    text = metrics_path(Root(root)).read_bytes()
    said = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, b"")


def test_a_report_goes_out_with_the_dashboard_once(root: Path, tmp_path: Path) -> None:
    with http_receiver() as receiver:
        environment = clean_environment(
            tmp_path,
            OPS_ATOMIC_NOTIFY=f"json://127.0.0.1:{receiver.port}/x",
            OPS_ATOMIC_REPORT="daily",
            OPS_ATOMIC_AS_OF="2025-10-29T23:59:00Z",
        )
        command = [sys.executable, "-m", "exporter", "export", "--root", str(root)]
        for _ in range(2):
            subprocess.run(
                command,
                cwd=PROJECT,
                env=unmeasured(environment),
                check=True,
                capture_output=True,
            )
        titled = ": report of 2025-10-28"
        reports = [m for m in receiver.messages if titled in m["title"] + m["message"]]
    (report,) = reports
    assert "\nRecords: " in report["message"]
    (file,) = report["attachments"]
    assert file["filename"] == "index.html"
    assert file["mimetype"] == "text/html"


@pytest.mark.parametrize("value", ["hourly", "daily weekly"])
def test_a_value_that_is_none_is_a_warning_of_the_run(
    root: Path,
    ops_atomic_bare: Command,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", value)
    done = ops_atomic_bare("export", "--root", root)
    assert done.exit_code == 0
    assert f"OPS_ATOMIC_REPORT is '{value}', not daily" in done.output
