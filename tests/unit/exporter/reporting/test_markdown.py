from __future__ import annotations

import markdown
import pytest

from exporter.reporting.markdown import plain, table


def shown(text: str) -> str:
    return str(markdown.markdown(text, extensions=["tables"]))


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "*bold*",
        "a_b_c",
        "`code`",
        "[x](y)",
        "<b>",
        "# head",
        "~/a",
        "a & b",
        "back\\slash",
    ],
)
def test_a_text_is_read_as_it_is(text: str) -> None:
    cell = table(["What"], [[plain(text)]])
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<td>{escaped}</td>" in shown(cell)


def test_a_text_stays_in_its_line() -> None:
    assert plain("one\n\n## two\tthree") == "one \\#\\# two three"


def test_numbers_are_set_right() -> None:
    made = table(["Name", "Size"], [["a", "1"], ["b", "22"]], numbers=["Size"])
    assert made.splitlines() == [
        "| Name | Size |",
        "| --- | ---: |",
        "| a | 1 |",
        "| b | 22 |",
    ]
