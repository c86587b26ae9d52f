"""Which days are stale: their file is not what the landing and code would make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from exporter.datasets import ALWAYS, Dataset
from exporter.published import published_days, read_published
from ingest import files
from ingest.landing import LandedDay, digest, landed_days
from ingest.ledger import Ledger, PublishedFile
from ingest.root import Root


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

    def forces(self, dataset: str, day: str) -> bool:
        """Whether --force was given for a dataset's day (YYYY-MM-DD)."""
        return (
            self.force
            and dataset in (self.datasets or (dataset,))
            and self.covers(date.fromisoformat(day))
        )


@dataclass(frozen=True)
class Target:
    """A day of a dataset as it should be published, and why it is not yet.

    `metadata` is what goes into the file's footer; `dropped` counts records
    that left this day for good reason, so that fewer are no loss.
    """

    dataset: str
    day: date
    path: str
    metadata: dict[str, str]
    reason: str
    dropped: int = 0

    @property
    def landed_records(self) -> int:
        return int(self.metadata["landed_records"])


@dataclass
class Plan:
    """The stale days, the days that are as they should be, and what is odd.

    `damaged` are files that landing cannot replace; `shrunken` days whose
    landing holds fewer records than what is published from it.
    """

    stale: list[Target] = field(default_factory=list)
    current: list[tuple[str, date, str]] = field(default_factory=list)
    published: dict[str, PublishedFile] = field(default_factory=dict)
    shrunken: list[tuple[str, int, int]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)


def plan_days(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    selection: Selection,
) -> Plan:
    """Compare what is landed with what is published, file by file."""
    landed = _by_source(landed_days(ledger))
    plan = Plan()
    for dataset in datasets.values():
        wanted = _wanted(dataset, landed)
        lying = dict(published_days(root, dataset))
        found = read_published(root, ledger, lying.values())
        ledgered = {} if all(map(_is_ours, found.values())) else ledger.published()
        for day, path in lying.items():
            file = found.get(path)
            if day in wanted:
                # Nothing says that the landing holds all that stood in it.
                if not _is_ours(file) and path not in ledgered:
                    plan.damaged.append(path)
                continue
            if file is None or not _is_ours(file):
                plan.damaged.append(path)
                continue
            plan.published[path] = file
            if file.metadata.get("model_fingerprint") != dataset.model_fingerprint:
                plan.outdated.append(path)
        for day, target in wanted.items():
            file = found.get(target.path)
            if file:
                plan.published[target.path] = file
            if not selection.covers(day):
                continue
            exists = target.path in found
            before = _landed_before(file or (exists and ledgered.get(target.path)))
            shrunk = before > target.landed_records + target.dropped
            if shrunk and not selection.force:
                plan.shrunken.append((target.path, before, target.landed_records))
                if file:  # whole: it stays as it is
                    plan.current.append((dataset.name, day, target.path))
                    continue
                if target.path not in plan.damaged:
                    plan.damaged.append(target.path)
            reason = _why_stale(exists, file, target, selection.force)
            if reason:
                plan.stale.append(replace(target, reason=reason))
            else:
                plan.current.append((dataset.name, day, target.path))
    return plan


def set_damaged_aside(root: Root, ledger: Ledger, plan: Plan) -> None:
    """Rename what the landing cannot replace: it would spoil every pattern."""
    for path in plan.damaged:
        if (root.path / path).exists():
            files.set_aside(root.path / path)
    ledger.forget_published(plan.damaged)


def published_on(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    days: Collection[date] | None = None,
) -> list[tuple[str, date, str, PublishedFile]]:
    """(dataset, day, path, file) of whole published files: of all days or some."""
    found = []
    for dataset in datasets.values():
        if days is None:
            lying = list(published_days(root, dataset))
        else:
            lying = [(day, dataset.file(day)) for day in sorted(days)]
        whole = read_published(root, ledger, [path for _, path in lying])
        found += [
            (dataset.name, day, path, file)
            for day, path in lying
            if (file := whole.get(path))
        ]
    return found


def _is_ours(file: PublishedFile | None) -> bool:
    return file is not None and "source_fingerprint" in file.metadata


def _landed_before(file: PublishedFile | bool | None) -> int:
    if isinstance(file, PublishedFile):
        text = file.metadata.get("landed_records", "0")
        return int(text) if text.isdecimal() else 0
    return 0


def _why_stale(
    exists: bool, file: PublishedFile | None, target: Target, force: bool
) -> str:
    if not exists:
        return "missing"
    if file is None:
        return "damaged"
    for key, reason in (
        ("schema_version", "schema changed"),
        ("source_fingerprint", "landed content changed"),
        ("model_fingerprint", "code changed"),
        ("landed_records", "landed content changed"),
    ):
        if file.metadata.get(key) != target.metadata[key]:
            return reason
    return "forced" if force else ""


# What each source landed: by day, a row per dataset that it feeds.
Landed = dict[str, dict[date, list[LandedDay]]]


def _by_source(rows: Iterable[LandedDay]) -> Landed:
    sources: Landed = {}
    for row in rows:
        days = sources.setdefault(row.source, {})
        days.setdefault(date.fromisoformat(row.day), []).append(row)
    return sources


def _wanted(dataset: Dataset, landed: Landed) -> dict[date, Target]:
    """Each landed day of a dataset as it should be published, in their order."""
    mine = [landed[source] for source in sorted(dataset.sources) if source in landed]
    return {
        day: _target(dataset, day, [days[day] for days in mine if day in days])
        for day in sorted(set().union(*mine))
    }


def _target(dataset: Dataset, day: date, sources: list[list[LandedDay]]) -> Target:
    records = dropped = 0
    for rows in sources:
        # Rejects and drift are said of every record, whatever it is meant for.
        counted = [row for row in rows if dataset.name in (*ALWAYS, row.dataset)]
        records += sum(row.records for row in counted)
        dropped += counted[0].dropped if counted else 0
    return Target(
        dataset.name,
        day,
        dataset.file(day),
        {
            "schema_version": str(dataset.schema_version),
            "source_fingerprint": digest(
                f"{rows[0].source}={rows[0].mark}" for rows in sources
            ),
            "model_fingerprint": dataset.model_fingerprint,
            "landed_records": str(records),
        },
        "",
        dropped,
    )


def landed_per_day(
    ledger: Ledger, datasets: Mapping[str, Dataset]
) -> dict[tuple[str, date], int]:
    """Records landed per dataset and day."""
    found: dict[tuple[str, date], int] = {}
    for row in landed_days(ledger):
        if row.dataset in datasets:
            key = row.dataset, date.fromisoformat(row.day)
            found[key] = found.get(key, 0) + row.records
    return found
