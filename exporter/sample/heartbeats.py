"""Heartbeats of a synthetic day: one each five minutes, most of them healthy."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from exporter.sample import planted
from exporter.sample.days import DAY_SECONDS, Input, chance, clock, midnight, slowness

FOLDER = "g/reports/ops_atomic"
BEATS = 288
INTERVAL = DAY_SECONDS // BEATS

MISSED = 0.004
SLEEPS = 0.03  # chance a day that the machine sleeps for a while
IN_CI = 0.002

CHECKS = {
    "redis": ("Redis", "Status", "✅ Redis responding"),
    "database": ("Database", "Status", "✅ Database file exists"),
    "api": ("API Endpoints", "API Health", "✅ Endpoint responding"),
    "optimizer": ("LaunchAgents", "com.02luka.optimizer", "✅ LaunchAgent loaded"),
    "digest": ("LaunchAgents", "com.02luka.digest", "✅ LaunchAgent loaded"),
}
SKIPPED = "❌ Skipped in CI"
NO_ENDPOINT = "⚠️ Endpoint not responding"
CI_CHECKS = (
    ("Redis", "Status", SKIPPED),
    ("Database", "Status", SKIPPED),
    ("API Endpoints", "API Health", NO_ENDPOINT),
    ("LaunchAgents", "Status", SKIPPED),
)

# How often an outage begins, per day: one of a few beats, one of hours.
SHORT_OUTAGES = {
    "redis": 0.25, "database": 0.2, "api": 0.7, "optimizer": 0.1, "digest": 0.1,
}  # fmt: skip
LONG_OUTAGES = {
    "redis": 0.02, "database": 0.02, "api": 0.06, "optimizer": 0.02, "digest": 0.02,
}  # fmt: skip

COMMAND = """\
Command failed: cd "/Users/ops/02luka" && timeout 5 node -e "
    const db = require('./knowledge/knowledge.cjs');
    db.prepare('SELECT 1 AS test').get();
    console.log('OK');
  "
"""
FAILURES = {
    "redis": (
        "❌ Redis not responding: undefined",
        """\
❌ Redis not responding: Command failed: redis-cli ping
Could not connect to Redis at 127.0.0.1:6379: Connection refused
""",
    ),
    "database": (
        f"""\
❌ Database not responding: {COMMAND}node:internal/modules/cjs/loader:1413
  throw err;
  ^

Error: Cannot find module './knowledge/knowledge.cjs'
Require stack:
- /Users/ops/02luka/[eval]
    at Module._resolveFilename (node:internal/modules/cjs/loader:1410:15)
    at defaultResolveImpl (node:internal/modules/cjs/loader:1051:19)
    at Module.require (node:internal/modules/helpers:152:16)
    at [eval]:2:16
    at runScriptInThisContext (node:internal/vm:219:10) {{
  code: 'MODULE_NOT_FOUND',
  requireStack: [
    '/Users/ops/02luka/[eval]'
  ]
}}

Node.js v24.7.0

""",
        f"""\
❌ Database not responding: {COMMAND}\
/Users/ops/02luka/node_modules/better-sqlite3/lib/methods/wrappers.js:5
\treturn this[cppdb].prepare(sql, this, false);
\t                   ^

SqliteError: database is locked
    at Database.prepare (/Users/ops/02luka/node_modules/better-sqlite3/lib/\
methods/wrappers.js:5:21)
    at [eval]:3:8
    at runScriptInThisContext (node:internal/vm:219:10) {{
  code: 'SQLITE_BUSY'
}}

Node.js v24.7.0

""",
        "❌ Database file missing: /Users/ops/02luka/knowledge/02luka.db",
    ),
    "api": (NO_ENDPOINT, NO_ENDPOINT, "⚠️ Endpoint responding slowly: 5003ms"),
    "optimizer": ("⚠️ LaunchAgent not loaded",),
    "digest": ("⚠️ LaunchAgent not loaded",),
}

WORDINGS = {
    "ok": ("✅ HEALTHY", "🟢 **ALL SYSTEMS OPERATIONAL**"),
    "warn": ("⚠️  WARNINGS", "🟡 **WARNINGS PRESENT** - Review recommended"),
    "error": (
        "❌ CRITICAL",
        "🔴 **CRITICAL ISSUES DETECTED** - Immediate attention required",
    ),
}

Checks = tuple[tuple[str, str, str], ...]


class Outage(NamedTuple):
    """A check that fails for a while, in seconds since the day's midnight."""

    check: str
    begins: int
    ends: int
    message: str


def outages_beginning(seed: int, day: date) -> list[Outage]:
    """The outages that begin on a day; each is over within twelve hours."""
    draw = chance(seed, day, "outages")
    found = []
    for check, failures in FAILURES.items():
        for per_day, shortest, longest in (
            (SHORT_OUTAGES[check], INTERVAL, 6 * INTERVAL),
            (LONG_OUTAGES[check], 7_200, 43_200),
        ):
            happens = draw.random() < per_day
            begins = int(draw.random() * DAY_SECONDS)
            lasts = int(shortest + draw.random() * (longest - shortest))
            message = failures[int(draw.random() * len(failures))]
            if happens:
                found.append(Outage(check, begins, begins + lasts, message))
    return found


def outages(seed: int, day: date) -> list[Outage]:
    """The outages of a day, those that began the day before included."""
    yesterday = outages_beginning(seed, day - timedelta(days=1))
    return [
        Outage(check, begins - DAY_SECONDS, ends - DAY_SECONDS, message)
        for check, begins, ends, message in yesterday
        if ends > DAY_SECONDS
    ] + outages_beginning(seed, day)


def planted_at(
    failures: Iterable[planted.Failure], beat: int, moment: float
) -> dict[str, str]:
    """The messages of the planted failures that a heartbeat sees, by check."""
    return {
        failure.check: FAILURES[failure.check][0] if failure.check in FAILURES else ""
        for failure in failures
        if failure.begins <= moment < failure.ends and not (failure.flaps and beat % 2)
    }


@functools.lru_cache(maxsize=1024)
def report(checks: Checks, in_ci: bool) -> tuple[str, str]:
    """The overall wording and all that follows the duration, for some checks.

    Few combinations of outages ever meet, so that nearly all are cached.
    """
    marks = {message[0] for _, _, message in checks}
    if "❌" in marks and not in_ci:
        severity = "error"
    else:
        severity = "warn" if "⚠" in marks else "ok"
    wording, summary = WORDINGS[severity]
    lines = ["", "---", "", "## Health Checks", ""]
    group = None
    for check_group, name, message in checks:
        if check_group != group:
            lines += [*([""] if group else []), f"### {check_group}", ""]
            group = check_group
        lines.append(f"- **{name}:** {message}")
    lines += [
        "", "---", "", "## Summary", "", summary, "",
        "**Next Check:** 5 minutes from now", "", "---", "",
        "*Generated by ops_atomic_monitor.cjs*", "",
    ]  # fmt: skip
    return wording, "\n".join(lines)


def heartbeat(moment: str, duration_ms: int, checks: Checks, in_ci: bool) -> str:
    """The Markdown of one heartbeat."""
    wording, rest = report(checks, in_ci)
    return (
        "# OPS-Atomic Monitor Heartbeat\n\n"
        f"**Timestamp:** {moment}\n"
        f"**Status:** {wording}\n"
        f"**Duration:** {duration_ms}ms\n{rest}"
    )


def day_heartbeats(seed: int, day: date, number: int = 0) -> Iterator[Input]:
    """The heartbeats of a day, in the order in which they were written.

    `number` counts the days of the root. On a day with planted failures nothing
    else goes wrong.
    """
    draw = chance(seed, day, "heartbeats")
    failures = list(planted.failures(number))
    troubles = [] if failures else outages(seed, day)
    slow = slowness(seed, day)
    start, date_text = midnight(day), day.isoformat()
    sleeps, asleep = draw.random() < SLEEPS, draw.random() * DAY_SECONDS
    awake = asleep + 1_800 + draw.random() * 12_600 if sleeps else asleep

    # The first beat and 287 drifts of up to a second each: still within the day.
    moment = draw.random() * 12
    for beat in range(BEATS):
        moment += (INTERVAL + draw.random()) if beat else 0
        missed, in_ci = draw.random() < MISSED, draw.random() < IN_CI
        duration = 62 * math.exp(draw.gauss(0, 0.3))
        failing = {t.check: t.message for t in troubles if t.begins <= moment < t.ends}
        if failures:
            missed = in_ci = sleeps = False
            failing = planted_at(failures, beat, moment)
        if missed or "monitor" in failing or (sleeps and asleep <= moment < awake):
            continue
        second = int(moment)
        if in_ci:
            checks: Checks = CI_CHECKS
        else:
            checks = tuple(
                (group, name, failing.get(check, healthy))
                for check, (group, name, healthy) in CHECKS.items()
            )
        duration *= slow[second // 3600] * (2 if "database" in failing else 1)
        milliseconds = int((moment - second) * 1000)
        stamp = f"{date_text}T{clock(second)}.{milliseconds:03}Z"
        text = heartbeat(stamp, round(duration), checks, in_ci)
        if (number % planted.CYCLE, beat) == (planted.SILENT_DAY, planted.SILENT_BEAT):
            text = re.sub(r"\*\*Status:\*\* .*\n", "", text)
        yield Input(
            f"{FOLDER}/heartbeat_{date_text}_{clock(second, '-')}.md",
            start + second,
            text.encode(),
        )
