"""Promise: `verify` measures the whole installation and passes nothing unseen."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import markdown
import pytest
from click.testing import Result

from exporter.agents.errors import AgentError
from exporter.contracts.datasets import load_datasets
from exporter.verify import freshness, outputs
from ingest import advice
from ingest.root import Root

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def young(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's last heartbeat has just come."""
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-30T00:00:00Z")


@pytest.fixture(autouse=True)
def no_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests run on has no agents to ask about."""

    def fail() -> None:
        raise AgentError("no manager of jobs here")

    monkeypatch.setattr("exporter.agents.service.this_system", fail)
    monkeypatch.setattr("sys.platform", "linux")


def report(root: Path) -> str:
    (path,) = (root / "g" / "reports" / "parquet").glob("verify_*.md")
    assert re.fullmatch(r"verify_\d{8}T\d{6}Z\.md", path.name)
    return path.read_text()


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.split("\n") if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("| ").split(" | ")]


def test_a_good_installation_passes_in_full(cli: Cli, root: Path) -> None:
    done = cli("verify", root)
    assert done.exit_code == 0, done.output
    assert "Verdict: full" in done.stdout
    text = report(root)
    for heading in (
        "Verdict",
        "Components",
        "Operational tests",
        "Metrics",
        "Artefacts",
        "System health",
    ):
        assert f"\n## {heading}\n" in text
    assert row(text, "launchd")[-1] == "– n/a"
    assert row(text, "Validation")[1:] == ["0 errors", "0 errors", "✅ pass"]
    assert row(text, "Compression")[1:] == ["snappy", "snappy", "✅ pass"]
    assert row(text, "Wrapper runs in an empty environment")[-1] == "✅ pass"
    assert row(text, "DuckDB opens query\\_perf")[-1] == "✅ pass"
    assert row(text, "Example query")[-1] == "✅ pass"
    assert "fail" not in text
    # The last heartbeat of the example, with its checks.
    assert "heartbeat\\_2025-10-29\\_23-55-12.md, 2025-10-29 23:55" in text
    assert row(text, "Redis")[1] == "Status"


def test_no_field_of_the_report_is_left_open(cli: Cli, root: Path) -> None:
    cli("verify", root)
    html = markdown.markdown(report(root), extensions=["tables"])
    tables = re.findall(r"<table>.*?</table>", html, re.DOTALL)
    assert len(tables) == 5
    # Only a check of a heartbeat may have nothing to say.
    assert not any("<td></td>" in table for table in tables[:4])


def test_an_export_can_be_part_of_it(cli: Cli, root: Path) -> None:
    damaged = root / "g" / "analytics" / "ops_atomic_20251028.parquet"
    damaged.unlink()
    assert cli("verify", root, "--trigger").exit_code == 0
    said = row(report(root), "Triggered export")[2]
    # That day again, and the marts that are made from it.
    assert re.fullmatch(r"ok, \d+ files", said), said
    assert damaged.exists()


def test_who_stops_the_export_stops_it_all(
    cli: Cli, empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.setattr("exporter.export.run.land", interrupt)
    done = cli("verify", empty_root, "--trigger")
    assert done.exit_code == 130
    assert "stopped by SIGINT" in done.stderr


def test_what_is_damaged_is_partial(cli: Cli, root: Path) -> None:
    damaged = root / "g" / "analytics" / "ops_atomic_20251028.parquet"
    damaged.write_bytes(b"PAR1 not at all")
    done = cli("verify", root)
    assert done.exit_code == 1
    assert "Verdict: partial" in done.stdout
    text = report(root)
    assert row(text, "Validation")[-1] == "❌ fail"
    assert row(text, "DuckDB opens ops\\_atomic")[-1] == "❌ fail"
    assert row(text, "Example query")[-1] == "❌ fail"


def test_an_empty_root_is_pending(cli: Cli, empty_root: Path) -> None:
    assert cli("export", empty_root).exit_code == 0
    done = cli("verify", empty_root)
    assert done.exit_code == 0
    assert "\nVerdict: pending\n" in done.stdout
    assert "\nVerdict: pending\n" in report(empty_root)
    assert "No heartbeat has been published." in report(empty_root)


def test_a_root_that_never_ran_awaits_its_first_run(cli: Cli, empty_root: Path) -> None:
    done = cli("verify", empty_root)
    assert done.exit_code == 0
    assert "Verdict: pending" in done.stdout
    text = report(empty_root)
    assert "⏳ Pending – awaiting first run." in text
    assert row(text, "Log")[-1] == "⏳ pending"
    assert row(text, "Last run")[-1] == "⏳ pending"
    assert row(text, "Folder g/logs")[2:] == [
        "awaiting first run (missing)",
        "⏳ pending",
    ]
    # What is checked is not made by checking it.
    assert not Root(empty_root).state.exists()


def test_a_report_that_cannot_be_written_is_a_failure(
    cli: Cli, empty_root: Path
) -> None:
    (empty_root / "g" / "reports").write_text("in the way")
    done = cli("verify", empty_root)
    assert done.exit_code == 1
    assert "a file is in the way" in done.stderr


def test_a_doctor_finds_nothing_on_a_good_installation(cli: Cli, root: Path) -> None:
    done = cli("doctor", root)
    assert done.exit_code == 0, done.output
    assert "→" not in done.stdout
    assert not list((root / "g" / "reports" / "parquet").glob("verify_*"))


def test_a_doctor_names_the_command_that_mends(cli: Cli, root: Path) -> None:
    (root / "g" / "analytics" / "ops_atomic_20251028.parquet").write_bytes(b"PAR1")
    done = cli("doctor", root)
    assert done.exit_code == 1
    mends = [line for line in done.stdout.split("\n") if line.startswith("  → ")]
    assert f"  → {advice.command(Root(root), 'export')}" in mends
    assert advice.RUN not in done.stdout
    assert len(mends) == len(set(mends))
    assert done.stdout.endswith("\nVerdict: partial\n")
    quiet = cli("doctor", root, "--quiet")
    assert quiet.exit_code == 1
    said = [line for line in quiet.stdout.splitlines() if not line.startswith("  → ")]
    assert said[-1] == "Verdict: partial"
    assert all(line.startswith(("✗", "…")) for line in said[:-1])


def test_a_doctor_speaks_json(cli: Cli, root: Path) -> None:
    done = cli("doctor", root, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (0, "full")
    by_name = {check["name"]: check for check in told["checks"]}
    assert len(by_name) == len(told["checks"])
    assert by_name["Dry run"]["actual"] == "0 files to make"
    assert by_name["State of the machine"]["status"] == "pass"
    assert by_name["Rotation"]["status"] in ("pass", "n/a")


def test_an_old_heartbeat_is_not_passed_over(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2027-06-21T00:00:00Z")
    done = cli("verify", root)
    assert done.exit_code == 1
    assert "\nVerdict: partial\n" in report(root)
    age = row(report(root), "Age of the newest heartbeat")
    assert age[2].startswith("599 days old")
    assert age[3] == "❌ fail"
    assert row(report(root), "Source query\\_perf CSV")[3] == "❌ fail"


def test_old_heartbeats_are_looked_for_where_they_lie(
    root: Path,
) -> None:
    datasets, now = load_datasets(), datetime(2027, 6, 21)
    reports, folder = root / "g" / "reports", root / "g" / "reports" / "ops_atomic"
    age, _ = freshness.check_heartbeats(Root(root), datasets, now)
    assert age.mend == f"ls -lt {folder} | head"
    for path in folder.iterdir():
        path.rename(reports / path.name)
    folder.rmdir()
    age, _ = freshness.check_heartbeats(Root(root), datasets, now)
    assert age.mend == f"ls -lt {reports} | head"


def test_a_slow_query_has_a_remedy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "QUERY_LIMIT_S", -1)
    check = outputs.check_query(Root(root), load_datasets())
    assert (check.status, check.mend) == ("fail", "uptime")


def test_a_machine_in_a_bad_state_is_not_full(
    cli: Cli, samples_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the recorded ones the newest is of 07:51; the one before it is no better.
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-27T17:53:00Z")
    cli("export", samples_root)
    cli("verify", samples_root)
    state = row(report(samples_root), "State of the machine")
    assert state[2].startswith("error, ")
    assert state[3] == "❌ fail"
    health = report(samples_root).partition("## System health")[2]
    assert "2025-10-27 17:" in health.split(": ")[0]


def test_a_monitor_that_writes_only_rejects_is_an_old_one(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "g" / "reports" / "ops_atomic"
    for day in range(1, 13):
        beat = folder / f"heartbeat_2025-11-{day:02}_00-00-00.md"
        beat.write_text("# Heartbeat\n\nnothing of use\n")
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-11-13T00:00:00Z")
    cli("export", root)
    assert cli("verify", root).exit_code == 1
    age = row(report(root), "Age of the newest heartbeat")
    assert age[2].startswith("14 days old")
    assert age[3] == "❌ fail"


def test_a_monitor_that_never_wrote_anything_else_is_no_new_one(
    cli: Cli, empty_root: Path
) -> None:
    folder = empty_root / "g" / "reports" / "ops_atomic"
    folder.mkdir(parents=True)
    (folder / "heartbeat_2025-10-28_00-00-00.md").write_text("nothing of use\n")
    cli("export", empty_root)
    assert cli("verify", empty_root).exit_code == 1
    age = row(report(empty_root), "Age of the newest heartbeat")
    assert age[2:4] == ["what came tells of none", "❌ fail"]


def test_a_machine_that_has_heartbeats_only_can_be_full(
    cli: Cli, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "heartbeats only"
    folder = root / "g" / "reports" / "ops_atomic"
    folder.mkdir(parents=True)
    shutil.copy(
        samples / "g/reports/ops_atomic/heartbeat_2025-10-28_07-51-31.md", folder
    )
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-28T08:00:00Z")
    cli("export", root)
    (root / "knowledge" / "optimize" / "parquet").mkdir(parents=True, exist_ok=True)
    done = cli("verify", root)
    assert row(report(root), "Source index advisor")[2:] == [
        "not expected: never seen here",
        "– n/a",
    ]
    assert "Verdict: full" in done.stdout, done.stdout


def test_a_present_that_is_no_time_is_wrong_usage(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "soon")
    for command in ("doctor", "export"):
        done = cli(command, root)
        assert done.exit_code == 2
        assert "OPS_ATOMIC_AS_OF is 'soon'" in done.stderr


def test_a_machine_that_is_no_name_is_wrong_usage(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "my mac")
    before = sorted(root.rglob("*"))
    for command in ("doctor", "verify", "export", "ingest"):
        done = cli(command, root)
        assert done.exit_code == 2
        assert "OPS_ATOMIC_MACHINE is 'my mac': set it to letters" in done.stderr
    assert sorted(root.rglob("*")) == before


def test_a_run_says_that_the_present_is_set(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_ATOMIC_AS_OF")
    assert "OPS_ATOMIC_AS_OF" not in cli("export", root).output
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-28T08:00:00+07:00")
    for more in ((), ("--dry-run",)):
        (said,) = [
            warning
            for warning in json.loads(cli("export", root, "--json", *more).stdout)[
                "warnings"
            ]
            if "OPS_ATOMIC_AS_OF" in warning
        ]
        assert "OPS_ATOMIC_AS_OF is set: " in said
        assert "2025-10-28T01:00:00Z as the present moment" in said
