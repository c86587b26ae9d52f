"""What lies beside the data for those who find it: `knowledge/optimize/`.

`PARQUET_README.md` says what there is and how to read it; `parquet_schema.json`
and `example_queries.sql` are those of the project's `docs/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest import files
from ingest.root import PROJECT, Root

FOLDER = Path("knowledge") / "optimize"
README = "PARQUET_README.md"
COPIED = ("parquet_schema.json", "example_queries.sql")


def write_guide(root: Root, docs: Path = PROJECT / "docs") -> None:
    """Write those files whose text is not what lies there. Raises OSError."""
    texts = {name: (docs / name).read_text(encoding="utf-8") for name in COPIED}
    texts[README] = render(json.loads(texts[COPIED[0]]))
    folder = root.path / FOLDER
    for name, text in texts.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            folder.mkdir(parents=True, exist_ok=True)
            files.write_text(path, root.staging, text)
    files.remove_tree(root.staging)


def render(schema: dict[str, Any]) -> str:
    """The guide as Markdown; `schema` is what parquet_schema.json holds."""
    rows = [
        f"| `{dataset['name']}` | {dataset['description']} | `{_glob(dataset)}` |"
        for dataset in schema["datasets"]
    ]
    return "\n".join(
        [
            "# Published Parquet",
            "",
            f"{schema['format']}, written by ops-atomic. Days and times are UTC; "
            "`date_partition` is the day. Paths are relative to the root, two "
            "folders up from here.",
            "",
            "| dataset | what | files |",
            "| --- | --- | --- |",
            *rows,
            "",
            "Every column, its type and meaning: [parquet_schema.json]"
            "(parquet_schema.json). Questions to ask: [example_queries.sql]"
            "(example_queries.sql).",
            "",
            "`g/analytics/ops_atomic.duckdb` is a catalogue of all this for DuckDB 1.1 "
            "and later: a view per dataset and mart, and what each column means. To be "
            "run from the root:",
            "",
            "```sh",
            "duckdb -readonly g/analytics/ops_atomic.duckdb < "
            "knowledge/optimize/example_queries.sql",
            "```",
            "",
            "Without it, any tool that reads Parquet will do:",
            "",
            "```sql",
            "select date_partition, count(*) as heartbeats",
            "from read_parquet('g/analytics/ops_atomic_*.parquet')",
            "group by all order by all;",
            "```",
            "",
            "Files are replaced in one step and never half-written. `ops-atomic "
            "validate` checks them, `ops-atomic export` makes those again that are "
            "missing or damaged. Answers are as old as the last run: each night, or "
            "every ten minutes after `ops-atomic agents install --every 10m`. What is "
            "written here by hand is overwritten.",
            "",
        ]
    )


def _glob(dataset: dict[str, Any]) -> str:
    path: str = dataset["path"]
    return path.format(yyyy="*", mm="*", yyyymmdd="*")
