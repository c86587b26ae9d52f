"""The plot of the benchmarks."""

from __future__ import annotations

from xml.etree import ElementTree

from bench.chart import place, svg, ticks_of


def test_ticks_enclose_the_values() -> None:
    assert ticks_of([0.3, 7]) == [0.2, 0.5, 1, 2, 5, 10]
    assert ticks_of([0.01, 0.01]) == [0.01]
    assert ticks_of([600, 1_750]) == [500, 1_000, 2_000]


def test_an_axis_is_logarithmic() -> None:
    assert place(10, 1, 100, 0, 50) == 25
    assert place(1, 1, 1, 0, 50) == 25


def test_the_plot_is_xml_with_a_line_per_series() -> None:
    drawn = svg({"a < b": [(30, 1.0), (365, 2.0)], "c": [(30, 3.0)]}, "Cost")
    root = ElementTree.fromstring(drawn)
    lines = [element for element in root.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 2
    assert drawn == svg({"a < b": [(30, 1.0), (365, 2.0)], "c": [(30, 3.0)]}, "Cost")
