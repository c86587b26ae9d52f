"""What lies under a root: the inputs, and what looks like one and is not read."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import filterfalse
from typing import NamedTuple

from ingest.names import BUNDLE, kind_of, name_date
from ingest.registry import KINDS, REPORTS
from ingest.root import Root

# Where each kind of input is looked for, as people write it.
PLACES = {kind.title: kind.shown for kind in KINDS.values()} | {
    "bundles": "g/reports/archive/reports_*.tar.gz"
}
NO_INPUT = "no input was found; looked for " + "; ".join(
    f"{kind} in {where}" for kind, where in PLACES.items()
)
ARCHIVE = f"{REPORTS}/archive"
OUR_REPORTS = f"{REPORTS}/parquet"
HEARTBEAT = KINDS["heartbeats"].pattern
# Places that are easily taken for g/reports.
MISTAKEN = ("reports", "g/g/reports")
# Folders that hold some kind of input of their own.
ALL_IN = {folder for kind in KINDS.values() for folder in kind.folders} - {REPORTS}
# What we write for people ourselves, beside the inputs.
FOR_PEOPLE = re.compile(
    r"ops_digest_\d{8}\.md|dashboard/(?:index|status)\.html|dashboard/api/\w+\.json",
    re.ASCII,
)
LIKE_A_HEARTBEAT = re.compile(r"heartbeat.*", re.DOTALL | re.IGNORECASE)
LIKE_A_LOG = re.compile(r".*\.(?:jsonl|ndjson|log)", re.DOTALL | re.IGNORECASE)

# What is not read, and what to do about each.
MISNAMED = "heartbeats by other names"
MISPLACED = "inputs in other folders"
UNKNOWN_LOGS = "logs of a kind that is not read"
UNKNOWN_REPORTS = "reports of a kind that is not read"
NOT_FOLLOWED = "linked folders that are not followed"
REMEDIES = {
    MISNAMED: "name each heartbeat_YYYY-MM-DD_HH-MM-SS.md (UTC)",
    MISPLACED: "move each to where it is looked for (docs/operations.md)",
    UNKNOWN_LOGS: "nothing, unless they should be read: CONTRIBUTING.md says how",
    UNKNOWN_REPORTS: "nothing, unless they should be read: CONTRIBUTING.md says how",
    NOT_FOLLOWED: "put the files themselves there, in folders that this user owns",
}


@dataclass
class Inventory:
    """What lies under a root: paths relative to it.

    Heartbeats are kept as (folder, names) because there are many. `ignored` are,
    by what they are, the files that look like inputs and are not read.
    """

    heartbeats: list[tuple[str, list[str]]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    ignored: dict[str, list[str]] = field(default_factory=dict)

    def ignore(self, what: str, path: str) -> None:
        self.ignored.setdefault(what, []).append(path)


class Known(NamedTuple):
    """Names of heartbeats that are landed; those from `young` on may change."""

    young: str = ""
    names: Collection[str] = ()


NOTHING_KNOWN = Known()


def list_inputs(root: Root, known: Known = NOTHING_KNOWN) -> Inventory:
    """Look at every place of section "Inputs" without opening a file.

    Heartbeats that are known and old are left out: nearly all of half a million.
    """
    found = Inventory()
    for folder, names in _Walk(root, found, known).folders(REPORTS):
        _add_others(folder, names, found)
    for folder in sorted(ALL_IN):
        if not folder.startswith(f"{REPORTS}/") and (root.path / folder).is_dir():
            _add_others(folder, _names(root, folder, found), found)
    for top in MISTAKEN:
        elsewhere = Inventory()
        for folder, names in _Walk(root, elsewhere, NOTHING_KNOWN).folders(top):
            for name in filter(kind_of, names):
                found.ignore(MISPLACED, f"{folder}/{name}")
        for folder, beats in elsewhere.heartbeats:
            for name in beats:
                found.ignore(MISPLACED, f"{folder}/{name}")
    found.bundles.sort()
    for paths in found.ignored.values():
        paths.sort()
    # Day by day, for what is read together is written together. A dated summary
    # says its day itself: it goes before the one that does not.
    found.others.sort(key=lambda other: (name_date(other[0]) or date.max, other))
    return found


def _add_others(folder: str, names: Iterable[str], found: Inventory) -> None:
    kinds = {kind.name for kind in KINDS.values() if folder in kind.folders}
    for name in names:
        kind = kind_of(name)
        path = f"{folder}/{name}"
        if kind is not None and kind in kinds:
            found.others.append((path, kind))
        elif folder == ARCHIVE and BUNDLE.fullmatch(name):
            found.bundles.append(path)
        elif what := _what_is_ignored(folder, name, kind):
            found.ignore(what, path)


def _what_is_ignored(folder: str, name: str, kind: str | None) -> str | None:
    """What a file is that is not read; None where nobody would expect it to be."""
    if kind is not None:
        return MISPLACED
    if name.startswith(".") or "." not in name:
        return None
    if FOR_PEOPLE.fullmatch(f"{folder}/{name}".removeprefix(f"{REPORTS}/")):
        return None
    if LIKE_A_HEARTBEAT.fullmatch(name):
        return MISNAMED
    if LIKE_A_LOG.fullmatch(name):
        return UNKNOWN_LOGS
    is_report = folder == REPORTS or folder.startswith(f"{REPORTS}/")
    return UNKNOWN_REPORTS if is_report else None


def what_is_not_read(member: str) -> str | None:
    """What a member of a bundle is that is not read, told by its path in there.

    None for what nobody would expect to be, and for our own output.
    """
    folder, _, name = member.rpartition(f"{REPORTS}/")[2].rpartition("/")
    folder = f"{REPORTS}/{folder}".rstrip("/")
    if f"{folder}/".startswith(f"{OUR_REPORTS}/"):
        return None
    return _what_is_ignored(folder, name, None)


def _names(root: Root, folder: str, found: Inventory) -> list[str]:
    try:
        return os.listdir(root.path / folder)
    except OSError as error:
        found.unreadable.append((folder, error.strerror or str(error)))
        return []


class _Walk:
    """One way through a folder and all below it; linked folders come last.

    Each folder is walked once, so that no link leads in a circle.
    """

    def __init__(self, root: Root, found: Inventory, known: Known) -> None:
        self.root = root
        self.found = found
        self.known = known
        self.walked: set[tuple[int, int]] = set()

    def folders(self, top: str) -> Iterator[tuple[str, list[str]]]:
        """A folder with the names in it but for folders and for heartbeats, which
        are noted; our own output is left out."""
        if not (self.root.path / top).is_dir():
            return
        waiting, links = [top], deque[str]()
        while waiting or links:
            folder = waiting.pop() if waiting else links.popleft()
            if not self._is_new(folder):
                continue
            names = _names(self.root, folder, self.found)
            # Of sets, because half a million names are asked for.
            fresh = set(names).difference(self.known.names)
            fresh.update(name for name in names if name >= self.known.young)
            names = list(fresh)
            beats = list(filter(HEARTBEAT.fullmatch, names))
            others = list(filterfalse(HEARTBEAT.fullmatch, names)) if beats else names
            if beats:
                self.found.heartbeats.append((folder, beats))
            files = []
            for name in sorted(others):
                path = f"{folder}/{name}"
                mode = self._mode(path)
                if stat.S_ISDIR(mode):
                    waiting += [path] * (path != OUR_REPORTS)
                elif stat.S_ISLNK(mode) and self._is_linked_folder(path):
                    links += [path] * self._may_follow(path)
                    continue
                # What has an input's name and is none is told of where it is read.
                if not stat.S_ISDIR(mode) or kind_of(name):
                    files.append(name)
            yield folder, files

    def _is_new(self, folder: str) -> bool:
        try:
            seen = os.stat(self.root.path / folder)
        except OSError:
            return True  # that it cannot be listed is said there
        key = seen.st_dev, seen.st_ino
        if key in self.walked:
            return False
        self.walked.add(key)
        return True

    def _mode(self, path: str) -> int:
        try:
            return os.lstat(f"{self.root.path}/{path}").st_mode
        except OSError:
            return 0

    def _is_linked_folder(self, path: str) -> bool:
        return os.path.isdir(f"{self.root.path}/{path}")

    def _may_follow(self, path: str) -> bool:
        """Whether a linked folder is another one, and this user's own.

        One that holds this root, or lies among what the project itself writes,
        would bring in anything.
        """
        full = f"{self.root.path}/{path}"
        real, base = os.path.realpath(full), os.path.realpath(self.root.path)
        if f"{base}/{REPORTS}/".startswith(f"{real}/"):
            return False  # what is in it is walked without it
        ours = (f"{base}/g/analytics", f"{base}/{OUR_REPORTS}")
        is_ours = any(f"{real}/".startswith(f"{place}/") for place in ours)
        try:
            is_owned = os.stat(full).st_uid == os.geteuid()
        except OSError:
            is_owned = False
        if is_ours or not is_owned:
            self.found.ignore(NOT_FOLLOWED, path)
        return is_owned and not is_ours
