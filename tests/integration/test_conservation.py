"""Whatever the input: no exception, and nothing landed goes missing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.root import EXAMPLE_ROOT, PROJECT
from tests import faults
from tests.faults import export, heartbeat, query_csv, write
from tests.support import SAMPLES, copy_root

DAY = "2025-10-21"
AT = f"{DAY}T01:00:00Z"
LINE = f'{{"ts":"{AT}","query":"select 1","duration_ms":1}}'
PATTERNS = "pattern,samples,avg_ms,p50_ms,p95_ms,p99_ms,slow_flag\n"

CELLS = st.sampled_from([
    "", " ", "1", "1.5", "-0", "1,5", "NaN", "inf", "1e400", "99999999999999999999",
    "1_000", "0x10", "true", "abc", '"', '""', '"a', 'a"b', '"a,b"', '"a\nb"', "\r",
    "\0", "\ufeff", "é", "❌", "[]", "{}", "null", AT, f"{DAY}T01:00:00+07:00",
    "1999-01-01", "2099-01-01", "2024-02-30", "#", "\\", "'; drop table t; --",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | CELLS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["ts", "metric", "value", "query", "timings", "timestamp",
                         "recommendations", "slow_queries", "table", "x", "\ud800"]),
        inner, max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip
TEXT = st.lists(CELLS, max_size=20).map("\n".join) | st.text(max_size=80)


def join(rows: list[list[str]]) -> str:
    return "\n".join(",".join(row) for row in rows)


ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=11), max_size=6).map(join)
OBJECTS = st.lists(JSON.map(json.dumps), max_size=6).map("\n".join)
INPUTS = {
    "g/reports/ops_atomic/heartbeat_2025-10-21_01-00-00.md": TEXT
    | TEXT.map(lambda text: heartbeat(AT, checks=f"- **A:** {text}\n")),
    "g/reports/query_perf_daily_20251021.csv": ROWS
    | ROWS.map(lambda text: faults.HEADER + text),
    "g/reports/query_perf_weekly_202543.csv": ROWS
    | ROWS.map(lambda text: PATTERNS + text),
    "g/reports/query_perf_daily_20251022.json": JSON.map(json.dumps) | TEXT,
    "g/reports/query_perf.jsonl": OBJECTS | TEXT,
    "g/telemetry/rollup_daily.ndjson": OBJECTS | TEXT,
    "g/reports/index_advisor_report.json": JSON.map(json.dumps) | TEXT,
    "g/reports/optimization_summary_20251021.txt": OBJECTS | TEXT,
}
TREES = st.fixed_dictionaries({}, optional=INPUTS)
MTIME = 1761609600


def plant(root: Path, tree: dict[str, str]) -> None:
    (root / "g").mkdir(exist_ok=True)  # without, it would be no root
    for name, text in tree.items():
        data = text.encode("utf-8", "surrogatepass")
        write(root / name, data, MTIME)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(tree=TREES)
@example(tree={"g/reports/query_perf.jsonl": "[" * 100_000})
@example(tree={"g/telemetry/rollup_daily.ndjson": '{"ts":"x","ts":"y"}\n\0\n'})
def test_any_root_lands_and_lands_the_same_again(
    tree: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("any")
    plant(root, tree)
    first = faults.run("ingest", root)
    assert first.code == 0, first.errors
    store = faults.landed(root)
    for arguments in ([], ["--historical"]):
        again = faults.run("ingest", root, *arguments)
        assert (again.code, again.report["records"]) == (0, 0), again.errors
        assert faults.landed(root) == store
    if tree:
        faults.rotate(root, tree)
        assert faults.run("ingest", root).report["records"] == 0
        assert faults.landed(root) == store


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One way in which a file may be damaged."""
    at = rng.randrange(len(data) or 1)
    kind = rng.randrange(7)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if kind == 2:
        return (
            data[:at]
            + rng.choice([b'"', b"\0", b"\xff", b"\r", b",", b"{"])
            + data[at:]
        )
    if kind == 3:
        return data.replace(b"\n", b"\r\n")
    if kind == 4:
        return b"\xef\xbb\xbf" + data
    if kind == 5:
        return data[:at] + data
    return data[:at] + data[at + rng.randrange(1, 40) :]


def mutants(rng: random.Random, source: Path) -> Iterator[tuple[str, bytes]]:
    """Every input of a root, damaged many times, each under a name of its own."""
    for name in faults.inputs(source):
        data = (source / name).read_bytes()
        path = Path(name)
        for number in range(25):
            day = f"202{number % 5}-{1 + number % 12:02}-{1 + rng.randrange(28):02}"
            bad = mutated(data, rng)
            if path.suffix == ".md":
                yield (
                    f"g/reports/m/heartbeat_{day}_00-{number:02}-{rng.randrange(60):02}.md",
                    bad,
                )
            elif path.suffix == ".csv":
                yield f"g/reports/query_perf_daily_{day.replace('-', '')}.csv", bad
            elif path.name.startswith("query_perf_"):
                yield f"g/reports/query_perf_daily_{day.replace('-', '')}.json", bad
            elif path.suffix == ".txt":
                yield f"g/reports/optimization_summary_{number}_{path.name}", bad


def test_mutated_inputs_conserve_every_record(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    root = tmp_path / "root"
    sources = [EXAMPLE_ROOT, *([SAMPLES] if SAMPLES.is_dir() else [])]
    for source in sources:
        for name, data in mutants(rng, source):
            write(root / name, data, MTIME)
    single = ("query_perf.jsonl", "rollup_daily.ndjson", "index_advisor_report.json")
    for number in range(4):
        for source in sources:
            for name in faults.inputs(source):
                if name.endswith(single):
                    data = (source / name).read_bytes()
                    for _ in range(3):
                        data = mutated(data, rng)
                    write(root / name, data, MTIME + number)
        assert faults.run("ingest", root).code == 0, seed
    done = export(root)
    assert done.code == 0, (seed, done.errors)
    assert faults.conservation(root) == [], seed
    checked = faults.run("validate", root)
    assert checked.code == 0, (seed, checked.errors)
    assert not export(root, "--historical").paths("exported"), seed


@settings(
    max_examples=3,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(trees=st.lists(TREES, min_size=12, max_size=12))
def test_any_roots_are_published_whole(
    trees: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Many trees one after the other in one root: only the last run needs dbt."""
    root = tmp_path_factory.mktemp("any")
    for number, tree in enumerate(trees):
        plant(root, {
            name.replace("202510", f"2025{1 + number % 12:02}")
            .replace("2025-10", f"2025-{1 + number % 12:02}"): text
            for name, text in tree.items()
        })  # fmt: skip
        assert faults.run("ingest", root).code == 0
    export(root)
    assert faults.conservation(root) == []
    # A root without anything is nothing to validate.
    assert faults.is_valid(root) == bool(faults.published(root))


MEASURE = (
    "import sys\n"
    "from exporter.cli.main import main\n"
    "from tests.memory import most_bytes\n"
    "try:\n"
    "    main(sys.argv[1:])\n"
    "finally:\n"
    "    print('KB', most_bytes() // 1024)\n"
)


def megabytes(*arguments: str | Path) -> int:
    """The most memory that a command took."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        cwd=PROJECT, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.rpartition("KB ")[2]) >> 10


def test_a_huge_file_takes_little_memory(tmp_path: Path) -> None:
    """200 MB of CSV, most of it one cell that never ends, and a line of 50 MB."""
    csv = tmp_path / "g/reports/query_perf_daily_20251021.csv"
    write(csv, query_csv(DAY, 2000))
    filler = b"x" * (1 << 20)
    with csv.open("ab") as stream:
        stream.write(f"{AT},h,S,1,1,1,true,".encode())
        for _ in range(150):
            stream.write(filler)
        stream.write(b',i\n"never closed')
        for _ in range(50):
            stream.write(filler[:-1] + b"\n")
        stream.write(query_csv(DAY, 3).partition("\n")[2].encode())
    log = write(tmp_path / "g/reports/query_perf.jsonl", f"{LINE}\n")
    with log.open("ab") as stream:
        stream.write(b'{"query":"')
        for _ in range(50):
            stream.write(filler)
        stream.write(f'"}}\n{LINE}\n'.encode())
    # Half of it without a measure of coverage.
    assert megabytes("ingest", "--root", tmp_path) < 400
    assert megabytes("export", "--root", tmp_path) < 500
    assert faults.conservation(tmp_path) == []
    assert len(faults.rows(tmp_path, faults.QUERIES)) == 2005


def test_two_roots_of_the_same_inputs_are_the_same(root: Path, tmp_path: Path) -> None:
    other = copy_root(EXAMPLE_ROOT, tmp_path / "other")
    export(other)
    assert faults.contents(faults.published(other)) == faults.contents(
        faults.published(root)
    )
    assert faults.landed(other) == faults.landed(root)
