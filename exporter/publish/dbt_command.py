"""dbt's commands, inside this process."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.publish.dbt_import import import_dbt
from ingest.root import PROJECT

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest


def invoke(
    command: str,
    folder: Path,
    arguments: Iterable[str] = (),
    manifest: Manifest | None = None,
) -> dbtRunnerResult:
    """Let dbt do a command, which writes nothing but into `folder`, and says nothing.

    Without a manifest it parses the project first.
    """
    import_dbt()
    from dbt.cli.main import dbtRunner

    return dbtRunner(manifest=manifest).invoke(
        [
            *(command, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target", "nightly", "--target-path", str(folder)),
            *("--log-path", str(folder), "--log-level-file", "none"),
            *("--log-level", "none", "--no-write-json", "--no-use-colors"),
            *arguments,
        ]
    )
