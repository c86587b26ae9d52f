"""No planted secret appears in anything that is written or printed."""

from __future__ import annotations

import csv
import gzip
import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.masking.masks import MASKS_CSV
from tests import faults
from tests.support import clean_environment, run_dbt, run_tool

# Other words than the seed's own examples, which lie in dbt's artefacts.
SECRET = "Qx7pLanted"
DAY = "2025-10-28"
# What no rule of the seed can follow.
BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
KEY = [BEGIN, f"MII{SECRET}", END]
NEXT_LINE = ["password:", SECRET, ""]
REPEATED = f'{{"query": "token={SECRET}", "query": "x", "password": ["{SECRET}"]}}'
ESCAPED = rf'{{"pass\u0077ord": "{SECRET}", "b": {{"token": {{"a": ["{SECRET}"]}}}}}}'
JSON = [REPEATED, REPEATED[:-3], ESCAPED, ESCAPED + "}"]
STRUCTURE = [*KEY, *NEXT_LINE, *JSON]


def phrases() -> list[str]:
    """The example of every mask, with our secret in it."""
    with MASKS_CSV.open(encoding="utf-8", newline="") as stream:
        examples = [row["example"] for row in csv.DictReader(stream)]
    return [e.replace("s3cr3t", SECRET) for e in examples if "s3cr3t" in e]


def run_cli(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as people run it, with a home of its own."""
    root = Path(arguments[2])
    return run_tool("ops-atomic", *arguments, env=clean_environment(root.parent))


def plant(root: Path) -> set[Path]:
    """Write secrets into every source; returns the inputs."""
    said = phrases()
    flat = [" ".join(phrase.split()) for phrase in said]
    reports, beats = root / "g/reports", root / "g/reports/ops_atomic"
    for number, phrase in enumerate(said):
        at = f"{DAY}T{10 + number // 60}:{number % 60:02}:00Z"
        text = faults.heartbeat(at, checks=f"- **Planted:** ❌ failed: {phrase}\n")
        name = at.replace("T", "_").replace(":", "-").removesuffix("Z")
        faults.write(beats / f"heartbeat_{name}.md", text)
    checks = "\n".join(f"- **Planted {n}:** ❌ {t}" for n, t in enumerate(JSON))
    text = faults.heartbeat(f"{DAY}T22:00:00Z", checks=f"{checks}\n")
    faults.write(beats / f"heartbeat_{DAY}_22-00-00.md", text)
    text = faults.heartbeat(
        f"{DAY}T22:05:00Z", checks="- **Key:** ❌\n" + "\n".join(STRUCTURE)
    )
    faults.write(beats / f"heartbeat_{DAY}_22-05-00.md", text)
    without_status = "**Timestamp:** none\n\n" + "\n\n".join(said)
    faults.write(beats / f"heartbeat_{DAY}_23-00-00.md", without_status)
    header = faults.HEADER.strip().split(",")
    faults.write(reports / "query_perf_daily_20251028.csv", "")
    with (reports / "query_perf_daily_20251028.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow([*header, "api_key", f"token={SECRET}"])
        for phrase in said:
            cells = [f"{DAY}T00:00:00Z", "h", "SELECT", "1.5", 1, 1, "false", phrase]
            table.writerow([*cells, "i", SECRET, "x"])
            table.writerow([*cells[:3], "not a number", *cells[4:], "i", SECRET, "x"])
            table.writerow([*cells[:3], phrase])
        stream.write("\n".join([*STRUCTURE, f'{DAY}T00:00:00Z,h,"', *KEY, ""]))
    patterns = {"week": "202543", "password": SECRET}
    listed = [{"pattern": phrase, "samples": "many"} for phrase in said]
    faults.write(
        reports / "query_perf_weekly_202543.json",
        json.dumps({**patterns, "all_patterns": listed}),
    )
    timed = {"ts": f"{DAY}T01:00:00Z", "duration_ms": 2}
    lines = [json.dumps({**timed, "query": p}) for p in said]
    lines += [json.dumps({"query": p, "duration_ms": 1}) for p in said]
    lines += [*flat, *STRUCTURE, ""]
    faults.write(reports / "query_perf.jsonl", "\n".join(lines))
    advice = [{"table": p, "index": p, "priority": p, "password": SECRET} for p in said]
    report = {"timestamp": f"{DAY}T04:00:00Z", "recommendations": [*advice, *said]}
    faults.write(
        root / "knowledge/optimize/index_advisor_report.json", json.dumps(report)
    )
    faults.write(reports / "index_advisor_report.json", ESCAPED[:-1])
    events = [f'[{DAY}T02:00:00Z] run cmd="{phrase}" n=3' for phrase in flat]
    name = f"optimization_summary_token={SECRET}_20251028.txt"
    faults.write(reports / name, "\n".join([*flat, *events, *STRUCTURE]) + "\n")
    metrics = [
        json.dumps({"ts": f"{DAY}T03:00:00Z", "metric": p, "value": v})
        for p in said
        for v in (1, p)
    ]
    metrics += [*STRUCTURE, ""]
    faults.write(root / "g/telemetry/rollup_daily.ndjson", "\n".join(metrics))
    return {path for path in root.rglob("*") if path.is_file()}


def written(folder: Path, inputs: set[Path]) -> Iterator[tuple[Path, bytes]]:
    """What was made below a folder, as plain as it can be read."""
    for path in folder.rglob("*"):
        if not path.is_file() or path in inputs:
            continue
        data = path.read_bytes()
        yield path, path.name.encode()
        yield path, data
        if path.suffix == ".gz":
            yield path, gzip.decompress(data)
        elif path.suffix == ".parquet":
            cells = faults.rows(path.parent, path.name)
            yield path, repr(cells).encode()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[Path], str]:
    """A root full of secrets after a run, its inputs, and all that was said."""
    root = tmp_path_factory.mktemp("secrets") / "root"
    inputs = plant(root)
    done = run_cli("export", "--root", root, "--verbose")
    assert done.returncode == 0, done.stdout + done.stderr
    checked = run_cli("validate", "--root", root)
    return root, inputs, done.stdout + done.stderr + checked.stdout + checked.stderr


def test_every_mask_has_an_example() -> None:
    assert len(phrases()) > 15


def test_nothing_written_or_said_holds_a_secret(
    planted: tuple[Path, set[Path], str],
) -> None:
    root, inputs, said = planted
    assert SECRET not in said
    found = {path for path, data in written(root, inputs) if SECRET.encode() in data}
    assert found == set()


def test_what_was_masked_is_there_all_the_same(
    planted: tuple[Path, set[Path], str],
) -> None:
    root = planted[0]
    number = len(phrases())
    checks = faults.rows(root, faults.CHECKS, "check_name, message")
    masked = [t for name, t in checks if name == "Planted" and ("***" in t or "~" in t)]
    assert len(masked) == number
    assert len(faults.rows(root, faults.QUERIES)) == 2 * number
    assert not faults.conservation(root)


def test_a_key_that_is_still_being_logged_is_hidden_and_landed_once(
    tmp_path: Path,
) -> None:
    log = tmp_path / "g/reports/query_perf.jsonl"
    key = [BEGIN, *[f"MII{SECRET}{n}" for n in range(6)], END]
    lines = [*key, *NEXT_LINE[:2]]
    for end in range(1, len(lines) + 1):
        faults.write(log, "\n".join(lines[:end]) + "\n")
        run_cli("ingest", "--root", tmp_path)
    landing = tmp_path / faults.LANDING / "query_log"
    [part] = landing.glob("*/*.gz")
    landed = gzip.decompress(part.read_bytes())
    assert SECRET.encode() not in landed
    assert landed.count(b"\n") == len(lines)
    run_cli("ingest", "--root", tmp_path, "--historical")
    assert gzip.decompress(part.read_bytes()) == landed


def test_raw_input_is_for_its_owner_only(planted: tuple[Path, set[Path], str]) -> None:
    root = planted[0]
    private = [root / faults.STATE, root / "g/analytics/rejected_records"]
    made = [*private, *(path for top in private for path in top.rglob("*"))]
    open_to_others = [p for p in made if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_plain_dbt_and_a_failing_run_keep_them_too(
    planted: tuple[Path, set[Path], str], tmp_path: Path
) -> None:
    root, inputs, _ = planted
    copy = faults.copy(root, tmp_path / "root")
    mine = {copy / path.relative_to(root) for path in inputs}
    for path in copy.glob("g/analytics/*/*.parquet"):
        path.unlink()
    built = run_dbt(copy, tmp_path / "scratch", "build")
    blocked = copy / "g/analytics/heartbeat_checks"
    for path in blocked.glob("*"):
        path.unlink()
    blocked.rmdir()
    blocked.write_text("in the way")
    failed = run_cli("export", "--root", copy)
    assert failed.returncode == 1
    said = built.stdout + built.stderr + failed.stdout + failed.stderr
    assert SECRET not in said
    found = {path for path, data in written(tmp_path, mine) if SECRET.encode() in data}
    assert found == set()
