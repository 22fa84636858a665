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

# suite_apt SUITE: sets `apt` to a command that knows the packages of a Debian suite and nothing of this machine's, and
# `state` to its folder. The suite is read through the machine's own source list with the name of the suite replaced, so
# that a mirror configured here is the mirror used.
suite_apt() {
    local suite=$1 list=/etc/apt/sources.list.d/debian.sources
    state=$TESTBED/apt/$suite
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    [ -e "$state/status" ] || : >"$state/status"
    [ -e "$list" ] || die "no $list: this machine is not a Debian 12 with sources in that form"
    if [ "$suite" = bookworm ]; then
        cp "$list" "$state/s.sources"
    else
        awk 'BEGIN { RS = "" } NR == 1' "$list" | sed -E "s/^Suites:.*/Suites: $suite/" >"$state/s.sources"
    fi
    apt=(apt-get -q
        -o "Dir::Etc::sourcelist=$state/s.sources" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache"
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Languages=none)
}
