"""A short run of every attack, always the same; `make fuzz` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.play import ATTACKS, play
from tests.fuzz.world import World

SEED = 1
# So that each attack publishes once.
STEPS = {
    "archives": 4,
    "bit_flips": 1,
    "clocks": 2,
    "commands": 3,
    "encodings": 4,
    "kills": 2,
    "restores": 1,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_promise_is_kept(name: str, first: World, tmp_path: Path) -> None:
    played = play(first, name, SEED, STEPS[name], tmp_path)
    assert played.broken is None, (played.steps, played.notes, str(played.broken))
