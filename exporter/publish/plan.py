"""What a run is asked for, and the plan of it: which files are due, and what is odd."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from exporter.contracts.datasets import day_in
from exporter.publish.existing import Existing
from exporter.publish.landed import (
    read_content,
    source_of,
)
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.legacy import Foreign
from exporter.publish.losses import (
    Loss,
    told_of_kept_rows,
)
from ingest import advice, files
from ingest.root import Root

# What follows the name of another program's file that is set aside.
STRANGE = "legacy"


@dataclass(frozen=True)
class Selection:
    """What a run is asked to publish. No days or datasets means all."""

    since: date | None = None
    until: date | None = None
    datasets: tuple[str, ...] = ()
    force: bool = False

    def covers(self, day: date) -> bool:
        return (self.since is None or day >= self.since) and (
            self.until is None or day <= self.until
        )

    @property
    def is_limited(self) -> bool:
        return bool(self.since or self.until or self.datasets)

    def forces(self, dataset: str, day: str) -> bool:
        """Whether --force was given for a dataset's day (YYYY-MM-DD)."""
        return (
            self.force
            and dataset in (self.datasets or (dataset,))
            and self.covers(date.fromisoformat(day))
        )


@dataclass(frozen=True)
class Due:
    """A file as it should be published, and why it is not yet.

    `dataset` is its table, `day` None where that has one file in all; `metadata` is
    what goes into the file's footer.
    """

    dataset: str
    day: date | None
    path: str
    metadata: dict[str, str]
    reason: str

    @property
    def keeps_rows(self) -> bool:
        """Whether rows of the published file go into the new one."""
        return False


@dataclass(frozen=True)
class Target(Due):
    """A day of a dataset as it should be published.

    `kept` are inputs whose rows are taken from the published file, because the
    landing no longer holds all their records. Where it `keeps_missing`, so are
    other rows of records that are not landed any more.
    """

    day: date
    kept: tuple[str, ...] = ()
    keeps_missing: bool = False

    @property
    def keeps_rows(self) -> bool:
        return bool(self.kept) or self.keeps_missing

    @property
    def landed_records(self) -> int:
        return int(self.metadata["landed_records"])

    def expected_records(self) -> Counter[str]:
        """By source, how many landed records the audit has to find."""
        expected: Counter[str] = Counter()
        for name, (records, _) in read_content(self.metadata).items():
            if name not in self.kept:
                expected[source_of(name)] += records
        return expected


@dataclass(frozen=True)
class Shrunken:
    """A published day of which the landing holds, or may hold, less than before.

    `kept` are inputs whose rows go into a new file, because others of the day are
    new; without one the file stays.
    """

    path: str
    loss: Loss
    kept: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = ", ".join(
            f"{now:,} of the {before:,} records of {name or 'the day'}"
            for name, (before, now) in sorted(self.loss.fewer.items())
        )
        if not said:
            said = f"perhaps not all records of {', '.join(sorted(self.loss.doubtful))}"
        what = f"the rows of {', '.join(self.kept)} are kept"
        return (
            f"{self.path}: {what if self.kept else 'kept'}, because the landing now "
            f"holds {said}; to replace {'them' if self.kept else 'it'}"
        )


@dataclass
class Plan:
    """The stale days, the days that are as they should be, and what is odd.

    `damaged` are files that landing cannot replace, `unreadable` those of them
    that are no Parquet; `outdated` those that other code made of what is not landed
    any more; `foreign` those of another program, whose days are left alone, and
    `strange` those in the place of a mart. `existing` has what was found of each
    dataset. What is `waiting` is current only as long as nothing else is published.
    """

    stale: list[Target] = field(default_factory=list)
    current: list[tuple[str, date, str]] = field(default_factory=list)
    published: dict[str, PublishedFile] = field(default_factory=dict)
    existing: dict[str, Existing] = field(default_factory=dict)
    shrunken: list[Shrunken] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    outdated: list[str] = field(default_factory=list)
    foreign: list[Foreign] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    waiting: list[Target] = field(default_factory=list)

    def warnings(self, root: Root) -> Iterator[str]:
        """What is odd, in words."""
        for shrunken in self.shrunken:
            day = day_in(shrunken.path)
            words = ("export", "--force", "--date", day)
            yield advice.run(str(shrunken), root, *words)
        for _, _, path in self.current:
            yield from told_of_kept_rows(root, path, self.published[path].metadata)
        for path in self.damaged:
            what = "not readable as Parquet" if path in self.unreadable else "damaged"
            yield f"{path}: {what}; set aside as {os.path.basename(path)}.damaged"
        yield from map(str, self.foreign)
        for path in self.strange:
            name = f"{os.path.basename(path)}.{STRANGE}"
            yield f"{path}: made by another program; set aside as {name}"
        if self.outdated:
            yield (
                f"{len(self.outdated)} published file(s) were made by other code and "
                f"are not in the landing, such as {self.outdated[0]}: they stay as "
                "they are"
            )


def set_aside_damaged(root: Root, ledger: Ledger, plan: Plan) -> None:
    """Rename what the landing cannot replace: it would spoil every pattern."""
    for path in plan.damaged:
        if (root.path / path).exists():
            files.set_aside(root.path / path)
    for path in plan.strange:
        if (root.path / path).exists():
            files.set_aside(root.path / path, STRANGE)
    ledger.forget_published(plan.damaged)
