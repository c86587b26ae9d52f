"""The alerts, by promtool, and by a Prometheus that scrapes a node exporter."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.answers.once import AskedOnce
from exporter.metrics.textfile import metrics_path, write_metrics
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from ingest.inputs import utc_now
from ingest.root import PROJECT, Root
from tests.support import require_tool
from tests.well_and_wrong import publish_well_or_wrong

RULES = PROJECT / "docs/prometheus/ops_atomic.rules.yml"
RULES_TEST = PROJECT / "tests/prometheus/ops_atomic.rules_test.yml"
PATIENCE_S = 60


def alerts() -> set[str]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"] for rule in group["rules"]}


def test_promtool_runs_a_test_of_every_rule() -> None:
    tests = yaml.safe_load(RULES_TEST.read_text(encoding="utf-8"))["tests"]
    tested = {t["alertname"] for test in tests for t in test.get("alert_rule_test", [])}
    assert tested == alerts()
    promtool = require_tool("promtool")
    for verb, path in (("check", RULES), ("test", RULES_TEST)):
        command: list[str | Path] = [promtool, verb, "rules", path]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def running(*command: str, log: Path) -> Iterator[None]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def asked(port: int, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as got:
            return json.load(got)["data"]
    except OSError:
        return {}  # not up yet


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[int]:
    """The port of a Prometheus with our rules, which scrapes a node exporter that
    collects what a run left below `tmp_path`."""
    programs = require_tool("prometheus"), require_tool("prometheus-node-exporter")
    exporter, port = free_port(), free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "node",
                "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}],
            }
        ],
    }
    place = tmp_path / "prometheus.yml"
    place.write_text(yaml.safe_dump(config), encoding="utf-8")
    folder = metrics_path(Root(tmp_path)).parent
    folder.mkdir(parents=True)
    with (
        running(
            programs[1],
            f"--web.listen-address=127.0.0.1:{exporter}",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={folder}",
            log=tmp_path / "exporter.log",
        ),
        running(
            programs[0],
            f"--config.file={place}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            log=tmp_path / "prometheus.log",
        ),
    ):
        yield port


def leave_metrics(root: Path, is_well: bool, at: datetime) -> None:
    """What a run leaves after publishing marts that are all well, or all wrong."""
    publish_well_or_wrong(root, is_well, at)
    result = RunResult(started=at, duration_s=1.0)
    result.files = [FileResult("ops_atomic", "2025-10-28", "f.parquet", "exported")]
    result.errors = [] if is_well else ["something failed"]
    with AskedOnce(Root(root)) as asked:
        write_metrics(asked.root, result, Stored(), asked)


def firing(port: int) -> set[str] | None:
    """The alerts that fire; None before every rule was evaluated without error."""
    groups = asked(port, "/api/v1/rules").get("groups") or [{"rules": []}]
    rules = groups[0]["rules"]
    if {rule["name"] for rule in rules if rule["health"] == "ok"} != alerts():
        return None
    return {rule["name"] for rule in rules if rule["state"] == "firing"}


def wait_for(port: int, wanted: set[str], series: str) -> set[str] | None:
    """What fires, once it is what is wanted or patience ends; `series` was scraped."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        scraped = asked(port, f"/api/v1/query?query={series}").get("result")
        if scraped and firing(port) == wanted:
            break
        time.sleep(0.2)
    return firing(port)


def test_every_alert_fires_where_all_is_wrong_and_none_where_all_is_well(
    prometheus: int, tmp_path: Path
) -> None:
    leave_metrics(tmp_path, is_well=False, at=utc_now() - timedelta(days=2))
    assert wait_for(prometheus, alerts(), "ops_atomic_info") == alerts()

    leave_metrics(tmp_path, is_well=True, at=utc_now())
    well = "ops_atomic_last_run_success==1"
    assert wait_for(prometheus, set(), well) == set()
