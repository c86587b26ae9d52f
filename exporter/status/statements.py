"""The SQL by which the present is reckoned: that of the models themselves.

To render it takes longer than to run it, so the set-up keeps it until one of the files
that it is made from changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from exporter.runtime.kept_values import Kept
from ingest.root import PROJECT

MODELS = "models/marts/reliability"
# `live` makes of unpublished heartbeats what the models read.
TEXTS = {
    "live": "exporter/status/live.sql",
    "check_states": f"{MODELS}/check_states.sql",
    "int_check_timeline": f"{MODELS}/int_check_timeline.sql",
    "incidents": f"{MODELS}/incidents.sql",
    "slo_status": f"{MODELS}/slo_status.sql",
    "dataset_freshness": "models/marts/operations/dataset_freshness.sql",
}
# What these need of the macros: to compile all takes twice as long.
MACROS = (
    "text", "checks", "marts/moment", "marts/times", "marts/statistics", "marts/days",
    "marts/counted_time", "marts/states",
)  # fmt: skip
SETTINGS = "dbt_project.yml"
CODE = (
    "exporter/status/statements.py", "exporter/contracts/rendering.py",
    "exporter/contracts/yml.py",
)  # fmt: skip


class Statements(NamedTuple):
    """The SQL of each of TEXTS, and for how many days a check counts unseen."""

    sql: Mapping[str, str]
    lifetime_days: int


def _render() -> Statements:
    # Here, because to import it takes a tenth of what all of `status` may.
    from exporter.contracts.rendering import Renderer

    renderer = Renderer(files=MACROS)
    sql = {
        name: renderer.sql((PROJECT / path).read_text("utf-8"))
        for name, path in TEXTS.items()
    }
    return Statements(sql, renderer.variables["check_ttl_days"])


def files(project: Path = PROJECT) -> Iterator[Path]:
    """All that they are made of."""
    for name in (SETTINGS, *CODE, *TEXTS.values()):
        yield project / name
    for name in MACROS:
        yield project / "macros" / f"{name}.sql"


STATEMENTS = Kept("status_sql.pickle", files, _render)
