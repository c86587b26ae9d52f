"""Writing a synthetic root: plainly, or with what is old moved into bundles."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from exporter.sample import nightly, planted
from exporter.sample.days import DAY_SECONDS, Input, chance, midnight
from exporter.sample.heartbeats import FOLDER as HEARTBEATS
from exporter.sample.heartbeats import day_heartbeats
from exporter.sample.queries import daily_twin, query_day, weekly

ARCHIVE = "g/reports/archive"
FOLDERS = (HEARTBEATS, nightly.HEALTH, "g/telemetry", "knowledge/optimize")
# Some members carry the path that the root had on the machine of the job.
HOME = "/Users/ops/02luka/"
SUNDAY = 6


@dataclass
class SampleCount:
    """What was written; `files` and `size_bytes` are what lies in the root."""

    days: int = 0
    heartbeats: int = 0
    query_rows: int = 0
    files: int = 0
    size_bytes: int = 0
    bundles: int = 0


def write_sample(
    directory: Path,
    days: int,
    seed: int = 1,
    start: date = date(2025, 1, 1),
    progress: Callable[[int], None] | None = None,
    rotate_after: int | None = None,
) -> SampleCount:
    """Write a synthetic root of so many days into a new or empty folder.

    The same arguments give the same bytes and modification times; a longer
    root begins with the days of a shorter one, and each sixty days hold what
    `planted.py` tells of. With `rotate_after`, inputs
    that are that many days old when the last day ends lie in hourly bundles.
    `progress` is told after each day how many were written since (one).

    Raises ValueError for a number of days that makes no root, FileExistsError
    or NotADirectoryError if the folder cannot be used, OSError if it cannot
    be written to.
    """
    if days < 1:
        raise ValueError(f"a sample needs at least one day, not {days}")
    if rotate_after is not None and rotate_after < 0:
        raise ValueError(f"rotate_after must not be negative, but is {rotate_after}")
    if days > (date.max - start).days:
        raise ValueError(f"{days} days from {start} go beyond the year 9999")
    has_bundles = rotate_after is not None or days > min(planted.ADVICE_NIGHTS) + 2
    _prepare(directory, has_bundles)

    count = SampleCount(days)
    end = midnight(start) + days * DAY_SECONDS
    week: dict[int, list[float]] = {}
    # Of nights whose reports are moved on a day to come, by that day.
    advice: dict[int, list[Input]] = {}
    for number in range(days):
        day = start + timedelta(days=number)
        heartbeats = list(day_heartbeats(seed, day, number))
        queries = query_day(seed, day, number)
        summary = nightly.summary_text(seed, day, queries)
        inputs = [*heartbeats, queries.csv, nightly.dated_summary(day, summary)]
        for place, times in queries.times_ms.items():
            week.setdefault(place, []).extend(times)
        if day.weekday() == SUNDAY:
            inputs += weekly(seed, day, week)
            # A machine keeps few of them.
            inputs.append(nightly.health_report(seed, day))
            week = {}
        if number % planted.CYCLE in planted.PATTERN_DAYS:
            inputs.append(daily_twin(seed, day, queries.times_ms))
        if number % planted.CYCLE in planted.ADVICE_NIGHTS:
            advice[number + 2] = nightly.advisor_reports(seed, day, queries)
        if number in advice:
            _write(directory, _moved(day, advice.pop(number)), count)
            count.bundles += 1
        if rotate_after is not None:
            inputs = _rotate(directory, seed, day, inputs, rotate_after, end, count)
        for made in inputs:
            _write(directory, made, count)
        _append(directory, nightly.query_log_day(seed, day), count)
        _append(directory, nightly.telemetry_day(seed, day), count)
        count.heartbeats += len(heartbeats)
        count.query_rows += queries.csv.data.count(b"\n") - 1
        if progress:
            progress(1)

    # Overwritten every night, so that only the last night's are still there.
    _write(directory, nightly.latest_summary(day, summary), count)
    for report in nightly.advisor_reports(seed, day, queries):
        _write(directory, report, count)
    return count


def bundle(members: list[Input], prefix: str = "") -> bytes:
    """A tar.gz of some inputs, with nothing of this machine or moment in it."""
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member in members:
            info = tarfile.TarInfo(prefix + member.path)
            info.size, info.mtime = len(member.data), member.mtime
            info.uid, info.gid, info.uname, info.gname = 501, 20, "ops", "staff"
            archive.addfile(info, io.BytesIO(member.data))
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, packed, mtime=0) as stream:
        stream.write(tarred.getvalue())
    return packed.getvalue()


def _prepare(directory: Path, has_bundles: bool) -> None:
    """Make the folders, unless something would be in the way."""
    if directory.exists():
        if not directory.is_dir():
            raise NotADirectoryError(f"{directory} is a file, not a folder")
        if any(directory.iterdir()):
            raise FileExistsError(
                f"{directory} is not empty: name a new or an empty folder"
            )
    for folder in (*FOLDERS, *([ARCHIVE] if has_bundles else [])):
        (directory / folder).mkdir(parents=True)


def _moved(day: date, members: list[Input]) -> Input:
    """The bundle of a job that was started by hand, half an hour past midnight."""
    moment = midnight(day) + 1_800
    name = f"reports_{datetime.fromtimestamp(moment, UTC):%Y%m%d_%H%M%S}"
    return Input(f"{ARCHIVE}/{name}.tar.gz", moment, bundle(members))


def _rotate(
    directory: Path,
    seed: int,
    day: date,
    inputs: list[Input],
    after: int,
    end: int,
    count: SampleCount,
) -> list[Input]:
    """Bundle the inputs of a day by hour; returns those too young for it.

    The hourly job takes what was written in an hour `after` days after that
    hour's end, so that no bundle holds files of two days.
    """
    young: list[Input] = []
    hours: dict[int, list[Input]] = {}
    for made in inputs:
        moved_at = (made.mtime // 3600 + 1) * 3600 + after * DAY_SECONDS
        if moved_at > end:
            young.append(made)
        else:
            hours.setdefault(moved_at, []).append(made)

    draw = chance(seed, day, "rotation")
    for hour in range(24):
        late, absolute = int(draw.random() * 60), draw.random() < 0.3
        moved_at = midnight(day) + (hour + 1) * 3600 + after * DAY_SECONDS
        members = sorted(hours.get(moved_at, []))
        if members:
            moment = moved_at + late
            name = f"reports_{datetime.fromtimestamp(moment, UTC):%Y%m%d_%H%M%S}"
            data = bundle(members, HOME if absolute else "")
            made = Input(f"{ARCHIVE}/{name}.tar.gz", moment, data)
            _write(directory, made, count)
            count.bundles += 1
    return young


def _write(directory: Path, made: Input, count: SampleCount) -> None:
    # Half a million files: plain descriptors save a third of the time.
    path = f"{directory}/{made.path}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, made.data)
        os.utime(descriptor, (made.mtime, made.mtime))
    finally:
        os.close(descriptor)
    count.files += 1
    count.size_bytes += len(made.data)


def _append(directory: Path, made: Input, count: SampleCount) -> None:
    path = directory / made.path
    count.files += not path.exists()
    count.size_bytes += len(made.data)
    with path.open("ab") as stream:
        stream.write(made.data)
    os.utime(path, (made.mtime, made.mtime))
