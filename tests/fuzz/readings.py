"""What inputs say, read as simply as can be and by nothing of the project.

An input is read into claims: what has to show among the published rows, or
among the rejects, once it was landed. A claim is found by its tokens: marks such
as `mk00002a`, which the fuzzers write into every record, names of heartbeats and
hashes of queries. Of a record that is plainly right the whole row is claimed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from tests.fuzz.snapshots import Snapshot, inputs

MARK = re.compile(r"mk[0-9a-f]{6}(?![0-9a-f])")
CANARY = "Kn4ry"
"""Every planted secret begins so, and nothing else does."""

HEARTBEAT = re.compile(r"heartbeat_(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)\.(?:md|json)")
DATED = re.compile(r"query_perf_(?:daily_(\d{8})|weekly_(\d{6}))\.(csv|json)")
BUNDLE = re.compile(r"reports_\d{8}_\d{6}\.tar\.gz")
KINDS = (
    (HEARTBEAT, "heartbeats"),
    (DATED, "dated"),
    (re.compile(r"query_perf\.jsonl"), "query_log"),
    (re.compile(r"rollup_daily\.ndjson"), "telemetry"),
    (re.compile(r"index_advisor_report\.json"), "index_advisor"),
    (re.compile(r"optimization_summary(_.*)?\.txt", re.DOTALL), "optimization_summary"),
    (re.compile(r"health_\d{8}\.json"), "health"),
    (re.compile(r"\d{8}_\d{6}\.md"), "mcp_health"),
    (re.compile(r"OPS_ATOMIC_\d{6}_\d{6}\.md"), "daily_run"),
)
PLACES = {
    "g/reports": {
        "dated",
        "query_log",
        "index_advisor",
        "optimization_summary",
        "daily_run",
    },
    "g/reports/health": {"health"},
    "g/reports/mcp_health": {"mcp_health"},
    "knowledge/optimize": {"index_advisor", "optimization_summary"},
    "g/telemetry": {"telemetry"},
}

Values = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Claim:
    """What has to show: a row of a dataset, or anything that holds a token.

    Without a `dataset` any row or reject with one of the tokens will do. `at` is
    the time of the record. One that `is_nightly` shows for each night on which its
    file was written, a day more or less. Equal claims that do not collapse show
    as often.
    """

    file: str
    tokens: frozenset[str]
    dataset: str | None = None
    values: Values = ()
    at: datetime | None = None
    is_nightly: bool = False
    collapses: bool = False


@dataclass(frozen=True)
class Reading:
    """One content of one input.

    Readings of one `group` replace each other; without one, each counts.
    `modified` is in epoch seconds, `records` how many lines or entries it has.
    """

    name: str
    kind: str
    text: str = field(repr=False)
    modified: int
    claims: tuple[Claim, ...] = field(repr=False)
    group: str | None = None
    records: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The same for equal content under one name."""
        return self.name, self.text


def kind_of(name: str) -> str | None:
    """Which source a base name belongs to."""
    return next((kind for pattern, kind in KINDS if pattern.fullmatch(name)), None)


def utc(epoch: float) -> datetime:
    """Epoch seconds as a naive UTC time."""
    return datetime(1970, 1, 1) + timedelta(seconds=epoch)


def decoded(data: bytes) -> str:
    """Text as its mark or its first letter says."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    for start, encoding in ((b"\0", "utf-16-be"), (data[:1] + b"\0", "utf-16-le")):
        if data.startswith(start):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def marks(text: str) -> frozenset[str]:
    """All marks in a text."""
    return frozenset(MARK.findall(text))


def query_token(query: str) -> str:
    """The hash by which rows of the query log know their query."""
    normal = " ".join(query.lower().split())
    data = re.sub("[\ud800-\udfff]", "\ufffd", normal).encode()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()[:12]


def time_token(file: str, at: datetime) -> str:
    """By which a row is known whose query was masked before it was hashed."""
    return f"{file} at {at.isoformat()}"


def name_time(name: str) -> datetime | None:
    """When a heartbeat was written, as its name says."""
    match = HEARTBEAT.fullmatch(name)
    try:
        return (
            datetime.fromisoformat("{}T{}:{}:{}".format(*match.groups()))
            if match
            else None
        )
    except ValueError:
        return None


def dated_day(name: str) -> date | None:
    """The day a dated file stands for."""
    match = DATED.fullmatch(name)
    try:
        if match and match[1]:
            return datetime.strptime(match[1], "%Y%m%d").date()
        if match:
            return date.fromisocalendar(int(match[2][:4]), int(match[2][4:]), 1)
    except ValueError:
        pass
    return None


# What is readable


def readings_in(snapshot: Snapshot) -> Iterator[tuple[str, Reading]]:
    """(path relative to the root, what it says) of all that is readable."""
    for path, (data, mtime_ns, _, _) in sorted(inputs(snapshot).items()):
        folder, _, name = path.rpartition("/")
        kind = kind_of(name)
        if data is None:
            continue
        if folder == "g/reports/archive" and BUNDLE.fullmatch(name):
            for reading in bundle_readings(data):
                yield path, reading
        elif (kind == "heartbeats" and path.startswith("g/reports/")) or (
            kind and kind in PLACES.get(folder, ())
        ):
            yield path, read(name, data, mtime_ns // 10**9)


@lru_cache(maxsize=2_000)
def bundle_readings(data: bytes) -> tuple[Reading, ...]:
    """The inputs in a bundle that is whole; of any other, none."""
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
            return tuple(_members(tar))
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, KeyError):
        return ()


def _members(tar: tarfile.TarFile) -> Iterator[Reading]:
    for member in tar:
        name = member.name.replace("\\", "/").rpartition("/")[2]
        if kind_of(name) and (member.isreg() or member.islnk()):
            stream = tar.extractfile(member)
            if stream:
                yield read(name, stream.read(), _believable(member.mtime))


def _believable(mtime: float) -> int:
    """An archive may claim any time, even none."""
    return int(min(max(mtime, 0), 1e11)) if math.isfinite(mtime) else 0


@lru_cache(maxsize=20_000)
def read(name: str, data: bytes, modified: int) -> Reading:
    """What one file says."""
    from tests.fuzz.parsers import PARSERS

    kind = kind_of(name)
    assert kind is not None
    return PARSERS[kind](name, decoded(data), modified)
