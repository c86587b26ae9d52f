"""What a run asks of dbt, and what dbt did: two small files beside the run.

Through files and one environment variable, because a changed `--vars` would
make dbt parse the whole project again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from exporter.staleness import Selection
from ingest import files

VARIABLE = "OPS_ATOMIC_REQUEST"


@dataclass(frozen=True)
class Request:
    """A selection of days and datasets; `folder` is None under plain dbt."""

    selection: Selection
    folder: Path | None = None

    @classmethod
    def from_environment(cls) -> Request:
        """The request of the run that started dbt; everything, if none did."""
        folder = os.environ.get(VARIABLE)
        if not folder:
            return cls(Selection())
        asked = json.loads((Path(folder) / "request.json").read_text("utf-8"))
        return cls(
            Selection(
                since=date.fromisoformat(asked["since"]) if asked["since"] else None,
                until=date.fromisoformat(asked["until"]) if asked["until"] else None,
                datasets=tuple(asked["datasets"]),
                force=asked["force"],
            ),
            Path(folder),
        )

    def write(self) -> None:
        """Leave the request for dbt to find."""
        assert self.folder is not None
        asked = self.selection
        text = json.dumps(
            {
                "since": asked.since.isoformat() if asked.since else None,
                "until": asked.until.isoformat() if asked.until else None,
                "datasets": asked.datasets,
                "force": asked.force,
            }
        )
        with files.blamed_on(self.folder):
            (self.folder / "request.json").write_text(text, encoding="utf-8")
        os.environ[VARIABLE] = str(self.folder)

    def record(self, **done: Any) -> None:
        """Note one thing done, for the run that asked."""
        if self.folder is not None:
            path = self.folder / "done.ndjson"
            with files.blamed_on(path), path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(done, default=str) + "\n")

    def records(self) -> Iterator[dict[str, Any]]:
        """What dbt noted, in order."""
        path = self.folder / "done.ndjson" if self.folder else None
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)
