"""The operator's own settings lie over the seeds; what is wrong in them is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from exporter.contracts import settings
from exporter.contracts.marts import load_marts
from exporter.contracts.settings import (
    SEEDS,
    Settings,
    read_settings,
    rows_of_day,
    seed_files,
    settings_rows,
    settings_seeds,
)
from exporter.runtime.kept import fingerprint
from ingest.root import PROJECT, Root
from tests.support import copy_project

HEADERS = {
    "slo_targets": "check_key,target",
    "maintenance_windows": "check_key,started_at,ended_at,reason",
    "expected_sources": "source,dataset,allowed_age_hours",
    "public_checks": "check_key,public_name",
}


def write(root: Path, name: str, content: str | bytes) -> Settings:
    """Settings with one file of the operator's."""
    folder = root / "g/analytics/settings"
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / f"{name}.csv").write_bytes(data)
    return read_settings(Root(root))


def targets(settings: Settings) -> dict[str | None, str | None]:
    return {row["check_key"]: row["target"] for row in settings.rows["slo_targets"]}


def test_seeds_without_settings_are_what_they_are(tmp_path: Path) -> None:
    found = read_settings(Root(tmp_path))
    assert not found.files
    assert not found.problems
    assert targets(found) == {"*": "0.99", "overall": "0.99"}
    assert found.rows["maintenance_windows"] == []
    assert settings_rows(Root(tmp_path)) == found.rows
    assert not any(tmp_path.iterdir())


def test_own_rows_lie_over_those_of_the_seed(tmp_path: Path) -> None:
    found = write(tmp_path, "slo_targets", "check_key,target\noverall,1\nredis,.999\n")
    assert not found.problems
    assert targets(found) == {"*": "0.99", "overall": "1.0", "redis": "0.999"}
    assert found.files == ["g/analytics/settings/slo_targets.csv"]


def test_a_column_that_is_left_out_is_the_seeds(tmp_path: Path) -> None:
    text = "allowed_age_hours,source\n2,heartbeats\n1,new\n"
    found = write(tmp_path, "expected_sources", text)
    rows = {row["source"]: row for row in found.rows["expected_sources"]}
    assert rows["heartbeats"] == {
        "source": "heartbeats",
        "dataset": "ops_atomic",
        "allowed_age_hours": "2.0",
    }
    assert "new" not in rows
    assert [str(problem) for problem in found.problems] == [
        "g/analytics/settings/expected_sources.csv, line 3, column dataset: nothing "
        "stands there: fill it in"
    ]


def test_windows_add_up_and_touch_their_days(tmp_path: Path) -> None:
    found = write(
        tmp_path,
        "maintenance_windows",
        "check_key,started_at,ended_at,reason\n"
        "*,2025-10-28T06:00:00+07:00,2025-10-28T00:00:00Z,before\n"
        "*,2025-10-29,,for  good\n"
        "api,2025-10-27 12:00,2025-10-28 00:00:01,\n"
        "api,2025-10-28 12:00,2025-10-28 13:00,\n",
    )
    assert not found.problems
    rows = found.rows["maintenance_windows"]
    assert rows[0] == {
        "check_key": "*",
        "started_at": "2025-10-27 23:00:00.000000",
        "ended_at": "2025-10-28 00:00:00.000000",
        "reason": "before",
    }

    def of_day(day: str) -> list[str | None]:
        touching = rows_of_day("maintenance_windows", rows, date.fromisoformat(day))
        return [row["started_at"] for row in touching]

    starts = [row["started_at"] for row in rows]
    assert of_day("2025-10-26") == []
    assert of_day("2025-10-27") == [starts[0], starts[2]]
    assert of_day("2025-10-28") == [starts[2], starts[3]]
    assert of_day("2025-10-29") == of_day("2031-01-01") == [starts[1]]
    assert rows[1]["reason"] == "for good"
    others = found.rows["slo_targets"]
    assert rows_of_day("slo_targets", others, date(2025, 10, 28)) == others


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffcheck_key,target\r\nredis,0.5\r\n",
        "check_key,target\rredis,0.5\r",
        'target,"check_key"\n\n0.50," redis "\n,\n',
        " check_key ,target,\nredis,5e-1,\n",
    ],
)
def test_one_row_is_one_row_however_it_was_saved(content: str, tmp_path: Path) -> None:
    found = write(tmp_path, "slo_targets", content)
    assert not found.problems
    assert found.rows["slo_targets"][-1] == {"check_key": "redis", "target": "0.5"}


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("slo_targets", "bad,99.5", "line 2, column target: '99.5' is no number from"),
        ("slo_targets", "bad,99%", "line 2, column target: '99%' is no number from 0"),
        ("slo_targets", "bad,nan", "line 2, column target: 'nan' is no number from 0"),
        ("slo_targets", "bad,-0.1", "line 2, column target: '-0.1' is no number"),
        ("slo_targets", "bad,", "line 2, column target: nothing stands there"),
        ("slo_targets", ",0.5", "line 2, column check_key: nothing stands there"),
        ("slo_targets", "bad,0,5", "line 2, 3 cells below 2 columns"),
        (
            "slo_targets",
            "redis,0.5\n\nredis,0.6",
            "line 4, column check_key: 'redis' stands in line 2 already",
        ),
        ("slo_targets", b"b\xfcro,0.5", "line 2, column check_key: not UTF-8"),
        ("slo_targets", 'redis,0.5\n"bad,1', "behind line 2: not CSV ("),
        (
            "maintenance_windows",
            "redis,2025-10-28 10:00,2025-10-28 09:00,",
            "line 2, column ended_at: 2025-10-28 09:00:00 does not come after",
        ),
        (
            "maintenance_windows",
            "redis,28.10.2025,,",
            "line 2, column started_at: '28.10.2025' is no time: write it as",
        ),
        (
            "expected_sources",
            "telemetry,optimization_summary,-1",
            "line 2, column allowed_age_hours: '-1' is no number of at least 0",
        ),
    ],
)
def test_what_is_wrong_is_named_and_does_not_count(
    name: str, lines: str | bytes, said: str, tmp_path: Path
) -> None:
    data = lines if isinstance(lines, bytes) else lines.encode()
    found = write(tmp_path, name, HEADERS[name].encode() + b"\n" + data + b"\n")
    shown = f"g/analytics/settings/{name}.csv"
    (problem,) = found.problems
    assert str(problem).startswith(f"{shown}, {said}")
    without = settings_rows(Root(tmp_path / "nowhere"))
    if "redis,0.5" in str(lines):  # the good row beside the bad one
        without["slo_targets"].append({"check_key": "redis", "target": "0.5"})
    assert found.rows == without


def test_what_is_wrong_with_a_header_is_named(tmp_path: Path) -> None:
    found = write(tmp_path, "slo_targets", "check_key,goal,target,target\na,1,0.5,1\n")
    assert [problem.said.partition(":")[0] for problem in found.problems] == [
        "line 1, column 'goal'",
        "line 1, column target",
    ]
    assert targets(found)["a"] == "0.5"
    found = write(tmp_path, "slo_targets", "check;target\na;1\n")
    (problem,) = found.problems
    assert problem.said.startswith("line 1, column check_key: it is missing")
    assert "begin the file with check_key,target" in problem.said
    assert targets(found) == {"*": "0.99", "overall": "0.99"}


def test_what_is_no_settings_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "g/analytics/settings"
    (folder / "slo_targets.csv").mkdir(parents=True)
    for name in ("slo_target.csv", ".hidden.csv", "masks.csv", "notes.txt"):
        (folder / name).touch()
    found = read_settings(Root(tmp_path))
    assert [problem.file.rpartition("/")[2] for problem in found.problems] == [
        "slo_targets.csv",
        "slo_target.csv",
    ]
    assert targets(found) == {"*": "0.99", "overall": "0.99"}


@pytest.mark.parametrize("content", ["", "\n", "check_key,target", "\x00\xff"])
def test_a_file_that_says_nothing_changes_nothing(content: str, tmp_path: Path) -> None:
    found = write(tmp_path, "slo_targets", content)
    assert targets(found) == {"*": "0.99", "overall": "0.99"}


def test_every_seed_of_settings_keeps_its_own_rules() -> None:
    assert set(settings_seeds()) == HEADERS.keys()
    for name, seed in settings_seeds().items():
        assert ",".join(seed.columns) == HEADERS[name]
        assert set(seed.key) <= seed.required
    assert not read_settings(Root(PROJECT / "nowhere")).problems


def test_the_seeds_that_are_kept_are_those_of_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SEEDS.keep(tmp_path)
    seeds = settings_seeds()

    def refuse(_: Path) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(settings, "read_yml", refuse)
    assert SEEDS.take(tmp_path) == seeds


@pytest.mark.parametrize(
    "name", ["seeds/slo_targets.yml", "exporter/contracts/settings.py"]
)
def test_they_are_read_again_when_a_file_has_changed(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    before = fingerprint(seed_files(project))
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert fingerprint(seed_files(project)) != before


def test_what_is_set_is_no_code(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")

    def mark(mart: str) -> str:
        return load_marts(project)[mart].model_fingerprint

    def append(seed: str, line: str) -> None:
        with (project / "seeds" / f"{seed}.csv").open("a", encoding="utf-8") as file:
            file.write(line)

    before = mark("slo_status"), mark("check_states")
    append("slo_targets", "redis,0.5\n")
    append("monitored_checks", "A,b,redis_status\n")
    assert mark("slo_status") == before[0]
    assert mark("check_states") != before[1]
    assert {"check_key": "redis", "target": "0.5"} in settings_rows(
        Root(tmp_path), project
    )["slo_targets"]
