"""Which indexes could help a query, from its text and the tables' columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sqlglot import exp, parse
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

DIALECT = "sqlite"
LONGEST_TEXT = 20_000
MASKED = re.compile(r"\*{3}")
MOST_CANDIDATES, MOST_COLUMNS = 12, 3
EQUAL = (exp.EQ, exp.In, exp.Is)
RANGE = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Like, exp.Glob)
WORDS = {word for words in SQLite.Tokenizer.KEYWORDS for word in words.split()}
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Table:
    """A table: its name and columns as written, and what finds its rows already.

    `keys` are the column lists of its indexes and primary key.
    """

    name: str
    columns: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...] = ()

    def column(self, name: str) -> str | None:
        """A column as the table writes it; SQLite does not mind case."""
        found = (own for own in self.columns if own.lower() == name.lower())
        return next(found, None)


@dataclass(frozen=True)
class Candidate:
    """An index that may help."""

    table: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "_", "_".join(("idx", self.table, *self.columns)))

    @property
    def sql(self) -> str:
        columns = ", ".join(map(identifier, self.columns))
        return (
            f"CREATE INDEX {identifier(self.name)} "
            f"ON {identifier(self.table)}({columns})"
        )


@dataclass
class Query:
    """A SELECT that was read: what to run, and the columns its parameters meet.

    `parameters` names, for each of `:p0`, `:p1` …, the table and column that it
    is compared with; None stands for a number of rows.
    """

    sql: str
    parameters: list[tuple[str, str] | None]
    candidates: list[Candidate]


class NotAdvised(ValueError):
    """Nothing can be said of a text, and why."""


@dataclass
class _Uses:
    """What a query does with the columns of one table, in order."""

    equal: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)


def identifier(name: str) -> str:
    """A name as SQL writes it, quoted where it is no plain word."""
    if PLAIN_NAME.fullmatch(name) and name.upper() not in WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def read_query(text: str, tables: Mapping[str, Table]) -> Query:
    """Read a text; `tables` goes by lower-case names. Raises NotAdvised."""
    if len(text) > LONGEST_TEXT:
        raise NotAdvised("it is too long")
    try:
        statements = parse(text, dialect=DIALECT)
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise NotAdvised("it is not one SELECT")
        tree = statements[0]
        scopes = traverse_scope(tree)
        uses = _uses(scopes, tables)
        parameters = _name_parameters(tree, scopes, tables)
        sql = _written(tree, text) if parameters else text
    except (SqlglotError, RecursionError) as error:
        raise NotAdvised("it does not parse as SQL") from error
    found = chain.from_iterable(_candidates(tables[name], uses[name]) for name in uses)
    return Query(sql, parameters, list(dict.fromkeys(found))[:MOST_CANDIDATES])


def _written(tree: exp.Query, text: str) -> str:
    """The tree as text. A comma would come back as CROSS JOIN, by which SQLite
    orders no tables."""
    if not re.search(r"\bcross\b", text, re.IGNORECASE):
        for join in tree.find_all(exp.Join):
            if join.kind == "CROSS":
                join.set("kind", None)
    return tree.sql(dialect=DIALECT)


def _source(
    column: exp.Column, scope: Scope, tables: Mapping[str, Table]
) -> Table | None:
    """The table that a column is of; None where that is none, or not clear."""
    named = {
        alias: tables.get(source.name.lower())
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table)
    }
    if column.table:
        wanted = column.table.lower()
        fitting = [of for alias, of in named.items() if alias.lower() == wanted]
    else:
        fitting = list(named.values())
    holding = [of for of in fitting if of and of.column(column.name)]
    return holding[0] if len(holding) == 1 else None


def _uses(scopes: Sequence[Scope], tables: Mapping[str, Table]) -> dict[str, _Uses]:
    found: dict[str, _Uses] = {}
    seen: set[int] = set()
    for scope in scopes:  # inner ones first: those around them may know it as well
        for column in scope.columns:
            table = _source(column, scope, tables)
            if table is None or id(column) in seen:
                continue
            seen.add(id(column))
            name = table.column(column.name) or column.name
            uses = found.setdefault(table.name.lower(), _Uses())
            for into in _roles(column, uses):
                if name not in into:
                    into.append(name)
        for join in scope.find_all(exp.Join):
            for using in join.args.get("using") or []:
                for source in scope.sources.values():
                    of = isinstance(source, exp.Table) and tables.get(
                        source.name.lower()
                    )
                    if of and (own := of.column(using.name)):
                        uses = found.setdefault(of.name.lower(), _Uses())
                        uses.equal.append(own)
    return found


def _roles(column: exp.Column, uses: _Uses) -> Iterator[list[str]]:
    """Where a column is used so that an index could serve it."""
    clause = column.find_ancestor(
        exp.Where, exp.Join, exp.Order, exp.Window, exp.Select
    )
    parent = column.parent
    if isinstance(clause, exp.Order):
        is_bare = isinstance(parent, exp.Ordered) and parent.parent is clause
        if is_bare and not isinstance(clause.parent, exp.Window):
            yield uses.order
        return
    if not isinstance(clause, exp.Where | exp.Join):
        return
    if not isinstance(parent, (*EQUAL, *RANGE)):
        return  # inside of a function no index of the column serves
    either = column.find_ancestor(exp.Or, exp.Not, exp.Where, exp.Join)
    if isinstance(either, exp.Or):
        yield uses.alone
    elif not isinstance(either, exp.Not):
        yield uses.equal if isinstance(parent, EQUAL) else uses.ranges


def _candidates(table: Table, uses: _Uses) -> Iterator[Candidate]:
    """Those not served yet: composed ones first, then each column by itself."""
    lists = []
    tail = [name for name in uses.order if name not in uses.equal]
    if uses.equal:
        lists.append([*uses.equal, *(uses.ranges[:1] or tail)])
        lists.append([*uses.equal, *tail])
    lists.append(uses.order)
    lists += [[name] for name in (*uses.equal, *uses.ranges, *uses.alone)]
    for columns in lists:
        wanted = tuple(dict.fromkeys(columns))[:MOST_COLUMNS]
        if wanted and not any(_serves(key, wanted) for key in table.keys):
            yield Candidate(table.name, wanted)


def _serves(key: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a key, or what it begins with, is what is wanted."""
    lower = [name.lower() for name in key]
    return lower[: len(wanted)] == [name.lower() for name in wanted]


def _name_parameters(
    tree: exp.Query, scopes: Sequence[Scope], tables: Mapping[str, Table]
) -> list[tuple[str, str] | None]:
    """Name what was masked or left open `:p0`, `:p1` … in the tree itself."""
    of: dict[int, Scope] = {}
    for scope in scopes:  # inner ones first: those around them may know it as well
        for column in scope.columns:
            of.setdefault(id(column), scope)
    found = [node for node in tree.walk() if _is_open(node)]
    met: list[tuple[str, str] | None] = []
    for number, node in enumerate(found):
        met.append(_compared_with(node, of, tables))
        node.replace(exp.Placeholder(this=f"p{number}"))
    return met


def _is_open(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal):
        return bool(node.is_string and MASKED.search(node.name))
    if isinstance(node, exp.Column):
        return node.name.startswith("$") and not node.this.quoted
    return isinstance(node, exp.Placeholder | exp.Parameter)


def _compared_with(
    node: exp.Expr, of: Mapping[int, Scope], tables: Mapping[str, Table]
) -> tuple[str, str] | None:
    where = node.find_ancestor(*EQUAL, exp.NEQ, *RANGE, exp.Limit, exp.Offset)
    if isinstance(where, exp.Limit | exp.Offset):
        return None
    for column in where.find_all(exp.Column) if where else ():
        scope = of.get(id(column))
        table = _source(column, scope, tables) if scope else None
        if table is not None:
            return table.name, table.column(column.name) or column.name
    raise NotAdvised("a parameter of it is compared with no column")
