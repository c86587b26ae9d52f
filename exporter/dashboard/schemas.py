"""The JSON schemas of the API's documents, from the answers themselves.

`python -m exporter.dashboard.schemas` writes them to `docs/api/`; `make schema`
does so, too.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from exporter.answers.ask import HERE, Answers
from exporter.dashboard.documents import DOCUMENTS, LONGEST, VERSION, is_cut
from ingest import files
from ingest.root import PROJECT, Root

FOLDER = PROJECT / "docs" / "api"
TIME = {"type": "string", "format": "date-time"}
TYPES: dict[str, dict[str, Any]] = {
    "BIGINT": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "DATE": {"type": "string", "format": "date"},
    "DOUBLE": {"type": "number"},
    "TIMESTAMP": TIME,
    "VARCHAR": {"type": "string", "maxLength": LONGEST},
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each document by its name."""
    said = yaml.safe_load((HERE / "columns.yml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as empty, Answers(Root(Path(empty))) as answers:
        return {name: _schema(name, answers, said) for name in DOCUMENTS}


def _schema(
    name: str, answers: Answers, said: dict[str, dict[str, str]]
) -> dict[str, Any]:
    document = DOCUMENTS[name]
    properties: dict[str, Any] = {
        "version": {"const": VERSION, "description": "Of the document's format."},
        "generated_at": {**TIME, "description": "When it was written, UTC."},
        "as_of": {**TIME, "description": "The present moment that it goes by, UTC."},
        "machine": {"type": "string", "description": "Its name."},
    }
    for part, answer in document.parts.items():
        meaning = said["shared"] | said.get(answer, {})
        one: dict[str, Any] = {
            "type": "object",
            "properties": {
                column: _cell(kind, meaning[column])
                for column, kind in answers.columns(answer).items()
            },
        }
        one["required"] = list(one["properties"])
        grain = _grain(answer)
        if answer == "status":
            properties[part] = {**one, "description": grain}
            continue
        properties[part] = {"type": "array", "description": grain, "items": one}
        if is_cut(answer):
            properties[f"{part}_in_all"] = {
                "type": "integer",
                "description": f"How many there are; the first of them are in {part}.",
            }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": document.title,
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _cell(kind: str, description: str) -> dict[str, Any]:
    cell = TYPES[kind]
    return {**cell, "type": [cell["type"], "null"], "description": description}


def _grain(answer: str) -> str:
    """What the comment at the top of an answer's SQL says."""
    lines = (HERE / f"{answer}.sql").read_text(encoding="utf-8").splitlines()
    comment = []
    for line in lines:
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    return " ".join(comment)


def write_schemas(folder: Path = FOLDER) -> None:
    """Write them, a file each."""
    folder.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        files.write_text(folder / f"{name}.schema.json", folder, text)


if __name__ == "__main__":
    write_schemas()
