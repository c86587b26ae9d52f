#!/bin/sh
# Makes .venv, the project's Python environment, from requirements.lock.
#
# Does nothing when .venv is current. A new one is made beside the old one and
# takes its place when it is complete: an interrupted or failed set-up leaves
# the old one in use, and is not taken for a finished one.
#
# PYTHON=/path/to/python chooses the interpreter.
set -eu

# A folder that is exported as CDPATH would make cd print, and go elsewhere;
# the others would lead Python and pip away from the new environment.
unset CDPATH PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
UV_PYTHON_DOWNLOADS=never
export UV_PYTHON_DOWNLOADS

cd -P -- "$(dirname -- "$0")/.."
project=$(pwd -P)
new=.venv.new.$$
old=.venv.old.$$

# Without a home folder the caches would end up at the root of the disk.
if [ -z "${HOME:-}" ]; then
    PIP_NO_CACHE_DIR=1
    UV_NO_CACHE=1
    export PIP_NO_CACHE_DIR UV_NO_CACHE
fi

# What the environment hangs on: its pins, the commands it brings, how it is
# made, and where it lies, because its scripts name their interpreter in full.
wanted() {
    {
        printf '%s\n' "$project"
        cat requirements.lock pyproject.toml scripts/setup_venv.sh
    } | cksum
}

is_current() {
    [ "$(cat .venv/.ready 2>/dev/null)" = "$(wanted)" ] &&
        .venv/bin/python -c '' 2>/dev/null
}

# Empty for what does not run, as pyenv's shims of versions not chosen.
version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || :
}

# Sets python to the first fitting interpreter, or found to what is there.
# dbt-core 1.11 does not start on 3.14.
find_python() {
    python=
    found=
    for candidate in \
        ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        version=$(version_of "$candidate")
        case $version in
            3.11 | 3.12 | 3.13) ;;
            '')
                found="$found, $candidate that does not run"
                continue
                ;;
            *)
                found="$found, $candidate which is $version"
                continue
                ;;
        esac
        if [ -z "$uv" ] &&
            ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            found="$found, $candidate without its venv module"
            continue
        fi
        python=$candidate
        return
    done
    if [ -n "$uv" ]; then
        python=$(uv python find --no-project '>=3.11,<3.14' 2>/dev/null) || :
    fi
}

say_how_to_get_python() {
    printf '%s\n' \
        'ops-atomic needs Python 3.11, 3.12 or 3.13, and found none.' \
        "Found: ${found:-, no python3 on PATH}" |
        sed 's/^Found: , /Found: /'
    case $(uname -s) in
        Darwin)
            echo 'Get it with:  brew install python@3.13'
            ;;
        *)
            echo 'Get it with:  sudo apt install python3 python3-venv' \
                '(or what your system calls them)'
            ;;
    esac
    echo 'If it lies elsewhere:  make export PYTHON=/path/to/python3.13'
} >&2

make_with_uv() {
    uv venv --quiet --no-project --python "$python" "$new"
    uv pip install --quiet --python "$new/bin/python" --compile-bytecode \
        --require-hashes --requirements requirements.lock
    uv pip install --quiet --python "$new/bin/python" \
        --no-deps --no-build-isolation --editable .
}

make_with_pip() {
    "$python" -m venv "$new"
    set -- "$new/bin/python" -m pip --quiet --disable-pip-version-check install
    "$@" --require-hashes --requirement requirements.lock
    "$@" --no-deps --no-build-isolation --editable .
}

# Scripts were written with the path that the environment is made under.
name_final_path() {
    "$new/bin/python" - "$project/$new" "$project/.venv" <<'PYTHON'
import os
import pathlib
import sys

made, final = (os.fsencode(argument) for argument in sys.argv[1:])
venv = pathlib.Path(sys.argv[1])
for path in [*(venv / "bin").iterdir(), venv / "pyvenv.cfg"]:
    if path.is_file() and not path.is_symlink():
        text = path.read_bytes()
        if b"\0" not in text and made in text:
            path.write_bytes(text.replace(made, final))
PYTHON
}

# Leaves behind what each run would else make of the code for itself. Where that
# fails, the first run makes it.
keep_what_runs_make() {
    # dbt reads neither the caller's settings nor a root.
    env -i "PATH=$PATH" "HOME=$project/$new" DBT_SEND_ANONYMOUS_USAGE_STATS=false \
        "$new/bin/python" -m exporter.set_up >/dev/null 2>&1 || :
}

# Leaves the charts' JavaScript behind, too: to put it together takes a hundred
# MiB. Whoever finds none makes it.
bundle_charts() {
    "$new/bin/python" -c 'import sys
from pathlib import Path

from exporter.dashboard.library import library

library(Path(sys.prefix))' >/dev/null 2>&1 || :
}

# What set-ups that were killed left behind, if they are not still at work.
remove_leftovers() {
    for leftover in .venv.new.* .venv.old.*; do
        kill -0 "${leftover##*.}" 2>/dev/null || rm -rf "$leftover"
    done
}

if is_current; then
    exit 0
fi

uv=$(command -v uv || :)
find_python
if [ -z "$python" ]; then
    say_how_to_get_python
    exit 1
fi

remove_leftovers
trap 'rm -rf "$new" "$old"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "$uv" ]; then
    echo "Setting up .venv with uv ($python)"
    make_with_uv
else
    echo "Setting up .venv with pip ($python); this takes about a minute"
    make_with_pip
fi
keep_what_runs_make
bundle_charts
name_final_path
wanted >"$new/.ready"
# The swap is short: nothing may stop it half-way.
trap '' HUP INT TERM
if [ -e .venv ] || [ -L .venv ]; then
    mv .venv "$old"
fi
mv "$new" .venv
