//! One moment: what each rung claims is what is found under writers who move money between two schemas.

use std::time::{Duration, Instant};

use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::PASSWORD;
use ksnapshot_tests::mysql::bank;
use ksnapshot_tests::mysql::{MySql, Version};

use super::Dumped;
use super::promises::moment::{READ, by_locks, by_the_log, check, without_a_log};

/// Runs a rung.
const RUNS: usize = 3;

#[test]
fn binary_log_of_mariadb() {
    by_the_log(Version::MariaDb118, RUNS);
}

#[test]
fn stages_of_mariadb() {
    without_a_log(Version::MariaDb118, RUNS);
}

#[test]
fn locks_of_mysql() {
    by_locks(Version::MySql97, RUNS);
}

#[test]
fn locks_of_mysql_57() {
    let server = MySql::start(Version::MySql57).unwrap();
    let global = ["exact", "global-read-lock"];
    check(&server, RUNS, "flusher", &[READ, "reload on *.*"], global);
}

#[test]
fn a_position_is_that_of_the_moment() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let db = server.create_db("db").unwrap();
        db.run("create table t (n int primary key)").unwrap();
        let dumped = Dumped::of(&db.url(), &[]);
        let position = &dumped.manifest["consistency"]["position"];
        let status = match version {
            Version::MariaDb118 => "show master status",
            _ => "show binary log status",
        };
        let status = server.query(status).unwrap();
        assert_eq!(position["binlog_file"], status[0][0].as_str(), "{position}");
        assert_eq!(
            position["binlog_position"],
            status[0][1].as_str(),
            "{position}"
        );
    }
}

#[test]
fn what_stands_around_a_moment_is_told() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let db = server.create_db("db").unwrap();
        db.run("create table t (n int primary key)").unwrap();
        let source = match version {
            Version::MariaDb118 => {
                "change master to master_host = '127.0.0.1', master_port = 1, master_user = 'u'"
            }
            _ => {
                "change replication source to source_host = '127.0.0.1', source_port = 1, source_user = 'u'"
            }
        };
        server.run(source).unwrap();
        db.run("xa start 'a'; insert into t values (1); xa end 'a'; xa prepare 'a'")
            .unwrap();
        server.run("set global read_only = 1").unwrap();
        let dumped = Dumped::of(&db.url(), &[]);
        let position = &dumped.manifest["consistency"]["position"];
        for (name, value) in [
            ("read_only", "true"),
            ("replica_of", "127.0.0.1:1"),
            ("seconds_behind", "stopped"),
            ("prepared_transactions", "1"),
        ] {
            assert_eq!(position[name], value, "{version:?}: {position}");
        }
        let told = "1 prepared transactions (XA RECOVER lists them)";
        assert!(dumped.run.stderr.contains(told), "{:?}", dumped.run);
        server
            .run("set global read_only = 0; xa rollback 'a'")
            .unwrap();
    }
}

#[test]
fn a_long_query_does_not_make_everybody_wait() {
    let server = MySql::start(Version::MySql97).unwrap();
    bank::open(&server).unwrap();
    let long = "select sleep(40) from bank_a.accounts limit 1";
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| server.client(&[], long).unwrap());
        let running = format!(
            "select id from information_schema.processlist where info = '{long}' and state = 'User sleep' and time > 1"
        );
        let id = ksnapshot_tests::testbed::until(Duration::from_secs(30), "a long query", || {
            Ok(server.query(&running)?.pop())
        })
        .unwrap();
        let began = Instant::now();
        let dumped = Dumped::of(&server.url("bank_a"), &["--jobs", "2"]);
        assert_eq!(dumped.claim(), ["exact", "table-locks"], "{:?}", dumped.run);
        assert!(began.elapsed() < Duration::from_secs(35));
        // Whoever writes is not kept, though the query goes on.
        server
            .run("set lock_wait_timeout = 1; update bank_a.accounts set balance = 1 where id = 1")
            .unwrap();
        assert_eq!(server.query(&running).unwrap().len(), 1);
        server.run(&format!("kill {}", id.join(""))).unwrap();
        let _ = sleeper.join();
    });
}

#[test]
fn tables_without_snapshots_lower_the_claim() {
    for version in Version::NEWEST {
        let server = MySql::shared(version).unwrap();
        let db = server.fresh_db("engines").unwrap();
        db.run("create table i (n int primary key); create table m (n int) engine = myisam")
            .unwrap();
        let dumped = Dumped::of(&db.url(), &[]);
        assert_eq!(dumped.claim()[0], "none");
        assert_eq!(dumped.run.code(), Some(3), "{:?}", dumped.run);
        let told = format!("table {}.m: engine MYISAM has no snapshots", db.name);
        assert!(dumped.run.stderr.contains(&told), "{:?}", dumped.run);
        db.drop().unwrap();
    }
}

#[test]
fn a_change_of_definitions_waits_for_the_dump() {
    use ksnapshot_tests::hold::Holder;
    // By a lock of the instance, and by those that readers have on tables.
    for (version, user, grants) in [
        (
            Version::MySql97,
            "admin",
            [READ, "reload, backup_admin on *.*"],
        ),
        (Version::MariaDb118, "reader", [READ, "usage on *.*"]),
    ] {
        let server = MySql::start(version).unwrap();
        bank::open(&server).unwrap();
        server.create_user(user, &grants).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let holder = Holder::before(server.port(), Some(1_500_000)).unwrap();
        let url = server
            .url_as(user, "bank_a")
            .replace(&server.port().to_string(), &holder.port().to_string());
        let run = super::dump(&url, &folder.path().join("store"), &["--jobs", "2"])
            .spawn()
            .unwrap();
        holder.await_held().unwrap();
        let alter = "set lock_wait_timeout = 1; alter table bank_a.moves add column more int";
        let refused = server.client(&[], alter).unwrap();
        assert!(
            refused.stderr.contains("Lock wait timeout"),
            "{version:?}: {refused:?}"
        );
        holder.release();
        let run = run.wait().unwrap();
        assert!(matches!(run.code(), Some(0 | 3)), "{run:?}");
        server.run(alter).unwrap();
    }
}

#[test]
fn preflight_says_which_rung_and_what_is_missing() {
    for (version, grants, says) in [
        (
            Version::MySql97,
            "select on *.*",
            &["one-connection", "GRANT RELOAD ON *.* TO 'limited'@'%'"][..],
        ),
        (
            Version::MariaDb118,
            "select on *.*",
            &["binary-log", "exact"],
        ),
    ] {
        let server = MySql::start(version).unwrap();
        server.create_user("limited", &[grants]).unwrap();
        let db = server.create_db("db").unwrap();
        db.run("create table t (n int primary key)").unwrap();
        let run = Ksnapshot::new(["dump", &server.url_as("limited", "db"), "--preflight"])
            .env("MYSQL_PWD", PASSWORD)
            .run()
            .unwrap();
        assert!(matches!(run.code(), Some(0 | 3)), "{run:?}");
        for text in says {
            assert!(run.text().contains(text), "{version:?}: {text}: {run:?}");
        }
    }
}
