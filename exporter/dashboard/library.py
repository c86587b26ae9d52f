"""The charts' JavaScript, as the registry package vl-convert brings it."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

from ingest import files

PACKAGE = "vl-convert-python"
# All that the pages use of it.
EXPOSED = "window.vegaEmbed = vegaEmbed;"


def library(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    To put it together takes a second or two: it is kept in `folder`, by the
    package's version, where that can be written.
    """
    kept = folder / f"vega.{version(PACKAGE)}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except (OSError, ValueError):
        import vl_convert

        # Its names are its own, and in no script may stand what would end it.
        bundle = vl_convert.javascript_bundle(EXPOSED).replace("</script", "<\\/script")
        text = f"(() => {{{bundle}\n}})();"
        _keep(kept, text)
        return text


def _keep(place: Path, text: str) -> None:
    try:
        with files.write_aside(place.parent, place.name) as made:
            made.write_text(text, encoding="utf-8")
            os.replace(made, place)
        for other in place.parent.glob("vega.*.js"):
            if other != place:
                other.unlink()
    except OSError:
        return
