"""What Grafana is given: every SQL, on the DuckDB that its plugin embeds."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.root import PROJECT
from tests.support import require_tool

GRAFANA = PROJECT / "docs/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/ops_atomic.json").read_text("utf-8"))
DATASOURCE = yaml.safe_load(
    (GRAFANA / "provisioning/datasources/ops_atomic.yml").read_text(encoding="utf-8")
)["datasources"][0]
# Made by `make grafana`, from tests/grafana/requirements.lock.
PYTHON = PROJECT / ".venv-grafana/bin/python"
# The types that the plugin shows as what they are: HUGEINT becomes text.
SHOWN = {"TIMESTAMP", "VARCHAR", "DOUBLE", "BIGINT", "INTEGER", "BOOLEAN", "DATE"}
# What the example has nothing for: it is short, quiet, old and run for the first time.
MAYBE_EMPTY = {
    "Open incidents",
    "Error budget left, 30 days",
    "Anomalies",
    "Queries that got slower or faster",
    "Runs",
}
# The days of the example, and where its forecasts would lead.
SINCE, UNTIL = datetime(2025, 10, 1), datetime(2026, 12, 1)


def queries() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["rawSql"]
    for variable in DASHBOARD["templating"]["list"]:
        yield f"${variable['name']}", variable["query"]


def as_grafana_asks(sql: str, checks: list[str]) -> str:
    """What reaches DuckDB: macros and variables filled in as Grafana and the
    plugin do."""
    since, until = (f"'{at:%Y-%m-%dT%H:%M:%SZ}'" for at in (SINCE, UNTIL))
    quoted = ",".join("'" + check.replace("'", "''") + "'" for check in checks)
    sql = sql.replace("${check:sqlstring}", quoted)
    sql = sql.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    sql = re.sub(
        r"\$__timeFilter\(((?:[^()]|\([^()]*\))*)\)",
        rf"\1 >= {since} AND \1 <= {until}",
        sql,
    )
    assert "$" not in sql, f"neither a macro nor a variable: {sql}"
    return sql


def ask(path: Path, asked: Mapping[str, str]) -> Any:
    python = require_tool(str(PYTHON))
    done = subprocess.run(
        [python, PROJECT / "tests/grafana/ask.py"],
        input=json.dumps({"path": str(path), "queries": dict(asked)}),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def catalogue(root: Path) -> Path:
    """The catalogue of the example after a run, where Grafana looks for it."""
    place = DATASOURCE["jsonData"]["path"].replace("$OPS_ATOMIC_ROOT", str(root))
    assert Path(place).is_file()
    return Path(place)


def test_every_sql_of_every_panel_runs_on_the_duckdb_of_the_plugin(
    catalogue: Path,
) -> None:
    variable = "$check"
    known = ask(catalogue, {variable: dict(queries())[variable]})["answers"][variable]
    checks = [*(check for (check,) in known["rows"]), "it's no check"]
    said = ask(catalogue, {n: as_grafana_asks(sql, checks) for n, sql in queries()})
    pinned = PROJECT / "tests/grafana/requirements.in"
    assert f"duckdb=={said['version']}" in pinned.read_text(encoding="utf-8")

    failed = {name: a for name, a in said["answers"].items() if isinstance(a, str)}
    assert failed == {}
    kinds = {panel["title"]: panel["type"] for panel in DASHBOARD["panels"]}
    for name, answer in said["answers"].items():
        assert set(answer["types"]) <= SHOWN, name
        if kinds.get(name) == "timeseries":
            # Grafana takes rows apart by their texts only where times ascend.
            assert (answer["columns"][0], answer["types"][0]) == ("time", "TIMESTAMP")
            times = [row[0] for row in answer["rows"]]
            assert times == sorted(times), name
            assert all(SINCE.isoformat() <= at.replace(" ", "T") for at in times)
    empty = {name for name, answer in said["answers"].items() if not answer["rows"]}
    assert empty <= MAYBE_EMPTY


def test_a_dashboard_that_asks_anew_every_ten_minutes() -> None:
    assert DASHBOARD["refresh"] == "10m"
    assert DATASOURCE["jsonData"]["readOnly"] is True
    wanted = {"type": DATASOURCE["type"], "uid": DATASOURCE["uid"]}
    variables = DASHBOARD["templating"]["list"]
    assert all(variable["datasource"] == wanted for variable in variables)
    titles, ids, taken = set(), set(), set()
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"] == wanted
        assert panel["description"]
        (target,) = panel["targets"]
        assert target["format"] == (0 if panel["type"] == "timeseries" else 1)
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken.add((place["x"], place["y"]))
        titles.add(panel["title"])
        ids.add(panel["id"])
    assert len(titles) == len(ids) == len(taken) == len(DASHBOARD["panels"])


def test_the_page_names_what_lies_there() -> None:
    page = (GRAFANA / "README.md").read_text(encoding="utf-8")
    for path in GRAFANA.rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert str(path.relative_to(GRAFANA)) in page
