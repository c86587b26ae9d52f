"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from exporter.datasets import Dataset
from exporter.discretion import discreet
from exporter.errors import describe
from exporter.export import Options, export
from exporter.lock import Locked
from exporter.results import OK
from exporter.screen import Screen
from exporter.stop import Stopped, stoppable
from exporter.verify import installation, outputs
from exporter.verify.checks import EXPORT, TEST, Check, command_on, passed
from ingest.root import Root

# As long as the wrapper waits and runs.
WAIT_S, TIMEOUT_S = 600, 600


def run_checks(
    root: Root, datasets: Mapping[str, Dataset], now: datetime, trigger: bool = False
) -> Iterator[Check]:
    """Look at everything; with `trigger` after a run of its own."""
    if trigger:
        yield trigger_export(root)
    yield from installation.check_agents(root)
    yield installation.check_plists(root)
    yield installation.check_version()
    yield installation.check_wrapper()
    yield from installation.check_folders(root)
    yield installation.check_log(root, now)
    yield installation.check_notices(root)
    yield from outputs.check_last_run(root)
    yield outputs.check_yesterday(root, datasets, now)
    yield from outputs.check_files(root, datasets)
    yield from outputs.check_reading(root, datasets)
    yield outputs.check_query(root, datasets)
    yield outputs.check_storage(root)


def trigger_export(root: Root) -> Check:
    """A run like those of the night, and how it went."""
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
            actual, is_well = discreet(describe(error)), False
    return Check(
        TEST, "Triggered export", OK, actual, passed(is_well),
        "" if is_well else command_on(root, EXPORT),
    )  # fmt: skip
