"""Which partitions of a fleet's marts there are to be, and what each is made from.

A day of a daily mart is made anew when what any machine gives to it has changed:
a file of an input, the settings, the code, or, as long as the day is not over, the
present moment.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from exporter.contracts.marts import every_day
from exporter.contracts.settings import Row, rows_of_day
from exporter.fleet.check import Good
from exporter.fleet.recipes import Recipe
from ingest.store.digests import digest

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Series:
    """The files of a machine and table: marks of their content by day, and the
    days that have rows, in order."""

    marks: dict[date, str] = field(default_factory=dict)
    days_with_rows: list[date] = field(default_factory=list)


@dataclass(slots=True)
class Partition:
    """A day of a daily mart: what it is made from, and which days of its inputs
    have to be read for it."""

    fingerprint: str = ""
    reads: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))


# Of each mart its partitions by day.
Plan = dict[str, dict[date, Partition]]


def plan_partitions(
    good: Iterable[Good],
    recipes: Mapping[str, Recipe],
    settings: Mapping[str, Sequence[Row]],
    now: datetime,
) -> Plan:
    """The partitions that all daily marts are to have at a present moment, UTC."""
    series = _series_of(good)
    plan: Plan = {}
    for recipe in recipes.values():
        if not recipe.is_daily:
            continue
        partitions, contents = _contents_of(recipe, series)
        past = sorted(day for day in partitions if day <= now.date())
        for day in past:
            partitions[day].fingerprint = digest(
                [
                    recipe.fingerprint,
                    _moment_of(day, now),
                    *(
                        f"{seed} {rows_of_day(seed, settings[seed], day)!r}"
                        for seed in recipe.settings
                    ),
                    *contents[day],
                ]
            )
        plan[recipe.name] = {day: partitions[day] for day in past}
    return plan


# By table and machine.
AllSeries = dict[str, dict[str, Series]]


def _series_of(good: Iterable[Good]) -> AllSeries:
    found: AllSeries = defaultdict(lambda: defaultdict(Series))
    for one in good:
        series = found[one.file.dataset][one.file.machine]
        series.marks[one.file.day] = one.mark
        if one.rows:
            series.days_with_rows.append(one.file.day)
    for machines in found.values():
        for series in machines.values():
            series.days_with_rows.sort()
    return found


def _contents_of(
    recipe: Recipe, series: AllSeries
) -> tuple[dict[date, Partition], dict[date, list[str]]]:
    """A mart's partitions, and marks of what each machine gives to them. What it
    gives is entered among the series: other marts read this one."""
    partitions: dict[date, Partition] = defaultdict(Partition)
    contents: dict[date, list[str]] = defaultdict(list)
    for machine in sorted({name for of in recipe.reads for name in series[of]}):
        inputs = {name: series[name][machine] for name in recipe.reads}
        for day in _days(recipe, inputs):
            content = []
            for name, days in _read(recipe, inputs, day):
                marks = inputs[name].marks
                partitions[day].reads[name] |= days
                content += [
                    f"{name} {one} {marks[one]}"
                    for one in sorted(days)
                    if one in marks and one <= day
                ]
            mark = digest([machine, *content])
            contents[day].append(mark)
            series[recipe.name][machine].marks[day] = mark
    return partitions, contents


def _moment_of(day: date, now: datetime) -> str:
    """The present moment, as long as a day is not over; then the day's end."""
    return min(now, datetime.combine(day + ONE_DAY, datetime.min.time())).isoformat()


def _days(recipe: Recipe, inputs: Mapping[str, Series]) -> Iterable[date]:
    """The days that a machine gives to a daily mart."""
    if recipe.every_day_of is None:
        return {day for series in inputs.values() for day in series.marks}
    days = inputs[recipe.every_day_of].days_with_rows
    if not days:
        return ()
    return every_day(days[0], days[-1])


def _read(
    recipe: Recipe, inputs: Mapping[str, Series], day: date
) -> Iterator[tuple[str, set[date]]]:
    """(input, days) that a machine's day of a mart is made from.

    Of a silent day also the next one with rows: it shows that the machine went
    on, and does not say how.
    """
    for name, reads in recipe.reads.items():
        first = day
        more: set[date] = set()
        if reads.skips_silence and recipe.every_day_of:
            known = inputs[recipe.every_day_of].days_with_rows
            before = bisect_left(known, day)
            first = known[before - 1] if before else day
            if before == len(known) or known[before] != day:
                more = set(known[bisect_right(known, day) :][:1])
        yield name, {*every_day(reads.first_day(first), day)} | more
