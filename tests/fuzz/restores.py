"""Backups put back: of the landing, the ledger, published files, or all of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.owed import Owed
from tests.fuzz.snapshots import STATE, published, told_by_inputs
from tests.fuzz.world import DAYS, World

LANDING = f"{STATE}landing"
LEDGER = f"{STATE}ledger.sqlite"


def attack(world: World) -> Iterator[str]:
    """Data comes in, a backup is made, more comes in; then something is lost."""
    kinds = (
        _old_landing, _old_ledger, _old_state, _no_ledger, _no_landing,
        _no_published, _nothing_but_a_backup,
    )  # fmt: skip
    while True:
        backup = world.scratch / "backup"
        owed = _back_up(world, backup)
        _news(world)
        world.export()
        if world.rng.random() < 0.5:
            _news(world)
        said = world.rng.choice(kinds)(world, backup, owed)
        world.validate()
        shutil.rmtree(backup)
        yield said


def _news(world: World) -> None:
    """More of days that are known, and the hourly job."""
    for day in world.rng.sample(DAYS, k=2):
        world.a_little(day)
    if world.rng.random() < 0.5:
        world.new_day(world.rng.choice(DAYS), beats=1)
    if world.rng.random() < 0.6:
        world.do(world.rotation(world.rng.sample(world.live(), k=5)))


def _back_up(world: World, backup: Path) -> Owed:
    """A copy of the whole state, and what the landing then held."""
    shutil.copytree(world.root / STATE, backup)
    return world.promises.landed.copy()


def _put_back(world: World, backup: Path, name: str) -> None:
    """A file or folder of the state as it was."""
    target, source = world.root / STATE / name, backup / name
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _old_landing(world: World, backup: Path, _owed: Owed) -> str:
    _put_back(world, backup, "landing")
    world.export(*world.rng.choice([[], ["--historical"]]))
    return "an older landing beside a newer ledger"


def _old_ledger(world: World, backup: Path, _owed: Owed) -> str:
    _put_back(world, backup, "ledger.sqlite")
    world.export()
    return "an older ledger beside a newer landing"


def _old_state(world: World, backup: Path, _owed: Owed) -> str:
    shutil.rmtree(world.root / STATE)
    shutil.copytree(backup, world.root / STATE)
    world.export()
    return "all of an older state"


def _no_ledger(world: World, _backup: Path, _owed: Owed) -> str:
    (world.root / LEDGER).unlink()
    if world.rng.random() < 0.3:
        world.dbt("build")
    world.export()
    return "no ledger"


def _no_landing(world: World, _backup: Path, _owed: Owed) -> str:
    shutil.rmtree(world.root / LANDING)
    world.export()
    return "no landing"


def _no_published(world: World, _backup: Path, _owed: Owed) -> str:
    """Every file comes back, the same byte for byte, but for those that are said to
    hold what the landing has lost."""
    said = world.export().report["warnings"]
    kept = {text.partition(": ")[0] for text in said if "kept" in text}
    before = {
        path: data
        for path, data in told_by_inputs(world.look()).items()
        if path not in kept
    }
    gone = [path for path in sorted(before) if world.rng.random() < 0.7]
    for path in gone:
        (world.root / path).unlink()
    world.promises.published = Owed()
    world.export()
    after = told_by_inputs(world.look())
    after = {path: data for path, data in after.items() if path not in kept}
    world.insist(before == after, f"of {gone} not all came back as they were")
    return f"{len(gone)} published files less"


def _nothing_but_a_backup(world: World, backup: Path, owed: Owed) -> str:
    """Landing and published files are lost; inputs and a backup are there."""
    for path in published(world.look()):
        (world.root / path).unlink()
    shutil.rmtree(world.root / STATE)
    (world.root / STATE).mkdir(mode=0o700)
    shutil.copytree(backup / "landing", world.root / LANDING)
    world.promises.keep_only([owed])
    world.promises.read_bundles.clear()
    world.export("--historical")
    return "nothing but a backup of the landing"
