"""What the measures share: scales, the folder they work in, runs in turn."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import roots
from bench.process import Cost, run
from bench.report import Findings
from bench.roots import Sample

PROJECT = Path(__file__).parents[1]
MIB = 1 << 20
YEAR = 365
# What is compared with those who publish no marts.
EXPORTS = (
    "ops_atomic", "heartbeat_checks", "query_perf", "query_patterns",
    "index_advisor", "optimization_summary", "rejected_records", "schema_drift",
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How large the roots are, in days, and one large file; how often runs are
    repeated."""

    short: int
    middle: int
    long: int
    file_megabytes: int
    repeats: int
    middle_repeats: int
    long_repeats: int


# What takes seconds is measured often: a machine is faster one minute, slower another.
FULL = Scale(30, YEAR, 5 * YEAR, 500, repeats=9, middle_repeats=2, long_repeats=1)
QUICK = Scale(5, 30, 90, 50, repeats=3, middle_repeats=2, long_repeats=1)


@dataclass
class Bench:
    """The folder that is worked in, what is said, and what was found."""

    work: Path
    scale: Scale
    peers_python: Path
    say: Callable[[str], None]
    findings: Findings = field(default_factory=Findings)
    # Costs of building everything from empty, and of the script, by days: several
    # lines rest on them.
    built: dict[int, list[Cost]] = field(default_factory=dict)
    scripted: dict[int, list[Cost]] = field(default_factory=dict)

    def run(
        self, *command: str, codes: Collection[int] = (0,), **environment: str
    ) -> Cost:
        """Run a command of this project in an environment that is the same."""
        settings = {
            "HOME": str(self.work / "home"),
            "NO_COLOR": "1",
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **environment,
        }
        (self.work / "home").mkdir(exist_ok=True)
        cost = run(command, PROJECT, settings, self.work / "last.log", codes)
        self.say(
            f"  {cost.seconds:8.2f} s {cost.peak_bytes / MIB:6.0f} MiB  "
            f"{' '.join(Path(part).name for part in command[:6])}"
        )
        return cost

    def python(self, *arguments: str) -> Cost:
        return self.run(sys.executable, *arguments)

    def export(self, root: Path, datasets: Sequence[str] = ()) -> Cost:
        """Export a root, or only some datasets of it."""
        chosen = [word for name in datasets for word in ("--dataset", name)]
        return self.python(
            "-m", "exporter", "export", "--quiet", "--root", str(root), *chosen
        )

    def status(self, root: Path) -> Cost:
        """Ask a root how it is, whether it is well or not."""
        command = "-m", "exporter", "status", "--root", str(root)
        return self.run(sys.executable, *command, codes=(0, 1))

    def import_duckdb(self) -> Cost:
        return self.python("-c", "import duckdb")

    def sample(self, days: int, rotated: bool = False) -> Sample:
        self.say(f"root of {days} days{', rotated' if rotated else ''}")
        return roots.make(self.work, days, rotated)

    def exported(self, sample: Sample) -> Sample:
        """The root with everything published."""
        if not (sample.path / "g" / "analytics").is_dir():
            self.export(sample.path)
        self.export(sample.path)
        return sample


def alternate(
    sides: Mapping[str, Callable[[], Cost]], repeats: int
) -> dict[str, list[Cost]]:
    """Run the sides in turn, the first one changing, so often."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(repeats):
        for name in names if number % 2 == 0 else names[::-1]:
            costs[name].append(sides[name]())
    return costs


def times(costs: Sequence[Cost]) -> list[float]:
    return [cost.seconds for cost in costs]


def years(days: int) -> str:
    return {YEAR: "1 year", 5 * YEAR: "5 years"}.get(days, f"{days} days")


def peak(costs: Sequence[Cost]) -> float:
    """The median peak, in bytes."""
    return statistics.median(cost.peak_bytes for cost in costs)
