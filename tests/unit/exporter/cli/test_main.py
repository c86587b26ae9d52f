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
