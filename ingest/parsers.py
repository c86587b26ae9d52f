"""Which code reads which source: what a fingerprint of a parser covers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ingest.landing import digest
from ingest.root import PROJECT

# The module that turns a source's text into records.
PARSERS = {
    "heartbeats": ("heartbeats",),
    "query_rows": ("query_csv",),
    "query_patterns": ("query_csv", "query_json"),
    "query_log": ("query_log",),
    "telemetry": ("telemetry",),
    "index_advisor": ("index_advisor",),
    "optimization_summary": ("optimization_summary",),
    "observed_columns": (),
}
IMPORT = re.compile(r"^(?:from|import) ingest\.([\w.]+)", re.MULTILINE)
MASKS = Path("seeds") / "masks.csv"


def parser_files(sources: Iterable[str], project: Path = PROJECT) -> list[Path]:
    """The parsers of some sources with all they import, and the masks."""
    package = project / "ingest"
    waiting = [
        package / "sources" / f"{name}.py"
        for source in sources
        for name in PARSERS[source]
    ]
    if not waiting:
        return []
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            text = path.read_text(encoding="utf-8")
            waiting += [
                (package / name.replace(".", "/")).with_suffix(".py")
                for name in IMPORT.findall(text)
            ]
    return [*sorted(found), project / MASKS]


def parser_fingerprint(source: str, project: Path = PROJECT) -> str:
    """Changes when a source's landed records might be read another way."""
    return digest(
        path.read_text(encoding="utf-8") for path in parser_files((source,), project)
    )
