"""The files of parts: `landing/<source>/day=YYYY-MM-DD/<part>.{ndjson,csv}.gz`.

A part holds records of one source and day: those of one CSV file, or those of
the source, which goes on in `<source>.2.ndjson.gz` and so on where that grows
too large (see growing.py). Its bytes follow from its records alone: they are
sorted, and the gzip header carries nothing but what is said of the input, where
a source hangs on it (see `Origin`).
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ingest import files

Json = dict[str, Any]
# A part of the landing: its source, day and name.
LandedPart = tuple[str, str, str]
MANIFEST = "landed_days.csv"
# Old versions of dated inputs: kept, but no longer what counts.
SUPERSEDED = "superseded"
LEVEL = 6
# The flag in the header of a gzip, and more than our notes take.
_HAS_NAME = 8
_LONGEST_NAME = 64
_SIZE = "bytes="
_NUMBER = re.compile(r"\.([0-9]+)(?=\.ndjson\.gz$)")
# A cut tail or a flipped bit shows as one of these, by where it hits.
DAMAGED = (OSError, EOFError, zlib.error, ValueError)


class Origin(NamedTuple):
    """What a part says of the input it came from, in the header of its gzip.

    `modified` is its modification time in epoch seconds; `notes` are words
    about it, which stand where gzip keeps the name of a file, as does its `size`
    in bytes; 0 where nothing is said of that.
    """

    modified: int = 0
    notes: frozenset[str] = frozenset()
    size: int = 0

    def header(self) -> tuple[str, int]:
        """The name and the time that go into the header of the gzip."""
        words = sorted(self.notes) + [f"{_SIZE}{self.size}"] * bool(self.size)
        return " ".join(words), min(self.modified, (1 << 32) - 1)


NO_ORIGIN = Origin()


def read_origin(stream: BinaryIO) -> Origin:
    """What the header of a part says of its input."""
    header = stream.read(10)
    name = b""
    if header[3] & _HAS_NAME:
        name = stream.read(_LONGEST_NAME).partition(b"\0")[0]
    modified = int.from_bytes(header[4:8], "little")
    words = name.decode("latin-1").split()
    sizes = [word.removeprefix(_SIZE) for word in words if word.startswith(_SIZE)]
    notes = frozenset(word for word in words if not word.startswith(_SIZE))
    return Origin(modified, notes, int(*sizes[:1]))


def text_length(stream: BinaryIO) -> int:
    """The length of a part's text, as gzip notes it at its end."""
    stream.seek(-4, os.SEEK_END)
    return int.from_bytes(stream.read(4), "little")


def gzip_bytes(data: bytes, origin: Origin = NO_ORIGIN) -> bytes:
    """Compressed reproducibly."""
    name, modified = origin.header()
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", LEVEL, buffer, modified) as out:
        out.write(data)
    return buffer.getvalue()


def part_name(source: str, number: int = 1) -> str:
    """The name of an NDJSON part; all but the first are numbered."""
    return f"{source}.ndjson.gz" if number == 1 else f"{source}.{number}.ndjson.gz"


def part_number(part: str) -> int:
    match = _NUMBER.search(part)
    return int(match[1]) if match else 1


def unnumbered(part: str) -> str:
    """A part's name without its number: files are told apart by name, what is
    numbered is one."""
    return _NUMBER.sub("", part)


def file_of_part(part: str) -> str:
    """The input that a CSV part holds."""
    return part.removesuffix(".gz").replace(".json.csv", ".json")


# Made once: `json.dumps` would make it again for each record.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def parse_records(data: bytes) -> list[Json]:
    """The records of an NDJSON part's bytes. Raises one of DAMAGED."""
    lines = gzip.decompress(data).decode().split("\n")
    return [json.loads(line) for line in lines if line]


def is_readable(path: Path) -> bool:
    """Whether a compressed file can be read to its end, and adds up to its CRC."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(files.read(path))) as stream:
            while stream.read(files.CHUNK):
                pass
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False
    return True


def ndjson(records: Iterable[Json]) -> bytes:
    """Records as the text of a part, a line for each."""
    return "".join([_encode(record) + "\n" for record in records]).encode()
