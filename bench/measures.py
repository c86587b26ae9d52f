"""The measures by name, in the order in which they use the roots.

Each runs its sides in turn and adds lines to the table.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.context import Bench
from bench.each_night import exports_alone, new_day, nothing_new
from bench.from_empty import bundles, from_empty, large_file, marts, slope
from bench.outputs import aggregates, sizes, status, validation

MEASURES: dict[str, Callable[[Bench], None]] = {
    "from_empty": from_empty,
    "marts": marts,
    "slope": slope,
    "bundles": bundles,
    "large_file": large_file,
    "nothing_new": nothing_new,
    "exports_alone": exports_alone,
    "new_day": new_day,
    "validate": validation,
    "status": status,
    "aggregates": aggregates,
    "sizes": sizes,
}
