#!/bin/bash
# demo.sh: dump, list, verify and restore, on a PostgreSQL 15 that is made for the purpose and gone afterwards.
#
# On a fresh Debian 12 it installs what is missing. Needs root, cargo and python3. Leaves no process and no folder.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1-}" != inside ]; then
    tests/testbed/install
    export CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/ksnapshot/target
    echo 'Building ksnapshot (some minutes the first time) …'
    cargo build --release -q -p ksnapshot-cli
    exec tests/testbed/with-postgres 15 tests/demo.sh inside
fi

tests=$PWD/tests
export PATH=$CARGO_TARGET_DIR/release:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

tell() { printf '\n%s\n' "── $* "; }

# Shows a command as a person would type it, then runs just that.
show() {
    printf '\n%s$ %s%s\n' "$bold" "$1" "$plain"
    bash -o pipefail -c "$1"
}

tell 'A web shop: 320,000 rows, with views, functions, triggers, partitions, large objects'
psql -Xqc 'create database shop' postgres
psql -Xq -v ON_ERROR_STOP=1 -f "$tests/sql/shop.sql" shop >/dev/null
url=postgres://postgres@127.0.0.1:$PGPORT

tell 'A key: its public half encrypts, its secret half stays where restores are made'
show 'ksnapshot keygen --output backup.key'
recipient=$(age-keygen -y backup.key)

tell 'Dump (the password is in PGPASSWORD): the id on stdout, three objects in the folder'
show "ksnapshot dump $url/shop --to ./backups --recipient $recipient"
show 'find backups -type f'

tell 'What is there'
show 'ksnapshot list ./backups'
show 'ksnapshot inspect ./backups'

tell 'Three levels of proof: the bytes, the content, a real restore into a scratch database'
show 'ksnapshot verify ./backups'
show 'ksnapshot verify ./backups --level decode --identity backup.key'
show "ksnapshot verify ./backups --level restore --identity backup.key --scratch $url/postgres"

tell 'All of it back, into a new database'
show "ksnapshot restore ./backups --into $url/restored --create --identity backup.key"

tell 'One table, read from the encrypted snapshot without the rest'
show "ksnapshot restore ./backups --into $url/one --create --identity backup.key --table reviews"
show "psql -c 'select stars, count(*) from reviews group by stars order by stars' one"
show 'ksnapshot cat ./backups --identity backup.key --table reviews | head -n 60'

tell 'Without ksnapshot: only age, zstd and psql'
psql -Xqc 'create database by_hand' postgres
show 'age -d -i backup.key $(find backups -name "*.sql.zst.age") | zstd -d | psql -Xq -v ON_ERROR_STOP=1 by_hand >/dev/null'

tell 'Proof: the definitions by pg_dump and the rows by sorted hashes are those of the original'
facts() {
    pg_dump --schema-only --restrict-key=demo "$1"
    PGDATABASE=$1 "$tests/testbed/row-hashes"
    psql -XqAtc 'select oid, pg_get_userbyid(lomowner), md5(lo_get(oid)) from pg_largeobject_metadata order by 1' "$1"
    psql -XqAt "$1" <<'SQL'
select format('select %L, last_value, is_called from %s', oid::regclass, oid::regclass)
from pg_class where relkind = 'S' order by oid::regclass::text \gexec
SQL
}
facts shop >shop.facts
for db in restored by_hand; do
    facts "$db" >"$db.facts"
    diff -u shop.facts "$db.facts" | head -n 50
    printf '%s equals shop: %s\n' "$db" "$(sha256sum <"$db.facts" | cut -c1-16)"
done
PGDATABASE=restored "$tests/testbed/row-hashes" | awk '{ rows += $2 } END { print NR " tables, " rows " rows compared" }'
printf '\nDone. Server and folder of this demo are removed now.\n'
