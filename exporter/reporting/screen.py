"""What people see while a run goes on: a line per thing done, on stdout."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import date
from typing import TypeVar

import click

from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.spinner import Spinner, is_terminal
from exporter.runtime.output import say
from exporter.runtime.redact import redact
from ingest import advice
from ingest.loaders.context import ReadInput
from ingest.root import Root
from ingest.text.numbers import count

# More of a kind than this are told in one line per source or dataset.
MOST_LINES = 10
# What a line that is a command begins with.
COMMAND = "→ "
T = TypeVar("T")
_Doing = AbstractContextManager[Callable[[int], None]]


def file_size(size: int) -> str:
    """The size of one file, in KB as in the log; a small one is 1 KB."""
    return f"{max(round(size / 1024), 1):,} KB" if size else "0 KB"


def kilobytes(size: int) -> str:
    """A size as people read it."""
    if size < 1 << 10:
        return f"{size} B"
    if size < 1 << 20:
        return f"{size / (1 << 10):.0f} KB"
    if size < 1 << 30:
        return f"{size / (1 << 20):.1f} MB"
    return f"{size / (1 << 30):.2f} GB"


class Screen:
    """Prints for people; with `quiet` only warnings and errors, on stderr.

    `json` keeps stdout free for the one object that is printed at the end. On a
    terminal lines are broken between words, and a command stands in one of its
    own; elsewhere a message is a line.
    """

    def __init__(
        self, quiet: bool = False, verbose: bool = False, json: bool = False
    ) -> None:
        self.silent = quiet or json
        self.verbose = verbose
        self.json = json
        self.is_deaf = False
        self.spinner = Spinner()
        self.read: list[ReadInput] = []
        self.told: set[str] = set()

    def note(self, text: str, mark: str = "", color: str | None = None) -> None:
        if self.silent:
            return
        if (reason := self._print(text, mark, color)) and not self.is_deaf:
            self.is_deaf = True
            self.warn(f"standard output takes nothing ({reason}): the run goes on")

    def warn(self, text: str) -> None:
        self.told.add(text)
        self._print(text, "⚠", "yellow", to_stderr=True)

    def fail(self, text: str) -> None:
        self.told.add(text)
        self._print(text, "✗", "red", to_stderr=True)

    def _print(
        self, text: str, mark: str, color: str | None, to_stderr: bool = False
    ) -> str | None:
        text = redact(text)
        if is_terminal(sys.stderr if to_stderr else sys.stdout):
            text = broken(text, shutil.get_terminal_size().columns)
        self.spinner.clear()
        line = f"{click.style(mark, fg=color)} {text}" if mark else text
        return say(line, to_stderr)

    def progress(self, label: str, total: int = 0) -> _Doing:
        """Say on a terminal what is being done, once it takes more than a second.

        Call with steps done, where there is a total.
        """
        if self.silent:
            return contextlib.nullcontext(lambda _: None)
        return self.spinner.doing(label, total)

    # What was read

    def parsed(self, what: ReadInput) -> None:
        """Note what was read; `landed` says it."""
        self.read.append(what)
        if self.verbose:
            self._parsed(str(what))

    def landed(self) -> None:
        """Say what was read: few inputs by name, many by source."""
        read, self.read = self.read, []
        if self.verbose:
            return
        for source, group in _groups(read, lambda what: what.source).items():
            if len(read) <= MOST_LINES or len(group) == 1:
                for what in group:
                    self._parsed(str(what))
                continue
            number = sum(what.number for what in group)
            size = kilobytes(sum(what.size_bytes for what in group))
            files = f"{len(group):,} files of {source}"
            if source == "bundles":
                files = f"{len(group):,} bundles"
            self._parsed(f"{count(number, group[0].unit)} from {files} ({size})")

    def _parsed(self, what: str) -> None:
        self.note(f"Parsed {what}", "✓", "green")

    # What became of files

    def skipped(self, files: list[FileResult]) -> None:
        for dataset, group in _groups(files, _kind).items():
            if self._are_few(files, group):
                for file in group:
                    name = os.path.basename(file.path)
                    self.note(f"{name} already exists, skipping", "⊘", "cyan")
                continue
            number = count(len(group), "file")
            exist = "already exists" if len(group) == 1 else "already exist"
            self.note(f"{dataset}: {number} {exist}, skipping", "⊘", "cyan")

    def exported(self, files: list[FileResult], today: date) -> None:
        for dataset, group in _groups(files, _kind).items():
            if self._are_few(files, group):
                for file in group:
                    self._wrote_file(file, today)
                continue
            whole = _sum(dataset, group)
            its_files, rows = count(len(group), "file"), count(whole.rows, "row")
            said = f"Wrote {its_files} of {dataset}: {rows}, "
            parquet = kilobytes(whole.parquet_bytes)
            if whole.reduction is None:
                said += parquet
            else:
                source = kilobytes(whole.source_bytes)
                said += f"{source} → {parquet} ({whole.reduction:.1f}% reduction)"
            self.note(said, "✓", "green")

    def _are_few(self, files: list[FileResult], group: list[FileResult]) -> bool:
        """Whether the files of a group are told by name: of the marts only one."""
        if self.verbose or len(group) == 1:
            return True
        number = sum(not file.is_mart for file in files)
        return number <= MOST_LINES and not group[0].is_mart

    def _wrote_file(self, file: FileResult, today: date) -> None:
        name = os.path.basename(file.path)
        size = file_size(file.parquet_bytes)
        partial = " (partial day)" if file.day == today.isoformat() else ""
        self.note(f"Wrote …/{name} ({size}){partial}", "✓", "green")
        if file.reduction is not None:
            self.note(
                f"Compression: {file_size(file.source_bytes)} → "
                f"{file_size(file.parquet_bytes)} ({file.reduction:.1f}% reduction)",
                "✓",
                "green",
            )

    def dry_run(self, files: list[FileResult]) -> None:
        for dataset, group in _groups(files, _kind).items():
            if self._are_few(files, group):
                for file in group:
                    name = os.path.basename(file.path)
                    self.note(f"Would create {name}", "→", "cyan")
            else:
                days = [file.day for file in group if file.day]
                said = f"Would create {len(group):,} files of {dataset}"
                if days:
                    said += f", {min(days)} to {max(days)}"
                self.note(said, "→", "cyan")

    # The end

    def problems(self, root: Root, result: RunResult) -> None:
        """Say what is wrong, and was not said yet: errors last."""
        log = root.logs / "parquet_export.log"
        for texts, tell in (
            (result.warnings, self.warn), (result.errors, self.fail),
        ):  # fmt: skip
            untold = [text for text in dict.fromkeys(texts) if text not in self.told]
            shown = untold if self.verbose else untold[:MOST_LINES]
            for text in shown:
                tell(text)
            if more := len(untold) - len(shown):
                tell(f"… and {more:,} more{advice.RUN}tail -n 100 {advice.path(log)}")

    def finish(
        self, root: Root, result: RunResult, along: Collection[str] = ()
    ) -> None:
        """The last lines: days, rejects, what is wrong, how long it took.

        `along` are the datasets that are only written with others.
        """
        if result.dry_run:
            self.problems(root, result)
            self.note("DRY RUN - no files written")
            return
        exported = result.with_status("exported")
        # What is published of runs comes along: it is of the day that they began.
        told = [f for f in exported if f.dataset not in along and not f.is_mart]
        days = sorted({f.day for f in told if f.day})
        if len(days) > 1:
            self.note(
                f"Wrote {len(days):,} days, {days[0]} to {days[-1]}", "✓", "green"
            )
        rejected = sum(f.rows for f in exported if f.dataset == "rejected_records")
        if rejected:
            records = count(rejected, "record")
            said = advice.run(f"{records} rejected; to see why", root, "rejects")
            self.note(said, "⊘", "cyan")
        self.problems(root, result)
        new = len(exported)
        files = count(new, "new file")
        took = f"in {result.duration_s:.1f} s"
        if result.errors:
            errors = count(len(result.errors), "error")
            said = f"Export ended with {errors} ({files}) {took}"
            self.note(said, "✗", "red")
        else:
            self.note(f"Export complete ({files}) {took}", "✓", "green")


def broken(text: str, columns: int) -> str:
    """A message in lines of a terminal, the command that it ends with in its own.

    What follows the first line stands below the words, behind the mark. A line
    that is a command already stays whole.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if line.lstrip().startswith(COMMAND):
            lines.append(line.lstrip())
            continue
        said, run, command = line.rpartition(advice.RUN)
        lines += textwrap.wrap(
            said if run else line, max(columns - 2, 20),
            break_long_words=False, break_on_hyphens=False,
        ) or [""]  # fmt: skip
        if run:
            lines.append(f"{COMMAND}{command}")
    return "\n  ".join(lines)


def _kind(file: FileResult) -> str:
    """What a file is counted under where there are many."""
    return "marts" if file.is_mart else file.dataset


def _sum(dataset: str, files: list[FileResult]) -> FileResult:
    return FileResult(
        dataset, "", "", "",
        rows=sum(file.rows for file in files),
        source_bytes=sum(file.source_bytes for file in files),
        parquet_bytes=sum(file.parquet_bytes for file in files),
    )  # fmt: skip


def _groups(things: list[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Things by their name, in the order of names."""
    groups: dict[str, list[T]] = {}
    for thing in sorted(things, key=name):
        groups.setdefault(name(thing), []).append(thing)
    return groups
