"""What a run costs on top of what is there: with nothing new, and with one day."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench import roots
from bench.context import (
    EXPORTS,
    MIB,
    PROJECT,
    Bench,
    alternate,
    peak,
    times,
    years,
)
from bench.process import Cost
from bench.report import at_most, median_ratio, seconds
from bench.roots import Sample

# A dbt project of one model.
EMPTY = PROJECT / "bench" / "peers" / "empty"


def one_more_day(
    bench: Bench, sample: Sample, kept: Path, datasets: Sequence[str] = ()
) -> Cost:
    """Export with one more day, and put the root back as it was kept."""
    roots.add_day(sample)
    os.sync()
    try:
        return bench.export(sample.path, datasets)
    finally:
        roots.take_day_away(sample)
        roots.restore(sample.path, kept)
        # To put back five years makes much to write, for which others would wait.
        os.sync()


def nothing_new(bench: Bench) -> None:
    """A rerun with nothing new, against importing DuckDB."""
    scale, found = bench.scale, bench.findings
    for days, rotated, limit in (
        (scale.short, False, None),
        (scale.middle, False, 8),
        (scale.middle, True, 8),
        (scale.long, False, 20),
    ):
        sample = bench.exported(bench.sample(days, rotated))
        costs = alternate(
            {"ours": partial(bench.export, sample.path), "import": bench.import_duckdb},
            scale.repeats,
        )
        ours, base = times(costs["ours"]), times(costs["import"])
        words = f"rerun with nothing new, {years(days)}" + (
            " of bundles" if rotated else f" ({sample.heartbeats:,} heartbeats)"
        )
        if limit is not None:
            found.lines.append(
                at_most(
                    f"{words}, against `import duckdb`", median_ratio(ours, base), limit
                )
            )
        found.details.append(
            f"{words}: {seconds(ours)}, peak {peak(costs['ours']) / MIB:.0f} MiB; "
            f"`import duckdb` {seconds(base)}."
        )
        if not rotated:
            found.point("nothing new", days, statistics.median(ours))


def empty_project(bench: Bench) -> Cost:
    """`dbt build` of a project of one model."""
    folder = str(bench.work / "empty")
    return bench.python(
        *("-m", "dbt.cli.main", "--quiet", "build"),
        *("--project-dir", str(EMPTY), "--profiles-dir", str(EMPTY)),
        *("--target-path", folder, "--log-path", folder),
    )


def exports_alone(bench: Bench) -> None:
    """The first export of some heartbeats, and one new day, both without marts."""
    scale, found = bench.scale, bench.findings
    sample = bench.exported(bench.sample(scale.short))
    kept = bench.work / "kept-exports"
    roots.keep(sample.path, kept)
    few = roots.make_few_heartbeats(bench.work)

    def first() -> Cost:
        roots.clear(few)
        return bench.export(few, EXPORTS)

    empty_project(bench)  # parsed once, as ours is by `make venv`
    costs = alternate(
        {
            "first": first,
            "day": lambda: one_more_day(bench, sample, kept, EXPORTS),
            "empty": partial(empty_project, bench),
        },
        scale.repeats,
    )
    shutil.rmtree(kept, ignore_errors=True)
    for name, words in (
        ("first", f"first export of {roots.FEW_HEARTBEATS} heartbeats"),
        ("day", f"one new day on top of {years(scale.short)}"),
    ):
        its, empty = times(costs[name]), times(costs["empty"])
        line = f"{words}, {len(EXPORTS)} exports alone, against an empty project"
        found.lines.append(at_most(line, median_ratio(its, empty), 1.3))
        found.details.append(
            f"{words}, {len(EXPORTS)} exports alone: {seconds(its)}, peak "
            f"{peak(costs[name]) / MIB:.0f} MiB; `dbt build` of an empty project "
            f"{seconds(empty)}."
        )


def new_day(bench: Bench) -> None:
    """One new day on top of a short and a long history."""
    scale, found = bench.scale, bench.findings
    samples = {d: bench.exported(bench.sample(d)) for d in (scale.short, scale.long)}
    for days, sample in samples.items():
        roots.keep(sample.path, bench.work / f"kept-{days}")

    def one_day(days: int) -> Cost:
        return one_more_day(bench, samples[days], bench.work / f"kept-{days}")

    empty_project(bench)  # parsed once, as ours is
    costs = alternate(
        {
            "short": lambda: one_day(scale.short),
            "long": lambda: one_day(scale.long),
            "empty": partial(empty_project, bench),
        },
        scale.repeats,
    )
    for days in samples:
        shutil.rmtree(bench.work / f"kept-{days}", ignore_errors=True)
    short, long, empty = (times(costs[n]) for n in ("short", "long", "empty"))
    few, many = years(scale.short), years(scale.long)
    found.lines.append(
        at_most(
            f"one new day on top of {many}, against on top of {few}",
            median_ratio(long, short),
            1.25,
        )
    )
    found.lines.append(
        at_most(
            f"one new day with all marts on top of {few}, against `dbt build` of an "
            "empty project",
            median_ratio(short, empty),
            1.8,
        )
    )
    found.details.append(
        f"One new day: on top of {few} {seconds(short)}, peak "
        f"{peak(costs['short']) / MIB:.0f} MiB; on top of {many} {seconds(long)}, "
        f"peak {peak(costs['long']) / MIB:.0f} MiB; `dbt build` of an empty project "
        f"{seconds(empty)}."
    )
    found.point("one new day", scale.short, statistics.median(short))
    found.point("one new day", scale.long, statistics.median(long))
