"""Where a fleet's marts lie, and which of their partitions are made."""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from exporter.fleet.storage import PREFIX, FleetNotFound, folder_named
from ingest import files

VARIABLE = "OPS_ATOMIC_FLEET_MARTS"
# Names that begin so are read by no engine.
RECORD = "_made.json"
MAKING = ".making-"
LOCK = ".lock"
FOLDER = re.compile(r"date_partition=(\d{4}-\d{2}-\d{2})")


def marts_place(storage: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of a storage's marts. Raises FleetNotFound."""
    named = environ.get(VARIABLE, "").strip()
    if not named:
        return storage / "marts"
    path = folder_named(named, VARIABLE)
    below = path.relative_to(storage).parts if path.is_relative_to(storage) else ()
    if below and below[0].startswith(PREFIX):
        raise FleetNotFound(
            f"{named} ({VARIABLE}) lies in a machine's folder, where its own marts "
            "are: name one beside the machines"
        )
    return path


@dataclass(frozen=True, slots=True)
class Made:
    """A partition that is made, and its file's size; one without rows has none."""

    fingerprint: str
    rows: int
    bytes: int


class MartStore:
    """`<mart>/<mart>.parquet` of a mart as a whole, and of a daily one
    `<mart>/date_partition=YYYY-MM-DD/<mart>.parquet`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock: BinaryIO | None = None
        self.locking = threading.Lock()

    def made(self, mart: str) -> dict[date, Made]:
        """The days that are made, and whose files are still there in full. A record
        that cannot be read says nothing: all is made again."""
        try:
            text = (self.path / mart / RECORD).read_text(encoding="utf-8")
            made = {
                date.fromisoformat(day): Made(str(fingerprint), int(rows), int(size))
                for day, (fingerprint, rows, size) in json.loads(text).items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
        return {
            day: one
            for day, one in made.items()
            if not one.rows or self._size(mart, day) == one.bytes
        }

    def _size(self, mart: str, day: date) -> int | None:
        try:
            return os.stat(self.place(mart, day) / f"{mart}.parquet").st_size
        except OSError:
            return None

    def record(self, mart: str, made: Mapping[date, Made], staging: Path) -> None:
        """Remember what is made: every partition is in its place by now."""
        said = {str(day): astuple(one) for day, one in sorted(made.items())}
        text = json.dumps(said, indent=0) + "\n"
        files.write_text(self.path / mart / RECORD, staging, text)

    def days(self, mart: str) -> set[date]:
        """The days that have a folder."""
        try:
            names = os.listdir(self.path / mart)
        except FileNotFoundError:
            return set()
        found = (FOLDER.fullmatch(name) for name in names)
        return {date.fromisoformat(match[1]) for match in found if match}

    def staged(self, mart: str) -> Path:
        """A new folder to make files in, on the same file system. What builds that
        broke off have left is removed.

        From the first on, until this process ends, no other build may make any.
        Raises BlockingIOError while another one does.
        """
        self._hold()
        top = self.path / mart
        for left in top.glob(f"{MAKING}*"):
            if not _is_running(left.name.removeprefix(MAKING)):
                files.remove_tree(left)
        folder = top / f"{MAKING}{os.getpid()}"
        folder.mkdir(parents=True)
        return folder

    def _hold(self) -> None:
        """Else of two builds one might put its file into a place of which the other
        records what it has made."""
        with self.locking:
            if self.lock is not None:
                return
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / LOCK).open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.close()
                said = "another build makes these marts: wait for its end"
                raise BlockingIOError(error.errno, said, str(self.path)) from error
            except OSError:
                pass  # a file system without locks
            self.lock = lock

    def place(self, mart: str, day: date | None) -> Path:
        """Where a partition, or a mart as a whole, lies."""
        top = self.path / mart
        return top / f"date_partition={day}" if day else top

    def move(self, staged: Path, mart: str, day: date | None) -> None:
        """Put a finished file into its place, alone there: another engine may
        have made it of several before."""
        place = self.place(mart, day)
        place.mkdir(exist_ok=True)
        files.sync(staged)
        os.replace(staged, place / f"{mart}.parquet")
        for other in place.iterdir():
            if other.name not in (f"{mart}.parquet", RECORD) and other.is_file():
                other.unlink()
        files.sync(place)

    def remove(self, mart: str, day: date) -> None:
        """Take a partition away that nothing gives rows to any more.

        Raises BlockingIOError while another build makes some, as `staged` does.
        """
        self._hold()
        files.remove_tree(self.place(mart, day))

    def clear(self, staging: Path) -> None:
        """Remove what is left of a folder to make files in."""
        files.remove_tree(staging)


def _is_running(number: str) -> bool:
    """Whether a process of this machine has this number, and is another one."""
    if not number.isdecimal() or int(number) == os.getpid():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
