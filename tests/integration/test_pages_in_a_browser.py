"""The pages as they say what is: in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from exporter.status.screen import HEADLINES
from tests.browsing import (
    PAGES,
    SIZES,
    SOON,
    Visit,
    draw_all,
    folder_of,
    serious,
)
from tests.pages import AS_OF, CHECKS, fill, verdict
from tests.published import publish

HOSTILE = (
    "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
    "\"'`${window.hit = 3}\u202e\u2066{{7*7}}<!-- \x00\x1b[31m" + "long\u0301 " * 2000
)
OLD = HEADLINES["stale"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    fill(root, days=12, said=HOSTILE)
    return folder_of(root)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("fresh"))


def state(key: str, state: str) -> dict[str, Any]:
    """A check's span up to the present moment."""
    start = AS_OF.replace(hour=0)
    times = {"started_at": start, "ended_at": AS_OF, "last_heartbeat_at": AS_OF}
    day = {"date_partition": AS_OF.date()}
    return {"machine": "lab", "check_key": key, "state": state, **times, **day}


FRESH = {
    "machine": "lab", "source": "heartbeats", "dataset": "ops_atomic",
    "last_record_at": AS_OF, "age_s": 0.0, "allowed_age_s": 3600.0,
    "is_stale": False, "status": "fresh",
}  # fmt: skip


def headline(page: Page) -> str:
    """What stands at the top, without its sign."""
    return page.locator("h2").first.inner_text()[1:].strip()


def test_what_is_wrong_stands_at_the_top(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)
    top = page.locator("#now").inner_text()
    assert "Down: Redis" in top
    assert "Since 28 Oct 2025, 11:30 UTC, for 30 min" in top
    assert "connection refused" in top
    assert page.title() == "✕ Down: Redis · " + page.locator("#machine").inner_text()
    box = page.locator("#verdict").bounding_box()
    assert box is not None
    assert box["y"] < 200


def test_what_is_shown_is_what_the_api_says(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)

    def api(name: str) -> Any:
        return json.loads((filled / "api" / f"{name}.json").read_text("utf-8"))

    def percent(share: float, digits: int = 2) -> str:
        return "100\u00a0%" if share == 1 else f"{share * 100:.{digits}f}\u00a0%"

    days = [row for row in api("uptime")["uptime"] if row["grain"] == "day"]
    for row in page.locator("#checks .check").all():
        key = {"Disk / root": "disk/root"}.get(
            name := row.locator("h3").inner_text(),
            f"launchagent_{name.split()[0].lower()}"
            if "agent" in name
            else name.lower(),
        )
        own = [day for day in days if day["check_key"] == key]
        seen = {
            state: sum(day[f"{state}_s"] for day in own)
            for state in ("up", "degraded", "down")
        }
        share = (seen["up"] + seen["degraded"]) / sum(seen.values())
        assert percent(share) in row.locator(".share").inner_text(), key
    slo = [row for row in api("slo")["slo"] if row["period"] == "90d"]
    shown = page.locator("#targets tbody tr")
    assert shown.count() == len(slo)
    for line, row in zip(shown.all(), slo, strict=True):
        assert percent(row["uptime_observed"], 3) in line.inner_text()
    (forecast, *_) = api("forecast")["forecast"]
    assert f"{forecast['horizon_days']} days" in page.locator("#storage").inner_text()
    of_all = api("incidents")["periods"][-1]
    said = page.locator(".tiles").inner_text()
    assert f"{of_all['incidents']} ever" in said
    assert "1.6\u00a0MB" in said  # 100 days of two files of 8,000 bytes


def test_all_charts_are_drawn_under_the_policy(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)
    draw_all(page)
    assert page.locator(".chart svg").count() == 6
    for chart in page.locator(".chart").all():
        assert chart.locator("path, rect").count() > 5
        assert chart.get_attribute("aria-label")


def test_no_code_is_made_of_texts(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)
    page.evaluate("setTimeout('window.ran = 1', 0)")
    page.wait_for_timeout(50)
    assert page.evaluate("window.ran") is None
    assert any("unsafe-eval" in said for said in visit.complaints)
    page.evaluate("new Image().src = 'https://example.invalid/x'")
    page.wait_for_timeout(50)
    assert any("img-src" in said for said in visit.complaints)
    visit.complaints.clear()
    visit.requests.clear()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_hostile_texts_are_texts(
    visit: Visit, hostile: Path, name: str, size: tuple[int, int]
) -> None:
    page = visit.open(hostile, name, size=size)
    if name == "index":
        draw_all(page)
        for folded in page.locator("summary").all():
            folded.click()
        assert "<script>window.hit = 1</script>" in page.locator("#now").inner_text()
    else:
        assert "window.hit" not in page.content()
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == (3 if name == "index" else 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # What is written from right to left turns nothing around but itself.
    for box in page.locator("bdi").all()[:50]:
        assert box.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"


@pytest.mark.parametrize(
    ("range_", "bars"), [("24h", 24), ("7d", 28), ("30d", 30), ("90d", 90), ("all", 15)]
)
def test_each_range_has_its_bars(
    visit: Visit, filled: Path, range_: str, bars: int
) -> None:
    page = visit.open(filled, range_=range_)
    strips = page.locator("#checks .strip[role=listbox]")
    assert strips.count() == len(CHECKS)
    assert abs(strips.first.locator("li").count() - bars) <= 1
    draw_all(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_fresh_root_has_a_page(visit: Visit, fresh: Path, name: str) -> None:
    page = visit.open(fresh, name, at=datetime.now(UTC))
    assert "Nothing has been published yet" in page.locator("main").inner_text()
    assert page.locator("#stale").count() == 0
    assert serious(page) == []


def test_a_range_without_data_says_so(
    visit: Visit, tmp_path: Path, filled: Path
) -> None:
    root = tmp_path
    fill(root, days=3)
    for folder in ("query_perf_daily", "workload_daily", "data_quality_daily"):
        files = sorted((root / "g" / "analytics" / "marts" / folder).iterdir())
        for file in files[1:]:
            file.unlink()
    page = visit.open(folder_of(root), range_="24h")
    assert "No query in the last 24 hours" in page.locator("#queries").inner_text()
    assert "Nothing in the last 24 hours" in page.locator("#queries").inner_text()
    assert "No incident" not in page.locator("#incidents").inner_text()


def test_from_or_to_no_time_at_all_is_told_without_a_ratio(
    visit: Visit, tmp_path: Path
) -> None:
    fill(tmp_path, days=3)
    from_none = verdict("regressed", "a", 5.0) | {"p95_before_ms": 0.0, "ratio": None}
    to_none = verdict("improved", "b", 0.0)
    publish(tmp_path, "query_regressions", [from_none, to_none])
    told = visit.open(folder_of(tmp_path)).locator("#queries").inner_text()
    assert "▲ slower" in told
    assert "▼ faster" in told
    assert "Infinity" not in told


@pytest.mark.parametrize(
    ("whole", "redis", "api", "words"),
    [
        ("up", "up", "up", HEADLINES["up"]),
        ("up", "up", "unknown", "Up, 1 of 2 unknown"),
        ("up", "degraded", "up", HEADLINES["degraded"]),
        ("degraded", "degraded", "unknown", "Up, with warnings, 1 of 2 unknown"),
        ("unknown", "unknown", "unknown", HEADLINES["unknown"]),
        ("maintenance", "maintenance", "maintenance", HEADLINES["maintenance"]),
        ("down", "down", "up", "Down: Redis"),
    ],
)
def test_one_state_is_told_in_the_words_of_status(
    visit: Visit, tmp_path: Path, whole: str, redis: str, api: str, words: str
) -> None:
    checks = {"overall": whole, "redis": redis, "api": api}
    publish(tmp_path, "check_states", [state(*check) for check in checks.items()])
    publish(tmp_path, "dataset_freshness", [FRESH])
    folder = folder_of(tmp_path)
    for name in PAGES:
        told = headline(visit.open(folder, name))
        assert told.removesuffix(": Redis") == words.removesuffix(": Redis")


def test_a_check_is_down_as_long_as_its_incident_is_open(
    visit: Visit, tmp_path: Path
) -> None:
    checks = {"overall": "unknown", "redis": "unknown", "api": "unknown"}
    publish(tmp_path, "check_states", [state(*check) for check in checks.items()])
    publish(tmp_path, "dataset_freshness", [FRESH])
    since = AS_OF - timedelta(hours=7)
    of_all = {"machine": "lab", "started_at": since, "is_open": True}
    of_all |= {"duration_s": 25200.0, "cause": "refused"}
    keys = ("overall", "redis", "monitor")
    publish(tmp_path, "incidents", [of_all | {"check_key": key} for key in keys])
    folder = folder_of(tmp_path)
    for name in PAGES:
        assert headline(visit.open(folder, name)) == "Down: Redis"


@pytest.mark.parametrize("silent", ["monitor", "source"])
def test_data_that_is_too_old_is_told_as_such(
    visit: Visit, tmp_path: Path, silent: str
) -> None:
    checks = {"overall": "up", "redis": "up"}
    publish(tmp_path, "check_states", [state(*check) for check in checks.items()])
    is_stale = silent == "source"
    publish(tmp_path, "dataset_freshness", [FRESH | {"is_stale": is_stale}])
    gap = {"machine": "lab", "check_key": "monitor", "started_at": AS_OF}
    gaps = [gap | {"is_open": True, "duration_s": 0.0}]
    publish(tmp_path, "incidents", [] if is_stale else gaps)
    assert headline(visit.open(folder_of(tmp_path))) == OLD


def test_what_was_stored_long_ago_is_stored(visit: Visit, tmp_path: Path) -> None:
    fill(tmp_path, days=3)
    folder = tmp_path / "g" / "analytics" / "marts" / "storage_daily"
    shutil.rmtree(folder)
    old = {"machine": "lab", "dataset": "ops_atomic", "parquet_bytes": 8_000}
    day = {"date_partition": (AS_OF - timedelta(days=200)).date()}
    publish(tmp_path, "storage_daily", [old | day])
    tiles = visit.open(folder_of(tmp_path)).locator(".tiles").inner_text()
    assert re.search(r"Stored\s+8\.0\sKB", tiles), tiles


@pytest.mark.parametrize("name", PAGES)
def test_an_old_page_says_so_by_the_clock_of_who_opens_it(
    visit: Visit, filled: Path, name: str
) -> None:
    page = visit.open(filled, name)
    assert page.locator("#stale").count() == 0
    # Its runs come each hour: three of them are missing.
    late = visit.open(filled, name, at=SOON + timedelta(hours=4))
    assert (
        "Stale: these figures are 4 h 5 min old"
        in late.get_by_role("alert").inner_text()
    )
    told = late.locator("h2").first.inner_text()
    assert told.endswith("Last known: Down: Redis" if name == "index" else OLD)
    assert serious(late) == []


def test_a_page_grows_old_while_it_is_open(visit: Visit, filled: Path) -> None:
    page = visit.open(filled)
    page.clock.install(time=SOON)
    page.reload()
    assert page.locator("#stale").count() == 0
    page.clock.fast_forward("05:00:00")
    page.locator("#stale").wait_for()
    assert "5 h 5 min ago" in page.locator("#as-of").inner_text()


def test_late_heartbeats_are_counted_and_not_listed(
    visit: Visit, tmp_path: Path
) -> None:
    fill(tmp_path, days=3)
    over = {"machine": "lab", "is_open": False, "cause": None}
    rows = [
        over | {"check_key": key, "duration_s": seconds}
        | {"started_at": AS_OF - timedelta(hours=hour), "ended_at": AS_OF}
        for key, seconds, hour in (
            *(("monitor", 1.5, hour / 60) for hour in range(1, 1 + 600)),
            ("monitor", 90.0, 14),
            ("redis", 30.0, 13),
        )
    ]  # fmt: skip
    publish(tmp_path, "incidents", rows)
    page = visit.open(folder_of(tmp_path), range_="24h")
    section = page.locator("#incidents")
    assert section.locator("tbody tr").count() == 2
    told = section.inner_text()
    assert "2 in the last 24 hours" in told
    # More than the page is given.
    assert "And 600 gaps of under a minute between heartbeats." in told
    assert "2 ever" in page.locator(".tiles").inner_text()
