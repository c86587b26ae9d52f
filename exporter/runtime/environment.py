"""The Python environment that the command runs in, and what is kept there."""

from __future__ import annotations

import sys
from pathlib import Path

ENVIRONMENT = Path(sys.prefix)
# What is made once of the code and the packages, for all roots.
KEPT = ENVIRONMENT / "share" / "ops-atomic"
