"""Which days are stale: their file is not what the landing and code would make."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from exporter.contracts.datasets import Dataset, day_in
from exporter.publish.landed import (
    Content,
    Landed,
    content_of,
    file_of,
    fingerprint_of,
    landed_inputs,
    lost_records,
    read_content,
    records_of,
    written,
)
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.published import is_ours, published_days, read_published
from ingest import advice, files
from ingest.root import Root
from ingest.store.landing import landed_days


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
class Target:
    """A day of a dataset as it should be published, and why it is not yet.

    `metadata` is what goes into the file's footer; `kept` are inputs whose rows
    are taken from the published file, because the landing no longer holds all
    their records.
    """

    dataset: str
    day: date
    path: str
    metadata: dict[str, str]
    reason: str
    kept: tuple[str, ...] = ()

    @property
    def landed_records(self) -> int:
        return int(self.metadata["landed_records"])


@dataclass(frozen=True)
class Shrunken:
    """A published day of which the landing holds fewer records than before.

    `lost` are (before, now) by input; `kept` says whether their rows go into a
    new file, because others of the day are new; else the file stays.
    """

    path: str
    lost: dict[str, tuple[int, int]]
    kept: bool = False

    def __str__(self) -> str:
        said = ", ".join(
            f"{now:,} of the {before:,} records of {name or 'the day'}"
            for name, (before, now) in sorted(self.lost.items())
        )
        what = f"the rows of {', '.join(sorted(self.lost))} are kept"
        return (
            f"{self.path}: {what if self.kept else 'kept'}, because the landing now "
            f"holds {said}; to replace {'them' if self.kept else 'it'}"
        )


@dataclass
class Plan:
    """The stale days, the days that are as they should be, and what is odd.

    `damaged` are files that landing cannot replace; `outdated` those that other
    code made of what is not landed any more.
    """

    stale: list[Target] = field(default_factory=list)
    current: list[tuple[str, date, str]] = field(default_factory=list)
    published: dict[str, PublishedFile] = field(default_factory=dict)
    shrunken: list[Shrunken] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)

    def warnings(self, root: Root) -> Iterator[str]:
        """What is odd, in words."""
        for shrunken in self.shrunken:
            day = day_in(shrunken.path)
            words = ("export", "--force", "--date", day)
            yield advice.run(str(shrunken), root, *words)
        for path in self.damaged:
            yield f"{path}: damaged; set aside as {os.path.basename(path)}.damaged"
        if self.outdated:
            yield (
                f"{len(self.outdated)} published file(s) were made by other code and "
                f"are not in the landing, such as {self.outdated[0]}: they stay as "
                "they are"
            )


def plan_days(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    selection: Selection,
) -> Plan:
    """Compare what is landed with what is published, file by file."""
    landed = landed_inputs(ledger)
    plan = Plan()
    for dataset in datasets.values():
        wanted = _wanted(dataset, landed)
        lying = dict(published_days(root, dataset))
        found = read_published(root, ledger, dataset, lying)
        ledgered = {} if all(map(is_ours, found.values())) else ledger.published()
        for day, path in lying.items():
            file = found.get(path)
            if day in wanted:
                # Nothing says that the landing holds all that stood in it.
                if not is_ours(file) and path not in ledgered:
                    plan.damaged.append(path)
                continue
            if file is None or not is_ours(file):
                plan.damaged.append(path)
                continue
            plan.published[path] = file
            if file.metadata.get("model_fingerprint") != dataset.model_fingerprint:
                plan.outdated.append(path)
        for day, inputs in wanted.items():
            path = dataset.file(day)
            file = found.get(path)
            if file:
                plan.published[path] = file
            if selection.covers(day):
                exists = path in found
                before = file or (ledgered.get(path) if exists else None)
                at = _Day(dataset, day, inputs, exists, file, before)
                _plan_day(plan, at, selection.force)
    return plan


@dataclass(frozen=True, slots=True)
class _Day:
    """A landed day of a dataset and its file, where it `exists` and is whole.

    `before` is what is known of the file, whole or not.
    """

    dataset: Dataset
    day: date
    inputs: list[Landed]
    exists: bool
    file: PublishedFile | None
    before: PublishedFile | None


def _plan_day(plan: Plan, at: _Day, is_forced: bool) -> None:
    path = at.dataset.file(at.day)
    content = content_of(at.dataset, at.inputs)
    reason = _why_stale(at, content)
    lost = _lost(at, content) if reason and not is_forced else {}
    kept: tuple[str, ...] = ()
    if lost and at.file:
        before = read_content(at.file.metadata)
        content |= {name: before[name] for name in lost if name in before}
        keeps_rows = _can_keep_rows(at, content, lost)
        reason = _why_stale(at, content) if keeps_rows else ""
        kept = tuple(sorted(lost))
        plan.shrunken.append(Shrunken(path, lost, keeps_rows))
    elif lost:
        plan.shrunken.append(Shrunken(path, lost))
        if path not in plan.damaged:
            plan.damaged.append(path)
    if is_forced and not reason:
        reason = "forced"
    if reason:
        metadata = _metadata(at.dataset, at.day, content)
        target = Target(at.dataset.name, at.day, path, metadata, reason, kept)
        plan.stale.append(target)
    else:
        plan.current.append((at.dataset.name, at.day, path))


def _lost(at: _Day, content: Content) -> dict[str, tuple[int, int]]:
    """The inputs that hold fewer records than the file was made from."""
    if at.before is None:
        return {}
    dropped = {landed.name: landed.dropped for landed in at.inputs}
    if "landed" in at.before.metadata:
        return lost_records(read_content(at.before.metadata), content, dropped)
    # Of files made before, only a sum is known, and that over all datasets for
    # those that account for others.
    text = at.before.metadata.get("landed_records", "0")
    made_from = int(text) if text.isdecimal() else 0
    held = records_of(content)
    if at.dataset.accounts_for != (at.dataset.name,):
        held = sum(sum(landed.counts.values()) for landed in at.inputs)
    return {"": (made_from, held)} if made_from > held + sum(dropped.values()) else {}


def _can_keep_rows(at: _Day, content: Content, lost: Collection[str]) -> bool:
    """Whether a day can be made anew but for the rows of what is lost."""
    return (
        at.dataset.file_column is not None
        and at.file is not None
        and at.file.shape == at.dataset.shape
        and all(map(file_of, lost))
        and any(name not in lost for name in content)
    )


def _why_stale(at: _Day, content: Content) -> str:
    if not at.exists:
        return "missing"
    if at.file is None:
        return "damaged"
    made = at.file.metadata
    if made.get("schema_version") != str(at.dataset.schema_version):
        return "schema changed"
    if made.get("source_fingerprint") != fingerprint_of(content):
        return "landed content changed"
    if made.get("model_fingerprint") != at.dataset.model_fingerprint:
        return "code changed"
    if made.get("landed_records") != str(records_of(content)):
        return "landed content changed"
    return ""


def _metadata(dataset: Dataset, day: date, content: Content) -> dict[str, str]:
    return {
        "dataset": dataset.name,
        "day": day.isoformat(),
        "schema_version": str(dataset.schema_version),
        "source_fingerprint": fingerprint_of(content),
        "model_fingerprint": dataset.model_fingerprint,
        "landed_records": str(records_of(content)),
        "landed": written(content),
    }


def _wanted(
    dataset: Dataset, landed: Mapping[str, Mapping[date, list[Landed]]]
) -> dict[date, list[Landed]]:
    """The inputs of each landed day of a dataset, in the order of days."""
    landed_sources = [
        landed[source] for source in sorted(dataset.sources) if source in landed
    ]
    return {
        day: [each for days in landed_sources for each in days.get(day, ())]
        for day in sorted(set().union(*landed_sources))
    }


def set_aside_damaged(root: Root, ledger: Ledger, plan: Plan) -> None:
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
            lying = dict(published_days(root, dataset))
        else:
            lying = {day: dataset.file(day) for day in sorted(days)}
        whole = read_published(root, ledger, dataset, lying)
        found += [
            (dataset.name, day, path, file)
            for day, path in lying.items()
            if (file := whole.get(path))
        ]
    return found


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
