#!/bin/sh
# What launchd and systemd start: the nightly export, or another job by its name.
#
# Arguments are passed on to `ops-atomic export`, or to that job. Relies on nothing from the
# environment: launchd gives a job next to none.
set -eu

# A folder that is exported as CDPATH would make cd print, and go elsewhere.
unset CDPATH
PATH=${PATH:-/usr/bin:/bin:/usr/sbin:/sbin}
export PATH

self=$0
case $self in
    */*) ;;
    *) self=./$self ;;
esac

# Link by link, because macOS before 12.3 has no `readlink -f`.
while [ -L "$self" ]; do
    target=$(readlink -- "$self")
    case $target in
        /*) self=$target ;;
        *) self=${self%/*}/$target ;;
    esac
done

project=$(cd -P -- "${self%/*}/.." && pwd -P)
venv=$project/.venv

# 78 is EX_CONFIG, the code launchd itself gives to a job that is not set up.
fail() {
    printf '%s\n' "run_export.sh: $1" "make it with:  make -C \"$project\" venv" >&2
    exit 78
}

[ -x "$venv/bin/ops-atomic" ] || fail "there is no $venv/bin/ops-atomic"
# An upgrade of the system's Python leaves a link that leads nowhere.
if [ -L "$venv/bin/python" ] && [ ! -x "$venv/bin/python" ]; then
    fail "$venv is broken, its Python is gone"
fi

# So that run_log tells its runs from those by hand.
OPS_ATOMIC_STARTED_BY=agent
export OPS_ATOMIC_STARTED_BY

case ${1:-} in
    monitor | rotate | daily | optimize | digest) exec "$venv/bin/ops-atomic" "$@" ;;
esac

# Both agents may start at once, at login or on waking: one waits for the other.
exec "$venv/bin/ops-atomic" export --wait 600 --timeout 600 "$@"
