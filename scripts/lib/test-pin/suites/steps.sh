#!/bin/sh
# Runs a suite in an empty home. Leaves in $RESULTS a file for each of its steps: what the
# step printed, and its exit status.
#
#   steps.sh SUITE
set -eu
export LC_ALL=C

# step NAME COMMAND...
step() {
    step=$(echo "$1" | tr / %)
    shift
    status=0
    "$@" >"$RESULTS/$step" 2>&1 </dev/null || status=$?
    echo "exit $status" >>"$RESULTS/$step"
}

# files PATH...: prints each file with its type, its mode and what it holds.
files() {
    find "$@" -printf '%p %y %m %l\n' | sort
    find "$@" -type f -exec sha256sum {} + | sort
}

# shellcheck source=/dev/null
. "$1"
