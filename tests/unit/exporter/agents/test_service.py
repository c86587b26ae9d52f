"""Which program manages the jobs of this system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exporter.agents import service
from exporter.agents.jobs import LABELS
from exporter.agents.launchd import Launchd
from exporter.agents.systemd import Systemd

LABEL = LABELS[1]


def test_the_system_is_chosen_by_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    mac = service.this_system()
    assert isinstance(mac, Launchd)
    assert mac.paths(LABEL) == (tmp_path / f"Library/LaunchAgents/{LABEL}.plist",)
    monkeypatch.setattr(sys, "platform", "linux")
    linux = service.this_system()
    assert isinstance(linux, Systemd)
    assert linux.folder == tmp_path / ".config" / "systemd" / "user"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/xdg-of-user")
    assert service.this_system().paths(LABEL)[0].parent == Path(
        "/etc/xdg-of-user/systemd/user"
    )
