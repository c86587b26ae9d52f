"""The published datasets: contracts and the code that shapes each of them.

A contract is what stands in `models/marts/exports/<dataset>.yml`. The code
that shapes a dataset is found by following the literal `ref('…')` and
`source('landing', '…')` calls from its model: nothing here starts dbt.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ingest.landing import digest
from ingest.parsers import parser_files
from ingest.root import PROJECT

EXPORTS = Path("models") / "marts" / "exports"
# These come along whatever datasets are asked for.
ALWAYS = ("rejected_records", "schema_drift")

REF = re.compile(r"\bref\(\s*'(\w+)'\s*\)")
SOURCE = re.compile(r"\bsource\(\s*'landing'\s*,\s*'(\w+)'\s*\)")
MACRO = re.compile(
    r"\{%-?\s*(macro|materialization)\s+(\w+).*?\{%-?\s*end\1\s*-?%\}", re.DOTALL
)
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Column:
    """A column of a contract; `type` in DuckDB's spelling."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Dataset:
    """One published table: its contract, files and inputs.

    `path` is a template relative to the root; `sources` are the landing
    sources that feed its rows; `model_fingerprint` stands for the model, its
    ancestors, macros, seeds and parsers.
    """

    name: str
    description: str
    path: str
    schema_version: int
    columns: tuple[Column, ...]
    sources: tuple[str, ...]
    model_fingerprint: str

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


def shape_of(columns: Iterable[tuple[str, str]], codecs: Iterable[str]) -> str:
    """Stands for a file's columns, their types and how it is compressed."""
    return digest(
        [*(f"{name} {kind}" for name, kind in columns), *sorted(set(codecs))]
    )[:16]


def load_datasets(project: Path = PROJECT) -> dict[str, Dataset]:
    """All datasets by name, in the order of their names."""
    code = _Code(project)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for path in sorted((project / EXPORTS).glob("*.yml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        for model in document.get("models", []):
            dataset = _dataset(model, code)
            found[dataset.name] = dataset
    return found


def _dataset(model: dict[str, Any], code: _Code) -> Dataset:
    name = model["name"]
    meta = model["config"]["meta"]
    columns = tuple(
        Column(c["name"], c["data_type"].upper(), c.get("description", "").strip())
        for c in model["columns"]
    )
    shape = "\n".join(f"{column.name} {column.type}" for column in columns)
    sources = code.sources(name)
    return Dataset(
        name=name,
        description=model["description"].strip(),
        path=meta["path"],
        schema_version=int(meta["schema_version"]),
        columns=columns,
        sources=sources,
        model_fingerprint=code.fingerprint(
            name, [shape, repr(sorted(meta.items()))], sources
        ),
    )


class _Code:
    """The project's SQL, macros and seeds as text, by name."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.models = {
            path.stem: path.read_text(encoding="utf-8")
            for path in (project / "models").rglob("*.sql")
        }
        self.seeds = {path.stem: path for path in (project / "seeds").rglob("*.csv")}
        self.macros: dict[str, str] = {}
        self.machinery: dict[str, str] = {}
        for path in sorted((project / "macros").rglob("*.sql")):
            for match in MACRO.finditer(path.read_text(encoding="utf-8")):
                kind = self.macros if match[1] == "macro" else self.machinery
                kind[match[2]] = match[0]

    def ancestors(self, model: str) -> Iterator[str]:
        """The model, and every model and seed above it, each once."""
        seen = set()
        waiting = [model]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                yield name
                waiting += REF.findall(self.models.get(name, ""))

    def sources(self, model: str) -> tuple[str, ...]:
        found = {
            source
            for name in self.ancestors(model)
            for source in SOURCE.findall(self.models.get(name, ""))
        }
        return tuple(sorted(found))

    def used_macros(self, texts: Iterable[str]) -> set[str]:
        """Macros named in the texts, or in a macro that is."""
        used: set[str] = set()
        waiting = list(texts)
        while waiting:
            words = set(WORD.findall(waiting.pop()))
            fresh = (words & self.macros.keys()) - used
            used |= fresh
            waiting += [self.macros[name] for name in fresh]
        return used

    def fingerprint(
        self, model: str, contract: list[str], sources: tuple[str, ...]
    ) -> str:
        names = sorted(self.ancestors(model))
        texts = {name: self.models[name] for name in names if name in self.models}
        # The materialization shapes the bytes of every file.
        shaping = [*texts.values(), *self.machinery.values()]
        pieces = [
            *contract,
            *(f"{name}\n{text}" for name, text in texts.items()),
            *(self.machinery[name] for name in sorted(self.machinery)),
            *(self.macros[name] for name in sorted(self.used_macros(shaping))),
            *(
                self.seeds[name].read_text(encoding="utf-8")
                for name in names
                if name in self.seeds and name not in texts
            ),
            *(
                path.read_text(encoding="utf-8")
                for path in parser_files(sources, self.project)
            ),
        ]
        made = hashlib.sha256()
        for piece in pieces:
            data = piece.encode()
            made.update(b"%d:" % len(data))
            made.update(data)
        return made.hexdigest()[:32]


def choose(datasets: dict[str, Dataset], names: Iterable[str]) -> dict[str, Dataset]:
    """The named datasets and those that always come along; all, if none named."""
    wanted = set(names)
    if not wanted:
        return datasets
    wanted |= set(ALWAYS)
    return {name: dataset for name, dataset in datasets.items() if name in wanted}
