# Shared by `mysql`, `mariadb` and what uses their servers: which there are, and how a root becomes one that starts
# servers. Sourced after lib.sh.
#
# A root holds, below its my/: `template`, a fresh data folder; `tls`, a certificate; one `run-…` a running server. A
# server runs in its root by chroot, as a user without rights, as PostgreSQL does. Below clients/ are programs for use
# from outside.

# Of every server that runs here, in template and test alike. A crash of the machine may lose what a test wrote.
served=(--no-defaults --skip-name-resolve --lc-time-names=en_US --innodb-use-native-aio=0
    --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0 --sync-binlog=0)

# family NAME: sets the root, the server's program and its own options of mysql57, …, mariadb118.
family() {
    name=$1 root=$TESTBED/roots/$1
    case $name in
    mysql57) program=/mysql/bin/mysqld own=(--basedir=/mysql --secure-file-priv=) ;;
    # X would listen on a port of its own.
    mysql80) program=/mysql/bin/mysqld own=(--basedir=/mysql --secure-file-priv= --mysqlx=0) ;;
    mysql97) program=/usr/sbin/mysqld own=(--secure-file-priv= --mysqlx=0) ;;
    mariadb105 | mariadb1011 | mariadb118) program=/usr/sbin/mariadbd own=() ;;
    *) die "no recipe for $name: mysql57, mysql80, mysql97, mariadb105, mariadb1011, mariadb118" ;;
    esac
}

# fetch NAME: makes the root, if it isn't there.
fetch() {
    case $1 in
    mysql*) "$HERE/mysql" "$1" ;;
    *) "$HERE/mariadb" "$1" ;;
    esac
}

# inside PROGRAM ARG…: becomes PROGRAM in the root, without rights.
inside() {
    exec chroot "$root" /usr/bin/setpriv --reuid=65533 --regid=65533 --clear-groups --pdeathsig QUIT "$@"
}

# certificate: for TLS, of its own authority, for the loopback address.
certificate() {
    mkdir -p "$root/my/tls"
    (
        cd "$root/my/tls"
        # RSA: what 5.7 was built with has no other.
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=ksnapshot-tests \
            -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out server.crt \
            -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1')
        rm -f server.csr ca.key ca.srl
        chown 65533:65533 server.key
        chmod 600 server.key
    ) >"$TESTBED/log/$name-tls.log" 2>&1 || die "openssl failed: $TESTBED/log/$name-tls.log"
}

# serve DATA ARG…: a server without network on the folder DATA (as the root sees it), with its socket beside it;
# returns when it's ready. `server` is its process, to be ended by `stop`.
serve() {
    local data=$1 deadline=$((SECONDS + 60))
    shift
    log=$TESTBED/log/$name-serve-${data##*/}.log
    (inside "$program" "${served[@]}" "${own[@]}" --datadir="$data" --socket="$data.sock" --pid-file="$data.pid" \
        --skip-networking "$@") </dev/null >"$log" 2>&1 &
    server=$!
    trap 'kill -KILL $server 2>/dev/null' EXIT
    until grep -q 'ready for connections' "$log"; do
        kill -0 $server 2>/dev/null || die "server ended: $log"
        [ $SECONDS -lt $deadline ] || die "server isn't ready: $log"
        sleep 0.05
    done
}

stop() {
    kill -TERM $server
    wait $server || die "server didn't stop cleanly: $log"
    trap - EXIT
}

# first_start: the root's user, and what every copy of the template would else do for itself.
first_start() {
    # By TCP with a password, which is asked for; by the socket without.
    cat >"$root/my/first.sql" <<'SQL'
create user 'root'@'%' identified by 'correct horse';
grant all on *.* to 'root'@'%' with grant option;
SQL
    # Without a binlog: a copy begins its own.
    case $name in
    mariadb*)
        # Else root needs no password by TCP, and who has no name gets in, too.
        sed -i "1i delete from mysql.global_priv where user = '' or host <> 'localhost';\\nflush privileges;" \
            "$root/my/first.sql"
        serve /my/template --init-file=/my/first.sql --skip-log-bin
        ;;
    *) serve /my/template --init-file=/my/first.sql --skip-log-bin --server-id=1 ;;
    esac
    stop
    rm -f "$root/my/first.sql" "$root/my/template/auto.cnf" "$root/my/template/ib_buffer_pool"
    # Redo logs are mostly empty: holes are copied in no time.
    find "$root/my/template" -type f -size +1M -exec fallocate --dig-holes {} ';'
}

# What lets programs of MariaDB log in as MySQL 8 wants it.
connectors='MARIADB_PLUGIN_DIR="$root/usr/lib/x86_64-linux-gnu/libmariadb3/plugin"'

# client NAME PROGRAM [VARIABLE=VALUE]…: clients/NAME runs PROGRAM of this root by the root's own loader and libraries,
# while the files are the machine's.
client() {
    local as=$1 bin=$2 argv0='--argv0 "$bin"'
    shift 2
    # Before glibc 2.33 a loader can't be told the name.
    "$root/lib64/ld-linux-x86-64.so.2" --help 2>&1 | grep -q -- --argv0 || argv0=
    mkdir -p "$root/clients"
    cat >"$root/clients/$as" <<CLIENT
#!/bin/sh
root=\${0%/clients/*}
bin=\$root$bin
$(for variable; do printf 'export %s\n' "$variable"; done)
exec "\$root/lib64/ld-linux-x86-64.so.2" --library-path "\$root/usr/lib/x86_64-linux-gnu" $argv0 "\$bin" "\$@"
CLIENT
    chmod 755 "$root/clients/$as"
}

# borrow NAME ROOT: clients/NAME is that of another root.
borrow() {
    mkdir -p "$root/clients"
    printf '#!/bin/sh\nexec "${0%%/*/clients/*}/%s/clients/%s" "$@"\n' "$2" "$1" >"$root/clients/$1"
    chmod 755 "$root/clients/$1"
}
