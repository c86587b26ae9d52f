"""One registry of sources: nobody else keeps a list of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from exporter.contracts.datasets import load_datasets
from exporter.publish.counts import HEARD, SOURCES_HEARD
from ingest.listing import PLACES
from ingest.registry import ENTRIES, KINDS, SOURCES, identity_of, nightly
from ingest.root import PROJECT

NAMES = {*SOURCES, *KINDS}
# The registry itself, and what reads a source or writes samples of it.
OWN = ("ingest/registry.py", "ingest/sources/", "exporter/sample/")


def modules() -> Iterator[Path]:
    for package in ("ingest", "exporter"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            if not path.relative_to(PROJECT).as_posix().startswith(OWN):
                yield path


def names_listed(code: str) -> Iterator[set[str]]:
    """The names of sources in each literal of several."""
    for node in ast.walk(ast.parse(code)):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = list(node.elts)
        elif isinstance(node, ast.Dict):
            parts = list(node.keys)
        constants = [part.value for part in parts if isinstance(part, ast.Constant)]
        found = {value for value in constants if isinstance(value, str)} & NAMES
        if len(found) > 1:
            yield found


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=str(p.relative_to(PROJECT))) for p in modules()]
)
def test_nobody_else_lists_sources(path: Path) -> None:
    assert list(names_listed(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code", ["X = ('telemetry', 'query_log')", "X = {'telemetry': 1, 'query_log': 2}"]
)
def test_a_list_would_be_found(code: str) -> None:
    assert list(names_listed(code)) == [{"telemetry", "query_log"}]


def test_each_source_is_heard_by_rows_of_its_own() -> None:
    named = re.findall(r"'(\w+)'", " ".join(source for _, source, _ in HEARD))
    assert sorted({*named} & {*SOURCES}) == sorted(SOURCES_HEARD)


def test_each_source_has_its_folder_of_models() -> None:
    for name in SOURCES:
        path = PROJECT / "models" / "staging" / name / f"_{name}__sources.yml"
        [source] = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        assert [table["name"] for table in source["tables"]] == [name]


def test_what_is_counted_is_published() -> None:
    counted = {dataset for source in ENTRIES for dataset in source.counts_for}
    assert counted <= load_datasets().keys()


def test_names_are_told_apart() -> None:
    """No file is of two kinds: each kind's own example is its alone."""
    for kind in KINDS.values():
        assert identity_of(kind.name)
        for shown in kind.shown.split(", "):
            assert re.search(r"[*.]", shown)


def test_checks_of_nightly_jobs_name_known_sources() -> None:
    assert {name for names in nightly().values() for name in names} <= SOURCES.keys()


def test_the_operations_guide_says_where_inputs_lie() -> None:
    text = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    for title, shown in PLACES.items():
        places = ", ".join(f"`{place}`" for place in shown.split(", "))
        assert f"| {title} | {places} |" in text
