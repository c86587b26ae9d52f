"""The API's documents: what stands in them, and that their schemas hold."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exporter.answers.ask import Answers
from exporter.dashboard.documents import (
    DOCUMENTS,
    LONGEST,
    MOST,
    clipped,
    documents,
    in_json,
)
from exporter.dashboard.schemas import FOLDER, schemas
from ingest.root import Root
from tests.pages import AS_OF, fill
from tests.published import publish

NOW = datetime(2025, 10, 28, 12, 0, 5, 250)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root = tmp_path_factory.mktemp("root")
    fill(root, days=40)
    return all_of(root)


def all_of(root: Path) -> dict[str, dict[str, Any]]:
    with Answers(Root(root)) as answers:
        return documents(answers, "lab", NOW)


def check(document: dict[str, Any], name: str, is_closed: bool = True) -> None:
    """Hold a document to its schema; closed, to fields that the schema tells of."""
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    if is_closed:
        schema = closed(schema)
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.FormatChecker()
    )
    validator.validate(json.loads(json.dumps(document, allow_nan=False)))


def closed(schema: Any) -> Any:
    """A schema whose objects have the fields that it tells of, and no others."""
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    return {**found, "additionalProperties": False} if "required" in found else found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_keeps_its_schema(made: dict[str, Any], name: str) -> None:
    check(made[name], name)
    for part, answer in DOCUMENTS[name].parts.items():
        assert made[name][part] or answer == "maintenance", "nothing was checked"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_so_does_that_of_a_fresh_root(tmp_path: Path, name: str) -> None:
    check(all_of(tmp_path)[name], name)


def test_a_schema_tells_what_is_wrong(made: dict[str, Any]) -> None:
    wrong = {**made["checks"], "checks": [{**made["checks"]["checks"][0], "odd": 1}]}
    with pytest.raises(jsonschema.ValidationError, match="odd"):
        check(wrong, "checks")
    # Fields that come later are no break for who holds on to today's schema.
    check(wrong, "checks", is_closed=False)
    del wrong["checks"][0]["state"]
    with pytest.raises(jsonschema.ValidationError, match="state"):
        check(wrong, "checks", is_closed=False)


def test_the_committed_schemas_are_current() -> None:
    committed = {
        path.name.partition(".")[0]: json.loads(path.read_text(encoding="utf-8"))
        for path in FOLDER.glob("*.schema.json")
    }
    assert committed == schemas(), "run: make schema"


def test_every_document_tells_when_and_of_which_machine(made: dict[str, Any]) -> None:
    for document in made.values():
        assert document["version"] == 1
        assert document["generated_at"] == "2025-10-28T12:00:05Z"
        assert document["as_of"] == f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}"
        assert document["machine"] == "lab"


def test_what_is_wrong_stands_first(made: dict[str, Any]) -> None:
    status = made["status"]["status"]
    assert status["state"] == "down"
    assert status["since"] == "2025-10-28T11:30:00Z"
    assert status["cause"] == "connection refused"
    assert status["open_incidents"] == 2


def test_of_an_endless_list_the_first_are_told(tmp_path: Path) -> None:
    rows = [
        {"check_key": "api", "started_at": datetime(2025, 1, 1, hour // 60, hour % 60)}
        | {"ended_at": datetime(2025, 1, 2), "is_open": False}
        for hour in range(MOST + 7)
    ]
    publish(tmp_path, "incidents", rows)
    document = all_of(tmp_path)["incidents"]
    assert document["incidents_in_all"] == MOST + 7
    assert len(document["incidents"]) == MOST
    assert document["incidents"][0]["started_at"] == "2025-01-01T08:26:00Z"


def test_late_heartbeats_crowd_out_no_incident(tmp_path: Path) -> None:
    def row(key: str, hour: int, seconds: float, **more: Any) -> dict[str, Any]:
        start = datetime(2025, 1, 1, hour % 24)
        over = {"is_open": False, "duration_s": seconds}
        return {"check_key": key, "started_at": start} | over | more

    rows = [row("monitor", 2 + hour, 1.5) for hour in range(MOST)]
    rows += [row("api", 1, 5.0), row("monitor", 0, 60.0)]
    rows += [row("monitor", 0, 1.0, is_open=True)]
    publish(tmp_path, "incidents", rows)
    document = all_of(tmp_path)["incidents"]
    told = document["incidents"]
    first = [(found["check_key"], found["duration_s"]) for found in told[:4]]
    assert first == [("monitor", 1), ("api", 5), ("monitor", 60), ("monitor", 1.5)]
    assert [found["is_short_gap"] for found in told[:4]] == [False] * 3 + [True]
    # Those that the list leaves out are counted all the same.
    assert document["periods"][-1] == {
        "period": "all", "incidents": 3, "short_gaps": MOST,
    }  # fmt: skip


def test_incidents_are_counted_by_range(tmp_path: Path) -> None:
    def row(key: str, days_ago: float, **more: Any) -> dict[str, Any]:
        end = AS_OF - timedelta(days=days_ago)
        over = {"started_at": end - timedelta(seconds=30), "ended_at": end}
        return {"check_key": key, "is_open": False, "duration_s": 30} | over | more

    last = {"source": "heartbeats", "last_record_at": AS_OF, "age_s": 0.0}
    publish(tmp_path, "dataset_freshness", [last])
    rows = [row("api", days) for days in (0, 1, 7, 29, 90.1)]
    rows += [row("monitor", days) for days in (3, 60)]
    rows += [row("monitor", 0, is_open=True, ended_at=None)]
    publish(tmp_path, "incidents", rows)
    periods = all_of(tmp_path)["incidents"]["periods"]
    assert [tuple(found.values()) for found in periods] == [
        ("24h", 3, 0),
        ("7d", 4, 1),
        ("30d", 5, 1),
        ("90d", 5, 2),
        ("all", 6, 2),
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (datetime(2025, 10, 28, 7, 51, 31), "2025-10-28T07:51:31Z"),
        (datetime(2025, 10, 28, 7, 51, 31, 250_000), "2025-10-28T07:51:31.250Z"),
        (date(2025, 10, 28), "2025-10-28"),
        (float("nan"), None),
        (float("inf"), None),
        (2.0, 2),
        (1 / 3, 0.333333333),
        (True, True),
        (None, None),
    ],
)
def test_a_cell_in_json(value: Any, told: Any) -> None:
    assert in_json(value) == told


def test_a_long_text_is_cut_between_letters() -> None:
    assert clipped("a" * LONGEST) == "a" * LONGEST
    cut = clipped("a" * 10_000)
    assert len(cut) == LONGEST
    assert cut.endswith("a…")
    accented = clipped("a" * (LONGEST - 2) + "e\u0301\u0301" + "a" * 10)
    assert accented == "a" * (LONGEST - 2) + "…"
