"""No secret, no login of a URL and no home folder stands in what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.redaction import MOST_CHARS, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://ops:s3cr3t@host/a failed", "GET http://***@host/a failed"),
        ("redis://:s3cr3t@host:6379", "redis://***@host:6379"),
        ("http://ops:p@s3cr3t@host", "http://***@host"),
        ("http://s3cr3t@host", "http://***@host"),
        ("http://host/a?key=s3cr3t&b=1 x", "http://host/a?*** x"),
        ("password = 's3cr3t phrase', x", "password = ***, x"),
        ('{"token": "s3cr3t"}', '{"token": ***}'),
        ("DB_PASSWORD=s3cr3t gone", "DB_PASSWORD=*** gone"),
        ("Authorization: Bearer s3cr3t", "Authorization: Bearer ***"),
        ("open '/Users/ops/02luka/a.db'", "open '~/02luka/a.db'"),
        ("cd /home/ops: denied", "cd ~: denied"),
        ("the word hunter22 is known", "the word *** is known"),
        ("one\n### two\r\n\tthree\x00", "one ### two three"),
        ("Redis responding", "Redis responding"),
        ("http://127.0.0.1:4000/health", "http://127.0.0.1:4000/health"),
        ("lone \ud800 half", "lone ? half"),
    ],
)
def test_a_text_is_one_line_without_secrets(text: str, shown: str) -> None:
    assert redact(text, ["hunter22", ""]) == shown


def test_the_home_folder_is_a_tilde_wherever_it_lies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/srv/ops")
    assert redact("/srv/ops/a, /srv/opsis") == "~/a, /srv/opsis"
    monkeypatch.setenv("HOME", "/")
    assert redact("/a/b") == "/a/b"


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    assert len(redact("x" * 10_000)) == MOST_CHARS
