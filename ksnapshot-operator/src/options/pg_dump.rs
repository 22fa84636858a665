//! The words of pg_dump.

use super::read::Means::{self, Done, DoneIf, Moot, Ours, OursForEach, OursWith, Patterns};
use super::read::Takes::{self, Maybe, Nothing, Value};
use super::read::{Dialect, Row};

/// pg_dump, to 18.
pub(super) const DIALECT: Dialect = Dialect {
    program: "pg_dump",
    rows: ROWS,
    mysql: false,
    names: "Name databases by the annotation databases, or in KSNAPSHOT_DATABASES.",
};

const REACHED: Means = Means::Refused(
    "how the server is reached, and as whom, is said by variables of their own",
    "Set POSTGRESQL_HOST, POSTGRESQL_PORT, POSTGRESQL_USERNAME and POSTGRESQL_PASSWORD.",
);
const FILES: Means = Means::Refused(
    "a snapshot is SQL text, in objects whose names are ksnapshot's",
    "Leave it away.",
);
const RESTORING: Means = Means::Refused(
    "what is there already is dealt with by a restore",
    "Leave it away; `ksnapshot restore` has --clean and --create.",
);
const OWNERS: Means = Means::Refused(
    "who restores is said by the restore, and owners are given by ALTER … OWNER TO",
    "Leave it away; `ksnapshot restore` has --no-owner and --no-privileges.",
);
const CHOICE: Means = Means::Refused(
    "a dump of PostgreSQL does not choose so",
    "Leave it away, or choose by --table, --exclude-table, --schema, --exclude-schema, --exclude-table-data and --schema-only.",
);
const ALL_KINDS: Means = Means::Refused(
    "everything that the database defines is always dumped",
    "Leave it away.",
);
const FORM: Means = Means::Refused("rows are always written for COPY", "Leave it away.");
const COMPRESSION: Means = Means::Refused(
    "the compression of a snapshot is set elsewhere",
    "Set the annotation compression, or KSNAPSHOT_COMPRESSION, such as gzip:6 or zstd:3.",
);
const SESSION: Means = Means::Refused(
    "the session of a dump is ksnapshot's: one snapshot for all readers, every row or a listed problem",
    "Leave it away.",
);

/// A time of pg_dump's, of which a bare number is milliseconds and 0 no limit, as one of ours.
fn duration(text: &str) -> String {
    match text.parse::<u64>() {
        Ok(0) => "36500d".to_owned(),
        Ok(milliseconds) => format!("{milliseconds}ms"),
        Err(_) => text.to_owned(),
    }
}

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

const ROWS: &[Row] = &[
    // What a dump does anyway.
    short('w', "no-password", Nothing, Done),
    short(
        'F',
        "format",
        Value,
        DoneIf(&["plain", "p"], "a snapshot is always plain SQL text"),
    ),
    short(
        'E',
        "encoding",
        Value,
        DoneIf(&["utf8", "utf-8"], "text is always written as UTF-8"),
    ),
    short('b', "large-objects", Nothing, Done),
    row("blobs", Nothing, Done),
    row("no-statistics", Nothing, Done),
    // What is seen in the text alone, or in how long it takes.
    short('v', "verbose", Nothing, Moot),
    row("no-sync", Nothing, Moot),
    row("disable-dollar-quoting", Nothing, Moot),
    // What is an option of ours.
    short('j', "jobs", Value, OursWith("--jobs")),
    short('t', "table", Value, Patterns("--table")),
    short('T', "exclude-table", Value, Patterns("--exclude-table")),
    short('n', "schema", Value, Patterns("--schema")),
    short('N', "exclude-schema", Value, Patterns("--exclude-schema")),
    row(
        "exclude-table-data",
        Value,
        Patterns("--exclude-table-data"),
    ),
    short('s', "schema-only", Nothing, Ours("--no-data")),
    row("no-data", Nothing, Ours("--no-data")),
    row(
        "serializable-deferrable",
        Nothing,
        Ours("--serializable-deferrable"),
    ),
    short('a', "data-only", Nothing, Ours("--data-only")),
    row("no-schema", Nothing, Ours("--data-only")),
    // Rows alone come with what takes triggers off.
    row("disable-triggers", Nothing, Done),
    short('O', "no-owner", Nothing, Ours("--no-owner")),
    short('x', "no-privileges", Nothing, Ours("--no-privileges")),
    row("no-acl", Nothing, Ours("--no-privileges")),
    row(
        "lock-wait-timeout",
        Value,
        OursForEach("--lock-timeout", duration),
    ),
    row(
        "include-foreign-data",
        Value,
        Patterns("--include-foreign-data"),
    ),
    row("statistics", Nothing, Ours("--statistics")),
    // What is neither.
    row("table-and-children", Value, CHOICE),
    row("exclude-table-and-children", Value, CHOICE),
    row("exclude-table-data-and-children", Value, CHOICE),
    short('e', "extension", Value, CHOICE),
    row("exclude-extension", Value, CHOICE),
    row("filter", Value, CHOICE),
    row("strict-names", Nothing, CHOICE),
    row("statistics-only", Nothing, CHOICE),
    row("section", Value, CHOICE),
    row("sequence-data", Nothing, CHOICE),
    short('B', "no-large-objects", Nothing, CHOICE),
    row("no-blobs", Nothing, CHOICE),
    row("no-unlogged-table-data", Nothing, CHOICE),
    row("no-comments", Nothing, ALL_KINDS),
    row("no-policies", Nothing, ALL_KINDS),
    row("no-publications", Nothing, ALL_KINDS),
    row("no-security-labels", Nothing, ALL_KINDS),
    row("no-subscriptions", Nothing, ALL_KINDS),
    row("no-table-access-method", Nothing, ALL_KINDS),
    row("no-tablespaces", Nothing, ALL_KINDS),
    row("no-toast-compression", Nothing, ALL_KINDS),
    short('S', "superuser", Value, OWNERS),
    row("use-set-session-authorization", Nothing, OWNERS),
    short('c', "clean", Nothing, RESTORING),
    short('C', "create", Nothing, RESTORING),
    row("if-exists", Nothing, RESTORING),
    row(
        "quote-all-identifiers",
        Nothing,
        Means::Refused("names are quoted where they need it", "Leave it away."),
    ),
    row("load-via-partition-root", Nothing, FORM),
    row("inserts", Nothing, FORM),
    row("column-inserts", Nothing, FORM),
    row("attribute-inserts", Nothing, FORM),
    row("rows-per-insert", Value, FORM),
    row("on-conflict-do-nothing", Nothing, FORM),
    row("extra-float-digits", Value, FORM),
    short('Z', "compress", Value, COMPRESSION),
    row("enable-row-security", Nothing, SESSION),
    row("snapshot", Value, SESSION),
    row("no-synchronized-snapshots", Nothing, SESSION),
    row("role", Value, SESSION),
    row("binary-upgrade", Nothing, SESSION),
    row("sync-method", Value, FILES),
    row("restrict-key", Value, FILES),
    short('f', "file", Value, FILES),
    short('V', "version", Nothing, FILES),
    short('?', "help", Nothing, FILES),
    short('d', "dbname", Value, REACHED),
    short('h', "host", Value, REACHED),
    short('p', "port", Value, REACHED),
    short('U', "username", Value, REACHED),
    short('W', "password", Maybe, REACHED),
];
