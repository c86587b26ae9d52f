"""Playing an attack: from a seed, for so many steps, and again."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.root import PROJECT
from tests.forker import forker
from tests.fuzz import (
    archives,
    bit_flips,
    clocks,
    commands,
    encodings,
    kills,
    restores,
)
from tests.fuzz.steps import Broken
from tests.fuzz.world import World, copied, first_world
from tests.support import clean_environment, unmeasured

Attack = Callable[[World], Iterator[str]]

ATTACKS: dict[str, Attack] = {
    "archives": archives.attack,
    "bit_flips": bit_flips.attack,
    "clocks": clocks.attack,
    "commands": commands.attack,
    "encodings": encodings.attack,
    "kills": kills.attack,
    "restores": restores.attack,
}
# What dbt and the commands need; an attack may change it.
PROJECT_PARTS = (
    "dbt_project.yml", "profiles.yml", "pyproject.toml", "docs", "exporter", "ingest",
    "macros", "models", "seeds", "tests/dbt",
)  # fmt: skip


@dataclass
class Played:
    """The steps that were done; the promise that broke in the next, and what had
    been done in it."""

    steps: list[str] = field(default_factory=list)
    broken: Broken | None = None
    notes: list[str] = field(default_factory=list)


@contextlib.contextmanager
def ground(folder: Path | None = None) -> Iterator[World]:
    """A published root to start from, with a copy of the project beside it."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-"))
            folder = Path(made).resolve()
        project = folder / "project"
        for part in PROJECT_PARTS:
            source, target = PROJECT / part, project / part
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        environment = unmeasured(clean_environment(folder))
        server = stack.enter_context(forker(environment, project))
        yield first_world(server, project, folder / "first")


def play(first: World, name: str, seed: int, steps: int, folder: Path) -> Played:
    """So many steps of an attack in a folder of its own, or until one breaks a
    promise."""
    world = copied(first, folder, f"{seed} {name}")
    played = Played()
    try:
        for said in itertools.islice(ATTACKS[name](world), steps):
            played.steps.append(said)
            world.notes.clear()
    except Broken as broken:
        played.broken = broken
        played.notes = world.notes
    finally:
        world.put_back()
    return played
