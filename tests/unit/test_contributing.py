"""CONTRIBUTING.md leads to files and tests that are there."""

from __future__ import annotations

import re

import pytest

from ingest.root import PROJECT

TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TOPS = "ingest|exporter|models|macros|seeds|tests|docs|examples|launchagents|scripts"
# What a recipe makes anew is written with NAME or dots.
NAMED = re.findall(
    rf"`((?:{TOPS})/[^` ]*|[A-Z][A-Za-z]+\.md|requirements\.lock)`", TEXT
)
PATHS = sorted({path for path in NAMED if "NAME" not in path and "…" not in path})
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT)))


def test_it_names_paths() -> None:
    assert len(PATHS) > 40


@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_there(path: str) -> None:
    assert (PROJECT / path).exists()


@pytest.mark.parametrize("link", LINKS)
def test_each_link_leads_somewhere(link: str) -> None:
    place, _, anchor = link.partition("#")
    if place:
        assert (PROJECT / place).exists()
        return
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("exporter/verify/run.py", "def _all_checks"),
        ("exporter/reporting/alerts.py", "CARRIED = "),
        ("exporter/reporting/alerts.py", "def evaluate_alerts"),
        ("exporter/reporting/thresholds.py", "class Thresholds"),
        ("exporter/notify/notices.py", "ENDINGS = "),
        ("exporter/agents/jobs.py", "JOBS = "),
        ("exporter/agents/jobs.py", "ALL_JOBS = "),
        ("tests/faults.py", "def conservation"),
        ("docs/operations.md", "## What is read"),
        ("docs/operations.md", "## Warnings and errors"),
        ("docs/operations.md", "## Schedule"),
        ("Makefile", "schema: "),
        ("Makefile", "lint: "),
    ],
)
def test_what_recipes_name_in_files_is_there(path: str, name: str) -> None:
    assert name in (PROJECT / path).read_text(encoding="utf-8")
