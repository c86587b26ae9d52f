"""YAML files of the project, read with libyaml where it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNIT_TESTS = "\nunit_tests:"


def read_yml(path: Path) -> Any:
    """The document of a file, but for unit tests, which are most of many.

    Raises OSError and yaml.YAMLError.
    """
    text = path.read_text(encoding="utf-8").partition(UNIT_TESTS)[0]
    return yaml.load(text, Loader=LOADER)


def project_variables(project: Path) -> dict[str, Any]:
    """The vars of the dbt project, by name."""
    text = (project / "dbt_project.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=LOADER)["vars"]
    return found
