"""Inputs: which files under the root are read, and what their names tell."""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import filterfalse
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest.masks import Masks
from ingest.root import Root
from ingest.text import clean
from ingest.times import FIRST_YEAR

HEARTBEAT = re.compile(
    r"heartbeat_(\d{4}-\d{2}-\d{2})_(\d{2})-(\d{2})-(\d{2})\.md", re.ASCII
)
DATED = re.compile(r"query_perf_(?:daily_(\d{8})|weekly_(\d{6}))\.(csv|json)", re.ASCII)
SUMMARY = re.compile(r"optimization_summary(?:_.*)?\.txt", re.DOTALL)
BUNDLE = re.compile(r"reports_\d{8}_\d{6}\.tar\.gz", re.ASCII)

# Where each kind of input is looked for, as people write it.
PLACES = {
    "heartbeats": "g/reports/**/heartbeat_*.md",
    "query performance": "g/reports/query_perf_{daily,weekly}_*.{csv,json}",
    "the query log": "g/reports/query_perf.jsonl",
    "index advice": "{knowledge/optimize,g/reports}/index_advisor_report.json",
    "optimizer summaries": "knowledge/optimize/optimization_summary.txt, "
    "g/reports/optimization_summary_*.txt",
    "telemetry": "g/telemetry/rollup_daily.ndjson",
    "bundles": "g/reports/archive/reports_*.tar.gz",
}

# Half of one of these would be taken for another version of it.
SETTLED = ("index_advisor", "optimization_summary")

# What a base name tells; dated files tell rows from patterns by their header.
FIXED_NAMES = {
    "query_perf.jsonl": "query_log",
    "rollup_daily.ndjson": "telemetry",
    "index_advisor_report.json": "index_advisor",
}


def kind_of(name: str) -> str | None:
    """heartbeats, dated, query_log, telemetry, index_advisor,
    optimization_summary, or None for a file that is not ours."""
    if name in FIXED_NAMES:
        return FIXED_NAMES[name]
    if HEARTBEAT.fullmatch(name):
        return "heartbeats"
    if DATED.fullmatch(name):
        return "dated"
    if SUMMARY.fullmatch(name):
        return "optimization_summary"
    return None


def dated_day(name: str) -> date | None:
    """The day a dated file stands for: its date, or its ISO week's Monday."""
    match = DATED.fullmatch(name)
    if match is None:
        return None
    daily, weekly = match[1], match[2]
    try:
        if daily:
            return date(int(daily[:4]), int(daily[4:6]), int(daily[6:]))
        return date.fromisocalendar(int(weekly[:4]), int(weekly[4:]), 1)
    except ValueError:
        return None


def name_date(name: str) -> date | None:
    """A date written in any file name: YYYYMMDD or YYYY-MM-DD."""
    for match in re.finditer(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)", name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
    return None


_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)
_FIRST = (datetime(FIRST_YEAR, 1, 1) - _EPOCH) // _SECOND


def epoch_seconds(mtime: float) -> int:
    """A modification time as coarse as a tar archive keeps it."""
    # An archive may claim anything.
    return int(mtime // 1) if math.isfinite(mtime) else 0


@dataclass(slots=True)
class Document:
    """One input, live or a bundle's member.

    `mtime` is its modification time in seconds, as it is claimed, and `read_at`
    the moment of reading, in UTC; `shown` is the name that messages use; `path`
    is relative to the root and `key` what the ledger calls it; both are None
    for a bundle's member. `is_proven` is false for what came out of a bundle
    that is damaged.
    """

    name: str
    kind: str
    shown: str
    mtime: int
    read_at: datetime
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    path: str | None = None
    key: str | None = None
    mtime_ns: int = 0
    is_proven: bool = True

    @property
    def epoch(self) -> int:
        """The modification time in seconds by which the newer of two is told.

        One in the future is taken for the moment of reading, and that has a
        minus sign: when the same is read again, it is not newer for that.
        """
        moment = (self.read_at - _EPOCH) // _SECOND
        return -moment if self.mtime > moment else max(self.mtime, 0)

    @property
    def is_timed(self) -> bool:
        """Whether its modification time can be true."""
        return self.epoch >= _FIRST

    @property
    def modified(self) -> datetime:
        """Its modification time, UTC in whole seconds; the moment of reading
        where that cannot be true."""
        if not self.is_timed:
            return self.read_at.replace(microsecond=0)
        return _EPOCH + self.epoch * _SECOND


class NotAFile(OSError):
    """A pipe, device or folder where an input should be."""


class StillWritten(Exception):
    """An input changed while it was read."""


@contextmanager
def open_regular(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to read; anything else is refused, and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFile(f"{path} is not a regular file")
        yield stream


class Place(NamedTuple):
    """A path relative to the root: as it is, as messages show it, what the
    ledger calls it, and its last name."""

    path: str
    shown: str
    key: str
    name: str

    def below(self, name: str) -> Place:
        """What lies in this folder under a name that needs no masking."""
        return Place(
            f"{self.path}/{name}", f"{self.shown}/{name}", f"{self.key}/{name}", name
        )


def place_of(path: str, masks: Masks) -> Place:
    """A path, which may be one that cannot be stored.

    A path that quotes a secret, or is no text at all, is masked, and told
    apart by a digest. The base name stays at the end.
    """
    shown = masks.text(clean(path))
    name = path.rpartition("/")[2]
    if shown == path:
        return Place(path, path, path, name)
    made = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Place(path, shown, f"#{made}/{shown}", name)


@contextmanager
def open_settled(path: str | Path, look: os.stat_result) -> Iterator[BinaryIO]:
    """Open a file of which only the whole says anything.

    Raises StillWritten where it is not what it was in the end.
    """
    with open_regular(path) as stream:
        yield stream
        now = os.fstat(stream.fileno())
        if (now.st_size, now.st_mtime_ns) != (look.st_size, look.st_mtime_ns):
            raise StillWritten(str(path))


def live_document(root: Root, place: Place, kind: str, now: datetime) -> Document:
    """A file under the root, as it looks now. Raises OSError."""
    # Asked of each of many: a Path would take longer than the system does.
    full = f"{root.path}/{place.path}"
    look = os.stat(full)
    if not stat.S_ISREG(look.st_mode):
        raise NotAFile(f"{place.path} is not a regular file")
    opener = open_regular if kind not in SETTLED else partial(open_settled, look=look)
    return _document(place, kind, look, now, lambda: opener(full))


def read_document(
    root: Root, place: Place, kind: str, now: datetime, limit: int
) -> Document:
    """The same of a small file that is read at once, up to a limit in bytes.

    In half the calls to the system, for there are many.
    """
    full = f"{root.path}/{place.path}"
    descriptor = os.open(full, os.O_RDONLY | os.O_NONBLOCK)
    try:
        look = os.fstat(descriptor)
        if not stat.S_ISREG(look.st_mode):
            raise NotAFile(f"{place.path} is not a regular file")
        data = os.read(descriptor, min(look.st_size + 1, limit))
        while 0 < len(data) < limit and len(data) != look.st_size:
            more = os.read(descriptor, limit - len(data))
            if not more:
                break
            data += more
    except OSError as error:
        error.filename = error.filename or full
        raise
    finally:
        os.close(descriptor)
    return _document(place, kind, look, now, lambda: io.BytesIO(data))


def _document(
    place: Place,
    kind: str,
    look: os.stat_result,
    now: datetime,
    opened: Callable[[], AbstractContextManager[BinaryIO]],
) -> Document:
    return Document(
        name=place.name,
        kind=kind,
        shown=place.shown,
        mtime=epoch_seconds(look.st_mtime),
        read_at=now,
        size=look.st_size,
        open=opened,
        path=place.path,
        key=place.key,
        mtime_ns=look.st_mtime_ns,
    )


@dataclass
class Inventory:
    """What lies under a root: paths relative to it.

    Heartbeats are kept as (folder, names) because there are many.
    """

    heartbeats: list[tuple[str, list[str]]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


class Known(NamedTuple):
    """Names of heartbeats that are landed; those from `young` on may change."""

    young: str = ""
    names: Collection[str] = ()


NOTHING_KNOWN = Known()


def take_inventory(root: Root, known: Known = NOTHING_KNOWN) -> Inventory:
    """Look at every place of section "Inputs" without opening a file.

    Heartbeats that are known and old are left out: nearly all of half a million.
    """
    found = Inventory()
    for folder, names in _folders(root.path, "g/reports", found, known):
        if folder == "g/reports":
            _add_others(folder, names, found, ("dated", "query_log", "index_advisor"))
            _add_others(folder, names, found, ("optimization_summary",))
        if folder == "g/reports/archive":
            found.bundles = [
                f"{folder}/{name}" for name in sorted(names) if BUNDLE.fullmatch(name)
            ]
    for folder, kinds in (
        ("knowledge/optimize", ("index_advisor", "optimization_summary")),
        ("g/telemetry", ("telemetry",)),
    ):
        if (root.path / folder).is_dir():
            _add_others(folder, _names(root.path, folder, found), found, kinds)
    # Day by day, for what is read together is written together. A dated summary
    # says its day itself: it goes before the one that does not.
    found.others.sort(key=lambda other: (name_date(other[0]) or date.max, other))
    return found


def _add_others(
    folder: str, names: Iterable[str], found: Inventory, kinds: tuple[str, ...]
) -> None:
    for name in names:
        kind = kind_of(name)
        if kind in kinds:
            found.others.append((f"{folder}/{name}", kind))


def _names(base: Path, folder: str, found: Inventory) -> list[str]:
    try:
        return os.listdir(base / folder)
    except OSError as error:
        found.unreadable.append((folder, error.strerror or str(error)))
        return []


def _folders(
    base: Path, top: str, found: Inventory, known: Known
) -> Iterator[tuple[str, list[str]]]:
    """A folder and all below it with the names in them but for heartbeats, which
    are noted; links not followed, our own output left out."""
    if not (base / top).is_dir():
        return
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        names = _names(base, folder, found)
        # Of sets, because half a million names are asked for.
        fresh = set(names).difference(known.names)
        fresh.update(name for name in names if name >= known.young)
        names = list(fresh)
        beats = list(filter(HEARTBEAT.fullmatch, names))
        others = list(filterfalse(HEARTBEAT.fullmatch, names)) if beats else names
        if beats:
            found.heartbeats.append((folder, beats))
        yield folder, others
        below = (f"{folder}/{name}" for name in sorted(others))
        waiting += [p for p in below if p != OUR_REPORTS and _is_folder(base / p)]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


OUR_REPORTS = "g/reports/parquet"


def utc_now() -> datetime:
    """The present, naive and in UTC as all times here are."""
    return datetime.now(UTC).replace(tzinfo=None)
