"""The last step of set-up: what each run would else make of the code for itself.

That is what libraries generate (runtime/generated.py), the contracts
(contracts/kept.py), the seeds that settings override (contracts/settings.py), the SQL
of `status` (status/statements.py), and what dbt parses of the project
(publish/dbt_manifest.py).
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from exporter.runtime.generated import COMMAND, GENERATED, take_dataclasses

PACKAGES = ("exporter", "ingest", "monitor")
# These belong to dbt, and are imported by it.
OF_DBT = "dbt_plugin"


def main() -> None:
    take_dataclasses()
    for name in modules():
        with contextlib.suppress(ImportError):  # not all that is there is needed
            importlib.import_module(name)
    GENERATED.keep(COMMAND)
    # Only now, for each makes dataclasses.
    from exporter.contracts.kept import TABLES
    from exporter.contracts.settings import SEEDS
    from exporter.publish.dbt_generated import keep_generated
    from exporter.publish.dbt_manifest import parse_anew
    from exporter.status.statements import STATEMENTS

    for kept in (TABLES, SEEDS, STATEMENTS):
        kept.keep()
    with tempfile.TemporaryDirectory(prefix="ops-atomic-parse-") as folder:
        # To parse shows what dbt makes for itself, and is what all this is for.
        if parse_anew(Path(folder)):
            keep_generated()


def modules() -> Iterator[str]:
    """Every module that the command may import but for dbt's."""
    for package in PACKAGES:
        (path,) = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages([path], f"{package}."):
            last = module.name.rpartition(".")[2]
            if last not in ("__main__", OF_DBT):
                yield module.name


if __name__ == "__main__":
    main()
