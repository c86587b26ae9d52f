"""What a parser's fingerprint covers, and what it leaves out."""

from __future__ import annotations

import io
import shutil
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsers import (
    masks_fingerprint,
    package_code,
    parser_modules,
    tidied,
)
from ingest.registry import SOURCES
from ingest.root import PROJECT

CODE = package_code()
PARTS = ["ingest.text", "ingest.more.other"]


def test_every_source_has_its_parsers() -> None:
    for name, source in SOURCES.items():
        wanted = {parser.__name__ for parser in source.parsers}
        assert wanted <= set(parser_modules(name, CODE))


def test_what_a_parser_imports_belongs_to_it() -> None:
    modules = set(parser_modules("heartbeats", CODE))
    assert {"ingest.text.times", "ingest.text.clean", "ingest.__init__"} <= modules
    assert not {"ingest.run", "ingest.sources.telemetry"} & modules
    assert parser_modules("observed_columns", CODE) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("from ingest import text", PARTS[:1]),
        ("from ingest.text import clean", PARTS[:1]),
        ("import ingest.text as t", PARTS[:1]),
        ("import json, ingest.text", PARTS[:1]),
        ("from .. import text", PARTS[:1]),
        ("from ..text import clean as c", PARTS[:1]),
        ("from ingest import (  # both\n    more,\n    text,\n)", PARTS[:1]),
        ("from ingest.more import (\n    name,\n    other,\n)", PARTS[1:]),
        ("from ingest \\\n    import text", PARTS[:1]),
        ("def f():\n    from ingest.more import other", PARTS[1:]),
        ("if True: import ingest.more.other", PARTS[1:]),
        ("a = 'x'; from ingest.text import *", PARTS[:1]),
        ("from ingest.more import chain", PARTS),
        ("# from ingest import text", []),
        ("'''\nfrom ingest import text\n'''", []),
        ("from json import text", []),
        ("important = ingest.text", []),
    ],
)
def test_imports_are_followed(statement: str, found: list[str]) -> None:
    code = {
        "ingest.__init__": "",
        "ingest.sources.__init__": "",
        "ingest.sources.telemetry": f"import json\n{statement}\n",
        "ingest.text": "",
        "ingest.more.__init__": "",
        "ingest.more.other": "",
        "ingest.more.chain": "from . import other\nimport ingest.text",
    }
    modules = set(parser_modules("telemetry", code))
    assert [name for name in PARTS if name in modules] == found
    uses_more = any("more" in name for name in modules)
    assert ("ingest.more.__init__" in modules) == uses_more


def tokens_of(code: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(code).readline))


def changed(code: str, at: tuple[int, int], new: str, length: int = 0) -> str:
    lines = code.split("\n")
    line = lines[at[0] - 1]
    lines[at[0] - 1] = line[: at[1]] + new + line[at[1] + length :]
    return "\n".join(lines)


@given(st.data())
def test_tidying_leaves_code_as_it_is(data: st.DataObject) -> None:
    code = CODE[data.draw(st.sampled_from(sorted(CODE)))]
    ends = [t for t in tokens_of(code) if t.type in (tokenize.NEWLINE, tokenize.NL)]
    if not ends:
        return
    at = data.draw(st.sampled_from(ends)).start
    note = data.draw(st.sampled_from(["  ", "\n\n", '  # it\'s """ so', "\n  \n#\n"]))
    assert tidied(changed(code, at, note)) == tidied(code)


@given(st.data())
def test_another_token_is_other_code(data: st.DataObject) -> None:
    code = CODE[data.draw(st.sampled_from(sorted(CODE)))]
    kinds = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
    tokens = [t for t in tokens_of(code) if t.type in kinds and t.start[0] == t.end[0]]
    if not tokens:
        return
    token = data.draw(st.sampled_from(tokens))
    new = data.draw(st.sampled_from(["x", "''", "", f"{token.string} {token.string}"]))
    if new != token.string:
        other = changed(code, token.start, new, len(token.string))
        assert tidied(other) != tidied(code)


def test_a_string_is_no_comment() -> None:
    assert tidied("a = '# one'  # x\n") == tidied("a = '# one'")
    assert tidied("a = '# one'") != tidied("a = '# two'")
    assert tidied('a = """\n\n"""') != tidied('a = """\n"""')
    assert tidied("a = '\\'# one'") != tidied("a = '\\'# two'")


def test_the_code_that_masks_is_part_of_its_fingerprint(tmp_path: Path) -> None:
    """Else what was landed would not be masked again by better code."""
    for folder in ("ingest", "seeds"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    before = masks_fingerprint("", tmp_path)
    assert before == masks_fingerprint("")
    for module in ("masks", "structure"):
        place = tmp_path / "ingest" / "masking" / f"{module}.py"
        place.write_text(place.read_text() + "\nMORE = 1\n")
        after = masks_fingerprint("", tmp_path)
        assert after != before
        before = after
