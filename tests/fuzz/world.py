"""One root under attack: what is done to it, and the commands run on it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from tests.forker import Forker, Hangs
from tests.fuzz.actions import Action, File, act, append, remove, tarred, write
from tests.fuzz.machine import ARCHIVE, HOME, Machine, epoch
from tests.fuzz.promises import Promises
from tests.fuzz.snapshots import Snapshot, take
from tests.fuzz.steps import SAID, WHOLE, Broken, Step

# The present of all attacks: inputs are as old as they are on any day.
NOW = datetime(2025, 10, 30, 12)
DAYS = tuple(date(2025, 10, day) for day in (26, 27, 28, 29))
# No command takes so long on so small a root, whatever else the machine does.
LIMIT_S = 600


@dataclass
class World:
    """A root, its machine, its clock, and what is held against it."""

    root: Path
    scratch: Path
    forker: Forker
    project: Path
    rng: random.Random
    machine: Machine
    promises: Promises = field(default_factory=Promises)
    now: datetime = NOW
    edited: dict[Path, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    # Inputs

    def put(self, *files: File) -> None:
        """Write inputs as a whole."""
        for file in files:
            act(self.root, write(file))

    def append(self, *files: File) -> None:
        """Append lines to inputs."""
        self.do(self.appending(*files))

    def appending(self, *files: File) -> list[Action]:
        """The same, still to be done."""
        return [
            append(file, path.stat().st_size if path.exists() else 0)
            for file in files
            for path in [self.root / file.path]
        ]

    def new_day(self, day: date, beats: int = 4) -> None:
        """All that the machine writes on a day."""
        files, lines = self.machine.day(day, beats)
        self.put(*files)
        self.append(*lines)

    def a_little(self, day: date) -> None:
        """A heartbeat and some lines."""
        self.put(self.machine.heartbeat(self.machine.moment(day)))
        self.append(self.machine.log_lines(day, 2))
        self.append(self.machine.telemetry_lines(day, 2))

    def live(self) -> list[File]:
        """The inputs that are no bundles, as they lie there."""
        found = []
        for path in ("g/reports", "g/telemetry", "knowledge/optimize"):
            for file in sorted((self.root / path).rglob("*")):
                name = file.relative_to(self.root).as_posix()
                is_ours = "parquet" in name or name.startswith(ARCHIVE)
                if file.is_file() and not is_ours:
                    mtime = int(file.stat().st_mtime)
                    found.append(File(name, file.read_bytes(), mtime))
        return found

    def rotation(self, files: Sequence[File]) -> list[Action]:
        """What the hourly job does: a bundle that grows, then goes the rest."""
        data = tarred(files, self.rng.choice(["", HOME, "/"]))
        made = File(self.bundle_path(), data, epoch(self.now) - 60)
        half = made._replace(data=data[: len(data) // 2], mtime=made.mtime - 1)
        return [write(half), write(made), *(remove(file.path) for file in files)]

    def bundle_path(self) -> str:
        """A name that no bundle has yet."""
        while True:
            day = self.rng.choice(DAYS[-2:])
            stamp = (
                f"{day:%Y%m%d}_{self.rng.randrange(24):02}{self.rng.randrange(60):02}"
            )
            path = f"{ARCHIVE}/reports_{stamp}{self.rng.randrange(60):02}.tar.gz"
            if not (self.root / path).exists():
                return path

    def do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            act(self.root, action)

    # Commands

    def export(self, *arguments: str, kill_at: int | None = None,
               kill_after: float | None = None,
               meanwhile: Sequence[tuple[int, Action]] = ()) -> Step:  # fmt: skip
        """`ops-atomic export`, and that a rerun changes nothing."""
        step = self._run(
            "export", *arguments, kill_at=kill_at, kill_after=kill_after,
            meanwhile=meanwhile,
        )  # fmt: skip
        if step.publishes and step.is_done and not meanwhile:
            self._run("export", is_rerun=True)
        return step

    def ingest(self, *arguments: str, kill_at: int | None = None) -> Step:
        """`ops-atomic ingest`."""
        return self._run("ingest", *arguments, kill_at=kill_at)

    def validate(self, *, is_damaged: bool = False) -> Step:
        """`ops-atomic validate`, which must find all well.

        Where something is damaged it may be only the fingerprint in a footer:
        then a file is taken for one of other code.
        """
        expected = {0, 1} if is_damaged else {0}
        return self._run("validate", expected=expected, is_damaged=is_damaged)

    def dbt(self, command: str, *arguments: str, kill_at: int | None = None) -> Step:
        """Plain dbt, with a database and folders outside of the root."""
        return self._run(
            command, "--no-use-colors", "--log-path", str(self.scratch / "logs"),
            "--target-path", str(self.scratch / "target"), *arguments,
            tool="dbt", kill_at=kill_at,
        )  # fmt: skip

    def _run(
        self,
        command: str,
        *arguments: str,
        tool: str = "ops-atomic",
        kill_at: int | None = None,
        kill_after: float | None = None,
        meanwhile: Sequence[tuple[int, Action]] = (),
        expected: Iterable[int] = (0,),
        is_rerun: bool = False,
        is_damaged: bool = False,
    ) -> Step:
        is_dbt = tool == "dbt"
        told = (command, *arguments)
        if not is_dbt:
            told = (command, "--root", str(self.root), "--json", *arguments)
        arm = {
            "now": self.now.isoformat(), "root": str(self.root), "kill_at": kill_at,
            "meanwhile": list(meanwhile),
        }  # fmt: skip
        environment = {
            "OPS_ATOMIC_ROOT": str(self.root),
            "OPS_ATOMIC_DUCKDB": str(self.scratch / "ops_atomic.duckdb"),
        }
        said = " ".join(told)
        self.notes.append(said)
        before = take(self.root)
        pid = self.forker.start(
            *told, tool=tool, environment=environment,
            prepare=("tests.fuzz.seam", "arm", arm),
        )  # fmt: skip
        try:
            code = self._wait(pid, kill_after)
        except Hangs as error:
            raise Broken(SAID, [f"{said}: {error}"]) from None
        self.do(action for _, action in meanwhile)
        is_whole = not any(
            name in arguments for name in ("--date", "--since", "--dataset", "--select")
        )
        is_dry = "--dry-run" in arguments or "--empty" in arguments
        may_die = kill_at is not None or kill_after is not None
        step = Step(
            said=said,
            now=self.now,
            before=before,
            after=take(self.root),
            code=code,
            output=self.forker.output(),
            errors=self.forker.errors(),
            expected=frozenset(expected) | ({-9} if may_die else frozenset()),
            disturbed=frozenset(action[1] for _, action in meanwhile),
            elsewhere=self._elsewhere() if is_dbt else {},
            speaks_json=not is_dbt,
            writes=command != "validate" and "--dry-run" not in arguments,
            lands=command in ("export", "ingest") and not is_dry,
            publishes=command in ("export", "run", "build") and is_whole and not is_dry,
            historical="--historical" in arguments,
            is_rerun=is_rerun,
            is_damaged=is_damaged,
        )
        self.promises.check(step)
        return step

    def _wait(self, pid: int, kill_after: float | None) -> int:
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return self.forker.wait(LIMIT_S)

    def _elsewhere(self) -> dict[str, bytes]:
        """What plain dbt leaves outside of the root."""
        return {
            str(path.relative_to(self.scratch)): path.read_bytes()
            for path in sorted(self.scratch.rglob("*"))
            if path.is_file()
        }

    # What else may happen

    def look(self) -> Snapshot:
        """All that lies below the root."""
        return take(self.root)

    def insist(self, holds: bool, otherwise: str) -> None:
        """A promise that only the attack itself can see kept."""
        if not holds:
            raise Broken(WHOLE, [otherwise])

    def edit(self, name: str, text: str) -> None:
        """Append to a file of the project, as an upgrade changes it."""
        path = self.project / name
        self.edited.setdefault(path, path.read_bytes())
        path.write_bytes(path.read_bytes() + text.encode())

    def put_back(self) -> None:
        """Leave the project as it was."""
        for path, data in self.edited.items():
            path.write_bytes(data)
        self.edited.clear()


def first_world(forker: Forker, project: Path, folder: Path) -> World:
    """A root with four days of everything, published."""
    rng = random.Random(0)
    world = World(
        folder / "root", folder / "scratch", forker, project, rng, Machine(rng)
    )
    world.root.mkdir(parents=True)
    world.scratch.mkdir(mode=0o700)
    for day in DAYS:
        world.new_day(day)
    world.put(world.machine.legacy(DAYS[0]))
    world.export()
    return world


def copied(first: World, folder: Path, seed: str) -> World:
    """A world of its own that begins where another one stands."""
    shutil.copytree(first.root, folder / "root", symlinks=True)
    (folder / "scratch").mkdir(mode=0o700)
    rng = random.Random(seed)
    return World(
        folder / "root", folder / "scratch", first.forker, first.project, rng,
        Machine(rng, first.machine.marks), deepcopy(first.promises), first.now,
    )  # fmt: skip
