"""What libraries generate is kept, and is what they would make of it anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.runtime.generated import DATACLASSES, Generated


def never() -> Any:
    raise AssertionError("it was made anew")


def seven() -> Any:
    return compile("7", "<test>", "eval")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    made = Generated()
    assert eval(made.take("us", "seven", seven)) == 7
    assert made.take("others", "seven", lambda: {"type": ["a", None, 1]})
    made.keep(tmp_path / "kept", ["1.0"])
    return tmp_path / "kept"


def test_what_is_kept_is_not_made_again(kept: Path) -> None:
    ours = Generated()
    assert ours.read(kept, ["1.0"])
    assert eval(ours.take("us", "seven", never)) == 7
    assert ours.take("others", "seven", never) == {"type": ["a", None, 1]}
    assert ours.take("us", "eight", lambda: 8) == 8


def test_nothing_is_kept_for_other_packages(kept: Path) -> None:
    ours = Generated()
    assert not ours.read(kept, ["1.1"])
    assert ours.take("us", "seven", lambda: "anew") == "anew"


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b"x"])
def test_what_is_damaged_is_not_read(
    kept: Path, damage: Callable[[bytes], bytes]
) -> None:
    kept.write_bytes(damage(kept.read_bytes()))
    assert not Generated().read(kept, ["1.0"])
    kept.unlink()
    assert not Generated().read(kept, ["1.0"])


def test_what_nobody_asked_for_is_not_kept_again(kept: Path) -> None:
    later = Generated()
    assert later.read(kept, ["1.0"])
    later.take("us", "seven", never)
    later.keep(kept, ["1.0"])
    last = Generated()
    assert last.read(kept, ["1.0"])
    assert last.known.keys() == {("us", "seven")}


def test_what_is_not_plain_is_left_out(kept: Path) -> None:
    made = Generated()
    assert made.read(kept, ["1.0"])
    made.take("us", "path", lambda: Path("a"))
    made.take("us", "seven", never)
    made.keep(kept, ["1.0"])
    later = Generated()
    assert later.read(kept, ["1.0"])
    assert later.known.keys() == {("us", "seven")}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Generated:
    generated = Generated()
    monkeypatch.setattr(dataclasses, "exec", generated.execute, raising=False)
    return generated


def make_class() -> Any:
    @dataclasses.dataclass(frozen=True, order=True)
    class Point:
        x: int
        y: list[int] = dataclasses.field(default_factory=list, compare=False)

        def norm(self) -> int:
            return abs(self.x)

    return Point


def test_a_dataclass_is_the_same_whether_it_was_known_or_not(taken: Generated) -> None:
    new = make_class()
    texts = set(taken.asked)
    assert texts
    assert {by for by, _ in texts} == {DATACLASSES}
    for by, text in texts:
        assert taken.known[by, text] == compile(
            text, "<string>", "exec", dont_inherit=True
        )
    again = make_class()
    assert taken.asked == texts
    for made in (new, again):
        point = made(-3)
        assert repr(point).endswith("Point(x=-3, y=[])")
        assert (point.norm(), point.y) == (3, [])
        assert point.y is not made(-3).y
        assert point == made(-3, [1]) < made(0)
        assert hash(point) == hash(made(-3))
        with pytest.raises(dataclasses.FrozenInstanceError):
            point.x = 1
    assert new(1) != again(1)
