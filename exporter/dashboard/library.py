"""The charts' JavaScript, as the registry package vl-convert brings it."""

from __future__ import annotations

import contextlib
import os
from importlib.metadata import version
from pathlib import Path

from exporter.runtime.environment import KEPT
from ingest import files

PACKAGE = "vl-convert-python"
# All that the pages use of it.
EXPOSED = "window.vegaEmbed = vegaEmbed;"


def library(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    To put it together takes a second or two: it is kept beside the installed
    packages, by the version of the one it comes from, or in `folder` where these
    cannot be written.
    """
    name = f"vega.{version(PACKAGE)}.js"
    places = (KEPT / name, folder / name)
    for place in places:
        with contextlib.suppress(OSError, ValueError):
            return place.read_text(encoding="utf-8")
    text = _bundled()
    for place in places:
        if _keep(place, text):
            break
    return text


def _bundled() -> str:
    import vl_convert

    # Its names are its own, and in no script may stand what would end it.
    bundle = vl_convert.javascript_bundle(EXPOSED).replace("</script", "<\\/script")
    return f"(() => {{{bundle}\n}})();"


def _keep(place: Path, text: str) -> bool:
    """Whether it could be kept there."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with files.write_aside(place.parent, place.name) as made:
            made.write_text(text, encoding="utf-8")
            os.replace(made, place)
        for other in place.parent.glob("vega.*.js"):
            if other != place:
                other.unlink()
    except OSError:
        return False
    return True
