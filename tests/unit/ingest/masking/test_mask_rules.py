"""Each rule of the seed masks what it is for, and nothing that looks alike."""

import csv
import re
from pathlib import Path

import pytest

from ingest.masking.masks import MASKS_CSV, load_masks
from ingest.root import EXAMPLE_ROOT, PROJECT

MASKS = load_masks()
RULES = {rule.name: rule for rule in MASKS.rules}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SEED = read(MASKS_CSV)
CASES = read(Path(__file__).parent / "mask_cases.csv")
MASKED = [(c["name"], c["text"]) for c in CASES if c["is_masked"] == "yes"]
KEPT = [(c["name"], c["text"]) for c in CASES if c["is_masked"] == "no"]


@pytest.mark.parametrize("row", SEED, ids=lambda row: str(row["name"]))
def test_each_rule_masks_its_example(row: dict[str, str]) -> None:
    check_masked(row["name"], row["example"])


@pytest.mark.parametrize(("name", "text"), MASKED)
def test_each_rule_masks_its_cases(name: str, text: str) -> None:
    check_masked(name, text)


def check_masked(name: str, text: str) -> None:
    rule = RULES[name]
    assert any(trigger in text.lower() for trigger in rule.triggers)
    alone = text
    for _ in range(5):
        alone = rule.hide(alone)
    assert alone != text
    for masked in (alone, MASKS.text(text)):
        assert "s3cr3t" not in masked.lower()
        assert "0123456789" not in masked
    assert MASKS.text(MASKS.text(text)) == MASKS.text(text)


@pytest.mark.parametrize(("name", "text"), KEPT)
def test_what_looks_alike_stays(name: str, text: str) -> None:
    assert RULES[name].hide(text) == text
    assert MASKS.text(text) == text


def test_each_rule_has_a_case_that_stays() -> None:
    assert {name for name, _ in KEPT} == {row["name"] for row in SEED}
    assert {name for name, _ in MASKED} <= set(RULES)


SHARED = PROJECT.parent / "shared"
ROOTS = [SHARED / "samples", SHARED / "samples_more", EXAMPLE_ROOT]
# Home folders are hidden, and what the example shows of masks.
HIDDEN = re.compile(r"/Users/\w+|example-(?:password|secret|token[\w-]*)")


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: str(root.name))
def test_nothing_plain_is_masked_in_recorded_inputs(root: Path) -> None:
    if not root.is_dir():
        pytest.skip("the recorded samples are not part of the project")
    paths = [path for path in root.rglob("*") if path.is_file()]
    texts = [path.read_text("utf-8") for path in paths if path.suffix != ".parquet"]
    assert texts
    for line in {line for text in texts for line in (text, *text.splitlines())}:
        wanted = HIDDEN.sub(lambda m: "~" if m[0].startswith("/") else "***", line)
        assert MASKS.text(line) == wanted
