"""The versions of dated files that the landing holds: what counts, and the rest."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from ingest.registry import CSV_SOURCES
from ingest.store.contents import Content
from ingest.store.landing import Landing
from ingest.store.parts import superseded_on
from ingest.store.reconcile import content_of_csv
from ingest.store.versions import Version


@contextlib.contextmanager
def current_version(landing: Landing, day: str, part: str) -> Iterator[Version | None]:
    """The version that counts now, under whichever source."""
    for source in CSV_SOURCES:
        if landed := landing.ledger.part(source, day, part):
            path = landing.path(source, day, part)
            content = Content(
                landed.fingerprint, landed.counts, landed.source_bytes,
                dropped=landed.dropped,
            )  # fmt: skip
            with landing.open(path) as text:
                yield Version(
                    source, day, part, text, content,
                    landing.origin(path), landing.length(path),
                )  # fmt: skip
            return
    yield None


@contextlib.contextmanager
def superseded_version(
    landing: Landing, source: str, day: str, part: str, path: Path
) -> Iterator[Version]:
    """One that does not count, read from its path."""
    origin, length = landing.origin(path), landing.length(path)
    with landing.open(path) as text:
        size = origin.size or length
        content = content_of_csv(source, io.TextIOWrapper(text, newline=""), size)
    with landing.open(path) as text:
        yield Version(source, day, part, text, content, origin, length)


@contextlib.contextmanager
def all_superseded(landing: Landing, day: str, part: str) -> Iterator[list[Version]]:
    """Those of a file that do not count."""
    with contextlib.ExitStack() as stack:
        found = superseded_on(landing.root.landing, day, CSV_SOURCES)
        yield [
            stack.enter_context(superseded_version(landing, source, day, name, path))
            for source, _, name, path in found
            if name == part
        ]
