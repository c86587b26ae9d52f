"""The report for people: one screen of 80 columns, the worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import click

from exporter.reporting.budgets import burn_rate
from exporter.reporting.screen import COMMAND
from exporter.reporting.thresholds import GB
from exporter.reporting.words import percent, time_span
from ingest import advice

WIDTH = 80
LABEL = 12
# More than these of a kind are counted.
MOST = 8
# What is further ahead is no news.
FAR = timedelta(days=5 * 365)
MARKS = {
    "up": ("●", "green"),
    "degraded": ("▲", "yellow"),
    "down": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "maintenance": ("⊘", "cyan"),
    "stale": ("✗", "red"),
    "never seen": ("…", "yellow"),
}
HEADLINES = {
    "up": "All is well",
    "degraded": "Up, with warnings",
    "down": "Down",
    "unknown": "Nothing is known of now",
    "maintenance": "In maintenance",
    "stale": "Data is too old",
    "never seen": "No readable heartbeat yet",
}
# From here on it is not said how much was seen.
WELL_SEEN = 0.995
# textwrap leaves it as it is.
NARROW = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE} "
PERIODS = (("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"))


def lines(said: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a report, as `report` gives it."""
    now = _time(said["as_of"])
    yield _headline(said, now)
    yield ""
    beat = said["last_heartbeat"]
    if beat:
        yield from _row("Heartbeat", _ago(now - _time(beat["at"])))
    else:
        yield from _row("Heartbeat", "none readable yet")
    yield from _checks(said["checks"], now)
    if said["checks"]:
        yield from _incidents(said["incidents"], now)
    yield from _uptime(said["uptime"])
    yield from _target(said["slo"])
    yield from _sources(said["sources"])
    yield from _runs(said["runs"], now)
    yield from _forecast(said["forecast"], now.date())
    if said["notes"]:
        yield ""
    for note in said["notes"]:
        yield from _note(note)


def _headline(said: Mapping[str, Any], now: datetime) -> str:
    mark, color = MARKS[said["status"]]
    text = HEADLINES[said["status"]]
    if said["status"] in ("up", "degraded") and (but := [*_not_well(said)]):
        mark, color = MARKS["degraded"]
        text = f"{'Up' if said['status'] == 'up' else text}, {', '.join(but)}"
    text = f"{said['machine']}: {text}"
    # The whole is down because one of its checks is.
    down = [key for key in said["down"] if key != "overall"] or said["down"]
    if down:
        text += f": {', '.join(down[:3])}"
        more = len(down) - 3
        text += f" and {more:,} more" if more > 0 else ""
    at = f"{now:%Y-%m-%d %H:%M} UTC"
    room = WIDTH - 2 - len(at) - 1
    text = _cut(text, room)
    gap = " " * max(WIDTH - 2 - len(text) - len(at), 1)
    bold = click.style(text, bold=True)
    return f"{click.style(mark, fg=color)} {bold}{gap}{click.style(at, dim=True)}"


def _not_well(said: Mapping[str, Any]) -> Iterator[str]:
    """What else is to be known of a machine that is up."""
    single = _single(said["checks"])
    if unknown := sum(check["state"] == "unknown" for check in single):
        yield f"{unknown:,} of {len(single):,} unknown"
    if _missed(said["slo"]):
        yield "target missed"


def _single(checks: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The checks one by one; the whole only where there is nothing else."""
    return [check for check in checks if check["check_key"] != "overall"] or checks


def _missed(slo: list[Mapping[str, Any]]) -> list[str]:
    """The checks that miss their target: of the whole only that of 30 days."""
    return sorted(
        {
            row["check_key"]
            for row in slo
            if row["is_breached"]
            and row["period"] in ("7d", "30d")
            and (row["check_key"], row["period"]) != ("overall", "7d")
        }
    )


def _row(label: str, text: str, color: str | None = None) -> Iterator[str]:
    """A label and what stands beside it, broken between words."""
    parts = textwrap.wrap(
        text, WIDTH - 2 - LABEL, break_long_words=True, break_on_hyphens=False
    )
    for number, part in enumerate(parts or [""]):
        shown = click.style(f"{'' if number else label:<{LABEL}}", dim=True)
        yield f"  {shown}{click.style(part, fg=color) if color else part}"


def _checks(checks: list[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    single = _single(checks)
    if not single:
        return
    counts: dict[str, int] = {}
    for check in single:
        counts[check["state"]] = counts.get(check["state"], 0) + 1
    order = [state for state in MARKS if state in counts]
    told = ", ".join(f"{counts[state]:,} {state}" for state in order)
    yield from _row("Checks", told)
    wrong = [check for check in single if check["state"] == "down"]
    wrong += [check for check in single if check["state"] == "degraded"]
    yield from _few(wrong, lambda check: _check(check, now))
    unknown = [check["check_key"] for check in single if check["state"] == "unknown"]
    if unknown:
        more = f" and {len(unknown) - MOST:,} more" if len(unknown) > MOST else ""
        yield from _row("", f"unknown: {', '.join(unknown[:MOST])}{more}")


def _check(check: Mapping[str, Any], now: datetime) -> str:
    mark, color = MARKS[check["state"]]
    text = f"{check['check_key']} {check['state']} {_since(check['since'], now)}"
    if check["message"]:
        text += f": {check['message']}"
    return _item(mark, color, text)


def _item(mark: str, color: str, text: str) -> str:
    cut = _cut(text, WIDTH - 4 - LABEL)
    return f"  {'':{LABEL}}{click.style(mark, fg=color)} {cut}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _few(
    rows: list[Mapping[str, Any]], shown: Callable[[Mapping[str, Any]], str]
) -> Iterator[str]:
    yield from map(shown, rows[:MOST])
    if len(rows) > MOST:
        yield f"  {'':{LABEL}}  and {len(rows) - MOST:,} more"


def _incidents(incidents: list[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    if not incidents:
        yield from _row("Incidents", "none open")
        return
    yield from _row("Incidents", f"{len(incidents):,} open")

    def shown(row: Mapping[str, Any]) -> str:
        text = f"{row['check_key']} {_since(row['started_at'], now)}"
        return _item("✗", "red", f"{text}: {row['cause']}" if row["cause"] else text)

    yield from _few(incidents, shown)


def _uptime(uptime: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not uptime:
        return
    told = []
    barely = []
    for period, shown in PERIODS:
        if row := uptime.get(period):
            told.append(f"{shown} {percent(row['uptime_observed'])}")
            seen = row["coverage"]
            if seen is not None and seen < WELL_SEEN:
                barely.append(f"{percent(seen, 0)} of {shown}")
    yield from _row("Uptime", NARROW.join(told))
    if barely:
        yield from _row("", f"of what was seen: {', '.join(barely)}")


def _target(slo: list[Mapping[str, Any]]) -> Iterator[str]:
    told = [row for row in slo if row["check_key"] == "overall"]
    told = [row for row in told if row["period"] == "30d" and row["target"] is not None]
    for row in told:
        left, budget = row["budget_left_s"] or 0, row["error_budget_s"] or 0
        text = f"{percent(row['target'])} over 30 d: "
        if row["uptime_observed"] is None:
            text += "nothing was observed"
        elif not budget and not left:
            text += "kept, nothing was down"
        elif left >= 0:
            text += f"{time_span(left)} of {time_span(budget)} of downtime left"
        else:
            text += f"missed, {time_span(-left)} too much downtime"
        if (rate := burn_rate(row, "6h")) and rate > 1:
            text += f", used {rate:.1f} times too fast"
        yield from _row("Target", text, "red" if row["is_breached"] else None)
    if others := [key for key in _missed(slo) if key != "overall"]:
        label = "" if told else "Target"
        yield from _row(label, f"missed by {', '.join(others)}", "red")


def _sources(sources: list[Mapping[str, Any]]) -> Iterator[str]:
    seen = [row for row in sources if row["status"] != "never seen"]
    if not seen:
        return
    stale = [row for row in sources if row["is_stale"]]
    if not stale:
        yield from _row("Sources", f"{len(seen):,} fresh")
        return
    yield from _row("Sources", f"{len(stale):,} of {len(seen):,} too old")

    def shown(row: Mapping[str, Any]) -> str:
        age = time_span(row["age_s"])
        text = (
            f"{row['source']}: {age} old, allowed are {time_span(row['allowed_age_s'])}"
        )
        return _item("✗", "red", text)

    yield from _few(stale, shown)


def _runs(runs: Mapping[str, Any], now: datetime) -> Iterator[str]:
    last = runs["last"]
    if last is None:
        yield from _row("Runs", "none yet")
        return
    text = f"last {last['status']}, {_ago(now - _time(last['started_at']))}"
    share = runs["7d"]
    if share["runs"]:
        text += f"; {percent(share['success_rate'])} of {share['runs']:,} well in 7 d"
    yield from _row("Runs", text, None if last["status"] == "ok" else "red")
    if last["first_error"]:
        yield _item("✗", "red", last["first_error"])


def _forecast(forecast: Mapping[str, Any] | None, today: date) -> Iterator[str]:
    if forecast:
        day = date.fromisoformat(forecast["on"])
        if day - today <= FAR:
            text = f"storage reaches {forecast['limit'] / GB:g} GB around {day}"
            near = day - today <= timedelta(days=30)
            yield from _row("Forecast", text, "yellow" if near else None)


def _note(note: str) -> Iterator[str]:
    said, run, command = note.rpartition(advice.RUN)
    parts = textwrap.wrap(said if run else note, WIDTH - 7, break_on_hyphens=False)
    yield f"  {click.style('note', dim=True)} {parts[0]}" if parts else ""
    yield from (f"       {part}" for part in parts[1:])
    if run:
        yield f"       {COMMAND}{command}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _since(text: str | None, now: datetime) -> str:
    if text is None:
        return ""
    at = _time(text)
    shown = f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
    return f"since {shown} ({time_span((now - at).total_seconds())})"


def _ago(age: timedelta) -> str:
    seconds = age.total_seconds()
    return "just now" if seconds < 60 else f"{time_span(seconds)} ago"
