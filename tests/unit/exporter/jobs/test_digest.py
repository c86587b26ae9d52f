"""The digest: a file and one message a day, and never good news of nothing known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exporter.cli.main import main
from ingest.listing import list_inputs
from ingest.root import Root
from tests.published import publish
from tests.receivers import http_receiver
from tests.well_and_wrong import publish_well_or_wrong

AS_OF = datetime(2025, 10, 29, 15)
DIGEST = f"g/reports/ops_digest_{AS_OF:%Y%m%d}.md"


def call(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["digest", "--root", str(root), *arguments])


@pytest.fixture(autouse=True)
def at_a_known_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}")
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY", raising=False)


def test_without_marts_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    done = call(tmp_path)
    assert done.exit_code == 1
    assert "holds no marts: there is nothing to tell of yet" in done.output
    assert not (tmp_path / "g/reports").exists()


def test_what_is_wrong_comes_first_with_what_to_do(tmp_path: Path) -> None:
    publish_well_or_wrong(tmp_path, False, AS_OF)
    publish(
        tmp_path,
        "index_advice_lifecycle",
        [
            {
                "machine": "m",
                "table_name": "docs",
                "recommended_index": f"idx_<{number}>",
                "is_open": True,
                "first_seen": AS_OF,
                "p95_before_ms": 130,
            }
            for number in range(8)
        ],
    )
    done = call(tmp_path)
    assert done.exit_code == 0, done.output
    text = (tmp_path / DIGEST).read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[0] == "## What to do today"
    assert [heading.split(" (")[0] for heading in headings[1:4]] == [
        "## Now",
        "## Yesterday",
        "## Last week",
    ]
    to_do = text.split("## What to do today")[1].split("\n## ")[0]
    assert "Mend " in to_do
    assert "Decide on the advised indexes below" in to_do
    assert "idx\\_&lt;0&gt; on docs, p95 130 ms without it" in text
    assert "- and 3 more" in text


def test_it_is_sent_once_a_day_and_due_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_well_or_wrong(tmp_path, False, AS_OF)
    with http_receiver() as receiver:
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", f"json://127.0.0.1:{receiver.port}/")
        assert call(tmp_path, "--if-due").exit_code == 0
        assert "⊘ Nothing is due" in call(tmp_path, "--if-due").output
        assert call(tmp_path).exit_code == 0
        (message,) = receiver.messages
    assert message["title"].endswith(f": digest of {AS_OF:%Y-%m-%d}")
    assert message["message"].startswith("What to do today:\n- ")


def test_it_is_no_input_that_is_not_read(tmp_path: Path) -> None:
    publish_well_or_wrong(tmp_path, False, AS_OF)
    call(tmp_path)
    assert (tmp_path / DIGEST).exists()
    assert list_inputs(Root(tmp_path)).ignored == {}
