"""What the benchmark of many machines reads of processes, and makes to build on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.fleets import make_templates, processes_of, publish, seconds_of
from exporter.fleet.check import check_files
from exporter.fleet.memory import Memory
from tests.fleet_days import FIRST
from tests.fleets import Fleet


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("00:00:07", 7), ("01:02:03", 3723), ("2-00:00:01", 172_801), ("3:04.50", 184.5)],
)
def test_the_clock_of_a_process(clock: str, seconds: float) -> None:
    assert seconds_of(clock) == seconds


def test_a_process_group_is_found_with_its_memory() -> None:
    found = processes_of(os.getpgrp())
    assert found[os.getpid()][1] > 1_000_000


def test_every_machine_counts_though_templates_are_few(tmp_path: Path) -> None:
    templates, fleet = Fleet(tmp_path / "templates"), Fleet(tmp_path / "fleet")
    make_templates(templates, 1)
    publish(fleet, templates, 7, [0])
    found = check_files(Memory(fleet.path), fleet.datasets, FIRST)
    assert (len(found.machines), found.kept_out) == (7, [])
    assert {machine.files for machine in found.machines.values()} == {9}
