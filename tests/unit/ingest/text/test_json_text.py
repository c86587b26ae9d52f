import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.text.json_text import (
    MAX_DEPTH,
    MAX_NAMES,
    BadJson,
    Json,
    Number,
    cell,
    compact,
    dump,
    key_names,
    parse_json,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("true", "true"),
        ("false", "false"),
        ("52.00", "52.00"),
        ("1e3", "1e3"),
        ("-0", "-0"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ('"as is"', "as is"),
        ('"tab\there"', "tab\there"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("[1.50, null, true]", "[1.50,null,true]"),
        ('{"a": {"b": "é"}}', '{"a":{"b":"é"}}'),
        ("\ufeff 1 \r\n", "1"),
    ],
)
def test_cells_are_the_text_as_written(text: str, expected: str | None) -> None:
    assert cell(parse_json(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1e400",
        "-1e99999999999999999999",
        "1e-400",
        "-0.00001E-400",
        "1e23",
        "9007199254740993.0",
    ],
)
def test_fractions_that_no_double_holds_become_strings(text: str) -> None:
    assert parse_json(text) == text


@pytest.mark.parametrize("text", ["-0.0E-400", "5e-324", "0.1", "1e22", "-1.5"])
def test_fractions_that_a_double_holds_stay_numbers(text: str) -> None:
    assert parse_json(text) == Number(text)


def test_numbers_that_no_type_holds_become_strings() -> None:
    assert parse_json("9223372036854775808") == "9223372036854775808"
    assert parse_json("-9223372036854775808") == Number("-9223372036854775808")
    assert parse_json("7" * 5_000) == "7" * 5_000


def test_of_equal_keys_the_last_counts() -> None:
    assert parse_json('{"a": 1, "b": 2, "a": 3}') == {
        "a": Number("3"),
        "b": Number("2"),
    }


def test_what_cannot_be_stored_is_replaced() -> None:
    value = parse_json(r'{"\ud800": ["a\u0000b", 1], "c": "\ud83d\ude00"}')
    assert value == {"\ufffd": ["a\ufffdb", Number("1")], "c": "😀"}
    assert parse_json('"\ud800"') == "\ufffd"


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", "1 2", "[1,]", "nope"])
def test_not_json(text: str) -> None:
    with pytest.raises(BadJson, match=r"^not JSON$"):
        parse_json(text)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
def test_too_deep(depth: int, start: str, end: str) -> None:
    with pytest.raises(BadJson, match=r"^nested too deeply$"):
        parse_json(start * depth + "1" + end * depth)


def test_wide_is_not_deep() -> None:
    assert len(parse_json("[" + "[]," * 500 + "[]]")) == 501
    parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@given(st.text() | st.text(alphabet='{}[]",:0123456789.eE+-\\ud8NaInfty '))
@settings(deadline=None)
def test_nothing_but_bad_json_is_raised(text: str) -> None:
    try:
        value = parse_json(text)
    except BadJson:
        return
    json.loads(dump(value))


@given(VALUES)
@settings(deadline=None)
def test_dump_reads_back(value: Json) -> None:
    written = dump(parse_json(json.dumps(value)))
    assert "\n" not in written
    assert dump(parse_json(written)) == written


def test_dump_writes_plain_values_and_numbers() -> None:
    assert (
        dump({"a": 1, "b": [None, True, "x\ny"]}) == r'{"a":1,"b":[null,true,"x\ny"]}'
    )
    assert (
        dump({"n": Number("1.50"), "m": [False, None, 2, "é\0"], "o": {"p": object}})
        == '{"n":1.50,"m":[false,null,2,"é\ufffd"],"o":{"p":"' + str(object) + '"}}'
    )
    assert dump("\ud800\0") == '"\ufffd\ufffd"'


def test_duckdb_reads_what_dump_writes() -> None:
    values = [
        parse_json(r'{"a": "\ud800 \u0000 \u2028 \" \\", "b": 1e400, "c": 1.50}'),
        parse_json('["' + "x" * 1000 + '", -0, 123456789012345678901234567890]'),
    ]
    for value in values:
        text = dump(value)
        [(back,)] = duckdb.execute("select (?::json)::varchar", [text]).fetchall()
        assert back == text


def test_key_names_look_one_level_down() -> None:
    value = parse_json('{"a": 1, "b": {"c": {"d": 1}}, "e": [{"f": 1}, 2, {"g": 1}]}')
    assert key_names(value) == ["a", "b", "b.c", "e", "e.f", "e.g"]
    assert key_names([1]) == []


def test_key_names_are_bounded() -> None:
    names = key_names({str(n) + "x" * 500: None for n in range(2 * MAX_NAMES)})
    assert len(names) == MAX_NAMES
    assert max(map(len, names)) == 200


DOCUMENT = """ { "a" : [ 1.50, -2e3, true,\n null ],
 "b\\u00e9\\"\\\\": "c \\n d", "e": {}, "f": "ü \\ud83d\\ude00" } """


def test_a_beginning_is_the_beginning_of_what_is_written() -> None:
    whole = dump(parse_json(DOCUMENT))
    assert compact(DOCUMENT) == whole
    for end in range(len(DOCUMENT)):
        # What breaks off within an escape is not always told.
        if "\\" not in DOCUMENT[max(end - 12, 0) : end]:
            assert whole.startswith(compact(DOCUMENT[:end]))
    assert not whole.startswith(compact(DOCUMENT.replace("true", "false")[:40]))
