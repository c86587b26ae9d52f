"""What bundles hold that looks like an input and is not read.

A bundle is read once, and each run says what is not read: so it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ingest.loaders.context import Context
from ingest.store.ledger import SeenInput
from ingest.store.reconcile import BUNDLES
from ingest.text.clean import clean

KEY = "not_read"


class PassedOver:
    """Knows, by bundle and by what they are, the members that are not read.

    `seen` are the inputs as the ledger knows them: the position of a bundle holds
    the names of such members, masked.
    """

    def __init__(self, context: Context, seen: Mapping[str, SeenInput]) -> None:
        self.context = context
        self.found: dict[str, dict[str, list[str]]] = {
            path: known.position[KEY]
            for path, known in seen.items()
            if known.source == BUNDLES and known.position and KEY in known.position
        }

    def note(self, bundle: str, members: Mapping[str, list[str]]) -> None:
        """Note what was passed over in a bundle that was read, by what it is."""
        found = {
            what: [self.context.masks.text(clean(path)) for path in paths]
            for what, paths in members.items()
        }
        self.found.pop(bundle, None)
        if found:
            self.found[bundle] = found

    def position(
        self, bundle: str, broken: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """What the ledger is to remember of a bundle besides what is wrong with it."""
        if bundle not in self.found:
            return broken
        return {**(broken or {}), KEY: self.found[bundle]}

    def tell(self, bundles: Iterable[str]) -> None:
        """Add what is in these bundles to what the run has found."""
        for bundle in bundles:
            for what, members in self.found.get(bundle, {}).items():
                self.context.report.ignored.setdefault(what, []).extend(
                    f"{bundle}:{member}" for member in members
                )
