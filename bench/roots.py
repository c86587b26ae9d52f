"""Roots to measure on, and how a root is put back as it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from exporter.sample import write_sample

# What our command writes below a root.
OUTPUTS = (
    "g/analytics",
    "g/logs",
    "g/reports/parquet",
    "knowledge/optimize/parquet",
)
FEW_HEARTBEATS = 15
# Replaced by renaming, never written to: a hard link keeps them as they are.
REPLACED = (".gz", ".parquet")


@dataclass(frozen=True)
class Sample:
    """A synthetic root and, in a folder of its own, what one more day brings.

    `more` holds the new and changed inputs; `less` the old state of the
    changed ones.
    """

    path: Path
    more: Path
    less: Path
    days: int
    input_bytes: int
    heartbeats: int


def first_day(days: int) -> date:
    """So that the day after the last is yesterday: the newest files are young."""
    return datetime.now(UTC).date() - timedelta(days=days + 1)


def make(work: Path, days: int, rotated: bool = False) -> Sample:
    """A root of so many days; one that is there from before is used again."""
    name = f"{'rotated' if rotated else 'live'}-{days}"
    path, more, less = work / name, work / f"{name}.more", work / f"{name}.less"
    notes = work / f"{name}.json"
    if not notes.exists():
        for folder in (path, more, less):
            shutil.rmtree(folder, ignore_errors=True)
        start = first_day(days)
        rotate_after = 1 if rotated else None
        count = write_sample(path, days, start=start, rotate_after=rotate_after)
        bigger = work / f"{name}.next"
        shutil.rmtree(bigger, ignore_errors=True)
        if rotated:
            more.mkdir()
            less.mkdir()
        else:
            write_sample(bigger, days + 1, start=start)
            split_difference(path, bigger, more, less)
            shutil.rmtree(bigger)
        notes.write_text(
            json.dumps([input_bytes(path), count.heartbeats]), encoding="utf-8"
        )
    size, heartbeats = json.loads(notes.read_text(encoding="utf-8"))
    return Sample(path, more, less, days, size, heartbeats)


def make_few_heartbeats(work: Path) -> Path:
    """A root with nothing but FEW_HEARTBEATS."""
    root = work / "few-heartbeats"
    if not root.exists():
        whole, made = work / "few-heartbeats.whole", work / "few-heartbeats.made"
        for folder in (whole, made):
            shutil.rmtree(folder, ignore_errors=True)
        write_sample(whole, 1, start=first_day(1))
        found = sorted(path for path in files_below(whole) if "heartbeat_" in path)
        for path in found[:FEW_HEARTBEATS]:
            copy(whole / path, made / path)
        shutil.rmtree(whole)
        made.rename(root)
    return root


def make_large_file(work: Path, megabytes: int) -> Path:
    """A root with one CSV of so many MB, none of its rows like another."""
    root = work / f"large-{megabytes}"
    path = root / "g" / "reports" / "query_perf_daily_20250101.csv"
    if not path.exists():
        path.parent.mkdir(parents=True)
        rng = Random(megabytes)
        made = path.with_suffix(".made")
        with made.open("w", encoding="utf-8") as stream:
            stream.write(
                "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
                "rows_returned,cache_hit,table_name,index_used\n"
            )
            while stream.tell() < megabytes * 1_000_000:
                stream.write("".join(_row(rng) for _ in range(10_000)))
        made.rename(path)
    return root


def _row(rng: Random) -> str:
    at = datetime(2025, 1, 1) + timedelta(seconds=rng.randrange(86_400))
    return (
        f"{at:%Y-%m-%dT%H:%M:%S}Z,{rng.getrandbits(48):012x},SELECT,"
        f"{rng.random() * 100:.3f},{rng.randrange(10_000)},{rng.randrange(100)},"
        f"{'true' if rng.random() < 0.5 else 'false'},table_{rng.randrange(40)},"
        f"idx_{rng.randrange(40)}\n"
    )


def files_below(folder: Path) -> Iterator[str]:
    """All files of a folder as paths relative to it."""
    for where, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(where, name), folder)


def input_bytes(root: Path) -> int:
    return sum((root / path).stat().st_size for path in files_below(root))


def split_difference(old: Path, new: Path, more: Path, less: Path) -> None:
    """Move into `more` what is new or other in `new`; copy its old into `less`."""
    more.mkdir()
    less.mkdir()
    for path in files_below(new):
        made = (new / path).stat()
        before = old / path
        if before.exists():
            seen = before.stat()
            if (seen.st_size, seen.st_mtime) == (made.st_size, made.st_mtime):
                continue
            copy(before, less / path)
        copy(new / path, more / path)


def copy(origin: Path, place: Path) -> None:
    """Copy a file with its times, in place of what may lie there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    shutil.copy2(origin, place)


def add_day(sample: Sample) -> None:
    """Lay one more day over the inputs."""
    for path in files_below(sample.more):
        copy(sample.more / path, sample.path / path)


def take_day_away(sample: Sample) -> None:
    """Undo add_day."""
    for path in files_below(sample.more):
        (sample.path / path).unlink(missing_ok=True)
    for path in files_below(sample.less):
        copy(sample.less / path, sample.path / path)


def clear(root: Path) -> None:
    """Remove all that our command has written."""
    for output in OUTPUTS:
        shutil.rmtree(root / output, ignore_errors=True)


def keep(root: Path, place: Path) -> None:
    """Remember the outputs of a root, most of them as hard links."""
    shutil.rmtree(place, ignore_errors=True)
    for output in OUTPUTS:
        if (root / output).is_dir():
            _copy_tree(root / output, place / output)


def restore(root: Path, place: Path) -> None:
    """Put the outputs back as `keep` found them."""
    clear(root)
    for output in OUTPUTS:
        if (place / output).is_dir():
            _copy_tree(place / output, root / output)


def _copy_tree(origin: Path, place: Path) -> None:
    shutil.copytree(origin, place, copy_function=_link_or_copy, symlinks=True)


def _link_or_copy(origin: str, place: str) -> None:
    if origin.endswith(REPLACED):
        os.link(origin, place)
    else:
        shutil.copy2(origin, place)
