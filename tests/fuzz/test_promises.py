"""The checker finds what it should: each promise is broken on purpose."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.fuzz import steps
from tests.fuzz.actions import File
from tests.fuzz.machine import epoch
from tests.fuzz.readings import CANARY, Reading, read
from tests.fuzz.snapshots import STATE, take
from tests.fuzz.steps import Broken, Step
from tests.fuzz.world import DAYS, NOW, World, copied

BEATS = f"g/analytics/ops_atomic_{DAYS[0]:%Y%m%d}.parquet"
QUERIES = (
    "knowledge/optimize/parquet/query_perf/year=2025/month=10/"
    f"query_perf_{DAYS[0]:%Y%m%d}.parquet"
)
FOOTER = (
    "schema_version: '1', source_fingerprint: 'x', model_fingerprint: 'y', "
    "landed_records: '{landed}'"
)


@pytest.fixture
def world(first: World, tmp_path: Path) -> World:
    return copied(first, tmp_path, "checked")


def check(world: World, change: Callable[[World], object], **told: object) -> None:
    """What the checker says of a command that did nothing but this."""
    before = take(world.root)
    change(world)
    step = Step(
        said="a command", now=NOW, before=before, after=take(world.root), code=0,
        output='{"status": "ok"}',
    )  # fmt: skip
    for name, value in told.items():
        setattr(step, name, value)
    world.promises.check(step)


def called(change: Callable[[], object]) -> Callable[[World], object]:
    return lambda _: change()


def rewrite(world: World, path: str, query: str, codec: str = "snappy") -> None:
    """A published file made again from a query over itself, `{old}`."""
    where = world.root / path
    new = where.with_suffix(".new")
    old = f"read_parquet('{where}', hive_partitioning = false)"
    with duckdb.connect() as db:
        landed = db.execute(
            "select value::varchar from parquet_kv_metadata(?) "
            "where key::varchar = 'landed_records'", [str(where)],
        ).fetchall()[0][0]  # fmt: skip
        footer = FOOTER.format(landed=landed)
        db.execute(
            f"copy ({query.format(old=old)}) to '{new}' (format parquet, "
            f"compression {codec}, kv_metadata {{{footer}}})"
        )
    new.chmod(where.stat().st_mode)
    new.rename(where)


def test_nothing_is_found_where_nothing_is_wrong(world: World) -> None:
    check(world, lambda _: None, publishes=True)
    check(world, lambda _: None, is_rerun=True, writes=False)


def row_gone(world: World) -> None:
    rewrite(world, QUERIES, "from {old} offset 1")


def all_gone(world: World) -> None:
    rewrite(world, BEATS, "from {old} limit 0")


def file_gone(world: World) -> None:
    (world.root / QUERIES).unlink()


def other_value(world: World) -> None:
    rewrite(
        world, BEATS, "select * replace (duration_ms + 1 as duration_ms) from {old}"
    )


@pytest.mark.parametrize("change", [row_gone, all_gone, file_gone])
def test_a_lost_row_is_found(change: Callable[[World], None], world: World) -> None:
    with pytest.raises(Broken) as found:
        check(world, change)
    assert found.value.promise == steps.LOST, found.value


def doubled(world: World) -> None:
    rewrite(world, QUERIES, "from {old} union all from {old}")


def foreign(world: World) -> None:
    rewrite(world, BEATS, "select 1 as x from {old}")


def cut(world: World) -> None:
    os.truncate(world.root / BEATS, 300)


def other_codec(world: World) -> None:
    rewrite(world, BEATS, "from {old}", "zstd")


def other_day(world: World) -> None:
    text = "select * replace (date_partition + 1 as date_partition) from {old}"
    rewrite(world, BEATS, text)


def other_order(world: World) -> None:
    rewrite(world, BEATS, "from {old} order by timestamp desc")


def stray_file(world: World) -> None:
    (world.root / BEATS.replace(".parquet", "_copy.parquet")).write_bytes(b"")


def invented(world: World) -> None:
    text = "select * replace (replace(filename, '-0', '-1') as filename) from {old}"
    rewrite(world, BEATS, f"from {{old}} union all {text}")


@pytest.mark.parametrize(
    "change",
    [
        other_value, doubled, foreign, cut, other_codec, other_day, other_order,
        stray_file, invented,
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_is_found(
    change: Callable[[World], None], world: World
) -> None:
    with pytest.raises(Broken) as found:
        check(world, change)
    assert found.value.promise == steps.WHOLE


def test_a_row_too_many_or_too_few_is_found(world: World) -> None:
    name = f"g/analytics/rejected_records/rejected_records_{DAYS[0]:%Y%m%d}.parquet"

    def change(world: World) -> None:
        rewrite(world, name, "from {old} limit 0")

    with pytest.raises(Broken, match="landed"):
        check(world, change, publishes=True)


def test_a_mart_that_says_something_else_is_found(world: World) -> None:
    name = f"query_perf_daily/query_perf_daily_{DAYS[0]:%Y%m%d}.parquet"

    def change(world: World) -> None:
        text = "select * replace (executions + 1 as executions) from {old}"
        rewrite(world, f"g/analytics/marts/{name}", text)

    with pytest.raises(Broken, match="query_perf_daily"):
        check(world, change, publishes=True)


def test_a_lost_row_of_another_program_is_found(world: World) -> None:
    [legacy] = promises_of(world, "legacy")
    lost = legacy.claims[0].file

    def change(world: World) -> None:
        rewrite(world, BEATS, f"from {{old}} where filename != '{lost}'")

    with pytest.raises(Broken, match=lost) as found:
        check(world, change)
    assert found.value.promise == steps.LOST


def test_a_changed_input_is_found(world: World) -> None:
    beat = next(world.root.rglob("heartbeat_*.md"))
    log = world.root / "g/reports/query_perf.jsonl"
    for change in (
        beat.unlink,
        lambda: log.write_bytes(log.read_bytes()),
        lambda: log.chmod(0o600),
        lambda: (log.parent / "new.md").write_bytes(b""),
    ):
        with pytest.raises(Broken) as found:
            check(world, called(change))
        assert found.value.promise == steps.INPUTS


def test_what_a_rerun_writes_is_found(world: World) -> None:
    part = next((world.root / STATE).rglob("*.gz"))
    for path in (part, world.root / BEATS):
        with pytest.raises(Broken) as found:
            check(world, called(path.touch), is_rerun=True)
        assert found.value.promise == steps.STABLE
    with pytest.raises(Broken) as found:
        check(world, called((world.root / STATE / "lock").touch), writes=False)
    assert found.value.promise == steps.STABLE


def test_a_secret_is_found_wherever_it_is(world: World) -> None:
    hidden = world.root / STATE / "landing" / "x.gz"

    def pack(_: World) -> None:
        hidden.write_bytes(gzip.compress(CANARY.encode()))
        hidden.chmod(0o600)

    def publish(world: World) -> None:
        text = f"select * replace ('{CANARY}1' as table_name) from {{old}}"
        rewrite(world, QUERIES, text)

    def leave_open(world: World) -> None:
        (world.root / STATE).chmod(0o755)
        (world.root / STATE / "ledger.sqlite").chmod(0o644)

    for change in (leave_open, pack, publish):
        with pytest.raises(Broken) as found:
            check(world, change)
        assert found.value.promise == steps.SECRET
    with pytest.raises(Broken, match="printed"):
        check(world, lambda _: None, errors=f"token={CANARY}")
    with pytest.raises(Broken, match="wal"):
        check(world, lambda _: None, elsewhere={"x.wal": CANARY.encode()})


@pytest.mark.parametrize(
    "told",
    [
        {"code": 1, "output": '{"status": "failed"}'},
        {"code": 1, "speaks_json": True, "expected": {1}},
        {"output": "done", "speaks_json": True},
        {"errors": "Traceback (most recent call last):"},
    ],
)
def test_a_wrong_end_is_found(told: dict[str, object], world: World) -> None:
    with pytest.raises(Broken) as found:
        check(world, lambda _: None, **told)
    assert found.value.promise == steps.SAID


def test_what_was_landed_is_owed_and_what_came_meanwhile_is_not(world: World) -> None:
    beat = world.machine.heartbeat(NOW)
    check(
        world, lambda world: world.put(beat), lands=True, publishes=True,
        disturbed={beat.path},
    )  # fmt: skip
    with pytest.raises(Broken, match=beat.name):
        check(world, lambda _: None, lands=True, publishes=True)


def test_of_two_contents_the_one_that_counts_is_owed(world: World) -> None:
    """A later one, if it is not the beginning of the other."""
    promise = world.promises
    known = next(
        known for known in promises_of(world, "heartbeats") if len(known.claims) > 1
    )
    for text, later, is_owed in (
        (known.text[:200], True, False),
        (known.text, True, False),
        (known.text.replace("ms\n", "1ms\n", 1), False, True),
        (known.text.replace("ms\n", "2ms\n", 1), True, True),
    ):
        at = known.modified + (60 if later else -60)
        promise.published.add(read(known.name, text.encode(), at), NOW)
        promise.possible.add(read(known.name, text.encode(), at), NOW)
        if is_owed:
            with pytest.raises(Broken, match=known.name):
                check(world, lambda _: None)
        else:
            check(world, lambda _: None)


def promises_of(world: World, kind: str) -> list[Reading]:
    return [one for one in world.promises.published.readings() if one.kind == kind]


def test_most_records_are_claimed_as_whole_rows(world: World) -> None:
    """Else the checker would only look for marks."""
    for kind in (
        "heartbeats", "dated", "query_log", "telemetry", "index_advisor", "health",
        "mcp_health", "daily_run", "legacy",
    ):  # fmt: skip
        claims = [c for one in promises_of(world, kind) for c in one.claims]
        assert sum(1 for c in claims if c.dataset) > len(claims) * 0.4, kind
    late = read("query_perf_daily_20251026.csv", b"", epoch(NOW + timedelta(1)))
    assert late.claims == ()


def test_a_file_is_read_as_it_lies_there(world: World) -> None:
    machine = world.machine
    file = machine.query_csv(DAYS[1], 3)
    claims = read(file.name, file.data, file.mtime).claims
    assert [claim.file for claim in claims] == [file.name] * 3
    marked = File(file.path, b"\xff\xfe" + file.data.decode().encode("utf-16-le"), 0)
    assert read(file.name, marked.data, 0).claims == claims
