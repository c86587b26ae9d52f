"""What the ledger says of a part's records."""

from __future__ import annotations

from ingest.store.contents import heartbeats_content


def test_rejected_heartbeats_have_no_checks_that_count() -> None:
    groups = [{"check_group": "Redis", "checks": [{"check_name": "n", "text": "✅"}]}]
    beat = {"filename": "a.md", "raw": "x", "problem": None, "check_groups": groups}
    reject = {**beat, "raw": "y", "problem": "no time"}
    counts = heartbeats_content([beat, reject], "p").counts
    assert counts == {"ops_atomic": 2, "heartbeat_checks": 1}
