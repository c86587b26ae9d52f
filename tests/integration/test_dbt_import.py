"""dbt is the same, however much of it is kept or put off."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from exporter.publish.dbt_import import DBT, DBT_COMMON, MASHUMARO
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


# What is kept of each kind, held against what is made of it anew; and how much it is.
COMPARE = """
import tempfile
from importlib import import_module
from pathlib import Path
from exporter.publish.dbt_generated import SCHEMAS, TEMPLATES
from exporter.publish.dbt_manifest import load_manifest
from exporter.runtime.generated import DATACLASSES, GENERATED
with tempfile.TemporaryDirectory() as folder:
    assert load_manifest(Path(folder))
from dbt_common.clients import jinja
from jinja2 import Environment
from mashumaro.jsonschema import build_json_schema
environments = {
    type(each).__name__: each
    for each in (jinja.get_environment(), jinja.get_environment(native=True))
}
assert len(environments) == 2
found = dict.fromkeys([DATACLASSES, SCHEMAS, *environments], 0)
for (by, text), made in [*GENERATED.known.items(), *TEMPLATES.known.items()]:
    if by == DATACLASSES:
        anew = compile(text, "<string>", "exec", dont_inherit=True)
    elif by == SCHEMAS:
        module, _, name = text.rpartition(".")
        anew = build_json_schema(getattr(import_module(module), name)).to_dict()
    else:
        anew = Environment.compile(environments[by], text)
    assert made == anew, text
    found[by] += 1
print(*found.values())
"""

# What a run makes anew of the project's own templates, and of all else.
COUNT = """
import sys
from exporter.__main__ import main
from exporter.publish import dbt_run
from exporter.publish.dbt_generated import TEMPLATES
loads = dbt_run.load_manifest
known, texts = set(), set()

def load(folder):
    manifest = loads(folder)
    known.update(TEMPLATES.known)
    texts.update(each.raw_code for each in manifest.nodes.values())
    ours = (m for m in manifest.macros.values() if m.package_name != "dbt")
    texts.update(each.macro_sql for each in ours if each.package_name != "dbt_duckdb")
    return manifest

dbt_run.load_manifest = load
try:
    main(["export", "--root", sys.argv[1]])
except SystemExit as ended:
    assert not ended.code
new = TEMPLATES.asked - known
assert len(TEMPLATES.asked) > 100, len(TEMPLATES.asked)
assert not [text for _, text in new if text in texts]
assert len(new) < 20, new
print("counted")
"""


def python(code: str, home: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=clean_environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines: list[str] = done.stdout.splitlines()
    return lines


@pytest.mark.skipif(not (KEPT / PARSE).exists(), reason="nothing was parsed yet")
def test_what_is_put_off_reads_and_writes_the_same(tmp_path: Path) -> None:
    put_off = "from exporter.publish.dbt_import import import_dbt; import_dbt()"
    ours = python(put_off + TELL, tmp_path)
    assert ours[0] == "read write"
    its_own = python("import dbt.cli.main" + TELL, tmp_path)
    assert its_own[0] != ours[0]
    assert ours[1].startswith("True ")
    assert ours[1:] == its_own[1:]


def test_it_is_put_off_with_the_version_that_is_locked() -> None:
    assert version("mashumaro") == MASHUMARO
    assert version("dbt-core") == DBT
    assert version("dbt-common") == DBT_COMMON


@pytest.mark.skipif(not (KEPT / PARSE).exists(), reason="nothing was parsed yet")
def test_what_is_kept_is_what_would_be_made_anew(tmp_path: Path) -> None:
    (counts,) = python(COMPARE, tmp_path)
    dataclasses, schemas, *templates = map(int, counts.split())
    assert dataclasses > 300  # from Python 3.13 on, one for each class
    assert schemas > 4
    assert templates[0] > 100


@pytest.mark.skipif(not (KEPT / PARSE).exists(), reason="nothing was parsed yet")
def test_a_run_compiles_no_template_of_the_project(
    samples_root: Path, tmp_path: Path
) -> None:
    assert "counted" in python(COUNT, tmp_path, str(samples_root))
