"""A contract that lacks something says what, and in which file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.contracts.datasets import BrokenContract, load_datasets
from ingest.root import PROJECT

WHERE = "models/marts/exports/ops_atomic.yml"


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str, str], None]:
    """Replaces a text of a contract and loads all of them."""
    project = tmp_path / "project"
    for name in ("models", "macros", "seeds", "ingest"):
        shutil.copytree(PROJECT / name, project / name)

    def replace(text: str, other: str) -> None:
        path = project / WHERE
        before = path.read_text(encoding="utf-8")
        assert text in before
        path.write_text(before.replace(text, other, 1), encoding="utf-8")
        load_datasets(project)

    return replace


@pytest.mark.parametrize(
    ("text", "other", "said"),
    [
        ("schema_version:", "version:", "config.meta.schema_version: not a number"),
        ("        path: ", "        folder: ", "config.meta.path: no path"),
        ("      meta:", "      notes:", "no config.meta with path"),
        ("    description:", "    about:", "no description of the model"),
        (
            "  - name: ops_atomic",
            "  - name: other",
            "no model that is named ops_atomic",
        ),
        ("        data_type:", "        kind:", "column filename: no data_type"),
        ("        description:", "        about:", "column filename: no description"),
        ("key: [filename]", "key: [name]", "no column name"),
        (
            "        constraints:\n          - type: not_null",
            "        constraints: []",
            "column filename: no constraint of type not_null",
        ),
        (
            "      - name: date_partition",
            "      - name: day",
            "no column date_partition",
        ),
    ],
)
def test_what_is_missing_is_said(
    change: Callable[[str, str], None], text: str, other: str, said: str
) -> None:
    with pytest.raises(BrokenContract) as broken:
        change(text, other)
    assert str(broken.value).startswith(f"{WHERE}: ")
    assert said in str(broken.value)


def test_a_command_tells_it_without_a_traceback(
    empty_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from exporter.cli.main import main
    from exporter.contracts import datasets, kept
    from exporter.runtime import kept_values

    def broken(model: object, name: str) -> list[str]:
        return ["no description of the model"] if name == "ops_atomic" else []

    monkeypatch.setattr(datasets, "contract_problems", broken)
    monkeypatch.setattr(kept_values, "read_kept", lambda *_: None)  # as after a change
    kept.load_tables.cache_clear()  # another test of this process has loaded them
    for command in (["validate"], ["export", "--dataset", "ops_atomic"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--root", str(empty_root)], prog_name="ops-atomic")
        assert ended.value.code == 1
        said = capsys.readouterr().err
        assert f"{WHERE}: no description of the model" in said
        assert "Traceback" not in said
