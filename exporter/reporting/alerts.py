"""Evaluates a run by the thresholds: what an operator should look at.

A finding has a key that stays the same for as long as the matter stands. Its
text is None where the matter was looked at and is well. What a run says
nothing about, such as a dataset that it published no day of, has no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from exporter.contracts.datasets import ALWAYS
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from exporter.reporting.thresholds import GB, MB, Thresholds
from ingest.registry import CSV_SOURCES

Alerts = dict[str, str | None]

# What is watched for silence: the landing sources behind it, and its name.
WATCHED = {
    "heartbeats": (("heartbeats",), "heartbeat"),
    "csv": (CSV_SOURCES, "query_perf CSV"),
}

# A weekly report comes that late, and may miss a week.
DRIFT_HOLDS = timedelta(days=14)
DRIFT_WORDS = {"added": "new", "missing": "missing"}
# So many columns are told by name.
MOST_NAMED = 10
# Judged by what a run publishes: of such, a run that publishes none knows no better
# than the one before.
CARRIED = ("size:", "rejects:", "compression:", "test:")
# Not judged by a run that was asked for some days or datasets only.
CARRIED_WHERE_LIMITED = (*CARRIED, "stale:")


def evaluate_alerts(
    result: RunResult,
    stored: Stored,
    limits: Thresholds,
    now: datetime,
    awake_since: datetime | None = None,
) -> Alerts:
    """What a run and the store give reason to say. Reads no file.

    `awake_since` is when the machine woke, where that is known: silence while
    it slept is nobody's fault.
    """
    findings: Alerts = {
        "settings": "; ".join(limits.problems) or None,
        "storage": _storage(stored, limits),
    }
    published = result.with_status("exported")
    for dataset in sorted({file.dataset for file in published}):
        its_files = [file for file in published if file.dataset == dataset]
        findings[f"size:{dataset}"] = _sizes(its_files, limits)
        if dataset not in ALWAYS:
            findings[f"rejects:{dataset}"] = _rejects(dataset, its_files, limits)
        if dataset == "query_perf":
            findings[f"compression:{dataset}"] = _compression(its_files, stored, limits)
    findings.update(_drifts(stored))
    findings.update(_silences(stored, limits, now, awake_since))
    return findings


def carry_over(
    findings: Alerts, standing: Mapping[str, str], is_limited: bool = False
) -> None:
    """Add what stood after the last run and was not judged anew by this one."""
    carried = CARRIED_WHERE_LIMITED if is_limited else CARRIED
    for key, text in standing.items():
        if key.startswith(carried):
            findings.setdefault(key, text)


def stale_sources(findings: Alerts) -> set[str]:
    """The landing sources that a finding calls stale."""
    return {
        source
        for watched, (sources, _) in WATCHED.items()
        if findings.get(f"stale:{watched}")
        for source in sources
    }


def _storage(stored: Stored, limits: Thresholds) -> str | None:
    if stored.bytes <= limits.max_storage_gb * GB:
        return None
    return (
        f"storage: Parquet and landing take {stored.bytes / GB:.2f} GB, more than "
        f"{limits.max_storage_gb:g} GB"
    )


def _rejects(dataset: str, files: list[FileResult], limits: Thresholds) -> str | None:
    rejects = sum(file.rejected_rows for file in files)
    records = sum(file.rows for file in files) + rejects
    if not records or 100 * rejects / records <= limits.max_reject_percent:
        return None
    return (
        f"{dataset}: {rejects:,} of {records:,} records rejected "
        f"({100 * rejects / records:.1f}%), more than {limits.max_reject_percent:g}%"
    )


def _sizes(files: list[FileResult], limits: Thresholds) -> str | None:
    large = [file for file in files if file.parquet_bytes > limits.max_day_mb * MB]
    if not large:
        return None
    worst = max(large, key=lambda file: file.parquet_bytes)
    return (
        f"{worst.path}: {worst.parquet_bytes / MB:.1f} MB, more than "
        f"{limits.max_day_mb:g} MB for a day{_others(large)}"
    )


def _compression(
    files: list[FileResult], stored: Stored, limits: Thresholds
) -> str | None:
    poor = []
    for file in files:
        csv_bytes = stored.csv_bytes.get(file.day or "", 0)
        if not csv_bytes or file.rows <= limits.min_reduction_rows:
            continue
        reduction = 100 * (1 - file.parquet_bytes / csv_bytes)
        if reduction < limits.min_reduction_percent:
            poor.append((reduction, file))
    if not poor:
        return None
    reduction, worst = min(poor, key=lambda found: found[0])
    said = f"{reduction:.1f}% smaller" if reduction > 0 else "not smaller"
    return (
        f"{worst.path}: {said} than its CSV, less than "
        f"{limits.min_reduction_percent:g}%{_others(poor)}"
    )


def _others(found: list[FileResult] | list[tuple[float, FileResult]]) -> str:
    more = len(found) - 1
    return f" (and {more:,} more day{'' if more == 1 else 's'})" if more else ""


def _silences(
    stored: Stored,
    limits: Thresholds,
    now: datetime,
    awake_since: datetime | None,
) -> Iterator[tuple[str, str | None]]:
    patience = {
        "heartbeats": timedelta(minutes=limits.stale_heartbeat_minutes),
        "csv": timedelta(hours=limits.stale_csv_hours),
    }
    for watched, heard_at in stored.heard_at.items():
        key, name = f"stale:{watched}", WATCHED[watched][1]
        if now - heard_at <= patience[watched]:
            yield key, None
        elif not awake_since or now - awake_since > patience[watched]:
            last = (
                f"{heard_at:%Y-%m-%d %H:%M}"
                if watched == "heartbeats"
                else f"{heard_at - timedelta(days=1):%Y-%m-%d}"
            )
            yield key, f"no {name} for {_age(now - heard_at)}, the last is of {last}"


def _drifts(stored: Stored) -> Iterator[tuple[str, str | None]]:
    """Per source the columns that are new or missing in what came of it lately."""
    for source, newest, _ in stored.newest:
        holding: dict[str, list[tuple[str, str]]] = {}
        for (its_source, kind, name), (first_file, last) in stored.drift_seen.items():
            if its_source == source and (not newest or newest - last <= DRIFT_HOLDS):
                holding.setdefault(kind, []).append((name, first_file))
        said = [
            f"{_columns(found)} {DRIFT_WORDS[kind]}: {_listed(found)} "
            f"(first in {found[0][1]})"
            for kind, found in sorted(holding.items())
        ]
        yield f"drift:{source}", f"{source}: {'; '.join(said)}" if said else None


def _columns(found: list[tuple[str, str]]) -> str:
    return "1 column is" if len(found) == 1 else f"{len(found):,} columns are"


def _listed(found: list[tuple[str, str]]) -> str:
    more = len(found) - MOST_NAMED
    names = ", ".join(name for name, _ in found[:MOST_NAMED])
    return f"{names} and {more:,} more" if more > 0 else names


def _age(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    for size, unit in ((1440, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size:,} {unit}"
    return f"{minutes:,} minutes"
