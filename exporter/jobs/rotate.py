"""Moves old reports into bundles: only what is landed, and only after proof.

A bundle is made aside, flushed, read back and compared with the originals byte
for byte, and moved into place before the first original goes. Whenever that is
cut short, each report is where it was, in a bundle, or in both.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from exporter.publish.ledger import Ledger, open_ledger
from ingest import files
from ingest.bundles import BROKEN, MAX_MEMBER_BYTES
from ingest.inputs import input_path, open_regular, utc_now
from ingest.listing import list_inputs
from ingest.masking.masks import load_masks
from ingest.registry import KINDS, REPORTS, Identity, identity_of
from ingest.root import Root
from ingest.sources.heartbeats import time_in_name
from ingest.store.parts import scan_landing

OLD = timedelta(hours=24)
# What one bundle holds: far below what ingest takes for absurd.
MOST_MEMBERS = 20_000
MOST_BYTES = 200 << 20
CHUNK = 1 << 20
# One file each, written once; what grows or is overwritten stays where it is.
DATED = (Identity.NAME, Identity.VERSION, Identity.FILE)


class Old(NamedTuple):
    """A report to move: its path relative to the root, and how it looked."""

    path: str
    seen: os.stat_result


@dataclass
class Rotation:
    """What was done: bundles with how many reports each, and what stayed."""

    bundles: list[tuple[str, int]] = field(default_factory=list)
    moved: int = 0
    not_landed: int = 0
    changed: int = 0
    would_move: int = 0


def rotate(root: Root, now: datetime | None = None, dry_run: bool = False) -> Rotation:
    """Move what is old and landed into bundles. For those who hold the lock.

    Raises OSError; what was moved by then is in bundles.
    """
    now = now or utc_now()
    done = Rotation()
    archive = root.reports / "archive"
    if not dry_run:
        _sweep(archive)
    old = list(_find_old(root, now))
    ledger = open_ledger(root, dry_run=True)
    try:
        landing = _Landed(root, ledger)
        landed = [report for report in old if landing.holds(report)]
    finally:
        ledger.close()
    done.not_landed = len(old) - len(landed)
    done.would_move = len(landed)
    if dry_run:
        return done
    for some in _share_out(landed):
        place = _free_name(archive, now)
        _make_bundle(root, some, place)
        moved = sum(_remove(root, report) for report in some)
        done.bundles.append((root.relative(place), len(some)))
        done.moved += moved
        done.changed += len(some) - moved
        _log(root, now, place, len(some))
    return done


class _Landed:
    """What the ledger says of reports, as long as the landing is as it knows it."""

    def __init__(self, root: Root, ledger: Ledger) -> None:
        self.inputs = ledger.inputs()
        self.masks = load_masks(own=root.settings / "masks.csv")
        there = {
            (source, day, part): (seen.st_size, seen.st_mtime_ns)
            for source, day, part, seen in scan_landing(root.landing).parts
        }
        self.broken = {
            (source, day)
            for source, day, part, size, mtime_ns, _ in ledger.part_stats()
            if there.get((source, day, part)) != (size, mtime_ns)
        }
        doubted = set(ledger.doubted())
        self.heartbeats = {
            name
            for day, names in ledger.keys("heartbeats")
            if day not in doubted and ("heartbeats", day) not in self.broken
            for name in names
        }

    def holds(self, report: Old) -> bool:
        name = report.path.rpartition("/")[2]
        seen = self.inputs.get(input_path(report.path, self.masks).key)
        looks = (report.seen.st_size, report.seen.st_mtime_ns)
        if KINDS["heartbeats"].pattern.fullmatch(name):
            # The ledger keeps how one looked for two days, its name for ever.
            is_known = seen is None or (seen.bytes, seen.mtime_ns) == looks
            return is_known and name in self.heartbeats
        if seen is None or (seen.bytes, seen.mtime_ns) != looks:
            return False
        fed = {(source, day) for source, days in seen.feeds.items() for day in days}
        return not fed & self.broken


def _find_old(root: Root, now: datetime) -> Iterator[Old]:
    """Dated reports below g/reports that nobody has written to for a day."""
    inventory = list_inputs(root)
    paths = [
        f"{folder}/{name}" for folder, names in inventory.heartbeats for name in names
    ]
    paths += [path for path, kind in inventory.others if identity_of(kind) in DATED]
    limit = (now - OLD).replace(tzinfo=UTC).timestamp()
    for path in sorted(paths):
        at = time_in_name(path.rpartition("/")[2])
        if not path.startswith(f"{REPORTS}/") or (at and at > now - OLD):
            continue
        try:
            seen = (root.path / path).lstat()
        except FileNotFoundError:
            continue
        is_plain = stat.S_ISREG(seen.st_mode) and seen.st_size <= MAX_MEMBER_BYTES
        if is_plain and seen.st_mtime < limit:
            yield Old(path, seen)


def _share_out(reports: list[Old]) -> Iterator[list[Old]]:
    """Reports by bundle."""
    some: list[Old] = []
    size = 0
    for report in reports:
        is_full = len(some) >= MOST_MEMBERS or size + report.seen.st_size > MOST_BYTES
        if some and is_full:
            yield some
            some, size = [], 0
        some.append(report)
        size += report.seen.st_size
    if some:
        yield some


def _free_name(archive: Path, now: datetime) -> Path:
    archive.mkdir(parents=True, exist_ok=True)
    while True:
        place = archive / f"reports_{now:%Y%m%d_%H%M%S}.tar.gz"
        if not place.exists():
            return place
        now += timedelta(seconds=1)


def _sweep(archive: Path) -> None:
    """Remove what a rotation that was killed has left half made."""
    for path in archive.glob(".reports_*.new"):
        path.unlink(missing_ok=True)


def _make_bundle(root: Root, reports: list[Old], place: Path) -> None:
    """A bundle in its place, proven. Raises OSError."""
    # Hidden, so that nobody takes it for a bundle.
    made = place.with_name(f".{place.name}.new")
    try:
        with files.blamed_on(made):
            with tarfile.open(made, "w:gz", format=tarfile.PAX_FORMAT) as tar:
                for report in reports:
                    _add(tar, root, report)
            files.sync(made)
            _prove(root, reports, made)
        files.move_into_place(made, place)
    finally:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, root: Root, report: Old) -> None:
    info = tarfile.TarInfo(report.path)
    info.size = report.seen.st_size
    info.mode = stat.S_IMODE(report.seen.st_mode)
    info.mtime = report.seen.st_mtime
    with open_regular(root.path / report.path) as stream:
        tar.addfile(info, stream)


def _prove(root: Root, reports: list[Old], made: Path) -> None:
    """Hold every member against its original, byte for byte. Raises OSError."""
    try:
        _compare(root, reports, made)
    except BROKEN as error:
        raise OSError(f"{made.name}: cannot be read back ({error})") from error


def _compare(root: Root, reports: list[Old], made: Path) -> None:
    with tarfile.open(made, "r:gz") as tar:
        for report in reports:
            member = tar.next()
            packed = tar.extractfile(member) if member else None
            if member is None or member.name != report.path or packed is None:
                raise OSError(
                    f"{made.name}: {report.path} is not in it as it should be"
                )
            with packed, open_regular(root.path / report.path) as original:
                while True:
                    one, other = packed.read(CHUNK), original.read(CHUNK)
                    if one != other:
                        raise OSError(f"{made.name}: {report.path} differs in it")
                    if not one:
                        break
        if tar.next() is not None:
            raise OSError(f"{made.name}: holds more than was put into it")


def _remove(root: Root, report: Old) -> bool:
    """Remove an original, unless it has changed since it was packed."""
    path = root.path / report.path
    try:
        now = path.lstat()
        before = report.seen
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (
            before.st_ino,
            before.st_size,
            before.st_mtime_ns,
        ):
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _log(root: Root, now: datetime, bundle: Path, count: int) -> None:
    path = root.logs / "_rotate_reports.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.refuse_what_is_no_file(path)
    line = (
        f"[{now:%Y-%m-%dT%H:%M:%SZ}] rotate:archived count={count} "
        f"file={bundle.name} bytes={bundle.stat().st_size}\n"
    )
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line)
