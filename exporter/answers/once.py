"""The answers of one run: reckoned for the first who asks, and kept for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.root import Root

if TYPE_CHECKING:  # a run that asks nothing loads no DuckDB
    from exporter.answers.ask import Answers


class AskedOnce:
    """Call it for the answers of a root. Raises duckdb.Error, as these do."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._answers: Answers | None = None

    def __enter__(self) -> AskedOnce:
        return self

    def __exit__(self, *_: object) -> None:
        if self._answers is not None:
            self._answers.close()

    def __call__(self) -> Answers:
        if self._answers is None:
            from exporter.answers.ask import Answers

            self._answers = Answers(self.root)
        return self._answers
