"""The marts: contracts, what each reads of its inputs, and their code.

A contract is what stands in `models/marts/<room>/<mart>.yml`. A mart is made
from published files alone: those of exports and of other marts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from exporter.contracts.datasets import (
    BrokenContract,
    Column,
    Table,
    columns_of,
    contract_problems,
    dataset_names,
    read_contract,
    shape_text,
)
from exporter.contracts.lineage import Code, Lineage
from exporter.contracts.settings import settings_seeds
from ingest.root import PROJECT

FOLDER = Path("models") / "marts"
ROOMS = ("reliability", "performance", "operations")
MATERIALIZATION = "mart_parquet"
# Parts of a query that several marts share; no files.
HELPER = "helper"


@dataclass(frozen=True)
class Reads:
    """Which days of an input are read.

    Of a daily mart the day itself and `days_before`; where it `skips_silence`,
    these end with the last earlier day that has rows of `every_day_of`. Of a
    single-file mart the present day and `last_days` before, None: all up to it.
    """

    days_before: int = 0
    skips_silence: bool = False
    last_days: int | None = None

    def first_day(self, last: date) -> date:
        """The first of the days that end with `last`. The calendar begins with
        day 1: some records claim to be of it."""
        return date.fromordinal(max(last.toordinal() - self.days_before, 1))


def every_day(first: date, last: date) -> list[date]:
    """All days from the first to the last."""
    return [*map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))]


@dataclass(frozen=True)
class Mart(Table):
    """A table that is made from published files.

    `reads` says of each input what is read; of a daily mart each day of these
    has a file, or each between the first and the last with rows `every_day_of`
    an input. `settings` are the seeds among what shapes it. `folder`, `glob` and
    `file(day)` are relative to the root.
    """

    kind: str
    key: tuple[str, ...]
    order_by: tuple[str, ...]
    accepted_values: Mapping[str, tuple[str, ...]]
    reads: Mapping[str, Reads]
    every_day_of: str | None
    settings: tuple[str, ...]


def mart_names(project: Path = PROJECT) -> list[str]:
    """The names of all marts, in their order; of helpers none."""
    return sorted(path.stem for path in _contracts(project) if _is_mart(path))


def load_marts(project: Path = PROJECT, code: Code | None = None) -> dict[str, Mart]:
    """All marts by name, each behind those that it reads.

    `code` is that of the project, where it was read already. Raises BrokenContract.
    """
    code = code or Code(project)
    published = {*dataset_names(project), *mart_names(project)}
    found: dict[str, Mart] = {}
    for path in _contracts(project):
        if not _is_mart(path):
            continue
        model = read_contract(path)
        lineage = code.lineage(path.stem, MATERIALIZATION, published)
        problems = [
            *contract_problems(model, path.stem),
            *_mart_problems(model, lineage, code.variables),
        ]
        if problems:
            shown = path.relative_to(project).as_posix()
            raise BrokenContract(f"{shown}: {'; '.join(problems)}")
        found[path.stem] = _mart(model, lineage, code)
    order = TopologicalSorter({name: sorted(m.reads) for name, m in found.items()})
    return {name: found[name] for name in order.static_order() if name in found}


def helper_columns(project: Path = PROJECT) -> dict[str, tuple[Column, ...]]:
    """The columns of each helper, which marts share and nobody publishes."""
    return {
        path.stem: columns_of(read_contract(path))
        for path in _contracts(project)
        if not _is_mart(path)
    }


def _contracts(project: Path) -> list[Path]:
    return [
        path
        for room in ROOMS
        for path in sorted((project / FOLDER / room).glob("*.yml"))
    ]


def _is_mart(path: Path) -> bool:
    return not path.stem.startswith("int_")


def _mart_problems(
    model: Any, lineage: Lineage, variables: Mapping[str, Any]
) -> Iterator[str]:
    """What a mart's yml lacks beside what each contract has to have."""
    meta = ((model or {}).get("config") or {}).get("meta") or {}
    columns = model.get("columns") or [{}]
    if columns[0].get("name") != "machine":
        yield "the first column is not machine"
    if meta.get("kind") not in ("daily", "single"):
        yield "config.meta.kind: neither daily nor single"
    if (meta.get("kind") == "daily") != ("{yyyymmdd}" in str(meta.get("path"))):
        yield "config.meta.path: {yyyymmdd} in it, and kind: daily, go together"
    reads = meta.get("reads") or {}
    for name in sorted(lineage.inputs ^ set(reads)):
        where = "the SQL" if name in reads else "config.meta.reads"
        yield f"{name}: an input that {where} does not name"
    for name in sorted(lineage.inputs & set(reads)):
        terms = reads[name] if isinstance(reads[name], dict) else {}
        if reads[name] != "all" and not terms:
            yield f"config.meta.reads.{name}: neither `all` nor days"
        for term in [t for value in terms.values() for t in _terms(value)]:
            if isinstance(term, str) and term not in variables:
                yield f"config.meta.reads.{name}: {term} is no var of dbt_project.yml"
    if lineage.sources:
        yield f"reads the landing: {', '.join(sorted(lineage.sources))}"


def _mart(model: dict[str, Any], lineage: Lineage, code: Code) -> Mart:
    meta = model["config"]["meta"]
    # What an operator sets is an input of a mart, not code.
    settings = lineage.seeds & settings_seeds(code.project).keys()
    lineage.seeds -= settings
    columns = columns_of(model)
    contract = [
        shape_text(columns),
        repr(sorted(meta.items())),
        *code.variables_of(lineage),
    ]
    accepted = meta.get("accepted_values", {})
    return Mart(
        name=model["name"],
        description=model["description"].strip(),
        path=meta["path"],
        schema_version=int(meta["schema_version"]),
        columns=columns,
        model_fingerprint=code.fingerprint(lineage, contract),
        kind=meta["kind"],
        key=tuple(meta.get("key", ())),
        order_by=tuple(meta.get("order_by", ())),
        accepted_values={name: tuple(values) for name, values in accepted.items()},
        reads={
            name: _reads(said, code.variables) for name, said in meta["reads"].items()
        },
        every_day_of=meta.get("every_day_of"),
        settings=tuple(sorted(settings)),
    )


def _reads(said: Any, variables: Mapping[str, Any]) -> Reads:
    if said == "all":
        return Reads()
    last = said.get("last_days")
    return Reads(
        days_before=_sum(said.get("days_before", 0), variables),
        skips_silence=bool(said.get("skips_silence", False)),
        last_days=None if last is None else _sum(last, variables),
    )


def _terms(value: Any) -> Iterable[Any]:
    """A number of days is a number or a var, or a list of such to be added up."""
    return value if isinstance(value, list) else [value]


def _sum(value: Any, variables: Mapping[str, Any]) -> int:
    return sum(int(variables.get(term, term)) for term in _terms(value))
