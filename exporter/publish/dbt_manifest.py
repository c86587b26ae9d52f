"""What dbt has parsed of the project, kept from run to run.

dbt keeps a parse of its own, to find out what of it is to be parsed again; to read
that back and hold it against every file takes longer than all else it does before
the first model. Here the manifest is kept as it lies in memory, for just the files
that it was made from: when one of them changes, dbt parses again, once. Ephemeral
models are kept compiled: dbt leaves those alone, whose SQL is the same in each run.
So are the templates that models and macros are to Jinja.

Where it lies, and why, says exporter/runtime/kept.py.
"""

from __future__ import annotations

import contextlib
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.publish.dbt_command import invoke
from exporter.publish.dbt_generated import (
    TEMPLATES,
    forget_asked,
    pack_templates,
    versions,
)
from exporter.publish.dbt_import import import_dbt
from exporter.runtime.environment import KEPT
from exporter.runtime.kept import files_below, keep, read_kept
from exporter.runtime.kept import fingerprint as fingerprint_of
from ingest import files
from ingest.root import PROJECT

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

MANIFEST = "manifest.pickle"
# dbt's own, from which it begins when a file has changed.
PARSE = "partial_parse.msgpack"

# All that dbt reads of the project, and whose classes a manifest consists of.
FOLDERS = ("models", "macros", "seeds", "tests/dbt")
SETTINGS = ("dbt_project.yml", "profiles.yml", "selectors.yml")
# How it is parsed, and what is kept of it.
CODE = (
    "exporter/publish/dbt_command.py", "exporter/publish/dbt_ctes.py",
    "exporter/publish/dbt_generated.py", "exporter/publish/dbt_import.py",
    "exporter/publish/dbt_manifest.py", "exporter/runtime/generated.py",
    "exporter/runtime/kept.py",
)  # fmt: skip


def load_manifest(folder: Path, kept: Path = KEPT) -> Manifest | None:
    """The manifest of the project as it is now; None where dbt cannot parse it, which
    dbt itself tells best. What dbt writes while it parses goes into `folder`."""
    found = _read(kept / MANIFEST, fingerprint())
    return parse_anew(folder, kept) if found is None else found


def parse_anew(folder: Path, kept: Path = KEPT) -> Manifest | None:
    """The same, parsed whether it is kept or not, and kept."""
    key = fingerprint()
    found = _parse(folder, kept / PARSE)
    # A parse asks for a thousand that no run does, such as each unit test's rows.
    forget_asked()
    # What hangs on more than the files is parsed each time.
    if (
        found is not None
        and not found.env_vars
        and fingerprint() == key
        and _compile_ephemeral(found, folder)
    ):
        _keep(found, key, folder, kept)
    return found


def fingerprint(project: Path = PROJECT) -> bytes:
    """Stands for all that a parse is made from: a manifest says where that lies."""
    return fingerprint_of(_files(project), versions().values())


def _files(project: Path) -> Iterator[Path]:
    yield from (
        path for name in (*SETTINGS, *CODE) if (path := project / name).exists()
    )
    yield from files_below(project, FOLDERS)


def _read(path: Path, key: bytes) -> Manifest | None:
    pickled = read_kept(path, key)
    if pickled is None:
        return None
    import_dbt()
    from dbt.contracts.graph.manifest import Manifest

    templates, parts = pickle.loads(pickled)
    TEMPLATES.unpack(templates)
    return Manifest(**parts)


def _parse(folder: Path, parse: Path) -> Manifest | None:
    import_dbt()
    from dbt.contracts.graph.manifest import Manifest

    if parse.exists():  # one that is cut short dbt makes anew
        shutil.copyfile(parse, folder / PARSE)
    parsed = invoke("parse", folder).result
    if not isinstance(parsed, Manifest):
        return None
    # By these dbt finds what has changed, and a run does not build those.
    parsed.files, parsed.unit_tests, parsed.exposures = {}, {}, {}
    return parsed


def _compile_ephemeral(manifest: Manifest, folder: Path) -> bool:
    """Whether all could be compiled; what cannot a build tells better."""
    ephemeral = (
        *("--select", "config.materialized:ephemeral"),
        *("--indirect-selection", "empty", "--no-empty", "--no-populate-cache"),
    )
    done = invoke("compile", folder, ephemeral, manifest)
    from dbt.contracts.graph.nodes import ModelNode

    for node in manifest.nodes.values():
        if isinstance(node, ModelNode):
            node.compiled_path = None  # it lies below a root, and is no one else's
    return done.success


def _keep(manifest: Manifest, key: bytes, folder: Path, kept: Path) -> None:
    """Leave the manifest and dbt's own parse for later runs, where that may be."""
    # By name: a manifest that is pickled as a whole comes back with its parts in
    # other places. The private ones are made again as they are needed.
    parts = {
        part.name: getattr(manifest, part.name)
        for part in fields(manifest)
        if not part.name.startswith("_")
    }
    kept_parts = pack_templates(manifest), parts
    pickled = pickle.dumps(kept_parts, protocol=pickle.HIGHEST_PROTOCOL)
    if keep(kept / MANIFEST, key, pickled):
        with contextlib.suppress(OSError):
            files.write_exactly(kept / PARSE, (folder / PARSE).read_bytes(), 0o644)
