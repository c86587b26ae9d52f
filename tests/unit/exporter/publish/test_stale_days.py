"""Which days are stale, and which are kept though the landing holds fewer."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exporter.contracts.datasets import Dataset
from exporter.publish.landed import read_content
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.losses import doubt_unknown, with_kept_rows
from exporter.publish.plan import Plan, Selection, set_aside_damaged
from exporter.publish.stale_days import plan_days
from ingest.root import Root
from ingest.store.ledger import Break, Part

DAY = date(2025, 10, 27)
PATH = "g/d/d_20251027.parquet"
CSV, TWIN = "query_rows/a.csv", "query_rows/b.json"


def dataset(
    sources: tuple[str, ...] = ("s",),
    row_input: str | None = "source_file",
    tells_records_apart: bool = False,
) -> Dataset:
    return Dataset(
        "d", "", "g/d/d_{yyyymmdd}.parquet", 1, (), "model", sources, ("d",),
        row_input, tells_records_apart,
    )  # fmt: skip


def part(
    records: int,
    fingerprint: str = "f",
    dropped: int = 0,
    source: str = "s",
    name: str = "p",
) -> Part:
    return Part(
        source, str(DAY), name, 1, 1, 1, fingerprint, "", {"d": records}, 1, dropped
    )  # fmt: skip


class Store:
    """A root with one dataset, planned without any real Parquet."""

    def __init__(self, path: Path, of: Dataset) -> None:
        self.root = Root(path)
        self.ledger = Ledger(None)
        self.of = of

    def plan(self, **selection: Any) -> Plan:
        return plan_days(self.root, self.ledger, {"d": self.of}, Selection(**selection))

    def publish(self, path: str = PATH, **changed: str) -> None:
        """A file that looks as the ledger says it was left."""
        target = self.root.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"left as it was")
        look = target.stat()
        metadata = {"landed_records": "5", **changed}
        if not changed:
            [wanted] = self.plan(force=True).stale
            metadata = wanted.metadata
        self.ledger.put_published(
            path,
            PublishedFile(
                look.st_size, look.st_mtime_ns, 0, 5, metadata, self.of.shape
            ),
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path, dataset())
    made.ledger.put_part(part(5))
    return made


@pytest.fixture
def many(tmp_path: Path) -> Store:
    """A day that is made from a CSV, a twin and a log, and is published."""
    made = Store(tmp_path, dataset(("query_log", "query_rows")))
    made.ledger.put_part(part(100, "c", source="query_rows", name="a.csv.gz"))
    made.ledger.put_part(part(7, "j", source="query_rows", name="b.json.csv.gz"))
    made.ledger.put_part(part(10, "l", source="query_log"))
    made.publish()
    return made


def test_a_day_without_its_file_is_stale(store: Store) -> None:
    [target] = store.plan().stale
    assert (target.path, target.reason, target.landed_records) == (PATH, "missing", 5)
    assert not store.plan(since=date(2025, 10, 28)).stale
    assert not store.plan(until=date(2025, 10, 26)).stale
    assert store.plan(since=DAY, until=DAY).stale


def test_a_day_with_its_file_is_not(store: Store) -> None:
    store.publish()
    assert store.plan().current == [("d", DAY, PATH)]
    assert [t.reason for t in store.plan(force=True).stale] == ["forced"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("schema_version", "schema changed"),
        ("source_fingerprint", "landed content changed"),
        ("model_fingerprint", "code changed"),
        ("landed_records", "landed content changed"),
    ],
)
def test_why_a_day_is_stale(store: Store, key: str, reason: str) -> None:
    [wanted] = store.plan().stale
    store.publish(**{**wanted.metadata, key: "another"})
    assert [target.reason for target in store.plan().stale] == [reason]


def test_a_footer_says_what_its_file_is_and_is_made_from(many: Store) -> None:
    [target] = many.plan(force=True).stale
    assert (target.metadata["dataset"], target.metadata["day"]) == ("d", "2025-10-27")
    assert target.landed_records == 117
    assert read_content(target.metadata) == {
        CSV: (100, "c"), TWIN: (7, "j"), "query_log": (10, "l")
    }  # fmt: skip


def test_the_parts_of_a_source_count_together(store: Store) -> None:
    store.ledger.put_part(part(2, "a", dropped=1, name="q"))
    [target] = store.plan().stale
    assert target.landed_records == 7
    assert list(read_content(target.metadata)) == ["s"]
    store.publish()
    store.ledger.put_part(part(1, "b", dropped=1, name="q"))
    assert not store.plan().shrunken
    store.ledger.put_part(part(0, "b", dropped=1, name="q"))
    assert store.plan().shrunken


def test_fewer_landed_records_are_kept_back(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g"))
    plan = store.plan()
    assert [kept.loss.fewer for kept in plan.shrunken] == [{"s": (5, 3)}]
    assert f"{PATH}: kept, because" in "".join(plan.warnings(store.root))
    assert not plan.stale
    assert not plan.damaged
    forced = store.plan(force=True)
    assert [t.landed_records for t in forced.stale] == [3]
    assert not forced.shrunken


def test_records_that_left_for_good_reason_are_no_loss(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g", dropped=2))
    assert [target.landed_records for target in store.plan().stale] == [3]
    store.ledger.put_part(part(3, "g", dropped=1))
    assert store.plan().shrunken


def test_growth_hides_no_loss(many: Store) -> None:
    """The rows of what shrank stay, beside what is new."""
    many.ledger.put_part(part(30, "d", source="query_rows", name="a.csv.gz"))
    plan = many.plan()
    assert not plan.stale, "nothing else is new"
    assert plan.current

    many.ledger.put_part(part(85, "m", source="query_log"))
    [target] = many.plan().stale
    assert target.kept == (CSV,)
    assert target.landed_records == 100 + 7 + 85
    assert read_content(target.metadata) == {
        CSV: (100, "c"), TWIN: (7, "j"), "query_log": (85, "m")
    }  # fmt: skip
    assert f"the rows of {CSV} are kept, because" in "".join(
        many.plan().warnings(many.root)
    )

    many.publish(**target.metadata)
    again = many.plan()
    assert not again.stale, "once is enough"
    assert again.shrunken, "but it is said"
    assert many.plan(force=True).stale[0].landed_records == 30 + 7 + 85

    many.ledger.forget_part("query_rows", str(DAY), "a.csv.gz")
    assert not many.plan().stale, "lost as a whole is lost as well"


MARK = "5".rjust(32, "f")


@pytest.fixture
def broken(tmp_path: Path) -> Store:
    """A published day of which the landing was lost, and is as large again."""
    made = Store(tmp_path, dataset(tells_records_apart=True))
    made.ledger.put_part(part(5, MARK))
    made.publish()
    made.ledger.note_break("s", str(DAY), Break(""))
    made.ledger.put_part(part(9, "a".rjust(32, "e")))
    return made


def test_as_many_records_after_a_break_may_be_others(broken: Store) -> None:
    [target] = broken.plan().stale
    assert target.keeps_missing
    assert json.loads(target.metadata["kept"])["made_by"] == ["model"]
    assert not broken.plan(force=True).stale[0].keeps_missing


def test_without_a_way_to_tell_them_apart_the_file_stays(broken: Store) -> None:
    broken.of = dataset()
    assert not broken.plan().stale
    assert f"{PATH}: kept, because the landing now holds perhaps not all" in (
        "".join(broken.plan().warnings(broken.root))
    )


def test_a_file_made_from_all_that_was_left_has_lost_nothing(broken: Store) -> None:
    broken.ledger.note_break("s", str(DAY), Break(MARK))
    assert not broken.plan().stale[0].keeps_missing


def test_a_break_is_mended_by_what_is_made_after_it(broken: Store) -> None:
    broken.publish(**broken.plan().stale[0].metadata)
    assert broken.ledger.breaks()
    assert not broken.plan().stale
    assert not broken.ledger.breaks()


def test_kept_rows_are_looked_for_each_time(broken: Store) -> None:
    [target] = broken.plan().stale
    footer = with_kept_rows(target.metadata, {"d": 2})
    assert footer["landed_records"] == "11"
    broken.publish(**footer)
    assert not broken.plan().stale
    assert "2 row(s) are kept" in "".join(broken.plan().warnings(broken.root))
    broken.ledger.put_part(part(10, "b".rjust(32, "e")))
    assert broken.plan().stale[0].keeps_missing
    found = with_kept_rows(broken.plan().stale[0].metadata, {})
    assert (found["landed_records"], "kept" in found) == ("10", False)


def test_a_file_that_the_ledger_did_not_know_may_hold_more(broken: Store) -> None:
    broken.ledger.forget_breaks([("s", str(DAY))])
    footer = broken.ledger.published()[PATH].metadata
    before = PublishedFile(0, 0, 0, 5, footer, "")
    doubt_unknown(broken.ledger, DAY, before, [])
    assert broken.plan().stale[0].keeps_missing


def test_what_may_be_made_from_rot_is_made_again_once_it_can(store: Store) -> None:
    store.publish()
    store.ledger.note_break("s", str(DAY), Break("", is_rotten=True))
    [target] = store.plan().stale
    assert (target.reason, target.keeps_missing) == ("landed content changed", False)
    assert store.plan().stale, "until it is"
    store.publish(**target.metadata)
    assert not store.plan().stale


def test_names_of_columns_may_become_fewer_but_not_vanish(tmp_path: Path) -> None:
    store = Store(tmp_path, dataset(("heartbeats", "observed_columns")))
    store.ledger.put_part(part(5, source="heartbeats"))
    store.ledger.put_part(part(9, source="observed_columns"))
    store.publish()
    store.ledger.put_part(part(8, "g", source="observed_columns"))
    assert [target.landed_records for target in store.plan().stale] == [13]
    store.ledger.forget_part("observed_columns", str(DAY), "p")
    assert not store.plan().stale
    assert store.plan().shrunken


@pytest.mark.parametrize("column", [None, "source_file"])
def test_what_cannot_be_told_apart_is_kept_whole(
    column: str | None, many: Store
) -> None:
    many.of = dataset(many.of.sources, column)
    log = "query_log" if column else "query_rows"
    name = "p" if column else "a.csv.gz"
    many.ledger.put_part(part(3, "d", source=log, name=name))
    many.ledger.put_part(part(9, "k", source="query_rows", name="b.json.csv.gz"))
    plan = many.plan()
    assert not plan.stale
    assert "kept, because" in "".join(plan.warnings(many.root))


def test_rows_of_another_shape_are_not_taken_over(many: Store) -> None:
    many.ledger.put_part(part(30, "d", source="query_rows", name="a.csv.gz"))
    many.ledger.put_part(part(85, "m", source="query_log"))
    known = many.ledger.published()[PATH]
    many.ledger.put_published(PATH, known._replace(shape="old"))
    plan = many.plan()
    assert not plan.stale
    assert plan.shrunken
    empty = known._replace(shape="of no rows", row_count=0)
    many.ledger.put_published(PATH, empty)
    assert many.plan().stale


def test_of_older_files_a_sum_is_known(many: Store) -> None:
    many.publish(source_fingerprint="x", landed_records="117")
    assert [target.landed_records for target in many.plan().stale] == [117]
    many.ledger.put_part(part(30, "d", source="query_rows", name="a.csv.gz"))
    plan = many.plan()
    assert not plan.stale
    assert [kept.loss.fewer for kept in plan.shrunken] == [{"": (117, 47)}]


def test_a_damaged_file_is_made_again(store: Store) -> None:
    store.publish()
    (store.root.path / PATH).write_bytes(b"junk")
    plan = store.plan()
    assert [target.reason for target in plan.stale] == ["damaged"]
    assert not plan.damaged, "the landing holds all that stood in it"


def test_a_damaged_file_of_more_records_is_set_aside(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g"))
    (store.root.path / PATH).write_bytes(b"junk")
    plan = store.plan()
    assert plan.damaged == [PATH]
    assert plan.shrunken
    assert [target.reason for target in plan.stale] == ["damaged"]


def test_a_damaged_file_nobody_knows_is_set_aside(store: Store) -> None:
    store.publish()
    store.ledger.forget_published([PATH])
    plan = store.plan()
    assert plan.damaged == [PATH]
    assert [target.reason for target in plan.stale] == ["damaged"]


def test_files_of_days_that_are_not_landed(store: Store) -> None:
    ours, junk, foreign = (f"g/d/d_2024010{n}.parquet" for n in (1, 2, 3))
    store.publish(ours, source_fingerprint="x", model_fingerprint="older")
    store.publish(foreign, made_by="another tool")
    (store.root.path / junk).write_bytes(b"junk")
    (store.root.path / "g/d/d_20249999.parquet").write_bytes(b"not a day")
    (store.root.path / "g/d/other.parquet").write_bytes(b"not ours")
    plan = store.plan()
    assert plan.outdated == [ours]
    assert plan.damaged == [junk]
    assert plan.unreadable == {junk}
    assert [file.path for file in plan.foreign] == [foreign]


def test_a_day_where_another_program_wrote_is_left_alone(store: Store) -> None:
    store.publish(made_by="another program")
    before = (store.root.path / PATH).read_bytes()
    plan = store.plan()
    set_aside_damaged(store.root, store.ledger, plan)
    assert [file.path for file in plan.foreign] == [PATH]
    assert not plan.stale
    assert not plan.damaged
    assert not plan.published
    assert (store.root.path / PATH).read_bytes() == before
    assert "left alone until it is adopted" in "".join(plan.warnings(store.root))
