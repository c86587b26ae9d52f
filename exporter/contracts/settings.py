"""The operator's own settings: rows of their own over those of a seed.

A seed whose yml declares `meta: {settings_key: […]}` may have a file of the same
name in `g/analytics/settings/`. Its rows take the place of the seed's rows with
the same key, and any others are added, so that an upgrade of the seed never
conflicts. A column that the file leaves out keeps the seed's cell.

A row with a fault counts for nothing, and neither does a file without the key's
columns; `Settings.problems` says so for each, with line, column and remedy. What
is right in the same file holds, and so does the seed.

What is set is no part of a `model_fingerprint`: whoever plans marts takes the
rows that a mart reads (`settings_rows`), of maintenance windows those that touch
the day (`rows_of_day`), into the fingerprint of what it is made from. The rows
are texts in one form each (`1.0`, `2025-10-28 07:30:00.000000`), in the order of
their keys, so that they say the same however a file was written.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from exporter.contracts.yml import read_yml
from exporter.runtime.errors import describe
from exporter.runtime.kept_values import Kept
from ingest import files
from ingest.root import PROJECT, Root
from ingest.text.times import parse_time, utc_text

# Cells by column; None where nothing stands.
Row = Mapping[str, str | None]
Key = tuple[str, ...]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# What `surrogateescape` makes of bytes that are no UTF-8.
NO_TEXT = re.compile(r"[\udc80-\udcff]")
# Files of other readers among the settings.
OTHERS = ("masks.csv",)


@dataclass(frozen=True)
class Seed:
    """A seed that settings may override, as its yml declares it.

    `columns` are types by column, `ranges` the least and the greatest number of
    a column (no greatest is written null), `span` the columns that hold a start
    and, maybe, an end.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    required: frozenset[str]
    ranges: Mapping[str, tuple[float, float]]
    span: tuple[str, str] | None

    def key_of(self, row: Row) -> Key:
        return tuple(row[column] or "" for column in self.key)


class Problem(NamedTuple):
    """What is wrong with a file: line, column and remedy."""

    file: str
    said: str

    def __str__(self) -> str:
        return f"{self.file}, {self.said}"


@dataclass
class Settings:
    """Rows by seed, the operator's files that were found (relative to the root),
    and what is wrong with any file."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def settings_rows(root: Root, project: Path = PROJECT) -> dict[str, list[Row]]:
    """What is in force, by seed: the rows in the order of their keys."""
    return read_settings(root, project).rows


def rows_of_day(seed: str, rows: Sequence[Row], day: date) -> list[Row]:
    """Those of a seed's rows that can shape a UTC day: of windows, those that
    touch it; of other seeds all."""
    span = settings_seeds()[seed].span
    if span is None:
        return list(rows)
    start = datetime(day.year, day.month, day.day)
    from_text, end = utc_text(start), utc_text(start + timedelta(days=1))
    return [
        row
        for row in rows
        if (row[span[0]] or "") < end and (row[span[1]] or end) > from_text
    ]


def read_settings(root: Root, project: Path = PROJECT) -> Settings:
    """The seeds' rows with the operator's over them. Raises no error for what the
    operator has written."""
    found = Settings()
    for name, seed in settings_seeds(project).items():
        text = files.read(project / "seeds" / f"{name}.csv").decode()
        merged = dict(_rows(seed, text, f"seeds/{name}.csv", {}, found.problems))
        own = root.settings / f"{name}.csv"
        if own.exists():
            shown = root.relative(own)
            found.files.append(shown)
            try:
                text = files.read(own).decode("utf-8-sig", "surrogateescape")
            except OSError as error:
                said = f"it does not count: {describe(error)}"
                found.problems.append(Problem(shown, said))
            else:
                merged |= dict(_rows(seed, text, shown, merged, found.problems))
        found.rows[name] = [merged[key] for key in sorted(merged)]
    found.problems += _unknown_files(root, found.rows)
    return found


@functools.cache
def settings_seeds(project: Path = PROJECT) -> dict[str, Seed]:
    """The seeds that settings may override, by name."""
    return SEEDS.take() if project == PROJECT else _read_seeds(project)


def seed_files(project: Path = PROJECT) -> Iterator[Path]:
    """All that they are made of."""
    yield from sorted((project / "seeds").glob("*.yml"))
    for name in ("settings", "yml"):
        yield project / "exporter" / "contracts" / f"{name}.py"


def _read_seeds(project: Path = PROJECT) -> dict[str, Seed]:
    found = {}
    for path in sorted((project / "seeds").glob("*.yml")):
        document = read_yml(path)
        for seed in document["seeds"]:
            meta = seed.get("config", {}).get("meta", {})
            if "settings_key" in meta:
                found[seed["name"]] = _seed(seed, meta)
    return found


# To read their yml takes longer than all else that a small command does.
SEEDS = Kept("settings_seeds.pickle", seed_files, _read_seeds)


def _seed(declared: Mapping[str, Any], meta: Mapping[str, Any]) -> Seed:
    span = meta.get("settings_span")
    return Seed(
        name=declared["name"],
        key=tuple(meta["settings_key"]),
        columns=declared["config"]["column_types"],
        required=frozenset(
            column["name"]
            for column in declared["columns"]
            if "not_null" in column.get("data_tests", ())
        ),
        ranges={
            column: (float(least), math.inf if most is None else float(most))
            for column, (least, most) in meta.get("settings_range", {}).items()
        },
        span=(span[0], span[1]) if span else None,
    )


def _unknown_files(root: Root, known: Mapping[str, object]) -> Iterator[Problem]:
    expected = sorted({f"{name}.csv" for name in known}.union(OTHERS))
    try:
        names = sorted(path.name for path in root.settings.glob("[!.]*.csv"))
    except OSError:
        return
    for name in names:
        if name not in expected:
            shown = root.relative(root.settings / name)
            said = f"not read: give it one of the names {', '.join(expected)}"
            yield Problem(shown, said)


class _Fault(ValueError):
    """What is wrong with a column of a row, and how it should be."""

    def __init__(self, column: str, said: str) -> None:
        super().__init__(f"column {column}: {said}" if column else said)


def _rows(
    seed: Seed,
    text: str,
    shown: str,
    below: Mapping[Key, Row],
    problems: list[Problem],
) -> Iterator[tuple[Key, Row]]:
    """(key, row) of each row of a file that is as it should be.

    `below` are the rows that these take the place of. What is wrong is told in
    `problems`.
    """
    lines = _lines(text)
    number, header = 1, next(lines, (1, []))[1]
    header = [name.strip() for name in header]
    try:
        problems.extend(
            Problem(shown, f"line 1, {fault}") for fault in _odd_columns(seed, header)
        )
        seen: dict[Key, int] = {}
        for number, cells in lines:
            try:
                key, row = _row(seed, header, cells, below)
                if key in seen:
                    said = f"{_shown(' '.join(key))} stands in line {seen[key]} already"
                    remedy = "that one counts: take one of them out"
                    raise _Fault(seed.key[0], f"{said}, {remedy}")
            except _Fault as fault:
                problems.append(Problem(shown, f"line {number}, {fault}"))
                continue
            seen[key] = number
            yield key, row
    except csv.Error as error:
        said = f"behind line {number}: not CSV ({error}), so that nothing from there"
        problems.append(Problem(shown, f"{said} on counts: close its quotes"))
    except _Fault as fault:
        problems.append(Problem(shown, f"line 1, {fault}"))


def _odd_columns(seed: Seed, header: list[str]) -> list[_Fault]:
    """What is wrong with a header. Raises _Fault where nothing can be read."""
    expected = ",".join(seed.columns)
    for column in seed.key:
        if column not in header:
            said = "it is missing, so that nothing in the file counts"
            raise _Fault(column, f"{said}: begin the file with {expected}")
    said = f"no column of this file: take it out, there are {expected}"
    unknown = sorted(set(header) - seed.columns.keys() - {""})
    twice = sorted({name for name in header if name and header.count(name) > 1})
    return [
        *(_Fault(_shown(name), said) for name in unknown),
        *(_Fault(name, "it is there twice: take one out") for name in twice),
    ]


def _row(
    seed: Seed, header: list[str], cells: list[str], below: Mapping[Key, Row]
) -> tuple[Key, Row]:
    """A row with its key. Raises _Fault."""
    if len(cells) > len(header):
        said = f"{len(cells)} cells below {len(header)} columns"
        raise _Fault("", f"{said}: put a cell that holds a comma into quotes")
    # The first of two columns of one name counts.
    given = dict(zip(header[::-1], _padded(cells, header)[::-1], strict=True))
    row = {name: _cell(seed, name, given[name]) for name in seed.columns & given.keys()}
    key = seed.key_of(row)
    for column in seed.columns:
        if column not in given:
            row[column] = below.get(key, {}).get(column)
        if row[column] is None and column in seed.required:
            raise _Fault(column, "nothing stands there: fill it in")
    if seed.span:
        start, end = row[seed.span[0]], row[seed.span[1]]
        if start and end and end <= start:
            said = f"{end[:19]} does not come after {start[:19]}: correct one of them"
            raise _Fault(seed.span[1], said)
    return key, {column: row[column] for column in seed.columns}


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of what is not blank. Raises csv.Error."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    end = 0
    for cells in reader:
        start, end = end + 1, reader.line_num
        if any(cell.strip() for cell in cells):
            yield start, cells


def _padded(cells: list[str], header: list[str]) -> list[str]:
    return cells + [""] * (len(header) - len(cells))


def _cell(seed: Seed, column: str, text: str) -> str | None:
    """A cell in the one form of its type; None where nothing stands."""
    if NO_TEXT.search(text):
        raise _Fault(column, "not UTF-8: save the file as UTF-8")
    text = " ".join(text.split())
    if not text:
        return None
    kind = seed.columns[column].lower()
    if kind == "timestamp":
        at = parse_time(text)
        if at is None:
            said = f"{_shown(text)} is no time: write it as 2025-10-28T07:30:00Z"
            raise _Fault(column, said)
        return utc_text(at)
    if kind == "double":
        number = float(text) if NUMBER.fullmatch(text) else math.nan
        least, most = seed.ranges.get(column, (-math.inf, math.inf))
        if not (least <= number <= most and math.isfinite(number)):
            said = f"{_shown(text)} is {_not_within(least, most)}: correct it"
            raise _Fault(column, said)
        return repr(number)
    return text


def _not_within(least: float, most: float) -> str:
    if math.isfinite(most):
        return f"no number from {least:g} to {most:g}"
    return f"no number of at least {least:g}" if math.isfinite(least) else "no number"


def _shown(text: str) -> str:
    return repr(text[:60].encode("utf-8", "replace").decode())
