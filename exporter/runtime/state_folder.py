"""The state folder of a root."""

from __future__ import annotations

from ingest import files
from ingest.root import Root


def make_state_folder(root: Root) -> None:
    """Make the state folder, which holds raw input: for its owner only."""
    root.state.parent.mkdir(parents=True, exist_ok=True)
    files.make_private_folder(root.state)
    if root.state.stat().st_mode & 0o077:
        root.state.chmod(0o700)
