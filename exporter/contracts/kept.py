"""The contracts of all datasets and marts, kept by the set-up until the code changes.

They are made of every model, macro, seed and parser: to read those takes a good part
of a run that finds nothing new.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from exporter.contracts.datasets import BrokenContract, Dataset, load_datasets
from exporter.contracts.lineage import Code, UnknownLineage
from exporter.contracts.marts import Mart, load_marts
from exporter.runtime.kept import files_below
from exporter.runtime.kept_values import Kept
from ingest.root import PROJECT

# What they are read from, and the code that reads it.
FOLDERS = ("models", "macros", "seeds", "ingest", "exporter/contracts")
ENDS = (".sql", ".yml", ".csv", ".py")
SETTINGS = "dbt_project.yml"

Tables = tuple[Mapping[str, Dataset], Mapping[str, Mart]]


@functools.cache
def load_tables() -> Tables:
    """All datasets and all marts, as load_datasets and load_marts give them.

    Once in a process: a run ends with the contracts by which it published, whatever
    becomes of the code meanwhile. Raises BrokenContract.
    """
    return TABLES.take()


def files(project: Path = PROJECT) -> Iterator[Path]:
    """All that they are made of."""
    yield project / SETTINGS
    yield from files_below(project, FOLDERS, *ENDS)


def _read_tables() -> Tables:
    code = Code()
    try:
        return load_datasets(code=code), load_marts(code=code)
    except UnknownLineage as error:
        raise BrokenContract(str(error)) from error


TABLES = Kept("tables.pickle", files, _read_tables)
