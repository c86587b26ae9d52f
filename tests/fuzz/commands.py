"""Every command in any order, on inputs that come, go, and are rotated."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fuzz.world import DAYS, World

MODELS = (
    "ops_atomic", "heartbeat_checks", "query_perf", "query_patterns",
    "index_advisor", "optimization_summary", "advisor_reports", "query_texts",
    "report_checks", "run_log", "landed_counts", "rejected_records", "schema_drift",
)  # fmt: skip


def attack(world: World) -> Iterator[str]:
    """Something changes, a command runs; in the end all is published."""
    while True:
        for _ in range(world.rng.randrange(2, 5)):
            said = _change(world)
            yield f"{said}; {_command(world)}"
        world.put_back()
        world.export()
        world.validate()
        yield "export"


def _change(world: World) -> str:
    """What happens to inputs or the project between two commands."""
    rng, machine, day = world.rng, world.machine, world.rng.choice(DAYS)
    kind = rng.randrange(12)
    if kind == 0:
        world.new_day(day, beats=1)
        return f"a day again ({day})"
    if kind in (1, 2):
        world.a_little(day)
        return f"a little of {day}"
    if kind == 3:
        files = rng.sample(world.live(), k=5)
        world.do(world.rotation(files))
        return f"rotated {', '.join(file.name for file in files)}"
    if kind == 4:
        world.put(machine.query_csv(day, rng.randrange(1, 12)))
        return f"another CSV of {day}"
    if kind == 5:
        world.put(machine.pattern_csv(day, 3, weekly=rng.random() < 0.5))
        return f"patterns of {day}"
    if kind == 6:
        world.export()
        gone = rng.sample(world.live(), k=6)
        for file in gone:
            (world.root / file.path).unlink()
        return f"deleted {', '.join(file.name for file in gone)}, once landed"
    if kind == 7:
        name = rng.choice(["macros/text.sql", "macros/typing.sql"])
        world.edit(name, "\n{#- Upgraded. -#}\n")
        return f"{name} changed"
    if kind == 8:
        at = machine.moment(day)
        world.put(machine.health(day, rng.randrange(1, 6)), machine.daily_run(at))
        world.put(machine.mcp_health(at), machine.json_heartbeat(at))
        return f"reports of {day}"
    if kind == 9:
        file = machine.settings()
        world.put(file)
        return f"{file.name} among the settings"
    if kind == 10:
        world.put(machine.legacy(day))
        world.export()  # which adopts it; plain dbt leaves the day alone
        return f"Parquet of another program on {day}"
    world.edit("seeds/monitored_checks.csv", f"Queue {machine.mark()},any,api_status\n")
    return "a seed changed"


def _command(world: World) -> str:
    rng = world.rng
    day = rng.choice(DAYS)
    exports: tuple[list[str], ...] = (
        [], [], ["--force"], ["--historical"], ["--dry-run"], ["--date", str(day)],
        ["--since", str(DAYS[1]), "--until", str(DAYS[2])],
        ["--dataset", rng.choice(MODELS[:6])], ["--date", str(day), "--force"],
    )  # fmt: skip
    kind = rng.randrange(8)
    if kind < 3:
        arguments = rng.choice(exports)
        world.export(*arguments)
        return " ".join(["export", *arguments])
    if kind < 5:
        arguments = rng.choice([[], [], ["--historical"], ["--dry-run"]])
        world.ingest(*arguments)
        return " ".join(["ingest", *arguments])
    command = rng.choice(["run", "run", "build", "test", "seed"])
    arguments = []
    if command in ("run", "build") and rng.random() < 0.5:
        arguments = rng.choice([
            ["--select", rng.choice(MODELS)], ["--empty"], ["--full-refresh"],
            ["--select", f"{rng.choice(MODELS)}+"],
        ])  # fmt: skip
    if rng.random() < 0.4:
        for path in world.scratch.glob("ops_atomic.duckdb*"):
            path.unlink()
        arguments = [*arguments, "--no-partial-parse"]
    world.dbt(command, *arguments)
    return " ".join(["dbt", command, *arguments])
