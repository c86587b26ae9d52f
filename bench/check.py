"""Whether two ways of publishing hold the same rows.

python -m bench.check ROOT OUT: our files under ROOT against a peer's in OUT.
"""

from __future__ import annotations

import sys

import duckdb

OURS = {
    "ops_atomic": "g/analytics/ops_atomic_*.parquet",
    "heartbeat_checks": "g/analytics/heartbeat_checks/*.parquet",
    "query_perf": "knowledge/optimize/parquet/query_perf/*/*/*.parquet",
}


def differences(root: str, out: str) -> dict[str, int]:
    """Rows per dataset that only one of the two has."""
    found = {}
    with duckdb.connect() as db:
        for name, pattern in OURS.items():
            ours = f"from read_parquet('{root}/{pattern}', hive_partitioning = false)"
            columns = [row[0] for row in db.execute(f"describe {ours}").fetchall()]
            types = [row[1] for row in db.execute(f"describe {ours}").fetchall()]
            cells = ", ".join(
                f'"{c}"::{t} as "{c}"' for c, t in zip(columns, types, strict=True)
            )
            theirs = (
                f"select {cells} from read_parquet('{out}/{name}/**/*.parquet', "
                "hive_partitioning = false)"
            )
            (found[name],) = db.execute(
                f"select (select count(*) from (({ours}) except all ({theirs}))) "
                f"+ (select count(*) from (({theirs}) except all ({ours})))"
            ).fetchall()[0]
    return found


if __name__ == "__main__":
    wrong = differences(sys.argv[1], sys.argv[2])
    sys.stdout.write(", ".join(f"{k}: {v}" for k, v in wrong.items()) + "\n")
    sys.exit(1 if any(wrong.values()) else 0)
