"""Opening the ledger of a root: to write, or without leaving a trace."""

from __future__ import annotations

import os

from ingest import files
from ingest.root import Root
from ingest.store.ledger import Ledger


def make_state_folder(root: Root) -> None:
    """Make the state folder, which holds raw input: for its owner only."""
    root.state.parent.mkdir(parents=True, exist_ok=True)
    files.make_private_folder(root.state)
    if root.state.stat().st_mode & 0o077:
        root.state.chmod(0o700)


def open_ledger(root: Root, dry_run: bool) -> Ledger:
    """The ledger of a root; a copy that leaves no trace in a dry run."""
    path = root.state / "ledger.sqlite"
    if dry_run:
        return Ledger.copy_in_memory(path) if path.exists() else Ledger(None)
    make_state_folder(root)
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    return Ledger(path)
