//! The servers of MySQL and MariaDB, their clients, and their judges, which are judged here.

use std::time::Duration;

use ksnapshot_tests::mysql::bank::{self, Balance, Mover};
use ksnapshot_tests::mysql::{Flavour, MySql, Options, Version, broken, compare};
use ksnapshot_tests::{Tls, testbed, tools};

#[test]
fn every_server_starts_and_tells_its_version() {
    for version in Version::ALL {
        let server = MySql::start(version).unwrap();
        let told = server
            .query("select version(), @@log_bin, @@port, user()")
            .unwrap();
        let [told] = &told[..] else {
            panic!("{version:?}: {told:?}");
        };
        assert!(told[0].contains(version.number()), "{version:?}: {told:?}");
        assert_eq!(told[1..3], ["1".to_owned(), server.port().to_string()]);
        assert_eq!(told[3], "root@127.0.0.1");
        assert_eq!(server.sessions().unwrap(), 0);
    }
}

#[test]
fn a_password_is_asked_for() {
    for version in Version::NEWEST {
        let server = MySql::shared(version).unwrap();
        server
            .create_user("limited", &["select on mysql.*"])
            .unwrap();
        let rows = server
            .query_with(&["-u", "limited"], "select current_user()")
            .unwrap();
        assert_eq!(rows, [["limited@%"]]);
        let run = server
            .client(&["-u", "limited", "--password=wrong"], "select 1")
            .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.stderr.contains("Access denied"), "{run:?}");
        // By the socket without one.
        let mut client = server.program("mysql").unwrap();
        client
            .args(["--protocol=SOCKET", "--host=localhost", "--password=", "-S"])
            .arg(server.socket());
        tools::run(client.args(["-e", "select 1"]))
            .unwrap()
            .success()
            .unwrap();
    }
}

#[test]
fn settings_reach_the_server() {
    for version in Version::NEWEST {
        let server = Options::new(version)
            .without_binlog()
            .set("max-allowed-packet", "65536")
            .tls(Tls::Required)
            .start()
            .unwrap();
        let told = server
            .query("select @@log_bin, @@max_allowed_packet, @@require_secure_transport; show status like 'Ssl_cipher'")
            .unwrap();
        assert_eq!(told[0], ["0", "65536", "1"]);
        assert!(!told[1][1].is_empty(), "{told:?}");
        let plain = match version {
            Version::MariaDb118 => "--skip-ssl",
            _ => "--ssl-mode=DISABLED",
        };
        let run = server.client(&[plain], "select 1").unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
    }
}

#[test]
fn tpch_is_whole_and_mydumper_reads_it() {
    for version in Version::NEWEST {
        let server = MySql::shared_tpch(version).unwrap();
        let count = |table: &str| server.value(&format!("select count(*) from tpch.{table}"));
        for (table, rows) in [("region", "5"), ("nation", "25"), ("orders", "75000")] {
            assert_eq!(count(table).unwrap(), rows, "{table}");
        }
        let folder = tempfile::tempdir().unwrap();
        let mydumper = testbed::home()
            .unwrap()
            .join("roots/mydumper/clients/mydumper");
        let mut mydumper = server.connected(&mydumper).unwrap();
        mydumper.args(["-B", "tpch", "-T", "nation,region", "-t", "2", "-o"]);
        tools::run(mydumper.arg(folder.path()))
            .unwrap()
            .success()
            .unwrap();
        assert!(
            folder.path().join("tpch.nation.sql").exists(),
            "{version:?}"
        );
    }
}

#[test]
fn a_killed_server_is_gone_at_once() {
    let server = MySql::start(Version::MariaDb118).unwrap();
    server.kill().unwrap();
    testbed::until(Duration::from_secs(5), "the end", || {
        Ok((!testbed::alive(server.pid())).then_some(()))
    })
    .unwrap();
    assert!(server.query("select 1").is_err());
    MySql::start(Version::MariaDb118).unwrap().stop().unwrap();
}

/// The schemas that `kinds.sql` makes.
const KINDS: [&str; 3] = ["kinds_a", "kinds_b", "Kinds `c\" 'd';e"];

fn filled(version: Version) -> MySql {
    let server = MySql::start(version).unwrap();
    let values = server.create_db("values").unwrap();
    values.load(&testbed::sql("mysql/values.sql")).unwrap();
    server.load("", &testbed::sql("mysql/kinds.sql")).unwrap();
    bank::open(&server).unwrap();
    server
}

#[test]
fn every_source_of_the_tests_loads_everywhere() {
    for version in Version::ALL {
        let server = filled(version);
        bank::of_one_moment(&server).unwrap();
        broken::make(&server.db("values")).unwrap();
        let db = server.create_db("backtick").unwrap();
        db.load(&testbed::sql("mysql/backtick-key.sql")).unwrap();
        if version.flavour() == Flavour::MySql {
            let db = server.create_db("limits").unwrap();
            db.load(&testbed::sql("mysql/values-limits.sql")).unwrap();
        }
    }
}

#[test]
fn equal_servers_are_equal_and_each_kind_of_change_is_seen() {
    for version in Version::NEWEST {
        let (a, b) = (filled(version), filled(version));
        let all = [&KINDS[..], &["values", "bank_a", "bank_b"]].concat();
        compare::same(&a, &b, &all).unwrap();

        let (left, right) = (a.db("values"), b.db("values"));
        let differs = |change: &str, back: &str| {
            right.run(change).unwrap();
            compare::same_definitions(&a, &b, &all)
                .and_then(|()| compare::same_rows(&left, &right))
                .expect_err(change);
            right.run(back).unwrap();
        };
        differs(
            "update floats set f = 0.0105163 where id = 1",
            "update floats set f = 0.010516252368688583 where id = 1",
        );
        differs(
            "update bytes set b255 = '' where id = 2",
            "update bytes set b255 = null where id = 2",
        );
        differs(
            "set sql_mode = ''; update times set d = '2023-01-01' where id = 2",
            "set sql_mode = ''; update times set d = '2023-00-00' where id = 2; update times set d = '2024-00-00' where id = 2",
        );
        differs(
            "insert into key_none values (1, 'twice')",
            "delete from key_none where n = 1 limit 1",
        );
        differs(
            "alter table ints comment = 'x'",
            "alter table ints comment = ''",
        );
        differs("create view v as select 1", "drop view v");
        differs(
            "create trigger t before insert on ints for each row set @a = 1",
            "drop trigger t",
        );
        differs(
            "set sql_mode = 'ANSI_QUOTES'; create or replace view kinds_a.v_latin1 as select 1",
            "drop view kinds_a.v_latin1; set names latin1; \
             create definer = root@`%` view kinds_a.v_latin1 as select 'café' as `ü`",
        );
        differs(
            "alter event kinds_a.asleep enable",
            "alter event kinds_a.asleep disable",
        );
        compare::same_stock_dump(&a, &b, &all).unwrap();
        b.run("grant create on kinds_b.* to kinds_owner").unwrap();
        compare::same_users(&a, &b, &["kinds_owner@%"]).unwrap_err();
    }
}

#[test]
fn money_moves_until_it_is_stopped() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        bank::open(&server).unwrap();
        let mover = Mover::start(&server, 2).unwrap();
        let before = mover.moves().unwrap();
        testbed::until(Duration::from_secs(20), "more moves", || {
            Ok((mover.moves()? > before + 100).then_some(()))
        })
        .unwrap();
        mover.stop().unwrap();
        let balance = Balance::of(&server).unwrap();
        assert!(
            balance.is_of_one_moment() && balance.moves_a > 100,
            "{balance:?}"
        );
        assert_eq!(Balance::of(&server).unwrap(), balance);
        assert_eq!(server.sessions().unwrap(), 0);
        // What isn't of one moment is seen.
        server
            .run("update bank_a.vaults set balance = balance + 0.01 where id = 5")
            .unwrap();
        bank::of_one_moment(&server).unwrap_err();
    }
}
