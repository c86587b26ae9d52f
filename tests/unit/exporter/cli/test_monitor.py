"""`ops-atomic monitor`: settings, one heartbeat, and what is wrong in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exporter.cli.main import main


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["monitor", "--root", str(root), *arguments])


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "g/analytics/settings/monitor.toml"
    path.parent.mkdir(parents=True)
    return path


def test_settings_are_written_once(tmp_path: Path) -> None:
    assert run(tmp_path, "--init").exit_code == 0
    path = tmp_path / "g/analytics/settings/monitor.toml"
    path.write_text("interval_s = 60\n")
    again = run(tmp_path, "--init")
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert path.read_text() == "interval_s = 60\n"


def test_what_is_wrong_in_them_is_one_line_and_wrong_usage(
    tmp_path: Path, settings: Path
) -> None:
    missing = run(tmp_path, "--once")
    assert missing.exit_code == 2
    (line,) = missing.output.splitlines()
    assert line.endswith(f"ops-atomic monitor --init --root {tmp_path}")
    settings.write_text("[redis]\nprot = 1\n")
    wrong = run(tmp_path, "--once")
    assert wrong.exit_code == 2
    (line,) = wrong.output.splitlines()
    assert "monitor.toml: [redis] prot is no setting: did you mean port?" in line
    assert not (tmp_path / "g/reports").exists()


def test_one_heartbeat_is_written_whatever_it_says(
    tmp_path: Path, settings: Path
) -> None:
    settings.write_text('[database]\npath = "none.db"\n')
    once = run(tmp_path, "--once")
    assert once.exit_code == 0
    assert "❌ Database · Status: Database file is missing" in once.output
    (path,) = (tmp_path / "g/reports/ops_atomic").iterdir()
    assert f"✓ Wrote g/reports/ops_atomic/{path.name}" in once.output
    assert "CRITICAL" in path.read_text(encoding="utf-8")


def test_where_none_can_be_written_it_fails(tmp_path: Path, settings: Path) -> None:
    settings.write_text("")
    (tmp_path / "g/reports").write_text("in the way")
    once = run(tmp_path, "--once")
    assert once.exit_code == 1
    assert "no heartbeat was written" in once.output
