"""YAML files of the project, read with libyaml where it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

UNIT_TESTS = "\nunit_tests:"


def read_yml(path: Path) -> Any:
    """The document of a file, but for unit tests, which are most of many.

    Raises OSError and yaml.YAMLError.
    """
    text = path.read_text(encoding="utf-8").partition(UNIT_TESTS)[0]
    return _load(text)


def project_variables(project: Path) -> dict[str, Any]:
    """The vars of the dbt project, by name."""
    text = (project / "dbt_project.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = _load(text)["vars"]
    return found


def _load(text: str) -> Any:
    # Here, because who finds what is kept of these files reads none.
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
