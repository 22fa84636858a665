#!/bin/bash
# mutants.sh [NAME…]: proves that the tests of docs/faults.md can fail. Each patch of tests/mutants breaks one protection;
# its first line names the tests that must turn red. All of them, or those whose file names begin with a NAME.
#
# Works on a clone of HEAD in the cache, never in this tree. The clone keeps its place and its build, so that a patch
# rebuilds only what it touches; dependencies come from the build that is there.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ksnapshot
tree=$cache/mutants/tree
log=$cache/mutants/log
export CARGO_TARGET_DIR=$cache/mutants/target CARGO_INCREMENTAL=1 RUST_BACKTRACE=0

die() { printf 'mutants: %s\n' "$*" >&2; exit 1; }

# Our own crates are built quickly and run slowly; everything else as ever.
profile=()
for crate in core storage dumpers operator cli tests; do
    profile+=(--config "profile.release.package.ksnapshot-$crate.opt-level=0")
done

# build: 0 when all was built; the test program is then in $it.
build() {
    (
        cd "$tree"
        cargo build --release "${profile[@]}" -p ksnapshot-cli
        cargo test --release "${profile[@]}" -p ksnapshot-tests --test it --no-run
    ) >"$log/build" 2>&1 || return 1
    it=$(sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log/build" | tail -n 1)
    [ -x "$it" ]
}

# tests FILE NAME…: runs just these; what they said is in the file.
tests() {
    local out=$1
    shift
    (cd "$tree/tests" && timeout --kill-after=5s 300 "$it" --exact "$@") >"$out" 2>&1
}

named() { sed -n '1s/^Tests: //p' "$1"; }

mkdir -p "$log"
exec {lock}>"$cache/mutants/lock"
flock -n "$lock" || die "another run is under way"

[ -d "$tree/.git" ] || git clone -q --shared --no-checkout "$repo" "$tree"
git -C "$tree" fetch -q "$repo" HEAD
git -C "$tree" checkout -qf --detach FETCH_HEAD
git -C "$tree" clean -fdq

if [ ! -d "$CARGO_TARGET_DIR/release" ] && [ -d "$cache/target/release" ]; then
    mkdir -p "$CARGO_TARGET_DIR/release"
    for part in deps build .fingerprint; do
        # Files come and go while another build is under way; what is not whole is built.
        cp -a --reflink=auto "$cache/target/release/$part" "$CARGO_TARGET_DIR/release/" 2>"$log/copy" || true
    done
    find "$CARGO_TARGET_DIR/release" -mindepth 2 -maxdepth 2 \( -name '*ksnapshot*' -o -name 'it-*' \) -exec rm -rf {} +
fi

patches=()
for patch in "$repo"/tests/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    [ $# = 0 ] && patches+=("$patch")
    for wanted; do
        [[ $name == "$wanted"* ]] && patches+=("$patch")
    done
done
[ ${#patches[@]} -gt 0 ] || die "no such patch"

# A test that is red without its patch proves nothing.
printf 'mutants: building\n' >&2
build || { tail -n 30 "$log/build" >&2; die "HEAD doesn't build"; }
mapfile -t all < <(for patch in "${patches[@]}"; do named "$patch" | tr ' ' '\n'; done | sort -u)
printf 'mutants: %d patches; their %d tests without any\n' "${#patches[@]}" "${#all[@]}" >&2
tests "$log/without" "${all[@]}" || { tail -n 60 "$log/without" >&2; die "red without a patch"; }
grep -q "^running ${#all[@]} tests\?$" "$log/without" || die "a patch names a test that isn't there"

bad=0
row() { printf '%-34s %-8s %4s s  %s\n' "$@"; }
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    read -ra wanted < <(named "$patch")
    start=$SECONDS
    if [ ${#wanted[@]} = 0 ]; then
        result='no tests'
    elif ! git -C "$tree" apply "$patch" 2>"$log/$name"; then
        result='STALE'
    elif ! build; then
        result='NO BUILD'
        cp "$log/build" "$log/$name"
    elif tests "$log/$name" "${wanted[@]}"; then
        result='GREEN'
    elif ! grep -q "^test result: FAILED. 0 passed; ${#wanted[@]} failed;" "$log/$name"; then
        # Only some of them failed, or the program itself did.
        result='PARTLY'
    else
        result='red'
    fi
    git -C "$tree" checkout -qf .
    [ "$result" = red ] || bad=$((bad + 1))
    row "$name" "$result" $((SECONDS - start)) "${wanted[*]}"
done

if [ "$bad" = 0 ]; then
    printf '\nall %d are red\n' "${#patches[@]}"
else
    printf '\n%d of %d are not red; what was said is in %s\n' "$bad" "${#patches[@]}" "$log"
    exit 1
fi
