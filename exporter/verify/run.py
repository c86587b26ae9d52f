"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from exporter.contracts.datasets import Dataset
from exporter.export.run import Options, export
from exporter.publish.published import published_days
from exporter.reporting.history import last_run
from exporter.reporting.results import OK
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from exporter.verify import freshness, installation, outputs
from exporter.verify.checks import (
    COMPONENT,
    FAIL,
    PENDING,
    TEST,
    Check,
    passed,
)
from exporter.verify.settings import check_settings
from ingest import advice
from ingest.root import Root

AWAITED = "awaiting first run"
# As long as the wrapper waits and runs.
WAIT_S, TIMEOUT_S = 600, 600


def run_checks(
    root: Root, datasets: Mapping[str, Dataset], now: datetime
) -> Iterator[Check]:
    """Look at everything.

    Before the first run ever, what is not there is not wrong: it is awaited.
    """
    yield from _check_root(root)
    yield installation.check_machine(root)
    is_fresh = last_run(root) is None and not any(
        True for dataset in datasets.values() for _ in published_days(root, dataset)
    )
    export = advice.command(root, "export")
    for check in _all_checks(root, datasets, now):
        if root.looks_wrong and check.mend == export:
            # It would refuse to.
            check = replace(check, mend=advice.make_root(root))
        if is_fresh and check.status == FAIL:
            yield replace(check, status=PENDING, actual=f"{AWAITED} ({check.actual})")
        else:
            yield check


def _check_root(root: Root) -> Iterator[Check]:
    if root.looks_wrong:
        said = "has neither g nor knowledge/optimize in it"
        mend = advice.make_root(root)
        yield Check(COMPONENT, "Root", "holds the reports", said, FAIL, mend)


def _all_checks(
    root: Root, datasets: Mapping[str, Dataset], now: datetime
) -> Iterator[Check]:
    yield from installation.check_agents(root)
    yield installation.check_plists(root)
    yield installation.check_version()
    yield installation.check_wrapper()
    yield from installation.check_folders(root)
    yield installation.check_log(root, now)
    yield installation.check_notices(root)
    yield check_settings(root)
    yield from outputs.check_last_run(root)
    yield freshness.check_success(root, now)
    yield from freshness.check_heartbeats(root, datasets, now)
    yield from freshness.check_sources(root, now)
    yield freshness.check_rotation(root, now)
    yield from outputs.check_dry_run(root, datasets, now)
    yield from outputs.check_files(root, datasets)
    yield from outputs.check_reading(root, datasets)
    yield outputs.check_query(root, datasets)
    yield outputs.check_storage(root)


def trigger_export(root: Root) -> Check:
    """A run like those of the night, and how it went."""
    if root.looks_wrong:
        said, mend = "refused: the root looks wrong", advice.make_root(root)
        return Check(TEST, "Triggered export", OK, said, FAIL, mend)
    options = Options(wait_s=WAIT_S, timeout_s=TIMEOUT_S)
    with stoppable(TIMEOUT_S) as stopper:
        try:
            result = export(root, options, Screen(quiet=True), stopper)
            written = len(result.with_status("exported"))
            actual, is_well = f"{result.status}, {written:,} files", result.status == OK
        except Stopped as stopped:
            if stopped.code > 1:
                raise
            actual, is_well = stopped.reason, False
        except Locked as locked:
            actual, is_well = str(locked), False
        except OSError as error:
            actual, is_well = redact(describe(error)), False
    return Check(
        TEST, "Triggered export", OK, actual, passed(is_well),
        "" if is_well else advice.command(root, "export"),
    )  # fmt: skip
