"""The sources: one entry says all that the rest of the project asks of each.

A new source is a module that reads it in `ingest/sources/`, an entry here and a
folder of models; `CONTRIBUTING.md` leads through it. Every other table of
sources is made from this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from types import ModuleType

from ingest.masking.masks import Masks
from ingest.sources import (
    daily_run,
    health,
    heartbeats,
    index_advisor,
    legacy_parquet,
    mcp_health,
    optimization_summary,
    query_csv,
    query_json,
    query_log,
    telemetry,
)
from ingest.sources.lines import Parsed
from ingest.sources.reports import Reading

REPORTS = "g/reports"
KNOWLEDGE = "knowledge/optimize"

# A report's name and its masked text.
ReportReader = Callable[[str, str], Reading]
# Text, line number, file, time where it has none, present, masks.
LineParser = Callable[[str, int, str, datetime, datetime, Masks], Parsed]


class Identity(Enum):
    """What an input's records are known by: which loader lands them."""

    NAME = auto()
    """The file name; of two contents the whole one, else the newer. Many."""

    VERSION = auto()
    """Dated files of rows: each its own part, of which one content counts."""

    LINE = auto()
    """File, text and ordinal among equal lines: files that grow."""

    REPORT = auto()
    """The time stamp of a document that is overwritten again and again."""

    FILE = auto()
    """The file name; the content with most in it counts, of as many the newest."""

    NIGHT = auto()
    """Content and night: free text, overwritten or dated."""

    ROW = auto()
    """File, content and number of the row: Parquet of another program."""

    COLUMN = auto()
    """Names of columns and keys, which all loaders see."""


@dataclass(frozen=True)
class Kind:
    """What a file's name tells: where such files lie, and what they are called.

    `folders` are below the root; in bundles the base name alone tells. `shown` is
    where they are looked for as people write it. Half of a file that
    `is_settled` would be taken for another version of it. `read` reads one of
    several kinds that feed one source.
    """

    name: str
    title: str
    pattern: re.Pattern[str]
    folders: tuple[str, ...]
    shown: str
    is_deep: bool = False
    is_settled: bool = False
    read: ReportReader | None = None


@dataclass(frozen=True)
class Source:
    """One source of the landing.

    `counts_for` are the datasets of which its landed records are counted, the
    first of them that of its rejects; `kinds` the files that feed it; `parsers`
    the modules that turn its text into records; `nightly` is what a check calls
    it that expects one a day; `is_heard` says that what is published tells when
    it was last heard of, else its landing does.
    """

    name: str
    identity: Identity
    counts_for: tuple[str, ...]
    kinds: tuple[Kind, ...] = ()
    parsers: tuple[ModuleType, ...] = ()
    parse_line: LineParser | None = None
    nightly: str | None = None
    is_heard: bool = True

    @property
    def is_csv(self) -> bool:
        """Whether it is landed as CSV, each input as a part; else as NDJSON."""
        return self.identity is Identity.VERSION

    @property
    def is_read_again(self) -> bool:
        """Whether whole texts are landed, which a better parser reads again."""
        return self.identity in (Identity.NAME, Identity.FILE)

    @property
    def line_parser(self) -> LineParser:
        """What reads its lines. Raises ValueError for a source without lines."""
        if self.parse_line is None:
            raise ValueError(f"{self.name} has no lines")
        return self.parse_line

    @property
    def dataset(self) -> str:
        """The dataset that its rejects were meant for."""
        return self.counts_for[0]


DATED = Kind(
    "dated",
    "query performance",
    re.compile(r"query_perf_(?:daily_(\d{8})|weekly_(\d{6}))\.(csv|json)", re.ASCII),
    (REPORTS,),
    "g/reports/query_perf_{daily,weekly}_*.{csv,json}",
)

ENTRIES = (
    Source(
        "heartbeats",
        Identity.NAME,
        ("ops_atomic", "heartbeat_checks"),
        (
            Kind(
                "heartbeats",
                "heartbeats",
                heartbeats.NAME,
                (REPORTS,),
                "g/reports/**/heartbeat_*.{md,json}",
                is_deep=True,
            ),
        ),
        (heartbeats,),
    ),
    Source(
        "query_rows",
        Identity.VERSION,
        ("query_perf",),
        (DATED,),
        (query_csv,),
        nightly="query_perf CSV",
    ),
    Source(
        "query_patterns",
        Identity.VERSION,
        ("query_patterns",),
        (DATED,),
        (query_csv, query_json),
        nightly="query_perf CSV",
    ),
    Source(
        "query_log",
        Identity.LINE,
        ("query_perf",),
        (
            Kind(
                "query_log",
                "the query log",
                re.compile(r"query_perf\.jsonl"),
                (REPORTS,),
                "g/reports/query_perf.jsonl",
            ),
        ),
        (query_log,),
        query_log.parse_line,
    ),
    Source(
        "telemetry",
        Identity.LINE,
        ("optimization_summary",),
        (
            Kind(
                "telemetry",
                "telemetry",
                re.compile(r"rollup_daily\.ndjson"),
                ("g/telemetry",),
                "g/telemetry/rollup_daily.ndjson",
            ),
        ),
        (telemetry,),
        telemetry.parse_line,
        nightly="telemetry",
    ),
    Source(
        "index_advisor",
        Identity.REPORT,
        ("index_advisor", "query_patterns", "advisor_reports"),
        (
            Kind(
                "index_advisor",
                "index advice",
                re.compile(r"index_advisor_report\.json"),
                (KNOWLEDGE, REPORTS),
                "{knowledge/optimize,g/reports}/index_advisor_report.json",
                is_settled=True,
            ),
        ),
        (index_advisor,),
        nightly="index advisor",
    ),
    Source(
        "optimization_summary",
        Identity.NIGHT,
        ("optimization_summary",),
        (
            Kind(
                "optimization_summary",
                "optimizer summaries",
                re.compile(r"optimization_summary(?:_.*)?\.txt", re.DOTALL),
                (KNOWLEDGE, REPORTS),
                "knowledge/optimize/optimization_summary.txt, "
                "g/reports/optimization_summary_*.txt",
                is_settled=True,
            ),
        ),
        (optimization_summary,),
        nightly="optimizer summary",
    ),
    Source(
        "reports",
        Identity.FILE,
        ("report_checks",),
        (
            Kind(
                "health",
                "health reports",
                re.compile(r"health_\d{8}\.json", re.ASCII),
                (f"{REPORTS}/health",),
                "g/reports/health/health_*.json",
                read=health.read,
            ),
            Kind(
                "mcp_health",
                "MCP health reports",
                re.compile(r"\d{8}_\d{6}\.md", re.ASCII),
                (f"{REPORTS}/mcp_health",),
                "g/reports/mcp_health/*.md",
                read=mcp_health.read,
            ),
            Kind(
                "daily_run",
                "reports of the daily run",
                re.compile(r"OPS_ATOMIC_\d{6}_\d{6}\.md", re.ASCII),
                (REPORTS,),
                "g/reports/OPS_ATOMIC_*.md",
                read=daily_run.read,
            ),
        ),
        (health, mcp_health, daily_run),
    ),
    Source(
        "legacy_parquet",
        Identity.ROW,
        # The rows of other datasets, as what becomes of them.
        ("ops_atomic", "rejected_records"),
        parsers=(legacy_parquet,),
        is_heard=False,
    ),
    Source("observed_columns", Identity.COLUMN, ("schema_drift",), is_heard=False),
)

SOURCES = {source.name: source for source in ENTRIES}
CSV_SOURCES = tuple(source.name for source in ENTRIES if source.is_csv)
KINDS = {kind.name: kind for source in ENTRIES for kind in source.kinds}


def sources_known_by(identity: Identity) -> tuple[Source, ...]:
    """The sources that one loader lands."""
    return tuple(source for source in ENTRIES if source.identity is identity)


def sources_of(kind: str) -> tuple[Source, ...]:
    """The sources that files of a kind may feed."""
    return tuple(s for s in ENTRIES if any(k.name == kind for k in s.kinds))


def nightly() -> dict[str, tuple[str, ...]]:
    """What nightly jobs write, as a check calls it: the sources behind it."""
    found: dict[str, tuple[str, ...]] = {}
    for source in ENTRIES:
        if source.nightly is not None:
            found[source.nightly] = (*found.get(source.nightly, ()), source.name)
    return found


def identity_of(kind: str) -> Identity:
    """What the records of a kind of files are known by."""
    return sources_of(kind)[0].identity


def is_told_by_name(kind: str) -> bool:
    """Whether readings of one name are told apart where they are merged."""
    return identity_of(kind) in (Identity.NAME, Identity.VERSION, Identity.FILE)
