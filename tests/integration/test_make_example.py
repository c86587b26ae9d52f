"""`make example` makes what continuous integration keeps of the example."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ingest.root import PROJECT
from tests.support import clean_environment


def test_the_example_is_made_whole_with_the_documentation(tmp_path: Path) -> None:
    made = tmp_path / "made here"
    command = [PROJECT / "scripts/make_example.sh", made]
    environment = clean_environment(tmp_path)
    subprocess.run(command, env=environment, check=True, capture_output=True)

    page = (made / "dbt_docs.html").read_text(encoding="utf-8")
    # Nothing is left to be asked for: manifest and catalogue stand in the page.
    assert "INLINE DATA" not in page
    assert '"model.ops_atomic_reports.ops_atomic"' in page
    assert '"execution_time_ms": {"type": "DOUBLE"' in page
    assert list((made / "root/g/analytics").glob("ops_atomic_*.parquet"))

    again = subprocess.run(command, env=environment, check=False, capture_output=True)
    assert again.returncode == 2
