"""Which days are stale: their file is not what the landing and code would make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from exporter.contracts.datasets import Dataset
from exporter.publish.existing import Existing, unmended_days
from exporter.publish.landed import (
    Content,
    Landed,
    content_of,
    fingerprint_of,
    footer_of,
    landed_inputs,
    read_content,
    records_of,
    why_stale,
)
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.losses import (
    Breaks,
    Loss,
    can_keep_rows,
    find_loss,
    kept_note,
    kept_rows,
    with_kept_inputs,
)
from exporter.publish.plan import Plan, Selection, Shrunken, Target
from exporter.publish.published import unreadable_of
from exporter.publish.run_records import RUNS, landed_runs
from ingest.root import Root


def plan_days(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    selection: Selection,
    adopted: Collection[str] = (),
) -> Plan:
    """Compare what is landed with what is published, file by file.

    In a dry run, files that would be `adopted` count as gone.
    """
    landed = landed_inputs(ledger)
    plan = Plan()
    unmended: set[tuple[str, str]] = set()
    for dataset in datasets.values():
        if RUNS not in dataset.sources:
            wanted = _wanted(dataset, landed)
            existing = Existing.find(root, ledger, dataset, adopted, wanted)
            plan.existing[dataset.name] = existing
            plan.foreign += existing.foreign
            unmended.update(unmended_days(ledger, dataset, wanted, existing.found))
            # What tells of the others is told anew with them: nothing is lost.
            breaks = {} if dataset.only_with_others else ledger.breaks()
            _plan_dataset(plan, existing, wanted, selection, breaks)
    mended = ledger.breaks().keys() - unmended
    if mended and not selection.datasets:
        ledger.forget_breaks(mended)
    _leave_alone(plan, datasets)
    for dataset in datasets.values():
        if RUNS in dataset.sources:
            existing = Existing.find(root, ledger, dataset, adopted)
            plan.existing[dataset.name] = existing
            plan.foreign += existing.foreign
            _plan_runs(plan, root, existing, selection)
    plan.unreadable = unreadable_of(root, plan.damaged)
    return plan


def _plan_dataset(
    plan: Plan,
    existing: Existing,
    wanted: Mapping[date, list[Landed]],
    selection: Selection,
    breaks: Breaks,
) -> None:
    """Plan the days that are `wanted`, and say what else lies there."""
    dataset = existing.dataset
    for day, path in existing.paths.items():
        file = existing.found.get(path)
        if day in wanted:
            # Nothing says that the landing holds all that stood in it.
            if file is None and path not in existing.ledgered:
                plan.damaged.append(path)
            continue
        if file is None:
            plan.damaged.append(path)
            continue
        plan.published[path] = file
        if file.metadata.get("model_fingerprint") != dataset.model_fingerprint:
            plan.outdated.append(path)
    left_alone = {file.path for file in existing.foreign}
    for day, inputs in wanted.items():
        path = dataset.file(day)
        if path in left_alone:
            continue
        file = existing.found.get(path)
        if file:
            plan.published[path] = file
        if selection.covers(day):
            exists = path in existing.found
            before = file or (existing.ledgered.get(path) if exists else None)
            at = _Day(dataset, day, inputs, exists, file, before)
            _plan_day(plan, at, breaks, selection.force)


# Some datasets, as landed_counts, are published only along with others. These are
# reasons to publish a day of one all the same.
ALONE = ("missing", "damaged", "forced")


def _leave_alone(plan: Plan, datasets: Mapping[str, Dataset]) -> None:
    """Let datasets that are published only along with others wait, where a plan has
    no others."""
    if all(datasets[target.dataset].only_with_others for target in plan.stale):
        left = [target for target in plan.stale if target.reason not in ALONE]
        plan.stale = [target for target in plan.stale if target.reason in ALONE]
        plan.current += [(target.dataset, target.day, target.path) for target in left]
        plan.waiting = left


def take_along(plan: Plan, root: Root, selection: Selection) -> None:
    """Plan those that wait and the days of runs, because marts are to be published:
    these count as others."""
    left = {target.path for target in plan.waiting}
    runs = {n for n, e in plan.existing.items() if RUNS in e.dataset.sources}
    plan.current = [
        (name, day, path)
        for name, day, path in plan.current
        if path not in left and name not in runs
    ]
    plan.stale = [target for target in plan.stale if target.dataset not in runs]
    plan.stale += plan.waiting
    plan.waiting = []
    for name in runs:
        _plan_runs(plan, root, plan.existing[name], selection, is_alone=False)
    plan.damaged = list(dict.fromkeys(plan.damaged))


def _plan_runs(
    plan: Plan,
    root: Root,
    existing: Existing,
    selection: Selection,
    is_alone: bool = True,
) -> None:
    """Plan the days of runs, where something else is to be published.

    A day is over once a later one is published: while all is as it was left,
    nothing older is looked at.
    """
    dataset = existing.dataset
    is_whole = all(existing.found.values())
    runs: Mapping[date, list[Landed]] = {}
    if plan.stale or not is_alone or selection.force or not is_whole:
        runs = landed_runs(root, existing.unsure_since(selection.force))
    for day, path in existing.paths.items():
        file = existing.found.get(path)
        if day in runs:
            continue
        if file is None:
            plan.damaged.append(path)
            continue
        plan.published[path] = file
        if selection.covers(day):
            plan.current.append((dataset.name, day, path))
    others = {day: path for day, path in existing.paths.items() if day in runs}
    _plan_dataset(plan, replace(existing, paths=others), runs, selection, {})


class _Day(NamedTuple):
    """A landed day of a dataset and its file, where it `exists` and is whole.

    `before` is what is known of the file, whole or not.
    """

    dataset: Dataset
    day: date
    inputs: list[Landed]
    exists: bool
    file: PublishedFile | None
    before: PublishedFile | None


def _plan_day(plan: Plan, at: _Day, breaks: Breaks, is_forced: bool) -> None:
    path = at.dataset.file(at.day)
    content = content_of(at.dataset, at.inputs)
    reason = _why_stale(at, content)
    loss = Loss()
    if reason and at.before and not is_forced:
        loss = find_loss(at.dataset, at.day, at.inputs, content, at.before, breaks)
    kept: list[str] = []
    note = ""
    if loss and at.file:
        before = read_content(at.file.metadata)
        is_news = bool(_why_stale(at, before | content))
        keeps_rows = can_keep_rows(at.dataset, at.file, content, loss)
        if keeps_rows:
            kept, content = with_kept_inputs(at.dataset, before, content, loss)
        if keeps_rows and is_news:
            note = kept_note(at.file, kept)
            reason = _why_stale(at, content)
        else:  # it stays as it is
            reason = ""
        if kept or not reason:
            plan.shrunken.append(Shrunken(path, loss, tuple(kept)))
    elif loss.fewer:
        plan.shrunken.append(Shrunken(path, loss))
        if path not in plan.damaged:
            plan.damaged.append(path)
    if is_forced and not reason:
        reason = "forced"
    if reason:
        metadata = footer_of(at.dataset, at.day, content)
        if note:
            metadata["kept"] = note
        keeps_missing = bool(note) and bool(loss.names.difference(kept))
        target = Target(
            at.dataset.name, at.day, path, metadata, reason, tuple(kept), keeps_missing
        )
        plan.stale.append(target)
    else:
        plan.current.append((at.dataset.name, at.day, path))


def _why_stale(at: _Day, content: Content) -> str:
    reason = why_stale(at.dataset, at.exists, at.file)
    if reason or at.file is None:
        return reason
    made = at.file.metadata
    records = records_of(content) + sum(kept_rows(made).values())
    if made.get("source_fingerprint") != fingerprint_of(content) or made.get(
        "landed_records"
    ) != str(records):
        return "landed content changed"
    return ""


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
