"""dbt's classes read and write themselves as they would by themselves."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from exporter.publish.dbt_import import MASHUMARO
from exporter.publish.dbt_manifest import PARSE
from exporter.runtime.environment import KEPT
from tests.support import clean_environment

# Every class of a manifest is read, and written in both ways.
TELL = f"""
import hashlib, json
from pathlib import Path
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode
print(ModelNode.from_dict.__name__, ModelNode.to_dict.__name__)
manifest = Manifest.from_msgpack(Path({str(KEPT / PARSE)!r}).read_bytes())
model = next(node for node in manifest.nodes.values() if type(node) is ModelNode)
assert ModelNode.from_dict(model.to_dict()) == model
parts = "nodes", "sources", "macros", "exposures", "unit_tests", "docs", "files"
written = {{
    part: {{name: each.to_dict() for name, each in getattr(manifest, part).items()}}
    for part in parts
}}
assert all(written.values()), written.keys()
text = json.dumps(written, sort_keys=True, default=str)
print(len(text) > 100_000, hashlib.sha256(text.encode()).hexdigest())
print(hashlib.sha256(manifest.to_msgpack()).hexdigest())
"""


def told(first: str, home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", first + TELL],
        env=clean_environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines: list[str] = done.stdout.splitlines()
    return lines


@pytest.mark.skipif(not (KEPT / PARSE).exists(), reason="nothing was parsed yet")
def test_what_is_put_off_reads_and_writes_the_same(tmp_path: Path) -> None:
    put_off = "from exporter.publish.dbt_import import import_dbt; import_dbt()"
    ours = told(put_off, tmp_path)
    assert ours[0] == "read write"
    its_own = told("import dbt.cli.main", tmp_path)
    assert its_own[0] != ours[0]
    assert ours[1].startswith("True ")
    assert ours[1:] == its_own[1:]


def test_it_is_put_off_with_the_version_that_is_locked() -> None:
    assert version("mashumaro") == MASHUMARO
