"""The workflows are what they say, as far as that can be told without GitHub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from ingest.root import PROJECT

WORKFLOWS = PROJECT / ".github/workflows"
CI, PUBLISH = WORKFLOWS / "ci.yml", WORKFLOWS / "publish.yml"
# A commit, because a tag can be moved; the version, because people read it.
PINNED = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def read(path: Path) -> dict[str, Any]:
    # Of YAML 1.1, `on` is a boolean.
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)
    return dict(workflow)


def check(*paths: Path) -> int:
    tool = Path(sys.executable).with_name("check-jsonschema")
    command: list[str | Path] = [
        tool,
        "--builtin-schema",
        "vendor.github-workflows",
        *paths,
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_workflows_keep_the_public_schema(tmp_path: Path) -> None:
    assert check(CI, PUBLISH) == 0
    broken = tmp_path / "broken.yml"
    text = CI.read_text(encoding="utf-8").replace("runs-on:", "runs_on:")
    broken.write_text(text, encoding="utf-8")
    assert check(broken) == 1


@pytest.mark.parametrize("path", [CI, PUBLISH], ids=lambda path: path.name)
def test_actions_are_pinned_and_may_only_read(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    used = [line for line in lines if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.search(line)] == []
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        asked = job.get("permissions", {})
        if path == PUBLISH:
            assert asked == {"contents": "read", "pages": "write", "id-token": "write"}
        else:
            assert asked == {}
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_ci_runs_every_python_on_both_systems_and_each_night() -> None:
    workflow = read(CI)
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos"}
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = SpecifierSet(project.split('requires-python = "')[1].split('"')[0])
    every = [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}" in wanted]
    assert matrix["python"] == every
    runs = [step.get("run") for step in workflow["jobs"]["test"]["steps"]]
    assert {".ci/run", "make test"} <= set(runs)
    assert len(workflow["on"]["schedule"]) == 1


@pytest.mark.parametrize(
    ("choice", "published"),
    [
        ("status", {"index.html": "public"}),
        ("dashboard", {"index.html": "private", "status.html": "public"}),
        ("everything", None),
    ],
)
def test_only_the_public_page_is_published_unless_asked(
    choice: str, published: dict[str, str] | None, tmp_path: Path
) -> None:
    (job,) = read(PUBLISH)["jobs"].values()
    (script,) = [step["run"] for step in job["steps"] if "run" in step]
    pages = tmp_path / job["env"]["DASHBOARD"]
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("private")
    (pages / "status.html").write_text("public")
    environment = {
        **os.environ,
        "DASHBOARD": job["env"]["DASHBOARD"],
        "PUBLISH": choice,
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    site = {path.name: path.read_text() for path in (tmp_path / "site").iterdir()}
    assert (done.returncode, site) == ((0, published) if published else (1, {}))
    assert job["env"]["PUBLISH"] == "${{ vars.OPS_ATOMIC_PUBLISH || 'status' }}"
