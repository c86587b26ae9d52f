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

import yaml

from exporter.contracts.lineage import Code
from ingest.root import PROJECT
from ingest.store.landing import digest

EXPORTS = Path("models") / "marts" / "exports"
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
class Dataset:
    """One published table: its contract, files and inputs.

    `path` is a template relative to the root; `sources` are the sources of the
    landing, or of the state, that feed its rows; `accounts_for` are the datasets
    of whose landed records it says what became of them: itself, as a rule.
    `file_column` names the input of a row, where rows of one input do not hang
    on those of another; it `tells_records_apart` where a row shows of which
    landed record it is, and `collapses` where several records may become one
    row. `only_with_others` says that a run which publishes nothing else leaves it
    as it is. `model_fingerprint` stands for the model, its ancestors, macros,
    seeds and parsers.
    """

    name: str
    description: str
    path: str
    schema_version: int
    columns: tuple[Column, ...]
    sources: tuple[str, ...]
    accounts_for: tuple[str, ...]
    file_column: str | None
    tells_records_apart: bool
    model_fingerprint: str
    collapses: bool = False
    only_with_others: bool = False

    def file(self, day: date) -> str:
        """Where a day is published, relative to the root."""
        return self.path.format(
            yyyy=f"{day.year:04}",
            mm=f"{day.month:02}",
            yyyymmdd=f"{day.year:04}{day.month:02}{day.day:02}",
        )

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
    def name_pattern(self) -> re.Pattern[str]:
        """Matches the base names of its files; group 1 is the day's digits."""
        base = self.path.rpartition("/")[2]
        return re.compile(re.escape(base).replace(r"\{yyyymmdd\}", r"(\d{8})"))


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


def load_datasets(project: Path = PROJECT) -> dict[str, Dataset]:
    """All datasets by name, in the order of their names.

    Raises BrokenContract.
    """
    code = Code(project)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Dataset] = {}
    for path in sorted((project / EXPORTS).glob("*.yml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        shown = path.relative_to(project).as_posix()
        models = document.get("models") if isinstance(document, dict) else None
        for model in models or [{}]:
            if problems := list(contract_problems(model, path.stem)):
                raise BrokenContract(f"{shown}: {'; '.join(problems)}")
            dataset = _dataset(model, code)
            found[dataset.name] = dataset
    return {
        name: _with_its_datasets(dataset, found, code)
        for name, dataset in found.items()
    }


def _with_its_datasets(
    dataset: Dataset, datasets: Mapping[str, Dataset], code: Code
) -> Dataset:
    """What is made from other datasets' files hangs on their contracts, too."""
    others = (code.lineage(dataset.name).models & datasets.keys()) - {dataset.name}
    if not others:
        return dataset
    marks = [datasets[name].model_fingerprint for name in sorted(others)]
    fingerprint = digest([dataset.model_fingerprint, *marks])
    return replace(dataset, model_fingerprint=fingerprint)


def contract_problems(model: Any, name: str) -> Iterator[str]:
    """What a model of `models/marts/exports/` lacks, and has to have."""
    if not isinstance(model, dict) or model.get("name") != name:
        yield f"no model that is named {name}, like its file"
        return
    if not str(model.get("description") or "").strip():
        yield "no description of the model"
    meta = (model.get("config") or {}).get("meta")
    if not isinstance(meta, dict):
        yield "no config.meta with path and schema_version"
        return
    if "{yyyymmdd}" not in str(meta.get("path")):
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
    for due in ("date_partition", *(meta.get("key") or ())):
        if due not in by_name:
            yield f"no column {due}"
    told_apart = set(meta.get("key") or ()) - set(meta.get("may_be_null") or ())
    for name in sorted({"date_partition", *told_apart} & by_name.keys()):
        if {"type": "not_null"} not in (by_name[name].get("constraints") or []):
            yield f"column {name}: no constraint of type not_null"


def _dataset(model: dict[str, Any], code: Code) -> Dataset:
    name = model["name"]
    meta = model["config"]["meta"]
    columns = tuple(
        Column(c["name"], c["data_type"].upper(), c.get("description", "").strip())
        for c in model["columns"]
    )
    shape = "\n".join(f"{column.name} {column.type}" for column in columns)
    lineage = code.lineage(name)
    return Dataset(
        name=name,
        description=model["description"].strip(),
        path=meta["path"],
        schema_version=int(meta["schema_version"]),
        columns=columns,
        sources=tuple(sorted(lineage.sources)),
        accounts_for=tuple(meta.get("accounts_for", [name])),
        file_column=meta.get("file_column"),
        tells_records_apart="told_apart_by" in meta,
        model_fingerprint=code.fingerprint(
            lineage, [shape, repr(sorted(meta.items()))]
        ),
        collapses=bool(meta.get("collapses", False)),
        only_with_others=bool(meta.get("only_with_others", False)),
    )


def choose(datasets: dict[str, Dataset], names: Iterable[str]) -> dict[str, Dataset]:
    """The named datasets and those that always come along; all, if none named."""
    wanted = set(names)
    if not wanted:
        return datasets
    wanted |= set(ALWAYS)
    return {name: dataset for name, dataset in datasets.items() if name in wanted}
