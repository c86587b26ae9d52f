from __future__ import annotations

import pytest

from exporter.runtime.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/me/02luka/g: denied", "~/02luka/g: denied"),
        ("in /srv/me", "in ~"),
        ("/srv/metoo/x", "/srv/metoo/x"),
        ("/srv/me-too/x", "/srv/me-too/x"),
        ("/backup/srv/me/x", "/backup/srv/me/x"),
        ("'/srv/me/x'", "'~/x'"),
    ],
)
def test_the_home_folder_is_not_named(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/srv/me")
    assert redact(text) == shown


def test_secrets_are_masked() -> None:
    assert "hunter2" not in redact("cannot open https://me:hunter2@example.com/x")


def test_a_home_at_the_top_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert redact("/var/log") == "/var/log"
