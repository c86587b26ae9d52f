"""Heartbeats that are there and not published yet, read and never written to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from ingest.inputs import open_regular
from ingest.parsers import masks_of
from ingest.root import Root
from ingest.sources.heartbeats import NAME, Heartbeat, is_json, read_heartbeat
from ingest.text.clean import MAX_HEARTBEAT_BYTES

# What a run writes there is no input.
OUR_REPORTS = "parquet"
BEGIN, ENDS = "heartbeat_", (".md", ".json")


def read_unpublished(
    root: Root, since: datetime, known: Collection[str], now: datetime
) -> list[Heartbeat]:
    """The live heartbeats named at or after a UTC time, oldest first, but for those
    that are `known` and those that say nothing; secrets are masked.

    Of two of one name the one in JSON counts, else the newer.
    """
    best: dict[str, tuple[bool, float, Path]] = {}
    for path in _live(root.reports, f"{BEGIN}{since:%Y-%m-%d_%H-%M-%S}"):
        if path.name in known:
            continue
        try:
            found = is_json(path.name), path.stat().st_mtime, path
        except OSError:
            continue  # it has just been moved into a bundle
        best[path.stem] = max(best.get(path.stem, found), found)
    if not best:
        return []
    masks = masks_of(root)
    read = []
    for stem in sorted(best):
        path = best[stem][2]
        try:
            with open_regular(path) as stream:
                data = stream.read(MAX_HEARTBEAT_BYTES + 1)
        except OSError:
            continue
        heartbeat = read_heartbeat(path.name, data, now, masks)
        if heartbeat["problem"] is None:
            read.append(heartbeat)
    return read


def _live(top: Path, first: str) -> Iterator[Path]:
    """The heartbeats below a folder from a name on, each folder looked at once."""
    waiting, seen = [top], set[tuple[int, int]]()
    while waiting:
        folder = waiting.pop()
        try:
            stat = folder.stat()
            names = os.listdir(folder)
        except OSError:
            continue
        if (stat.st_dev, stat.st_ino) in seen:
            continue
        seen.add((stat.st_dev, stat.st_ino))
        # What is older is left out by its name: five years are half a million.
        names = [
            name
            for name in names
            if not (BEGIN <= name < first and name.endswith(ENDS))
        ]
        for name in names:
            if name.startswith(BEGIN) and name.endswith(ENDS):
                if NAME.fullmatch(name):
                    yield folder / name
            elif not (folder == top and name == OUR_REPORTS):
                path = folder / name
                if path.is_dir():
                    waiting.append(path)
