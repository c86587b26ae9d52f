"""Checks every published file against its contract, without starting dbt.

A landed day without its file is an error, and so is a root that holds nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date

import duckdb

from exporter.contracts.datasets import Dataset, day_in
from exporter.contracts.marts import Mart
from exporter.publish.existing import named_paths
from exporter.publish.landed import landed_per_day, read_content
from exporter.publish.ledger import Ledger, PublishedFile, open_ledger
from exporter.publish.losses import keeps_sources, kept_rows
from exporter.publish.mart_plan import Day, Files, World, mart_days
from exporter.publish.published import published_days
from exporter.reporting.thresholds import MB, Thresholds
from exporter.runtime.errors import describe
from exporter.runtime.lock import find_running
from exporter.runtime.present import Present
from exporter.verify.table_files import Checked, Validation, check_table
from ingest import advice
from ingest.loaders.legacy import SOURCE as LEGACY
from ingest.root import Root
from ingest.store.landed_days import landed_days
from ingest.store.parts import scan_landing
from ingest.store.reconcile import check_manifest, odd_names, unsound_parts


def validate(
    root: Root,
    datasets: Mapping[str, Dataset],
    marts: Mapping[str, Mart],
    day: date | None = None,
) -> Validation:
    """Check all published files, or those of one day, and all of the landing.

    Readable, of the contract's columns and types, snappy, and as many rows
    and rejects as were landed. Writes nothing. Raises BadPresent.
    """
    result = Validation()
    if running := find_running(root):
        result.warnings.append(
            f"a run is in progress: {running}; what it has not made yet is missing"
        )
    try:
        ledger = open_ledger(root, dry_run=True)
    except OSError as error:
        result.errors.append(describe(error))
        return result
    listed = {
        name: {path: d for d, path in published_days(root, dataset)}
        for name, dataset in datasets.items()
    }
    found = {
        name: {path: d for path, d in its_files.items() if day in (None, d)}
        for name, its_files in listed.items()
    }
    with duckdb.connect() as db:
        at = Checked(db, root, ledger, result)
        footers: dict[str, PublishedFile] = {}
        for name, dataset in datasets.items():
            footers |= check_table(at, dataset, found[name])
        _check_presence(at, datasets, found, day)
        footers |= _check_marts(at, listed, marts, day)
        _check_counts(root, ledger, datasets, found, footers, result)
    _check_state(root, ledger, result)
    result.files = len(footers)
    result.rows = sum(footer.row_count for footer in footers.values())
    result.bytes = sum(footer.bytes for footer in footers.values())
    limit = Thresholds.from_environment(os.environ).max_day_mb
    for path, footer in footers.items():
        if footer.bytes > limit * MB:
            result.warnings.append(
                f"{path}: {footer.bytes / MB:.1f} MB, more than {limit:g} MB for a day"
            )
    return result


def _check_state(root: Root, ledger: Ledger, result: Validation) -> None:
    """Check what lies below `state`, of whatever day it is."""
    shown = root.relative(root.state / "ledger.sqlite")
    if ledger.was_damaged:
        result.errors.append(advice.run(f"{shown}: damaged", root, "export"))
    elif ledger.is_new:
        if root.landing.is_dir():
            result.errors.append(advice.run(f"{shown}: missing", root, "export"))
        return
    else:
        landed = scan_landing(root.landing)
        result.errors += [
            advice.run(part.problem, root, "export", "--historical")
            for part in unsound_parts(root, ledger, found=landed)
        ]
        result.warnings += odd_names(root, landed)
        errors, warnings = check_manifest(root, ledger)
        result.errors += [advice.run(error, root, "export") for error in errors]
        result.warnings += warnings


def _check_marts(
    at: Checked,
    listed: Mapping[str, Mapping[str, date]],
    marts: Mapping[str, Mart],
    only: date | None,
) -> dict[str, PublishedFile]:
    """Check the files of the marts, and that each is there that should be; `listed`
    are those of the datasets."""
    footers: dict[str, PublishedFile] = {}
    known = at.ledger.published()
    files: dict[str, Files] = {
        name: {day: known.get(path) for path, day in its_files.items()}
        for name, its_files in listed.items()
    }
    for name, mart in marts.items():
        files[name] = {
            day: known.get(path)
            for day, path in named_paths(at.root, mart)
            # Those of days were found there.
            if day or os.path.lexists(at.root.path / path)
        }
    world = World(files, {}, "", Present.now())
    for name, mart in marts.items():
        days = {mart.file(day): day for day in files[name] if only in (None, day)}
        footers |= check_table(at, mart, days)
        if at.result.is_empty:
            continue  # then no run has been here
        wanted = [day for day in mart_days(mart, world) if only in (None, day)]
        _say_missing(at, name, wanted, files[name], "files are not there")
    return footers


def _say_missing(
    at: Checked, name: str, wanted: Collection[Day], there: Collection[Day], said: str
) -> None:
    missing = [day for day in wanted if day not in there]
    at.result.missing += len(missing)
    if missing:
        said = f"{name}: {len(missing):,} of {len(wanted):,} {said}"
        if missing[0]:
            said += f", such as {missing[0]}"
        at.result.errors.append(advice.run(said, at.root, "export"))


def _check_presence(
    at: Checked,
    datasets: Mapping[str, Dataset],
    found: Mapping[str, Mapping[str, date]],
    only: date | None,
) -> None:
    """Landed days without a file, and nothing at all."""
    root, ledger, result = at.root, at.ledger, at.result
    landed: dict[str, set[date]] = {}
    for source, day in {(row.source, row.day) for row in landed_days(ledger)}:
        landed.setdefault(source, set()).add(date.fromisoformat(day))
    for name, dataset in datasets.items():
        fed = set().union(*(landed.get(source, ()) for source in dataset.sources))
        wanted = fed if only is None else fed & {only}
        there = {*found[name].values()}
        _say_missing(at, name, sorted(wanted), there, "landed days have no file")
    result.is_empty = not result.missing and not any(found.values())
    if result.is_empty:
        where = f"of {only}" if only else f"below {root.path}"
        said = f"nothing to validate: nothing is landed or published {where}"
        if root.looks_wrong:
            said = f"{said}; {advice.wrong_root(root)}, or make it one"
            result.errors.append(f"{said}{advice.RUN}{advice.make_root(root)}")
        else:
            result.errors.append(advice.run(said, root, "export"))


def _check_counts(
    root: Root,
    ledger: Ledger,
    datasets: Mapping[str, Dataset],
    found: Mapping[str, Mapping[str, date]],
    footers: Mapping[str, PublishedFile],
    result: Validation,
) -> None:
    """Rows and rejects of a file against the records it was made from."""
    if ledger.is_new:
        return
    rejects: Counter[tuple[str, str]] = Counter()
    for on_day, dataset, _, records in ledger.rejects():
        rejects[dataset, on_day] += records
    taken_over = {day_in(p) for p, file in footers.items() if "kept" in file.metadata}
    for path, day in found.get("rejected_records", {}).items():
        # What is kept of records that are landed no more is in no file's count.
        if footer := footers.get(path):
            for of, rows in kept_rows(footer.metadata).items():
                rejects[of, day.isoformat()] -= rows
    landed = landed_per_day(ledger, datasets)
    for name, paths in found.items():
        if datasets[name].tells_of_others:
            continue  # its rows are no records that were landed for it
        for path, day in paths.items():
            footer = footers.get(path)
            if footer is None or keeps_sources(footer.metadata):
                continue  # of what is landed of those, rejects were counted
            made_from = int(footer.metadata.get("landed_records", 0))
            told = footer.row_count + rejects[name, day.isoformat()]
            # Another program's rows yield to those that are read from Markdown, and
            # a heartbeat in Markdown to kept rows of its twin.
            exact = not (
                datasets[name].collapses
                or LEGACY in read_content(footer.metadata)
                or kept_rows(footer.metadata)
            )
            if told > made_from or (exact and told < made_from):
                said = (
                    f"{path}: {footer.row_count:,} rows and "
                    f"{told - footer.row_count:,} rejects, but {made_from:,} records "
                    "were landed"
                )
                if day.isoformat() in taken_over:
                    # --force would drop what the landing has lost.
                    said += ", and rows are kept: put a backup of the landing back"
                    result.errors.append(advice.run(said, root, "export"))
                else:
                    result.errors.append(advice.run(said, root, "export", "--force"))
            now = landed.get((name, day))
            if now is not None and now < made_from:
                result.warnings.append(
                    f"{path}: made from {made_from:,} records, but the landing holds "
                    f"{now:,} now"
                )
