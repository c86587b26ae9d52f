"""The peers' parser reads what the sample holds."""

from __future__ import annotations

from bench.peers.heartbeats import parse

TEXT = """\
# OPS-Atomic Monitor Heartbeat

**Timestamp:** 2025-01-02T15:01:40.690Z
**Status:** ⚠️  WARNINGS
**Duration:** 69ms

---

### API Endpoints

- **A:** ✅ Endpoint responding
- **B:** ❌ Command failed

at [eval]:2:16

---
"""


def test_a_report_is_taken_apart() -> None:
    row, checks = parse("heartbeat.md", TEXT)
    assert row["timestamp"] == "2025-01-02 15:01:40.690"
    assert (row["status"], row["duration_ms"]) == ("warn", 69)
    assert (row["api_status"], row["redis_status"]) == ("error", None)
    assert [check["message"] for check in checks] == [
        "Endpoint responding",
        "Command failed\n\nat [eval]:2:16",
    ]
