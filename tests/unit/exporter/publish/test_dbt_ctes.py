"""Ephemeral models are put into the SQL of others just as dbt puts them there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.publish import dbt_ctes


class Cte(NamedTuple):
    id: str
    sql: str


CTES = [
    Cte("a", " __dbt__cte__a as (\nselect 1\n)"),
    Cte("b", " __dbt__cte__b as (\nwith c as (select 2) select * from c\n)"),
]
Inject = Callable[[str, list[Cte]], str]


@pytest.fixture(scope="module")
def injects() -> tuple[Inject, Inject]:
    """Ours, and dbt's own."""
    from dbt import compilation

    theirs: Any = compilation.inject_ctes_into_sql
    dbt_ctes.put_ctes_in_front()
    ours: Any = compilation.inject_ctes_into_sql
    compilation.inject_ctes_into_sql = theirs
    return ours, theirs


SPACES = st.sampled_from(["", " ", "\n", "\n\n  ", "\t", "\n" * 200])
COMMENTS = st.sampled_from(
    [
        "",
        "-- a comment\n",
        "/* one */",
        "/* one */ /* two */",
        "/* with x\n as */ ",
        "-- with\n\n",
        "--\n",
    ]
)
BEGINS = st.sampled_from(
    ["with ", "WITH\n", "with recursive ", "With  Recursive\n", "", "(with ", "withal "]
)
RESTS = st.sampled_from(
    [
        "x as (select 1) select * from x",
        "x as (select 'a;b -- c' as d)\n-- done\nselect d from x",
        "x as (select 1), y as (with z as (select 2) select * from z) select * from y",
        "select 1",
        "select * from (/* x */ with z as (select 1) select * from z)",
        "x as (select 1) select * from x;",
        "recursive as (select 1) select * from recursive",
        "-- said\nx as (select 1) select * from x",
        "/* said */ recursive x as (select 1) select * from x",
    ]
)


@settings(deadline=None, max_examples=300)
@given(SPACES, COMMENTS, SPACES, BEGINS, RESTS, st.integers(0, 2))
def test_it_is_what_dbt_makes_of_it(
    injects: tuple[Inject, Inject],
    first: str,
    comment: str,
    second: str,
    begin: str,
    rest: str,
    number: int,
) -> None:
    ours, theirs = injects
    sql = f"{first}{comment}{second}{begin}{rest}"
    assert ours(sql, CTES[:number]) == theirs(sql, CTES[:number])


@pytest.mark.parametrize(
    ("sql", "put"),
    [
        (
            "\n-- of a model\nwith made as (select 1)\nselect * from made\n",
            "\n-- of a model\nwith  __dbt__cte__a as (\nselect 1\n), made as (select 1)"
            "\nselect * from made\n",
        ),
        (
            "\nselect * from __dbt__cte__a\n",
            "\nwith __dbt__cte__a as (\nselect 1\n) select * from __dbt__cte__a\n",
        ),
    ],
)
def test_a_plain_statement_is_not_taken_apart(
    sql: str,
    put: str,
    injects: tuple[Inject, Inject],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("dbt.compilation.sqlparse.parse", refuse)
    ours, _ = injects
    assert ours(sql, CTES[:1]) == put
