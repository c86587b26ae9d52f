"""Runs dbt inside this process, quietly, and says what went wrong in it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from exporter.publish.dbt_command import invoke
from exporter.publish.dbt_import import import_dbt
from exporter.publish.dbt_manifest import load_manifest
from exporter.publish.work import Work, handed_over
from exporter.runtime.errors import REMEDIES
from exporter.runtime.stop import Stopper
from ingest import files

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

# What dbt puts before and after the words that matter.
NOISE = re.compile(
    r"^(Database|Runtime|Compilation) Error in [^\n]*\n|^\s*> in macro .*$|"
    r"^\s*compiled code at .*$|^\s*> called by .*$",
    re.MULTILINE,
)

# Tests that a run does without: it says itself, of all days, which columns have
# drifted, and its audit has just held the same rows to their contract.
LEFT_OUT = ("assert_no_schema_has_drifted", "test_name:keeps_its_contract")


@dataclass
class Outcome:
    """What dbt found wrong: errors by the model or test that had them.

    `tests` are the tests that only warn, by name, with what they found or None.
    """

    errors: list[tuple[str, str]] = field(default_factory=list)
    tests: dict[str, str | None] = field(default_factory=dict)


def build(work: Work, models: Iterable[str], stopper: Stopper) -> Outcome:
    """`dbt build` of some models and the tests that hang on them.

    `work` says which days of them, and is told what became of these.
    """
    # What the caller has set for dbts of its own, such as DBT_EMPTY, is not for
    # this one.
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        del os.environ[name]
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    folder = work.root.staging / f"dbt-{os.getpid()}"
    files.make_private_folder(folder)
    arguments = [
        *("--resource-type", "model", "--resource-type", "test"),
        *("--no-populate-cache", "--select", *models),
        *("--exclude", *LEFT_OUT),
    ]
    if work.is_heavy:  # what runs beside it would have to do with what it leaves
        arguments += ["--threads", "1"]
    said = io.StringIO()
    before = Path.cwd()
    results: list[dbtRunnerResult] = []

    def run() -> None:
        manifest = load_manifest(folder)
        if not stopper.stopped:
            results.append(invoke("build", folder, arguments, manifest))

    def interrupt() -> None:
        work.is_stopped = True
        _interrupt_queries()

    try:
        with (
            handed_over(work),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            import_dbt()
            stopper.run_apart(run, interrupt)
    finally:
        _close_database()
        os.chdir(before)
    (result,) = results
    outcome = Outcome()
    for node in getattr(result.result, "results", None) or []:
        name, message = node.node.name, _short(node.message or "")
        if node.status in ("fail", "warn") and node.failures:
            # dbt itself would tell of the test's configuration.
            name = name.removeprefix("assert_").replace("_", " ").strip()
            cases = "1 case" if node.failures == 1 else f"{node.failures:,} cases"
            message = f"not so in {cases}"
        if node.status in ("error", "fail", "runtime error"):
            outcome.errors.append((name, message))
        elif node.node.resource_type == "test":
            outcome.tests[node.node.name] = (
                f"{name}: {message}" if node.status == "warn" else None
            )
    if not result.success and not outcome.errors:
        reason = str(result.exception or said.getvalue().strip() or "no reason given")
        outcome.errors.append(("dbt", _short(reason)))
    return outcome


def _interrupt_queries() -> None:
    """Break off what dbt's threads ask the database just now."""
    from dbt.adapters.factory import FACTORY

    adapter = FACTORY.adapters.get("duckdb")
    if adapter is None:
        return
    # Not dbt's own cancel_open: it opens what is not open yet.
    for connection in list(adapter.connections.thread_connections.values()):
        if connection.state == "open":
            # It may be closed between the look at it and the word to it.
            with contextlib.suppress(duckdb.Error):
                connection.handle.cursor().interrupt()


def _close_database() -> None:
    """Close the database in memory, which dbt keeps for its next command."""
    connections = sys.modules.get("dbt.adapters.duckdb.connections")
    if connections is not None:
        connections.DuckDBConnectionManager.close_all_connections()


def _short(message: str) -> str:
    lines = (line.strip() for line in NOISE.sub("", message).splitlines())
    short = " ".join(line for line in lines if line)[:1000]
    # DuckDB names the file, but not the way out.
    for number in (errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES):
        remedy = REMEDIES[errno.errorcode[number]]
        if os.strerror(number) in short and remedy not in short:
            return f"{short} ({remedy})"
    return short
