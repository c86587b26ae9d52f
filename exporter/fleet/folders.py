"""Which machines' folders are to be believed: what their own marts say, and what
lies in two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from exporter.fleet.contents import Contents, Unreadable
from exporter.fleet.kept_out import KeptOut
from exporter.fleet.storage import PREFIX, Closed, File, mart_files
from exporter.runtime.machine import NAME

# Whose equal content shows that two folders hold one machine, and what that is. One
# without a monitor has runs.
TELLING = {"ops_atomic": "heartbeats", "run_log": "runs"}


def marts_say(
    contents: Contents, storage: Path, machines: Iterable[str], closed: Closed
) -> tuple[dict[str, set[str]], list[KeptOut]]:
    """What each machine's own marts call it, and those that cannot be read."""
    marts = {name: mart_files(storage, name, closed) for name in machines}
    named = contents.machines(path for paths in marts.values() for path in paths)
    says: dict[str, set[str]] = {name: set() for name in marts}
    broken = []
    for name, paths in marts.items():
        for path in paths:
            found = named[path]
            if isinstance(found, Unreadable):
                broken.append(found.kept_out(name, path))
            else:
                says[name] |= found - {""}
    return says, broken


def odd_folders(
    says: Mapping[str, set[str]], files: Mapping[File, dict[str, str]]
) -> list[KeptOut]:
    """Machines whose folder is not to be believed; `says` is what their own marts
    call each."""
    found: dict[str, KeptOut] = {}

    def keep_out(machine: str, kind: str, reason: str) -> None:
        path = f"{PREFIX}{machine}"
        found.setdefault(machine, KeptOut(machine, path, kind, reason))

    confirmed = set()
    for name, said in says.items():
        if not NAME.fullmatch(name):
            keep_out(name, "odd name", "a name that cannot stand in a path")
        elif others := sorted(said - {name}):
            keep_out(name, "other name", f"its marts are of {' and '.join(others)}")
        elif said:
            confirmed.add(name)
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file, footer in files.items():
        if file.dataset in TELLING and footer.get("landed_records", "0") != "0":
            content = f"{file.day} {footer['source_fingerprint']}"
            holders[TELLING[file.dataset], content].append(file.machine)
    # Those that their own marts tell apart are two.
    for (what, _), same in holders.items():
        for name in same if len(same) > 1 else ():
            others = [other for other in same if other != name]
            if name not in confirmed:
                why = f"the same {what} as {PREFIX}{others[0]}"
                keep_out(name, "twice", f"one machine in two folders: {why}")
    return list(found.values())
