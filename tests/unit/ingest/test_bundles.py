"""Bundles: proven to the last byte before they count, whatever they hold."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import bundles
from ingest.bundles import MOST_PASSED_OVER, BundleProblem, read_bundle, why_unproven
from ingest.root import Root
from ingest.run import land
from ingest.store.landed_days import landed_days
from ingest.store.ledger import Ledger
from tests.faults import heartbeat, member, query_csv, write

NOW = datetime(2025, 11, 2, 12)
AT = 1761609600
DAY = "2025-10-27"
BUNDLE = "g/reports/archive/reports_20251030_000000.tar.gz"
TRUTH = {
    f"g/reports/heartbeat_{DAY}_01-00-00.md": heartbeat(f"{DAY}T01:00:00Z"),
    f"g/reports/heartbeat_{DAY}_01-05-00.md": heartbeat(f"{DAY}T01:05:00Z", "CRITICAL"),
    "g/reports/query_perf_daily_20251027.csv": query_csv(DAY, 5),
    "g/reports/query_perf.jsonl": "".join(
        f'{{"ts":"{DAY}T0{n}:00:00Z","query":"select {n}","duration_ms":{n}}}\n'
        for n in range(4)
    ),
    "g/telemetry/rollup_daily.ndjson": (
        f'{{"ts":"{DAY}T01:00:00Z","metric":"m","value":1}}\n'
    ),
    "g/reports/index_advisor_report.json": json.dumps(
        {"timestamp": f"{DAY}T02:00:00Z", "recommendations": [{"table": "t"}]}
    ),
    "g/reports/optimization_summary_20251027.txt": "Hit rate: 97 %\nnote\n",
}  # fmt: skip


def tarred(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for info, data in members:
            info.size = info.size or len(data)
            tar.addfile(info, io.BytesIO(data) if data else None)
    return made.getvalue()


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


WHOLE = zipped(
    tarred((member(name, mtime=AT), text.encode()) for name, text in TRUTH.items())
)


def landed(root: Path, ledger: Ledger, **how: Any) -> str:
    report = land(Root(root), ledger, now=NOW, **how)
    assert not report.errors
    return "\n".join(report.warnings)


def state(ledger: Ledger) -> list[tuple[str, str, str, int, str]]:
    return [
        (row.source, row.day, row.dataset, row.records, row.mark)
        for row in landed_days(ledger)
        if row.records and row.source != "observed_columns"
    ]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    ledger = Ledger(None)
    root = tmp_path_factory.mktemp("truth")
    write(root / BUNDLE, WHOLE)
    assert not landed(root, ledger)
    return state(ledger)


def test_a_bundle_is_worth_its_files(tmp_path: Path, truth: list[Any]) -> None:
    ledger = Ledger(None)
    for name, text in TRUTH.items():
        write(tmp_path / name, text, AT)
    landed(tmp_path, ledger)
    assert state(ledger) == truth


DAMAGED = [
    *(WHOLE[:at] + bytes([WHOLE[at] ^ 1 << at % 8]) + WHOLE[at + 1 :]
      for at in range(10, len(WHOLE), 37)),
    WHOLE[:-1], WHOLE[:-8], WHOLE[:-9], WHOLE[: len(WHOLE) // 2], WHOLE[:20],
]  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_bundle_changes_nothing_that_is_landed(
    data: bytes, tmp_path: Path, truth: list[Any]
) -> None:
    ledger = Ledger(None)
    for name, text in TRUTH.items():
        write(tmp_path / name, text, AT)
    landed(tmp_path, ledger)
    write(tmp_path / BUNDLE, data)
    assert f"{BUNDLE}: " in landed(tmp_path, ledger)
    assert state(ledger) == truth
    landed(tmp_path, ledger, historical=True)
    assert state(ledger) == truth


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("then", ["live", "whole"])
def test_what_a_damaged_bundle_said_makes_way_for_the_truth(
    then: str, data: bytes, tmp_path: Path, truth: list[Any]
) -> None:
    ledger = Ledger(None)
    write(tmp_path / BUNDLE, data)
    assert f"{BUNDLE}: " in landed(tmp_path, ledger)
    first = state(ledger)
    assert f"{BUNDLE}: " in landed(tmp_path, ledger), "until it is mended"
    landed(tmp_path, ledger, historical=True)
    assert state(ledger) == first
    if then == "live":
        for name, text in TRUTH.items():
            write(tmp_path / name, text, AT)
    else:
        write(tmp_path / BUNDLE, WHOLE, AT + 5)
    said = landed(tmp_path, ledger)
    assert (f"{BUNDLE}: " in said) == (then == "live")
    assert state(ledger) == truth
    landed(tmp_path, ledger, historical=True)
    assert state(ledger) == truth


@pytest.mark.parametrize("data", [b"", b"junk\n", WHOLE[:20], zipped(b"junk")])
def test_of_what_nothing_can_be_read_nothing_is_told_as_parsed(
    data: bytes, tmp_path: Path
) -> None:
    told: list[object] = []
    write(tmp_path / BUNDLE, data)
    for _ in range(2):
        said = landed(tmp_path, Ledger(None), say=told.append)
        assert said.startswith(f"{BUNDLE}: ")
        assert "nothing could be read from it: put a whole copy in its place" in said
    assert not told


def test_what_is_no_input_is_told_by_each_run(tmp_path: Path) -> None:
    ledger = Ledger(None)
    others = {
        "heartbeat_latest.md": "heartbeats by other names",
        "/srv/g/reports/odd.md": "reports of a kind that is not read",
        "g/reports/events.jsonl": "logs of a kind that is not read",
        "g/reports/parquet/verify_20250101T000000Z.md": None,
        "g/reports/.hidden.md": None,
    }
    inputs = [(member(name, mtime=AT), text.encode()) for name, text in TRUTH.items()]
    extra = [(member(name, mtime=AT), b"x") for name in others]
    for data in (zipped(tarred([*inputs, *extra])), zipped(tarred([*extra]))[:-8]):
        write(tmp_path / BUNDLE, data, AT + len(data))
        for historical in (False, False, True):
            report = land(Root(tmp_path), ledger, now=NOW, historical=historical)
            assert report.ignored == {
                what: [f"{BUNDLE}:{name}"] for name, what in others.items() if what
            }
    (tmp_path / BUNDLE).unlink()
    assert not land(Root(tmp_path), ledger, now=NOW).ignored


def test_nothing_that_looks_like_an_input_hides_among_others(tmp_path: Path) -> None:
    many = [(member(f"{n}.png", mtime=AT), b"x") for n in range(MOST_PASSED_OVER + 1)]
    many += [(member(f"/srv/{n}", mtime=AT), b"x") for n in range(MOST_PASSED_OVER)]
    beat = "g/reports/heartbeat_latest.md"
    linked = "g/reports/heartbeat_before.md"
    link = member(linked, tarfile.LNKTYPE, mtime=AT, linkname=beat)
    others = [(member(beat, mtime=AT), b"x"), (link, b"")]
    write(tmp_path / BUNDLE, zipped(tarred([*many, *others])))
    ignored = land(Root(tmp_path), Ledger(None), now=NOW).ignored
    assert len(ignored["reports of a kind that is not read"]) == MOST_PASSED_OVER
    assert ignored["heartbeats by other names"] == [
        f"{BUNDLE}:{beat}", f"{BUNDLE}:{linked}"
    ]  # fmt: skip


def names(path: Path) -> tuple[dict[str, bytes], str]:
    """What is read of a bundle, by name, and what was wrong with it."""
    found = {}
    try:
        for input_file in read_bundle(path, path.name, lambda: NOW):
            with input_file.open() as stream:
                found[input_file.name] = stream.read()
            assert input_file.mtime == AT
    except BundleProblem as problem:
        return found, str(problem)
    return found, ""


BEATS = [f"heartbeat_{DAY}_0{n}-00-00.md" for n in range(8)]


def test_links_within_a_bundle_are_read(tmp_path: Path) -> None:
    def link(name: str, to: str) -> tuple[tarfile.TarInfo, bytes]:
        return member(name, tarfile.LNKTYPE, mtime=AT, linkname=to), b""

    data = tarred(
        [
            (member(f"a/{BEATS[0]}", mtime=AT), b"first"),
            link(BEATS[1], f"a/{BEATS[0]}"),
            link(BEATS[2], BEATS[1]),
            (member("other.bin", mtime=AT), b"other"),
            link(BEATS[3], "other.bin"),
            (member("other.bin", mtime=AT), b"later"),
            link(BEATS[4], "other.bin"),
            link(BEATS[5], "/etc/passwd"),
            link("nothing.txt", "nowhere"),
        ]
    )
    path = write(tmp_path / "a.tar.gz", zipped(data))
    found, problem = names(path)
    assert found == dict(
        zip(BEATS, [b"first"] * 3 + [b"other", b"later"], strict=False)
    )
    assert problem == f"'{BEATS[5]}' links to what is not in it"


def test_links_are_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tarred(
        [
            (member("a", mtime=AT), b"x" * 2_000),
            *(
                (member(name, tarfile.LNKTYPE, mtime=AT, linkname="a"), b"")
                for name in BEATS
            ),
        ]
    )
    path = write(tmp_path / "a.tar.gz", zipped(data))
    assert len(names(path)[0]) == len(BEATS)
    for limit, value in (("MAX_LINKED_BYTES", 1_999), ("MAX_BUNDLE_BYTES", 12_000)):
        with monkeypatch.context() as patched:
            patched.setattr(bundles, limit, value)
            found, problem = names(path)
        assert not found
        assert f"'{BEATS[0]}' is larger" in problem
        assert "and 7 more" in problem


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
     tarfile.DIRTYPE, b"Z"],
)  # fmt: skip
def test_what_is_no_file_is_named(kind: bytes, tmp_path: Path) -> None:
    data = tarred(
        [
            (member(BEATS[0], kind, mtime=AT), b""),
            (member(BEATS[1], mtime=AT), b"x"),
            (member("odd", kind, mtime=AT), b""),
        ]
    )
    found, problem = names(write(tmp_path / "a.tar.gz", zipped(data)))
    assert found == {BEATS[1]: b"x"}
    assert problem == f"'{BEATS[0]}' is no file"


def test_sparse_and_long_names_are_read(tmp_path: Path) -> None:
    # GNU: 5 bytes at 512, of 1,000.
    info = member(BEATS[0], tarfile.GNUTYPE_SPARSE, mtime=AT, size=5)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386 : 386 + 24] = b"%011o\0%011o\0" % (512, 5)
    header[483 : 483 + 12] = b"%011o\0" % 1000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + b"hello".ljust(512, b"\0")
    data += tarred(
        [
            (member("d" * 300 + f"/{BEATS[1]}", mtime=AT), b"long"),
            (
                member("x", mtime=AT, pax_headers={"path": f"{'é' * 200}/{BEATS[2]}"}),
                b"pax",
            ),
        ]
    )
    found, problem = names(write(tmp_path / "a.tar.gz", zipped(data)))
    assert not problem
    assert found[BEATS[0]] == b"\0" * 512 + b"hello" + b"\0" * 483
    assert found[BEATS[1]] == b"long"


def test_nothing_behind_the_end_is_lost(tmp_path: Path) -> None:
    one = tarred([(member(BEATS[0], mtime=AT), b"one")])
    two = tarred([(member(BEATS[1], mtime=AT), b"two")])
    for data in (zipped(one + two), zipped(one) + zipped(two)):
        found, problem = names(write(tmp_path / "a.tar.gz", data))
        assert (set(found), problem) == ({BEATS[0], BEATS[1]}, "")
        assert why_unproven(tmp_path / "a.tar.gz") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:1024], "no end"),
        (lambda data: data[:1024] + b"x" * 512 + data[1024:], "damaged"),
        (lambda data: data[:1100], "ends in a header"),
        (lambda data: data[:700], "unexpected end"),
    ],
)
def test_what_is_no_whole_archive_is_said(
    change: Any, said: str, tmp_path: Path
) -> None:
    data = tarred([(member(BEATS[0], mtime=AT), b"one" * 100)])
    path = write(tmp_path / "a.tar.gz", zipped(change(data)))
    _, problem = names(path)
    assert said in problem
    assert why_unproven(path) is None, "its checksum is right"


@pytest.mark.parametrize("mtime", ["-1e300", "1e300", "inf", "-99999999999999999999"])
@pytest.mark.parametrize("size", ["-5", "99999999999999999999"])
def test_times_and_sizes_that_cannot_be_are_survived(
    mtime: str, size: str, tmp_path: Path
) -> None:
    def odd(**headers: str) -> list[tuple[tarfile.TarInfo, bytes]]:
        return [
            (member(name, mtime=0, pax_headers=headers), text.encode())
            for name, text in TRUTH.items()
        ]

    ledger = Ledger(None)
    write(tmp_path / BUNDLE, zipped(tarred(odd(mtime=mtime))))
    assert not landed(tmp_path, ledger)
    before = state(ledger)
    assert before
    other = BUNDLE.replace("_00", "_01")
    write(tmp_path / other, zipped(tarred(odd(size=size))))
    assert "is larger" in landed(tmp_path, ledger)
    assert state(ledger) == before


def test_inputs_of_a_far_future_are_landed_once(tmp_path: Path) -> None:
    ledger = Ledger(None)
    for name, text in TRUTH.items():
        path = write(tmp_path / name, text)
        os.utime(path, (9_300_000_000, 9_300_000_000))
    landed(tmp_path, ledger)
    before = state(ledger)
    assert before
    landed(tmp_path, ledger, historical=True)
    assert state(ledger) == before
