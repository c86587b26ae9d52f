"""Code that changes while dbt is at work is noticed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from exporter.publish.code_changes import changed_since, code_stats


def test_what_was_written_after_a_start_has_changed(tmp_path: Path) -> None:
    model = tmp_path / "models" / "marts" / "a.sql"
    model.parent.mkdir(parents=True)
    model.write_text("select 1")
    (tmp_path / "models" / "note.txt").write_text("shapes nothing")
    now_s = time.time()
    os.utime(model, (now_s - 10, now_s - 10))
    before = code_stats(tmp_path)
    assert list(before) == [str(model)]
    assert changed_since(before, now_s - 20)
    assert not changed_since(before, now_s - 5)

    os.utime(model, (now_s + 1000, now_s + 1000))
    after = code_stats(tmp_path)
    assert after != before
    assert not changed_since(after, now_s - 20), "the clock was set"
