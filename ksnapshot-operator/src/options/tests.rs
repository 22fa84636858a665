use super::*;
use proptest::prelude::*;

use super::read::{Means, Takes};

#[track_caller]
fn maps(kind: Kind, text: &str, expected: &[&str]) {
    assert_eq!(map(kind, text).expect(text), expected, "{text}");
}

#[track_caller]
fn refused(kind: Kind, text: &str, word: &str, why: &str) {
    let refused = map(kind, text).expect_err(text);
    assert_eq!(refused.word, word, "{text}");
    assert!(refused.why.contains(why), "{text}: {refused}");
    assert!(refused.hint.ends_with('.'), "{text}: {}", refused.hint);
    assert_eq!(Error::from(refused).kind(), ErrorKind::Usage);
}

#[test]
fn what_is_done_anyway_adds_nothing() {
    for kind in [Kind::MySql, Kind::MariaDb] {
        for text in [
            "",
            "  \n",
            "--single-transaction --quick --no-tablespaces --routines --triggers --events --hex-blob",
            "--skip-lock-tables --default-character-set=utf8mb4 --set-gtid-purged=OFF --column-statistics=0",
            "--complete-insert --extended-insert --opt --tz-utc --create-options --quote-names",
            "--skip_lock_tables --set_gtid_purged=OFF --default-character-set utf8",
            "--lock-tables=false --routines=1 --events=TRUE --triggers=on --column-statistics=FALSE",
            "--skip-column-statistics --disable-column-statistics --enable-routines",
            "-q -y -R -E -c -e -a -Q -f",
            "-qyREceaQ",
            "--skip-add-drop-table --skip-add-locks --skip-comments --skip-dump-date --disable-keys",
            "--max-allowed-packet=1G --net_buffer_length 16384 --order-by-primary -v",
        ] {
            maps(kind, text, &[]);
        }
    }
    for text in [
        "--no-password --format=plain --encoding=UTF8 --blobs --large-objects --no-statistics",
        "-w -Fp -E UTF-8 -b -v",
        "-F p --format plain --encoding utf8 --no-sync",
        "-wvb",
    ] {
        maps(Kind::PostgreSql, text, &[]);
    }
}

#[test]
fn options_of_ours_are_written_as_ours() {
    let mysql = |text, expected: &[&str]| maps(Kind::MySql, text, expected);
    mysql("--ignore-table=shop.logs", &["--exclude-table=shop.logs"]);
    mysql(
        "--ignore-table shop.logs --ignore_table=shop.tmp --ignore-table=shop.logs",
        &["--exclude-table=shop.logs", "--exclude-table=shop.tmp"],
    );
    mysql("--ignore-table=shop.a.b", &["--exclude-table=shop.\"a.b\""]);
    mysql("--ignore-table='shop.*'", &["--exclude-table=shop.\"*\""]);
    mysql(
        "'--ignore-table=shop.q\"?'",
        &["--exclude-table=shop.\"q\"\"?\""],
    );
    mysql("--no-data", &["--no-data"]);
    mysql("-d -d --no_data", &["--no-data"]);
    mysql("-d --users --skip-no-data --users=0", &[]);
    mysql("-qdR", &["--no-data"]);
    mysql(
        "--where='id > 3 and name = \"x\"'",
        &["--where=id > 3 and name = \"x\""],
    );
    mysql("-w 'a = 1'", &["--where=a = 1"]);
    mysql("-qwa=1", &["--where=a=1"]);
    mysql("--where=a=1 --where=b=2", &["--where=b=2"]);
    mysql(
        "--databases a b --quick c",
        &["--database=a", "--database=b", "--database=c"],
    );
    mysql("-B a -- --b", &["--database=a", "--database=--b"]);
    mysql(
        "--tables orders people",
        &["--table=orders", "--table=people"],
    );
    mysql(
        "--databases shop --tables orders",
        &["--database=shop", "--table=orders"],
    );
    mysql("--skip-definer --users", &["--skip-definer", "--globals"]);
    mysql("--where='$(id)`id`$HOME'", &["--where=$(id)`id`$HOME"]);
    maps(Kind::PostgreSql, "-j 4", &["--jobs=4"]);
    maps(
        Kind::PostgreSql,
        "-aOx --disable-triggers --statistics",
        &[
            "--data-only",
            "--no-owner",
            "--no-privileges",
            "--statistics",
        ],
    );
    for (theirs, ours) in [("5000", "5000ms"), ("0", "36500d"), ("2min", "2min")] {
        let (theirs, ours) = (
            format!("--lock-wait-timeout={theirs}"),
            format!("--lock-timeout={ours}"),
        );
        maps(Kind::PostgreSql, &theirs, &[&ours]);
    }
    maps(Kind::PostgreSql, "-vj4 --jobs=2", &["--jobs=2"]);
    maps(
        Kind::PostgreSql,
        "-t orders --table='sales.*' -t orders -T '*.log_??' -Naudit",
        &[
            "--table=orders",
            "--table=sales.*",
            "--exclude-table=*.log_??",
            "--exclude-schema=audit",
        ],
    );
    maps(
        Kind::PostgreSql,
        r#"-n '"a|b"' --exclude-table-data public.events -s --no-data"#,
        &[
            r#"--schema="a|b""#,
            "--exclude-table-data=public.events",
            "--no-data",
        ],
    );
}

#[test]
fn what_would_change_the_result_is_refused_by_name() {
    let mysql = |text, word, why| refused(Kind::MySql, text, word, why);
    mysql("--no-create-info", "--no-create-info", "always dumped");
    mysql("-t", "-t", "always dumped");
    mysql("-qt", "-t", "always dumped");
    mysql("--skip-routines", "--skip-routines", "always dumped");
    mysql("--events=0", "--events", "always dumped");
    mysql("--add-drop-table", "--add-drop-table", "drops nothing");
    mysql("--lock-all-tables", "--lock-all-tables", "one moment");
    mysql(
        "--skip-single-transaction",
        "--skip-single-transaction",
        "one moment",
    );
    mysql("--master-data=2", "--master-data", "replication");
    mysql("--set-gtid-purged=ON", "--set-gtid-purged", "replication");
    mysql("--set-gtid-purged", "--set-gtid-purged", "replication");
    mysql(
        "--default-character-set=latin1",
        "--default-character-set",
        "utf8mb4",
    );
    mysql(
        "--all-databases",
        "--all-databases",
        "not said by an option",
    );
    mysql("--flush-logs", "--flush-logs", "changes nothing");
    mysql("--column-statistics=1", "--column-statistics", "histograms");
    mysql(
        "--column-statistics=maybe",
        "--column-statistics",
        "neither 0 nor 1",
    );
    mysql("--result-file=/etc/passwd", "--result-file", "objects");
    mysql("--tab /tmp", "--tab", "objects");
    mysql(
        "--defaults-extra-file=/x",
        "--defaults-extra-file",
        "variables",
    );
    mysql("--where", "--where", "missing");
    mysql("-w", "-w", "missing");
    mysql("--tables=orders", "--tables", "takes no value");
    mysql("orders", "orders", "names among the options");
    mysql("--single", "--single", "not an option of mysqldump");
    mysql("--skip-where", "--skip-where", "not an option");
    mysql("-q -Z", "-Z", "not an option");
    mysql("--quick 'it", "the words", "single quote");
    let pg = |text, word, why| refused(Kind::PostgreSql, text, word, why);
    pg("--clean --if-exists", "--clean", "restore");
    pg("-S admin", "-S", "ALTER");
    pg("--format=custom", "--format", "plain");
    pg("-Fc", "-F", "plain");
    pg("--encoding=LATIN1", "--encoding", "UTF-8");
    pg("-Z9", "-Z", "compression");
    pg("--no-tablespaces", "--no-tablespaces", "always dumped");
    pg(
        "--quote-all-identifiers",
        "--quote-all-identifiers",
        "quoted",
    );
    pg("--inserts", "--inserts", "COPY");
    pg("--no_password", "--no_password", "not an option of pg_dump");
    pg("--skip-verbose", "--skip-verbose", "not an option");
    pg("--verbose=1", "--verbose", "takes no value");
    pg("shop", "shop", "names among the options");
    pg("-f out", "-f", "objects");
    pg("-t 'log_[0-9]'", "-t", "regular expression");
    pg("--schema='a|b'", "--schema", "regular expression");
    pg("--section=data", "--section", "does not choose so");
    for kind in [Kind::Elasticsearch, Kind::OpenSearch] {
        maps(kind, " ", &[]);
        refused(kind, "--quick", "the words", "there are none");
    }
}

#[test]
fn a_refusal_never_repeats_a_value() {
    for text in [
        "--password=hunter2",
        "-phunter2",
        "-p hunter2",
        "--password hunter2",
        "--defaults-extra-file=hunter2",
        "-qphunter2",
        "--hunter=hunter2",
        "--ssl-key hunter2",
    ] {
        for kind in [Kind::MySql, Kind::PostgreSql] {
            let refused = map(kind, text).expect_err(text);
            assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
        }
    }
}

#[test]
fn tables_are_in_order() {
    for kind in Kind::ALL {
        let Some(dialect) = dialect(kind) else {
            continue;
        };
        let mut names: Vec<&str> = dialect.rows.iter().map(|row| row.long).collect();
        let mut letters: Vec<char> = dialect.rows.iter().filter_map(|row| row.short).collect();
        let (all, short) = (names.len(), letters.len());
        names.sort_unstable();
        names.dedup();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(
            (all, short),
            (names.len(), letters.len()),
            "{kind}: a name twice"
        );
        for row in dialect.rows {
            let whys = match (row.takes, row.means) {
                (Takes::Switch(Means::Refused(why, hint)), _) | (_, Means::Refused(why, hint)) => {
                    Some((why, hint))
                }
                _ => None,
            };
            if let Some((why, hint)) = whys {
                assert!(!why.ends_with('.') && hint.ends_with('.'), "{}", row.long);
            }
            assert!(
                !matches!(
                    (row.takes, row.means),
                    (Takes::Value, Means::Ours(_) | Means::Names(..))
                ),
                "{}: its value would get lost",
                row.long
            );
        }
        assert!(!taken(kind).is_empty());
    }
    assert_eq!(taken(Kind::OpenSearch), Vec::<String>::new());
}

/// Every word that is said to be taken is taken, and only those.
#[test]
fn what_is_taken_is_told() {
    for kind in [Kind::MySql, Kind::PostgreSql] {
        for word in taken(kind) {
            let word = word.replace("=…", "=3").replace(" …", "");
            let word = word.split('|').next().unwrap_or_default().to_owned();
            map(kind, &word).expect(&word);
        }
    }
}

proptest! {
    #[test]
    fn every_word_of_ours_is_one_that_a_dump_has(text in "((--?[a-z_=-]{0,20}|[a-z.*'\"]{0,5}|--where=[a-z ]{0,5}|--ignore-table=[a-z.]{1,5}) ){0,6}") {
        let known = [
            "--exclude-table=", "--database=", "--table=", "--where=", "--jobs=", "--lock-timeout=", "--include-foreign-data=", "--schema=", "--exclude-schema=", "--exclude-table-data=",
        ];
        for kind in Kind::ALL {
            if let Ok(words) = map(kind, &text) {
                for word in words {
                    let flag = [
                        "--no-data", "--skip-definer", "--globals", "--serializable-deferrable", "--data-only", "--no-owner", "--no-privileges",
                        "--statistics",
                    ].contains(&word.as_str());
                    prop_assert!(flag || known.iter().any(|k| word.starts_with(k)), "{}", word);
                }
            }
        }
    }

    #[test]
    fn a_condition_arrives_as_it_was_written(condition: String) {
        let words = vec![format!("--where={condition}")];
        prop_assert_eq!(map(Kind::MySql, &words::join(&words)), Ok(words));
    }

    #[test]
    fn a_table_that_is_left_out_is_that_table_alone(database in "[^.]{1,8}", table in ".{1,8}", other in ".{1,8}") {
        use ksnapshot_core::pattern::{Letters, Pattern};
        let words = vec![format!("--ignore-table={database}.{table}")];
        let ours = map(Kind::MySql, &words::join(&words)).expect("an option");
        let pattern = ours[0].strip_prefix("--exclude-table=").expect("ours");
        let pattern = Pattern::parse(pattern).expect("a pattern");
        prop_assert!(pattern.matches(Letters::AsWritten, Some(&database), &table));
        prop_assert_eq!(pattern.matches(Letters::AsWritten, Some(&database), &other), other == table);
        prop_assert!(!pattern.matches(Letters::AsWritten, Some("elsewhere"), &table));
    }
}

/// docs/job.md lists them; this is what it must say.
#[test]
fn the_words_that_are_taken_are_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/job.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let lists: Vec<&str> = (page.split("```text\n").skip(1))
        .filter_map(|rest| rest.split("\n```").next())
        .collect();
    for (list, kind) in lists.iter().zip([Kind::MySql, Kind::PostgreSql]) {
        let words = taken(kind).join("  ");
        let told: Vec<&str> = list.split_whitespace().collect();
        let expected: Vec<&str> = words.split_whitespace().collect();
        assert_eq!(told, expected, "{kind}: {words}");
    }
    assert_eq!(lists.len(), 2);
}
