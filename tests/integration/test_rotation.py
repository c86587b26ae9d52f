"""Rotation into bundles loses nothing, lands nothing twice, changes no byte."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from ingest import bundles
from ingest.root import EXAMPLE_ROOT
from tests import faults
from tests.faults import export_datasets as export
from tests.support import copy_root


def test_what_was_landed_and_then_rotated_is_not_landed_twice(root: Path) -> None:
    before, store = faults.published(root), faults.landed(root)
    faults.rotate(root, faults.inputs(root))
    assert not faults.inputs(root)

    assert not export(root).paths("exported", "failed")
    assert faults.published(root) == before
    assert faults.landed(root) == store

    export(root, "--historical")
    assert faults.published(root) == before, "reading all again changes nothing"
    assert faults.landed(root) == store


def test_what_was_rotated_first_gives_the_bytes_of_live_files(
    root: Path, tmp_path: Path
) -> None:
    fresh = copy_root(EXAMPLE_ROOT, tmp_path / "fresh")
    names = faults.inputs(fresh)
    # Each file once, in bundles that know nothing of their order.
    faults.rotate(fresh, names[::2], "20251101_000000")
    faults.rotate(fresh, names[1::2], "20251031_000000")
    export(fresh)
    assert faults.contents(faults.published(fresh)) == faults.contents(
        faults.published(root)
    )


def test_disappearing_inputs_keep_their_days(root: Path) -> None:
    before = faults.published(root)
    for name in faults.inputs(root):
        (root / name).unlink()
    export(root)
    export(root, "--historical")
    assert faults.published(root) == before


def test_a_lost_landing_with_rotated_inputs_shrinks_nothing(root: Path) -> None:
    before = faults.published(root)
    beats = sorted(faults.rows(root, faults.BEATS))
    shutil.rmtree(root / faults.STATE)
    for name in faults.inputs(root)[::2]:
        (root / name).unlink()
    done = export(root)
    assert "kept, because the landing now holds" in done.warnings
    assert faults.published(root).keys() == before.keys()
    assert sorted(faults.rows(root, faults.BEATS)) == beats
    export(root, "--force")
    assert len(faults.rows(root, faults.BEATS)) < len(beats), "--force overrides"


BEAT = faults.heartbeat("2025-10-30T01:00:00Z").encode()
GOOD = "heartbeat_2025-10-30_01-00-00.md"


def test_hostile_members_do_no_harm(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    hostile = [
        (faults.member("../../../../outside/heartbeat_2025-10-30_02-00-00.md"), BEAT),
        (faults.member(f"{outside}/heartbeat_2025-10-30_03-00-00.md"), BEAT),
        (faults.member("heartbeat_2025-10-30_04-00-00.md", tarfile.SYMTYPE,
                linkname="/etc/passwd"), b""),
        (faults.member("heartbeat_2025-10-30_05-00-00.md", tarfile.LNKTYPE,
                linkname="/etc/passwd"), b""),
        (faults.member("heartbeat_2025-10-30_06-00-00.md", tarfile.CHRTYPE,
                devmajor=1, devminor=5), b""),
        (faults.member("heartbeat_2025-10-30_07-00-00.md", tarfile.FIFOTYPE), b""),
        (faults.member("heartbeat_2025-10-30_08-00-00.md", tarfile.DIRTYPE), b""),
        (faults.member("x" * 5000 + "/heartbeat_2025-10-30_09-00-00.md"), BEAT),
        (faults.member("optimization_summary_'; drop table x; --\n../..txt"),
            b"note: 1\n"),
        (faults.member(GOOD, pax_headers={"mtime": "nan"}), BEAT),
    ]  # fmt: skip
    path = root / "g/reports/archive/reports_20251030_000000.tar.gz"
    faults.make_bundle(path, hostile)
    export(root)
    names = {row[0] for row in faults.rows(root, faults.BEATS, "filename")}
    taken = {n for n in names if n.startswith("heartbeat_2025-10-30")}
    assert taken == {
        GOOD,
        *(f"heartbeat_2025-10-30_0{hour}-00-00.md" for hour in (2, 3, 9)),
    }
    assert not list(outside.iterdir()), "nothing is unpacked"
    assert not faults.conservation(root)
    assert not faults.leftovers(root)


def broken(kind: str) -> bytes:
    made = io.BytesIO()
    if kind == "truncated":
        data = b"".join(b"%d" % (n * n * 7919) for n in range(30_000))
        with tarfile.open(fileobj=made, mode="w:gz") as tar:
            for name in (GOOD, "query_perf_daily_20251030.csv"):
                body = BEAT if name == GOOD else faults.HEADER.encode() + data
                info = faults.member(name, size=len(body))
                tar.addfile(info, io.BytesIO(body))
        return made.getvalue()[: len(made.getvalue()) * 2 // 3]
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        tar.addfile(faults.member(GOOD, size=len(BEAT)), io.BytesIO(BEAT))
        if kind == "huge size":
            tar.addfile(faults.member("query_perf_daily_20251030.csv", size=1 << 50))
        elif kind == "pax header":
            info = faults.member("x", tarfile.XHDTYPE, size=1 << 40)
            tar.addfile(info)
        elif kind == "headers of headers":
            for _ in range(3000):
                body = b"x" * 512
                info = faults.member("x", tarfile.GNUTYPE_LONGNAME, size=512)
                assert tar.fileobj is not None
                tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT) + body)
        elif kind == "many":
            for _ in range(400):
                tar.addfile(faults.member("nothing.txt"))
    data = made.getvalue()
    if kind == "flipped":
        data = data[:60] + bytes([data[60] ^ 255]) + data[61:]
    return data


@pytest.mark.parametrize(
    "kind",
    ["truncated", "huge size", "pax header", "headers of headers", "many", "flipped"],
)
def test_a_broken_bundle_is_a_warning(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_MEMBERS", 300)
    path = tmp_path / "g/reports/archive/reports_20250101_000000.tar.gz"
    faults.write(path, broken(kind))
    done = faults.run("ingest", tmp_path)
    assert done.code == 0, done.errors
    assert path.name in done.warnings
    if kind != "flipped":
        assert done.report["records"] == 1, "what came before stands"

    # An old name, but it may have been in the making: it is looked at again.
    again = faults.run("ingest", tmp_path)
    assert again.report["records"] == 0
    assert again.warnings == done.warnings, "said in a line until it is mended"
    faults.make_bundle(
        path,
        [
            (faults.member(GOOD), BEAT),
            (faults.member("heartbeat_2025-10-30_11-00-00.md"), BEAT),
        ],
    )
    done = faults.run("ingest", tmp_path)
    assert (done.code, done.warnings) == (0, "")
    assert done.report["records"] == (2 if kind == "flipped" else 1)


def test_an_unreadable_bundle_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "g/reports/archive/reports_20250101_000000.tar.gz"
    faults.make_bundle(path, [(faults.member(GOOD), BEAT)])

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(bundles, "open_regular", refuse)
        done = faults.run("ingest", tmp_path)
    assert done.code == 1
    assert "reports_20250101_000000.tar.gz: cannot be read" in done.errors
    assert faults.run("ingest", tmp_path).report["records"] == 1


def test_a_bundle_larger_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", 20_000)
    path = tmp_path / "g/reports/archive/reports_20250101_000000.tar.gz"
    faults.make_bundle(
        path,
        [
            (faults.member(GOOD), BEAT),
            *((faults.member("other.txt"), b"0" * 9_000),) * 3,
        ],
    )
    done = faults.run("ingest", tmp_path)
    assert done.code == 0
    assert "holds more than" in done.warnings
