"""What is published: every file whole and as its contract says, and its rows."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from ingest.root import PROJECT
from tests.fuzz.readings import Claim, marks, time_token
from tests.fuzz.snapshots import Snapshot, published

CONTRACTS = PROJECT / "docs" / "parquet_schema.json"
FOOTER = {
    "schema_version", "source_fingerprint", "model_fingerprint", "landed_records",
}  # fmt: skip
# Rows of these may stand for several landed records, or for none.
COLLAPSING = {"query_patterns", "query_texts", "optimization_summary"}
REJECTS = "rejected_records"

Row = dict[str, Any]


@dataclass(frozen=True)
class Contract:
    """What the project says of a dataset or mart in docs/parquet_schema.json."""

    dataset: str
    is_mart: bool
    path: re.Pattern[str]
    columns: tuple[tuple[str, str], ...]
    required: frozenset[str]
    unique: tuple[str, ...]
    accepted: dict[str, frozenset[str]]


@functools.cache
def contracts() -> tuple[Contract, ...]:
    """All of them."""
    listed = json.loads(CONTRACTS.read_text(encoding="utf-8"))
    return tuple(
        Contract(
            dataset=told["name"],
            is_mart=group == "marts",
            path=_pattern(told["path"]),
            columns=tuple((c["name"], c["type"]) for c in told["columns"]),
            required=frozenset(c["name"] for c in told["columns"] if not c["nullable"]),
            unique=tuple(told["unique"]),
            accepted={
                c["name"]: frozenset(c["accepted_values"])
                for c in told["columns"]
                if c.get("accepted_values")
            },
        )
        for group in ("datasets", "marts")
        for told in listed[group]
    )


def _pattern(path: str) -> re.Pattern[str]:
    pattern = re.escape(path).replace(re.escape("{yyyymmdd}"), r"(?P<day>\d{8})")
    pattern = pattern.replace(re.escape("{yyyy}"), r"\d{4}")
    return re.compile(pattern.replace(re.escape("{mm}"), r"\d{2}"))


@dataclass
class Shown:
    """All published rows, to be found by their tokens."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    by_token: dict[tuple[str, str], list[Row]] = field(
        default_factory=lambda: defaultdict(list)
    )
    marts: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    reject_files: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    footers: dict[tuple[str, date], int] = field(default_factory=dict)

    def matching(self, claim: Claim) -> list[Row]:
        """The rows that are what a claim says."""
        found = {
            id(row): row
            for token in claim.tokens
            for row in self.by_token[claim.dataset or "", token]
        }
        return [
            row
            for row in found.values()
            if all(row.get(name) == value for name, value in claim.values)
        ]

    def holding(self, tokens: Iterable[str]) -> Iterator[Row]:
        """Rows of any dataset, rejects too, with one of the tokens."""
        for token in tokens:
            for dataset in self.rows:
                yield from self.by_token.get((dataset, token), ())


def show(snapshot: Snapshot) -> Shown:
    """Read all that is published, and what is wrong with it."""
    shown = Shown()
    seen_keys: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for path, entry in sorted(published(snapshot).items()):
        known = _contract_of(path)
        if known is None or entry.data is None:
            shown.problems.append(f"{path}: a file that no dataset has")
            continue
        contract, day = known
        try:
            file = _file(hashlib.sha256(entry.data).digest(), entry.data)
        except duckdb.Error as error:
            shown.problems.append(f"{path}: cannot be read: {error}")
            continue
        shown.problems += [f"{path}: {p}" for p in file.problems(contract, day)]
        if file.columns != contract.columns:
            continue
        shown.texts[path] = file.text
        if contract.is_mart:
            shown.marts[contract.dataset] += file.rows
            continue  # what is asked for must stand in an export
        for row in file.rows:
            _index(shown, contract.dataset, row)
            key = tuple(row.get(name) for name in contract.unique)
            if contract.unique == ("filename",) and key in seen_keys[contract.dataset]:
                shown.problems.append(f"{path}: {key} is published twice")
            seen_keys[contract.dataset].add(key)
        if day:
            shown.footers[contract.dataset, day] = int(file.footer["landed_records"])
    return shown


def _contract_of(path: str) -> tuple[Contract, date | None] | None:
    """The contract of a file and its day; None for a mart's only file."""
    for contract in contracts():
        match = contract.path.fullmatch(path)
        if match:
            told = match.groupdict().get("day")
            return contract, date.fromisoformat(told) if told else None
    return None


def base_name(path: str) -> str:
    """The name by which an input is read; advisor reports have their folder, too."""
    return path.rpartition("/")[2]


def _index(shown: Shown, dataset: str, row: Row) -> None:
    shown.rows[dataset].append(row)
    text = " ".join(value for value in row.values() if isinstance(value, str))
    tokens = set(marks(text))
    tokens |= {str(row[name]) for name in ("filename", "query_hash") if name in row}
    if dataset == "query_perf":
        tokens.add(time_token(row["source_file"], row["timestamp"]))
    for token in tokens:
        shown.by_token[dataset, token].append(row)
    if dataset == REJECTS:
        shown.reject_files[base_name(str(row["source_file"]))] += 1


@dataclass(frozen=True)
class _File:
    columns: tuple[tuple[str, str], ...]
    codecs: frozenset[str]
    footer: dict[str, str]
    rows: tuple[Row, ...]
    text: bytes

    def problems(self, contract: Contract, day: date | None) -> Iterator[str]:
        """Where the file is not what its contract says."""
        if self.columns != contract.columns:
            yield f"columns are {self.columns}"
            return
        if self.codecs - {"SNAPPY"}:
            yield f"compressed with {sorted(self.codecs)}"
        if missing := FOOTER - self.footer.keys():
            yield f"the footer does not say {sorted(missing)}"
        if day and any(row["date_partition"] != day for row in self.rows):
            yield "holds rows of another day"
        for name in sorted(contract.required):
            if any(row.get(name) is None for row in self.rows):
                yield f"{name} is NULL"
        for name, accepted in contract.accepted.items():
            if odd := {row.get(name) for row in self.rows} - accepted - {None}:
                yield f"{name} is {sorted(map(str, odd))}"
        keys = [tuple(row.get(name) for name in contract.unique) for row in self.rows]
        if contract.unique and len(set(keys)) < len(keys):
            yield f"{contract.unique} is not unique"
        if contract.dataset == "ops_atomic":
            times = [row["timestamp"] for row in self.rows]
            if times != sorted(times):
                yield "not in order of time"


@functools.lru_cache(maxsize=4_000)
def _file(_digest: bytes, data: bytes) -> _File:
    """A Parquet file read to its end. Raises duckdb.Error."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy, duckdb.connect() as db:
        copy.write(data)
        copy.flush()
        path = [copy.name]
        db.execute("set timezone = 'UTC'")
        read = "from read_parquet(?, hive_partitioning = false)"
        told = db.execute(f"describe {read}", path).fetchall()
        columns = tuple((name, kind) for name, kind, *_ in told)
        codecs = db.execute(
            "select distinct compression from parquet_metadata(?)", path
        ).fetchall()
        footer = db.execute(
            "select key::varchar, value::varchar from parquet_kv_metadata(?)", path
        ).fetchall()
        names = [name for name, _ in columns]
        rows = db.execute(read, path).fetchall()
    return _File(
        columns,
        frozenset(str(codec) for (codec,) in codecs),
        dict(footer),
        tuple(dict(zip(names, row, strict=True)) for row in rows),
        repr(rows).encode(),
    )
