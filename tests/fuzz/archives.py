"""Bundles of every shape: whole ones, odd ones, damaged ones, and none at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator

from tests.fuzz.actions import File, tarred
from tests.fuzz.machine import HOME, epoch
from tests.fuzz.readings import kind_of, read
from tests.fuzz.world import DAYS, World

Members = list[tuple[tarfile.TarInfo, bytes]]


def attack(world: World) -> Iterator[str]:
    """Some archives at a time, landed; after every few of them, published."""
    while True:
        for _ in range(3):
            kinds = [_plant(world) for _ in range(world.rng.randrange(4, 12))]
            historical = world.rng.random() < 0.2
            world.ingest(*(["--historical"] if historical else []))
            yield f"ingest of archives: {', '.join(kinds)}"
        world.export()
        world.validate()
        yield "export"


def _plant(world: World) -> str:
    """One archive under a name of its own."""
    files = _files(world)
    kind = world.rng.choice(list(KINDS))
    data = KINDS[kind](world, files)
    mtime = epoch(world.now) - world.rng.randrange(3_000)
    path = world.bundle_path()
    world.put(File(path, data, mtime))
    # What is damaged may be read up to there, but never as anything else.
    world.promises.may_show(
        (read(f.name, f.data, f.mtime) for f in files if kind_of(f.name)), world.now
    )
    if kind == "cut" and world.rng.random() < 0.5:
        world.ingest()
        world.put(File(path, tarred(files), mtime + 60))
        return "cut, then whole"
    return kind


def _files(world: World) -> list[File]:
    """Some inputs that were rotated away, none of them seen before."""
    machine, day = world.machine, world.rng.choice(DAYS)
    at = machine.moment(day)
    made = [machine.heartbeat(machine.moment(day)) for _ in range(4)]
    made += [
        machine.log_lines(day, 3), machine.telemetry_lines(day, 3),
        machine.advisor(at, world.rng.randrange(2)), machine.summary(at),
    ]  # fmt: skip
    world.rng.shuffle(made)
    return made[: world.rng.randrange(1, len(made) + 1)]


def _info(file: File, prefix: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(prefix + file.path)
    info.size, info.mtime = len(file.data), file.mtime
    return info


def _tar(members: Members, kind: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data) if data else None)
    return made.getvalue()


def _members(files: list[File], prefix: str = "") -> Members:
    return [(_info(file, prefix), file.data) for file in files]


# Whole ones


def _plain(world: World, files: list[File]) -> bytes:
    return tarred(files, world.rng.choice(["", "/", "./", "../../", HOME]))


def _any_format(world: World, files: list[File]) -> bytes:
    formats = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
    return gzip.compress(_tar(_members(files), world.rng.choice(formats)))


def _long_names(world: World, files: list[File]) -> bytes:
    prefix = "/".join(["x" * 90] * world.rng.randrange(2, 12)) + "/"
    formats = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
    return gzip.compress(_tar(_members(files, prefix), world.rng.choice(formats)))


def _backslashes(_world: World, files: list[File]) -> bytes:
    renamed = [f._replace(path=f.path.replace("/", "\\")) for f in files]
    return tarred(renamed)


def _twice(world: World, files: list[File]) -> bytes:
    """Members that come again, as they were or written later."""
    again = [f._replace(mtime=f.mtime - world.rng.choice([0, 0, 3])) for f in files]
    return tarred([*files, *again])


def _hard_links(_world: World, files: list[File]) -> bytes:
    """Every content under a name that is nobody's, and linked under its own."""
    members: Members = []
    for number, file in enumerate(files):
        stored = file._replace(path=f"store/{number}")
        link = _info(file)
        link.type, link.linkname, link.size = tarfile.LNKTYPE, stored.path, 0
        members += [(_info(stored), file.data), (link, b"")]
    return gzip.compress(_tar(members))


def _sparse(_world: World, files: list[File]) -> bytes:
    """As GNU tar stores what has holes: a map before the data."""
    members: Members = []
    for file in files:
        size = len(file.data)
        chart = f"1\n0\n{size}\n".encode().ljust(512, b"\0")
        info = _info(file._replace(path=f"GNUSparseFile.1/{file.name}"))
        info.size = len(chart) + size
        info.pax_headers = {
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0",
            "GNU.sparse.name": file.path, "GNU.sparse.realsize": str(size),
        }  # fmt: skip
        members.append((info, chart + file.data))
    return gzip.compress(_tar(members))


def _odd_times(world: World, files: list[File]) -> bytes:
    members = _members(files)
    for info, _ in members:
        odd = world.rng.choice(["nan", "inf", "-1e18", "1e18", "-62135596801", "0.5"])
        info.pax_headers = {"mtime": odd}
    return gzip.compress(_tar(members))


def _in_pieces(world: World, files: list[File]) -> bytes:
    """Several gzip streams one after the other, empty ones between them."""
    data = _tar(_members(files))
    at = world.rng.randrange(len(data))
    return b"".join(map(gzip.compress, (data[:at], b"", data[at:])))


def _without_end(_world: World, files: list[File]) -> bytes:
    """The zero blocks at the end are missing."""
    return gzip.compress(_tar(_members(files)).rstrip(b"\0") + b"\0" * 511)


def _padded(world: World, files: list[File]) -> bytes:
    return tarred(files) + b"\0" * world.rng.randrange(1, 3_000)


# Odd ones: nothing in them is an input, or not all


def _no_files(world: World, files: list[File]) -> bytes:
    """Folders, pipes, devices and links to elsewhere under names of inputs."""
    members: Members = []
    for file in files:
        info = _info(file)
        info.size = 0
        info.type = world.rng.choice(
            [tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.SYMTYPE]
        )
        info.linkname = "/etc/passwd"
        members.append((info, b""))
    return gzip.compress(_tar(members))


def _dangling(_world: World, files: list[File]) -> bytes:
    """A hard link to what is not in the archive."""
    link = _info(files[0])
    link.type, link.linkname, link.size = tarfile.LNKTYPE, "nowhere", 0
    return gzip.compress(_tar([(link, b""), *_members(files[1:])]))


def _strange_names(world: World, files: list[File]) -> bytes:
    names = ["\udce9", "a\nb", "'; drop table x; --", "*", "%s", "é" * 60, "\u202e"]
    strange = [
        File(f"optimization_summary_{world.rng.choice(names)}.txt", f.data, f.mtime)
        for f in files
    ]
    return gzip.compress(_tar(_members(strange), tarfile.GNU_FORMAT))


def _other_format(world: World, files: list[File]) -> bytes:
    data = _tar(_members(files))
    choices: list[Callable[[bytes], bytes]] = [
        bytes, bz2.compress, lzma.compress, lambda _: b"", lambda d: d[::-1],
    ]  # fmt: skip
    return world.rng.choice(choices)(data)


# Damaged ones


def _cut(world: World, files: list[File]) -> bytes:
    data = tarred(files)
    return data[: world.rng.randrange(len(data))]


def _flipped(world: World, files: list[File]) -> bytes:
    data = bytearray(tarred(files))
    for _ in range(world.rng.choice([1, 1, 1, 4])):
        data[world.rng.randrange(len(data))] ^= 1 << world.rng.randrange(8)
    return bytes(data)


def _flipped_content(world: World, files: list[File]) -> bytes:
    """Stored, not packed: only the check sum tells that a letter is another."""
    data = bytearray(gzip.compress(_tar(_members(files)), compresslevel=0))
    at = data.find(world.rng.choice(files).data[:40])
    data[at + world.rng.randrange(40)] ^= 1 << world.rng.randrange(7)
    return bytes(data)


def _absurd_size(world: World, files: list[File]) -> bytes:
    info = _info(files[0])
    info.size = 1 << world.rng.randrange(31, 60)
    header = info.tobuf(tarfile.GNU_FORMAT)
    return gzip.compress(_tar(_members(files[1:])).rstrip(b"\0") + header)


def _junk_behind(world: World, files: list[File]) -> bytes:
    return tarred(files) + world.rng.randbytes(world.rng.randrange(1, 200))


KINDS: dict[str, Callable[[World, list[File]], bytes]] = {
    "plain": _plain, "any format": _any_format, "long names": _long_names,
    "backslashes": _backslashes, "twice": _twice, "hard links": _hard_links,
    "sparse": _sparse, "odd times": _odd_times, "in pieces": _in_pieces,
    "without end": _without_end, "padded": _padded, "no files": _no_files,
    "dangling": _dangling, "strange names": _strange_names,
    "other format": _other_format, "cut": _cut, "flipped": _flipped,
    "flipped content": _flipped_content, "absurd size": _absurd_size,
    "junk behind": _junk_behind,
}  # fmt: skip
