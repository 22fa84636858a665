//! The words of mysqldump and mariadb-dump.

use super::read::Means::{self, Done, DoneIf, Moot, Names, Not, Ours, OursForEach, OursWith};
use super::read::Takes::{self, Maybe, Nothing, Switch, Value};
use super::read::{Dialect, Row};

/// mysqldump, of MySQL 5.7 to 9 and of MariaDB.
pub(super) const DIALECT: Dialect = Dialect {
    program: "mysqldump",
    rows: ROWS,
    mysql: true,
    names: "Name databases after --databases and tables after --tables, or by the annotations databases and tables.",
};

const REACHED: Means = Means::Refused(
    "how the server is reached, and as whom, is said by variables of their own",
    "Set MYSQL_HOST, MYSQL_PORT, MYSQL_USERNAME and MYSQL_PASSWORD.",
);
const FILES: Means = Means::Refused(
    "a snapshot is SQL text, in objects whose names are ksnapshot's",
    "Leave it away.",
);
const DROPS: Means = Means::Refused(
    "a snapshot drops nothing",
    "Leave it away; `ksnapshot restore --clean` drops first what the snapshot holds.",
);
const ALL_KINDS: Means = Means::Refused(
    "what belongs to a database or a table is always dumped with it",
    "Leave it away; `ksnapshot restore --table` chooses tables of a snapshot.",
);
const REPLICATION: Means = Means::Refused(
    "a snapshot holds no statements about replication",
    "Leave it away; the position is in the manifest, where the user's rights reach it.",
);
const CHANGES: Means = Means::Refused("a dump changes nothing on the server", "Leave it away.");
const FORM: Means = Means::Refused(
    "rows are written as INSERT statements of many rows, with names of columns",
    "Leave it away.",
);
const SESSION: Means = Means::Refused(
    "a snapshot sets character set, time zone and modes itself, so that values come back as they were",
    "Leave it away.",
);
const LOCKS: Means = Means::Refused(
    "all rows are of one moment without tables being locked for the time of a dump",
    "Leave it away; `ksnapshot dump --preflight` tells which consistency the user's rights reach.",
);
const CHOICE: Means = Means::Refused("nothing here chooses so", "Leave it away.");
const NO_TABLESPACES: Means = Means::Refused("tablespaces are not dumped", "Leave it away.");

const fn row(long: &'static str, takes: Takes, means: Means) -> Row {
    Row {
        long,
        short: None,
        takes,
        means,
    }
}

const fn short(letter: char, long: &'static str, takes: Takes, means: Means) -> Row {
    Row {
        long,
        short: Some(letter),
        takes,
        means,
    }
}

/// A name as a pattern that means just this name; a dot divides the database from it, as mysqldump reads it.
pub(crate) fn table(name: &str) -> String {
    match name.split_once('.') {
        Some((database, table)) => format!("{}.{}", literal(database), literal(table)),
        None => literal(name),
    }
}

fn literal(name: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '.' | '"');
    if name.is_empty() || name.contains(special) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

const ROWS: &[Row] = &[
    // What a dump does anyway.
    row("single-transaction", Switch(LOCKS), Done),
    short('q', "quick", Switch(CHOICE), Done),
    short('y', "no-tablespaces", Switch(NO_TABLESPACES), Done),
    short('R', "routines", Switch(ALL_KINDS), Done),
    row("triggers", Switch(ALL_KINDS), Done),
    short('E', "events", Switch(ALL_KINDS), Done),
    row("hex-blob", Switch(FORM), Done),
    short('l', "lock-tables", Switch(Done), LOCKS),
    short('x', "lock-all-tables", Switch(Done), LOCKS),
    row("opt", Switch(FORM), Done),
    short('c', "complete-insert", Switch(FORM), Done),
    short('e', "extended-insert", Switch(FORM), Done),
    short('a', "create-options", Switch(CHOICE), Done),
    short('Q', "quote-names", Switch(FORM), Done),
    row("allow-keywords", Switch(Done), Done),
    row("set-charset", Switch(SESSION), Done),
    row("tz-utc", Switch(SESSION), Done),
    row(
        "default-character-set",
        Value,
        DoneIf(
            &["utf8mb4", "utf8", "utf8mb3"],
            "text is always written as utf8mb4",
        ),
    ),
    row(
        "set-gtid-purged",
        Maybe,
        DoneIf(&["off"], "a snapshot holds no statements about replication"),
    ),
    row(
        "column-statistics",
        Switch(Done),
        Means::Refused(
            "histograms are not dumped",
            "Write --column-statistics=0, or leave it away.",
        ),
    ),
    row("add-drop-table", Switch(Done), DROPS),
    row("add-drop-database", Switch(Done), DROPS),
    row("add-drop-trigger", Switch(Done), DROPS),
    row("add-drop-user", Switch(Done), DROPS),
    short('F', "flush-logs", Nothing, CHANGES),
    row("flush-privileges", Nothing, CHANGES),
    short('f', "force", Switch(Done), Done),
    row("insert-ignore", Switch(Done), FORM),
    row("replace", Switch(Done), FORM),
    // What is seen in the text alone, or in how long it takes.
    short('K', "disable-keys", Switch(Moot), Moot),
    row("add-locks", Switch(Moot), Moot),
    row("no-autocommit", Switch(Moot), Moot),
    short('i', "comments", Switch(Moot), Moot),
    row("dump-date", Switch(Moot), Moot),
    row("order-by-primary", Switch(Moot), Moot),
    row("order-by-size", Switch(Moot), Moot),
    short('v', "verbose", Switch(Moot), Moot),
    row("max-allowed-packet", Value, Moot),
    row("net-buffer-length", Value, Moot),
    row("network-timeout", Switch(Moot), Moot),
    // What is an option of ours.
    row("ignore-table", Value, OursForEach("--exclude-table", table)),
    short(
        'B',
        "databases",
        Nothing,
        Names("--database", str::to_owned),
    ),
    row("tables", Nothing, Names("--table", table)),
    short('w', "where", Value, OursWith("--where")),
    short('d', "no-data", Switch(Not("--no-data")), Ours("--no-data")),
    row("skip-definer", Nothing, Ours("--skip-definer")),
    row("users", Switch(Not("--globals")), Ours("--globals")),
    // What is neither.
    short(
        'A',
        "all-databases",
        Nothing,
        Means::Refused(
            "which databases are dumped is not said by an option",
            "Set the annotation databases, or KSNAPSHOT_DATABASES, to '*'.",
        ),
    ),
    short('Y', "all-tablespaces", Nothing, NO_TABLESPACES),
    short('t', "no-create-info", Nothing, ALL_KINDS),
    short(
        'n',
        "no-create-db",
        Nothing,
        Means::Refused(
            "where several databases are dumped each is made, and a single one never",
            "Leave it away.",
        ),
    ),
    row("no-data-med", Nothing, CHOICE),
    row("ignore-views", Nothing, CHOICE),
    row("ignore-database", Value, CHOICE),
    row("ignore-table-data", Value, CHOICE),
    row(
        "ignore-error",
        Value,
        Means::Refused(
            "what can't be read is listed as a problem, and all else is dumped",
            "Leave it away.",
        ),
    ),
    row("include-user", Value, CHOICE),
    row("exclude-user", Value, CHOICE),
    row("system", Value, CHOICE),
    row("skip-generated-invisible-primary-key", Nothing, CHOICE),
    row("show-create-skip-secondary-engine", Nothing, CHOICE),
    row("compact", Nothing, SESSION),
    row("compatible", Value, SESSION),
    short('N', "no-set-names", Nothing, SESSION),
    row("init-command", Value, SESSION),
    row("init-command-add", Value, SESSION),
    row("source-data", Maybe, REPLICATION),
    row("master-data", Maybe, REPLICATION),
    row("dump-replica", Maybe, REPLICATION),
    row("dump-slave", Maybe, REPLICATION),
    row("apply-replica-statements", Nothing, REPLICATION),
    row("apply-slave-statements", Nothing, REPLICATION),
    row("include-source-host-port", Nothing, REPLICATION),
    row("include-master-host-port", Nothing, REPLICATION),
    row("output-as-version", Value, REPLICATION),
    row("gtid", Nothing, REPLICATION),
    row("delete-source-logs", Nothing, CHANGES),
    row("delete-master-logs", Nothing, CHANGES),
    row("mysqld-long-query-time", Value, SESSION),
    short('r', "result-file", Value, FILES),
    short('T', "tab", Value, FILES),
    row("dir", Value, FILES),
    short('X', "xml", Nothing, FILES),
    row("fields-terminated-by", Value, FILES),
    row("fields-enclosed-by", Value, FILES),
    row("fields-optionally-enclosed-by", Value, FILES),
    row("fields-escaped-by", Value, FILES),
    row("lines-terminated-by", Value, FILES),
    row("log-error", Value, FILES),
    row("log-queries", Nothing, FILES),
    row("xml-schema", Value, FILES),
    row("header", Nothing, FILES),
    short('j', "parallel", Value, FILES),
    short('#', "debug", Maybe, FILES),
    row("debug-check", Nothing, FILES),
    row("debug-info", Nothing, FILES),
    row("print-defaults", Nothing, FILES),
    short('?', "help", Nothing, FILES),
    short('V', "version", Nothing, FILES),
    short('h', "host", Value, REACHED),
    short('P', "port", Value, REACHED),
    short('u', "user", Value, REACHED),
    short('p', "password", Maybe, REACHED),
    row("password1", Maybe, REACHED),
    row("password2", Maybe, REACHED),
    row("password3", Maybe, REACHED),
    short('S', "socket", Value, REACHED),
    row("protocol", Value, REACHED),
    row("bind-address", Value, REACHED),
    short('C', "compress", Nothing, REACHED),
    row("compression-algorithms", Value, REACHED),
    row("zstd-compression-level", Value, REACHED),
    row("dns-srv-name", Value, REACHED),
    row("defaults-file", Value, REACHED),
    row("defaults-extra-file", Value, REACHED),
    row("defaults-group-suffix", Value, REACHED),
    row("no-defaults", Nothing, REACHED),
    row("login-path", Value, REACHED),
    row("no-login-paths", Nothing, REACHED),
    row("default-auth", Value, REACHED),
    row("plugin-dir", Value, REACHED),
    row("plugin-authentication-kerberos-client-mode", Value, REACHED),
    row("enable-cleartext-plugin", Nothing, REACHED),
    row("secure-auth", Nothing, REACHED),
    row("get-server-public-key", Nothing, REACHED),
    row("server-public-key-path", Value, REACHED),
    row("ssl", Maybe, REACHED),
    row("skip-ssl", Nothing, REACHED),
    row("ssl-mode", Value, REACHED),
    row("ssl-ca", Value, REACHED),
    row("ssl-capath", Value, REACHED),
    row("ssl-cert", Value, REACHED),
    row("ssl-key", Value, REACHED),
    row("ssl-cipher", Value, REACHED),
    row("ssl-crl", Value, REACHED),
    row("ssl-crlpath", Value, REACHED),
    row("ssl-fips-mode", Value, REACHED),
    row("ssl-session-data", Value, REACHED),
    row(
        "ssl-session-data-continue-on-failed-reuse",
        Nothing,
        REACHED,
    ),
    row("ssl-verify-server-cert", Switch(REACHED), REACHED),
    row("tls-version", Value, REACHED),
    row("tls-ciphersuites", Value, REACHED),
    row("tls-sni-servername", Value, REACHED),
];
