"""What the published files are good for: checking, asking, and their size."""

from __future__ import annotations

import json
import statistics
from functools import partial
from pathlib import Path

from bench import roots
from bench.check import OURS
from bench.context import MIB, Bench, alternate, peak, times, years
from bench.report import at_least, at_most, median_ratio, seconds


def validation(bench: Bench) -> None:
    """`validate` of a long history, against importing DuckDB."""
    scale = bench.scale
    sample = bench.exported(bench.sample(scale.long))
    costs = alternate(
        {
            "ours": lambda: bench.python(
                "-m", "exporter", "validate", "--root", str(sample.path)
            ),
            "import": bench.import_duckdb,
        },
        scale.repeats,
    )
    ours, base = times(costs["ours"]), times(costs["import"])
    span = years(scale.long)
    bench.findings.lines.append(
        at_most(
            f"`validate`, {span} of files, against `import duckdb`",
            median_ratio(ours, base),
            15,
        )
    )
    bench.findings.details.append(
        f"`validate`, {span}: {seconds(ours)}, peak {peak(costs['ours']) / MIB:.0f} "
        f"MiB; `import duckdb` {seconds(base)}."
    )


def status(bench: Bench) -> None:
    """`status` of a short and a long history, against importing DuckDB."""
    scale, found = bench.scale, bench.findings
    for days, limit in ((scale.short, 3), (scale.long, 8)):
        sample = bench.exported(bench.sample(days))
        costs = alternate(
            {
                "ours": partial(bench.status, sample.path),
                "import": bench.import_duckdb,
            },
            scale.repeats,
        )
        ours, base = times(costs["ours"]), times(costs["import"])
        span = f"`status`, {years(days)} ({sample.heartbeats:,} heartbeats)"
        found.lines.append(
            at_most(f"{span}, against `import duckdb`", median_ratio(ours, base), limit)
        )
        found.details.append(
            f"{span}: {seconds(ours)}, peak {peak(costs['ours']) / MIB:.0f} MiB; "
            f"`import duckdb` {seconds(base)}."
        )


def aggregates(bench: Bench) -> None:
    """Aggregates of query_perf over Parquet, against the same over the CSVs."""
    scale, found = bench.scale, bench.findings
    sample = bench.exported(bench.sample(scale.middle))
    parquet = sorted(map(str, sample.path.glob(OURS["query_perf"])))
    csv = sorted(map(str, sample.path.glob("g/reports/query_perf_daily_*.csv")))
    month = min(30, scale.middle)
    for words, query, days in (
        (f"{month}-day aggregate of query_perf", "daily", month),
        (f"{years(scale.middle)} of query_perf by query hash", "by_hash", scale.middle),
    ):
        taken: dict[str, list[float]] = {"parquet": [], "csv": []}
        digests = set()
        for _ in range(max(scale.repeats, 5)):
            for kind, paths in (("parquet", parquet), ("csv", csv)):
                listed = bench.work / "paths.json"
                listed.write_text(json.dumps(paths[-days:]), encoding="utf-8")
                bench.python("-m", "bench.aggregate", query, kind, str(listed))
                said = (bench.work / "last.log").read_text(encoding="utf-8")
                took, digest = json.loads(said)
                taken[kind].append(took)
                digests.add(digest)
        if len(digests) != 1:
            raise RuntimeError(f"{words}: Parquet and CSV give different results")
        ratio = median_ratio(taken["csv"], taken["parquet"])
        found.lines.append(
            at_least(f"{words}, Parquet against CSV", ratio, 10, " × faster")
        )
        found.details.append(
            f"{words}: Parquet {statistics.median(taken['parquet']) * 1000:.1f} ms, "
            f"CSV {statistics.median(taken['csv']) * 1000:.1f} ms, equal results."
        )


def sizes(bench: Bench) -> None:
    """query_perf against its CSV, and all state against its inputs."""
    scale, found = bench.scale, bench.findings
    sample = bench.exported(bench.sample(scale.middle))
    parquet = _sizes_by_day(sample.path, OURS["query_perf"])
    csv = _sizes_by_day(sample.path, "g/reports/query_perf_daily_*.csv")
    smaller = 100 * (1 - sum(parquet[day] for day in csv) / sum(csv.values()))
    worst = min(100 * (1 - parquet[day] / csv[day]) for day in csv)
    found.lines.append(
        at_least("size of query_perf Parquet against its CSV", smaller, 75, "% smaller")
    )
    found.lines.append(at_least("the same, the worst day", worst, 70, "% smaller"))
    found.details.append(
        f"query_perf, {years(scale.middle)}: CSV {sum(csv.values()) / 1e6:.1f} MB, "
        f"Parquet {sum(parquet.values()) / 1e6:.1f} MB (with the log's rows, which "
        "stand in no CSV)."
    )
    for days in (scale.short, scale.middle, scale.long):
        if not (bench.work / f"live-{days}.json").exists():
            continue
        some = bench.exported(bench.sample(days))
        state = roots.input_bytes(some.path / "g" / "analytics" / "state")
        share = 100 * state / some.input_bytes
        found.lines.append(
            at_most(f"all state against its inputs, {years(days)}", share, 35, "%")
        )
        found.details.append(
            f"State, {years(days)}: {state / 1e6:.1f} MB of "
            f"{some.input_bytes / 1e6:.1f} MB of inputs: landing, ledger and runs."
        )


def _sizes_by_day(root: Path, pattern: str) -> dict[str, int]:
    """Bytes by the eight digits of the day at the end of a file's name."""
    return {path.stem[-8:]: path.stat().st_size for path in root.glob(pattern)}
