# Shared by the scripts of this folder: where the cluster's parts and the state of one that runs are. Sourced first.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
CLUSTER=$TESTBED/cluster
BIN=$CLUSTER/bin

# Of one cluster; another one at the same time needs another folder and another port.
RUN=${KN_RUN:-$CLUSTER/run}
# The API is always at https://127.0.0.1:$PORT, on this machine and in the cluster's network.
PORT=${KN_PORT:-6443}
# node: pods really run; api: the control plane alone.
MODE=${KN_MODE:-node}
# Of the node; there is no such address outside the cluster's network.
NODE_IP=10.244.0.1

export PATH=$BIN:$PATH

# with_libraries FOLDER PROGRAM…: copies what the loader needs for these, under the paths where it is.
with_libraries() {
    local folder=$1 file
    shift
    ldd "$@" | grep -o '/[^ ]* (0x' | sed 's/ (0x$//' | sort -u | while read -r file; do
        [ -e "$folder$file" ] || install -D -m 755 "$file" "$folder$file"
    done
}
