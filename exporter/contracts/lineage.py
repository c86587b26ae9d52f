"""The code that shapes a model: its ancestors, macros, seeds and sources.

Found without dbt, whose start takes longer than most runs; a test compares it
with what dbt finds. Comments and spacing are no part of it: tidying makes
nothing stale.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exporter.contracts.landing_columns import landing_columns, state_columns
from exporter.contracts.yml import project_variables, read_yml
from ingest.parsers import parser_fingerprints
from ingest.registry import SOURCES
from ingest.root import PROJECT
from ingest.store.digests import digest

# The tokens of a tag of Jinja, `{{ … }}` or `{% … %}`, both ends included.
Tag = tuple[str, ...]
# The sources of dbt whose content makes a file what it is.
READ = ("landing", "state")
# How macros begin that `adapter.dispatch` looks for on DuckDB, in this order.
PREFIXES = ("duckdb", "default")
# SQL, and the tags in it.
Pieces = tuple[str | Tag, ...]

_TAG_OR_COMMENT = re.compile(
    r"""\{\#.*?\#\}
    | \{%[-+]?\s*raw\s*-?%\}(?P<raw>.*?)\{%[-+]?\s*endraw\s*[-+]?%\}
    | \{[{%][-+]?""",
    re.DOTALL | re.VERBOSE,
)
_TOKEN = re.compile(
    r"""\s+
    | '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*"
    | \w+
    | (?P<end>-?\}\}|[-+]?%\})
    | .""",
    re.DOTALL | re.VERBOSE,
)
_SPACE_OR_STRING = re.compile(
    r"""(?P<space>(?:\s|--[^\n]*|/\*.*?\*/)+)
    | \be'(?:\\.|''|[^'\\])*'
    | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | \$(?P<name>\w*)\$.*?\$(?P=name)\$
    | (?P<alone>['"])""",
    re.DOTALL | re.VERBOSE,
)


class UnknownLineage(ValueError):
    """What a model reads cannot be told from its text."""


@dataclass
class Lineage:
    """What shapes a model, itself included; `sources` are those of the landing
    and of the state, `inputs` the published tables whose files it reads."""

    models: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)
    seeds: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    materializations: set[str] = field(default_factory=set)


class Code:
    """The models, macros and seeds of a project, by name."""

    def __init__(self, project: Path = PROJECT) -> None:
        self.project = project
        self.models = {
            path.stem: pieces_of(path.read_text(encoding="utf-8"))
            for path in (project / "models").rglob("*.sql")
        }
        self.seeds = {path.stem: path for path in (project / "seeds").rglob("*.csv")}
        self.macros: dict[str, Pieces] = {}
        # Each shapes the bytes of all files that it publishes.
        self.materializations: dict[str, Pieces] = {}
        for path in sorted((project / "macros").rglob("*.sql")):
            pieces = pieces_of(path.read_text(encoding="utf-8"))
            self.macros.update(_blocks(pieces, "macro"))
            self.materializations.update(_blocks(pieces, "materialization"))

    @functools.cached_property
    def parsers(self) -> dict[str, str]:
        """Fingerprints of the parsers, by source."""
        return parser_fingerprints(SOURCES, self.project)

    @functools.cached_property
    def seed_types(self) -> dict[str, str]:
        """The types that columns of seeds are given, as text, by seed."""
        found = {}
        for path in (self.project / "seeds").rglob("*.yml"):
            document = read_yml(path)
            for seed in document["seeds"]:
                types = seed.get("config", {}).get("column_types", {})
                found[seed["name"]] = json.dumps(types, sort_keys=True)
        return found

    @functools.cached_property
    def variables(self) -> dict[str, Any]:
        """The vars of the project, by name."""
        return project_variables(self.project)

    def lineage(
        self,
        model: str,
        materialization: str | None = None,
        published: Set[str] = frozenset(),
    ) -> Lineage:
        """What shapes a model, and how it is published.

        What is `published` itself is an input of it. Raises UnknownLineage.
        """
        found = Lineage(models={model})
        waiting = [(model, self.models[model])]
        if materialization:
            found.materializations.add(materialization)
            waiting.append((materialization, self.materializations[materialization]))
        while waiting:
            name, pieces = waiting.pop()
            read = reads(name, pieces)
            named = read.names | {self._dispatched(to) for to in read.dispatched}
            macros = (self.macros.keys() & named) - found.macros
            found.inputs |= read.refs & published
            models = (self.models.keys() & read.refs) - found.models - published
            seeds = read.refs - self.models.keys()
            if unknown := seeds - self.seeds.keys():
                raise UnknownLineage(f"{name}: there is no model {min(unknown)}")
            found.macros |= macros
            found.models |= models
            found.seeds |= seeds
            found.sources |= read.sources
            waiting += [(name, self.macros[name]) for name in macros]
            waiting += [(name, self.models[name]) for name in models]
        return found

    def _dispatched(self, name: str) -> str:
        """The macro that stands behind a dispatched name where DuckDB runs it."""
        candidates = [f"{prefix}__{name}" for prefix in PREFIXES]
        return next((one for one in candidates if one in self.macros), name)

    def variables_of(self, lineage: Lineage) -> list[str]:
        """The vars that shape a model, each with its value."""
        pieces = [self.models[name] for name in lineage.models]
        pieces += [self.macros[name] for name in lineage.macros]
        names = {name for each in pieces for name in reads("", each).variables}
        return [f"{name}={self.variables.get(name)!r}" for name in sorted(names)]

    def fingerprint(self, lineage: Lineage, contract: Iterable[str]) -> str:
        """Stands for all that shapes a model, its contract included."""
        columns = landing_columns(self.project) | state_columns(self.project)
        return digest(
            [
                *contract,
                *_texts(self.models, lineage.models),
                *_texts(self.materializations, lineage.materializations),
                *_texts(self.macros, lineage.macros),
                *(
                    f"{name}\n{self.seed_types.get(name, '')}\n"
                    f"{self.seeds[name].read_text(encoding='utf-8')}"
                    for name in sorted(lineage.seeds)
                ),
                *(
                    f"{name} {columns[name]} {self.parsers.get(name, '')}"
                    for name in sorted(lineage.sources)
                ),
            ]
        )


def pieces_of(template: str) -> Pieces:
    """A template as SQL and tags, in their order, without Jinja's comments."""
    pieces: list[str | Tag] = []
    start = 0
    while match := _TAG_OR_COMMENT.search(template, start):
        pieces.append(template[start : match.start()])
        start = match.end()
        if match["raw"] is not None:
            pieces.append(("raw", match["raw"]))
        elif not match[0].startswith("{#"):
            tokens = [match[0], *_tokens(template, start)]
            start += sum(map(len, tokens[1:]))
            pieces.append(tuple(token for token in tokens if not token.isspace()))
    return *pieces, template[start:]


def _tokens(template: str, start: int) -> Iterator[str]:
    """The tokens of a tag from behind its opening, spaces and its end included."""
    depth = 0
    while match := _TOKEN.match(template, start):
        # With braces open, what looks like an end is another one.
        token = match[0][0] if match["end"] and depth else match[0]
        yield token
        if match["end"] and not depth:
            return
        depth += token in ("(", "[", "{")
        depth -= token in (")", "]", "}")
        start += len(token)


@dataclass(frozen=True)
class Reads:
    """What stands in some pieces: any names, those that are dispatched, and what
    is read from where."""

    names: frozenset[str]
    dispatched: frozenset[str]
    refs: frozenset[str]
    sources: frozenset[str]
    variables: frozenset[str]


@functools.cache
def reads(where: str, pieces: Pieces) -> Reads:
    """The names in pieces, and what they read. Raises UnknownLineage."""
    tags = [piece for piece in pieces if isinstance(piece, tuple)]
    refs = [names for tag in tags for names in _calls(where, tag, "ref")]
    sources = [names for tag in tags for names in _calls(where, tag, "source")]
    calls = [names for tag in tags for names in _calls(where, tag, "dispatch")]
    variables = [
        tag[start + 2][1:-1]
        for tag in tags
        for start in range(len(tag) - 2)
        if tag[start : start + 2] == ("var", "(")
    ]
    return Reads(
        names=frozenset(token for tag in tags for token in tag),
        dispatched=frozenset(names[0] for names in calls),
        refs=frozenset(names[-1] for names in refs),
        sources=frozenset(name for group, name in sources if group in READ),
        variables=frozenset(variables),
    )


@functools.cache
def normal(pieces: Pieces) -> str:
    """Stands for pieces, whatever their comments and spacing.

    What `{% set … %}` and `{% endset %}` enclose may become part of a string:
    there each space counts, as it does where quotes are not in pairs.
    """
    sql = ""
    others = []
    is_text = False
    for piece in pieces:
        if isinstance(piece, tuple):
            sql += "\0"
            others.append("\n".join(piece))
            if piece[1:2] in (("set",), ("endset",)):
                is_text = piece[1] == "set" and "=" not in piece
        elif is_text:
            others.append(piece)
        else:
            sql += piece
    is_paired = True

    def without_comments(match: re.Match[str]) -> str:
        nonlocal is_paired
        is_paired &= match["alone"] is None
        if match["space"] is None:
            return match[0]
        return " " + "\0" * match[0].count("\0")  # a comment's tags are tags, too

    tidy = _SPACE_OR_STRING.sub(without_comments, sql).strip()
    return digest([tidy if is_paired else sql, *others])


def _texts(code: Mapping[str, Pieces], names: Iterable[str]) -> list[str]:
    return [f"{name} {normal(code[name])}" for name in sorted(names)]


def _blocks(pieces: Pieces, kind: str) -> Iterator[tuple[str, Pieces]]:
    """(name, pieces) of each macro, or other kind of block, tags included."""
    start = 0
    for position, piece in enumerate(pieces):
        if piece[1:2] == (kind,):
            start = position
        elif piece[1:2] == (f"end{kind}",):
            yield pieces[start][2], pieces[start : position + 1]


def _calls(where: str, tag: Tag, function: str) -> Iterator[list[str]]:
    """The arguments of each call in a tag. Raises UnknownLineage."""
    if function not in tag:
        return
    for start in range(len(tag) - 1):
        if tag[start : start + 2] == (function, "("):
            end = tag.index(")", start) if ")" in tag[start:] else len(tag)
            arguments = [token for token in tag[start + 2 : end] if token != ","]
            if not arguments or any(text[0] not in "'\"" for text in arguments):
                call = "".join(tag[start : end + 1])
                raise UnknownLineage(f"{where}: {call}: write its names as they are")
            yield [text[1:-1] for text in arguments]
