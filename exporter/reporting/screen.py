"""What people see while a run goes on: a line per thing done, on stdout."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date

import click

from exporter.reporting.results import FileResult, RunResult
from exporter.runtime.output import say
from exporter.runtime.redact import redact

# More files of a dataset than this are told in one line.
MOST_LINES = 10


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

    `json` keeps stdout free for the one object that is printed at the end.
    """

    def __init__(
        self, quiet: bool = False, verbose: bool = False, json: bool = False
    ) -> None:
        self.silent = quiet or json
        self.verbose = verbose
        self.json = json
        self.is_deaf = False

    def note(self, text: str, mark: str = "", color: str | None = None) -> None:
        if self.silent:
            return
        text = redact(text)
        line = f"{click.style(mark, fg=color)} {text}" if mark else text
        if (reason := say(line)) and not self.is_deaf:
            self.is_deaf = True
            self.warn(f"standard output takes nothing ({reason}): the run goes on")

    def warn(self, text: str) -> None:
        line = f"{click.style('⚠', fg='yellow')} {redact(text)}"
        say(line, to_stderr=True)

    def fail(self, text: str) -> None:
        line = f"{click.style('✗', fg='red')} {redact(text)}"
        say(line, to_stderr=True)

    def parsed(self, what: str) -> None:
        self.note(f"Parsed {what}", "✓", "green")

    def skipped(self, files: list[FileResult]) -> None:
        if len(files) <= MOST_LINES or self.verbose:
            for file in files:
                name = os.path.basename(file.path)
                self.note(f"{name} already exists, skipping", "⊘", "cyan")
            return
        for dataset, group in _by_dataset(files).items():
            what = f"{dataset}: {len(group):,} file(s) already exist, skipping"
            self.note(what, "⊘", "cyan")

    def exported(self, files: list[FileResult], today: date) -> None:
        for dataset, group in _by_dataset(files).items():
            if len(group) <= MOST_LINES or self.verbose:
                for file in group:
                    self._wrote_file(file, today)
                continue
            parquet = sum(file.parquet_bytes for file in group)
            rows = sum(file.rows for file in group)
            self.note(
                f"Wrote {len(group):,} files of {dataset}, {group[0].day} to "
                f"{group[-1].day}: {rows:,} rows ({kilobytes(parquet)})",
                "✓",
                "green",
            )
            source = sum(file.source_bytes for file in group)
            self._compression(FileResult(dataset, "", "", "", 0, 0, source, parquet))

    def _wrote_file(self, file: FileResult, today: date) -> None:
        name = os.path.basename(file.path)
        size = file_size(file.parquet_bytes)
        partial = " (partial day)" if file.day == today.isoformat() else ""
        self.note(f"Wrote …/{name} ({size}){partial}", "✓", "green")
        self._compression(file)

    def _compression(self, file: FileResult) -> None:
        if file.reduction is not None:
            self.note(
                f"Compression: {file_size(file.source_bytes)} → "
                f"{file_size(file.parquet_bytes)} ({file.reduction:.1f}% reduction)",
                "✓",
                "green",
            )

    def dry_run(self, files: list[FileResult]) -> None:
        for dataset, group in _by_dataset(files).items():
            if len(group) <= MOST_LINES or self.verbose:
                for file in group:
                    name = os.path.basename(file.path)
                    self.note(f"Would create {name}", "→", "cyan")
            else:
                self.note(
                    f"Would create {len(group):,} files of {dataset}, "
                    f"{group[0].day} to {group[-1].day}",
                    "→",
                    "cyan",
                )
        self.note("DRY RUN - no files written")

    def finish(self, result: RunResult) -> None:
        new = len(result.with_status("exported"))
        files = "1 new file" if new == 1 else f"{new:,} new files"
        rejected = sum(
            f.rows for f in result.files
            if f.dataset == "rejected_records" and f.status == "exported"
        )  # fmt: skip
        if rejected:
            self.note(f"{rejected:,} rejected record(s): see rejected_records")
        if result.errors:
            failed = len(result.errors)
            self.note(f"Export ended with {failed} error(s) ({files})", "✗", "red")
        else:
            self.note(f"Export complete ({files})", "✓", "green")

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal; nothing elsewhere. Call with steps done."""
        if self.silent or not sys.stdout.isatty():
            yield lambda _: None
            return
        with click.progressbar(length=total, label=label) as bar:
            yield bar.update


def _by_dataset(files: list[FileResult]) -> dict[str, list[FileResult]]:
    groups: dict[str, list[FileResult]] = {}
    for file in sorted(files, key=lambda f: (f.dataset, f.day)):
        groups.setdefault(file.dataset, []).append(file)
    return groups
