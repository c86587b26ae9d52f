"""Stock dbt-duckdb: `external` models over all history, each night anew.

The heartbeats are taken apart in Python first, as in the other scripts:
DuckDB's read_text over so many small files would be slower.

python -m bench.peers.external_run ROOT OUT
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.peers.heartbeats import flatten
from bench.peers.script import query_perf

PROJECT = Path(__file__).with_name("external")


def main(root: str, out: str) -> int:
    """Flatten the heartbeats, then `dbt build` the three external models."""
    flatten(root, out)
    os.environ["BENCH_OUT"] = out
    os.environ["BENCH_QUERY_PERF"] = query_perf(root)
    from dbt.cli.main import dbtRunner

    arguments = ["--quiet", "build", "--project-dir", str(PROJECT)]
    arguments += ["--profiles-dir", str(PROJECT), "--target-path", f"{out}.target"]
    arguments += ["--log-path", f"{out}.logs"]
    return 0 if dbtRunner().invoke(arguments).success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
