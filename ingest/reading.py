"""Reads inputs, and says of one that cannot be read why, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from ingest.inputs import (
    InputFile,
    InputPath,
    NotAFile,
    StillWritten,
    input_path,
    live_file,
    read_file,
)
from ingest.loaders.context import Context
from ingest.root import Root
from ingest.text.clean import MAX_HEARTBEAT_BYTES


class InputReader:
    """Reads the inputs of one pass; what is wrong with one goes into the report."""

    def __init__(self, root: Root, context: Context) -> None:
        self.root = root
        self.context = context
        self.report = context.report

    def heartbeat(self, place: InputPath, is_seen: bool) -> InputFile | None:
        """One that was seen before is looked at only: it rarely has changed."""
        read = live_file
        if not is_seen:
            read = partial(read_file, limit=MAX_HEARTBEAT_BYTES + 1)
        return self.input_file(place, "heartbeats", read)

    def input_file(
        self,
        place: InputPath,
        kind: str,
        read: Callable[[Root, InputPath, str, datetime], InputFile] = live_file,
    ) -> InputFile | None:
        """A live file; None where it is gone, or cannot be read, which is said."""
        try:
            return read(self.root, place, kind, self.context.clock())
        except FileNotFoundError:
            return None  # rotated since we looked: its bundle will have it
        except OSError as error:
            self.unreadable(place.path, error)
            return None

    def read(self, input_file: InputFile, add: Callable[[InputFile], object]) -> bool:
        """Have a loader take an input in; whether it could be read.

        Raises OSError where it is the landing that cannot be written.
        """
        try:
            add(input_file)
        except StillWritten:
            self.is_being_written(input_file)
            return False
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self._is_input(
                error, input_file
            ):
                return False  # rotated since we looked: its bundle will have it
            if error.filename is not None and not self._is_input(error, input_file):
                raise  # not the input's fault: the landing cannot be written
            self.unreadable(input_file.shown, error)
            return False
        return True

    def _is_input(self, error: OSError, input_file: InputFile) -> bool:
        return str(error.filename) == str(self.root.path / (input_file.path or ""))

    def is_being_written(self, input_file: InputFile) -> None:
        """Say that the next run reads it again."""
        self.report.warnings.append(
            f"{input_file.shown}: is being written; the next run reads it again"
        )

    def has_changed(self, input_file: InputFile) -> bool:
        """Whether another file than the one that was read lies there now."""
        place = input_path(input_file.path or "", self.context.masks)
        now = self.input_file(place, input_file.kind)
        return now is not None and (now.size, now.mtime_ns) != (
            input_file.size,
            input_file.mtime_ns,
        )

    def unreadable(self, path: str, error: OSError) -> None:
        """Say why a file or bundle was not read."""
        if isinstance(error, NotAFile):
            self.report.warnings.append(f"{path}: not a regular file, left alone")
            return
        self.report.errors.append(
            f"{path}: cannot be read ({error.strerror or error}): give this user the "
            "right to it"
        )
