"""Which code reads which source: what a fingerprint of a parser covers.

Comments and blank lines are no part of it: tidying makes nothing stale.
"""

from __future__ import annotations

import ast
import functools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.masking import masks
from ingest.masking.masks import Masks, load_masks
from ingest.registry import SOURCES
from ingest.root import PROJECT, Root
from ingest.store.digests import digest

PACKAGE = "ingest"
MASKS = Path("seeds") / "masks.csv"

_COMMENT_OR_STRING = re.compile(
    r"""\#[^\n]*
    | (\"{3}|'{3})(?:\\.|[^\\])*?\1
    | "(?:\\.|[^"\\\n])*"
    | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)
# Where there are no strings and comments the word stands nowhere else.
_IMPORT = re.compile(r"(?:\bfrom\s+[.\w]+\s*)?\bimport\b\s*(?:\([^)]*\)|[^\n;]*)")


def parser_fingerprints(
    sources: Iterable[str], project: Path = PROJECT
) -> dict[str, str]:
    """By source: changes when its landed records might be read another way."""
    code = package_code(project)
    rules = (project / MASKS).read_text(encoding="utf-8")
    made = {}
    for source in sources:
        pieces = [rules]
        for module in parser_modules(source, code):
            pieces += [module, *tidied(code[module])]
        made[source] = digest(pieces)
    return made


def masks_of(root: Root) -> Masks:
    """The masks that are in force for a root. Raises OSError."""
    return load_masks(PROJECT / MASKS, root.settings / MASKS.name)


def masks_fingerprint(own: str, project: Path = PROJECT) -> str:
    """Changes when a text might be masked another way; `own` are the rules that
    the operator has written."""
    code = package_code(project)
    pieces = [own, (project / MASKS).read_text(encoding="utf-8")]
    for module in _modules({masks.__name__}, code):
        pieces += [module, *tidied(code[module])]
    return digest(pieces)


def parser_modules(source: str, code: dict[str, str]) -> list[str]:
    """A source's parsers with all that they import of the package."""
    return _modules({parser.__name__ for parser in SOURCES[source].parsers}, code)


def _modules(wanted: set[str], code: dict[str, str]) -> list[str]:
    found: set[str] = set()
    while fresh := (wanted & code.keys()) - found:
        found |= fresh
        for module in fresh:
            wanted.update(_wanted(module))
            for name in imported_names(code[module], module.rpartition(".")[0]):
                wanted.update(_wanted(name))
    return sorted(found)


def package_code(project: Path = PROJECT) -> dict[str, str]:
    """The text of each module; a package's own is named `….__init__`."""
    code = {}
    for folder, _, names in os.walk(project / PACKAGE):
        package = ".".join(Path(folder).relative_to(project).parts)
        for name in names:
            if name.endswith(".py"):
                text = Path(folder, name).read_text(encoding="utf-8")
                code[f"{package}.{name[:-3]}"] = text
    return code


@functools.cache
def tidied(code: str) -> tuple[str, ...]:
    """Python without comments and blank lines, then its strings.

    In the code a NUL stands for each string.
    """
    strings = []

    def without(match: re.Match[str]) -> str:
        if match[0].startswith("#"):
            return ""
        strings.append(match[0])
        return "\0"

    lines = _COMMENT_OR_STRING.sub(without, code).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip()), *strings


@functools.cache
def imported_names(code: str, package: str) -> frozenset[str]:
    """Names that code of a package imports, of modules or from them."""
    names: set[str] = set()
    # To parse these statements alone takes a tenth of the time.
    statements = _IMPORT.findall(tidied(code)[0].replace("\\\n", " "))
    for node in ast.parse("\n".join(statements)).body:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")
            above = above[: len(above) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _wanted(name: str) -> Iterator[str]:
    """Modules that are read for a name: it may be one, or stand in one."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
        yield ".".join([*parts[:end], "__init__"])
