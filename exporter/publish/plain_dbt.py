"""What a dbt does that was started by itself: what a command else does before."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping

from exporter.contracts.datasets import Dataset
from exporter.contracts.marts import Mart
from exporter.publish.code_changes import CodeStats
from exporter.publish.ledger import open_ledger
from exporter.publish.mart_work import MartWork
from exporter.publish.plan import Selection, set_aside_damaged
from exporter.publish.stale_days import plan_days
from exporter.publish.work import Work
from exporter.runtime.lock import hold_lock
from exporter.runtime.machine import record_machine
from ingest import files
from ingest.root import Root
from ingest.store.landed_days import write_manifest
from ingest.store.landing import Landing
from ingest.store.reconcile import reconcile, unsound_parts


def show_only(
    root: Root,
    datasets: Mapping[str, Dataset],
    marts: Mapping[str, Mart],
    code: CodeStats,
) -> Work:
    """Nothing to publish: all that is landed and published is only shown.

    Raises BadMachine, BadPresent.
    """
    work = MartWork.none(root, marts)
    return Work(root, open_ledger(root, dry_run=True), datasets, code, [], work)


def plan_all(
    root: Root,
    datasets: Mapping[str, Dataset],
    marts: Mapping[str, Mart],
    code: CodeStats,
    warn: Callable[[str], None],
) -> Work:
    """All that is stale, to be published under the lock, which this process keeps.

    Raises Locked, BadMachine, BadPresent, OSError.
    """
    hold_lock(root, "dbt")
    record_machine(root)
    # Of a run that was killed, and at its end of this one.
    files.remove_tree(root.staging)
    atexit.register(files.remove_tree, root.staging)
    is_nothing_landed = not root.landing.is_dir()
    ledger = open_ledger(root, dry_run=is_nothing_landed)
    landing = Landing(root, ledger, dry_run=is_nothing_landed)
    try:
        # What the ledger says of the landing may not be so any more.
        warnings = reconcile(landing)
        landing.commit()
        write_manifest(landing)
        plan = plan_days(root, ledger, datasets, Selection())
        stale = {target.day.isoformat() for target in plan.stale}
        if unsound := unsound_parts(root, ledger, stale):
            # Only its bytes say so. Its inputs are not read again here, so
            # that what it fed is left to the next export.
            warnings += reconcile(landing, thoroughly=True)
            landing.commit()
            write_manifest(landing)
            plan = plan_days(root, ledger, datasets, Selection())
            lost = {(part.source, part.day) for part in unsound}
            plan.stale = [
                target
                for target in plan.stale
                if lost.isdisjoint(
                    (source, target.day.isoformat())
                    for source in datasets[target.dataset].sources
                )
            ]
        work = MartWork.begin(root, ledger, datasets, marts, Selection(), plan)
        set_aside_damaged(root, ledger, plan)
    finally:
        landing.close()
    for warning in (*warnings, *plan.warnings(root)):
        warn(warning)
    ledger.commit()
    return Work(root, ledger, datasets, code, plan.stale, work)
