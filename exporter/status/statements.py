"""The SQL by which the present is reckoned: that of the models themselves.

To render it takes longer than to run it, so the set-up keeps it until one of the files
that it is made from changes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from exporter.runtime.environment import KEPT
from exporter.runtime.kept import fingerprint, keep, read_kept
from ingest.root import PROJECT

KEPT_AS = "status_sql.json"
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


def load_statements(kept: Path = KEPT) -> Statements:
    """What is kept, or what the files say. Raises OSError."""
    data = read_kept(kept / KEPT_AS, _key(PROJECT))
    if data is not None:
        with contextlib.suppress(ValueError, TypeError):  # it is rendered again
            return Statements(*json.loads(data))
    return _render()


def keep_statements(kept: Path = KEPT) -> None:
    """Render and keep them. Raises OSError."""
    key = _key(PROJECT)
    data = json.dumps(_render()).encode()
    if _key(PROJECT) == key:  # nobody has changed them meanwhile
        keep(kept / KEPT_AS, key, data)


def _render() -> Statements:
    # Here, because to import it takes a tenth of what all of `status` may.
    from exporter.contracts.rendering import Renderer

    renderer = Renderer(files=MACROS)
    sql = {
        name: renderer.sql((PROJECT / path).read_text("utf-8"))
        for name, path in TEXTS.items()
    }
    return Statements(sql, renderer.variables["check_ttl_days"])


def _key(project: Path) -> bytes:
    return fingerprint(_files(project))


def _files(project: Path) -> Iterator[Path]:
    for name in (SETTINGS, *CODE, *TEXTS.values()):
        yield project / name
    for name in MACROS:
        yield project / "macros" / f"{name}.sql"
