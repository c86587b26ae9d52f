"""`ops-atomic sample` writes a synthetic root."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import click

from exporter.cli.flags import Day
from exporter.reporting.screen import Screen, kilobytes
from exporter.runtime.output import say
from exporter.runtime.present import VARIABLE as AS_OF
from exporter.sample import write_sample
from ingest import advice
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.text.numbers import count


@click.command("sample")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--days", type=click.IntRange(1), required=True, help="How many days.")
@click.option("--seed", default=1, help="Same seed, same bytes. Default 1.")
@click.option("--start", type=Day(), default="2025-01-01", help="The first day.")
def sample_command(directory: Path, days: int, seed: int, start: date) -> None:
    """Write a synthetic root of any size into DIR.

    From the second week on it has troubles to look for: in sixty days a check
    that is down for hours, one that flaps, a day of warnings, a silent monitor, a
    query that gets slower, an index that is advised and helps, rejects, a new
    column, growth.
    """
    try:
        with Screen().progress("Writing days", days) as step:
            wrote = write_sample(directory, days, seed, start, step)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    say(
        f"Wrote {count(wrote.days, 'day')} into {directory}: {wrote.heartbeats:,} "
        f"heartbeats, {wrote.query_rows:,} query rows, {wrote.files:,} files "
        f"({kilobytes(wrote.size_bytes)})"
    )
    end = datetime.combine(start + timedelta(days=days), time())
    if end < utc_now():
        seen = advice.command(Root(directory.resolve()), "export")
        say(f"To see it as it was then: {AS_OF}={end.isoformat()}Z {seen}")
