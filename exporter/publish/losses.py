"""What a published file was made from and the landing may hold no more.

Fewer records than before are a loss, whatever else has come. And where the
landing was broken since (`Ledger.breaks`), as many new ones may stand in the
place of those that are lost: only the file itself says which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from exporter.contracts.datasets import Dataset, day_in
from exporter.publish.landed import (
    MARK_CHARS,
    NAMES,
    Content,
    Landed,
    file_of,
    read_content,
    records_of,
    source_of,
)
from exporter.publish.ledger import Ledger, PublishedFile
from ingest import advice
from ingest.root import Root
from ingest.store.ledger import Break

Breaks = Mapping[tuple[str, str], Break]


@dataclass(frozen=True)
class Loss:
    """Inputs that hold fewer records than before, by name (before, now), and
    sources of which some may be missing, however many there are."""

    fewer: dict[str, tuple[int, int]] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fewer or self.doubtful)

    @property
    def names(self) -> set[str]:
        """Those of both."""
        return {*self.fewer, *self.doubtful}


def find_loss(
    dataset: Dataset,
    day: date,
    inputs: Iterable[Landed],
    content: Content,
    before: PublishedFile,
    breaks: Breaks,
) -> Loss:
    """What a published file holds that is not, or may not be, in the content that
    it is to be made from next."""
    inputs = list(inputs)
    made_from = read_content(before.metadata)
    dropped = {landed.name: landed.dropped for landed in inputs}
    if "landed" not in before.metadata:
        return _lost_of_a_sum(dataset, inputs, content, before)
    fewer, doubtful = {}, set()
    for name, (records, mark) in made_from.items():
        held, its_mark = content.get(name, (0, ""))
        if not records or (name == NAMES and name in content):
            continue
        if records > held + dropped.get(name, 0):
            fewer[name] = records, held
        broken = breaks.get((source_of(name), day.isoformat()))
        is_continued = broken is None or mark in (its_mark, broken.mark[:MARK_CHARS])
        if not file_of(name) and not is_continued:
            doubtful.add(name)
    if kept_rows(before.metadata):
        doubtful.add("kept rows")
    return Loss(fewer, frozenset(doubtful))


def _lost_of_a_sum(
    dataset: Dataset, inputs: list[Landed], content: Content, before: PublishedFile
) -> Loss:
    """The loss of a file whose footer only says the sum of its records, as old ones
    do: of a dataset that accounts for others it is the sum over all of them."""
    text = before.metadata.get("landed_records", "0")
    records = int(text) if text.isdecimal() else 0
    held = records_of(content)
    if dataset.accounts_for != (dataset.name,):
        held = sum(sum(landed.counts.values()) for landed in inputs)
    dropped = sum(landed.dropped for landed in inputs)
    return Loss({"": (records, held)} if records > held + dropped else {})


def input_of_rows(dataset: Dataset, name: str) -> str:
    """What a dataset's `row_input` says of the rows of an input: its file or its
    source; nothing where they cannot be told."""
    if dataset.row_input is None:
        return ""
    source = source_of(name)
    return source if source in dataset.whole_sources else file_of(name)


def with_kept_inputs(
    dataset: Dataset, before: Content, content: Content, loss: Loss
) -> tuple[list[str], Content]:
    """The inputs of which all published rows stay, because something of their file
    or source is lost; and what the next file is then made from."""
    lost = {input_of_rows(dataset, name) for name in loss.names} - {""}
    kept = sorted(name for name in before if input_of_rows(dataset, name) in lost)
    new = {n: c for n, c in content.items() if input_of_rows(dataset, n) not in lost}
    return kept, new | {name: before[name] for name in kept}


def can_keep_rows(
    dataset: Dataset, file: PublishedFile, content: Content, loss: Loss
) -> bool:
    """Whether a day can be made anew but for the rows of what is lost."""
    # A file without rows shows no compression, and has none to be taken over.
    if file.row_count and file.shape != dataset.shape:
        return False
    before = read_content(file.metadata)
    kept, made_from = with_kept_inputs(dataset, before, content, loss)
    if loss.names.difference(kept):  # only a look at the rows tells what is missing
        return dataset.tells_records_apart
    return bool(made_from.keys() - kept)


# Rows of a published file that are taken over into the next one: its footer says
# so under `kept`.


def kept_note(file: PublishedFile, kept: list[str]) -> str:
    """What a footer says of rows kept from a file: of which inputs all, and which
    code has made them.

    Those that are missing from the landing are counted when they are found.
    """
    before = _kept(file.metadata)
    made_by = {*before.get("made_by", []), file.metadata.get("model_fingerprint", "")}
    return json.dumps({"inputs": kept, "made_by": sorted(made_by)})


def with_kept_rows(
    metadata: Mapping[str, str], rows: Mapping[str, int]
) -> dict[str, str]:
    """A footer with the rows that were found missing, by dataset, counted."""
    if "kept" not in metadata:
        return dict(metadata)
    kept = _kept(metadata) | ({"rows": dict(rows)} if rows else {})
    rest = {key: text for key, text in metadata.items() if key != "kept"}
    if not rows and not kept["inputs"]:
        return rest
    landed = int(metadata["landed_records"]) + sum(rows.values())
    said = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return rest | {"landed_records": str(landed), "kept": said}


def kept_rows(metadata: Mapping[str, str]) -> dict[str, int]:
    """Rows, by dataset, that a file was not made from but took over."""
    found: dict[str, int] = _kept(metadata).get("rows", {})
    return found


def keeps_sources(metadata: Mapping[str, str]) -> bool:
    """Whether a file took over all rows of a source, whatever is landed of it."""
    return any(not file_of(name) for name in _kept(metadata).get("inputs", ()))


def _kept(metadata: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(metadata["kept"]) if "kept" in metadata else {}
    return found


def told_of_kept_rows(
    root: Root, path: str, metadata: Mapping[str, str]
) -> Iterator[str]:
    """A warning about rows that a file has kept, if it has."""
    if rows := sum(kept_rows(metadata).values()):
        said = f"{path}: {rows:,} row(s) are kept that the landing no longer holds"
        words = ("export", "--force", "--date", day_in(path))
        yield advice.run(f"{said}; to publish the day without them", root, *words)


# What ends a break


def doubt_unknown(
    ledger: Ledger, day: date, before: PublishedFile, inputs: Iterable[Landed]
) -> None:
    """Note breaks for a file that the ledger does not know: nothing says that the
    landing goes on from what it was made from."""
    held = {landed.name: landed.mark[:MARK_CHARS] for landed in inputs}
    for name, (records, mark) in read_content(before.metadata).items():
        at = source_of(name), day.isoformat()
        if records and mark != held.get(name) and at not in ledger.breaks():
            ledger.note_break(*at, Break(""))


def is_mended(
    source: str, before: PublishedFile | None, inputs: Iterable[Landed]
) -> bool:
    """Whether the landing holds of a source just what a file was made from."""
    held = {
        landed.name: landed.mark[:MARK_CHARS]
        for landed in inputs
        if source_of(landed.name) == source
    }
    made_from = read_content(before.metadata) if before else {}
    return held == {
        name: mark for name, (_, mark) in made_from.items() if source_of(name) == source
    }
