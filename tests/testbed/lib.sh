# Shared by the scripts of this folder: where things live, how to say what happens, and one lock per thing made,
# so that two runs at once make it once.

TESTBED=${XDG_CACHE_HOME:-$HOME/.cache}/ksnapshot/testbed
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$TESTBED/bin" "$TESTBED/lock" "$TESTBED/log"

# Progress goes to stderr: stdout belongs to results.
say() { printf 'testbed: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# once NAME COMMAND…: runs COMMAND while holding the lock NAME. Ends the script when COMMAND fails, as `set -e` wants
# it: caught here, a failure in the middle of COMMAND would go unseen.
once() {
    # Nothing else is local: COMMAND would see it instead of its own.
    local lock
    exec {lock}>"$TESTBED/lock/$1"
    shift
    flock "$lock"
    # `flock` keeps the lock as long as the descriptor is open, so it's closed for what the command starts.
    "$@" {lock}>&-
    exec {lock}>&-
}

# quietly NAME COMMAND…: output goes to a log, shown only when COMMAND fails.
quietly() {
    local log=$TESTBED/log/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "failed: $* (all of it: $log)"
    }
}
