"""Secrets that stand under a name, in brackets, or over several lines."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.masking.structure import KEY, mask_json, mask_line, may_go_on
from ingest.text.json_text import Number, parse_json

MASKS = load_masks()
PEM = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "DEK-Info: AES-128-CBC,0123456789ABCDEF",
    "",
    "MIIEs3cr3t" + "A1b2" * 13,
    "s3cr3ts3cr3t" + "A1b2" * 13,
    "s3cr3t==",
    "-----END RSA PRIVATE KEY-----",
]


def test_json_is_masked_in_keys_and_strings() -> None:
    text = """{"user": "ops", "apiKey": "s3cr3t", "db": {"password": ["s3cr3t", 1, null]
        , "secret": {"s3cr3t": "s3cr3t", "b": [{}]}, "passwd": ""}, "token": 5,
        "n": 1.50, "/Users/ops": ["token=s3cr3t", false], "pwd": null, "cookies": {}}"""
    assert parse_json(MASKS.text(text)) == {
        "user": "ops",
        "apiKey": "***",
        "db": {"password": "***", "secret": "***", "passwd": ""},
        "token": "***",
        "n": Number("1.50"),
        "~": ["token=***", False],
        "pwd": None,
        "cookies": {},
    }


def test_all_but_secrets_stays_as_written() -> None:
    text = '{ "a":1.50 ,"password" : "s3cr3t",\t"b": "\\u00e9\\/", "a": [] }'
    assert MASKS.text(text) == text.replace("s3cr3t", "***")


@pytest.mark.parametrize(
    "text",
    [
        '{"query": "password=s3cr3t", "query": "x"}',
        '{"password": "s3cr3t", "password": ""}',
        '{"password": "s3cr3t", "password": null}',
        '{"a": {"token": "s3cr3t", "token": "***"}, "b": 1}',
        r'{"pass\u0077ord": "s3cr3t"}',
        r'{"q": "pass\u0077ord=s3cr3t"}',
        r'{"q": "https:\/\/ops:s3cr3t@db\/x"}',
        r'{"q": "{\"password\": [\"s3cr3t\"]}"}',
        r'{"q": "{\"pass\\u0077ord\": \"s3cr3t\"}"}',
        '{"cookies": {"sid": "s3cr3t"}}',
        '{"credentials": ["s3cr3t"]}',
    ],
)
def test_json_documents_keep_no_secret(text: str) -> None:
    masked = MASKS.text(text)
    assert "s3cr3t" not in masked
    json.loads(masked)
    assert MASKS.text(masked) == masked
    # Cut off, or with something behind it, it is no JSON any more.
    for problem in (text + "}", text[:-1], text + "\nx", "x " + text):
        assert "s3cr3t" not in MASKS.text(problem), problem


@pytest.mark.parametrize("end", range(4, 60))
def test_a_document_cut_anywhere_keeps_no_secret(end: int) -> None:
    text = '{"a": 1, "password": ["s3cr3t, x", {"b": "s3cr3t"}], "c": 2}'
    masked = MASKS.text(text[:end])
    assert "s3" not in masked
    assert masked.startswith(text[: min(end, 20)])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('sent {"password":["s3cr3t"]} twice', 'sent {"password":"***"} twice'),
        ("got {'token': {'a': 's3cr3t'}}, ok", "got {'token': '***'}, ok"),
        ("secrets = [a, s3cr3t] # x", "secrets = *** # x"),
        ('"password": ["s3cr3t', '"password": "***"'),
        ("- x: password: {s3cr3t\n- y: ok", "- x: password: ***\n- y: ok"),
        ('"password": [], "token": {}', '"password": [], "token": {}'),
        ("Unexpected token } in JSON", "Unexpected token } in JSON"),
        ("tokens [1, 2]", "tokens [1, 2]"),
        ("used tokens: {'prompt': 12}", "used tokens: {'prompt': 12}"),
        ("primary keys: [a, b c]", "primary keys: [a, b c]"),
        ("api_keys=['s3cr3t']", "api_keys=***"),
    ],
)
def test_brackets_behind_a_name_are_hidden(text: str, masked: str) -> None:
    assert MASKS.text(text) == masked
    assert MASKS.text(masked) == masked


@pytest.mark.parametrize("prefix", ["", "  ", "> ", "| "])
@pytest.mark.parametrize("end", range(5, len(PEM) + 1))
def test_a_key_of_several_lines_is_hidden(prefix: str, end: int) -> None:
    lines = [prefix + line for line in PEM[:end]]
    text = "\n".join([f"before {lines[0]}", *lines[1:], "behind it"])
    for written in (text, text.replace("\n", "\r\n")):
        masked = MASKS.text(written)
        assert "s3cr3t" not in masked
        assert "A1b2" not in masked
        assert masked.startswith("before")
        assert masked.endswith("behind it")


def test_a_hidden_line_is_no_structure_of_a_report() -> None:
    text = "- **A:** ❌ " + "\n".join(PEM[:-1]) + "\n\n### Next\n\n- **B:** ✅ ok"
    masked = MASKS.text(text)
    assert "s3cr3t" not in masked
    assert masked.endswith("\n\n### Next\n\n- **B:** ✅ ok")
    assert "***" not in masked.split("\n")


def lines_masked(lines: list[str]) -> list[str]:
    masked = []
    within = ""
    for line in lines:
        if within or may_go_on(line.encode()):
            line, within = mask_line(line, within)
        masked.append(line)
    return masked


@pytest.mark.parametrize("prefix", ["", "\t", "> "])
def test_lines_of_a_key_are_hidden_each(prefix: str) -> None:
    lines = [prefix + line for line in PEM]
    masked = lines_masked([*lines, "done", "n: 5"])
    assert "s3cr3t" not in "\n".join(masked)
    assert [masked[at] for at in (0, 1, -3, -2, -1)] == [
        *lines[:2], lines[-1], "done", "n: 5"
    ]  # fmt: skip


def test_a_key_in_records_of_a_log_is_hidden() -> None:
    lines = [json.dumps({"n": 1, "query": line}) for line in PEM if line]
    masked = lines_masked([*lines, '{"query": "x"}'])
    assert "A1b2A1b2" not in "\n".join(masked)
    assert [json.loads(line)["n"] for line in masked[:-1]] == [1] * len(lines)
    assert masked[-1] == '{"query": "x"}'


def test_a_key_without_an_end_hides_no_record() -> None:
    behind = [
        "[2025-10-28T10:00:00Z] run n=3",
        "MIIEs3cr3t",
        "2025-10-28T00:00:00Z,hash,SELECT,1.5",
        "Cache hit: 12 %",
    ]
    for line in behind:
        assert lines_masked([*PEM[:5], line])[-1] in (line, "***")
    assert lines_masked([*PEM[:5], *behind])[5:] == behind


@pytest.mark.parametrize(
    ("lines", "masked"),
    [
        (["password:", "s3cr3t", "next"], ["password:", "***", "next"]),
        (["api_key =", "  s3cr3t"], ["api_key =", "  ***"]),
        (["secret: |", "  s3cr3t"], ["secret: |", "  ***"]),
        (["password:", "", "word"], ["password:", "", "word"]),
        (["password:", "user: ops"], ["password:", "user: ops"]),
        (["password:", "- **Next:** ok"], ["password:", "- **Next:** ok"]),
        (["Passed:", "12"], ["Passed:", "12"]),
    ],
)
def test_a_value_on_the_next_line_is_hidden(
    lines: list[str], masked: list[str]
) -> None:
    assert lines_masked(lines) == masked


def test_putty_keys_are_hidden() -> None:
    lines = ["PuTTY-User-Key-File-3: x", "Private-Lines: 1", "s3cr3t", "Private-MAC: a"]
    assert lines_masked(lines) == [*lines[:2], "***", lines[3]]
    assert "s3cr3t" not in MASKS.text("\n".join(lines))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("ab€") | st.just("token"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES, st.booleans())
@settings(deadline=None)
def test_json_stays_json(value: object, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    masked = mask_json(text)
    assert json.loads(masked) == hidden(value)
    assert mask_json(masked) == masked


def hidden(value: object) -> object:
    if isinstance(value, list):
        return [hidden(item) for item in value]
    if isinstance(value, dict):
        return {
            key: "***"
            if key == "token" and item not in ("", [], {}, None) and item is not True
            and item is not False
            else hidden(item)
            for key, item in value.items()
        }  # fmt: skip
    return value


@given(st.text(alphabet='{}[]":,\\ab\n token', max_size=60))
@settings(deadline=None)
def test_what_was_meant_to_be_json_is_masked_once(text: str) -> None:
    masked = mask_json(text)
    assert mask_json(masked) == masked


@pytest.mark.parametrize(
    "piece",
    ["token:[", "token:[\n", '"token":{', '"', "'", "[", "\\", "\\u0070", "\n\n",
     "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n", "password:\n"],
)  # fmt: skip
def test_hostile_structure_takes_no_long_time(piece: str) -> None:
    for prefix in ("", '{"token": [', "token: ", "PRIVATE KEY"):
        text = prefix + piece * (200_000 // len(piece))
        MASKS.text(text)
        mask_json(text)
        mask_line(text, KEY)
