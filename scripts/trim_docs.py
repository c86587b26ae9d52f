"""Takes unit tests out of the documentation's graph: their models stand there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KIND = "unit_test."


def trimmed(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest of dbt without its unit tests."""
    maps = {
        name: {
            node: [other for other in others if not other.startswith(KIND)]
            for node, others in manifest[name].items()
            if not node.startswith(KIND)
        }
        for name in ("parent_map", "child_map")
    }
    return manifest | maps | {"unit_tests": {}}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(trimmed(manifest)), encoding="utf-8")
