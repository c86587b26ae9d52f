"""The contracts of all datasets and marts, kept until the code changes.

They are made of every model, macro, seed and parser: to read those takes a good part
of a run that finds nothing new.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from exporter.contracts.datasets import Dataset, load_datasets
from exporter.contracts.lineage import Code
from exporter.contracts.marts import Mart, load_marts
from exporter.runtime.environment import KEPT
from exporter.runtime.kept import files_below, fingerprint, keep, read_kept
from ingest.root import PROJECT

TABLES = "tables.pickle"
# What they are read from, and the code that reads it.
FOLDERS = ("models", "macros", "seeds", "ingest", "exporter/contracts")
ENDS = (".sql", ".yml", ".csv", ".py")
SETTINGS = "dbt_project.yml"

Tables = tuple[dict[str, Dataset], dict[str, Mart]]


def load_tables(kept: Path = KEPT) -> Tables:
    """All datasets and all marts, as load_datasets and load_marts give them.

    Raises BrokenContract.
    """
    key = _key(PROJECT)
    if (pickled := read_kept(kept / TABLES, key)) is not None:
        found: Tables = pickle.loads(pickled)
        return found
    code = Code()
    tables = load_datasets(code=code), load_marts(code=code)
    # Without what was asked of them already.
    pickled = pickle.dumps(tables, protocol=pickle.HIGHEST_PROTOCOL)
    if _key(PROJECT) == key:  # nobody has changed it meanwhile
        keep(kept / TABLES, key, pickled)
    return tables


def _key(project: Path) -> bytes:
    return fingerprint([project / SETTINGS, *files_below(project, FOLDERS, *ENDS)])
