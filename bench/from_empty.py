"""What it costs to build everything from empty, in time and memory."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import roots
from bench.context import EXPORTS, MIB, Bench, alternate, peak, times, years
from bench.each_night import one_more_day
from bench.process import Cost
from bench.report import Line, at_most, median_ratio, seconds


def from_empty(bench: Bench) -> None:
    """A year of exports from empty, and a night, against other ways to do it."""
    scale, found = bench.scale, bench.findings
    middle = bench.sample(scale.middle)
    out = bench.work / "out"
    checked: set[str] = set()

    def ours() -> Cost:
        roots.clear(middle.path)
        return bench.export(middle.path, EXPORTS)

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
        cost = one_more_day(bench, middle, kept, EXPORTS)
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
    bench.scripted[scale.middle] = costs["script"]
    span = years(scale.middle)
    ours_s = times(costs["ops-atomic"])
    ratio = median_ratio(ours_s, times(costs["script"]))
    words = f"{span} from empty, {len(EXPORTS)} exports alone, against"
    found.lines.append(at_most(f"{words} a script", ratio, 3))
    for name, peer_words in (
        ("pandas", "a pandas + pyarrow script"),
        ("external", "stock `external` over all history"),
    ):
        ratio = median_ratio(ours_s, times(costs[name]))
        by_night = times(costs["ops-atomic, one new day on top"])
        night_ratio = median_ratio(by_night, times(costs[name]))
        found.lines.append(
            Line(
                f"each night on top of {span}, {len(EXPORTS)} exports alone, against "
                f"{peer_words}",
                "faster (< 1 ×)",
                f"{night_ratio:.2f} ×",
                night_ratio < 1,
            )
        )
        found.lines.append(
            Line(
                f"{words} {peer_words}",
                "faster (< 1 ×)",
                f"{ratio:.2f} ×",
                ratio < 1,
            )
        )
    for name, its in costs.items():
        found.details.append(
            f"{span} from empty, exports alone, {name}: {seconds(times(its))}, peak "
            f"{peak(its) / MIB:.0f} MiB."
        )
    found.point(
        "from empty, script", scale.middle, statistics.median(times(costs["script"]))
    )


def slope(bench: Bench) -> None:
    """Everything of five years; time and memory must grow as they should."""
    scale, found = bench.scale, bench.findings
    if scale.middle not in bench.scripted:
        from_empty(bench)
    if scale.middle not in bench.built:
        marts(bench)
    long = bench.sample(scale.long)
    out = bench.work / "out"

    def ours() -> Cost:
        roots.clear(long.path)
        return bench.export(long.path)

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
    bench.built[scale.long] = costs["ours"]
    for days, taken in bench.built.items():
        found.point("from empty, ops-atomic", days, statistics.median(times(taken)))
    found.point("from empty, script", scale.long, statistics.median(script_s))


def bundles(bench: Bench) -> None:
    """The middle root rotated away, from empty: bundles are read as a stream."""
    sample = bench.sample(bench.scale.middle, rotated=True)
    roots.clear(sample.path)
    cost = bench.export(sample.path)
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


def marts(bench: Bench) -> None:
    """All marts of a year from empty, against the exports of that year."""
    scale, found = bench.scale, bench.findings
    sample = bench.sample(scale.middle)
    everything: list[Cost] = []
    alone: list[float] = []
    for _ in range(scale.middle_repeats):
        roots.clear(sample.path)
        everything.append(bench.export(sample.path))
        for made in ("marts", "state/gathered"):
            shutil.rmtree(sample.path / "g" / "analytics" / made, ignore_errors=True)
        alone.append(bench.export(sample.path).seconds)
    bench.built[scale.middle] = everything
    exports = [both - one for both, one in zip(times(everything), alone, strict=True)]
    span = years(scale.middle)
    found.lines.append(
        at_most(
            f"all marts of {span} from empty, against its exports",
            median_ratio(alone, exports),
            0.5,
        )
    )
    found.details.append(
        f"{span} from empty, everything: {seconds(times(everything))}, peak "
        f"{peak(everything) / MIB:.0f} MiB; all marts of it: {seconds(alone)}."
    )


def _remove_peer_output(out: Path) -> None:
    for suffix in ("", ".target", ".logs"):
        shutil.rmtree(f"{out}{suffix}", ignore_errors=True)
