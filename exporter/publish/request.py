"""What a run asks of dbt, and what dbt did: two small files beside the run.

Through files and one environment variable, because a changed `--vars` would
make dbt parse the whole project again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from exporter.publish.ledger import PublishedFile
from exporter.publish.plan import Target
from ingest import files
from ingest.store.landing import LandedPart

VARIABLE = "OPS_ATOMIC_REQUEST"

# A whole published file: dataset, day, path relative to the root.
PublishedDay = tuple[str, date, str, PublishedFile]


@dataclass(frozen=True)
class Request:
    """The days to publish, what is landed and what is published of them.

    `published` are files of all datasets: a test may look from a new file at
    another dataset's of the day.
    """

    folder: Path
    stale: list[Target] = field(default_factory=list)
    landed: list[LandedPart] = field(default_factory=list)
    published: list[PublishedDay] = field(default_factory=list)

    @classmethod
    def from_environment(cls) -> Request | None:
        """The request of the run that started dbt; None under plain dbt."""
        folder = os.environ.get(VARIABLE)
        if not folder:
            return None
        asked = json.loads((Path(folder) / "request.json").read_text("utf-8"))
        return cls(
            Path(folder),
            [
                Target(
                    **target
                    | {
                        "day": date.fromisoformat(target["day"]),
                        "kept": tuple(target["kept"]),
                    }
                )
                for target in asked["stale"]
            ],
            [(source, day, part) for source, day, part in asked["landed"]],
            [
                (dataset, date.fromisoformat(day), path, PublishedFile(**file))
                for dataset, day, path, file in asked["published"]
            ],
        )

    def write(self) -> None:
        """Leave the request for dbt to find."""
        asked = {
            "stale": [asdict(target) for target in self.stale],
            "landed": self.landed,
            "published": [(*of, asdict(file)) for *of, file in self.published],
        }
        with files.blamed_on(self.folder):
            (self.folder / "request.json").write_text(
                json.dumps(asked, default=str), encoding="utf-8"
            )
        os.environ[VARIABLE] = str(self.folder)

    def forget(self) -> None:
        """Let go of what was asked for: it may be long."""
        self.stale.clear()
        self.landed.clear()
        self.published.clear()

    def record(self, **done: Any) -> None:
        """Note one thing done, for the run that asked."""
        path = self.folder / "done.ndjson"
        with files.blamed_on(path), path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(done, default=str) + "\n")

    def records(self) -> Iterator[dict[str, Any]]:
        """What dbt noted, in order."""
        path = self.folder / "done.ndjson"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)
