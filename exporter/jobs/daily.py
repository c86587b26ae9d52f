"""The daily run's report by phase: `g/reports/OPS_ATOMIC_YYMMDD_HHMMSS.md` (UTC)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exporter.contracts.kept import load_tables
from exporter.reporting.history import last_run
from exporter.reporting.markdown import one_line
from exporter.reporting.results import OK
from exporter.reporting.thresholds import Thresholds
from exporter.reporting.words import time_span
from exporter.runtime.machine import machine_name
from exporter.runtime.redact import redact
from exporter.verify import checks, freshness
from exporter.verify.validate import validate
from ingest import files
from ingest.inputs import utc_now
from ingest.listing import list_inputs
from ingest.masking.masks import load_masks
from ingest.root import Root
from ingest.sources.heartbeats import Heartbeat, read_heartbeat, time_in_name

PASS, WARN, FAIL, SKIP = "PASS", "WARN", "FAIL", "SKIP"
ORDER = (FAIL, WARN, PASS, SKIP)
MARKS = {PASS: "✅", WARN: "⚠️", FAIL: "❌", SKIP: "⏭"}
WORST_FIRST = (("❌", FAIL), ("⚠", WARN), ("✅", PASS))
# The export comes each night: a day, and what a run may take.
EXPORT_AGE = timedelta(hours=26)
FREE_WARN, FREE_FAIL = 10.0, 5.0
MOST_TOLD = 20


@dataclass
class Phase:
    """One phase: (what was tested, its state, what there is to say) of each test."""

    name: str
    tests: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The worst of its tests; what was skipped says nothing."""
        found = [state for _, state, _ in self.tests]
        return next((s for s in ORDER[:3] if s in found), PASS)


def write_daily(root: Root, now: datetime | None = None) -> tuple[Path, str]:
    """Look at every phase and write the report. Returns its path and state.

    A phase that cannot be looked at fails, and the others go on. Raises OSError
    where the report cannot be written.
    """
    now = now or utc_now()
    phases = [
        _phase("Monitor Checks", lambda: _monitor(root, now)),
        _phase("Rotation", lambda: [_rotation(root, now)]),
        _phase("Export", lambda: [_export(root, now)]),
        _phase("Validation", lambda: _validation(root)),
        _phase("Disk", lambda: [_disk(root)]),
    ]
    path = root.reports / f"OPS_ATOMIC_{now:%y%m%d_%H%M%S}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, root.staging, _render(root, path.name, now, phases))
    return path, _worst(phases)


def _phase(name: str, check: Callable[[], Sequence[tuple[str, str, str]]]) -> Phase:
    try:
        return Phase(name, list(check()))
    except Exception as error:  # noqa: BLE001 - the report is to say so
        said = f"{type(error).__name__}: {error}"
        return Phase(name, [(name, FAIL, said)])


def _worst(phases: Sequence[Phase]) -> str:
    states = {phase.state for phase in phases}
    return next(state for state in ORDER if state in states)


def _monitor(root: Root, now: datetime) -> list[tuple[str, str, str]]:
    """The checks of the newest heartbeat, and how old that is."""
    newest = _newest_heartbeat(root, now)
    if newest is None:
        return [("Heartbeat", WARN, "none below g/reports")]
    at, beat = newest
    limit = Thresholds.from_environment(os.environ).stale_heartbeat_minutes
    minutes = (now - at) / timedelta(minutes=1)
    said = f"{beat['filename']}, {time_span(60 * minutes)} old"
    tests = [("Heartbeat", PASS if minutes <= limit else FAIL, said)]
    for group in beat["check_groups"]:
        for check in group["checks"]:
            name = f"{group['check_group']} {check['check_name']}"
            tests.append((name, *_state_of(check["text"])))
    return tests


def _newest_heartbeat(root: Root, now: datetime) -> tuple[datetime, Heartbeat] | None:
    """The newest that is whole and not dated ahead."""
    found = [
        (at, folder, name)
        for folder, names in list_inputs(root).heartbeats
        for name in names
        if (at := time_in_name(name)) and at <= now
    ]
    masks = load_masks(own=root.settings / "masks.csv")
    for at, folder, name in sorted(found, reverse=True)[:MOST_TOLD]:
        data = files.read(root.path / folder / name)
        beat = read_heartbeat(name, data, now, masks)
        if beat["problem"] is None:
            return at, beat
    return None


def _state_of(text: str) -> tuple[str, str]:
    """A check's state and message, from its mark."""
    for mark, state in WORST_FIRST:
        if text.startswith(mark):
            said = text.removeprefix(mark).removeprefix("\ufe0f").strip()
            return (SKIP if said.startswith("Skipped") else state), said
    return (SKIP if text.startswith("Skipped") else WARN), text


def _rotation(root: Root, now: datetime) -> tuple[str, str, str]:
    found = freshness.check_rotation(root, now)
    states = {checks.PASS: PASS, checks.FAIL: WARN}
    return found.name, states.get(found.status, SKIP), found.actual


def _export(root: Root, now: datetime) -> tuple[str, str, str]:
    run = last_run(root)
    if run is None:
        return "Last run", WARN, "none yet"
    started = datetime.fromisoformat(run["started_at"]).astimezone(UTC)
    said = f"{run['status']} at {run['started_at']}"
    if run["status"] != OK:
        return "Last run", FAIL, "; ".join([said, *run["errors"][:1]])
    is_young = now - started.replace(tzinfo=None) <= EXPORT_AGE
    return "Last run", PASS if is_young else WARN, said


def _validation(root: Root) -> list[tuple[str, str, str]]:
    result = validate(root, *load_tables())
    said = f"{result.files:,} files, {result.rows:,} rows"
    if not (result.errors or result.warnings):
        return [("Published files", PASS, said)]
    tests = [("Published files", FAIL if result.errors else WARN, said)]
    tests += [("Error", FAIL, text) for text in result.errors[:MOST_TOLD]]
    tests += [("Warning", WARN, text) for text in result.warnings[:MOST_TOLD]]
    return tests


def _disk(root: Root) -> tuple[str, str, str]:
    held = os.statvfs(root.path)
    percent = 100 * held.f_bavail / held.f_blocks if held.f_blocks else 0.0
    free_gb = held.f_bavail * held.f_frsize / (1 << 30)
    state = FAIL if percent < FREE_FAIL else WARN if percent < FREE_WARN else PASS
    return "Free space", state, f"{free_gb:.1f} GB, {percent:.1f}%"


def _render(root: Root, name: str, now: datetime, phases: Sequence[Phase]) -> str:
    states = [phase.state for phase in phases]
    lines = [
        f"# OPS Atomic Run — {now:%Y-%m-%dT%H:%M:%SZ}",
        "",
        "| Metric | Count |",
        "| ------ | ----- |",
        *(f"| {state} | {states.count(state)} |" for state in (PASS, WARN, FAIL)),
        "",
        "## Overall Status",
        "",
        f"- Status: **{_worst(phases)}**",
        f"- Host: {machine_name(root)}",
        f"- Report ID: {name}",
        f"- Working Directory: {redact(str(root.path))}",
        "",
        "## Phase Results",
    ]
    for number, phase in enumerate(phases, start=1):
        lines += ["", f"### Phase {number}: {phase.name} — {phase.state}", "", "```"]
        lines += [_line(*test) for test in phase.tests]
        lines.append("```")
    return "\n".join([*lines, ""])


def _line(name: str, state: str, said: str) -> str:
    # Nothing that was said may end the fence.
    message = one_line(redact(said)).replace("```", "'''")
    return f"Testing {one_line(redact(name))}... {MARKS[state]} {state} ({message})"
