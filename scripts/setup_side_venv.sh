#!/bin/sh
# Makes an environment beside .venv, from a lock of its own:
#
#     scripts/setup_side_venv.sh PLACE LOCK [--with-project]
#
# Does nothing when it is current. What was interrupted is made again.
set -eu

unset CDPATH PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
cd -P -- "$(dirname -- "$0")/.."
place=$1
lock=$2
with_project=${3:-}

# Without a home folder the caches would end up at the root of the disk.
if [ -z "${HOME:-}" ]; then
    PIP_NO_CACHE_DIR=1
    UV_NO_CACHE=1
    export PIP_NO_CACHE_DIR UV_NO_CACHE
fi

wanted() {
    {
        pwd -P
        cat "$lock" scripts/setup_side_venv.sh
        [ -z "$with_project" ] || cat pyproject.toml
    } | cksum
}

install() {
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$place/bin/python" "$@"
    else
        # An old pip would otherwise run a setup.py, which setuptools no longer does.
        .venv/bin/python -m pip --python "$place/bin/python" --quiet \
            --disable-pip-version-check install --use-pep517 "$@"
    fi
}

if [ "$(cat "$place/.ready" 2>/dev/null)" = "$(wanted)" ] &&
    "$place/bin/python" -c '' 2>/dev/null; then
    exit
fi

echo "Setting up $place"
.venv/bin/python -m venv --clear --without-pip "$place"
if [ -n "$with_project" ]; then
    # What comes as source is built by the setuptools of the lock, not by one that
    # is fetched for it without a hash.
    sed -n '/^setuptools==/,/[^\\]$/p' "$lock" >"$place/build.lock"
    install --require-hashes --requirement "$place/build.lock"
    install --require-hashes --no-build-isolation --requirement "$lock"
    install --no-deps --no-build-isolation --editable .
else
    install --require-hashes --requirement "$lock"
fi
wanted >"$place/.ready"
