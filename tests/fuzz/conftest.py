"""A root that is published once, to be copied by every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.play import ground
from tests.fuzz.world import World


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Where every attack begins: to be copied, not touched."""
    with ground(tmp_path_factory.mktemp("ground")) as world:
        yield world
