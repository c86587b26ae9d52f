#!/bin/sh
# Runs the project's checks one after the other and stops at the first that
# fails. `make test` runs them all; names of stages choose some.
#
# Each stage is one command, or several joined by &&: `set -e` does not hold in
# a condition. Nothing is written into the checkout but the tools' own caches:
# dbt works on copies of roots, in temporary folders.
set -eu

cd -P -- "$(dirname -- "$0")/.."
bin=$PWD/.venv/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

unset OPS_ATOMIC_ROOT OPS_ATOMIC_NOTIFY OPS_ATOMIC_PING_URL OPS_ATOMIC_REPORT
DO_NOT_TRACK=1
DBT_SEND_ANONYMOUS_USAGE_STATS=false
export DO_NOT_TRACK DBT_SEND_ANONYMOUS_USAGE_STATS

check_sqlfluff() {
    # An empty root: only the models' own text is compiled.
    mkdir -p "$scratch/root" &&
        OPS_ATOMIC_ROOT=$scratch/root DBT_TARGET_PATH=$scratch/target \
            DBT_LOG_PATH=$scratch/logs "$bin/sqlfluff" lint models tests/dbt
}

check_ruff() {
    "$bin/ruff" check . && "$bin/ruff" format --check .
}

check_mypy() {
    "$bin/mypy"
}

# Shell has no types: shellcheck where there is one.
check_shellcheck() {
    if ! command -v shellcheck >/dev/null 2>&1; then
        echo 'skipped: there is no shellcheck on PATH'
        [ -z "${REQUIRE_TOOLS:-}" ]
        return
    fi
    shellcheck scripts/*.sh launchagents/*.sh .ci/run
}

# By the public schema of workflows, which comes with the tool.
check_workflows() {
    "$bin/check-jsonschema" --builtin-schema vendor.github-workflows \
        .github/workflows/*.yml
}

# Unit and integration tests: dbt on the samples, the example and nothing, the
# commands of the README on a fresh copy. In a zone far from UTC, because nothing
# may hang on the local one.
check_pytest() {
    TZ=Asia/Bangkok "$bin/pytest" --quiet --numprocesses auto --dist worksteal \
        "$@"
}

# The same with the share of branches that they go through: measuring it takes as
# long again.
check_coverage() {
    check_pytest --cov --cov-report term
}

run() {
    printf '\n==> %s\n' "$1"
    began=$(date +%s)
    if "check_$1"; then
        printf '==> %s: passed in %s s\n' "$1" "$(($(date +%s) - began))"
    else
        printf '\n✗ failed at: %s\n' "$1" >&2
        exit 1
    fi
}

[ $# -gt 0 ] || set -- sqlfluff ruff mypy shellcheck workflows pytest
for stage; do
    case $stage in
        sqlfluff | ruff | mypy | shellcheck | workflows | pytest | coverage)
            run "$stage"
            ;;
        *)
            echo "check.sh: there is no stage $stage" >&2
            exit 2
            ;;
    esac
done
printf '\n✓ all checks passed\n'
