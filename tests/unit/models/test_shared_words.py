"""Words by which SQL knows again what ingest has said of a record."""

from __future__ import annotations

from ingest.root import PROJECT
from ingest.store.merge import TWIN


def test_the_model_knows_a_twin_by_the_words_of_ingest() -> None:
    model = PROJECT / "models" / "intermediate" / "int_heartbeats.sql"
    assert f"reject_reason = '{TWIN}'" in model.read_text(encoding="utf-8")
