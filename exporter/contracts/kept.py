"""The contracts of all datasets and marts, kept by the set-up until the code changes.

They are made of every model, macro, seed and parser: to read those takes a good part
of a run that finds nothing new.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
from collections.abc import Mapping
from pathlib import Path

from exporter.contracts.datasets import BrokenContract, Dataset, load_datasets
from exporter.contracts.lineage import Code, UnknownLineage
from exporter.contracts.marts import Mart, load_marts
from exporter.runtime.environment import KEPT
from exporter.runtime.kept import files_below, fingerprint, keep, read_kept
from ingest.root import PROJECT

TABLES = "tables.pickle"
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
    return take_tables()


def take_tables(kept: Path = KEPT) -> Tables:
    """What is kept of them, or what their files say. Raises BrokenContract."""
    with contextlib.suppress(Exception):  # of what was kept, nothing is an error
        pickled = read_kept(kept / TABLES, _key(PROJECT))
        if pickled is not None:
            found: Tables = pickle.loads(pickled)
            return found
    return _read_tables()


def keep_tables(kept: Path = KEPT) -> None:
    """Read them, and keep them for the files that they were read from.

    Only the set-up does, at once: in a process that has gone on for long, other code
    may be at work than lies in those files now. Raises BrokenContract and OSError.
    """
    key = _key(PROJECT)
    pickled = pickle.dumps(_read_tables(), protocol=pickle.HIGHEST_PROTOCOL)
    if _key(PROJECT) == key:  # nobody has changed it meanwhile
        keep(kept / TABLES, key, pickled)


def _read_tables() -> Tables:
    code = Code()
    try:
        return load_datasets(code=code), load_marts(code=code)
    except UnknownLineage as error:
        raise BrokenContract(str(error)) from error


def _key(project: Path) -> bytes:
    return fingerprint([project / SETTINGS, *files_below(project, FOLDERS, *ENDS)])
