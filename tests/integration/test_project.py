"""Conventions of the project: what a reader may rely on."""

from __future__ import annotations

import configparser
import re
import subprocess
import tomllib
from typing import Any

import click
import pytest
import yaml

from exporter.cli.main import main
from exporter.contracts.datasets import load_datasets
from exporter.dashboard.write import dashboard_path
from exporter.metrics.textfile import metrics_path
from exporter.reporting.thresholds import limits
from ingest.root import EXAMPLE_ROOT, PROJECT, Root
from tests.support import HOME, tracked_files


def properties(key: str) -> dict[str, dict[str, Any]]:
    """What the yml files say of the models, macros, … by name."""
    found = {}
    for folder in ("models", "macros", "seeds", "tests/dbt"):
        for path in sorted((PROJECT / folder).rglob("*.yml")):
            document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for entry in document.get(key, []):
                found[entry["name"]] = {**entry, "file": path}
    return found


def test_every_model_has_a_yml_of_its_own_and_a_description() -> None:
    documented = properties("models")
    for path in (PROJECT / "models").rglob("*.sql"):
        entry = documented.get(path.stem)
        assert entry, f"{path.stem} is described nowhere"
        assert entry["file"] == path.with_suffix(".yml"), path.stem
        assert entry.get("description", "").strip(), path.stem
        assert entry["columns"], path.stem
        for column in entry["columns"]:
            assert column.get("description", "").strip(), (path.stem, column["name"])


def test_every_model_states_its_grain() -> None:
    for name, entry in properties("models").items():
        assert entry["description"].startswith("One row per "), name


def test_every_seed_is_described() -> None:
    documented = properties("seeds")
    for path in (PROJECT / "seeds").glob("*.csv"):
        header = path.read_text(encoding="utf-8").partition("\n")[0]
        described = [column["name"] for column in documented[path.stem]["columns"]]
        assert described == header.strip().split(","), path.stem
        assert documented[path.stem]["description"]


def test_every_macro_is_documented_with_its_arguments() -> None:
    documented = properties("macros")
    for path in (PROJECT / "macros").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        for kind, name, signature in re.findall(
            r"\{%-?\s*(macro|materialization)\s+(\w+)\s*(\([^%]*\))?", text
        ):
            # What engines make of a macro is described with the macro.
            if kind == "materialization" or re.match("(default|spark)__", name):
                continue
            entry = documented.get(name)
            assert entry, f"{path.name}: {name} is described nowhere"
            assert entry.get("description", "").strip(), name
            # Default values are dropped: names alone count.
            names = re.findall(r"[(,]\s*(\w+)", re.sub(r"=[^,)]*", "", signature))
            assert [a["name"] for a in entry.get("arguments", [])] == names, name


def test_every_dataset_is_named_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for name, dataset in load_datasets().items():
        assert f"`{name}`" in readme
        assert dataset.folder in readme, dataset.folder


def test_no_lock_holds_an_address() -> None:
    locks = [path for path in tracked_files() if path.suffix == ".lock"]
    assert locks
    for path in locks:
        assert "://" not in path.read_text(encoding="utf-8"), path


def pins(lock: str) -> set[tuple[str, str]]:
    """(name, version) of each line; a name may have one for each of two systems."""
    text = (PROJECT / lock).read_text(encoding="utf-8")
    found = re.findall(r"^([a-z][^ \[=]*)[^ =]*==([^ ]+)", text, re.MULTILINE)
    return set(found)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-fleet.lock"])
def test_the_lock_holds_names_versions_and_hashes(lock: str) -> None:
    text = (PROJECT / lock).read_text(encoding="utf-8")
    blocks = re.findall(
        r"^[a-z][^\n]*\\\n(?:    --hash=sha256:\w{64}[^\n]*\n)+", text, re.MULTILINE
    )
    assert len(pins(lock)) == len(blocks) > 50
    assert "setuptools" in dict(pins(lock))


def test_the_lock_of_the_fleet_has_all_that_it_names_as_one_machine_has_it() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extra = project["optional-dependencies"]["fleet"]
    fleet, one = pins("requirements-fleet.lock"), pins("requirements.lock")
    names = {name for name, _ in fleet}
    for dependency in [*project["dependencies"], *extra]:
        name = re.match(r"[\w.-]+", dependency)
        assert name
        assert name[0] in names, dependency
    shared = names & {name for name, _ in one}
    assert {pin for pin in fleet if pin[0] in shared} <= one
    # Who has one machine installs nothing of it.
    assert not {"pyspark", "py4j", "dbt-spark"} & shared


def test_no_tracked_file_names_a_path_of_this_machine() -> None:
    here = "|".join(re.escape(str(path)) for path in (PROJECT, PROJECT.parent, HOME))
    pattern = re.compile(rf"(?<![\w.~$}}])(?:{here})/")
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", "replace")
        assert not pattern.search(text), path


def test_every_sqlfluff_rule_that_is_off_has_its_reason_beside_it() -> None:
    text = (PROJECT / ".sqlfluff").read_text(encoding="utf-8")
    settings = configparser.ConfigParser()
    settings.read_string(text)
    lines = text.splitlines()
    excluded = [
        rule.strip()
        for rule in settings["sqlfluff"]["exclude_rules"].split(",")
        if rule.strip()
    ]
    assert excluded
    for rule in excluded:
        (number,) = (n for n, line in enumerate(lines) if line.strip(" ,") == rule)
        assert lines[number - 1].strip().startswith("#"), rule


def test_no_dbt_package_is_needed() -> None:
    assert not (PROJECT / "packages.yml").exists()
    assert not (PROJECT / "dependencies.yml").exists()


def test_dbt_sends_nothing() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert project["flags"]["version_check"] is False


DOCUMENTS = (
    "README.md",
    "docs/operations.md",
    "docs/architecture.md",
    "docs/monitor.md",
)


def documentation() -> str:
    return "\n".join((PROJECT / path).read_text("utf-8") for path in DOCUMENTS)


def test_every_target_that_is_documented_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"[`\n]make ([a-z-]+)", documentation())) <= targets


def test_every_command_and_option_that_is_documented_exists() -> None:
    shown = re.findall(r"ops-atomic ([a-z][^`\n#]*)", documentation())
    assert shown
    for line in shown:
        command: click.Command = main
        for word in line.split():
            context = click.Context(command)
            found = None
            if isinstance(command, click.Group):
                found = command.get_command(context, word)
            if found:
                command = found
            elif word.startswith("--"):
                options = {name for param in command.params for name in param.opts}
                assert word in options | {"--help"}, line
        assert command is not main, f"ops-atomic {line}: there is no such command"


def test_every_command_is_documented() -> None:
    for name in main.list_commands(click.Context(main)):
        assert f"ops-atomic {name}" in documentation(), name


def test_every_limit_is_documented() -> None:
    for _, variable, _ in limits():
        assert variable in documentation()


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "exporter.__version__"
    }
    document = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert "version" not in document


def test_what_an_export_leaves_in_the_example_is_no_change_to_commit() -> None:
    tracked_files()  # or skip: this is no checkout
    example = Root(EXAMPLE_ROOT)
    left = [dashboard_path(example), metrics_path(example), example.state]
    asked = ["git", "check-ignore", *map(str, left)]
    said = subprocess.run(
        asked, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert said.stdout.splitlines() == [str(path) for path in left]
