"""The loop: a heartbeat at each multiple of the interval on the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.beat import beat
from monitor.checks.programs import end_all
from monitor.heartbeat import Heartbeat, sweep, utc
from monitor.logs import Log
from monitor.runner import Runner
from monitor.section import BadSetting
from monitor.settings import Settings, read_settings, settings_path
from monitor.state import alone, read_state, write_state
from monitor.watch import Change, Watched, watch

# So long at most without a look at the clock: while a machine sleeps, waiting
# does not go on, but its clock does.
LOOK_S = 5.0
# Less than that back is no jump but the clock being put right.
SLACK_S = 1.0

Beat = Callable[[Path, Settings, Runner, float], tuple[Heartbeat, list[Path]]]
# Returns what is held back for now: it is offered again at each heartbeat.
Tell = Callable[[Sequence[Change]], Sequence[Change]]


class Loop:
    """One monitor of one root; `tell` is handed what is to be told at once."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        tell: Tell,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        make: Beat = beat,
    ) -> None:
        self.root, self.settings = root, settings
        self.tell, self.now, self.sleep, self.make = tell, now, sleep, make
        self.log = Log(root)
        self.runner = Runner()
        self.watched = read_state(root)
        self.signature = self._sign()

    def run(self) -> None:
        """Go on until an exception from outside, such as that of a signal, ends it.

        Raises AlreadyRuns where another monitor of this root runs.
        """
        with alone(self.root):
            sweep(self.root)
            last_due = 0.0
            try:
                while True:
                    self._cycle()
                    last_due = self._wait(last_due)
            finally:
                end_all()
                self.log.close()

    def _cycle(self) -> None:
        at = self.now()
        self.log.say(at, "▶ run monitor")
        try:
            made, _ = self.make(self.root, self.settings, self.runner, at)
        except OSError as error:
            self.log.fail(self.now(), f"no heartbeat was written: {error}")
            return
        except Exception as error:  # noqa: BLE001 - the next one may go well
            said = f"{type(error).__name__}: {error}"
            self.log.fail(self.now(), f"no heartbeat was made: {said}")
            return
        before = self.watched
        self.watched, changes = watch(before, made.results, utc(at))
        try:
            if changes:
                self._tell(changes)
        finally:
            # Also when a signal ends the telling: it is not told at each start.
            self._remember(before)

    def _tell(self, changes: Sequence[Change]) -> None:
        try:
            for change in self.tell(changes):
                self.watched[f"{change.group}/{change.name}"]["told"] = ""
        except Exception as error:  # noqa: BLE001 - its words may hold a URL
            self.log.fail(self.now(), f"notices: {type(error).__name__}")

    def _remember(self, before: dict[str, Watched]) -> None:
        if self.watched == before:
            return
        try:
            write_state(self.root, self.watched)
        except OSError as error:
            self.log.fail(self.now(), f"state cannot be written: {error}")

    def _wait(self, last_due: float) -> float:
        """Until the next multiple of the interval, which is returned."""
        due = self._next_due(last_due)
        self.log.say(self.now(), f"⏳ sleep {round(due - self.now())}s")
        while (left := due - self.now()) > 0:
            if left > self.settings.interval_s + SLACK_S:
                due = self._next_due(0)  # the clock was put back
                continue
            self.sleep(min(left, LOOK_S))
            if self._read_anew():
                due = self._next_due(0)
        return due

    def _next_due(self, last_due: float) -> float:
        interval = self.settings.interval_s
        due = (self.now() // interval + 1) * interval
        is_again = due == last_due and due - self.now() < SLACK_S
        return due + interval if is_again else due

    def _read_anew(self) -> bool:
        """Whether the settings have changed, and are taken over."""
        signature = self._sign()
        if signature == self.signature:
            return False
        self.signature = signature
        try:
            self.settings = read_settings(self.root)
        except BadSetting as wrong:
            self.log.fail(self.now(), f"{wrong} (the settings before still hold)")
            return False
        self.log.say(self.now(), "settings read anew")
        return True

    def _sign(self) -> tuple[int, int, int] | None:
        try:
            seen = settings_path(self.root).stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino
