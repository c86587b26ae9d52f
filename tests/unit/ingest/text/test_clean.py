import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text.clean import MAX_RECORD_BYTES, clean, cut, decode, is_too_long


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        (b"\xef\xbb\xbfwith a BOM", "with a BOM"),
        (b"bad \xff byte", "bad \ufffd byte"),
        (b"a\0b", "a\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        ("✅".encode(), "✅"),
    ],
)
def test_decode(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.binary())
def test_decoded_text_can_be_stored(data: bytes) -> None:
    assert clean(decode(data)) == decode(data)


def test_clean_replaces_what_cannot_be_stored() -> None:
    assert clean("a\ud800b\0c") == "a\ufffdb\ufffdc"
    assert clean("é\0") == "é\ufffd"


def test_cut() -> None:
    assert cut("abc", 2) == "ab"
    assert cut("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * MAX_RECORD_BYTES, False),
        ("x" * (MAX_RECORD_BYTES + 1), True),
        ("é" * (MAX_RECORD_BYTES // 2), False),
        ("é" * (MAX_RECORD_BYTES // 2 + 1), True),
        ("\ud800", False),
    ],
)
def test_length_counts_bytes(text: str, expected: bool) -> None:
    assert is_too_long(text) is expected
