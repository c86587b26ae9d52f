"""The work of one dbt: what it is to publish, and what became of that.

Handed over inside this process by whoever runs dbt in it; the plugin finds it
here. Under plain dbt nobody does, and the plugin plans for itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date

from exporter.contracts.datasets import Dataset, Table
from exporter.publish.code_changes import CodeStats
from exporter.publish.landing_views import HEAVY, landed_parts, weights
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.mart_work import MartWork
from exporter.publish.plan import Due, Target
from ingest.root import Root

# Of so few days there is too little to share out among threads.
FEW_DAYS = 7


@dataclass(frozen=True)
class Done:
    """What became of a target: its file, or the `reason` why there is none."""

    target: Due
    file: PublishedFile | None = None
    reason: str = ""


@dataclass
class Work:
    """What is to be published under a root, whoever planned it.

    `stale` are days of datasets; `marts` come behind them. `code` is how the
    project's files looked when the datasets were loaded; `days` are those that dbt
    is shown, None for all; `done` has an entry for each file that was seen to. Once it
    `is_stopped`, no further dataset is begun, nor moved into its place.
    """

    root: Root
    ledger: Ledger
    datasets: Mapping[str, Dataset]
    code: CodeStats
    stale: list[Target]
    marts: MartWork
    days: Set[date] | None = None
    done: list[Done] = field(default_factory=list)
    is_stopped: bool = False

    def of(self, dataset: str) -> list[Target]:
        """What is to be published of a dataset."""
        return [target for target in self.stale if target.dataset == dataset]

    @property
    def is_heavy(self) -> bool:
        """Whether anything of it is made from a very large input."""
        days = {target.day for target in self.stale}
        parts = landed_parts(self.root, self.ledger, days)
        landed = weights(self.root, parts).values()
        return max([*landed, self.marts.weight], default=0) > HEAVY

    @property
    def is_small(self) -> bool:
        """Whether it is of a few days only."""
        days = {due.day for due in (*self.stale, *self.marts.stale)}
        return len(days) <= FEW_DAYS

    @property
    def tables(self) -> dict[str, Table]:
        """All that is published, by name."""
        return {**self.datasets, **self.marts.known}


_handed: Work | None = None


@contextlib.contextmanager
def handed_over(work: Work) -> Iterator[None]:
    """Let a dbt of this process find its work."""
    global _handed
    # Others may look into the ledger meanwhile.
    work.ledger.commit()
    _handed = work
    try:
        yield
    finally:
        _handed = None


def handed_work() -> Work | None:
    """What was handed over; None under plain dbt."""
    return _handed
