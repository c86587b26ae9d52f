"""What was measured, as a table for people and as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

HOLDS = {True: "yes", False: "no", None: "–"}


@dataclass(frozen=True)
class Line:
    """One line of the table. `holds` is None where there is no target."""

    measure: str
    target: str
    measured: str
    holds: bool | None = None


@dataclass
class Findings:
    """All lines, what each rests on, and the points of the plot.

    `details` are sentences by measure; `points` are (days, seconds) by series.
    """

    lines: list[Line] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def point(self, series: str, days: int, seconds: float) -> None:
        self.points.setdefault(series, []).append((days, seconds))


def at_most(measure: str, ratio: float, limit: float, unit: str = " ×") -> Line:
    """A line whose figure must not be above a limit."""
    return Line(measure, f"≤ {limit:g}{unit}", f"{ratio:.2f}{unit}", ratio <= limit)


def at_least(measure: str, ratio: float, limit: float, unit: str) -> Line:
    """A line whose figure must not be below a limit."""
    return Line(measure, f"≥ {limit:g}{unit}", f"{ratio:.1f}{unit}", ratio >= limit)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median over median: runs alternate, so that both saw the same machine."""
    return statistics.median(ours) / statistics.median(theirs)


def seconds(times: Sequence[float]) -> str:
    """Some runs as their median and range."""
    middle = statistics.median(times)
    if len(times) == 1:
        return f"{middle:.2f} s (one run)"
    return f"{middle:.2f} s ({min(times):.2f}–{max(times):.2f}, {len(times)} runs)"


def text_table(lines: Iterable[Line]) -> str:
    """The lines in columns, for a terminal."""
    rows = [("measure", "target", "measured", "holds")]
    rows += [(x.measure, x.target, x.measured, HOLDS[x.holds]) for x in lines]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def markdown_table(lines: Iterable[Line]) -> str:
    rows = ["| measure | target | measured | holds |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {x.measure} | {x.target} | {x.measured} | {HOLDS[x.holds]} |" for x in lines
    ]
    return "\n".join(rows)


def page(
    findings: Findings,
    machine: Mapping[str, str],
    prose: str,
    chart: str,
) -> str:
    """`docs/benchmarks.md`: table, plot, runs, machine, and the written part."""
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    details = "\n".join(f"- {detail}" for detail in findings.details)
    return f"""# Benchmarks

Made by `make bench`; do not edit by hand. What stands below "How it is
measured" is kept in `bench/notes.md`.

{markdown_table(findings.lines)}

![Cost of a run against stored history]({chart})

## Behind the figures

{details}

## Machine and versions

{about}

{prose.strip()}
"""
