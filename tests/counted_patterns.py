"""Regular expressions that say the same as ever and count their steps.

`re` does not tell how often it looked at a character. So what it finds is found
once more here, by the same way: a step is a character or place that is tried.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_parser: Any = importlib.import_module("re._parser")

Next = Callable[[int], bool]
Node = Callable[[int, Next], bool]


class Steps:
    """How many steps were counted."""

    def __init__(self) -> None:
        self.count = 0


class _Matching:
    """One pattern tried on texts, as `re` does it, step by step."""

    def __init__(self, pattern: re.Pattern[Any], steps: Steps):
        self.text = ""
        self.end = 0
        self.steps = steps
        self.groups: dict[int, tuple[int, int]] = {}
        written = pattern.pattern
        if isinstance(written, bytes):
            written = written.decode("latin-1")
        flags = pattern.flags
        if isinstance(pattern.pattern, bytes):
            flags |= re.ASCII
        self.match = self._sequence(_parser.parse(written, flags), flags)

    def on(self, text: Any, end: int) -> _Matching:
        """The same pattern, on this text from now on."""
        self.text = text.decode("latin-1") if isinstance(text, bytes) else text
        self.end = end
        return self

    def at(self, start: int, whole: bool = False) -> int:
        """Where a match that starts here ends, -1 if there is none."""
        self.groups.clear()
        found = [-1]

        def done(at: int) -> bool:
            if whole and at != self.end:
                return False
            found[0] = at
            return True

        self.match(start, done)
        return found[0]

    def _sequence(self, items: Any, flags: int) -> Node:
        nodes = [self._node(str(op), value, flags) for op, value in items]
        if len(nodes) == 1:
            return nodes[0]

        def run(at: int, then: Next, number: int = 0) -> bool:
            if number == len(nodes):
                return then(at)
            return nodes[number](at, lambda to: run(to, then, number + 1))

        return run

    def _node(self, op: str, value: Any, flags: int) -> Node:
        if op in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            fits = self._character(op, value, flags)
            return lambda at, then: fits(at) and then(at + 1)
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, items = value
            return self._repeat(op, least, most, items, flags)
        if op == "SUBPATTERN":
            group, added, removed, items = value
            return self._group(group, self._sequence(items, flags & ~removed | added))
        if op == "BRANCH":
            return self._branch([self._sequence(way, flags) for way in value[1]])
        if op == "ATOMIC_GROUP":
            return self._atomic(self._sequence(value, flags))
        if op in ("ASSERT", "ASSERT_NOT"):
            return self._look(op == "ASSERT", value, flags)
        if op == "GROUPREF":
            return lambda at, then: self._again(value, at, then)
        if op == "AT":
            return lambda at, then: self._place(str(value), at, flags) and then(at)
        raise NotImplementedError(op)

    def _branch(self, ways: list[Node]) -> Node:
        def run(at: int, then: Next) -> bool:
            # Not any(): what goes through C cannot be as deep.
            for way in ways:  # noqa: SIM110
                if way(at, then):
                    return True
            return False

        return run

    def _character(self, op: str, value: Any, flags: int) -> Callable[[int], bool]:
        ignores_case = bool(flags & re.IGNORECASE)

        def fits_one(char: str) -> bool:
            if op == "LITERAL":
                return ord(char) == int(value)
            if op == "NOT_LITERAL":
                return ord(char) != int(value)
            if op == "ANY":
                return bool(flags & re.DOTALL) or char != "\n"
            for kind, wanted in value:
                if str(kind) == "LITERAL" and ord(char) == wanted:
                    return not negated
                if str(kind) == "RANGE" and wanted[0] <= ord(char) <= wanted[1]:
                    return not negated
                if str(kind) == "CATEGORY" and _is_in(str(wanted), char, flags):
                    return not negated
            return negated

        negated = op == "IN" and str(value[0][0]) == "NEGATE"
        wants_all = op == "NOT_LITERAL" or negated
        known: dict[str, bool] = {}

        def fits(at: int) -> bool:
            self.steps.count += 1
            if at >= self.end:
                return False
            char = self.text[at]
            if char not in known:
                cases = {char.lower(), char.upper()} if ignores_case else {char}
                answers = [fits_one(one) for one in cases if len(one) == 1]
                known[char] = all(answers) if wants_all else any(answers)
            return known[char]

        return fits

    def _repeat(self, op: str, least: int, most: Any, items: Any, flags: int) -> Node:
        if len(items) == 1 and str(items[0][0]) in (
            "LITERAL", "NOT_LITERAL", "ANY", "IN"
        ):  # fmt: skip
            fits = self._character(str(items[0][0]), items[0][1], flags)
            return self._run(op, least, int(most), fits)
        inner = self._sequence(items, flags)
        if op == "POSSESSIVE_REPEAT":
            return self._atomic(self._often("MAX_REPEAT", least, int(most), inner))
        return self._often(op, least, int(most), inner)

    def _run(self, op: str, least: int, most: int, fits: Callable[[int], bool]) -> Node:
        def run(at: int, then: Next) -> bool:
            if op == "MIN_REPEAT":
                count = 0
                while count < most:
                    if count >= least and then(at + count):
                        return True
                    if not fits(at + count):
                        return False
                    count += 1
                return then(at + count)
            count = 0
            while count < most and fits(at + count):
                count += 1
            if op == "POSSESSIVE_REPEAT":
                return count >= least and then(at + count)
            while count >= least:
                self.steps.count += 1
                if then(at + count):
                    return True
                count -= 1
            return False

        return run

    def _often(self, op: str, least: int, most: int, inner: Node) -> Node:
        def run(at: int, then: Next, count: int = 0) -> bool:
            self.steps.count += 1

            def once_more() -> bool:
                return count < most and inner(
                    at,
                    lambda to: (to != at or count < least) and run(to, then, count + 1),
                )

            if count < least:
                return once_more()
            if op == "MIN_REPEAT":
                return then(at) or once_more()
            return once_more() or then(at)

        return run

    def _group(self, group: int | None, inner: Node) -> Node:
        if group is None:
            return inner

        def run(at: int, then: Next) -> bool:
            before = self.groups.get(group)

            def closed(to: int) -> bool:
                earlier = self.groups.get(group)
                self.groups[group] = (at, to)
                if then(to):
                    return True
                self._restore(group, earlier)
                return False

            if inner(at, closed):
                return True
            self._restore(group, before)
            return False

        return run

    def _restore(self, group: int, span: tuple[int, int] | None) -> None:
        if span is None:
            self.groups.pop(group, None)
        else:
            self.groups[group] = span

    def _atomic(self, inner: Node) -> Node:
        def run(at: int, then: Next) -> bool:
            found = [-1]

            def stop(to: int) -> bool:
                found[0] = to
                return True

            return inner(at, stop) and then(found[0])

        return run

    def _look(self, wanted: bool, value: Any, flags: int) -> Node:
        direction, items = value
        inner = self._sequence(items, flags)
        back = items.getwidth()[0] if direction < 0 else 0

        def run(at: int, then: Next) -> bool:
            is_there = at >= back and inner(at - back, lambda _: True)
            return is_there == wanted and then(at)

        return run

    def _again(self, group: int, at: int, then: Next) -> bool:
        if group not in self.groups:
            return False
        start, end = self.groups[group]
        self.steps.count += end - start
        said = self.text[start:end]
        return self.text.startswith(said, at) and then(at + len(said))

    def _place(self, kind: str, at: int, flags: int) -> bool:
        self.steps.count += 1
        before = self.text[at - 1 : at] if at else ""
        after = self.text[at : at + 1] if at < self.end else ""
        is_multiline = bool(flags & re.MULTILINE)
        if kind == "AT_BEGINNING":
            return not before or (is_multiline and before == "\n")
        if kind == "AT_BEGINNING_STRING":
            return not before
        if kind == "AT_END":
            is_last = at == self.end or (after == "\n" and at == self.end - 1)
            return is_last or (is_multiline and after == "\n")
        if kind == "AT_END_STRING":
            return at == self.end
        words = [bool(char) and _is_in("WORD", char, flags) for char in (before, after)]
        return (words[0] != words[1]) == (kind == "AT_BOUNDARY")


def _is_in(category: str, char: str, flags: int) -> bool:
    name = category.removeprefix("CATEGORY_")
    pattern = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.removeprefix("NOT_")]
    is_in = re.match(pattern, char, flags & re.ASCII) is not None
    return is_in != name.startswith("NOT_")


class CountedPattern:
    """A compiled pattern that says the same and counts its steps."""

    def __init__(self, pattern: re.Pattern[Any], steps: Steps) -> None:
        self._pattern = pattern
        # Taken to pieces once: patterns are called far more often than made.
        self._matching = _Matching(pattern, steps)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def match(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.match(text, start, end)
        self._try(text, start, end, found, is_whole=False)
        return found

    def fullmatch(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.fullmatch(text, start, end)
        self._try(text, start, end, found, is_whole=True)
        return found

    def search(self, text: Any, start: int = 0, end: int = sys.maxsize) -> Any:
        found = self._pattern.search(text, start, end)
        self._seek(text, start, end, [found] if found else [], goes_on=not found)
        return found

    def finditer(
        self, text: Any, start: int = 0, end: int = sys.maxsize
    ) -> Iterator[Any]:
        found = list(self._pattern.finditer(text, start, end))
        self._seek(text, start, end, found, goes_on=True)
        return iter(found)

    def findall(self, text: Any) -> list[Any]:
        self.finditer(text)
        return self._pattern.findall(text)

    def split(self, text: Any, maxsplit: int = 0) -> list[Any]:
        self.finditer(text)
        return self._pattern.split(text, maxsplit)

    def sub(self, replacement: Any, text: Any, count: int = 0) -> Any:
        self.finditer(text)
        return self._pattern.sub(replacement, text, count)

    def _try(self, text: Any, start: int, end: int, found: Any, is_whole: bool) -> None:
        with _untraced():
            at = self._matching.on(text, min(end, len(text))).at(start, is_whole)
        assert at == (found.end() if found else -1), self._pattern.pattern

    def _seek(
        self, text: Any, start: int, end: int, found: list[Any], goes_on: bool
    ) -> None:
        """Try each place at which `re` looked for the matches it found."""
        end = min(end, len(text))
        with _untraced():
            matching = self._matching.on(text, end)
            for match in found:
                while start < match.start():
                    matching.at(start)
                    start += 1
                at = matching.at(start)
                assert at == match.end() or at < 0 or start == match.end(), (
                    self._pattern.pattern
                )
                start = match.end()
            while goes_on and start <= end:
                matching.at(start)
                start += 1


@contextmanager
def _untraced() -> Iterator[None]:
    tracing, profiling = sys.gettrace(), sys.getprofile()
    sys.settrace(None)
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.settrace(tracing)
        sys.setprofile(profiling)
