"""The pages that a run leaves: only one that published something makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from exporter.runtime.errors import first_line

if TYPE_CHECKING:
    from exporter.answers.ask import Answers


def leave_dashboard(has_published: bool, asked: Callable[[], Answers]) -> None:
    """Make the pages anew of what `asked` gives; what was there stays where that
    fails.

    Raises OSError.
    """
    if not has_published:
        return
    import duckdb

    from exporter.dashboard.write import write_dashboard

    try:
        write_dashboard(asked())
    except duckdb.Error as error:
        said = f"the dashboard is not made anew: {first_line(error)}"
        raise OSError(said) from error
