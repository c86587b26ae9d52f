"""The digest of a morning: the last day and week, and what to do today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from exporter.notify import delivery, outbox
from exporter.notify.outbox import Notice
from exporter.reporting.history import runs_since
from exporter.reporting.markdown import one_line, plain
from exporter.reporting.period import Period, day_before, week_before
from exporter.reporting.report_text import of_now, of_period
from exporter.reporting.screen import kilobytes
from exporter.runtime.errors import first_line
from exporter.runtime.present import present
from exporter.runtime.redact import redact
from ingest import advice, files
from ingest.inputs import utc_now
from ingest.root import Root

if TYPE_CHECKING:
    from exporter.answers.ask import Answers

MARTS = "g/analytics/marts"
MOST_TOLD, LONGEST = 5, 120
Section = tuple[str, list[str]]


def digest_path(root: Root, now: datetime) -> Path:
    return root.reports / f"ops_digest_{now:%Y%m%d}.md"


def write_digest(root: Root) -> tuple[Path, list[str]]:
    """Write the digest of today (UTC) and send it, once a day.

    Returns its path, and a line per service that did not take the message, which
    then waits. Raises OSError where it cannot be made or kept.
    """
    now = present()
    if not any((root.path / MARTS).rglob("*.parquet")):
        # Nothing known is not nothing wrong: that must not be told.
        raise OSError(f"{MARTS} holds no marts: there is nothing to tell of yet")
    path = digest_path(root, now)
    is_first = not path.exists()
    sections = _sections(root, now)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, root.staging, _markdown(sections, now))
    if not (is_first and delivery.is_configured()):
        return path, []
    outbox.put(root, _notice(root, sections, now))
    return path, delivery.deliver(root)


def _sections(root: Root, now: datetime) -> list[Section]:
    from exporter.answers.ask import Answers

    day, week = day_before(now), week_before(now)
    runs = runs_since(root, week.before.start)
    try:
        with Answers(root) as answers:
            told = of_now(answers)
            return [
                ("What to do today", list(_to_do(root, answers))),
                ("Now", [_bare(line) for line in told[1:]]),
                (f"Yesterday ({day.name})", _of(answers, day, runs)),
                (f"Last week ({week.name})", _of(answers, week, runs)),
                ("Advice worth it", list(_advice(answers))),
                ("Rejects of 7 days", list(_rejects(answers))),
                ("Growth", list(_growth(answers))),
            ]
    except duckdb.Error as error:
        raise OSError(f"the digest is not made: {first_line(error)}") from error


def _of(answers: Answers, period: Period, runs: list[dict[str, object]]) -> list[str]:
    """A period's part of its report: what is wrong now stands above all."""
    lines = of_period(answers, period, runs)
    return [_bare(line) for line in lines[lines.index("") + 1 :]]


def _bare(line: str) -> str:
    return line.removeprefix("- ")


def _to_do(root: Root, answers: Answers) -> Iterator[str]:
    for row in answers.rows("checks"):
        if row["state"] == "down" and row["check_key"] != "overall":
            said = one_line(row["message"] or "")[:LONGEST]
            yield f"Mend {row['check_key']}, down since {_time(row['since'])}: {said}"
    for row in answers.rows("slo"):
        if row["is_breached"] and row["period"] == "30d":
            yield f"{row['check_key']} is below its target: look at its incidents"
    stale = [
        row["source"]
        for row in answers.rows("freshness")
        if row["is_stale"] and row["last_record_at"]
    ]
    if stale:
        yield f"Find out why nothing has come of {', '.join(stale)}"
    slower = [row for row in answers.rows("regressions") if _is_slower(row)]
    for row in slower[:MOST_TOLD]:
        query = one_line(row["query_key"])[:LONGEST]
        yield f"Look at {row['kind']} {query}: {row['ratio']:.1f} times slower"
    if any(row["is_open"] for row in answers.rows("advice")):
        yield "Decide on the advised indexes below"
    if any(row["period"] == "24h" for row in answers.rows("rejects")):
        yield f"Look at yesterday's rejects: run {advice.command(root, 'rejects')}"


def _is_slower(row: dict[str, Any]) -> bool:
    return row["verdict"] == "regressed" and row["ratio"] is not None


def _advice(answers: Answers) -> Iterator[str]:
    """Advice that is open, and of what was followed the part that was worth it."""
    for row in answers.rows("advice"):
        name = f"{row['recommended_index'] or 'an index'} on {row['table_name']}"
        if row["is_open"]:
            p95_ms = row["p95_before_ms"]
            cost = "" if p95_ms is None else f", p95 {p95_ms:,.0f} ms without it"
            yield f"Open since {row['first_seen']:%Y-%m-%d}: {name}{cost}"
        elif row["effect_ratio"] is not None and row["effect_ratio"] < 1:
            yield (
                f"Worth it: {name}, p95 {row['p95_before_ms']:,.0f} ms → "
                f"{row['p95_after_ms']:,.0f} ms"
            )


def _rejects(answers: Answers) -> Iterator[str]:
    for row in answers.rows("rejects"):
        if row["period"] == "7d":
            yield f"{row['dataset']}: {row['records']:,} × {row['reason']}"


def _growth(answers: Answers) -> Iterator[str]:
    days = [row for row in answers.rows("storage") if row["grain"] == "day"]
    if not days:
        return
    last = days[-1]
    before = days[-8] if days[7:] else days[0]
    grown = last["stored_bytes"] - before["stored_bytes"]
    yield (
        f"Published Parquet takes {kilobytes(last['stored_bytes'])}, "
        f"{kilobytes(grown)} more than on {before['day']}"
    )


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _shown(section: Section) -> list[str]:
    title, lines = section
    more = len(lines) - MOST_TOLD
    # What happened in a period is short already.
    if more > 0 and title.startswith(("Advice", "Rejects")):
        lines = [*lines[:MOST_TOLD], f"and {more:,} more"]
    return lines or ["Nothing"]


def _markdown(sections: list[Section], now: datetime) -> str:
    lines = [f"# Ops digest {now:%Y-%m-%d}", ""]
    for section in sections:
        lines += [f"## {section[0]}", ""]
        lines += [f"- {plain(redact(line))}" for line in _shown(section)]
        lines.append("")
    return "\n".join(lines)


def _notice(root: Root, sections: list[Section], now: datetime) -> Notice:
    lines: list[str] = []
    for section in sections:
        lines += [f"{section[0]}:", *(f"- {line}" for line in _shown(section)), ""]
    return Notice(
        at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        level="success",
        title=outbox.title(root, f"digest of {now:%Y-%m-%d}"),
        text=redact("\n".join(lines).strip()),
    )
