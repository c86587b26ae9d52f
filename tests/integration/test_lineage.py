"""What shapes a dataset is what dbt says."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

from exporter.contracts import marts
from exporter.contracts.datasets import MATERIALIZATION, load_datasets
from exporter.contracts.lineage import Code, Lineage
from exporter.contracts.marts import load_marts
from tests.support import run_dbt

OURS = "ops_atomic_reports"


def lineage_of(
    manifest: dict[str, Any],
    model: str,
    materialization: str,
    published: Set[str] = frozenset(),
) -> Lineage:
    """What dbt found of the project's own."""
    found = Lineage(materializations={materialization})
    kinds = {
        "model": found.models,
        "seed": found.seeds,
        "source": found.sources,
        "macro": found.macros,
    }
    nodes = {**manifest["nodes"], **manifest["sources"], **manifest["macros"]}
    # dbt does not say which materialization a model needs.
    waiting = {f"model.{OURS}.{model}"} | {
        name
        for name in manifest["macros"]
        if f".{OURS}.materialization_{materialization}" in name
    }
    seen: set[str] = set()
    while waiting - seen:
        name = (waiting - seen).pop()
        seen.add(name)
        kind, package, *rest = name.split(".")
        if kind == "model" and rest[-1] in published - {model}:
            found.inputs.add(rest[-1])
            continue
        node = nodes.get(name, {})
        waiting.update(*node.get("depends_on", {}).values())
        is_landing = kind != "source" or rest[0] in ("landing", "state")
        if package == OURS and is_landing and "materialization_" not in name:
            kinds[kind].add(rest[-1])
    return found


def test_lineage_is_that_of_dbt(empty_root: Path, tmp_path: Path) -> None:
    ran = run_dbt(empty_root, tmp_path, "parse")
    assert ran.returncode == 0, ran.stdout
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text("utf-8"))
    code = Code()
    for name in load_datasets():
        found = lineage_of(manifest, name, MATERIALIZATION)
        assert code.lineage(name, MATERIALIZATION) == found, name
    for name, mart in load_marts().items():
        published = {*load_datasets(), *load_marts()}
        found = code.lineage(name, marts.MATERIALIZATION, published)
        assert found.inputs == mart.reads.keys()
        by_dbt = lineage_of(manifest, name, marts.MATERIALIZATION, published)
        assert found == by_dbt, name
