"""What is made of a fleet: the marts of each machine, and those of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from exporter.contracts.datasets import (
    BrokenContract,
    Column,
    columns_of,
    dataset_names,
    read_contract,
    shape_text,
)
from exporter.contracts.lineage import Code
from exporter.contracts.marts import FOLDER, Reads, load_marts, mart_names
from exporter.contracts.settings import settings_seeds
from ingest.root import PROJECT

ROOM = FOLDER / "fleet"


@dataclass(frozen=True)
class Recipe:
    """How a table is made of a fleet's exports and of other tables.

    As in `Mart`; `fingerprint` stands for its code. A daily one has a partition
    for each day, any other is made as a whole.
    """

    name: str
    is_daily: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order_by: tuple[str, ...]
    reads: Mapping[str, Reads]
    every_day_of: str | None
    settings: tuple[str, ...]
    fingerprint: str


def load_recipes(project: Path = PROJECT) -> dict[str, Recipe]:
    """All of them by name, each behind those that it reads. Raises BrokenContract."""
    found = {}
    for mart in load_marts(project).values():
        found[mart.name] = Recipe(
            mart.name, mart.kind == "daily", mart.columns, mart.key,
            mart.order_by, mart.reads, mart.every_day_of,
            mart.settings, mart.model_fingerprint,
        )  # fmt: skip
    code = Code(project)
    paths = sorted((project / ROOM).glob("*.yml"))
    names = {path.stem for path in paths}
    published = {*dataset_names(project), *mart_names(project), *names}
    for path in paths:
        found[path.stem] = _of_the_fleet(path, code, published)
    order = TopologicalSorter({name: sorted(r.reads) for name, r in found.items()})
    return {name: found[name] for name in order.static_order() if name in found}


def _of_the_fleet(path: Path, code: Code, published: set[str]) -> Recipe:
    model = read_contract(path)
    shown = path.relative_to(code.project).as_posix()
    meta = ((model or {}).get("config") or {}).get("meta") or {}
    lacks = [name for name in ("kind", "key", "order_by") if not meta.get(name)]
    if lacks or not model.get("columns"):
        said = ", ".join(f"config.meta.{name}" for name in lacks) or "columns"
        raise BrokenContract(f"{shown}: no {said}")
    lineage = code.lineage(path.stem, published=published)
    settings = lineage.seeds & settings_seeds(code.project).keys()
    lineage.seeds -= settings
    columns = columns_of(model)
    contract = [shape_text(columns), *code.variables_of(lineage)]
    return Recipe(
        name=path.stem,
        is_daily=meta["kind"] == "daily",
        columns=columns,
        key=tuple(meta["key"]),
        order_by=tuple(meta["order_by"]),
        # Of a day its inputs' same day; a table that is one reads all of them.
        reads={name: Reads() for name in sorted(lineage.inputs)},
        every_day_of=None,
        settings=tuple(sorted(settings)),
        fingerprint=code.fingerprint(lineage, contract),
    )
