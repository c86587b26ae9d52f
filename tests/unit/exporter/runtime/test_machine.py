"""The machine's name stays what it was first, unless the operator names it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from exporter.runtime.machine import (
    VARIABLE,
    BadMachine,
    machine_name,
    record_machine,
)
from ingest.root import Root


def call_host(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)


def test_the_host_is_called_by_the_name_it_had_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Root(tmp_path)
    call_host(monkeypatch, "mac-mini.local")
    assert record_machine(root) == "mac-mini"
    call_host(monkeypatch, "dhcp-17.example.org")
    assert machine_name(root) == record_machine(root) == "mac-mini"


def test_a_name_that_was_set_once_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Root(tmp_path)
    record_machine(root)
    monkeypatch.setenv(VARIABLE, " Mac_1.office-2 ")
    assert record_machine(root) == "Mac_1.office-2"
    monkeypatch.setenv(VARIABLE, "")
    assert machine_name(root) == record_machine(root) == "Mac_1.office-2"


def test_asking_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "here")
    assert machine_name(Root(tmp_path)) == "here"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "büro", "a/b", "..", ".", "a\nb", "'a'"])
def test_what_is_no_name_is_said_with_a_remedy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(BadMachine, match="letters, digits"):
        machine_name(Root(tmp_path))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Büro Mac.local", "B-ro-Mac"),
        ("", "localhost"),
        (".", "localhost"),
        ("-", "localhost"),
        ("ops_1", "ops_1"),
    ],
)
def test_any_host_has_a_name(
    host: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_host(monkeypatch, host)
    assert machine_name(Root(tmp_path)) == name


@pytest.mark.parametrize("recorded", [b"", b"a b", b"\xff\xfe", b"..\n", b"a\nb\n"])
def test_a_record_that_holds_no_name_is_made_anew(
    recorded: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Root(tmp_path)
    call_host(monkeypatch, "host")
    root.state.mkdir(parents=True)
    place = root.state / "machine"
    place.write_bytes(recorded)
    assert machine_name(root) == record_machine(root) == "host"
    assert place.read_bytes() == b"host\n"
