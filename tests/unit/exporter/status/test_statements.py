"""The SQL of `status` that is kept: only for the files that it was rendered from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.runtime import kept as kept_files
from exporter.status import statements
from exporter.status.statements import KEPT_AS, TEXTS, keep_statements, load_statements
from ingest.root import PROJECT
from tests.support import copy_project


def refuse(*_: Any) -> None:
    raise AssertionError("rendered again")


def test_what_is_kept_is_what_would_be_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = load_statements(tmp_path)
    assert not list(tmp_path.iterdir())
    keep_statements(tmp_path)
    monkeypatch.setattr(statements, "_render", refuse)
    assert load_statements(tmp_path) == rendered
    assert rendered.sql.keys() == TEXTS.keys()
    assert rendered.lifetime_days == 7
    assert not [text for text in rendered.sql.values() if "{{" in text or "{%" in text]


def test_what_is_damaged_or_of_another_shape_is_rendered_again(tmp_path: Path) -> None:
    keep_statements(tmp_path)
    first, data = load_statements(tmp_path), (tmp_path / KEPT_AS).read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:99] + b"?" + data[100:]):
        (tmp_path / KEPT_AS).write_bytes(damaged)
        assert load_statements(tmp_path) == first
    key = statements._key(PROJECT)
    for other in (b"", b"{", b"7", b"[1]", b"[{}, 7, 8]"):
        kept_files.keep(tmp_path / KEPT_AS, key, other)
        assert load_statements(tmp_path) == first


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
    before = statements._key(project)
    assert statements._key(project) == before
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert statements._key(project) != before


def test_nothing_that_differs_from_run_to_run_is_rendered() -> None:
    texts = [path.read_text("utf-8") for path in statements._files(PROJECT)]
    sql = [text for text in texts if not text.startswith('"""')]
    assert len(sql) > 10
    assert not [text for text in sql if "env_var" in text or "run_started" in text]
