"""One run: land what is new, find the stale days, let dbt publish them."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from exporter.contracts.datasets import BrokenContract, choose
from exporter.contracts.kept import load_tables
from exporter.export.file_results import FileResults
from exporter.export.finish import begin, conclude, tell
from exporter.notify.notices import announce
from exporter.publish.code_changes import code_stats
from exporter.publish.ledger import open_ledger
from exporter.publish.legacy import (
    Foreign,
    find_foreign,
    forget_adopted,
    to_adopt,
)
from exporter.publish.mart_work import MartWork
from exporter.publish.masked_files import mask_published
from exporter.publish.plan import Plan, Selection, Target, set_aside_damaged
from exporter.publish.stale_days import plan_days
from exporter.publish.untested import forget_untested, untested_days
from exporter.publish.work import Work
from exporter.reporting.ignored import counted, named, unread_lines
from exporter.reporting.results import RunResult
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from exporter.runtime.machine import record_machine
from exporter.runtime.present import VARIABLE as AS_OF
from exporter.runtime.present import Present
from exporter.runtime.redact import redact
from exporter.runtime.stop import INTERRUPTED, Stopped, Stopper
from ingest import advice, files
from ingest.inputs import utc_now
from ingest.listing import NO_INPUT
from ingest.loaders.context import LandingReport
from ingest.parsers import masks_fingerprint, masks_of
from ingest.root import Root
from ingest.run import land
from ingest.store.landed_days import landed_days
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
            record_machine(root)
            begin(screen)
        with screen.progress("Looking for what is new"):
            run = _Run(root, options, screen, stopper, result)
            run.land_everything()
            run.publish()
            run.say_what_is_not_read()
            run.ledger.commit()
        result.is_whole = not result.is_limited
    except Stopped as stopped:
        result.stopped, result.stop_code = stopped.reason, stopped.code
        result.by_hand = stopped.code == INTERRUPTED
        screen.problems(root, result)  # all but the last, which the caller says
        result.errors.append(stopped.reason)
        raise
    except (OSError, BrokenContract) as error:
        result.errors.append(describe(error))
    except Exception as error:  # a defect: told like any failure, then shown
        screen.problems(root, result)
        result.errors.append(f"crashed: {type(error).__name__}: {error}")
        raise
    finally:
        stopper.rest()
        result.duration_s = time.monotonic() - begun
        if not options.dry_run:
            files.remove_tree(root.staging)
            try:
                with screen.progress("Writing down how it went"):
                    unkept = conclude(root, result, screen, run.ledger if run else None)
            finally:
                give_back_lock(root)
            tell(root, result, screen, unkept)
        if run is not None:
            run.ledger.give_up()
    screen.finish(root, result, run.datasets_along if run else ())
    return result


def _take_lock(root: Root, options: Options, result: RunResult, screen: Screen) -> None:
    """Take the lock; that a run could not even begin is told as well."""
    try:
        with screen.progress("Waiting for another run to end"):
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
        self.code = code_stats()
        # Files of another program that a dry run would adopt.
        self.adopted: set[str] = set()
        self.datasets, self.marts = load_tables()
        self.files = FileResults(
            root, self.ledger, self.datasets, self.marts, result, screen
        )
        result.schema_versions = {
            table.name: table.schema_version
            for table in (*self.datasets.values(), *self.marts.values())
        }

    @property
    def datasets_along(self) -> set[str]:
        """Those that are published only with others."""
        return {name for name, made in self.datasets.items() if made.only_with_others}

    def land_everything(self) -> None:
        """Land what is new. What another program left at our paths shows when
        days are planned: only where that is too late, it is looked for before."""
        foreign: list[Foreign] = []
        if self.options.historical or self.options.dry_run:
            again = self.options.historical
            foreign = find_foreign(self.root, self.ledger, self.datasets, again)
        if self.options.dry_run:
            self.adopted = {file.path for file in foreign}
        self.land(foreign=foreign)

    def land(self, thoroughly: bool = False, foreign: Collection[Foreign] = ()) -> None:
        selection = self.options.selection
        report: LandingReport = land(
            self.root,
            self.ledger,
            historical=self.options.historical,
            thoroughly=thoroughly,
            dry_run=self.options.dry_run,
            forces=selection.forces if selection.force else None,
            legacy=to_adopt(foreign),
            say=self.screen.parsed,
            progress=self.screen.progress,
        )
        self.result.landed_records += report.records
        forget_adopted(self.ledger, foreign)
        for warning in report.warnings:
            if warning not in self.result.warnings:
                self._warn(warning)
        for error in report.errors:
            if error not in self.result.errors:
                self._fail(error)
        self.screen.landed()
        self.result.ignored = report.ignored or self.result.ignored

    def say_what_is_not_read(self) -> None:
        """Once all is published: of lines, the published rejects tell."""
        found = self.result.ignored, unread_lines(self.ledger)
        if self.screen.verbose:
            for what, said in named(self.root, *found):
                self.screen.note(f"Not read: {what}: {said}")
        elif told := counted(*found):
            self.screen.note(f"Not read: {told} (--verbose names them)")

    def publish(self) -> None:
        """Let dbt publish the days that are stale, if there are any."""
        plan = self._plan()
        self._say_what_is_missing()
        marts = MartWork.begin(
            self.root, self.ledger, self.datasets, self.marts,
            self.options.selection, plan,
        )  # fmt: skip
        self._say_what_is_odd(plan, marts.present)
        current = [*plan.current, *marts.current]
        self.files.skip(current, plan.published | marts.published)
        if self.options.dry_run:
            self.files.would_be([*plan.stale, *marts.stale])
            return
        set_aside_damaged(self.root, self.ledger, plan)
        landed = {date.fromisoformat(row.day) for row in landed_days(self.ledger)}
        untested = untested_days(self.root, landed)
        if plan.stale or untested or marts.stale:
            self._build(plan.stale, untested, marts)

    # What is to be done

    def _plan(self) -> Plan:
        """The stale days, of parts that are sound and under today's masks."""
        plan = self._plan_adopted()
        if self._mask_published(plan):
            plan = self._plan_adopted()
        stale = {target.day.isoformat() for target in plan.stale}
        # In a dry run, what was landed is not there.
        if not self.options.dry_run and unsound_parts(self.root, self.ledger, stale):
            # Nothing says so but its bytes: nothing is made from it.
            self.land(thoroughly=True)
            plan = self._plan_adopted()
        return plan

    def _plan_adopted(self) -> Plan:
        """The stale days, once nothing of another program stands in one."""
        chosen = choose(self.datasets, self.options.selection.datasets)
        asked = (self.root, self.ledger, chosen, self.options.selection)
        plan = plan_days(*asked, self.adopted)
        if plan.foreign and not self.options.dry_run:
            self.land(foreign=plan.foreign)
            plan = plan_days(*asked)
        return plan

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

    def _say_what_is_missing(self) -> None:
        days = {row.day for row in landed_days(self.ledger)}
        if not days:
            self._warn(NO_INPUT)
            return
        selection = self.options.selection
        if any(selection.covers(date.fromisoformat(day)) for day in days):
            return
        since, until = selection.since, selection.until
        if since == until:
            self._warn(f"{since}: nothing has been landed of this day")
            return
        span = [f"since {since}"] if since else []
        span += [f"until {until}"] if until else []
        self._warn(f"nothing has been landed {' '.join(span)}")

    def _say_what_is_odd(self, plan: Plan, present: Present) -> None:
        if present.is_set:
            self._warn(
                f"{AS_OF} is set: marts, freshness and notices reckon with "
                f"{present.at:%Y-%m-%dT%H:%M:%SZ} as the present moment"
            )
        for warning in plan.warnings(self.root):
            self._warn(warning)
        remade = [t for t in plan.stale if t.reason == "schema changed"]
        if remade:
            days = sorted({t.day for t in remade})
            self.screen.note(
                f"Schema changed: making {len(remade)} file(s) again, "
                f"{days[0]} to {days[-1]}"
            )

    # What dbt does

    def _build(self, stale: list[Target], untested: set[date], marts: MartWork) -> None:
        from exporter.publish.dbt_run import build

        # All that was made of a day that no run has tested well is tested again.
        datasets = {target.dataset for target in stale}
        models = set(self.datasets if untested else datasets) | marts.models
        days = untested.union(target.day for target in stale)
        number = len(stale) + len(marts.stale)
        current = len(marts.current)
        work = Work(
            self.root, self.ledger, self.datasets, self.code, stale, marts, days
        )
        with self.screen.progress(f"Publishing {number:,} files"):
            outcome = build(work, sorted(models), self.stopper)
        if not outcome.errors:
            forget_untested(self.root)
        self.files.skip(marts.current[current:], marts.published)
        left_out = self.files.collect(work, is_well=not outcome.errors)
        failed = {done.target.dataset for done in work.done if done.reason}
        for name, message in outcome.errors:
            if name not in failed:
                self._fail(f"{name}: {message}")
        for name, found in outcome.tests.items():
            self.result.findings[f"test:{name}"] = found
        if left_out and not self.result.errors:
            # dbt has left something out, and gives no reason.
            said = f"{len(left_out):,} file(s) were not published, such as "
            self._fail(advice.run(said + left_out[0], self.root, "export"))

    def _warn(self, text: str) -> None:
        self.result.warnings.append(text)

    def _fail(self, text: str) -> None:
        self.result.errors.append(text)
