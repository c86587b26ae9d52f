"""Bits that turn, blocks that vanish: in inputs, landing, state, published files."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.actions import File
from tests.fuzz.readings import CANARY, readings_in
from tests.fuzz.snapshots import STATE, landed, published, told_by_inputs
from tests.fuzz.world import DAYS, World


def attack(world: World) -> Iterator[str]:
    """Damage in one place at a time, then an export that has to cope."""
    kinds = (_input, _landing, _landing_and_more, _published, _state)
    while True:
        yield world.rng.choice(kinds)(world)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Data as a bad disk would give it back, never the same."""
    while data and (bad := _damaged_once(rng, data)) == data:
        pass
    return bad if data else b"\0"


def _damaged_once(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    size = rng.randrange(1, 600)
    kind = rng.randrange(7)
    if kind < 3:
        bit = bytes([data[at] ^ (1 << rng.randrange(8))])
        return data[:at] + bit + data[at + 1 :]
    if kind == 3:
        return data[:at]
    if kind == 4:
        return data[:at] + b"\0" * len(data[at : at + size]) + data[at + size :]
    if kind == 5:
        return data[:at] + rng.randbytes(size) + data[at:]
    return data[:at] + data[at : at + size] + data[at:]


def _hurt(world: World, path: str) -> None:
    """Damage a file of ours; like any writing it shows in the time."""
    world.notes.append(f"hurt {path}")
    where = world.root / path
    bad = damaged(world.rng, where.read_bytes())
    mode = where.stat().st_mode
    where.write_bytes(bad)
    where.chmod(mode)
    _touch(where)


def _touch(path: Path) -> None:
    look = path.stat()
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns + 10_000_000))


def _choose(world: World, paths: list[str]) -> list[str]:
    return world.rng.sample(sorted(paths), k=min(len(paths), world.rng.randrange(1, 4)))


def _input(world: World) -> str:
    """Live inputs and bundles; none that holds a secret, for its form may break."""
    files = [
        file for file in world.live()
        if CANARY.encode() not in file.data and file.path.startswith("g/reports")
    ]  # fmt: skip
    if world.rng.random() < 0.5:
        kept = world.rng.sample(files, k=min(3, len(files)))
        world.do(world.rotation(kept))
    names = []
    bundles = sorted((world.root / "g/reports/archive").glob("*.tar.gz"))
    for file in world.rng.sample(files, k=min(3, len(files))):
        if (world.root / file.path).exists():
            bad = damaged(world.rng, file.data)
            world.put(file._replace(data=bad, mtime=file.mtime + 1))
            names.append(file.name)
    for path in bundles[-1:]:
        bad = damaged(world.rng, path.read_bytes())
        members = [reading for _, reading in readings_in(world.look())]
        world.promises.may_show(members, world.now)
        mtime = int(path.stat().st_mtime) + 1
        world.put(File(path.relative_to(world.root).as_posix(), bad, mtime))
        names.append(path.name)
    world.export(*world.rng.choice([[], ["--historical"]]))
    return f"damage in {', '.join(names)}"


def _landing(world: World) -> str:
    """Parts of the landing, while all inputs are still there."""
    parts = [path for path in landed(world.look()) if ".damaged" not in path]
    chosen = _choose(world, parts)
    for path in chosen:
        _hurt(world, path)
    world.export()
    world.validate()
    return f"damage in {', '.join(chosen)}"


def _landing_and_more(world: World) -> str:
    """The same, and the damaged day gets new data at once."""
    parts = [path for path in landed(world.look()) if path.endswith(".gz")]
    chosen = _choose(world, [path for path in parts if ".damaged" not in path])
    for path in chosen:
        _hurt(world, path)
    day = world.rng.choice(DAYS)
    world.a_little(day)
    world.export()
    world.validate()
    return f"damage in {', '.join(chosen)}, news of {day}"


def _published(world: World) -> str:
    """Published files: each is made again, the same byte for byte."""
    before = told_by_inputs(world.look())
    chosen = _choose(world, list(published(world.look())))
    for path in chosen:
        _hurt(world, path)
    world.validate(is_damaged=True)
    world.export()
    after = told_by_inputs(world.look())
    world.insist(before == after, f"{chosen} were not made again as they were")
    return f"damage in {', '.join(chosen)}"


def _state(world: World) -> str:
    """The ledger, the manifest, records of runs: what can be made again."""
    paths = [
        path for path in world.look()
        if path.startswith(STATE)
        and not path.startswith((f"{STATE}landing/", f"{STATE}dbt/"))
        and not path.endswith("lock")
    ]  # fmt: skip
    chosen = _choose(world, paths)
    for path in chosen:
        _hurt(world, path)
    world.export()
    world.validate()
    return f"damage in {', '.join(chosen)}"
