"""`make example` makes what continuous integration keeps of the example."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from ingest.root import PROJECT
from tests.support import clean_environment


def kept_by_ci() -> list[str]:
    """The paths of the artefacts of continuous integration."""
    workflow = (PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(workflow)["jobs"]["example"]["steps"]
    kept = [
        line
        for step in steps
        if "upload-artifact" in step.get("uses", "")
        for line in step["with"]["path"].split()
    ]
    return [path for path in kept if not path.startswith("!")]


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
    # Nothing that is to be kept is missing.
    for path in kept_by_ci():
        place = made / path.removeprefix("build/example/")
        assert place.is_file() or any(place.iterdir()), path
    assert (made / "root/g/reports/dashboard/status.html").is_file()
    assert (made / "root/g/analytics/ops_atomic.duckdb").is_file()

    again = subprocess.run(command, env=environment, check=False, capture_output=True)
    assert again.returncode == 2
