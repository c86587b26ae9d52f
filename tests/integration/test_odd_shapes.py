"""Whatever is odd about a file costs at most the records that are odd."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import faults

COUNT = 50


def day(number: int) -> str:
    return f"2025-10-{number:02}"


def of_lines(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "\n".join(map(change, text.splitlines()))


# What was done to a CSV of 50 records: how many of them are published, and how
# many records are landed.
SHAPES: dict[str, tuple[Callable[[str], str | bytes], int, int]] = {
    "nothing": (str, 50, 50),
    "a required column renamed": (lambda t: t.replace("query_hash", "hash"), 0, 50),
    "a column renamed": (lambda t: t.replace("table_name", "table"), 50, 50),
    "semicolons": (lambda t: t.replace(",", ";"), 50, 50),
    "semicolons, and it says so": (
        lambda t: "sep=;\r\n" + t.replace(",", ";"),
        50,
        50,
    ),
    "tabs": (lambda t: t.replace(",", "\t"), 50, 50),
    "UTF-16": (lambda t: t.encode("utf-16"), 50, 50),
    "UTF-16 without a mark": (lambda t: t.encode("utf-16-be"), 50, 50),
    "UTF-8 with a mark": (lambda t: t.encode("utf-8-sig"), 50, 50),
    "comments and blank lines first": (lambda t: f"# by a job\n\n#\n{t}", 50, 50),
    "an odd quote in a record": (lambda t: t.replace(",h3,", ',"h3,', 1), 49, 50),
    "an odd quote in the header": (lambda t: '"' + t, 50, 50),
    "line ends of old": (lambda t: t.replace("\n", "\r"), 50, 50),
    "mixed line ends": (
        lambda t: t.replace("\n", "\r\n", 9)[::-1].replace("\n", "\r", 9)[::-1],
        50,
        50,
    ),
    "NUL": (lambda t: t.replace(",h3,", ",\0,", 1), 50, 50),
    "a header in capitals and quotes": (
        lambda t: t.replace("query_hash", ' "QUERY_HASH" '),
        50,
        50,
    ),
    "a column twice": (of_lines(lambda line: line + "," + line.split(",")[1]), 50, 50),
    "columns turned around": (
        of_lines(lambda line: ",".join(reversed(line.split(",")))),
        50,
        50,
    ),
    "no header": (lambda t: t.partition("\n")[2], 0, 50),
    "another header": (lambda t: "x" + "\n" + t.partition("\n")[2], 0, 51),
    "prose": (lambda _: "Error: no connection\n" * 50, 0, 50),
}  # fmt: skip


def numbered() -> list[tuple[int, str]]:
    return list(enumerate(SHAPES, start=1))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with every shape, a day each, exported."""
    root = tmp_path_factory.mktemp("odd")
    for number, name in numbered():
        text = SHAPES[name][0](faults.query_csv(day(number), COUNT))
        path = root / f"g/reports/query_perf_daily_202510{number:02}.csv"
        faults.write(path, text)
    faults.write(
        root / "g/reports/query_perf_daily_20251399.csv",
        faults.query_csv("2025-10-30", COUNT),
        1761800000,
    )
    patterns = [{"pattern": f"q{n}", "samples": n} for n in range(COUNT)]
    twin = json.dumps({"date": "20251001", "patterns": patterns}, indent=1)
    faults.write(
        root / "g/reports/query_perf_weekly_202540.json",
        twin[: twin.index('"q40"')].encode("utf-16"),
    )
    beat = faults.heartbeat("2025-10-01T01:00:00Z")
    for minute, encoding in enumerate(("utf-8-sig", "utf-16", "utf-16-le")):
        name = f"heartbeat_2025-10-01_01-{minute:02}-00.md"
        faults.write(root / "g/reports" / name, beat.encode(encoding))
    line = '{"ts":"2025-10-01T02:00:00Z","query":"select é","duration_ms":1}\r\n'
    faults.write(root / "g/reports/query_perf.jsonl", (line * 3).encode("utf-16"))
    faults.write(
        root / "g/telemetry/rollup_daily.ndjson",
        '{"ts":"2025-10-01","metric":"m","value":1}\n'.encode("utf-8-sig"),
    )
    advice = {"timestamp": "2025-10-01", "recommendations": [{"table": "t"}, 1]}
    faults.write(
        root / "knowledge/optimize/index_advisor_report.json",
        json.dumps(advice).encode("utf-16"),
    )
    faults.export(root)
    return root


@pytest.mark.parametrize(("number", "name"), numbered())
def test_every_record_of_an_odd_csv_is_landed(
    odd: Path, number: int, name: str
) -> None:
    file = f"query_perf_daily_202510{number:02}.csv"
    published = [
        row
        for row in faults.rows(odd, faults.QUERIES, "source_file, query_hash")
        if row[0] == file
    ]
    rejects = [
        row
        for row in faults.rows(odd, faults.REJECTS, "source_file, raw, reason")
        if row[0] == file
    ]
    _, good, all_of_them = SHAPES[name]
    assert len(published) == good
    assert len(published) + len(rejects) == all_of_them
    assert all(raw and reason for _, raw, reason in rejects)


def test_each_is_published_or_a_reject(odd: Path) -> None:
    assert faults.conservation(odd) == []
    rejects = faults.rows(odd, faults.REJECTS, "source_file, reason")
    wrong = "the date in the file name is impossible"
    assert rejects.count(("query_perf_daily_20251399.csv", wrong)) == COUNT
    assert len(faults.rows(odd, faults.PATTERNS)) == 40
    assert ("query_perf_weekly_202540.json", "not JSON") in rejects
    assert len(faults.rows(odd, faults.BEATS)) == 3
    assert set(faults.rows(odd, faults.BEATS, "status, duration_ms")) == {("ok", 12)}
    queries = faults.rows(odd, faults.QUERIES, "source_file, query_type")
    assert queries.count(("query_perf.jsonl", "SELECT")) == 3
    assert len(faults.rows(odd, faults.SUMMARY)) == 1
    assert len(faults.rows(odd, faults.ADVICE)) == 1


def test_nothing_of_it_is_landed_again(odd: Path) -> None:
    done = faults.run("ingest", odd, "--historical")
    assert (done.code, done.report["records"]) == (0, 0)


def test_the_landing_is_not_much_larger_than_its_input(tmp_path: Path) -> None:
    names = [f"a_column_with_quite_a_long_name_{n}" for n in range(2_000)]
    header, *rows = faults.query_csv(day(1), COUNT).splitlines()
    lines = [",".join([*names, header])]
    lines += [",".join(["1"] * len(names) + [row]) for row in rows]
    texts = {
        "20251001.csv": "\n".join(lines),
        "20251002.csv": f"{header}\n" + "x\n" * 50_000,
        "20251003.csv": f"{header}\n" + '"' * 100_000,
        "20251004.csv": '""\n' * 50_000,
        "20251005.json": '{"patterns":[' + "1," * 50_000,
        "20251006.json": '{"patterns":[' + "{}," * 50_000 + "0]}",
    }
    paths = {f"query_perf_daily_{name}": text for name, text in texts.items()}
    numbers = " ".join(f"n{number}={number}" for number in range(200))
    paths["optimization_summary_20251001.txt"] = "\n".join(
        f"[2025-10-01T00:00:{second:02}Z] e {numbers} {'x' * 3000}"
        for second in range(50)
    )
    for name, text in paths.items():
        path = faults.write(tmp_path / "g/reports" / name, text)
        before = sum(map(len, faults.landed(tmp_path).values()))
        assert faults.run("ingest", tmp_path).code == 0
        after = sum(map(len, faults.landed(tmp_path).values()))
        assert after - before < 3 * path.stat().st_size + 1_000, name
