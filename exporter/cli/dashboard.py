"""`ops-atomic dashboard`: make the page anew, and look at it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from exporter.cli.flags import (
    FAILURE,
    chosen_machine,
    chosen_present,
    root_option,
    root_with_reports,
)
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe, first_line
from exporter.runtime.present import VARIABLE, Present
from exporter.runtime.redact import redact
from ingest import advice

# The ages that marts hold are rounded.
NO_TIME = timedelta(seconds=1)


@click.command("dashboard")
@root_option
@click.option("--open", "is_opened", is_flag=True, help="Show it in the browser.")
@click.option(
    "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write only the page, and there.",
)  # fmt: skip
def dashboard_command(root: str | None, is_opened: bool, output: Path | None) -> None:
    """Make the dashboard from what is published.

    Each run that publishes something does so as well: g/reports/dashboard holds
    index.html, status.html for all to see, and api/*.json. Nothing else is read,
    and nothing is exported.
    """
    import duckdb

    from exporter.answers.ask import Answers
    from exporter.dashboard.write import write_dashboard

    where = root_with_reports(root, False)
    chosen_present()
    now = Present.now()
    chosen_machine(where)
    screen = Screen()
    try:
        with screen.progress("Making the dashboard"), Answers(where) as answers:
            page = write_dashboard(answers, output)
            as_of = answers.as_of
    except duckdb.Error as error:
        said = redact(first_line(error))
        screen.fail(advice.run(f"not made: {said}; to mend it", where, "export"))
        sys.exit(FAILURE)
    except OSError as error:
        screen.fail(describe(error))
        sys.exit(FAILURE)
    screen.note(f"Wrote {page}", "✓", "green")
    if now.is_set and abs(as_of - now.at) > NO_TIME:
        screen.warn(
            f"it shows {as_of:%Y-%m-%d %H:%M} UTC, for which the marts were made, and "
            f"not {now.at:%Y-%m-%d %H:%M}; to make them for that moment"
            f"{advice.RUN}{VARIABLE}={now.at.isoformat()}Z "
            f"{advice.command(where, 'export')}"
        )
    if is_opened:
        click.launch(page.resolve().as_uri())
