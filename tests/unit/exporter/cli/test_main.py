"""What the command line does whatever was asked for."""

from __future__ import annotations

from unittest import mock

import pytest
from click.testing import CliRunner

from exporter.cli.main import main


@pytest.mark.parametrize(
    "place", ["exporter.cli.main._Commands.get_command", "importlib.import_module"]
)
def test_an_interrupt_before_a_command_sees_to_it_ends_with_130(place: str) -> None:
    with mock.patch(place, side_effect=KeyboardInterrupt):
        done = CliRunner().invoke(main, ["export"])
    assert done.exit_code == 130
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["dashbord"], "'dashboard'"),
        (["stats"], "'status'"),
        (["agents", "instal"], "'install'"),
        (["export", "--forse"], "'--force'"),
        (["export", "--dataset", "query_pref"], "'query_perf'"),
        (["export", "--dataset", "incident"], "'incidents'"),
    ],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    typed: list[str], meant: str
) -> None:
    done = CliRunner().invoke(main, typed)
    assert done.exit_code == 2
    assert "Did you mean" in done.stderr
    assert meant in done.stderr.partition("Did you mean")[2].partition("?")[0]


def test_what_resembles_no_command_is_answered_without_a_guess() -> None:
    done = CliRunner().invoke(main, ["qqq"])
    assert done.exit_code == 2
    assert done.stderr.endswith("Error: No such command 'qqq'.\n")
