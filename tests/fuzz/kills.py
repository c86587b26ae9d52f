"""Commands that are killed while others write and rotate what they read."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fuzz.actions import Action, write
from tests.fuzz.machine import LOG, SUMMARY
from tests.fuzz.world import DAYS, World

# What a run does to files, from nothing new to everything at once.
STEPS = 700


def attack(world: World) -> Iterator[str]:
    """A command is killed once or more; then one comes to its end."""
    while True:
        said = []
        for _ in range(world.rng.randrange(1, 4)):
            _news(world)
            said.append(_killed(world))
            yield said[-1]
        world.export(*world.rng.choice([[], [], ["--historical"], ["--force"]]))
        world.validate()
        yield "export"


def _news(world: World) -> None:
    day = world.rng.choice(DAYS)
    for _ in range(world.rng.randrange(3)):
        world.a_little(day)
    if world.rng.random() < 0.5:
        world.put(world.machine.query_csv(day, world.rng.randrange(6, 9)))
    if world.rng.random() < 0.5:
        world.put(world.machine.summary(world.machine.moment(day)))


def _killed(world: World) -> str:
    """Killed at one of its steps, early ones more often, or after a while."""
    at = int(2 ** world.rng.uniform(0, 9.5))
    meanwhile = _writer(world)
    kind = world.rng.randrange(6)
    if kind == 0:
        world.ingest(kill_at=at)
        return f"ingest killed at {at}"
    if kind == 1:
        command = world.rng.choice(["run", "build"])
        world.dbt(command, kill_at=at)
        return f"dbt {command} killed at {at}"
    arguments = world.rng.choice([[], [], [], ["--force"], ["--historical"]])
    said = " ".join(["export", *arguments])
    if kind == 2:
        after = world.rng.uniform(0, 4)
        world.export(*arguments, kill_after=after, meanwhile=meanwhile)
        return f"{said} killed after {after:.2f} s"
    if kind == 3:
        world.export(*arguments, meanwhile=meanwhile)
        return f"{said} with {len(meanwhile)} changes meanwhile"
    world.export(*arguments, kill_at=at, meanwhile=meanwhile)
    return f"{said} killed at {at}, with {len(meanwhile)} changes meanwhile"


def _writer(world: World) -> list[tuple[int, Action]]:
    """Inputs written, grown and rotated away at some steps of a command."""
    day = world.rng.choice(DAYS)
    machine = world.machine
    actions: list[Action] = []
    for _ in range(world.rng.randrange(4)):
        kind = world.rng.randrange(4)
        if kind == 0:
            actions.append(write(machine.heartbeat(machine.moment(day))))
        elif kind == 1 and not any(action[1] == LOG for action in actions):
            actions += world.appending(machine.log_lines(day, 2))
        elif kind == 2:
            actions.append(write(machine.summary(machine.moment(day))))
        else:
            fixed = {action[1] for action in actions} | {LOG, SUMMARY}
            files = [file for file in world.live() if file.path not in fixed]
            chosen = world.rng.sample(files, k=min(4, len(files)))
            actions += world.rotation(chosen)
    steps = sorted(world.rng.sample(range(1, STEPS), k=len(actions)))
    return list(zip(steps, actions, strict=True))
