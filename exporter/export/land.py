"""The landing step alone, with what another program left at our paths."""

from __future__ import annotations

from collections.abc import Callable

from exporter.contracts.kept import load_tables
from exporter.publish.ledger import Ledger
from exporter.publish.legacy import find_foreign, forget_adopted, to_adopt
from ingest.listing import NO_INPUT
from ingest.loaders.context import LandingReport, ReadInput
from ingest.one_pass import Progress
from ingest.root import Root
from ingest.run import land
from ingest.store.landed_days import landed_days


def land_everything(
    root: Root,
    ledger: Ledger,
    *,
    historical: bool,
    dry_run: bool,
    say: Callable[[ReadInput], None],
    progress: Progress,
) -> LandingReport:
    """Land what is new; see `ingest.run.land`."""
    datasets, _ = load_tables()
    foreign = find_foreign(root, ledger, datasets, again=historical)
    report = land(
        root, ledger, historical=historical, dry_run=dry_run,
        legacy=to_adopt(foreign), say=say, progress=progress,
    )  # fmt: skip
    # Only reconciling the landing tells what of it is lost.
    lost = [] if dry_run else find_foreign(root, ledger, datasets)
    if lost:
        report.add(land(root, ledger, legacy=to_adopt(lost), say=say))
    forget_adopted(ledger, foreign)
    if not landed_days(ledger):
        report.warnings.append(NO_INPUT)
    return report
