"""Pages put together: one file, its policy, its data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime
from typing import Any

import pytest

from exporter.dashboard.documents import MOST
from exporter.dashboard.page import in_html, packed, render, script
from exporter.dashboard.public import public_data

HOSTILE = "</script><script>alert(1)</script><!--<b>&amp;\u2028\u202e\ud800"


def test_the_policy_names_each_script_and_style() -> None:
    page = render("index", {}, ["let a = 1;", script("dom.js")])
    policy = re.search(r'Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        allowed = re.search(rf"{directive} ([^;]*)", policy[1])
        assert allowed is not None
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(t.encode()).digest()) for t in inside]
        assert allowed[1].split() == [f"'sha256-{mark.decode()}'" for mark in hashes]
        assert len(hashes) == 2
    assert "unsafe" not in policy[1]


@pytest.mark.parametrize("name", ["index", "status"])
def test_nothing_is_asked_for_from_anywhere(name: str) -> None:
    page = render(name, {}, [])
    assert not re.search(r'(?:src|href|action)="(?!#|data:,)', page)
    assert not re.search(r"\bon\w+=", page)


def test_data_is_nothing_but_data() -> None:
    text = in_html({"a": HOSTILE, "b": "<!--scripts-->"})
    assert not re.search("[<>&\u2028\u202e\ud800]", text)
    assert json.loads(text)["a"] == HOSTILE.replace("\ud800", "?")
    assert render("index", {"a": HOSTILE}, ["1"]).count("</script>") == 2


def test_rows_name_their_columns_once() -> None:
    document = {"version": 1, "rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}], "no": []}
    assert packed(document) == {
        "version": 1,
        "rows": {"columns": ["a", "b"], "rows": [[1, 2], [3, 4]]},
        "no": [],
    }


def documents() -> dict[str, dict[str, Any]]:
    secret = "SECRET"
    keys = ("redis", "disk/secret")
    check = {"state": "down", "since": "2025-10-28T11:30:00Z", "message": secret}
    times = {"started_at": "2025-10-28T00:00:00Z", "ended_at": None, "duration_s": 9}
    seconds = dict.fromkeys(("up_s", "degraded_s", "down_s", "unknown_s"), 0)
    lasted = {"grain": "day", **times, **seconds, "maintenance_s": 0}
    return {
        "status": {
            "as_of": "2025-10-28T12:00:00Z",
            "machine": secret,
            "status": {"stale_after_s": 3600, "cause": secret},
            "maintenance": [
                {"check_key": key, "reason": secret, **times} for key in (*keys, "*")
            ],
        },
        "checks": {"checks": [{"check_key": key, **check} for key in keys]},
        "uptime": {"uptime": [{"check_key": key, **lasted} for key in keys]},
    }


def incident(key: str, day: int = 28) -> dict[str, Any]:
    begun = {"started_at": datetime(2025, 10, day), "ended_at": None, "is_open": True}
    return {"check_key": key, "cause": "SECRET", "duration_s": 9.0, **begun}


INCIDENTS = [incident("redis"), incident("disk/secret")]


def test_the_public_page_tells_no_more_than_states_and_times() -> None:
    data = public_data(documents(), INCIDENTS, {})
    text = json.dumps(data)
    assert "SECRET" not in text
    assert "disk" not in text
    assert [row["name"] for row in data["checks"]] == ["Redis"]
    assert [row["name"] for row in data["incidents"]] == ["Redis"]
    assert data["incidents"][0]["started_at"] == "2025-10-28T00:00:00Z"
    assert [row["name"] for row in data["maintenance"]] == ["Redis", None]
    assert data["state"] == "down"


def test_incidents_that_are_not_for_all_crowd_out_no_others() -> None:
    others = [incident("disk/secret")] * (MOST + 1)
    data = public_data(documents(), [*others, incident("redis", 1)], {})
    assert [row["name"] for row in data["incidents"]] == ["Redis"]


def test_a_check_with_a_public_name_is_shown_under_it() -> None:
    data = public_data(
        documents(), INCIDENTS, {"disk/secret": "Storage", "redis": "Cache"}
    )
    assert [row["name"] for row in data["checks"]] == ["Cache", "Storage"]
    assert "disk" not in json.dumps(data)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (["up", "unknown"], "up"),
        (["unknown", "unknown"], "unknown"),
        (["up", "maintenance"], "maintenance"),
        (["degraded", "down"], "down"),
        ([], None),
    ],
)
def test_one_state_stands_for_all(states: list[str], whole: str | None) -> None:
    found = documents()
    keys = ("redis", "api")
    found["checks"]["checks"] = [
        {"check_key": key, "state": state, "since": None}
        for key, state in zip(keys, states, strict=False)
    ]
    assert public_data(found, [], {})["state"] == whole
