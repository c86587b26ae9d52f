"""What dbt has parsed is kept, for the files that it was made from and no others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from exporter.contracts.kept import TABLES
from exporter.contracts.settings import SEEDS
from exporter.publish import dbt_manifest, dbt_run
from exporter.publish.dbt_generated import PLACE, TEMPLATES, pack_templates, versions
from exporter.publish.dbt_import import import_dbt
from exporter.publish.dbt_manifest import (
    MANIFEST,
    PARSE,
    fingerprint,
    load_manifest,
)
from exporter.runtime.environment import KEPT
from exporter.runtime.generated import COMMAND, Generated
from exporter.runtime.kept import read_kept
from exporter.status.statements import STATEMENTS
from ingest.root import PROJECT
from tests.support import copy_project

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one parse, begun from that of the set-up, has been kept."""
    place = tmp_path_factory.mktemp("kept")
    (place / PARSE).write_bytes((KEPT / PARSE).read_bytes())
    assert load_manifest(tmp_path_factory.mktemp("target"), place)
    return place


def begun(kept: Path, place: Path) -> Path:
    """Another place to keep a manifest, with a parse to begin from."""
    place.mkdir()
    (place / PARSE).write_bytes((kept / PARSE).read_bytes())
    return place


def refuse_to_parse(*_: Any) -> None:
    raise AssertionError("parsed again")


def test_what_the_set_up_does_last_spares_runs_the_parse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A checkout may have changed since its set-up. In a process of its own, for in
    # this one most has been made before.
    subprocess.run([sys.executable, "-m", "exporter.set_up"], check=True)
    packages = versions().values()
    assert Generated().read(COMMAND)
    assert Generated().read(PLACE, packages)
    monkeypatch.setattr(dbt_manifest, "_parse", refuse_to_parse)
    assert load_manifest(tmp_path)
    for each in (TABLES, SEEDS, STATEMENTS):
        assert read_kept(KEPT / each.name, each.key())


def test_what_is_kept_comes_back_as_it_was_parsed(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = dbt_manifest._parse(tmp_path, kept / PARSE)
    monkeypatch.setattr(dbt_manifest, "_parse", refuse_to_parse)
    read = load_manifest(tmp_path, kept)
    assert parsed
    assert read
    assert {*read.nodes} == {*parsed.nodes} != set()
    assert {*read.macros} == {*parsed.macros}
    assert {*read.sources} == {*parsed.sources}
    assert {*read.flat_graph["nodes"]} == {*parsed.nodes}
    # Each name is found where dbt looks for it.
    assert read.find_macro_by_name("counted_time", "ops_atomic_reports", None)
    model = read.ref_lookup.find("uptime_daily", None, None, read)
    assert model
    assert model.raw_code == parsed.nodes[model.unique_id].raw_code
    # It is good for no more than what its fingerprint stands for.
    assert not parsed.env_vars


def test_ephemeral_models_are_kept_as_a_run_compiles_them(
    kept: Path,
    samples_root: Path,
    tmp_path: Path,
    cli: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed = dbt_manifest._parse(tmp_path, kept / PARSE)
    assert parsed
    monkeypatch.setattr(dbt_run, "load_manifest", lambda _: parsed)
    done = cli("export", samples_root)
    assert done.exit_code == 0, done.output
    by_run, read = compiled(parsed), load_manifest(tmp_path, kept)
    assert read
    assert {*by_run} <= {*compiled(read)} == {node.name for node in ephemeral(read)}
    assert {name: compiled(read)[name] for name in by_run} == by_run
    assert len(by_run) > 20


def ephemeral(manifest: Manifest) -> list[Any]:
    return [n for n in manifest.nodes.values() if n.is_ephemeral_model]


def compiled(manifest: Manifest) -> dict[str, tuple[str | None, list[str]]]:
    """Of each ephemeral model that is compiled, its own SQL and that of its inputs."""
    return {
        node.name: (
            node._pre_injected_sql or node.compiled_code,
            [cte.sql for cte in node.extra_ctes],
        )
        for node in ephemeral(manifest)
        if node.extra_ctes_injected
    }


def test_the_fingerprint_stands_for_each_file_that_dbt_reads(kept: Path) -> None:
    from dbt.contracts.files import RemoteFile
    from dbt.contracts.graph.manifest import Manifest

    parse = Manifest.from_msgpack((kept / PARSE).read_bytes())
    ours = {
        str(file.path.full_path)
        for file in parse.files.values()
        if file.project_name == "ops_atomic_reports"
        and not isinstance(file.path, RemoteFile)
    }
    known = {str(path) for path in dbt_manifest._files(PROJECT)}
    assert ours
    assert ours <= known


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml", "profiles.yml", "macros/typing.sql", "seeds/masks.yml",
        "models/marts/exports/ops_atomic.sql", "exporter/publish/dbt_manifest.py",
        "tests/dbt/assert_no_landed_record_is_lost.sql",
    ],
)  # fmt: skip
def test_a_file_that_changes_is_parsed_again(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    before = fingerprint(project)
    with (project / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert fingerprint(project) != before


def test_what_cannot_be_compiled_is_not_kept(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_manifest, "_compile_ephemeral", lambda *_: False)
    place = begun(kept, tmp_path / "kept")
    assert load_manifest(tmp_path, place)
    assert not (place / MANIFEST).exists()


def test_nothing_that_is_set_for_dbt_is_kept(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_EMPTY", "1")
    place = begun(kept, tmp_path / "kept")
    made, read = load_manifest(tmp_path, place), load_manifest(tmp_path, kept)
    assert made
    assert read
    assert compiled(made) == compiled(read)


def test_what_only_a_parse_asks_for_is_not_kept(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = dbt_manifest._parse
    rows = "macro", "a unit test's rows"

    def parse_asking(*arguments: Any) -> Any:
        TEMPLATES.take(*rows, lambda: 1)
        return parse(*arguments)

    monkeypatch.setattr(TEMPLATES, "known", {})
    monkeypatch.setattr(dbt_manifest, "_parse", parse_asking)
    place = begun(kept, tmp_path / "kept")
    assert load_manifest(tmp_path, place)
    TEMPLATES.known.clear()
    assert dbt_manifest._read(place / MANIFEST, fingerprint())
    assert rows not in TEMPLATES.known
    assert len(TEMPLATES.known) > 100


def test_what_is_damaged_is_parsed_again(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def parse(*_: Any) -> None:
        calls.append(1)

    monkeypatch.setattr(dbt_manifest, "_parse", parse)
    data = (kept / MANIFEST).read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:99] + b"?" + data[100:]):
        (tmp_path / MANIFEST).write_bytes(damaged)
        assert load_manifest(tmp_path, tmp_path) is None
    assert len(calls) == 4


def test_a_macro_that_does_not_compile_is_left_to_the_build() -> None:
    texts = {
        "good": "{% macro good() %}1{% endmacro %}",
        "bad": "{% macro bad() %}{{ 1 | no_such_filter }}{% endmacro %}",
    }
    nothing = SimpleNamespace(macros=[])
    node = SimpleNamespace(
        language="sql",
        raw_code="select {{ good() }}",
        depends_on=SimpleNamespace(macros=["bad", "good"]),
        config=SimpleNamespace(materialized="view"),
    )
    manifest: Any = SimpleNamespace(
        nodes={"node": node},
        macros={
            name: SimpleNamespace(name=name, macro_sql=text, depends_on=nothing)
            for name, text in texts.items()
        },
    )
    import_dbt()
    packed = Generated()
    packed.unpack(pack_templates(manifest))
    kept = {text for _, text in packed.known}
    assert {texts["good"], node.raw_code} <= kept
    assert texts["bad"] not in kept
