#!/bin/sh
# Makes FOLDER: the example root with all that a run leaves in it (FOLDER/root),
# and the dbt documentation of the project as one page (FOLDER/dbt_docs.html).
set -eu

folder=${1:?usage: scripts/make_example.sh FOLDER}
[ ! -e "$folder" ] || {
    echo "$folder is there already" >&2
    exit 2
}
mkdir -p -- "$folder"
folder=$(cd -P -- "$folder" && pwd -P)
cd -P -- "$(dirname -- "$0")/.."
bin=$PWD/.venv/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cp -R examples/02luka "$folder/root"
# The example's own time, or all of it would be stale.
OPS_ATOMIC_AS_OF=${OPS_ATOMIC_AS_OF:-2025-10-30T00:00:00Z}
export OPS_ATOMIC_AS_OF
"$bin/ops-atomic" export --root "$folder/root"

OPS_ATOMIC_ROOT=$folder/root
DBT_TARGET_PATH=$scratch/target
DBT_LOG_PATH=$scratch/logs
OPS_ATOMIC_DUCKDB=$scratch/docs.duckdb
export OPS_ATOMIC_ROOT DBT_TARGET_PATH DBT_LOG_PATH OPS_ATOMIC_DUCKDB
# The columns and types that the page shows are those of the relations.
"$bin/dbt" --quiet run
"$bin/dbt" --quiet docs generate --static
mv -- "$scratch/target/static_index.html" "$folder/dbt_docs.html"
