"""The table of the benchmarks."""

from __future__ import annotations

import pytest

from bench.report import (
    Findings,
    Line,
    at_least,
    at_most,
    markdown_table,
    median_ratio,
    page,
    seconds,
    text_table,
)


def test_a_line_holds_up_to_its_limit() -> None:
    assert at_most("m", 3, 3).holds
    assert not at_most("m", 3.01, 3).holds
    assert at_least("m", 75, 75, "%").holds
    assert not at_least("m", 74.9, 75, "%").holds


def test_the_ratio_is_that_of_medians() -> None:
    assert median_ratio([1, 2, 90], [1, 1, 5]) == 2


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ([2.0], "2.00 s (one run)"),
        ([1.0, 3.0, 2.0], "2.00 s (1.00–3.00, 3 runs)"),
    ],
)
def test_runs_are_told_as_median_and_range(times: list[float], text: str) -> None:
    assert seconds(times) == text


def test_a_line_without_target_neither_holds_nor_fails() -> None:
    line = Line("size", "", "3 MB")
    assert markdown_table([line]).splitlines()[-1] == "| size |  | 3 MB | – |"
    assert text_table([line]).splitlines()[-1].endswith("–")


def test_the_page_has_table_plot_details_and_notes() -> None:
    findings = Findings([at_most("m", 1, 2)], ["Took 1 s."])
    text = page(findings, {"System": "Linux"}, "## Notes\n", "chart.svg")
    for part in (
        "| m | ≤ 2 × | 1.00 × | yes |",
        "- Took 1 s.",
        "- System: Linux",
        "(chart.svg)",
        "## Notes",
    ):
        assert part in text
