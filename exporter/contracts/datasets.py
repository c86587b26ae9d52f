"""The published datasets: contracts and the code that shapes each of them.

A contract is what stands in `models/marts/exports/<dataset>.yml`. The code
that shapes a dataset is found by `lineage.py`: nothing here starts dbt.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from exporter.contracts.lineage import Code
from exporter.contracts.yml import read_yml
from ingest.root import PROJECT
from ingest.store.digests import digest

EXPORTS = Path("models") / "marts" / "exports"
MATERIALIZATION = "daily_parquet"
# These come along whatever datasets are asked for.
ALWAYS = ("rejected_records", "schema_drift")


class BrokenContract(ValueError):
    """A contract that lacks what each has to have; names its file, and what."""


@dataclass(frozen=True)
class Column:
    """A column of a contract; `type` in DuckDB's spelling."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """One published table: its contract and files.

    `path` is a template relative to the root: of a file a day, or of the only
    one. `model_fingerprint` stands for the code that shapes it.
    """

    name: str
    description: str
    path: str
    schema_version: int
    columns: tuple[Column, ...]
    model_fingerprint: str

    @property
    def is_daily(self) -> bool:
        """Whether it has a file a day, and not one in all."""
        return "{" in self.path

    def file(self, day: date | None) -> str:
        """Where a day is published, relative to the root; None: the only file."""
        if day is None:
            return self.path
        if day not in self._files:
            year, month, on = f"{day}".split("-")
            self._files[day] = self.path.format(
                yyyy=year, mm=month, yyyymmdd=f"{year}{month}{on}"
            )
        return self._files[day]

    @functools.cached_property
    def _files(self) -> dict[date, str]:
        """Those that were asked for: each of thousands is, again and again."""
        return {}

    @property
    def glob(self) -> str:
        """All its files, relative to the root."""
        return re.sub(r"\{\w+\}", "*", self.path)

    @property
    def folder(self) -> str:
        """The lowest folder that holds all its files."""
        fixed = self.path.partition("{")[0]
        return fixed.rpartition("/")[0]

    @functools.cached_property
    def shape(self) -> str:
        """What `PublishedFile.shape` is of a file that keeps the contract."""
        return shape_of([(c.name, c.type) for c in self.columns], ["SNAPPY"])

    @functools.cached_property
    def shapes(self) -> frozenset[str]:
        """The same, and that of one without rows, in which nothing is compressed."""
        empty = shape_of([(c.name, c.type) for c in self.columns], [])
        return frozenset((self.shape, empty))

    @functools.cached_property
    def name_pattern(self) -> re.Pattern[str]:
        """Matches the base names of its files; group 1 is the day's digits."""
        base = self.path.rpartition("/")[2]
        return re.compile(re.escape(base).replace(r"\{yyyymmdd\}", r"(\d{8})"))


@dataclass(frozen=True)
class Dataset(Table):
    """A table that is made from what is landed.

    `sources` are the sources of the landing, or of the state, that feed its rows;
    `accounts_for` are the datasets of whose landed records it says what became of
    them: itself, as a rule. `row_input` is SQL for the input of a row, where one's
    rows can be told from another's: its file, or its source where that is one of
    the `whole_sources` (`all` in a model's yml). It `tells_records_apart` where a
    row shows of which landed record it is, and `collapses` where several records
    may become one row. `only_with_others` says that a run which publishes nothing
    else leaves it as it is. Its code are the model, its ancestors, macros, seeds
    and parsers.
    """

    sources: tuple[str, ...]
    accounts_for: tuple[str, ...]
    row_input: str | None
    tells_records_apart: bool
    whole_sources: tuple[str, ...] = ()
    collapses: bool = False
    only_with_others: bool = False

    @property
    def tells_of_others(self) -> bool:
        """Whether it says of several datasets' records what became of them."""
        return len(self.accounts_for) > 1


def day_in(path: str) -> str:
    """The day in the name of a published file, YYYY-MM-DD."""
    digits = PurePosixPath(path).stem[-8:]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def shape_of(columns: Iterable[tuple[str, str]], codecs: Iterable[str]) -> str:
    """Stands for a file's columns, their types and how it is compressed."""
    return digest(
        [*(f"{name} {kind}" for name, kind in columns), *sorted(set(codecs))]
    )[:16]


def dataset_names(project: Path = PROJECT) -> list[str]:
    """The names of all datasets, which their files bear."""
    return sorted(path.stem for path in (project / EXPORTS).glob("*.yml"))


def load_datasets(
    project: Path = PROJECT, code: Code | None = None
) -> dict[str, Dataset]:
    """All datasets by name, in the order of their names.

    `code` is that of the project, where it was read already. Raises BrokenContract.
    """
    code = code or Code(project)
    found: dict[str, Dataset] = {}
    for path in sorted((project / EXPORTS).glob("*.yml")):
        model = read_contract(path)
        if problems := list(contract_problems(model, path.stem)):
            shown = path.relative_to(project).as_posix()
            raise BrokenContract(f"{shown}: {'; '.join(problems)}")
        found[path.stem] = _dataset(model, code)
    return {
        name: _with_its_datasets(dataset, found, code)
        for name, dataset in found.items()
    }


def read_contract(path: Path) -> Any:
    """The only model of a yml file."""
    document = read_yml(path)
    models = document.get("models") if isinstance(document, dict) else None
    return models[0] if models else {}


def _with_its_datasets(
    dataset: Dataset, datasets: Mapping[str, Dataset], code: Code
) -> Dataset:
    """What is made from other datasets' files hangs on their contracts, too."""
    models = code.lineage(dataset.name, MATERIALIZATION).models
    others = (models & datasets.keys()) - {dataset.name}
    if not others:
        return dataset
    marks = [datasets[name].model_fingerprint for name in sorted(others)]
    fingerprint = digest([dataset.model_fingerprint, *marks])
    return replace(dataset, model_fingerprint=fingerprint)


def contract_problems(model: Any, name: str) -> Iterator[str]:
    """What a model lacks, and has to have to be published."""
    if not isinstance(model, dict) or model.get("name") != name:
        yield f"no model that is named {name}, like its file"
        return
    if not str(model.get("description") or "").strip():
        yield "no description of the model"
    meta = (model.get("config") or {}).get("meta")
    if not isinstance(meta, dict):
        yield "no config.meta with path and schema_version"
        return
    is_daily = meta.get("kind") != "single"
    if is_daily and "{yyyymmdd}" not in str(meta.get("path")):
        yield "config.meta.path: no path with {yyyymmdd} in it"
    if not isinstance(meta.get("schema_version"), int):
        yield "config.meta.schema_version: not a number"
    columns = [c for c in model.get("columns") or [] if isinstance(c, dict)]
    for number, column in enumerate(columns, start=1):
        shown = f"column {column.get('name') or number}"
        for key in ("name", "data_type", "description"):
            if not str(column.get(key) or "").strip():
                yield f"{shown}: no {key}"
    by_name = {column.get("name"): column for column in columns}
    partition = ["date_partition"] if is_daily else []
    for due in (*partition, *(meta.get("key") or ())):
        if due not in by_name:
            yield f"no column {due}"
    told_apart = set(meta.get("key") or ()) - set(meta.get("may_be_null") or ())
    for name in sorted(told_apart.union(partition) & by_name.keys()):
        if {"type": "not_null"} not in (by_name[name].get("constraints") or []):
            yield f"column {name}: no constraint of type not_null"


def columns_of(model: dict[str, Any]) -> tuple[Column, ...]:
    """The columns of a contract."""
    return tuple(
        Column(c["name"], _duckdb_type(c["data_type"]), c["description"].strip())
        for c in model["columns"]
    )


def _duckdb_type(text: str) -> str:
    return {"STRING": "VARCHAR"}.get(text.upper(), text.upper())


def shape_text(columns: Iterable[Column]) -> str:
    """Names and types of columns, a line each."""
    return "\n".join(f"{column.name} {column.type}" for column in columns)


def _dataset(model: dict[str, Any], code: Code) -> Dataset:
    name = model["name"]
    meta = model["config"]["meta"]
    columns = columns_of(model)
    lineage = code.lineage(name, MATERIALIZATION)
    sources = tuple(sorted(lineage.sources))
    whole = meta.get("whole_sources", ())
    return Dataset(
        name=name,
        description=model["description"].strip(),
        path=meta["path"],
        schema_version=int(meta["schema_version"]),
        columns=columns,
        sources=sources,
        accounts_for=tuple(meta.get("accounts_for", [name])),
        row_input=meta.get("row_input"),
        tells_records_apart="told_apart_by" in meta,
        whole_sources=sources if whole == "all" else tuple(whole),
        model_fingerprint=code.fingerprint(
            lineage, [shape_text(columns), repr(sorted(meta.items()))]
        ),
        collapses=bool(meta.get("collapses", False)),
        only_with_others=bool(meta.get("only_with_others", False)),
    )


def choose(
    datasets: Mapping[str, Dataset], names: Iterable[str]
) -> Mapping[str, Dataset]:
    """The named datasets and those that always come along; all, if none named."""
    wanted = set(names)
    if not wanted:
        return datasets
    wanted |= set(ALWAYS)
    return {name: dataset for name, dataset in datasets.items() if name in wanted}
