from __future__ import annotations

import pytest

from exporter.agents.jobs import operator_variables
from exporter.reporting.thresholds import Thresholds, limits


def test_without_variables_the_defaults_hold() -> None:
    assert Thresholds.from_environment({}) == Thresholds()


@pytest.mark.parametrize(("name", "variable", "default"), limits())
def test_every_limit_has_a_variable(name: str, variable: str, default: float) -> None:
    found = Thresholds.from_environment({variable: f" {default + 1} "})
    assert getattr(found, name) == default + 1
    assert not found.problems


@pytest.mark.parametrize("text", ["much", "nan", "inf", "-1", "5 GB"])
def test_a_bad_value_is_told_and_passed_over(text: str) -> None:
    found = Thresholds.from_environment({"OPS_ATOMIC_MAX_STORAGE_GB": text})
    assert found.max_storage_gb == 5
    (problem,) = found.problems
    assert problem.startswith(f"OPS_ATOMIC_MAX_STORAGE_GB is {text!r}")


def test_a_secret_in_the_wrong_variable_is_not_shown() -> None:
    found = Thresholds.from_environment(
        {"OPS_ATOMIC_MAX_DAY_MB": "https://me:hunter2@example.com/"}
    )
    assert "hunter2" not in found.problems[0]


def test_agents_are_handed_every_limit() -> None:
    assert {variable for _, variable, _ in limits()} <= set(operator_variables())


def test_an_empty_value_is_none() -> None:
    assert not Thresholds.from_environment({"OPS_ATOMIC_MAX_DAY_MB": ""}).problems
