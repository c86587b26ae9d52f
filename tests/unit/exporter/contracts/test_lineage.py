"""What the text of models and macros says of their lineage."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.contracts.lineage import Code, Lineage, UnknownLineage, normal, pieces_of
from ingest.root import PROJECT

SQL = sorted(
    path
    for folder in ("models", "macros")
    for path in (PROJECT / folder).rglob("*.sql")
)
# What Jinja is made of, with what might be taken for something else in it.
WORDS = [
    "select", "a", "count(*)", "'it''s -- one'", "'/*'", "'a  b'", '"a ""b"', "e'\\''",
    "{{ x }}", "{{- ref('x') -}}", "{{ '}}' }}", '{% if a == "%}" %}', "{% endif %}",
    "{{ {'a': {'b': []}} }}", "{% set a = {'b': {}} %}", "{% raw %}{{ ' {% endraw %}",
    "{{ f(x)['}}'] }}", "$$ -- ' $$", "- 1", "/ 2",
]  # fmt: skip
SPACES = [
    " ", "\n", "\n\n    ", "\t ", " -- it's\n", "\n/* it's\n\"so\" */ ",
    " {# {{ it's #}", "\n{#- {% x -#}\n\n", " -- /* \n", "/* -- */ ",
]  # fmt: skip
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)


def by_jinja(template: str) -> list[str]:
    """SQL and tags as Jinja's own lexer takes them apart, without their spaces."""
    found = [""]
    inside = False
    for _, kind, text in jinja2.Environment().lex(template):
        if kind.startswith("comment"):
            continue
        if kind == "data" or kind.startswith("raw"):
            found[-1] += "" if kind.startswith("raw") else text
            continue
        if kind.endswith("_begin"):
            inside = True
            found.append("")
        if kind != "whitespace":
            found[-1] += text
        if kind.endswith("_end"):
            inside = False
            found.append("")
    assert not inside
    return ["".join(text.split()) for text in found]


def by_us(template: str) -> list[str]:
    found = [""]
    for piece in pieces_of(template):
        if isinstance(piece, str):
            found[-1] += piece
        elif piece[0] == "raw":
            found[-1] += piece[1]
        else:
            found += ["".join(piece), ""]
    return ["".join(text.split()) for text in found]


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_tags_are_those_of_jinja(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert by_us(text) == by_jinja(text)


@given(words, st.lists(st.sampled_from([*SPACES, ""]), min_size=12, max_size=12))
def test_tags_are_those_of_jinja_whatever_stands_there(
    texts: list[str], spaces: list[str]
) -> None:
    template = "".join(map("".join, zip(texts, spaces, strict=False)))
    assert by_us(template) == by_jinja(template)


@given(st.data(), words)
def test_tidying_leaves_a_model_as_it_is(data: st.DataObject, texts: list[str]) -> None:
    def spaced() -> str:
        spaces = [data.draw(st.sampled_from(SPACES)) for _ in texts]
        return "".join(map("".join, zip(spaces, texts, strict=True)))

    assert normal(pieces_of(spaced())) == normal(pieces_of(spaced()))


@given(st.data(), words)
def test_another_token_is_another_model(data: st.DataObject, texts: list[str]) -> None:
    position = data.draw(st.integers(0, len(texts) - 1))
    new = data.draw(st.sampled_from([*WORDS, "b", ""]))
    other = [*texts[:position], new, *texts[position + 1 :]]
    if other != texts:
        before, after = (normal(pieces_of(" ".join(x))) for x in (texts, other))
        assert before != after


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'a  b'", "'a b'"),
        ("'a -- b'", "'a -- c'"),
        ("'{{ x }} -- b'", "'{{ x }} -- c'"),
        ("a b", "ab"),
        ("{{ 'a  b' }}", "{{ 'a b' }}"),
        ("{{ a }} {{ b }}", "{{ b }} {{ a }}"),
        ("-- {{ ref('a') }}\n", "-- {{ ref('b') }}\n"),
        ("{% set x %}[ab]  --c{% endset %}", "{% set x %}[ab] --c{% endset %}"),
        ("{% set x %}{{ y }} --c{% endset %}", "{% set x %}{{ y }} --d{% endset %}"),
        ("it's {{ x }}  -- a", "it's {{ x }}  -- b"),
    ],
)
def test_what_may_matter_is_another_model(one: str, other: str) -> None:
    assert normal(pieces_of(one)) != normal(pieces_of(other))


def lineage(tmp_path: Path, model: str, macro: str = "") -> Lineage:
    """Of model `m` beside a model `x`, a seed `s` and a macro `f`."""
    for name, text in {
        "models/m.sql": model,
        "models/x.sql": "from {{ source('landing', 'deep') }}",
        "seeds/s.csv": "a\n",
        "macros/f.sql": f"{{% macro f(a='{{}}') %}}{macro}{{% endmacro %}}",
        "macros/g.sql": "{%- macro g() -%}{{ f() }}{%- endmacro -%}",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Code(tmp_path).lineage("m")


REFS = [
    "{{ ref('x') }}", '{{ ref("x") }}', '{{- ref ( "x" ) -}}', "{{ref('p', 'x')}}",
    "{%- set y = ref('x') -%}", "{% if ref(\n'x'\n) %}{% endif %}", "-- {{ ref('x') }}",
    "'{{ ref('x') }}'", "{{ f(ref('x')) }}", "{{ {'a': {'b': ref('x')}} }}",
    "{{ builtins.ref('x') }}",
]  # fmt: skip


@pytest.mark.parametrize("call", REFS)
def test_a_ref_in_any_form_is_an_ancestor(call: str, tmp_path: Path) -> None:
    found = lineage(tmp_path, f"select 1 from {call}")
    assert found.models == {"m", "x"}
    assert found.sources == {"deep"}


@pytest.mark.parametrize("call", REFS)
def test_a_ref_in_a_macro_is_an_ancestor_of_who_uses_it(
    call: str, tmp_path: Path
) -> None:
    found = lineage(tmp_path, "{{ g() }}", call)
    assert found == Lineage({"m", "x"}, {"f", "g"}, set(), {"deep"})
    assert lineage(tmp_path, "{{ 'g' }} f()", call) == Lineage({"m"})


def test_a_dispatched_macro_is_the_one_of_this_engine(tmp_path: Path) -> None:
    """And none of another: what only Spark reads makes nothing here anew."""
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros/h.sql").write_text(
        "{% macro h() %}{{ adapter.dispatch('h', 'ops') ( ) }}{% endmacro %}"
        "{% macro default__h() %}{{ default__i() }}{% endmacro %}"
        "{% macro default__i() %}{% endmacro %}"
        "{% macro spark__h() %}{{ ref('x') }}{% endmacro %}",
        encoding="utf-8",
    )
    found = lineage(tmp_path, "{{ h() }}")
    assert found == Lineage({"m"}, {"h", "default__h", "default__i"})
    with (tmp_path / "macros/h.sql").open("a", encoding="utf-8") as file:
        file.write("{% macro duckdb__h() %}{{ g() }}{% endmacro %}")
    assert lineage(tmp_path, "{{ h() }}").macros == {"h", "duckdb__h", "f", "g"}


def test_a_seed_and_a_source_are_found(tmp_path: Path) -> None:
    model = "{{ ref('s') }} {{ source(\"landing\", 'a') }} {{ source('other', 'b') }}"
    assert lineage(tmp_path, model) == Lineage({"m"}, set(), {"s"}, {"a"})


def test_the_types_of_a_seed_are_part_of_what_hangs_on_it(tmp_path: Path) -> None:
    found = lineage(tmp_path, "{{ ref('s') }}")
    marks = {Code(tmp_path).fingerprint(found, [])}
    for kind in ("varchar", "double"):
        text = f"seeds: [{{name: s, config: {{column_types: {{a: {kind}}}}}}}]\n"
        (tmp_path / "seeds/s.yml").write_text(text, encoding="utf-8")
        marks.add(Code(tmp_path).fingerprint(found, []))
    assert len(marks) == 3


@pytest.mark.parametrize(
    "text", ["{# {{ ref('x') }} #}", "ref('x')", "{{ \"ref('x')\" }}", "{{ ref }}"]
)
def test_what_is_no_call_is_no_ancestor(text: str, tmp_path: Path) -> None:
    assert lineage(tmp_path, text).models == {"m"}


@pytest.mark.parametrize(
    "call",
    ["ref(name)", "ref('x' ~ y)", "ref('nowhere')", "source('landing', s)", "ref()"],
)
def test_what_cannot_be_followed_is_an_error(call: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownLineage, match=r"^m: "):
        lineage(tmp_path, f"{{{{ {call} }}}}")
