"""The documentation's graph shows models, not their unit tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ingest.root import PROJECT


def test_unit_tests_stay_out_of_the_graph_and_all_else_in_it(tmp_path: Path) -> None:
    test, model, other = "unit_test.p.m.t", "model.p.m", "test.p.m"
    manifest = {
        "metadata": {"project_name": "p"},
        "nodes": {model: {"name": "m"}, other: {"name": "t"}},
        "unit_tests": {test: {"name": "t"}},
        "parent_map": {model: [], test: [model], other: [model]},
        "child_map": {model: [test, other], test: [], other: []},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    command = [sys.executable, str(PROJECT / "scripts/trim_docs.py"), str(path)]
    subprocess.run(command, check=True)
    assert json.loads(path.read_text(encoding="utf-8")) == manifest | {
        "unit_tests": {},
        "parent_map": {model: [], other: [model]},
        "child_map": {model: [other], other: []},
    }


def test_make_docs_trims_what_it_serves() -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipe = text.partition("\ndocs: ")[2].partition("\n\n")[0]
    steps = ["docs generate", "trim_docs.py target/manifest.json", "docs serve"]
    assert sorted(steps, key=recipe.index) == steps
