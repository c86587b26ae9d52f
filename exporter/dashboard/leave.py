"""The pages that a run leaves: only one that published something makes them."""

from __future__ import annotations

from exporter.runtime.errors import first_line
from ingest.root import Root


def leave_dashboard(root: Root, has_published: bool) -> None:
    """Make the pages anew; what was there stays where that fails.

    Raises OSError.
    """
    if not has_published:
        return
    import duckdb

    from exporter.dashboard.write import write_dashboard

    try:
        write_dashboard(root)
    except duckdb.Error as error:
        said = f"the dashboard is not made anew: {first_line(error)}"
        raise OSError(said) from error
