"""Which indexes a text calls for, and which of them are there already."""

from __future__ import annotations

import pytest

from exporter.optimize.candidates import Candidate, NotAdvised, Table, read_query

TABLES = {
    "docs": Table("docs", ("id", "path", "at", "ns"), (("id",), ("ns", "at"))),
    "chunks": Table("chunks", ("id", "doc_id", "body"), (("id",),)),
    "order": Table("order", ("a b", "group")),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from docs where path = ?", [("path",)]),
        ("SELECT * FROM Docs AS d WHERE D.PATH = '***'", [("path",)]),
        ("select * from docs where path = 'a' and at > 5 order by ns",
         [("path", "at"), ("path", "ns"), ("path",), ("at",)]),
        ("select * from docs d join chunks c on c.doc_id = d.id", [("doc_id",)]),
        ("select * from docs order by path desc limit ?", [("path",)]),
        ("select * from docs where path = 'a' or at = 1", [("path",), ("at",)]),
        ("select * from chunks where id in (select at from docs where path = ?)",
         [("path",)]),
        # There already: by itself, as the beginning of another, as the rowid.
        ("select * from docs where ns = ?", []),
        ("select * from docs where ns = ? and at = ?", [("at",)]),
        ("select * from docs where id = ?", []),
        ("select * from docs where rowid = 4", []),
        # No index of a column serves these.
        ("select * from docs where lower(path) = ?", []),
        ("select * from docs where not path = 'a'", []),
        ("select rank() over (order by path) from docs", []),
        ("select * from elsewhere where path = 'a'", []),
    ],
)  # fmt: skip
def test_columns_are_found_where_an_index_serves_them(
    text: str, expected: list[tuple[str, ...]]
) -> None:
    found = read_query(text, TABLES).candidates
    assert [candidate.columns for candidate in found] == expected


def test_what_is_open_is_bound_by_the_column_it_meets() -> None:
    query = read_query(
        "select * from docs, chunks where path = $a and at > @b and ns = '***' "
        "and doc_id = docs.id limit ?",
        TABLES,
    )
    # A comma is no CROSS JOIN, by which SQLite would order the tables.
    assert "CROSS" not in query.sql
    assert sorted(query.parameters, key=str) == [
        ("docs", "at"), ("docs", "ns"), ("docs", "path"), None
    ]  # fmt: skip
    for number, met in enumerate(query.parameters):
        name = "LIMIT" if met is None else met[1]
        assert any(f"{name} {sign} :p{number}" in query.sql for sign in "=>") or (
            f"LIMIT :p{number}" in query.sql
        )


@pytest.mark.parametrize(
    "text",
    [
        "drop table docs", "delete from docs where path = 'a'", "find the docs", "",
        "select 1; drop table docs", "attach 'x' as y", "pragma journal_mode = wal",
        "select ? from docs", "(" * 5000, "select 'a" + "a" * 30_000 + "'",
    ],
)  # fmt: skip
def test_what_is_no_select_is_passed_over(text: str) -> None:
    with pytest.raises(NotAdvised):
        read_query(text, TABLES)


def test_names_are_quoted_where_they_must_be() -> None:
    assert (
        Candidate("docs", ("path",)).sql == "CREATE INDEX idx_docs_path ON docs(path)"
    )
    assert Candidate("order", ("a b", 'c"d')).sql == (
        'CREATE INDEX idx_order_a_b_c_d ON "order"("a b", "c""d")'
    )
