"""Promise: `verify` measures the whole installation and passes nothing unseen."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import markdown
import pytest
from click.testing import Result

from exporter.agents.errors import AgentError
from ingest.root import Root

Cli = Callable[..., Result]


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
    assert row(report(root), "Triggered export")[2] == "ok, 1 files"
    assert damaged.exists()


def test_who_stops_the_export_stops_it_all(
    cli: Cli, empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    monkeypatch.setattr("exporter.export.land", interrupt)
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
    for folder in ("g/analytics", "knowledge/optimize/parquet"):
        (empty_root / folder).mkdir(parents=True, exist_ok=True)
    done = cli("verify", empty_root)
    assert done.exit_code == 1
    assert "Verdict: pending" in done.stdout
    assert "No heartbeat has been published." in report(empty_root)


def test_a_root_that_never_ran_is_not_passed(cli: Cli, empty_root: Path) -> None:
    done = cli("verify", empty_root)
    assert done.exit_code == 1
    text = report(empty_root)
    assert row(text, "Log")[-1] == "⏳ pending"
    assert row(text, "Last run")[-1] == "⏳ pending"
    assert row(text, "Folder g/logs")[2:] == ["missing", "❌ fail"]
    # What is checked is not made by checking it.
    assert not Root(empty_root).state.exists()


def test_a_report_that_cannot_be_written_is_a_failure(
    cli: Cli, empty_root: Path
) -> None:
    (empty_root / "g").mkdir()
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
    lines = [line for line in done.stdout.split("\n") if "→" in line]
    assert any(f"→ ops-atomic validate --root {root}" in line for line in lines)
    assert all(line.startswith(("✗", "…")) for line in lines)
