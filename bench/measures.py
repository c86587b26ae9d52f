"""The measures: each runs its two sides in turn and adds lines of the table."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench import roots
from bench.check import OURS
from bench.context import MIB, PROJECT, Bench, alternate, peak, times, years
from bench.process import Cost
from bench.report import Line, at_least, at_most, median_ratio, seconds
from bench.roots import Sample

EMPTY = PROJECT / "bench" / "peers" / "empty"


# The measures, in the order in which they use the roots


def from_empty(bench: Bench) -> None:
    """A year and five years from empty, against the other ways to do it."""
    scale, found = bench.scale, bench.findings
    middle = bench.sample(scale.middle)
    out = bench.work / "out"
    checked: set[str] = set()

    def ours() -> Cost:
        roots.clear(middle.path)
        return bench.export(middle)

    def peer(module: str, python: Path = Path(sys.executable)) -> Callable[[], Cost]:
        def run_it() -> Cost:
            _remove_peer_output(out)
            cost = bench.run(
                str(python), "-m", f"bench.peers.{module}", str(middle.path), str(out)
            )
            if module not in checked:
                bench.python("-m", "bench.check", str(middle.path), str(out))
                checked.add(module)
            return cost

        return run_it

    def night() -> Cost:
        kept = bench.work / "kept"
        roots.keep(middle.path, kept)
        cost = one_more_day(bench, middle, kept)
        shutil.rmtree(kept)
        return cost

    sides = {
        "ops-atomic": ours,
        "ops-atomic, one new day on top": night,
        "script": peer("script"),
        "pandas": peer("pandas_script", bench.peers_python),
        "external": peer("external_run"),
    }
    costs = alternate(sides, scale.middle_repeats)
    _remove_peer_output(out)
    found.details.append(
        "The peers' rows of ops_atomic, heartbeat_checks and query_perf were "
        "compared with ours: no row differs."
    )
    bench.built[scale.middle] = costs["ops-atomic"]
    bench.scripted[scale.middle] = costs["script"]
    span = years(scale.middle)
    ours_s = times(costs["ops-atomic"])
    ratio = median_ratio(ours_s, times(costs["script"]))
    found.lines.append(at_most(f"{span} from empty, against a script", ratio, 3))
    for name, words in (
        ("pandas", "a pandas + pyarrow script"),
        ("external", "stock `external` over all history"),
    ):
        ratio = median_ratio(ours_s, times(costs[name]))
        by_night = times(costs["ops-atomic, one new day on top"])
        night_ratio = median_ratio(by_night, times(costs[name]))
        found.lines.append(
            Line(
                f"each night on top of {span}, against {words}",
                "faster (< 1 ×)",
                f"{night_ratio:.2f} ×",
                night_ratio < 1,
            )
        )
        found.lines.append(
            Line(
                f"{span} from empty, against {words}",
                "faster (< 1 ×)",
                f"{ratio:.2f} ×",
                ratio < 1,
            )
        )
    for name, its in costs.items():
        found.details.append(
            f"{span} from empty, {name}: {seconds(times(its))}, peak "
            f"{peak(its) / MIB:.0f} MiB."
        )
    found.point("from empty, ops-atomic", scale.middle, statistics.median(ours_s))
    found.point(
        "from empty, script", scale.middle, statistics.median(times(costs["script"]))
    )


def slope(bench: Bench) -> None:
    """The same with five years; time and memory must grow as they should."""
    scale, found = bench.scale, bench.findings
    if scale.middle not in bench.built:
        from_empty(bench)
    long = bench.sample(scale.long)
    out = bench.work / "out"

    def ours() -> Cost:
        roots.clear(long.path)
        return bench.export(long)

    def script() -> Cost:
        _remove_peer_output(out)
        return bench.python("-m", "bench.peers.script", str(long.path), str(out))

    costs = alternate({"ours": ours, "script": script}, scale.long_repeats)
    _remove_peer_output(out)
    grown = median_ratio(times(costs["ours"]), times(bench.built[scale.middle]))
    script_grown = median_ratio(
        times(costs["script"]), times(bench.scripted[scale.middle])
    )
    span, year = years(scale.long), years(scale.middle)
    found.lines.append(
        at_most(
            f"growth from {year} to {span} from empty, against the script's",
            grown / script_grown,
            1.5,
        )
    )
    most, most_of_year = peak(costs["ours"]), peak(bench.built[scale.middle])
    found.lines.append(
        at_most(f"peak memory, {span} from empty", most / MIB, 1024, " MiB")
    )
    found.lines.append(at_most(f"the same against {year}", most / most_of_year, 1.3))
    ours_s, script_s = times(costs["ours"]), times(costs["script"])
    found.details.append(
        f"{span} from empty: ops-atomic {seconds(ours_s)}, {grown:.2f} × {year}; "
        f"script {seconds(script_s)}, {script_grown:.2f} × {year}, peak "
        f"{peak(costs['script']) / MIB:.0f} MiB. Ours against the script's: "
        f"{median_ratio(ours_s, script_s):.2f} ×; seconds added, ours against the "
        f"script's: {_added(bench, ours_s, script_s):.2f} ×."
    )
    found.point("from empty, ops-atomic", scale.long, statistics.median(ours_s))
    found.point("from empty, script", scale.long, statistics.median(script_s))


def bundles(bench: Bench) -> None:
    """The middle root rotated away, from empty: bundles are read as a stream."""
    sample = bench.sample(bench.scale.middle, rotated=True)
    roots.clear(sample.path)
    cost = bench.export(sample)
    bench.findings.details.append(
        f"{years(bench.scale.middle)} of bundles from empty: ops-atomic "
        f"{seconds([cost.seconds])}, peak {cost.peak_bytes / MIB:.0f} MiB."
    )


def large_file(bench: Bench) -> None:
    """Memory must not grow with the size of an input."""
    megabytes = bench.scale.file_megabytes
    root = roots.make_large_file(bench.work, megabytes)
    roots.clear(root)
    cost = bench.python("-m", "exporter", "export", "--quiet", "--root", str(root))
    words = f"peak memory, a CSV of {megabytes} MB"
    most = cost.peak_bytes / MIB
    bench.findings.lines.append(at_most(words, most, 400, " MiB"))
    bench.findings.details.append(
        f"A CSV of {megabytes} MB: {seconds([cost.seconds])}, peak {most:.0f} MiB."
    )


def _added(bench: Bench, ours: Sequence[float], script: Sequence[float]) -> float:
    middle = bench.scale.middle
    more = statistics.median(ours) - statistics.median(times(bench.built[middle]))
    base = statistics.median(script) - statistics.median(times(bench.scripted[middle]))
    return more / base


def one_more_day(bench: Bench, sample: Sample, kept: Path) -> Cost:
    """Export with one more day, and put the root back as it was kept."""
    roots.add_day(sample)
    try:
        return bench.export(sample)
    finally:
        roots.take_day_away(sample)
        roots.restore(sample.path, kept)


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
            {"ours": partial(bench.export, sample), "import": bench.import_duckdb},
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


def new_day(bench: Bench) -> None:
    """One new day on top of a short and a long history."""
    scale, found = bench.scale, bench.findings
    samples = {d: bench.exported(bench.sample(d)) for d in (scale.short, scale.long)}
    for days, sample in samples.items():
        roots.keep(sample.path, bench.work / f"kept-{days}")

    def one_day(days: int) -> Cost:
        return one_more_day(bench, samples[days], bench.work / f"kept-{days}")

    def empty_project() -> Cost:
        folder = bench.work / "empty"
        return bench.python(
            "-m",
            "dbt.cli.main",
            "--quiet",
            "build",
            "--project-dir",
            str(EMPTY),
            "--profiles-dir",
            str(EMPTY),
            "--target-path",
            str(folder),
            "--log-path",
            str(folder),
        )

    empty_project()  # parsed once, as ours is
    costs = alternate(
        {
            "short": lambda: one_day(scale.short),
            "long": lambda: one_day(scale.long),
            "empty": empty_project,
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


def marts(bench: Bench) -> None:
    """All marts of a year from empty, against the exports of that year."""
    scale, found = bench.scale, bench.findings
    sample = bench.sample(scale.middle)
    everything, alone = [], []
    for _ in range(scale.middle_repeats):
        roots.clear(sample.path)
        everything.append(bench.export(sample).seconds)
        shutil.rmtree(sample.path / "g" / "analytics" / "marts")
        alone.append(bench.export(sample).seconds)
    exports = [both - one for both, one in zip(everything, alone, strict=True)]
    span = years(scale.middle)
    found.lines.append(
        at_most(
            f"all marts of {span} from empty, against its exports",
            median_ratio(alone, exports),
            0.5,
        )
    )
    found.details.append(f"All marts of {span} from empty: {seconds(alone)}.")


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
            f"{some.input_bytes / 1e6:.1f} MB of inputs: landing, ledger and dbt's "
            "memory of its last parse."
        )


def _sizes_by_day(root: Path, pattern: str) -> dict[str, int]:
    """Bytes by the eight digits of the day at the end of a file's name."""
    return {path.stem[-8:]: path.stat().st_size for path in root.glob(pattern)}


def _remove_peer_output(out: Path) -> None:
    for suffix in ("", ".target", ".logs"):
        shutil.rmtree(f"{out}{suffix}", ignore_errors=True)


MEASURES: dict[str, Callable[[Bench], None]] = {
    "from_empty": from_empty,
    "slope": slope,
    "bundles": bundles,
    "large_file": large_file,
    "nothing_new": nothing_new,
    "new_day": new_day,
    "marts": marts,
    "validate": validation,
    "aggregates": aggregates,
    "sizes": sizes,
}
