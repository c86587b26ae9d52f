"""The file for Prometheus: what it says, and what stays when a run cannot tell."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter import __version__
from exporter.answers.once import AskedOnce
from exporter.metrics.textfile import metrics_path, write_metrics
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from ingest.root import PROJECT, Root
from tests.support import require_tool
from tests.well_and_wrong import ODD_NAME, publish_well_or_wrong

NOW = datetime(1970, 1, 2, 12)
NOW_S = 129600
EXPORTED = FileResult("ops_atomic", "1970-01-02", "f.parquet", "exported")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "mac")
    return Root(tmp_path)


def run(root: Root, *files: FileResult, errors: int = 0, hour: int = 0) -> None:
    """Write the metrics of a run that began so many hours after noon."""
    result = RunResult(
        started=NOW + timedelta(hours=hour),
        duration_s=2.5,
        files=list(files),
        errors=["it failed"] * errors,
    )
    stored = Stored(parquet_files=7, parquet_bytes=1000, landing_bytes=500)
    stored.rejects = {"query_perf": Counter({"no number": 2, "empty": 1})}
    with AskedOnce(root) as asked:
        write_metrics(root, result, stored, asked)


def samples(root: Root) -> dict[str, float]:
    """All samples, such as `last_run_success` or `stored_bytes landing`."""
    text = metrics_path(root).read_text(encoding="utf-8")
    return {
        " ".join([sample.name.removeprefix("ops_atomic_"), *sample.labels.values()]): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_run_tells_of_itself_and_of_the_store(root: Root) -> None:
    skipped = FileResult("ops_atomic", "1970-01-01", "f.parquet", "skipped")
    run(root, skipped, skipped)
    found = samples(root)
    assert found["last_run_timestamp_seconds"] == NOW_S + 2.5
    assert found["last_run_duration_seconds"] == 2.5
    assert found["last_run_success"] == 1
    assert found["last_run_files skipped"] == 2
    assert found["stored_files parquet"] == 7
    assert found["stored_bytes landing"] == 500
    assert found["stored_limit_bytes"] == 5e9
    assert found["rejected_records query_perf"] == 3
    assert found[f"info mac {__version__}"] == 1


def test_a_run_that_published_tells_what_the_marts_say(root: Root) -> None:
    publish_well_or_wrong(root.path, is_well=False, as_of=NOW)
    run(root, EXPORTED)
    found = samples(root)
    assert found["reckoned_timestamp_seconds"] == NOW_S
    assert found["last_heartbeat_timestamp_seconds"] == NOW_S - 3 * 86400
    assert found["check_state redis down"] == 1
    assert found["check_state redis up"] == 0
    assert found[f"check_state {ODD_NAME} degraded"] == 1
    assert found["uptime_ratio redis 7d"] == 0.5
    assert found["slo_budget_left_seconds redis 30d"] == -296352
    assert found["slo_breached redis 30d"] == 1
    assert found["slo_burn_rate redis 1h"] == 50, "enough was seen to say so"
    assert found["incident_open_since_timestamp_seconds redis"] == NOW_S - 7200
    assert found["open_incidents"] == 1
    assert found["incidents redis"] == 3
    assert found["query_p95_seconds 0123456789ab"] == 0.25
    assert found["queries_p95_seconds"] == 0.125
    assert found["regressed_queries"] == 1
    assert found["rejected_ratio"] == 0.25  # of the newest day alone
    assert found["source_limit_seconds query_perf query_rows"] == 3600
    assert found["stored_forecast_bytes upper 90"] == 6e9


def test_marts_without_a_row_say_nothing_wrong(root: Root) -> None:
    run(root, EXPORTED)
    found = samples(root)
    assert found["open_incidents"] == 0
    assert found["regressed_queries"] == 0
    unknown = ("last_heartbeat", "check_state", "slo", "rejected_ratio", "queries_p95")
    assert [name for name in found if name.startswith(unknown)] == []


def test_what_a_run_cannot_tell_stays(root: Root) -> None:
    publish_well_or_wrong(root.path, is_well=False, as_of=NOW)
    run(root, EXPORTED)
    run(root, errors=1, hour=1)
    found = samples(root)
    assert found["last_run_success"] == 0
    assert found["last_run_errors"] == 1
    assert found["last_run_timestamp_seconds"] == NOW_S + 3602.5
    # Of before: the run that went well, and what the marts said then.
    assert found["last_success_timestamp_seconds"] == NOW_S + 2.5
    assert found["check_state redis down"] == 1
    assert found["reckoned_timestamp_seconds"] == NOW_S

    publish_well_or_wrong(root.path, is_well=True, as_of=NOW + timedelta(hours=2))
    run(root, EXPORTED, hour=2)
    found = samples(root)
    assert found["check_state redis up"] == 1
    assert "incident_open_since_timestamp_seconds redis" not in found
    assert found["last_success_timestamp_seconds"] == NOW_S + 7202.5


def test_marts_that_cannot_be_read_cost_only_what_they_say(root: Root) -> None:
    publish_well_or_wrong(root.path, is_well=True, as_of=NOW)
    run(root, EXPORTED)
    (root.path / "g/analytics/marts/slo_status.parquet").write_bytes(b"torn")
    with pytest.raises(Exception, match="slo_status"):
        run(root, EXPORTED, hour=1)
    found = samples(root)
    assert found["last_run_timestamp_seconds"] == NOW_S + 3602.5
    assert found["uptime_ratio redis 7d"] == 0.999


def test_a_damaged_file_is_made_anew(root: Root) -> None:
    run(root)
    path = metrics_path(root)
    path.write_bytes(b'ops_atomic_check_state{check="\xff')
    run(root)
    assert samples(root)["last_run_success"] == 1


def test_others_may_read_it_and_never_see_a_part(root: Root) -> None:
    umask = os.umask(0o077)
    try:
        run(root)
    finally:
        os.umask(umask)
    path = metrics_path(root)
    first = path.stat()
    assert stat.S_IMODE(first.st_mode) == 0o644
    run(root)
    # Another file in its place, and nothing left beside it.
    assert path.stat().st_ino != first.st_ino
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_run_with_nothing_new_loads_no_duckdb(root: Root) -> None:
    code = """if True:
        import sys
        from datetime import datetime
        from pathlib import Path
        from exporter.answers.once import AskedOnce
        from exporter.metrics.textfile import write_metrics
        from exporter.reporting.results import RunResult
        from exporter.reporting.stored import Stored
        from ingest.root import Root
        result = RunResult(started=datetime(2025, 1, 1))
        root = Root(Path(sys.argv[1]))
        with AskedOnce(root) as asked:
            write_metrics(root, result, Stored(), asked)
        assert "duckdb" not in sys.modules and "dbt" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code, root.path], cwd=PROJECT, check=True)


@pytest.mark.parametrize("is_well", [True, False])
def test_promtool_finds_nothing_to_say(root: Root, is_well: bool) -> None:
    promtool = require_tool("promtool")
    publish_well_or_wrong(root.path, is_well, NOW)
    run(root, EXPORTED)
    text = metrics_path(root).read_bytes()
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_the_marts_cannot_say_is_told_in_one_line(root: Root) -> None:
    publish_well_or_wrong(root.path, is_well=True, as_of=NOW)
    mart = root.path / "g/analytics/marts/incidents.parquet"
    mart.unlink(missing_ok=True)
    mart.mkdir(parents=True)
    with pytest.raises(OSError, match="what the marts say is not made anew") as failed:
        run(root, EXPORTED)
    assert len(str(failed.value).splitlines()) == 1
