"""The screen: calm, whole at 80 columns, and the worst first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from exporter.status.screen import lines

NOW = "2025-10-28T12:00:00Z"


def check(key: str, state: str, message: str | None = None) -> dict[str, Any]:
    since = "2025-10-27T10:30:00Z"
    return {"check_key": key, "state": state, "since": since, "message": message}


def said(**more: Any) -> dict[str, Any]:
    return {
        "status": "up",
        "machine": "m",
        "as_of": NOW,
        "last_heartbeat": {"at": "2025-10-28T11:59:40Z"},
        "down": [],
        "checks": [check("overall", "up"), check("redis", "up")],
        "incidents": [],
        "uptime": {},
        "slo": [],
        "sources": [],
        "runs": {"last": None, "7d": {"runs": 0}},
        "forecast": None,
        "notes": [],
        **more,
    }


def plain(report: dict[str, Any]) -> list[str]:
    return [re.sub(r"\x1b\[\d*m", "", line) for line in lines(report)]


def test_what_is_well_takes_a_few_lines() -> None:
    assert plain(said()) == [
        f"● m: All is well{'2025-10-28 12:00 UTC':>64}",
        "",
        "  Heartbeat   just now",
        "  Checks      1 up",
        "  Incidents   none open",
        "  Runs        none yet",
    ]


def test_what_is_unknown_or_missed_is_no_all_well() -> None:
    checks = [check("overall", "up"), check("redis", "up"), check("api", "unknown")]
    shown = plain(said(checks=checks))
    assert shown[0].startswith("▲ m: Up, 1 of 2 unknown ")
    assert shown[3:5] == ["  Checks      1 up, 1 unknown", "              unknown: api"]
    missed = {
        "check_key": "redis", "period": "7d", "target": 0.99, "is_breached": True,
    }  # fmt: skip
    assert plain(said(slo=[missed]))[0].startswith("▲ m: Up, target missed ")
    shown = plain(said(status="degraded", checks=checks, slo=[missed]))
    first = "▲ m: Up, with warnings, 1 of 2 unknown, target missed "
    assert shown[0].startswith(first)
    week = {**missed, "check_key": "overall"}
    assert plain(said(slo=[week]))[0].startswith("● m: All is well "), "30 d count"


@pytest.mark.parametrize("message", ["word " * 60, "x" * 300, "ä" * 90, None])
def test_long_words_break_no_line(message: str | None) -> None:
    checks = [check(f"group_{n}/{'n' * 50}", "down", message) for n in range(12)]
    incident = {"check_key": "k" * 90, "started_at": NOW, "cause": message}
    report = said(
        status="down",
        machine="a-machine-with-a-very-long-name.of-a-large-office.example",
        down=[row["check_key"] for row in checks],
        checks=checks,
        incidents=[incident] * 12,
        runs={
            "last": {
                "status": "failed",
                "started_at": NOW,
                "first_error": message,
            },
            "7d": {"runs": 1_000, "success_rate": 0.99999},
        },
        notes=[f"{message}: run ops-atomic export"],
    )
    shown = plain(report)
    commands = [line for line in shown if "→" in line]
    assert max(len(line) for line in shown if line not in commands) <= 80
    assert commands == ["       → ops-atomic export"]
    assert sum("and 4 more" in line for line in shown) == 2
    assert any("99.99% of 1,000 well in 7 d" in line for line in shown)


def test_what_is_missed_or_old_is_told_with_how_much() -> None:
    target = {
        "check_key": "overall", "period": "30d", "target": 0.99, "is_breached": True,
        "budget_left_s": -3600.0, "error_budget_s": 7200.0, "burn_rate_6h": 3.25,
        "observed_6h_s": 21600.0, "uptime_observed": 0.985,
    }  # fmt: skip
    source = {
        "source": "query_rows", "is_stale": True, "status": "stale",
        "age_s": 200_000.0, "allowed_age_s": 172_800.0,
    }  # fmt: skip
    uptime = {
        "24h": {"uptime_observed": 0.999999, "coverage": 0.5},
        "7d": {"uptime_observed": None, "coverage": 0.0},
        "30d": {"uptime_observed": 1.0, "coverage": 1.0},
    }
    shown = plain(
        said(
            slo=[target, {**target, "check_key": "redis"}],
            sources=[source, {**source, "is_stale": False, "status": "fresh"}],
            uptime=uptime,
            forecast={"metric": "stored_bytes", "limit": 5e9, "on": "2025-11-20"},
        )
    )
    text = "\n".join(shown).replace("\N{NO-BREAK SPACE}", " ")
    assert "24 h 99.99%   7 d –   30 d 100.00%\n" in text
    assert "of what was seen: 50% of 24 h, 0% of 7 d\n" in text
    assert "99.00% over 30 d: missed, 1 h too much downtime, used 3.2 times" in text
    assert "missed by redis" in text
    assert "1 of 2 too old" in text
    assert "✗ query_rows: 2 d 7 h old, allowed are 2 d" in text
    assert "storage reaches 5 GB around 2025-11-20" in text
    far = said(forecast={"metric": "stored_bytes", "limit": 5e9, "on": "2099-01-01"})
    assert not any("Forecast" in line for line in plain(far))


@pytest.mark.parametrize(
    ("target", "budget", "left", "uptime", "shown"),
    [
        (0.99, 7200.0, 3600.0, 0.995, "99.00% over 30 d: 1 h of 2 h of downtime left"),
        (0.99, 0.0, 0.0, None, "99.00% over 30 d: nothing was observed"),
        (1.0, 0.0, 0.0, 1.0, "100.00% over 30 d: kept, nothing was down"),
        (1.0, 0.0, -60.0, 0.9, "100.00% over 30 d: missed, 1 min too much downtime"),
    ],
)
def test_a_target_says_what_is_left_of_what_was_observed(
    target: float, budget: float, left: float, uptime: float | None, shown: str
) -> None:
    row = {
        "check_key": "overall", "period": "30d", "target": target,
        "error_budget_s": budget, "budget_left_s": left, "uptime_observed": uptime,
        "is_breached": left < 0, "burn_rate_6h": None, "observed_6h_s": 0.0,
    }  # fmt: skip
    assert f"  Target      {shown}" in plain(said(slo=[row]))
