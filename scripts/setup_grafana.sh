#!/bin/sh
# Makes .venv-grafana: the DuckDB that Grafana's plugin embeds, for the test that
# asks it every SQL of the dashboard. Does nothing when it is current.
set -eu

unset CDPATH PYTHONPATH PYTHONHOME
cd -P -- "$(dirname -- "$0")/.."
lock=tests/grafana/requirements.lock
place=.venv-grafana
cmp -s "$lock" "$place/requirements.lock" && exit

.venv/bin/python -m venv --clear --without-pip "$place"
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$place/bin/python" --require-hashes \
        --requirement "$lock"
else
    .venv/bin/python -m pip --python "$place/bin/python" --quiet \
        --disable-pip-version-check install --require-hashes --requirement "$lock"
fi
cp "$lock" "$place/requirements.lock"
