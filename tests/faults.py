"""What tests of faults share: runs, snapshots of what lies there, and bundles."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
from click.testing import CliRunner

from ingest.root import PROJECT, Root

Snapshot = dict[str, tuple[bytes, int]]

STATE = "g/analytics/state"
LANDING = f"{STATE}/landing"
LEDGER = f"{STATE}/ledger.sqlite"
EXPORTS = sorted((PROJECT / "models" / "marts" / "exports").glob("*.yml"))
DATASETS = tuple(word for path in EXPORTS for word in ("--dataset", path.stem))


@dataclass
class Run:
    """How a command ended and what it said."""

    code: int
    report: dict[str, Any]
    stderr: str

    @property
    def warnings(self) -> str:
        return "\n".join(self.report["warnings"])

    @property
    def errors(self) -> str:
        return "\n".join(self.report["errors"])

    def paths(self, *statuses: str) -> set[str]:
        return {f["path"] for f in self._files(statuses)}

    def days(self, *statuses: str) -> set[str]:
        return {f["day"] for f in self._files(statuses)}

    def _files(self, statuses: tuple[str, ...]) -> list[dict[str, Any]]:
        """Those made of inputs: what is published of runs, and the marts, come along
        with any."""
        return [
            f
            for f in self.report["files"]
            if f["status"] in statuses and is_made_of_inputs(f["path"])
        ]


def run(command: str, root: Path, *arguments: str) -> Run:
    """`ops-atomic COMMAND --json` in this process; a crash is raised."""
    from exporter.cli.main import main

    with mock.patch.dict(os.environ):
        done = CliRunner().invoke(
            main, [command, "--root", str(root), "--json", *arguments]
        )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Run(done.exit_code, json.loads(done.stdout), done.stderr)


def export(root: Path, *arguments: str, code: int = 0) -> Run:
    """An export that must end with an exit code."""
    done = run("export", root, *arguments)
    assert done.code == code, (done.report["errors"], done.stderr)
    return done


def export_datasets(root: Path, *arguments: str, code: int = 0) -> Run:
    """The same without the marts, which take longer than all datasets together:
    for tests of what is landed and published from it."""
    named = () if "--dataset" in arguments else DATASETS
    return export(root, *arguments, *named, code=code)


def is_valid(root: Path) -> bool:
    """Whether `validate` finds nothing wrong."""
    return run("validate", root).code == 0


def are_datasets_valid(root: Path) -> bool:
    """The same, whatever the marts are: an export of the datasets makes none."""
    from exporter.contracts.datasets import load_datasets
    from exporter.verify.validate import validate

    return not validate(Root(root), load_datasets(), {}).errors


def published(root: Path) -> Snapshot:
    """Bytes and modification time of every published file, by relative path.

    But for those of runs, and marts, which reckon with the present moment: what is
    made of the inputs is the same, however many runs there were.
    """
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*.parquet"))
        if STATE not in path.as_posix() and is_made_of_inputs(path.as_posix())
    }


def is_made_of_inputs(path: str) -> bool:
    return "/run_log/" not in path and "/analytics/marts/" not in path


def landed(root: Path) -> dict[str, bytes]:
    """Bytes of every landing file, by path relative to the landing."""
    top = root / LANDING
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def contents(files: Mapping[str, tuple[bytes, int]]) -> dict[str, bytes]:
    return {name: data for name, (data, _) in files.items()}


def changed(before: Snapshot, after: Snapshot) -> set[str]:
    """Names of files that are new, gone, or written again."""
    return {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}


def leftovers(root: Path) -> list[str]:
    """Temporary files that a run should have removed."""
    found = [str(p) for p in root.rglob("*.staged")]
    staging = root / STATE / "staging"
    return found + ([str(p) for p in staging.rglob("*")] if staging.exists() else [])


def rows(root: Path, pattern: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of published files, unordered."""
    files = [str(path) for path in sorted(root.glob(pattern))]
    if not files:
        return []
    with duckdb.connect() as db:
        return db.execute(
            f"select {columns} from read_parquet(?, hive_partitioning = false)",
            [files],
        ).fetchall()


REJECTS = "g/analytics/rejected_records/*.parquet"
BEATS = "g/analytics/ops_atomic_*.parquet"
QUERIES = "knowledge/optimize/parquet/query_perf/*/*/*.parquet"
SUMMARY = "knowledge/optimize/parquet/optimization_summary/*/*/*.parquet"
PATTERNS = "knowledge/optimize/parquet/query_patterns/*/*/*.parquet"
ADVICE = "knowledge/optimize/parquet/index_advisor/*/*/*.parquet"
REPORTS = "knowledge/optimize/parquet/advisor_reports/*/*/*.parquet"
TEXTS = "knowledge/optimize/parquet/query_texts/*/*/*.parquet"
CHECKS = "g/analytics/heartbeat_checks/*.parquet"
REPORT_CHECKS = "g/analytics/report_checks/*.parquet"


def conservation(root: Path) -> list[str]:
    """Where landed records and what was published from them do not add up.

    Two datasets let several records become one row; no other may.
    """
    landed_records: Counter[tuple[str, str]] = Counter()
    with (root / LANDING / "landed_days.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["dataset"] not in ("", "schema_drift"):
                key = row["dataset"], row["day"]
                landed_records[key] += int(row["landed_records"])
    found: Counter[tuple[str, str]] = Counter()
    for dataset, pattern in (
        ("ops_atomic", BEATS), ("heartbeat_checks", CHECKS), ("query_perf", QUERIES),
        ("query_patterns", PATTERNS), ("index_advisor", ADVICE),
        ("advisor_reports", REPORTS), ("optimization_summary", SUMMARY),
        ("report_checks", REPORT_CHECKS),
    ):  # fmt: skip
        for (day,) in rows(root, pattern, "date_partition::varchar"):
            found[dataset, day] += 1
    for dataset, day in rows(root, REJECTS, "dataset, date_partition::varchar"):
        found[dataset, day] += 1
    collapsing = ("query_patterns", "optimization_summary")
    return [
        f"{key}: {landed_records[key]} landed, {found[key]} published or rejected"
        for key in landed_records.keys() | found.keys()
        if found[key] > landed_records[key]
        or (key[0] not in collapsing and found[key] != landed_records[key])
    ]


# Inputs


def write(path: Path, text: str | bytes, mtime: int | None = None) -> Path:
    """Write an input, maybe with a modification time (epoch seconds)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def heartbeat(at: str, status: str = "✅ HEALTHY", checks: str = "") -> str:
    """A heartbeat of a time; `checks` are lines of the Redis group."""
    return (
        "# Atomic Operations Heartbeat\n\n"
        f"**Timestamp:** {at}\n**Status:** {status}\n**Duration:** 12ms\n\n---\n\n"
        "## Health Checks\n\n### Redis\n\n- **Status:** ✅ Redis responding (PONG)\n"
        f"{checks}\n---\n"
    )


HEADER = (
    "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
    "rows_returned,cache_hit,table_name,index_used\n"
)


def query_csv(day: str, count: int) -> str:
    """A query CSV of a day (YYYY-MM-DD)."""
    lines = (
        f"{day}T10:{n // 60 % 60:02}:{n % 60:02}Z,h{n % 7},"
        f"SELECT,{n}.5,{n},1,true,t,i\n"
        for n in range(count)
    )
    return HEADER + "".join(lines)


def rotate(root: Path, names: Iterable[str], bundle: str = "20251101_000000") -> Path:
    """Move inputs into a bundle as the hourly job does: absolute member names."""
    made = root / "g" / "reports" / "archive" / f"reports_{bundle}.tar.gz"
    made.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(made, "w:gz") as tar:
        for name in names:
            info = tar.gettarinfo(str(root / name), arcname=name)
            info.name = str(root / name)
            with (root / name).open("rb") as stream:
                tar.addfile(info, stream)
            (root / name).unlink()
    return made


def member(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    """A member of a bundle; its size follows from its data."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mtime = 1761609600
    for key, value in more.items():
        setattr(info, key, value)
    return info


def make_bundle(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A bundle of any members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for info, data in members:
            info.size = info.size or len(data)
            tar.addfile(info, io.BytesIO(data) if data else None)
    return path


def inputs(root: Path) -> list[str]:
    """All inputs of a root, relative to it."""
    tops = (root / "g" / "reports", root / "g" / "telemetry", root / "knowledge")
    return [
        path.relative_to(root).as_posix()
        for top in tops
        for path in sorted(top.rglob("*"))
        if path.is_file()
        and path.suffix in (".md", ".csv", ".json", ".jsonl", ".ndjson", ".txt")
        and "parquet" not in path.as_posix()
    ]


def everything(root: Path) -> dict[str, bytes]:
    """All files below a root, decompressed where they are compressed."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                with contextlib.suppress(OSError, EOFError):
                    data = gzip.decompress(data)
            if path.suffix == ".parquet":
                with duckdb.connect() as db:
                    data += repr(
                        db.execute("from read_parquet(?)", [[str(path)]]).fetchall()
                    ).encode()
            found[path.relative_to(root).as_posix()] = data
    return found


def everything_raw(root: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and modification time of all files below a root."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def copy(template: Path, target: Path) -> Path:
    """A copy of a root with all its state, modification times included."""
    shutil.copytree(template, target, symlinks=True)
    return target


def as_root(path: Path) -> Root:
    return Root(path.resolve())
