"""Counts what reading costs in steps, the same on any machine at any load.

A step is a character that a regular expression tries, a line of ours that is
run, or a character or byte that such a line makes, copies or goes through.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import ingest
from tests.counted_patterns import CountedPattern, Steps

__all__ = ["Steps", "counting"]

# Methods of a text that go through all of it, or make all of it anew.
WHOLE = {
    "count", "replace", "split", "rsplit", "splitlines", "partition", "rpartition",
    "lower", "upper", "encode", "decode", "translate",
}  # fmt: skip


def _modules() -> list[Any]:
    found = pkgutil.walk_packages(ingest.__path__, "ingest.")
    return [importlib.import_module(module.name) for module in found]


@contextmanager
def counting() -> Iterator[Steps]:
    """Count the steps of all that `ingest` does, patterns made meanwhile too."""
    steps = Steps()
    compiled = re.compile
    with contextlib.ExitStack() as stack:
        for module in _modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, re.Pattern):
                    counted = CountedPattern(value, steps)
                    stack.enter_context(mock.patch.object(module, name, counted))
        stack.enter_context(
            mock.patch.object(
                re, "compile", lambda *args: CountedPattern(compiled(*args), steps)
            )
        )
        stack.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        sys.setrecursionlimit(500_000)
        stack.enter_context(_traced(steps))
        yield steps


@contextmanager
def _traced(steps: Steps) -> Iterator[None]:
    """Count lines of `ingest`, and the lengths of the texts that they make."""
    package = str(Path(ingest.__file__).parent)
    seen: dict[Any, dict[str, int]] = {}

    def local(frame: Any, event: str, _: Any) -> Any:
        if event == "line":
            steps.count += 1
            before = seen[frame]
            for name, value in frame.f_locals.items():
                if isinstance(value, (str, bytes)) and before.get(name) != id(value):
                    before[name] = id(value)
                    steps.count += len(value)
        elif event == "return" and not frame.f_code.co_flags & inspect.CO_GENERATOR:
            del seen[frame]
        return local

    def trace(frame: Any, event: str, _: Any) -> Any:
        if event != "call" or not frame.f_code.co_filename.startswith(package):
            return None
        # What a function is given, it has not made.
        given = {name: id(value) for name, value in frame.f_locals.items()}
        seen.setdefault(frame, given)
        return local

    def profile(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and frame.f_code.co_filename.startswith(package):
            text = getattr(called, "__self__", None)
            if isinstance(text, (str, bytes)) and called.__name__ in WHOLE:
                steps.count += len(text)

    tracing, profiling = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.settrace(tracing)
        sys.setprofile(profiling)
