"""Pages of one file each: texts, styles, scripts and data put together.

What comes from outside stands in one block of JSON only, which no browser runs;
the scripts put it into the page as text, never as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "page"
# What HTML, or an old JavaScript, could take for more than text.
ESCAPES = {
    ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029\u202a\u202b\u202c"
    "\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
}  # fmt: skip


def render(name: str, data: dict[str, Any], scripts: Iterable[str]) -> str:
    """The page `name` with the scripts, in their order, and the data they show.

    Its policy allows these very scripts and styles and nothing else: no request,
    no `eval`, no handler in an attribute.
    """
    scripts = list(scripts)
    styles = [
        text_of(style) for style in ("base.css", f"{name}.css") if _is_there(style)
    ]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    parts = {
        "<!--head-->": text_of("head.html").rstrip(),
        "<!--policy-->": (
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        ),
        "<!--styles-->": "\n".join(f"<style>{text}</style>" for text in styles),
        "<!--data-->": (
            f'<script type="application/json" id="data">{in_html(data)}</script>'
        ),
        "<!--scripts-->": "\n".join(f"<script>{text}</script>" for text in scripts),
    }
    page = text_of(f"{name}.html")
    for mark, text in parts.items():
        before, _, after = page.partition(mark)
        page = f"{before}{text}{after}"
    return page


def in_html(data: dict[str, Any]) -> str:
    """JSON that is nothing else to a browser, whatever texts stand in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.translate(ESCAPES).encode("utf-8", "replace").decode()


def packed(document: dict[str, Any]) -> dict[str, Any]:
    """A document whose lists of rows name their columns once.

    `[{"a": 1}, {"a": 2}]` becomes `{"columns": ["a"], "rows": [[1], [2]]}`.
    """
    return {
        name: {
            "columns": list(part[0]),
            "rows": [list(row.values()) for row in part],
        }
        if isinstance(part, list) and part
        else part
        for name, part in document.items()
    }


def script(*names: str) -> str:
    """Parts of the pages' JavaScript as one script, its names its own."""
    parts = "\n".join(map(text_of, names))
    return f'(() => {{\n"use strict";\n{parts}}})();'


def text_of(name: str) -> str:
    """A part of the pages."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _is_there(name: str) -> bool:
    return (FOLDER / name).exists()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
