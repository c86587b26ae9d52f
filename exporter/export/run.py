"""One run: land what is new, find the stale days, let dbt publish them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import date

from exporter.contracts.datasets import ALWAYS, choose, load_datasets
from exporter.export.finish import begin, conclude, tell
from exporter.notify.notices import announce
from exporter.publish.ledger import open_ledger
from exporter.publish.masked_files import mask_published
from exporter.publish.plan import (
    Plan,
    Selection,
    Target,
    plan_days,
    published_on,
    set_aside_damaged,
)
from exporter.publish.request import Request
from exporter.publish.untested import forget_untested, untested_days
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from exporter.runtime.redact import redact
from exporter.runtime.stop import INTERRUPTED, Stopped, Stopper
from ingest import advice, files
from ingest.inputs import PLACES, utc_now
from ingest.loaders.context import LandingReport
from ingest.parsers import masks_fingerprint, masks_of
from ingest.root import Root
from ingest.run import land
from ingest.store.landing import landed_days
from ingest.store.reconcile import unsound_parts


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    selection: Selection = field(default_factory=Selection)
    historical: bool = False
    dry_run: bool = False
    wait_s: float = 0
    timeout_s: float | None = None


def export(root: Root, options: Options, screen: Screen, stopper: Stopper) -> RunResult:
    """Do one run and leave its summary, log lines and record.

    Raises Locked when another run holds the lock, and Stopped, after cleaning
    up, when this one was stopped.
    """
    result = RunResult(
        started=utc_now(),
        dry_run=options.dry_run,
        is_limited=options.selection.is_limited,
    )
    begun = time.monotonic()
    run: _Run | None = None
    if not options.dry_run:
        _take_lock(root, options, result, screen)
    try:
        if not options.dry_run:
            files.remove_tree(root.staging)
            begin(screen)
        run = _Run(root, options, screen, stopper, result)
        run.land()
        run.publish()
    except Stopped as stopped:
        result.stopped = stopped.reason
        result.by_hand = stopped.code == INTERRUPTED
        result.errors.append(stopped.reason)
        raise
    except OSError as error:
        result.errors.append(describe(error))
        screen.fail(result.errors[-1])
    except Exception as error:  # a defect: told like any failure, then shown
        result.errors.append(f"crashed: {type(error).__name__}: {error}")
        raise
    finally:
        stopper.rest()
        if run is not None:
            run.ledger.give_up()  # or nobody else could look into it
        result.duration_s = time.monotonic() - begun
        if not options.dry_run:
            files.remove_tree(root.staging)
            try:
                unkept = conclude(root, result, screen)
            finally:
                give_back_lock(root)
            tell(root, result, screen, unkept)
    if not options.dry_run:
        screen.finish(result)
    return result


def _take_lock(root: Root, options: Options, result: RunResult, screen: Screen) -> None:
    """Take the lock; that a run could not even begin is told as well."""
    try:
        hold_lock(root, "ops-atomic export", options.wait_s)
    except (Locked, Stopped, OSError) as error:
        # By hand and without waiting, a lock is no failure.
        if options.wait_s or not isinstance(error, Locked):
            said = describe(error) if isinstance(error, OSError) else str(error)
            result.errors.append(redact(said))
            result.by_hand = getattr(error, "code", 0) == INTERRUPTED
            tell(root, result, screen, announce(root, result))
        raise


class _Run:
    """The state of one run while it goes on."""

    def __init__(
        self,
        root: Root,
        options: Options,
        screen: Screen,
        stopper: Stopper,
        result: RunResult,
    ) -> None:
        self.root = root
        self.options = options
        self.screen = screen
        self.stopper = stopper
        self.result = result
        self.ledger = open_ledger(root, options.dry_run)
        self.datasets = load_datasets()

    def land(self, thoroughly: bool = False) -> None:
        selection = self.options.selection
        report: LandingReport = land(
            self.root,
            self.ledger,
            historical=self.options.historical,
            thoroughly=thoroughly,
            dry_run=self.options.dry_run,
            forces=selection.forces if selection.force else None,
            say=self.screen.parsed,
            progress=self.screen.progress,
        )
        self.result.landed_records += report.records
        self.result.warnings += report.warnings
        self.result.errors += report.errors
        for warning in report.warnings:
            self.screen.warn(warning)
        for error in report.errors:
            self.screen.fail(error)

    def publish(self) -> None:
        selection = self.options.selection
        chosen = choose(self.datasets, selection.datasets)
        plan = plan_days(self.root, self.ledger, chosen, selection)
        if self._mask_published(plan):
            plan = plan_days(self.root, self.ledger, chosen, selection)
        stale = {target.day.isoformat() for target in plan.stale}
        if unsound_parts(self.root, self.ledger, stale):
            # Nothing says so but its bytes: nothing is made from it.
            self.land(thoroughly=True)
            plan = plan_days(self.root, self.ledger, chosen, selection)
        self._say_what_is_missing(plan)
        self._say_what_is_odd(plan)
        self._skip(plan)
        if self.options.dry_run:
            self.screen.dry_run([self._file(t, "would_export") for t in plan.stale])
            self.result.files += [self._file(t, "would_export") for t in plan.stale]
            self.ledger.close()
            return
        set_aside_damaged(self.root, self.ledger, plan)
        untested = untested_days(
            self.root,
            {date.fromisoformat(row.day) for row in landed_days(self.ledger)},
        )
        if not plan.stale and not untested:
            self.ledger.close()
            return
        # All that was made of a day that no run has tested well is tested again.
        datasets = {target.dataset for target in plan.stale}
        models = sorted(self.datasets if untested else datasets)
        request = self._request(plan, untested)
        self.ledger.close()
        self._build(request, models, plan)

    def _mask_published(self, plan: Plan) -> bool:
        """Mask files that the landing does not make again; whether any changed."""
        if self.options.dry_run or self.options.selection != Selection():
            return False  # the plan is of all days only where all were asked for
        masks = masks_of(self.root)
        masked_by = masks_fingerprint(masks.own)
        changed = mask_published(self.root, self.ledger, plan, masks, masked_by)
        if changed:
            self.screen.note(
                f"Masks changed: {len(changed)} file(s) that are not in the landing "
                "were masked again"
            )
        return bool(changed)

    def _say_what_is_missing(self, plan: Plan) -> None:
        if not landed_days(self.ledger):
            places = "; ".join(f"{kind} in {where}" for kind, where in PLACES.items())
            self._warn(f"no input was found; looked for {places}")
            return
        day = self.options.selection.since
        is_one_day = day is not None and day == self.options.selection.until
        if is_one_day and not plan.stale and not plan.current:
            self._warn(f"{day}: nothing has been landed of this day")

    def _say_what_is_odd(self, plan: Plan) -> None:
        for warning in plan.warnings(self.root):
            self._warn(warning)
        remade = [t for t in plan.stale if t.reason == "schema changed"]
        if remade:
            days = sorted({t.day for t in remade})
            self.screen.note(
                f"Schema changed: making {len(remade)} file(s) again, "
                f"{days[0]} to {days[-1]}"
            )

    def _warn(self, text: str) -> None:
        self.result.warnings.append(text)
        self.screen.warn(text)

    def _skip(self, plan: Plan) -> None:
        sizes = self._source_bytes()
        rejects = self._reject_counts()
        skipped = []
        for dataset, day, path in plan.current:
            file = plan.published[path]
            skipped.append(
                FileResult(
                    dataset,
                    day.isoformat(),
                    path,
                    "skipped",
                    file.row_count,
                    rejects.get((dataset, day.isoformat()), 0),
                    sizes.get((dataset, day.isoformat()), 0),
                    file.bytes,
                )
            )
        self.result.files += skipped
        self.screen.skipped(skipped)

    def _file(self, target: Target, status: str) -> FileResult:
        return FileResult(
            target.dataset, target.day.isoformat(), target.path, status,
            source_bytes=self._source_bytes().get(
                (target.dataset, target.day.isoformat()), 0
            ),
            reason=target.reason,
        )  # fmt: skip

    def _source_bytes(self) -> dict[tuple[str, str], int]:
        """Bytes of input per dataset and day."""
        if not hasattr(self, "_sizes"):
            by_source: dict[tuple[str, str], int] = {}
            for row in landed_days(self.ledger):
                by_source[row.source, row.day] = row.source_bytes
            self._sizes: dict[tuple[str, str], int] = {}
            for (source, day), size in by_source.items():
                for name, dataset in self.datasets.items():
                    # Rejects and drift are no copy of what they come from.
                    if source in dataset.sources and name not in ALWAYS:
                        key = (name, day)
                        self._sizes[key] = self._sizes.get(key, 0) + size
        return self._sizes

    def _reject_counts(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        for day, dataset, _, records in self.ledger.rejects():
            counts[dataset, day] = counts.get((dataset, day), 0) + records
        return counts

    def _request(self, plan: Plan, untested: set[date]) -> Request:
        """What dbt is asked for, left where it finds it."""
        folder = self.root.staging / f"run-{os.getpid()}"
        files.make_private_folder(folder)
        days = untested.union(target.day for target in plan.stale)
        named = {str(day) for day in days}
        landed = [part[:3] for part in self.ledger.part_stats() if part[1] in named]
        lying = published_on(self.root, self.ledger, self.datasets, days)
        Request(folder, plan.stale, landed, lying).write()
        return Request(folder)

    def _build(self, request: Request, models: list[str], plan: Plan) -> None:
        from exporter.publish.dbt_run import build

        outcome = build(self.root, models, self.stopper)
        if not outcome.errors:
            forget_untested(self.root)
        self._collect(request, plan)
        for name, message in outcome.errors:
            if name not in self.failed_datasets:
                self._fail(f"{name}: {message}")
        for name, found in outcome.tests.items():
            self.result.findings[f"test:{name}"] = found
        if self._left_out and not self.result.errors:
            # dbt has left something out, and gives no reason.
            said = f"{len(self._left_out):,} file(s) were not published, such as "
            self._fail(advice.run(said + self._left_out[0], self.root, "export"))

    def _collect(self, request: Request, plan: Plan) -> None:
        """Take over what dbt noted, file by file."""
        targets = {target.path: target for target in plan.stale}
        self.failed_datasets: set[str] = set()
        self.ledger = open_ledger(self.root, dry_run=False)
        rejects = self._reject_counts()
        for done in request.records():
            if "failed" in done:
                target = targets.pop(done["path"], None)
                self.failed_datasets.add(done["dataset"])
                if target:
                    self.result.files.append(self._file(target, "failed"))
                self._fail(f"{done['path']}: not published: {done['failed']}")
                continue
            target = targets.pop(done["path"], None)
            if target is None:
                continue
            for warning in done["warnings"]:
                self._warn(warning)
            file = self._file(target, "exported")
            file.rows, file.parquet_bytes = done["rows"], done["parquet_bytes"]
            file.rejected_rows = rejects.get((file.dataset, file.day), 0)
            self.result.files.append(file)
        for target in targets.values():
            self.result.files.append(self._file(target, "failed"))
        self._left_out = sorted(targets)
        self.screen.exported(self.result.with_status("exported"), utc_now().date())
        self.ledger.close()

    def _fail(self, text: str) -> None:
        self.result.errors.append(text)
        self.screen.fail(text)
