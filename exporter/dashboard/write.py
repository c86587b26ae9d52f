"""Write the pages and the API's files of a root, each in one step."""

from __future__ import annotations

import json
import os
from pathlib import Path

from exporter.answers.ask import Answers
from exporter.answers.settings import public_names
from exporter.dashboard.documents import documents
from exporter.dashboard.library import library
from exporter.dashboard.page import packed, render, script
from exporter.dashboard.public import public_data
from exporter.runtime.machine import machine_name
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root

SHARED = ("dom.js", "bars.js")
OWN = ("shown.js", "charts.js", "index.js")


def dashboard_path(root: Root) -> Path:
    """Where the page of a root lies."""
    return root.reports / "dashboard" / "index.html"


def write_dashboard(answers: Answers, output: Path | None = None) -> Path:
    """Make the page, the public page and the API's files; returns the page's path.

    With `output` only the page, there. Raises OSError, and duckdb.Error where a
    published file cannot be read: what was there then stays.
    """
    root = answers.root
    found = documents(answers, machine_name(root), utc_now())
    incidents = answers.rows("incidents")
    data = {name: packed(document) for name, document in found.items()}
    scripts = [library(root.state / "answers"), script(*SHARED, *OWN)]
    page = render("index", data, scripts)
    if output is not None:
        _write(output, page)
        return output
    place = dashboard_path(root)
    for name, document in found.items():
        text = json.dumps(document, ensure_ascii=False)
        _write(place.parent / "api" / f"{name}.json", f"{text}\n")
    public = packed(public_data(found, incidents, public_names(root)))
    public_page = render("status", public, [script(*SHARED, "status.js")])
    _write(place.with_name("status.html"), public_page)
    _write(place, page)
    return place


def _write(place: Path, text: str) -> None:
    """Replace a file in one step; nothing waits for the disk, it can be made again."""
    place.parent.mkdir(parents=True, exist_ok=True)
    files.refuse_what_is_no_file(place)
    with files.write_aside(place.parent, place.name) as made:
        made.write_bytes(text.encode("utf-8", "replace"))
        os.replace(made, place)
