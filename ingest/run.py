"""Land everything new, and begin again where a part shows that it has changed."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path

from ingest.inputs import utc_now
from ingest.loaders.context import Context, LandingReport, ReadInput
from ingest.loaders.legacy import LegacyFile, LegacyLoader
from ingest.loaders.mask_again import mask_again
from ingest.one_pass import OnePass, Progress
from ingest.parsers import MASKS, masks_fingerprint, masks_of
from ingest.root import Root
from ingest.store.landed_days import write_manifest
from ingest.store.landing import Landing, RottenPart
from ingest.store.ledger import Ledger
from ingest.store.reconcile import reconcile
from ingest.text.clean import clean


@contextlib.contextmanager
def no_progress(_label: str, _total: int) -> Iterator[Callable[[int], None]]:
    """For callers that show none."""
    yield _nothing


def _nothing(_: object) -> None:
    """Neither say a line nor move a bar."""


def land(
    root: Root,
    ledger: Ledger,
    *,
    historical: bool = False,
    thoroughly: bool = False,
    dry_run: bool = False,
    forces: Callable[[str, str], bool] | None = None,
    now: datetime | None = None,
    legacy: Collection[LegacyFile] = (),
    say: Callable[[ReadInput], None] = _nothing,
    progress: Progress = no_progress,
) -> LandingReport:
    """Read what is new under a root into its landing.

    `historical` looks at every input again, every bundle included; it and
    `thoroughly` read every byte of the landing first. `forces` says of a dataset
    and day whether the newest content counts there though it holds less than an
    older one. `legacy` are files of another program to adopt. `say` is told what
    was parsed; `now` stands for the clock's time.
    Bad input becomes rejects, warnings or errors in the report; OSError is raised
    only where the landing cannot be read or written.
    """
    own = root.settings / MASKS.name
    masks = masks_of(root)
    masked_by = masks_fingerprint(masks.own)
    clock = utc_now if now is None else lambda: now
    thoroughly = thoroughly or historical
    found: list[str] = []
    for tries_left in (2, 1, 0):
        report = LandingReport()
        with contextlib.ExitStack() as stack:
            staging = stack.enter_context(_staging(root, dry_run))
            landing = Landing(root, ledger, dry_run, staging, masked_by)
            stack.callback(landing.close)
            context = Context(
                landing, masks, clock, clock(), report, say, forces or _never
            )
            found += reconcile(landing, thoroughly)
            landing.commit()
            try:
                mask_again(context)
                one_pass = OnePass(root, context, historical, progress)
                one_pass.run()
                if legacy:
                    LegacyLoader(context).adopt_all(legacy)
                if forces:
                    for loader in one_pass.loaders.values():
                        loader.choose_newest()
            except RottenPart as rotten:
                if not tries_left:
                    raise OSError(
                        errno.EIO, "reads another way each time", str(rotten.path)
                    ) from rotten
                # As after a kill: what is not committed is read once more. Where
                # one part has changed unseen, no other is taken for whole.
                ledger.roll_back()
                thoroughly = True
                continue
            landing.commit()
            write_manifest(landing)
            break
    if ledger.was_damaged:
        found.append("the ledger was damaged: it is made again from the landing")
    report.errors += [
        f"{root.relative(own)}: {problem}: mend it; until then it masks nothing"
        for problem in masks.problems
    ]
    # Names of files and folders can quote secrets, too.
    told = dict.fromkeys([*found, *report.warnings])
    report.warnings = [masks.text(clean(text)) for text in told]
    report.errors = [masks.text(clean(text)) for text in report.errors]
    report.ignored = {
        what: [masks.text(clean(path)) for path in paths]
        for what, paths in report.ignored.items()
    }
    return report


def _never(_dataset: str, _day: str) -> bool:
    """Force nothing."""
    return False


@contextlib.contextmanager
def _staging(root: Root, dry_run: bool) -> Iterator[Path]:
    """Where files are made: in a dry run not below the root."""
    if not dry_run:
        yield root.staging
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
