"""The SQL of `status` that is kept: only for the files that it was rendered from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.runtime.kept import fingerprint
from exporter.status.statements import STATEMENTS, TEXTS, files
from tests.support import copy_project


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("rendered again")


def test_what_is_kept_is_what_would_be_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = STATEMENTS.take(tmp_path)
    STATEMENTS.keep(tmp_path)
    monkeypatch.setattr("exporter.contracts.rendering.Renderer", refuse)
    assert STATEMENTS.take(tmp_path) == rendered
    assert rendered.sql.keys() == TEXTS.keys()
    assert rendered.lifetime_days == 7
    assert not [text for text in rendered.sql.values() if "{{" in text or "{%" in text]


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml", "macros/checks.sql", "macros/marts/states.sql",
        "models/marts/reliability/check_states.sql",
        "models/marts/reliability/slo_status.sql", "exporter/status/live.sql",
        "exporter/contracts/rendering.py",
    ],
)  # fmt: skip
def test_another_file_is_another_key(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    before = fingerprint(files(project))
    assert fingerprint(files(project)) == before
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert fingerprint(files(project)) != before


def test_nothing_that_differs_from_run_to_run_is_rendered() -> None:
    texts = [path.read_text("utf-8") for path in files()]
    sql = [text for text in texts if not text.startswith('"""')]
    assert len(sql) > 10
    assert not [text for text in sql if "env_var" in text or "run_started" in text]
