"""Late and changed data: exactly the touched days are published again."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import inputs, one_pass
from tests import faults
from tests.faults import export_datasets as export
from tests.faults import heartbeat, query_csv, write

REPORTS = "g/reports"
BEATS = f"{REPORTS}/ops_atomic"
NEW_DAY = "2025-10-20"
CSV = f"{REPORTS}/query_perf_daily_20251020.csv"


def touched(root: Path, before: faults.Snapshot) -> set[str]:
    """Days whose files an export writes again; all others stay as they are."""
    done = export(root)
    written = faults.changed(before, faults.published(root))
    assert written == done.paths("exported")
    return done.days("exported")


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_only_touched_days_are_published_again(root: Path) -> None:
    before = faults.published(root)
    late = f"{BEATS}/heartbeat_2025-10-27_12-00-00.md"
    write(root / late, heartbeat("2025-10-27T12:00:00Z"))
    append(
        root / "g/telemetry/rollup_daily.ndjson",
        '{"ts":"2025-10-28T23:00:00Z","metric":"late","value":1}\n' * 3,
    )
    append(
        root / f"{REPORTS}/query_perf.jsonl",
        '{"ts":"2025-10-26T01:00:00Z","query":"select 1","duration_ms":3}\n',
    )
    done = export(root)
    after = faults.published(root)
    written = faults.changed(before, after)
    assert written == done.paths("exported")
    names = {Path(path).name for path in written}
    assert {
        "ops_atomic_20251027.parquet",
        "heartbeat_checks_20251027.parquet",
        "optimization_summary_20251028.parquet",
        "query_perf_20251026.parquet",
    } <= names
    assert not any("20251029" in name for name in names)
    assert "query_perf_20251028.parquet" not in names
    assert "ops_atomic_20251028.parquet" not in names
    late_rows = faults.rows(root, faults.SUMMARY, "metric_name")
    assert late_rows.count(("late",)) == 1, "exact duplicates collapse"
    assert not faults.conservation(root)

    assert not touched(root, after)


def test_a_csv_rewritten_with_more_and_with_fewer_rows(root: Path) -> None:
    write(root / CSV, query_csv(NEW_DAY, 10), 1761000000)
    export(root)
    before = faults.published(root)

    write(root / CSV, query_csv(NEW_DAY, 30), 1761000100)
    assert touched(root, before) == {NEW_DAY}
    count = f"knowledge/optimize/parquet/query_perf/*/*/*{NEW_DAY.replace('-', '')}*"
    assert len(faults.rows(root, count)) == 30

    before = faults.published(root)
    write(root / CSV, query_csv(NEW_DAY, 5), 1761000200)
    done = export(root)
    said = "what holds 30 records is kept, because the newest holds 5"
    assert said in done.warnings
    assert "--force" in done.warnings
    assert faults.published(root) == before
    assert said in export(root).warnings, "as long as it lies there"
    assert faults.published(root) == before

    for elsewhere in (["--date", "2025-10-27"], ["--dataset", "ops_atomic"]):
        export(root, "--force", *elsewhere)
        assert len(faults.rows(root, count)) == 30
    export(root, "--force", "--date", NEW_DAY, "--dataset", "query_perf")
    assert len(faults.rows(root, count)) == 5
    assert not faults.conservation(root)
    assert "is kept" not in export(root, "--historical").warnings
    assert len(faults.rows(root, count)) == 5


def test_what_was_half_written_leaves_no_false_reject(root: Path) -> None:
    rejects = sorted(faults.rows(root, faults.REJECTS))
    now = datetime.now(UTC).replace(tzinfo=None)
    at = now - timedelta(minutes=5)
    beat = f"{BEATS}/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
    report = f"{REPORTS}/index_advisor_report.json"
    log = f"{REPORTS}/query_perf.jsonl"
    whole = {
        beat: heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}"),
        CSV: query_csv(NEW_DAY, 20),
        log: (root / log).read_text()
        + f'{{"ts":"{NEW_DAY}T01:00:00Z","query":"select 1","duration_ms":3}}\n',
        "g/telemetry/rollup_daily.ndjson": (
            root / "g/telemetry/rollup_daily.ndjson"
        ).read_text()
        + f'{{"ts":"{NEW_DAY}T01:00:00Z","metric":"m","value":1}}\n',
        report: f'{{"timestamp":"{NEW_DAY}T02:00:00Z","recommendations":'
        '[{"table":"t","index":"i","query_pattern":"q","estimated_speedup":2,'
        '"priority":"high"}],"slow_queries":[]}',
    }
    for name, text in whole.items():
        cut = -24 if name != beat else text.index("**Status:**") - len(text)
        write(root / name, text[:cut])
    first = export(root)
    assert len(faults.rows(root, faults.REJECTS)) == len(rejects) + 5, first.warnings
    assert not faults.conservation(root)

    for name, text in whole.items():
        write(root / name, text)  # perhaps within the same second
    export(root)
    assert sorted(faults.rows(root, faults.REJECTS)) == rejects
    assert not faults.conservation(root)
    assert not export(root).paths("exported")
    days = faults.rows(root, faults.QUERIES, "date_partition::varchar")
    assert days.count((NEW_DAY,)) == 21
    assert (Path(beat).name,) in faults.rows(root, faults.BEATS, "filename")


def test_what_is_half_leaves_no_reject_beside_the_whole(root: Path) -> None:
    """Copies that were cut short come after, or before, what they begin."""
    report, log = f"{REPORTS}/index_advisor_report.json", f"{REPORTS}/query_perf.jsonl"
    telemetry = "g/telemetry/rollup_daily.ndjson"
    said = (
        f'{{ "timestamp": "{NEW_DAY}T02:00:00Z",\n  "slow_queries": [],\n '
        ' "recommendations": [{"table": "t\\u00e9 \\"x\\"", "index": "i",\n'
        ' "query_pattern": "q", "estimated_speedup": 2.50, "priority": "high"}]}'
    )
    late = '{"ts":"2025-10-20T01:00:00Z","query":"select é","duration_ms":3}\n'
    rollup = '{"ts":"2025-10-20T01:00:00Z","metric":"m","value":1}\n'
    whole = {
        report: said,
        log: (root / log).read_text() + late,
        telemetry: (root / telemetry).read_text() + rollup,
    }
    rejects = sorted(faults.rows(root, faults.REJECTS))
    number = 0

    def bundled(cuts: dict[str, int]) -> None:
        nonlocal number
        number += 1
        faults.make_bundle(
            root / f"{REPORTS}/archive/reports_20251101_{number:06}.tar.gz",
            [
                (faults.member(name, mtime=1761000000), whole[name].encode()[:-cut])
                for name, cut in cuts.items()
            ],
        )
        export(root)
        assert not faults.conservation(root)

    begun = (1, 40, 75, len(said.encode()) - 1)
    for cut in begun[:2]:
        bundled({report: cut, log: 30, telemetry: 20 + cut // 2})
    assert len(faults.rows(root, faults.REJECTS)) > len(rejects)

    for name, text in whole.items():
        write(root / name, text, 1761000000)
    export(root)
    assert sorted(faults.rows(root, faults.REJECTS)) == rejects
    assert not faults.conservation(root)

    before = faults.published(root)
    for cut in begun[2:]:
        bundled({report: cut, log: 22, telemetry: 9})
    export(root, "--historical")
    assert sorted(faults.rows(root, faults.REJECTS)) == rejects
    assert not {
        name for name in faults.changed(before, faults.published(root))
        if "landed_counts" not in name and "run_log" not in name
    }  # fmt: skip
    assert ('té "x"',) in faults.rows(root, faults.ADVICE, "table_name")


CUT_SHORT = {
    f"{REPORTS}/index_advisor_report.json": (
        f'{{"timestamp": "{NEW_DAY}T02:00:00Z", "recommendations": [{{"table": "t"}}]}}'
    ),
    f"{REPORTS}/health/health_20251020.json": (
        f'{{"timestamp": "{NEW_DAY}T02:00:00Z", "checks": [{{"name": "redis"}}]}}'
    ),
    f"{BEATS}/heartbeat_{NEW_DAY}_02-00-00.md": heartbeat(f"{NEW_DAY}T02:00:00Z"),
}


@pytest.mark.parametrize("name", CUT_SHORT)
def test_what_lies_there_cut_short_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_pass, "YOUNG", timedelta(days=9999))
    path, said = tmp_path / name, CUT_SHORT[name]
    write(path, said, 1761000000)
    assert not faults.run("ingest", tmp_path).warnings
    landed = faults.landed(tmp_path)
    for cut in (2, 25):
        write(path, said[:-cut], 1761000000 + cut)
        for _ in "12":  # as long as it lies there
            [told] = faults.run("ingest", tmp_path).report["warnings"]
            assert f"{name}: was cut short" in told
            assert "landed as a whole, which counts" in told
        assert faults.landed(tmp_path) == landed
    write(path, said, 1761000100)
    assert not faults.run("ingest", tmp_path).warnings


def test_files_that_change_while_they_are_read(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    log = write(tmp_path / f"{REPORTS}/query_perf.jsonl", '{"ts":"2025-10-20T01')
    csv = write(tmp_path / CSV, query_csv(NEW_DAY, 3)[:-9])
    text = write(tmp_path / f"{REPORTS}/optimization_summary_20251020.txt", "a: 1\nb: ")
    rest = {
        log: ':00:00Z","query":"select 1","duration_ms":1}\n',
        csv: query_csv(NEW_DAY, 3)[-9:],
        text: "2\n",
    }
    real = inputs.open_regular

    def open_and_grow(path: str | Path):  # type: ignore[no-untyped-def]
        opened = real(path)

        class Growing:
            def __enter__(self) -> object:
                self.stream = opened.__enter__()
                return self

            def __getattr__(self, name: str) -> object:
                return getattr(self.stream, name)

            def read(self, size: int = -1) -> bytes:
                data = self.stream.read(size)
                if Path(path) in rest:
                    append(Path(path), rest.pop(Path(path)))
                    os.utime(path, (time.time(), time.time() + 1))
                return data

            def __exit__(self, *error: object) -> None:
                opened.__exit__(*error)  # type: ignore[arg-type]

        return Growing()

    with monkeypatch.context() as patched:
        patched.setattr(inputs, "open_regular", open_and_grow)
        done = faults.run("ingest", tmp_path)
    assert done.code == 0, done.errors
    assert not rest
    assert "query_perf_daily_20251020.csv: is being written" in done.warnings
    assert "optimization_summary_20251020.txt: is being written" in done.warnings

    assert faults.run("ingest", tmp_path).warnings == ""
    export(tmp_path)
    assert faults.rows(tmp_path, faults.REJECTS) == []
    assert len(faults.rows(tmp_path, faults.QUERIES)) == 4
    assert len(faults.rows(tmp_path, faults.SUMMARY)) == 2
    assert not faults.conservation(tmp_path)
