"""Clocks that jump, forth and back, by minutes and by years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.fuzz.machine import epoch
from tests.fuzz.world import DAYS, NOW, World

JUMPS = (
    timedelta(minutes=-30), timedelta(hours=5), timedelta(days=-2), timedelta(days=2),
    timedelta(days=-40), timedelta(days=400), timedelta(days=-366),
    timedelta(days=-3_650), timedelta(days=7_000),
)  # fmt: skip


def attack(world: World) -> Iterator[str]:
    """Inputs are read at wrong times; once it is right again all must show."""
    while True:
        for _ in range(world.rng.randrange(1, 4)):
            world.now = NOW + world.rng.choice(JUMPS)
            said = _news(world)
            arguments = world.rng.choice([[], [], ["--historical"]])
            if world.rng.random() < 0.7:
                world.ingest(*arguments)
            else:
                world.export(*arguments)
            yield f"{said}, read at {world.now}"
        world.now = NOW
        world.export()
        world.validate()
        yield "export with the clock put right"


def _news(world: World) -> str:
    day = world.rng.choice(DAYS)
    kind = world.rng.randrange(4)
    if kind == 0:
        world.new_day(day, beats=2)
        return f"a day again ({day})"
    if kind == 1:
        world.a_little(day)
        return f"a little of {day}"
    if kind == 2:
        files = world.rng.sample(world.live(), k=4)
        world.do(world.rotation(files))
        return f"rotated {', '.join(file.name for file in files)}"
    # Written by a machine whose clock is wrong as well, or by a broken one.
    at = world.rng.choice(
        [world.now, datetime(9999, 12, 31, 23, 59), datetime(1999, 1, 2)]
    )
    files = [world.machine.heartbeat(at), world.machine.query_csv(at.date(), 2)]
    world.put(*(file._replace(mtime=min(epoch(at), 2**33)) for file in files))
    world.append(world.machine.log_lines(at.date(), 2)._replace(mtime=epoch(NOW)))
    return f"inputs of {at}"
