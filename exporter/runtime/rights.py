"""Whose the files are that dbt makes besides the published ones: the owner's.

Its database holds raw text of rejects, its log and artefacts may quote it. They
are made private before the first of it is read, and stay so after a kill.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ingest import files

FOR_OWNER = 0o077


def users_umask() -> int:
    """What the user lets others do with files, as the process has it now."""
    umask = os.umask(FOR_OWNER)
    os.umask(umask)
    return umask


def keep_dbt_private(database: str, flags: Any) -> None:
    """Take the rights of others to what this dbt has made and will make.

    `database` is the path of its database, `flags` are those of dbt.
    """
    os.umask(FOR_OWNER)
    for name in (database, f"{database}.wal"):
        if os.path.isfile(name):
            os.chmod(name, 0o600)
    target = Path(getattr(flags, "TARGET_PATH", None) or "target")
    if _is_of_dbt(target):
        files.keep_private(target)
    logs = Path(getattr(flags, "LOG_PATH", None) or "logs")
    kept = sorted(logs.glob("*"))
    for path in kept:
        if path.name.startswith("dbt.log"):
            path.chmod(0o600)
    if all(path.name.startswith("dbt.log") for path in kept) and kept:
        logs.chmod(0o700)


def _is_of_dbt(folder: Path) -> bool:
    """Whether a folder holds artefacts and nothing else: a user may name any."""
    made = ("partial_parse.msgpack", "manifest.json", "run_results.json")
    is_made = any((folder / name).exists() for name in made)
    return is_made and not (folder / "dbt_project.yml").exists()
