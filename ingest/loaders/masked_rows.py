"""Landed rows of a dated file, masked again: each read anew from its text."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, cast

from ingest.loaders.context import Context
from ingest.masking.structure import mask_line, may_go_on
from ingest.sources.csv_records import landing_line
from ingest.sources.query_csv import (
    CELLS,
    OPTIONAL,
    QueryFile,
    Source,
    read_query_csv,
)
from ingest.sources.query_json import read_query_json
from ingest.text.clean import MAX_CELL_CHARS

# Behind the cells of its input, what a landed row says about it.
HEADER, FILE, NUMBER, PROBLEM, RAW = range(-5, 0)
TWIN = ".json.csv.gz"
# Any that is believable: what a row's day was, it stays.
SOME_DAY = date(2001, 1, 1)


def mask_rows(
    landed: BinaryIO, made: BinaryIO, source: str, part: str, context: Context
) -> str:
    """Write a part's text with its secrets masked; returns its fingerprint.

    Raises csv.Error, ValueError: it is no landed text.
    """
    csv.field_size_limit(MAX_CELL_CHARS)
    rows = csv.reader(map(bytes.decode, landed))
    hashed = hashlib.sha256()
    reader = _Rows(cast(Source, source), part.endswith(TWIN), context)
    for number, row in enumerate(rows):
        # The first line names the columns.
        line = landing_line(reader.masked(row)) if number else ",".join(row)
        data = f"{line}\n".encode()
        hashed.update(data)
        made.write(data)
    return hashed.hexdigest()[:32]


class _Rows:
    """The rows of one file, in their order."""

    def __init__(self, source: Source, is_twin: bool, context: Context) -> None:
        self.source = source
        self.is_twin = is_twin
        self.context = context
        self.masks = context.masks
        # As written, to tell secret columns; it is landed beside the first row.
        self.header = ""
        self.within = ""

    def masked(self, row: list[str]) -> list[str | None]:
        """A row without its secrets, as if it was read under these masks."""
        self.header = row[HEADER] or self.header
        written = row[RAW] or ",".join(self._cells(row))
        text = written
        if not self.is_twin and (self.within or may_go_on(text.encode())):
            text, self.within = mask_line(text, self.within)
        if text == written and not self._may_hide(row, text):
            return [*row]
        fresh = self._read(text) if any(row[:HEADER]) else None
        about: list[str | None] = [
            self.masks.text(row[HEADER]), self.masks.text(row[FILE]),
            row[NUMBER], row[PROBLEM],
        ]  # fmt: skip
        if fresh is None:
            cells = [self.masks.text(cell) for cell in row[:HEADER]]
            raw = self.masks.raw(text) if row[RAW] else None
            return [*cells, *about, raw]
        return [*fresh[:HEADER], *about, fresh[RAW]]

    def _may_hide(self, row: list[str], text: str) -> bool:
        others = (text, row[HEADER], row[FILE], *row[:HEADER])
        return any(map(self.masks.suspicious, others)) or bool(
            self.header and not self.is_twin and self.masks.suspicious(self.header)
        )

    def _cells(self, row: list[str]) -> list[str]:
        """The cells of a row whose text is not landed, for they say it all."""
        known = len(CELLS[self.source])
        short = known - len(OPTIONAL[self.source])
        is_full = all(row[short:known]) and known > short
        return row[: known if is_full else short]

    def _read(self, text: str) -> list[str] | None:
        """A landed row read from a record's text alone; None if it is none."""
        for file in self._files(text):
            text_of_rows = io.StringIO("\n".join(file.lines), newline="")
            rows: list[list[str]] = [*csv.reader(text_of_rows)]
            if len(rows) == 1 and any(rows[0][:HEADER]):
                return rows[0]
        return None

    def _files(self, text: str) -> Iterator[QueryFile]:
        """What a file with this one record would be: its header may be one of the
        usual ones, which are not landed."""
        masks, now = self.masks, self.context.now
        if self.is_twin:
            whole = io.BytesIO(f'{{"patterns": [{text}]}}'.encode())
            yield read_query_json(whole, "", SOME_DAY, masks, now)
            return
        known = CELLS[self.source]
        short = known[: len(known) - len(OPTIONAL[self.source])]
        usual = [",".join(names) for names in dict.fromkeys((short, known))]
        for header in [self.header] if self.header else usual:
            whole = io.BytesIO(f"{header}\n{text}\n".encode())
            yield read_query_csv(whole, "", SOME_DAY, masks, now)
